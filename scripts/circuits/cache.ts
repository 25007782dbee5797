// Results that depend on nothing but their inputs, kept in .cache/circuits under a hash of these.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/workspace.ts";

const folder = join(root, ".cache", "circuits");

/**
 * Hashes a file or a text.
 *
 * @param content bytes or UTF-8 text
 * @returns SHA-256, 64 hex digits
 */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/**
 * Reads the version of an installed package.
 *
 * @param name as in node_modules
 * @returns for example `0.7.6`
 */
export function versionOf(name: string): string {
  const manifest = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")) as {
    readonly version: string;
  };
  return manifest.version;
}

/**
 * Finds a folder by what it is made from, or makes it. A folder appears whole or not at all, so two that make the same
 * one at a time do no harm.
 *
 * @param label names the folder, with the hash
 * @param inputs all that the result depends on
 * @param make fills the folder it is given
 * @returns path of the finished folder
 */
export async function cached(
  label: string,
  inputs: readonly string[],
  make: (into: string) => Promise<void>,
): Promise<string> {
  const path = join(folder, `${label}-${sha256(JSON.stringify(inputs)).slice(0, 32)}`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const draft = mkdtempSync(join(folder, "draft-"));
  try {
    await make(draft);
    try {
      renameSync(draft, path);
    } catch (error) {
      if (!existsSync(path)) throw error;
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return path;
}
