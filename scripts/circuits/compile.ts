// Circom's compiler, from npm as WebAssembly, in a process of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "../lib/workspace.ts";
import { cached, versionOf } from "./cache.ts";

/** A compiled circuit. */
export type Compiled = {
  /** Constraint system. */
  readonly r1cs: string;
  /** Witness calculator. */
  readonly wasm: string;
  /** CommonJS module that runs it, as the compiler writes it. */
  readonly calculator: string;
  /** Names of wires; made at level 0 only, where each signal is a wire. */
  readonly symbols: string;
};

const sources = join(root, "circuits", "src");

/** The sources that a text includes, followed; those of circomlib stand under its version. */
function includedSources(text: string, seen: Map<string, string> = new Map()): ReadonlyMap<string, string> {
  for (const [, file = ""] of text.matchAll(/^include "([^"]+)";/gm)) {
    const path = join(sources, file);
    if (seen.has(file) || !existsSync(path)) continue;
    const content = readFileSync(path, "utf8");
    seen.set(file, content);
    includedSources(content, seen);
  }
  return seen;
}

async function runCircom(argv: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(root, "node_modules/circom2/cli.js"), ...argv], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`circom failed:\n${output}`);
}

/** Circuits of another package, for comparison. */
export type Library = {
  /** As in node_modules. */
  readonly name: string;
  /** Folder in it that includes are looked up in. */
  readonly folder: string;
};

/**
 * Compiles a main component. What was compiled before is taken from the cache: the key is all source that it includes,
 * with the versions of compiler and library.
 *
 * @param main source with `component main`; includes from circuits/src and circomlib
 * @param level of optimisation: 2 for deployed circuits, less only to compare
 * @param libraries that are included besides
 * @returns paths of the results
 * @throws Error with the compiler's words
 */
export async function compileCircuit(
  main: string,
  level: 0 | 1 | 2 = 2,
  libraries: readonly Library[] = [],
): Promise<Compiled> {
  const parts = [...includedSources(main)].sort(([a], [b]) => (a < b ? -1 : 1)).flat();
  const inputs = [main, level === 0 ? "O0 sym" : `O${level}`, versionOf("circom2"), versionOf("circomlib"), ...parts];
  inputs.push(...libraries.map(({ name, folder }) => `${name}@${versionOf(name)}/${folder}`));
  const folder = await cached("compiled", inputs, async (into) => {
    const source = join(into, "main.circom");
    writeFileSync(source, main);
    const folders = [
      "circuits/src",
      "node_modules",
      ...libraries.map(({ name, folder }) => `node_modules/${name}/${folder}`),
    ];
    const paths = [...folders.flatMap((path) => ["-l", path]), "-o", relative(root, into)];
    const names = level === 0 ? ["--sym"] : [];
    await runCircom([relative(root, source), "--r1cs", "--wasm", ...names, `--O${level}`, ...paths]);
  });
  return {
    r1cs: join(folder, "main.r1cs"),
    wasm: join(folder, "main_js", "main.wasm"),
    calculator: join(folder, "main_js", "witness_calculator.js"),
    symbols: join(folder, "main.sym"),
  };
}
