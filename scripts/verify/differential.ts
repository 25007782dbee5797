// The long run of the differential model: random histories of calls, both markets against the model of test/differential, on every core.
// What passed is kept under the hash of contracts and model, so that a run that was ended goes on where it was.
import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Differential } from "../../test/differential/driver/run.ts";
import { root } from "../lib/workspace.ts";

const usage = `usage: node scripts/verify/differential.ts [options]

  --sequences <n>  histories of calls (default 10000)
  --seed <n>       of the first chunk (default 20261122)
  --minutes <n>    starts no chunk after this time; the histories that are left are not counted
  --again          also runs what has passed before
  --tally          prints how often each call, error, event and verdict came up
  --json           prints {"sequences","failed"} last on standard output`;

/** Histories with one seed. */
const CHUNK = 50;
const SEED = 20_261_122;
const JOURNAL: string = join(root, ".cache", "verify", "differential.json");

/** How to run. */
export type DifferentialOptions = {
  readonly sequences?: number;
  readonly seed?: number;
  readonly minutes?: number;
  /** Also what has passed before. */
  readonly again?: boolean;
  /** Where lines for people go. */
  readonly print?: (line: string) => void;
};

/** What a run came to. */
export type DifferentialResult = {
  /** Histories that were compared, those of earlier runs against the same contracts and model included. */
  readonly sequences: number;
  /** Chunks of histories in which contract and model disagreed. */
  readonly failed: number;
};

/** What passed: seeds, with the histories and calls of each. */
type Journal = { readonly of: string; readonly passed: Record<string, { histories: number; calls: number }> };
type Order = { readonly seed: number; readonly histories: number };
type Report = {
  readonly seed: number;
  readonly error: string | undefined;
  readonly calls: number;
  readonly tally: readonly (readonly [string, number])[];
};

/**
 * Compares histories of calls.
 *
 * @param options how many, from which seed, for how long
 * @returns how many were compared, and how many chunks of them failed
 */
export async function verifyDifferential(options: DifferentialOptions = {}): Promise<DifferentialResult> {
  return (await compare(options)).result;
}

type Comparison = { readonly result: DifferentialResult; readonly tally: ReadonlyMap<string, number> };

async function compare({
  sequences = 10_000,
  seed = SEED,
  minutes = Number.POSITIVE_INFINITY,
  again = false,
  print = () => {},
}: DifferentialOptions): Promise<Comparison> {
  const orders = Array.from({ length: Math.ceil(sequences / CHUNK) }, (_, index): Order => {
    return { seed: seed + index, histories: Math.min(CHUNK, sequences - index * CHUNK) };
  });
  const journal = readJournal(again);
  const isDone = (order: Order): boolean => (journal.passed[order.seed]?.histories ?? 0) >= order.histories;
  const waiting = orders.filter((order) => !isDone(order));
  let compared = orders.filter(isDone).reduce((sum, { histories }) => sum + histories, 0);
  if (compared > 0) print(`${compared} histories passed before`);
  const end = performance.now() + minutes * 60_000;
  const tally = new Map<string, number>();
  let failed = 0;
  let calls = 0;

  const work = async (): Promise<void> => {
    const worker = fork(fileURLToPath(import.meta.url), ["--worker"], { cwd: root });
    try {
      for (let order = waiting.shift(); order !== undefined; order = waiting.shift()) {
        if (performance.now() > end) return;
        const report = await runOrder(worker, order);
        compared += order.histories;
        calls += report.calls;
        for (const [key, count] of report.tally) tally.set(key, (tally.get(key) ?? 0) + count);
        if (report.error === undefined) {
          journal.passed[order.seed] = { histories: order.histories, calls: report.calls };
          mkdirSync(join(JOURNAL, ".."), { recursive: true });
          writeFileSync(JOURNAL, JSON.stringify(journal));
        } else {
          failed += 1;
          print(report.error);
        }
        if ((compared / CHUNK) % 10 === 0)
          print(`${compared} of ${sequences} histories, ${calls} calls, ${failed} failed`);
      }
    } finally {
      worker.disconnect();
    }
  };
  const workers = Math.min(availableParallelism(), waiting.length);
  await Promise.all(Array.from({ length: workers }, work));
  return { result: { sequences: compared, failed }, tally };
}

function runOrder(worker: ChildProcess, order: Order): Promise<Report> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a worker ended with ${code} at seed ${order.seed}`));
    worker.once("exit", ended);
    worker.once("message", (report) => {
      worker.off("exit", ended);
      resolve(report as Report);
    });
    worker.send(order);
  });
}

/** Runs what it is told until nobody tells it anything any more. */
async function serve(): Promise<void> {
  const differential = await Differential.create();
  process.on("message", async ({ seed, histories }: Order) => {
    const before = differential.calls;
    differential.tally.clear();
    let error: string | undefined;
    try {
      await differential.run(seed, histories);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
    }
    const report: Report = { seed, error, calls: differential.calls - before, tally: [...differential.tally] };
    process.send?.(report);
  });
  process.once("disconnect", () => differential.chain.close());
}

function readJournal(again: boolean): Journal {
  const fresh: Journal = { of: fingerprint(), passed: {} };
  if (again) return fresh;
  try {
    const known = JSON.parse(readFileSync(JOURNAL, "utf8")) as Journal;
    return known.of === fresh.of ? known : fresh;
  } catch {
    return fresh;
  }
}

/** Of everything that what passed depends on: the code of the markets, the model, the driver. */
function fingerprint(): string {
  const hash = createHash("sha256");
  for (const name of ["JobMarket", "QueryMarket"]) {
    const file = join(root, "artifacts", "contracts", `${name}.sol`, `${name}.json`);
    hash.update((JSON.parse(readFileSync(file, "utf8")) as { bytecode: string }).bytecode);
  }
  const files = ["test/differential/**/*.ts", "test/contracts/harness/*.sol", "packages/core/src/*.ts"];
  for (const file of globSync(files, { cwd: root }).sort()) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sequences: { type: "string" },
      seed: { type: "string" },
      minutes: { type: "string" },
      again: { type: "boolean", default: false },
      tally: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      worker: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  if (values.worker) {
    await serve();
    return;
  }
  const print = values.json ? console.error : console.log;
  const number = (value: string | undefined): number | undefined => (value === undefined ? undefined : Number(value));
  const { result, tally } = await compare({
    ...(values.sequences === undefined ? {} : { sequences: number(values.sequences) as number }),
    ...(values.seed === undefined ? {} : { seed: number(values.seed) as number }),
    ...(values.minutes === undefined ? {} : { minutes: number(values.minutes) as number }),
    again: values.again,
    print,
  });
  if (values.tally) for (const [key, count] of [...tally].sort()) print(`${String(count).padStart(8)}  ${key}`);
  print(`${result.sequences} histories, ${result.failed} failed`);
  if (values.json) console.log(JSON.stringify(result));
  if (result.failed > 0) process.exitCode = 1;
}

if (import.meta.main) await main();
