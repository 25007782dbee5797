// The README's figures come from the snapshots that the tests check, never from memory.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CheckResult, checkMain } from "./lib/check.ts";
import { root } from "./lib/workspace.ts";

/** A measured job, as scripts/bench/gas.ts writes it. */
export type MeasuredJob = {
  readonly way: "self" | "carried";
  readonly seats: number;
  readonly quorum: number;
  readonly gas: number;
  readonly transactions: number;
};

const SECTION = /(<!-- gas:begin[^\n]*-->\n)[\s\S]*?(<!-- gas:end -->)/;

/**
 * Renders the table of gas, a row for each number of seats with its least quorum.
 *
 * @param jobs from the snapshot; undefined when there is none
 * @returns Markdown
 */
export function renderGas(jobs: readonly MeasuredJob[] | undefined): string {
  if (jobs === undefined) return "Gas of whole jobs: `npm run bench -- gas` measures it.\n";
  const count = new Intl.NumberFormat("en-US");
  const find = (way: MeasuredJob["way"], seats: number): string => {
    const [job] = jobs.filter((job) => job.way === way && job.seats === seats).sort((a, b) => a.quorum - b.quorum);
    return job === undefined ? "–" : `${count.format(job.gas)} in ${job.transactions} tx`;
  };
  const seats = [...new Set(jobs.map((job) => job.seats))].sort((a, b) => a - b);
  return [
    "Gas of a whole job in steady state (deposits made, accounts used before, standing updated), least quorum, from `npm run bench -- gas`:",
    "",
    "| seats | each provider commits for itself | commitments carried by one |",
    "|---:|---:|---:|",
    ...seats.map((n) => `| ${n} | ${find("self", n)} | ${find("carried", n)} |`),
    "",
  ].join("\n");
}

/**
 * Puts the table into the README.
 *
 * @param readme its text
 * @param table from {@link renderGas}
 * @returns the text with the section replaced
 * @throws Error when the markers are missing
 */
export function replaceSection(readme: string, table: string): string {
  if (!SECTION.test(readme))
    throw new Error("README.md has lost its markers <!-- gas:begin … --> and <!-- gas:end -->");
  return readme.replace(SECTION, (_, begin: string, end: string) => `${begin}${table}${end}`);
}

function checkReadme(write: boolean): CheckResult {
  const file = join(root, "README.md");
  const snapshot = join(root, "test", "vectors", "gas.json");
  const jobs = existsSync(snapshot)
    ? (JSON.parse(readFileSync(snapshot, "utf8")) as { jobs: readonly MeasuredJob[] }).jobs
    : undefined;
  const current = readFileSync(file, "utf8");
  const wanted = replaceSection(current, renderGas(jobs));
  if (write) writeFileSync(file, wanted);
  const findings =
    write || current === wanted
      ? []
      : ["README.md: the figures are not those of test/vectors/gas.json: node scripts/check-readme.ts --write"];
  return { findings, summary: "the figures in README.md are those on record" };
}

checkMain(import.meta.url, {
  about: "Checks that the figures in README.md are those of test/vectors/gas.json; --write puts them in.",
  writes: true,
  run: checkReadme,
});
