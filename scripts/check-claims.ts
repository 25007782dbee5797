// The README of test/contracts promises invariants and fuzz properties; it may promise none that is not there, nor hide one.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { jobMarketAbi, queryMarketAbi } from "@quorate/abi";
import { type CheckResult, checkMain } from "./lib/check.ts";
import { root } from "./lib/workspace.ts";
import { numberedInvariants } from "./verify/invariants.ts";

const README = "test/contracts/README.md";
const ABIS: Record<"JobMarket" | "QueryMarket", readonly { readonly type: string; readonly name?: string }[]> = {
  JobMarket: jobMarketAbi,
  QueryMarket: queryMarketAbi,
};

/**
 * Compares the numbered list of invariants with their functions.
 *
 * @param readme text with lines `12. `Name`: what holds`
 * @param suites source of each suite, whose `invariant_All` has to check every one of its invariants
 * @returns what differs
 */
export function compareInvariants(readme: string, suites: readonly string[]): readonly string[] {
  const promised = new Map(
    [...readme.matchAll(/^(\d+)\. `(\w+)`: \S/gm)].map(([, number, name]) => [Number(number), name as string]),
  );
  const found = new Map<number, string>();
  const findings: string[] = [];
  for (const source of suites) {
    const all = /\bfunction invariant_All\(\)[^{]*\{([\s\S]*?)\n {4}\}/.exec(source)?.[1] ?? "";
    for (const [number, name] of numberedInvariants(source)) {
      if (found.has(number)) findings.push(`invariant ${number} is there twice`);
      found.set(number, name);
      if (!all.includes(`invariant_${number}_${name}();`)) findings.push(`invariant_All leaves out ${number}`);
    }
  }
  for (const [number, name] of promised) {
    if (found.get(number) !== name)
      findings.push(`${README} promises ${number} ${name}, there is ${found.get(number)}`);
  }
  for (const [number, name] of found) {
    if (!promised.has(number)) findings.push(`${README} does not list invariant ${number} ${name}`);
  }
  for (let number = 1; number <= found.size; number++) {
    if (!found.has(number)) findings.push(`there is no invariant ${number}`);
  }
  return findings;
}

/**
 * Compares the table of fuzz properties with the functions of a market and with the properties that there are.
 *
 * @param readme text with rows `| `function` | `Market` | `testFuzz_A`, `testFuzz_B` |`
 * @param market whose rows are compared
 * @param functions names of its external functions
 * @param properties names of all fuzz tests
 * @returns what differs
 */
export function compareProperties(
  readme: string,
  market: string,
  functions: readonly string[],
  properties: ReadonlySet<string>,
): readonly string[] {
  const rows = [...readme.matchAll(/^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|$/gm)]
    .map(([, name, markets, tests]) => ({ name, markets: markets ?? "", tests: tests?.match(/testFuzz_\w+/g) ?? [] }))
    .filter(({ markets }) => markets.includes(`\`${market}\``));
  const findings: string[] = [];
  for (const name of functions) {
    const row = rows.find((candidate) => candidate.name === name);
    if (row === undefined || row.tests.length === 0) findings.push(`${README}: no fuzz property of ${market}.${name}`);
  }
  for (const { name, tests } of rows) {
    if (!functions.includes(name ?? "")) findings.push(`${README}: ${market} has no function ${name}`);
    for (const test of tests) if (!properties.has(test)) findings.push(`${README}: there is no property ${test}`);
  }
  return findings;
}

function checkClaims(): CheckResult {
  const readme = readFileSync(join(root, README), "utf8");
  const sources = globSync("test/contracts/**/*.t.sol", { cwd: root }).map((file) => ({
    file,
    text: readFileSync(join(root, file), "utf8"),
  }));
  const suites = sources.filter(({ file }) => file.endsWith("Invariants.t.sol")).map(({ text }) => text);
  const properties = new Set(
    sources.flatMap(({ text }) => [...text.matchAll(/\bfunction\s+(testFuzz_\w+)/g)].map(([, name]) => name as string)),
  );
  const findings = [...compareInvariants(readme, suites)];
  for (const test of properties) if (!readme.includes(`\`${test}\``)) findings.push(`${README} does not list ${test}`);
  for (const market of ["JobMarket", "QueryMarket"] as const) {
    const functions = new Set(
      ABIS[market].flatMap((item) => (item.type === "function" && item.name !== undefined ? [item.name] : [])),
    );
    findings.push(...compareProperties(readme, market, [...functions], properties));
  }
  const count = suites.reduce((sum, text) => sum + numberedInvariants(text).size, 0);
  return { findings, summary: `${count} invariants and ${properties.size} fuzz properties are those of ${README}` };
}

checkMain(import.meta.url, {
  about:
    "Checks that the invariants and fuzz properties in the README of test/contracts are those that there are, and that every external function has a property.",
  run: checkClaims,
});
