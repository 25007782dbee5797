// `npm run bench -- gas`: gas of whole jobs and of queries in steady state, beside what else there is; snapshot in test/vectors/gas.json.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { leastQuorum } from "@quorate/core";
import { root } from "../lib/workspace.ts";
import { type Measurement, panels, SteadyMarket, type Way } from "./lib/gas-jobs.ts";
import type { GasParts } from "./lib/gas-parts.ts";
import { measureQueries, type QueryMeasurement } from "./lib/gas-queries.ts";
import { measureWorst } from "./lib/gas-worst.ts";

const USAGE = `usage: npm run bench -- gas [options]

Runs jobs of 2 to 7 seats on Hardhat's in-process network: each provider commits for itself; one account carries all
commitments; one call brings a signed set of votes. Settles the worst panels of 16 places. Then each transaction of a query, with real proofs. Steady state: deposits made, all accounts and standings used before, offers and
quotes by agents, real key wraps.

  --json    print one line of JSON last
  --write   write the snapshot test/vectors/gas.json
  --check   compare with the snapshot; exit with 1 if a figure differs
  --help    print this`;

const SNAPSHOT = join(root, "test/vectors/gas.json");
/** Largest code of a contract on Ethereum, EIP-170. */
const MAX_CODE_BYTES = 24_576;

/** Figures of other systems; measured side by side, or quoted from a project's own snapshots (Q). */
const others: readonly {
  readonly name: string;
  readonly seats: number;
  readonly gas: number;
  readonly transactions: number;
}[] = [
  { name: "iExec PoCo 6.2, steady state", seats: 1, gas: 1_593_069, transactions: 5 },
  { name: "iExec PoCo 6.2, steady state", seats: 3, gas: 2_355_789, transactions: 9 },
  { name: "iExec PoCo 6.2, steady state", seats: 5, gas: 3_110_693, transactions: 13 },
  { name: "Boundless, one prover, mock verifier (Q)", seats: 1, gas: 266_146, transactions: 2 },
  { name: "Lilypad, one provider, unverified", seats: 1, gas: 1_660_000, transactions: 4 },
  { name: "bare floor, commitments carried", seats: 3, gas: 283_688, transactions: 3 },
  { name: "bare floor, each commits for itself", seats: 3, gas: 352_398, transactions: 5 },
];

/** What is kept in git and compared. */
type Snapshot = {
  readonly about: string;
  readonly codeBytes: number;
  readonly jobs: readonly Measurement[];
  /** Gas of settlements of 16 places, by what the panel did. */
  readonly worst: Readonly<Record<string, number>>;
  /** What the gas of a job with three seats and a set of votes pays for. */
  readonly parts: GasParts;
  readonly queries: QueryMeasurement;
};

/** Figures for programs. */
export type GasFigures = Record<Way, Record<string, { gas: number; transactions: number }>> & {
  /** Gas of a further seat when commitments are carried: the largest difference between n and n + 1. */
  marginalSeat: number;
  /** The same when each provider commits for itself. */
  marginalSeatSelf: number;
  /** The same when one call brings a signed set of votes. */
  marginalSeatSet: number;
  /** Gas of the most expensive settlement of 16 places. */
  worstSettlement: number;
  query: QueryMeasurement;
};

async function measureAll(): Promise<Snapshot> {
  const market = await SteadyMarket.create();
  const jobs: Measurement[] = [];
  let parts: GasParts | undefined;
  for (const way of ["self", "carried", "set"] as const) {
    for (const { seats, quorum } of panels) {
      jobs.push(await market.measure(way, seats, quorum));
      if (way === "set" && seats === 3 && quorum === leastQuorum(3)) parts = await market.parts();
    }
  }
  if (parts === undefined) throw new Error("no job with three seats and a set was measured");
  return {
    about: "Gas of whole jobs and of queries in steady state; node scripts/bench/gas.ts --write",
    codeBytes: await market.codeSize(),
    jobs,
    parts,
    worst: await measureWorst(),
    queries: await measureQueries(),
  };
}

/**
 * Figures of a snapshot with the least quorum of each number of seats.
 *
 * @param snapshot measured jobs
 */
function figuresOf({ jobs, worst, queries }: Snapshot): GasFigures {
  const of = (way: Way): Record<string, { gas: number; transactions: number }> =>
    Object.fromEntries(
      jobs
        .filter((job) => job.way === way && job.quorum === leastQuorum(job.seats))
        .map(({ seats, gas, transactions }) => [String(seats), { gas, transactions }]),
    );
  const marginal = (figures: Record<string, { gas: number }>): number => {
    const gas = Object.values(figures).map((figure) => figure.gas);
    return Math.max(...gas.slice(1).map((each, index) => each - (gas[index] as number)));
  };
  const [self, carried, set] = [of("self"), of("carried"), of("set")];
  return {
    self,
    carried,
    set,
    marginalSeat: marginal(carried),
    marginalSeatSelf: marginal(self),
    marginalSeatSet: marginal(set),
    worstSettlement: Math.max(...Object.values(worst)),
    query: queries,
  };
}

function table({ jobs, parts, worst, codeBytes, queries }: Snapshot, figures: GasFigures): string {
  const number = (value: number): string => value.toLocaleString("en-US");
  const row = (name: string, seats: number, quorum: string, gas: number, transactions: number): string =>
    `${name.padEnd(42)}${String(seats).padStart(3)}${quorum.padStart(3)}${number(gas).padStart(12)}${String(transactions).padStart(4)}`;
  const names: Record<Way, string> = {
    self: "Quorate, each commits for itself",
    carried: "Quorate, commitments carried",
    set: "Quorate, votes by a signed set",
  };
  return [
    `${"".padEnd(42)}  n  q         gas  tx`,
    ...jobs.map(({ way, seats, quorum, gas, transactions }) =>
      row(names[way], seats, String(quorum), gas, transactions),
    ),
    ...others.map(({ name, seats, gas, transactions }) => row(name, seats, "", gas, transactions)),
    "",
    "Three seats and a set of votes, by what the gas pays for",
    ...Object.entries(parts).map(([name, gas]) => `  ${name.padEnd(46)}${number(gas).padStart(12)}`),
    "",
    `a further seat, at most: ${number(figures.marginalSeat)} carried, ${number(figures.marginalSeatSelf)} self, ${number(figures.marginalSeatSet)} by a set`,
    "",
    ...Object.entries(worst).map(([name, gas]) => `${name.padEnd(48)}${number(gas).padStart(12)}`),
    `code of JobMarket: ${number(codeBytes)} of ${number(MAX_CODE_BYTES)} bytes`,
    "",
    ...queryRows(queries).map(([name, gas]) => `${name.padEnd(48)}${number(gas).padStart(12)}`),
    `code of QueryMarket: ${number(queries.codeBytes)} of ${number(MAX_CODE_BYTES)} bytes`,
  ].join("\n");
}

/** Figures of queries with their names. */
function queryRows(queries: QueryMeasurement): readonly (readonly [name: string, gas: number])[] {
  return [
    ["ask a question", queries.ask],
    ...Object.entries(queries.answer).map(([circuit, gas]) => [`answer it: ${circuit}`, gas] as const),
    ...Object.entries(queries.answerBatch).map(([count, gas]) => [`answer in a batch of ${count}`, gas] as const),
    ["a further proof in a batch, at most", queries.furtherProof],
    ["the verifier's part of it", queries.furtherProofVerified],
    ["expire it", queries.expire],
  ];
}

/** Lines that differ between snapshot and measurement, for people. */
function differences(before: Snapshot, after: Snapshot): string[] {
  const key = ({ way, seats, quorum }: Measurement): string => `${way}, n = ${seats}, q = ${quorum}`;
  const known = new Map(before.jobs.map((job) => [key(job), job]));
  const found = after.jobs.flatMap((job) => {
    const old = known.get(key(job));
    if (JSON.stringify(old) === JSON.stringify(job)) return [];
    return [`${key(job)}: ${old?.gas ?? "nothing"} in the snapshot, ${job.gas} measured`];
  });
  if (before.jobs.length !== after.jobs.length)
    found.push(`${before.jobs.length} jobs in the snapshot, ${after.jobs.length} measured`);
  for (const [name, gas] of Object.entries(after.parts)) {
    const known = before.parts?.[name as keyof GasParts];
    if (known !== gas) found.push(`${name}: ${known ?? "nothing"} in the snapshot, ${gas} measured`);
  }
  for (const [name, gas] of Object.entries(after.worst)) {
    if (before.worst[name] !== gas)
      found.push(`${name}: ${before.worst[name] ?? "nothing"} in the snapshot, ${gas} measured`);
  }
  if (before.codeBytes !== after.codeBytes)
    found.push(`code: ${before.codeBytes} bytes in the snapshot, ${after.codeBytes} measured`);
  const old = new Map(queryRows(before.queries));
  for (const [name, gas] of queryRows(after.queries)) {
    if (old.get(name) !== gas) found.push(`${name}: ${old.get(name) ?? "nothing"} in the snapshot, ${gas} measured`);
  }
  if (before.queries.codeBytes !== after.queries.codeBytes)
    found.push(`code: ${before.queries.codeBytes} bytes in the snapshot, ${after.queries.codeBytes} measured`);
  return found;
}

/**
 * The bench as a command.
 *
 * @param args what follows `gas`
 * @returns exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const snapshot = await measureAll();
  const figures = figuresOf(snapshot);
  console.log(table(snapshot, figures));
  let code = 0;
  if (values.check) {
    const before = existsSync(SNAPSHOT) ? (JSON.parse(readFileSync(SNAPSHOT, "utf8")) as Snapshot) : undefined;
    const found = before === undefined ? ["there is no snapshot"] : differences(before, snapshot);
    for (const each of found) console.error(each);
    if (found.length > 0) console.error("if this is wanted: node scripts/bench/gas.ts --write");
    code = found.length === 0 ? 0 : 1;
  }
  if (values.write) writeFileSync(SNAPSHOT, `${JSON.stringify(snapshot, null, 2)}\n`);
  if (values.json) console.log(JSON.stringify({ gas: figures }));
  return code;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.exitCode = await run(process.argv.slice(2));
}
