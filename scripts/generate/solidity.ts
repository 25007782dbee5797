// What the Solidity tests cannot compute: Poseidon's code, and the proofs of test/vectors/proofs.json.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/workspace.ts";
import { banner, type GeneratedFile } from "./output.ts";
import { poseidonArtifact } from "./poseidon.ts";

const SOURCE = "test/vectors/proofs.json";

type Entry = { readonly name: string; readonly signals: readonly string[]; readonly proof: readonly string[] };

/**
 * The library of test/contracts/support.
 *
 * @returns it with its text
 * @throws Error when there are no proofs
 */
export function generateSolidity(): GeneratedFile {
  const { questions } = JSON.parse(readFileSync(join(root, SOURCE), "utf8")) as {
    readonly questions: readonly Entry[];
  };
  const words = (values: readonly string[]): string => values.map((value) => `                ${value}`).join(",\n");
  const cases = questions.map(
    ({ name, signals, proof }, index) => `        // ${name}
        if (index == ${index}) {
            signals = [
${words(signals)}
            ];
            proof = [
${words(proof)}
            ];
        }
`,
  );
  return {
    path: "test/contracts/support/ProofVectors.sol",
    text: `${banner(SOURCE)}// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @notice Proofs under the keys for development, and the hash that circomlibjs writes.
library ProofVectors {
    /// @notice Creation code of Poseidon of two inputs.
    bytes internal constant POSEIDON2 =
        hex"${poseidonArtifact(2).bytecode.slice(2)}";

    /// @notice Public signals and proof of a question of the scenario.
    function proven(uint256 index) internal pure returns (uint256[4] memory signals, uint256[8] memory proof) {
${cases.join("")}    }
}
`,
  };
}
