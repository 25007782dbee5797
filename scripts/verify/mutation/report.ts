// What is committed about a run: its results as data, and a page that is made from them.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../lib/workspace.ts";
import { EQUIVALENTS } from "./equivalents.ts";
import { squeeze } from "./mutant.ts";
import type { Judged } from "./run.ts";
import { mutatedFiles } from "./source.ts";

/** The page. */
export const PAGE = "docs/security/mutation.md";
/** The results behind it. */
export const RESULTS = "docs/security/mutation.json";
/** Of all mutants, so many have to be killed. */
export const LEAST_KILLED = 0.95;

/** One mutant and what became of it. */
export type Result = {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly scope: string;
  readonly operator: string;
  readonly original: string;
  readonly replacement: string;
  readonly status: "killed" | "survived" | "timeout";
  /** The test that killed it: `file:contract test`. */
  readonly by?: string;
};

/** Results of a run, with the code that they are about. */
export type Results = {
  /** {@link codeHash} of the sources. */
  readonly code: string;
  readonly found: number;
  readonly results: readonly Result[];
};

/**
 * Tells one state of the mutated code from another; comments and layout do not count.
 *
 * @returns SHA-256, hexadecimal
 */
export function codeHash(): string {
  const hash = createHash("sha256");
  for (const file of mutatedFiles()) {
    const text = readFileSync(join(root, file), "utf8");
    hash.update(`${file}\n${squeeze(text.replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, ""))}\n`);
  }
  return hash.digest("hex");
}

/**
 * Results in the form that is committed.
 *
 * @param judged every mutant of a run
 * @param found how many mutants the operators know
 * @returns those that compile
 */
export function toResults(judged: readonly Judged[], found: number): Results {
  const results = judged.flatMap(({ mutant, entry }): Result[] => {
    if (entry.status === "stillborn") return [];
    return [
      {
        id: mutant.id,
        file: mutant.file,
        line: mutant.line,
        scope: mutant.scope,
        operator: mutant.operator,
        original: shorten(mutant.original),
        replacement: shorten(mutant.replacement),
        status: entry.status,
        ...(entry.status === "killed" ? { by: entry.by } : {}),
      },
    ];
  });
  return { code: codeHash(), found, results };
}

function shorten(text: string): string {
  const line = squeeze(text);
  return line.length > 120 ? `${line.slice(0, 117)}…` : line;
}

/**
 * Results as a file: one mutant a line, so that changes can be read.
 *
 * @param results to write
 * @returns JSON
 */
export function writeResults({ code, found, results }: Results): string {
  const lines = results.map((result) => `    ${JSON.stringify(result)}`).join(",\n");
  return `{\n  "code": "${code}",\n  "found": ${found},\n  "results": [\n${lines}\n  ]\n}\n`;
}

/**
 * Reads what is committed.
 *
 * @returns results, or nothing before the first run
 */
export function readResults(): Results | undefined {
  const file = join(root, RESULTS);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : undefined;
}

/**
 * What is wrong with results: too few killed, survivors without a reason, reasons without a survivor, killers that are gone.
 *
 * @param results of a run
 * @param equivalents reasons by id
 * @returns findings, none if all is well
 */
export function findingsOf(
  { found, results }: Results,
  equivalents: Readonly<Record<string, string>> = EQUIVALENTS,
): readonly string[] {
  const survivors = results.filter(({ status }) => status === "survived");
  const ids = new Set(survivors.map(({ id }) => id));
  // A reason may be about a mutant that is not in the sample.
  const known = new Set(results.map(({ id }) => id));
  const isWhole = found === results.length;
  const killed = results.length - survivors.length;
  const share = killed / results.length;
  const missing = survivors.filter(({ id }) => equivalents[id] === undefined);
  const killers = new Set(results.flatMap(({ by }) => by ?? []));
  return [
    ...(share < LEAST_KILLED ? [`${killed} of ${results.length} mutants are killed, less than ${LEAST_KILLED}`] : []),
    ...missing.map(
      ({ id, file, line, operator, original, replacement }) =>
        `${id} ${file}:${line} survives without a reason: ${operator}: ${original} → ${replacement}`,
    ),
    ...Object.keys(equivalents)
      .filter((id) => !ids.has(id) && (isWhole || known.has(id)))
      .map((id) => `${id} has a reason to survive and does not`),
    ...[...killers].filter((killer) => !exists(killer)).map((killer) => `${killer} kills mutants and is gone`),
  ];
}

function exists(killer: string): boolean {
  const [suite = "", test = ""] = killer.split(" ");
  const [file = "", contract = ""] = suite.split(":");
  if (!existsSync(join(root, file))) return false;
  const text = readFileSync(join(root, file), "utf8");
  return text.includes(`contract ${contract} `) && (test === "setUp" || text.includes(`function ${test}(`));
}

/**
 * The page for readers.
 *
 * @param results of a run
 * @param equivalents reasons by id
 * @returns Markdown
 */
export function writePage(
  { found, results }: Results,
  equivalents: Readonly<Record<string, string>> = EQUIVALENTS,
): string {
  const survivors = results.filter(({ status }) => status === "survived");
  const killed = results.length - survivors.length;
  const row = (name: string, group: readonly Result[]): string => {
    const lives = group.filter(({ status }) => status === "survived").length;
    return `| ${name} | ${group.length} | ${group.length - lives} | ${lives} |`;
  };
  const table = (title: string, key: (result: Result) => string): string => {
    const groups = [...Map.groupBy(results, key)].sort(([a], [b]) => (a < b ? -1 : 1));
    const rows = groups.map(([name, group]) => row(name, group)).join("\n");
    return `| ${title} | mutants | killed | survived |\n|---|---:|---:|---:|\n${rows}`;
  };
  const reasons = Map.groupBy(survivors, ({ id }) => equivalents[id] ?? "");
  const list = [...reasons].map(([reason, group]) => `- ${reason}\n${group.map(describe).join("\n")}`);
  return `<!-- Generated by scripts/verify/mutation.ts --write. Do not edit. -->
# Mutation of the contracts

A mutant is the contract with one small fault planted on purpose. A test suite that does not notice a fault would not have noticed
it either if one of us had written it. ${found} faults are known to the operators of \`scripts/verify/mutation\`; ${results.length} of
them, spread over files and operators, were planted one by one, in \`contracts/*.sol\`, \`contracts/base\` and \`contracts/types\`, and
the unit tests, attacks and fuzz tests in Solidity run against each.

**${killed} of ${results.length} are killed (${((100 * killed) / results.length).toFixed(1)} %). ${survivors.length} survive; each is argued below.**

\`node scripts/verify/mutation.ts\` runs it, \`--write\` writes this page, \`--check\` tells whether it is about the present code. How it
is fast: one instrumented copy of the sources holds hundreds of mutants, each behind a comparison of \`block.coinbase\`, so that one
compilation serves them all; tests deploy the markets from their artifacts and are never compiled again.

${table("file", ({ file }) => `\`${file}\``)}

${table("operator", ({ operator }) => operator)}

## Survivors

${list.length === 0 ? "None." : list.join("\n")}
`;
}

function describe({ id, file, line, scope, original, replacement }: Result): string {
  const code = (text: string): string => (text === "" ? "nothing" : `\`${text}\``);
  return `  - ${id}, \`${file}:${line}\`, ${scope}: ${code(original)} → ${code(replacement)}`;
}
