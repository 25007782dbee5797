// Circuits with keys, ready to prove, and what a verification of them costs on chain.
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { concat, getBytes, Interface } from "ethers";
import { network } from "hardhat";
import * as snarkjs from "snarkjs";
import { type Groth16Proof, groth16, type VerificationKey } from "snarkjs";
import { proveGroth16, readProvingKey } from "../../../packages/proofs/src/prover/groth16.ts";
import { scorecard, sealedAnswer } from "../../../test/circuits/support/reference.ts";
import { type Compiled, compileCircuit } from "../../circuits/compile.ts";
import { type Config, mainOf, readConfig } from "../../circuits/config.ts";
import { readR1csHeader } from "../../circuits/r1cs.ts";
import { makeDevelopmentKeys } from "../../circuits/setup.ts";
import { root } from "../../lib/workspace.ts";

/** Circuits that are compared, by their names in the report. */
export type BenchName = "sealedAnswer" | "scorecard" | "semaphore";

/** A circuit that can be proved again and again: calculator, key and inputs in memory. */
export type BenchCircuit = {
  readonly name: BenchName;
  readonly constraints: number;
  readonly publicSignals: number;
  readonly zkeyBytes: number;
  /** Gas of one verification, without the transaction's own. */
  readonly verifyGas: number;
  /** Witness as a file in memory. */
  witness(): Promise<Uint8Array>;
  /** As its users prove: by the package's prover, Semaphore by snarkjs. */
  prove(witness: Uint8Array): Promise<Made>;
  /** By snarkjs. */
  proveBySnarkjs(witness: Uint8Array): Promise<Made>;
  verify(made: Made): Promise<boolean>;
};

/** A proof with its public signals. */
export type Made = { readonly proof: Groth16Proof; readonly publicSignals: readonly string[] };

type Curve = Parameters<typeof proveGroth16>[0];
type Inputs = Readonly<Record<string, unknown>>;
type Calculator = { calculateWTNSBin(inputs: Inputs, sanityCheck: boolean): Promise<Uint8Array> };

/** Semaphore v4 as its package has it; compiled with the options that its published keys were made with. */
const SEMAPHORE = `pragma circom 2.1.5;
include "semaphore.circom";
component main { public [message, scope] } = Semaphore(20);
`;
const SEMAPHORE_LIBRARIES = [
  { name: "@semaphore-protocol/circuits", folder: "src" },
  { name: "@zk-kit/binary-merkle-root.circom", folder: "src" },
  { name: "circomlib", folder: "circuits" },
];
const SEMAPHORE_INPUTS: Inputs = {
  secret: (1n << 250n) + 12_345n,
  merkleProofLength: 20n,
  merkleProofIndex: 5n,
  merkleProofSiblings: Array.from({ length: 20 }, (_, n) => 1n + BigInt(n)),
  message: 77n,
  scope: 88n,
};

/**
 * Compiles the circuits, makes their keys (all of them on one phase 1), and deploys their verifiers once for the gas.
 *
 * @param progress is told of each step
 * @returns the three circuits
 */
export async function benchCircuits(progress: (line: string) => void): Promise<readonly BenchCircuit[]> {
  const config = readConfig();
  const own = (name: string): Pick<Source, "compile" | "verifier"> => {
    const instance = config.instances.find((candidate) => candidate.name === name);
    if (instance === undefined) throw new Error(`circuits.json has no ${name}`);
    const file = join(root, "contracts", "generated", `${instance.verifier}.sol`);
    return { compile: () => compileCircuit(mainOf(instance)), verifier: readFileSync(file, "utf8") };
  };
  const sources: readonly Source[] = [
    { name: "sealedAnswer", inputs: sealedAnswer().inputs, ...own("sealed-answer") },
    { name: "scorecard", inputs: scorecard().inputs, ...own("scorecard") },
    { name: "semaphore", inputs: SEMAPHORE_INPUTS, compile: () => compileCircuit(SEMAPHORE, 2, SEMAPHORE_LIBRARIES) },
  ];
  const circuits: BenchCircuit[] = [];
  for (const source of sources) {
    progress(`${source.name}: circuit and keys`);
    circuits.push(await loadCircuit(source, config));
  }
  return circuits;
}

/** A circuit to measure. */
type Source = {
  readonly name: BenchName;
  readonly inputs: Inputs;
  /** Verifier as it is deployed; that of snarkjs when absent. */
  readonly verifier?: string;
  compile(): Promise<Compiled>;
};

async function loadCircuit({ name, inputs, verifier, compile }: Source, config: Config): Promise<BenchCircuit> {
  const compiled = await compile();
  const keys = await makeDevelopmentKeys(compiled, config.setup);
  const header = readR1csHeader(compiled.r1cs);
  const provingKey = readFileSync(keys.zkey);
  const calculator = await calculatorOf(compiled);
  const inMemory = groth16 as unknown as {
    prove(key: Uint8Array, witness: { readonly type: "mem"; readonly data: Uint8Array }): Promise<Made>;
  };
  const { curves } = snarkjs as unknown as { curves: { getCurveFromName(name: string): Promise<Curve> } };
  const curve = await curves.getCurveFromName("bn128");
  const ownKey = name === "semaphore" ? undefined : readProvingKey(provingKey);
  const proveBySnarkjs = (data: Uint8Array): Promise<Made> => inMemory.prove(provingKey, { type: "mem", data });
  const circuit = {
    proveBySnarkjs,
    witness: () => calculator.calculateWTNSBin(inputs, true),
    prove: ownKey === undefined ? proveBySnarkjs : (data: Uint8Array) => proveGroth16(curve, ownKey, data),
    verify: ({ publicSignals, proof }: Made) => groth16.verify(keys.verificationKey, publicSignals, proof),
  };
  const made = await circuit.prove(await circuit.witness());
  return {
    name,
    constraints: header.constraints,
    publicSignals: made.publicSignals.length,
    zkeyBytes: statSync(keys.zkey).size,
    verifyGas: await gasOf(verifier ?? keys.solidity, keys.verificationKey, made),
    ...circuit,
  };
}

/** The calculator that the compiler wrote, CommonJS below a package.json that says otherwise. */
async function calculatorOf(compiled: Compiled): Promise<Calculator> {
  const module = { exports: undefined as unknown };
  const source = readFileSync(compiled.calculator, "utf8");
  new Function("module", "require", source)(module, createRequire(import.meta.url));
  return await (module.exports as (code: Uint8Array) => Promise<Calculator>)(readFileSync(compiled.wasm));
}

/** Gas of a verifier on Hardhat's network, without what every transaction with this data costs. */
async function gasOf(solidity: string, key: VerificationKey, { proof, publicSignals }: Made): Promise<number> {
  const chain = await network.create();
  try {
    const [sender] = await chain.ethers.getSigners();
    if (sender === undefined) throw new Error("the chain has no account");
    const deployed = await (await sender.sendTransaction({ data: compileVerifier(solidity) })).wait();
    const pair = (point: readonly string[]): readonly string[] => point.slice(0, 2);
    const { pi_a: a, pi_b: b, pi_c: c } = proof;
    const args = [pair(a), b.slice(0, 2).map((point) => [...pair(point)].reverse()), pair(c), publicSignals];
    const verifier = new Interface([
      `function verifyProof(uint256[2], uint256[2][2], uint256[2], uint256[${key.nPublic}]) view returns (bool)`,
    ]);
    const data = verifier.encodeFunctionData("verifyProof", args);
    const to = deployed?.contractAddress ?? "";
    const verified = await sender.call({ to, data });
    if (BigInt(verified) !== 1n) throw new Error("the verifier refuses the proof");
    const receipt = await (await sender.sendTransaction({ to, data })).wait();
    const intrinsic = getBytes(data).reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 21_000);
    return Number(receipt?.gasUsed) - intrinsic;
  } finally {
    await chain.close();
  }
}

/** Bytecode under the compiler and the settings of the contracts. */
function compileVerifier(source: string): string {
  const require = createRequire(join(root, "package.json"));
  const solc = require("solc") as { compile(input: string): string };
  const output = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: "Solidity",
        sources: { "verifier.sol": { content: source } },
        settings: {
          evmVersion: "osaka",
          viaIR: true,
          optimizer: { enabled: true, runs: 200 },
          outputSelection: { "*": { "*": ["evm.bytecode.object"] } },
        },
      }),
    ),
  ) as {
    readonly contracts?: Readonly<
      Record<string, Readonly<Record<string, { readonly evm: { readonly bytecode: { readonly object: string } } }>>>
    >;
    readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  };
  const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
  const [contract] = Object.values(output.contracts?.["verifier.sol"] ?? {});
  if (contract === undefined) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
  return concat([`0x${contract.evm.bytecode.object}`]);
}
