// The files that follow from the circuits: circuits/keys and contracts/generated.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/workspace.ts";
import { batchSource } from "./batch.ts";
import { sha256, versionOf } from "./cache.ts";
import { type Compiled, compileCircuit } from "./compile.ts";
import { type Config, type Instance, mainOf } from "./config.ts";
import { readR1csHeader } from "./r1cs.ts";
import { type Keys, makeDevelopmentKeys } from "./setup.ts";

/** A circuit with all that was made of it. */
export type Built = { readonly instance: Instance; readonly compiled: Compiled; readonly keys: Keys };

/** A file below the repository's root. */
export type GeneratedFile = { readonly path: string; readonly text: string };

/**
 * Compiles a circuit and makes its keys.
 *
 * @param instance of circuits.json
 * @param config all of circuits.json
 * @param progress is told of each step
 * @returns the circuit
 * @throws Error for more constraints than the target
 */
export async function buildCircuit(
  instance: Instance,
  config: Config,
  progress: (line: string) => void,
): Promise<Built> {
  progress(`${instance.name}: compiling`);
  const compiled = await compileCircuit(mainOf(instance));
  const { constraints } = readR1csHeader(compiled.r1cs);
  if (constraints > instance.maxConstraints) {
    throw new Error(`${instance.name} has ${constraints} constraints, the target is ${instance.maxConstraints}`);
  }
  progress(`${instance.name}: ${constraints} constraints; making the keys for development`);
  const keys = await makeDevelopmentKeys(compiled, config.setup);
  progress(`${instance.name}: done`);
  return { instance, compiled, keys };
}

/**
 * Writes the files of a circuit.
 *
 * @param built from {@link buildCircuit}
 * @param config all of circuits.json
 * @param pragma of the other contracts, as `0.8.37`
 * @returns verification key with its origin, and the verifier contract
 */
export function filesOf({ instance, compiled, keys }: Built, config: Config, pragma: string): readonly GeneratedFile[] {
  const { constraints, wires, privateInputs } = readR1csHeader(compiled.r1cs);
  const key = {
    circuit: instance.name,
    publicSignals: instance.publicSignals,
    constraints,
    wires,
    privateInputs,
    r1csSha256: sha256(readFileSync(compiled.r1cs)),
    provingKeySha256: sha256(readFileSync(keys.zkey)),
    made: {
      purpose: "development",
      compiler: `circom2@${versionOf("circom2")} --O2`,
      library: `circomlib@${versionOf("circomlib")}`,
      setup: `snarkjs@${versionOf("snarkjs")} groth16`,
      phase1Sha256: config.setup.phase1.sha256,
      phase2: { beacon: sha256(config.setup.phase2.beaconText), ...config.setup.phase2 },
    },
    verificationKey: keys.verificationKey,
  };
  return [
    { path: `circuits/keys/${instance.name}.json`, text: formatted(JSON.stringify(key, undefined, 2)) },
    {
      path: `contracts/generated/${instance.verifier}.sol`,
      text: verifierSource(keys.solidity, instance, pragma, "development"),
    },
  ];
}

/** JSON as the repository's formatter wants it, so that the lint step and `--check` agree. */
function formatted(json: string): string {
  const biome = join(root, "node_modules/.bin/biome");
  const { status, stdout, stderr } = spawnSync(biome, ["format", "--stdin-file-path=key.json"], {
    cwd: root,
    input: json,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`biome did not format a key: ${stderr}`);
  return stdout;
}

/**
 * Turns the verifier of snarkjs into ours: it has its own name, the compiler of the other contracts, verifies many proofs at
 * once, and takes each point in one encoding only.
 *
 * @param solidity as snarkjs writes it
 * @param instance whose verifier it is
 * @param pragma as `0.8.37`
 * @param keys whether they are for development: then the contract cannot be deployed where money is real
 * @returns source
 * @throws Error when snarkjs writes something else than is known
 */
export function verifierSource(
  solidity: string,
  instance: Pick<Instance, "verifier" | "publicSignals">,
  pragma: string,
  keys: "development" | "production",
): string {
  const replace = (text: string, from: string, to: string): string => {
    if (text.split(from).length !== 2) throw new Error(`the verifier of snarkjs does not have one "${from}"`);
    return text.replace(from, to);
  };
  let text = replace(
    solidity,
    "// SPDX-License-Identifier: GPL-3.0\n",
    "// SPDX-License-Identifier: GPL-3.0-or-later\n",
  );
  text = replace(text, "pragma solidity >=0.7.0 <0.9.0;", `pragma solidity ${pragma};`);
  text = replace(
    text,
    "contract Groth16Verifier {\n",
    keys === "production"
      ? `/// @notice Verifies proofs of circuits/.\ncontract ${instance.verifier} {\n`
      : `/// @notice Verifies proofs of circuits/ under keys for development: anybody can forge them.
contract ${instance.verifier} {
    /// @notice The keys are for development: no chain but a local one takes them.
    error DevelopmentKeys(uint256 chainId);

    constructor() {
        if (block.chainid != 31337 && block.chainid != 1337) revert DevelopmentKeys(block.chainid);
    }

`,
  );
  text = replace(
    text,
    "    function verifyProof(",
    `${batchSource(instance.publicSignals.length)}    /// @notice Verifies one proof.
    function verifyProof(`,
  );
  text = replace(
    text,
    "            // Validate all evaluations\n            let isValid",
    `            // The pairing gets −A, which is computed: without this, another encoding of A would pass.
            if iszero(lt(calldataload(add(_pA, 32)), q)) {
                mstore(0, 0)
                return(0, 0x20)
            }

            // Validate all evaluations
            let isValid`,
  );
  const lines = text.split("\n").map((line) => line.trimEnd());
  const script = keys === "production" ? "scripts/verifier.ts" : "scripts/circuits.ts";
  return `// Generated by ${script} from circuits/. Do not edit.\n${lines.join("\n").trimEnd()}\n`;
}
