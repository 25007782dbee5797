// The sources of the markets with their syntax trees.
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../lib/workspace.ts";
import { type Compiler, OPTIMIZED, readSources, type Sources } from "../lib/compile.ts";
import type { Node } from "./ast.ts";

/** A file that is mutated. */
export type Source = { readonly file: string; readonly bytes: Buffer; readonly tree: Node };

/** The contracts that are compiled: fully qualified names by file. */
export const TARGETS: Readonly<Record<string, string>> = {
  "contracts/JobMarket.sol": "contracts/JobMarket.sol:JobMarket",
  "contracts/QueryMarket.sol": "contracts/QueryMarket.sol:QueryMarket",
};

/**
 * Files whose code is deployed with the markets.
 *
 * @returns paths within the repository, sorted
 */
export function mutatedFiles(): readonly string[] {
  return globSync(["contracts/*.sol", "contracts/base/*.sol", "contracts/types/*.sol"], { cwd: root }).sort();
}

/**
 * All that a target imports, itself first.
 *
 * @param target its file
 * @returns those among {@link mutatedFiles}, sorted
 */
export function filesOf(target: string): readonly string[] {
  const known = new Set(mutatedFiles());
  return [...readSources(target).keys()].filter((file) => known.has(file)).sort();
}

/**
 * Parses and type-checks the files that are mutated.
 *
 * @param compiler to do it
 * @returns sources in the order of {@link mutatedFiles}
 */
export async function loadSources(compiler: Compiler): Promise<readonly Source[]> {
  const texts = new Map(Object.keys(TARGETS).flatMap((target) => [...readSources(target)]));
  return parse(compiler, texts, mutatedFiles());
}

/**
 * Parses and type-checks sources.
 *
 * @param compiler to do it
 * @param texts all sources, with what they import
 * @param files those that are wanted
 * @returns them, in the order of `files`
 * @throws Error with the compiler's words when it gives no tree
 */
export async function parse(compiler: Compiler, texts: Sources, files: readonly string[]): Promise<readonly Source[]> {
  const output = await compiler.run({
    language: "Solidity",
    sources: Object.fromEntries([...texts].sort().map(([name, content]) => [name, { content }])),
    settings: { ...OPTIMIZED, outputSelection: { "*": { "": ["ast"] } } },
  });
  return files.map((file) => {
    const tree = output.sources?.[file]?.ast;
    if (tree === undefined) {
      const errors = (output.errors ?? []).map(({ formattedMessage }) => formattedMessage);
      throw new Error(`the compiler gave no tree of ${file}: ${errors.join("\n")}`);
    }
    return { file, bytes: Buffer.from(texts.get(file) ?? ""), tree: tree as Node };
  });
}

/**
 * Tells one state of files from another.
 *
 * @param patterns of files, within the repository
 * @returns SHA-256 over names and contents
 */
export function hashOf(patterns: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of globSync([...patterns], { cwd: root }).sort()) {
    hash
      .update(`${file}\n`)
      .update(readFileSync(join(root, file)))
      .update("\n");
  }
  return hash.digest("hex");
}
