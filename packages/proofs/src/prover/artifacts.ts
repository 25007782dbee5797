import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FatalError } from "@quorate/core";
import { CIRCUITS, type Circuit } from "../statement.ts";
import { verificationKeyOf } from "../verify.ts";
import type { CircuitFiles } from "./messages.ts";

/** Files of all circuits. */
export type CircuitArtifacts = Readonly<Record<Circuit, CircuitFiles>>;

/**
 * Finds witness calculators and proving keys, and checks that the keys belong to the verification keys of this package.
 *
 * @param folder With `<circuit>.wasm` and `<circuit>.zkey`; that of this package unless given.
 * @returns Paths by circuit.
 * @throws FatalError `ARTIFACTS_MISSING`, `ARTIFACTS_STALE`.
 */
export async function circuitArtifacts(folder?: string): Promise<CircuitArtifacts> {
  const from = folder ?? fileURLToPath(new URL("../../artifacts/", import.meta.url));
  const entries = await Promise.all(CIRCUITS.map(async (circuit) => [circuit, await filesOf(circuit, from)] as const));
  return Object.fromEntries(entries) as CircuitArtifacts;
}

async function filesOf(circuit: Circuit, folder: string): Promise<CircuitFiles> {
  const files = { wasm: join(folder, `${circuit}.wasm`), zkey: join(folder, `${circuit}.zkey`) };
  let key: Uint8Array;
  try {
    [key] = await Promise.all([readFile(files.zkey), readFile(files.wasm)]);
  } catch (cause) {
    throw new FatalError(
      "ARTIFACTS_MISSING",
      `There is no proving key and witness calculator of ${circuit} in ${folder}. Make them: node scripts/circuits.ts.`,
      { cause, docsPath: "guides/proofs.md#artifacts" },
    );
  }
  if (createHash("sha256").update(key).digest("hex") !== verificationKeyOf(circuit).provingKeySha256) {
    throw new FatalError(
      "ARTIFACTS_STALE",
      `The proving key ${files.zkey} does not belong to the verifier of this version: its proofs would be refused. Make it again: node scripts/circuits.ts.`,
      { docsPath: "guides/proofs.md#artifacts" },
    );
  }
  return files;
}
