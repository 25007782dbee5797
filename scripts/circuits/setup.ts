// The keys for development: their phase 2 is public, so anybody can forge proofs. They are the same in every clone.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type VerificationKey, zKey } from "snarkjs";
import { root } from "../lib/workspace.ts";
import { cached, sha256, versionOf } from "./cache.ts";
import type { Compiled } from "./compile.ts";
import type { DevelopmentSetup } from "./config.ts";

/** Keys of a circuit. */
export type Keys = {
  /** Path of the proving key. */
  readonly zkey: string;
  readonly verificationKey: VerificationKey;
  /** The verifier as snarkjs writes it. */
  readonly solidity: string;
};

function phase1File(setup: DevelopmentSetup): string {
  const file = join(root, "node_modules", setup.phase1.package, setup.phase1.path);
  const found = sha256(readFileSync(file));
  if (found !== setup.phase1.sha256) {
    throw new Error(`${file} has SHA-256 ${found}, not ${setup.phase1.sha256}: install the packages again`);
  }
  return file;
}

/**
 * Makes the keys of a circuit: Groth16 over the prepared phase 1, and a phase 2 of one beacon. A contribution would mix in
 * fresh randomness, and no clone could rebuild the key that the repository states.
 *
 * @param circuit compiled
 * @param setup of circuits.json
 * @returns keys, from the cache if they were made before
 */
export async function makeDevelopmentKeys(circuit: Compiled, setup: DevelopmentSetup): Promise<Keys> {
  const { beaconText, iterationsExponent } = setup.phase2;
  const r1csHash = sha256(readFileSync(circuit.r1cs));
  const inputs = [r1csHash, setup.phase1.sha256, beaconText, `${iterationsExponent}`, versionOf("snarkjs")];
  const folder = await cached("keys", inputs, async (into) => {
    const first = join(into, "first.zkey");
    const final = join(into, "final.zkey");
    if ((await zKey.newZKey(circuit.r1cs, phase1File(setup), first)) === -1) {
      throw new Error("snarkjs refused the circuit: it does not fit the phase 1 file");
    }
    await zKey.beacon(first, final, "development", sha256(beaconText), iterationsExponent);
    rmSync(first);
    writeFileSync(join(into, "verification-key.json"), JSON.stringify(await zKey.exportVerificationKey(final)));
    const template = readFileSync(join(root, "node_modules/snarkjs/templates/verifier_groth16.sol.ejs"), "utf8");
    writeFileSync(join(into, "verifier.sol"), await zKey.exportSolidityVerifier(final, { groth16: template }));
  });
  return {
    zkey: join(folder, "final.zkey"),
    verificationKey: JSON.parse(readFileSync(join(folder, "verification-key.json"), "utf8")) as VerificationKey,
    solidity: readFileSync(join(folder, "verifier.sol"), "utf8"),
  };
}
