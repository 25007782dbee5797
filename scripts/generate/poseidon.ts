// Poseidon as contracts: circomlibjs writes their bytecode, no compiler is involved.
import { poseidonContract } from "circomlibjs";
import { dataSlice } from "ethers";

/** A contract that hashes a fixed number of field elements. */
export type PoseidonArtifact = {
  /** `Poseidon2`, for two inputs. */
  readonly contractName: string;
  readonly abi: readonly unknown[];
  readonly bytecode: string;
  readonly deployedBytecode: string;
};

const PUSH1 = 0x60;
const PUSH32 = 0x7f;
const RETURN = 0xf3;

/**
 * Makes the contract for a number of inputs.
 *
 * @param inputs 1 to 6: beyond, the code exceeds the size limit of chains
 * @returns it, with the signature that takes and gives numbers; the code also takes `bytes32`
 * @throws Error when circomlibjs writes something else than is known
 */
export function poseidonArtifact(inputs: number): PoseidonArtifact {
  const bytecode = poseidonContract.createCode(inputs);
  const abi = poseidonContract
    .generateABI(inputs)
    .filter(({ outputs }) => outputs[0]?.type === "uint256")
    .map(({ name, inputs: parameters, outputs, stateMutability, type }) => {
      return { type, name, inputs: parameters, outputs, stateMutability };
    });
  if (abi.length !== 1) throw new Error("circomlibjs gives Poseidon another interface");
  return { contractName: `Poseidon${inputs}`, abi, bytecode, deployedBytecode: runtimeOf(bytecode) };
}

/** What is behind the loader, which copies it and ends with its first RETURN. */
function runtimeOf(bytecode: string): string {
  for (let at = 0; 2 + at * 2 < bytecode.length; at++) {
    const opcode = Number.parseInt(bytecode.slice(2 + at * 2, 4 + at * 2), 16);
    if (opcode === RETURN) return dataSlice(bytecode, at + 1);
    if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH1 + 1;
  }
  throw new Error("circomlibjs writes Poseidon without a loader");
}
