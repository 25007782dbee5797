// The README's figures come from the snapshots that the tests check, never from memory.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CheckResult, checkMain } from "./lib/check.ts";
import { root } from "./lib/workspace.ts";

/** A measured job, as scripts/bench/gas.ts writes it. */
export type MeasuredJob = {
  readonly way: "self" | "carried" | "set";
  readonly seats: number;
  readonly quorum: number;
  readonly gas: number;
  readonly transactions: number;
};

/** What scripts/bench/gas.ts writes. */
export type MeasuredGas = {
  readonly codeBytes: number;
  readonly jobs: readonly MeasuredJob[];
  readonly worst: Readonly<Record<string, number>>;
  readonly queries: MeasuredQueries;
};

/** Gas of queries, as scripts/bench/gas.ts writes it. */
export type MeasuredQueries = {
  readonly codeBytes: number;
  readonly ask: number;
  readonly answer: Readonly<Record<string, number>>;
  readonly furtherProof: number;
  readonly expire: number;
};

/** A circuit, as the tests of circuits write it. */
export type MeasuredCircuit = {
  readonly constraints: number;
  readonly publicSignals: readonly string[];
  readonly verifyGas: number;
};

const section = (name: string): RegExp =>
  new RegExp(`(<!-- ${name}:begin[^\\n]*-->\\n)[\\s\\S]*?(<!-- ${name}:end -->)`);
const count = new Intl.NumberFormat("en-US");

/** Most bytes of a contract's code on Ethereum (EIP-170). */
const MAX_CODE_BYTES = 24_576;

/**
 * Renders the table of gas, a row for each number of seats with its least quorum, the worst settlements and the sizes.
 *
 * @param gas the snapshot; undefined when there is none
 * @returns Markdown
 */
export function renderGas(gas: MeasuredGas | undefined): string {
  if (gas === undefined) return "Gas of whole jobs: `npm run bench -- gas` measures it.\n";
  const { jobs, worst, codeBytes, queries } = gas;
  const ways: readonly MeasuredJob["way"][] = ["self", "carried", "set"];
  const find = (way: MeasuredJob["way"], seats: number): MeasuredJob | undefined =>
    jobs.filter((job) => job.way === way && job.seats === seats).sort((a, b) => a.quorum - b.quorum)[0];
  const seats = [...new Set(jobs.map((job) => job.seats))].sort((a, b) => a - b);
  const cell = (job: MeasuredJob | undefined): string =>
    job === undefined ? "–" : `${count.format(job.gas)} in ${job.transactions} tx`;
  const marginal = (way: MeasuredJob["way"]): string => {
    const figures = seats.flatMap((n) => find(way, n)?.gas ?? []);
    return count.format(Math.max(0, ...figures.slice(1).map((each, index) => each - (figures[index] as number))));
  };
  const size = (bytes: number): string => `${count.format(bytes)} of ${count.format(MAX_CODE_BYTES)} bytes`;
  return [
    "Gas of a whole job in steady state (deposits made, accounts used before, standing updated), least quorum, from `npm run bench -- gas`:",
    "",
    "| seats | each provider commits for itself | commitments carried by one | votes by a signed set |",
    "|---:|---:|---:|---:|",
    ...seats.map((n) => `| ${n} | ${ways.map((way) => cell(find(way, n))).join(" | ")} |`),
    `| a further seat, at most | ${ways.map(marginal).join(" | ")} |`,
    "",
    `The largest panels, 16 places, providers new to standing: ${Object.entries(worst)
      .map(([name, gas]) => `${name} ${count.format(gas)}`)
      .join("; ")}.`,
    `Code: \`JobMarket\` ${size(codeBytes)}, \`QueryMarket\` ${size(queries.codeBytes)}.`,
    "",
  ].join("\n");
}

/**
 * Renders the table of queries, a column for each circuit.
 *
 * @param circuits by name
 * @param queries gas in steady state
 * @returns Markdown
 */
export function renderQueries(circuits: Readonly<Record<string, MeasuredCircuit>>, queries: MeasuredQueries): string {
  const names = Object.keys(circuits);
  const row = (title: string, cell: (circuit: MeasuredCircuit, name: string) => number | undefined): string => {
    const cells = Object.entries(circuits).map(([name, circuit]) => {
      const value = cell(circuit, name);
      return value === undefined ? "–" : count.format(value);
    });
    return `| ${[title, ...cells].join(" | ")} |`;
  };
  return [
    "A question, from `npm run bench -- gas` and the tests of the circuits (`npm run bench -- zk` times proofs):",
    "",
    `| ${["", ...names].join(" | ")} |`,
    `|---|${names.map(() => "---:|").join("")}`,
    row("constraints", ({ constraints }) => constraints),
    row("public signals", ({ publicSignals }) => publicSignals.length),
    row("gas: verification alone", ({ verifyGas }) => verifyGas),
    row("gas: `ask`", () => queries.ask),
    row("gas: `answer`, paid in the same transaction", (_, name) => queries.answer[name]),
    row("gas: each further answer of a batch", () => queries.furtherProof),
    row("gas: `expire`", () => queries.expire),
    "",
  ].join("\n");
}

/**
 * Puts a table into the README.
 *
 * @param readme its text
 * @param name of the section, as in its markers
 * @param table from {@link renderGas} or {@link renderQueries}
 * @returns the text with the section replaced
 * @throws Error when the markers are missing
 */
export function replaceSection(readme: string, name: string, table: string): string {
  if (!section(name).test(readme))
    throw new Error(`README.md has lost its markers <!-- ${name}:begin … --> and <!-- ${name}:end -->`);
  return readme.replace(section(name), (_, begin: string, end: string) => `${begin}${table}${end}`);
}

/** A snapshot of test/vectors; undefined when there is none. */
function readSnapshot<T>(name: string): T | undefined {
  const file = join(root, "test", "vectors", `${name}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : undefined;
}

function checkReadme(write: boolean): CheckResult {
  const file = join(root, "README.md");
  const gas = readSnapshot<MeasuredGas>("gas");
  const zk = readSnapshot<{ readonly circuits: Readonly<Record<string, MeasuredCircuit>> }>("circuits");
  const current = readFileSync(file, "utf8");
  let wanted = replaceSection(current, "gas", renderGas(gas));
  if (gas !== undefined && zk !== undefined) {
    wanted = replaceSection(wanted, "queries", renderQueries(zk.circuits, gas.queries));
  }
  if (write) writeFileSync(file, wanted);
  const findings =
    write || current === wanted
      ? []
      : ["README.md: the figures are not those of test/vectors: node scripts/check-readme.ts --write"];
  return { findings, summary: "the figures in README.md are those on record" };
}

checkMain(import.meta.url, {
  about: "Checks that the figures in README.md are those of test/vectors; --write puts them in.",
  writes: true,
  run: checkReadme,
});
