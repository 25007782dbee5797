// A copy of the contracts and their tests to be instrumented: neither runner touches the artifacts of the repository.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { root } from "../../lib/workspace.ts";

/** What a command said. */
export type Ran = { readonly status: number; readonly output: string };

/**
 * Copies what is needed to compile and test.
 *
 * @param name of the folder below `.cache/coverage`
 * @param kept what of an older copy stays, because it saves time
 * @returns its path
 */
export function copyProject(name: string, kept: readonly string[] = []): string {
  const folder = join(root, ".cache", "coverage", name);
  mkdirSync(folder, { recursive: true });
  for (const path of ["contracts", "test/contracts", "scripts/build", "hardhat.config.ts", "package.json"]) {
    rmSync(join(folder, path), { recursive: true, force: true });
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  for (const path of ["artifacts", "cache", "coverage", "out"]) {
    if (!kept.includes(path)) rmSync(join(folder, path), { recursive: true, force: true });
  }
  if (!existsSync(join(folder, "node_modules"))) symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/**
 * Runs a program of npm's packages.
 *
 * @param folder to run in
 * @param program its name in `node_modules/.bin`
 * @param args what it is told
 * @returns how it ended and all it said
 */
export function run(folder: string, program: string, args: readonly string[]): Ran {
  const env = { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true", NO_COLOR: "1", FORCE_COLOR: "0" };
  const { status, stdout, stderr } = spawnSync(join(root, "node_modules", ".bin", program), args, {
    cwd: folder,
    env: { ...env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}` },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { status: status ?? 1, output: `${stdout}${stderr}` };
}

/**
 * Gives forge the compiler of npm: a program that speaks as the native one does.
 *
 * @param folder to put it in
 * @returns its path
 */
export function writeCompiler(folder: string): string {
  const file = join(folder, "solc.mjs");
  const solc = createRequire(import.meta.url).resolve("solc");
  writeFileSync(
    file,
    `#!${process.execPath}
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
const solc = createRequire(import.meta.url)(${JSON.stringify(solc)});
if (process.argv.includes("--version")) {
  console.log("solc, the solidity compiler\\nVersion: " + solc.version().replace(/\\.Emscripten.*/, ".Linux.g++"));
} else {
  writeFileSync(1, solc.compile(readFileSync(0, "utf8")));
}
`,
  );
  chmodSync(file, 0o755);
  return file;
}

/**
 * A file of a project.
 *
 * @param folder of the project
 * @param path within it
 * @returns its text, empty if there is none
 */
export function readText(folder: string, path: string): string {
  return existsSync(join(folder, path)) ? readFileSync(join(folder, path), "utf8") : "";
}
