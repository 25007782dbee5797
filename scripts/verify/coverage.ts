// What of the contracts the Solidity tests reach: lines and statements by Hardhat, branches by forge. Both instrument a copy.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { root } from "../lib/workspace.ts";
import { type FileCoverage, readLcov } from "./coverage/lcov.ts";
import { copyProject, readText, run, writeCompiler } from "./coverage/project.ts";

const USAGE = `usage: node scripts/verify/coverage.ts

Fails unless the Solidity tests reach every line, statement and branch of contracts/, generated verifiers aside, and of inline assembly
what the runners can see. Takes some minutes: two instrumented compilations. Invariants do not run: what only they reach counts as
missed.

  --help  prints this`;

/** Written by snarkjs, tested with proofs in test/circuits. */
const SKIPPED = "contracts/generated/";

/**
 * Branches that forge lists and cannot see: `if` of inline assembly, whose jumps the compiler's source maps do not name. That both
 * sides are tested is shown by mutants: each condition, forced to 0 and to 1, is killed (docs/security/mutation.md).
 */
const UNSEEN: readonly { readonly file: string; readonly line: string }[] = [
  { file: "contracts/JobMarket.sol", line: "if found {" },
  { file: "contracts/base/Agents.sol", line: "if and(success, gt(returndatasize(), 0x1f)) {" },
  { file: "contracts/base/SignedOffers.sol", line: "if or(excess, shr(40, word(request, 0x280))) {" },
];

/**
 * Tests that cannot pass where code is instrumented: `open` writes its event beyond the free memory pointer, between blocks of assembly
 * that allocate nothing, and Hardhat puts calls between them that do.
 */
const UNINSTRUMENTED = "^test_(OpenEscrowsLocksAndEmits|KeyWrapsOfAnyLengthAreLogged)";

/** Percentages, and what is not reached. */
export type Coverage = {
  readonly lines: number;
  readonly statements: number;
  readonly branches: number;
  readonly findings: readonly string[];
};

/**
 * Measures coverage.
 *
 * @returns percentages over all contracts that are written by hand
 */
export async function verifyCoverage(): Promise<Coverage> {
  const hardhat = byHardhat();
  const forge = byForge();
  return {
    lines: hardhat.lines,
    statements: hardhat.statements,
    branches: forge.branches,
    findings: [...hardhat.findings, ...forge.findings],
  };
}

function byHardhat(): { lines: number; statements: number; findings: readonly string[] } {
  const folder = copyProject("hardhat");
  const { status, output } = run(folder, "hardhat", [
    "test",
    "solidity",
    "--coverage",
    "--grep",
    "^test",
    "--grep-exclude",
    UNINSTRUMENTED,
  ]);
  if (status !== 0) throw new Error(`hardhat test solidity --coverage fails:\n${output.slice(-4000)}`);
  const files = ownFiles(readText(folder, "coverage/lcov.info"));
  const findings = [...files].flatMap(([file, { lines }]) =>
    lines.missed.map((line) => `${file}:${line} is not reached`),
  );
  const partial = readStatements(output).filter(({ file, percent }) => percent < 100 && isOwn(file));
  for (const { file, percent } of partial) findings.push(`${file}: ${percent} % of its statements are reached`);
  const statements = partial.length === 0 ? 100 : Math.min(...partial.map(({ percent }) => percent));
  return { lines: percentOf([...files.values()].map(({ lines }) => lines)), statements, findings };
}

/**
 * The statements of Hardhat's table: its report for machines has lines only.
 *
 * @param output of the run
 * @returns percentage by file
 */
export function readStatements(output: string): readonly { readonly file: string; readonly percent: number }[] {
  return [...output.matchAll(/^\W*?([\w./-]+\.sol)\W+?([\d.]+)\s+\W\s+([\d.]+)\s/gm)].map(
    ([, file = "", , percent]) => {
      return { file, percent: Number(percent) };
    },
  );
}

function byForge(): { branches: number; findings: readonly string[] } {
  const folder = copyProject("forge", ["cache", "out"]);
  writeFileSync(
    join(folder, "foundry.toml"),
    `[profile.default]
src = "contracts"
test = "test/contracts"
script = "test/contracts"
out = "out"
cache_path = "cache"
libs = ["node_modules"]
remappings = ["@openzeppelin/=node_modules/@openzeppelin/"]
auto_detect_remappings = false
solc = ${JSON.stringify(writeCompiler(folder))}
evm_version = "osaka"
offline = true
fuzz = { runs = 32 }
`,
  );
  const args = ["coverage", "--ir-minimum", "--report", "lcov", "--report-file", "lcov.info"];
  const { status, output } = run(folder, "forge", [...args, "--match-test", "^test"]);
  if (status !== 0) throw new Error(`forge coverage fails:\n${output.slice(-4000)}`);
  const seen = [...ownFiles(readText(folder, "lcov.info"))].map(([file, { branches }]) => {
    const text = readFileSync(join(root, file), "utf8").split("\n");
    const unseen = (line: number): boolean =>
      UNSEEN.some((known) => known.file === file && text[line - 1]?.trim() === known.line);
    const missed = branches.missed.filter((line) => !unseen(line));
    return { file, found: branches.found - (branches.missed.length - missed.length), hit: branches.hit, missed };
  });
  const findings = seen.flatMap(({ file, missed }) =>
    missed.map((line) => `${file}:${line} has a branch that is not taken`),
  );
  return { branches: percentOf(seen), findings };
}

function ownFiles(lcov: string): ReadonlyMap<string, FileCoverage> {
  const files = new Map([...readLcov(lcov)].filter(([file]) => isOwn(file)));
  if (files.size === 0) throw new Error("the report on coverage names no contract");
  return files;
}

function isOwn(file: string): boolean {
  return file.startsWith("contracts/") && !file.startsWith(SKIPPED);
}

function percentOf(items: readonly { readonly found: number; readonly hit: number }[]): number {
  const sum = (pick: (item: { found: number; hit: number }) => number): number =>
    items.reduce((total, item) => total + pick(item), 0);
  return Math.round((10_000 * sum(({ hit }) => hit)) / sum(({ found }) => found)) / 100;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: "boolean", default: false } } });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const { lines, statements, branches, findings } = await verifyCoverage();
  for (const finding of findings) console.error(finding);
  console.log(`lines ${lines} %, statements ${statements} %, branches ${branches} %`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
