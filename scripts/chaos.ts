// Fault injection on a whole local market: processes are killed, frozen and started again at random moments while jobs run.
// Whatever happens, every job has to settle, nobody honest may be convicted, every accepted result has to be right and no unit
// of money may appear or vanish. The seed of a run is printed; the same seed plans the same faults.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isQuorateError, nameOf, QuorateError, Verdict } from "@quorate/core";
import {
  createNarrator,
  type LocalMarket,
  listenToRequester,
  type NamedRestartable,
  observeJobs,
  type RequesterTells,
  type Story,
  startLocalMarket,
  stories,
  sumOfBalances,
} from "@quorate/devnet";

const usage = `usage: npm run chaos [-- options]

  --seed <number>   plans the faults; random when absent, printed in any case
  --jobs <number>   jobs of a run (default 3)
  --full            20 jobs, and five seeds one after the other
  --port <number>   port of the chain; the relays take the next two (default 38545)
  --json            one JSON line on standard output, the narrative on standard error`;

/** A fault: what is done to which process, how long after the job was opened, and for how long. */
type Fault = {
  readonly kind: "kill" | "freeze";
  readonly target: string;
  readonly afterMs: number;
  readonly forMs: number;
};

/** What a run came to. */
type ChaosResult = {
  readonly seed: number;
  readonly jobs: number;
  readonly accepted: number;
  readonly inconclusive: number;
  readonly faults: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly conservation: string;
};

/** One fault at a time for each process: a second one waits for the first. */
const busy = new Map<string, Promise<void>>();

const SETTLE_TIMEOUT_MS = 600_000;
/** Outcomes of a job that faults may bring about; anything else is a defect. */
const bearable: ReadonlySet<string> = new Set(["JOB_INCONCLUSIVE"]);

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    jobs: { type: "string" },
    port: { type: "string", default: "38545" },
    full: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  console.log(usage);
} else {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort(new Error("stopped")));
  const jobs = Number(values.jobs ?? (values.full ? 20 : 3));
  const first = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const seeds = Array.from({ length: values.full ? 5 : 1 }, (_, index) => first + index);
  const results: ChaosResult[] = [];
  let failed = 0;
  for (const seed of seeds) {
    try {
      results.push(await runSeed(seed, jobs, stop.signal));
    } catch (error) {
      failed += 1;
      say(`seed ${seed} failed: ${isQuorateError(error) ? `${error.code}: ` : ""}${(error as Error).message}`);
      if (stop.signal.aborted) break;
    }
  }
  if (values.json) console.log(JSON.stringify({ chaos: results, failed }));
  else say(`${results.length} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function say(text: string): void {
  (values.json ? process.stderr : process.stdout).write(`${text}\n`);
}

async function runSeed(seed: number, jobs: number, signal: AbortSignal): Promise<ChaosResult> {
  say(`seed ${seed}: ${jobs} jobs; again with: npm run chaos -- --seed ${seed} --jobs ${jobs}`);
  const random = randomFrom(seed);
  const folder = join(mkdtempSync(join(tmpdir(), "quorate-chaos-")), "market");
  const out = values.json ? process.stderr : process.stdout;
  let market: LocalMarket | undefined;
  try {
    market = await startLocalMarket({
      folder,
      port: Number(values.port),
      blockTimeMs: 1_000,
      onStep: (text) => say(`  ${text}`),
      isEverybodyHonest: true,
    });
    const narrator = createNarrator(out, market.nameOf);
    const { client, deployment } = market;
    const before = await sumOfBalances(client, deployment.token, deployment.fromBlock);
    const requester = listenToRequester(market);
    await requester.until("ready", 120_000, signal);
    let faults = 0;
    for (let number = 1; number <= jobs; number += 1) {
      const story = chaosStory(number, random);
      narrator.begin(story, number, jobs);
      const stopTelling = requester.listen((event) => narrator.tell(event));
      faults += await runJob(market, requester, story, random, signal);
      stopTelling();
    }
    const result = await judge(market, jobs, signal);
    const after = await sumOfBalances(client, deployment.token, deployment.fromBlock);
    if (after !== before)
      throw new QuorateError("CHAOS_MONEY", `All balances together were ${before} and are ${after}.`);
    say(`seed ${seed} passed: ${JSON.stringify(result)}, ${faults} faults`);
    return { seed, jobs, faults, ...result, conservation: "0" };
  } finally {
    await market?.stop();
    if (market !== undefined) rmSync(join(folder, ".."), { recursive: true, force: true });
  }
}

/** A job of three seats and a spare; every third one runs the WASI program. */
function chaosStory(number: number, random: () => number): Story {
  const [plain] = stories;
  if (plain === undefined) throw new QuorateError("CHAOS_EMPTY", "There are no stories to take the terms from.");
  return {
    ...plain,
    name: `chaos-${number}`,
    title: "A job while processes die",
    explanation: "Three seats and a spare, all honest.",
    program: random() < 0.3 ? "spoken-bulletin" : "stock-volatility",
    wishes: { ...plain.wishes, spares: 1 },
  };
}

async function runJob(
  market: LocalMarket,
  requester: RequesterTells,
  story: Story,
  random: () => number,
  signal: AbortSignal,
): Promise<number> {
  requester.send({ type: "run", story });
  await requester.until("opened", SETTLE_TIMEOUT_MS, signal);
  const plan = planFaults(market, random);
  for (const { kind, target, afterMs, forMs } of plan) {
    say(`  plan        ${kind} ${target} after ${afterMs} ms for ${forMs} ms`);
  }
  const injections = plan.map((fault) => inject(market, fault, signal));
  try {
    await requester.until("settled", SETTLE_TIMEOUT_MS, signal);
    await Promise.all(injections);
    const result = await requester.until("result", SETTLE_TIMEOUT_MS, signal);
    if (!result.ok) throw new QuorateError("CHAOS_RESULT", `An accepted result is wrong: ${result.summary}`);
  } catch (error) {
    await Promise.allSettled(injections);
    if (!isQuorateError(error) || !bearable.has(error.code)) throw error;
    say(`  ${error.code}: the faults left no majority; everybody keeps the bond that is due`);
  }
  return plan.length;
}

/** One to three faults among agents, relays and the node. */
function planFaults(market: LocalMarket, random: () => number): Fault[] {
  const targets = [...market.providers.map(({ slug }) => slug), "relay-1", "relay-2", "chain"];
  return Array.from({ length: 1 + Math.floor(random() * 3) }, (): Fault => {
    const target = targets[Math.floor(random() * targets.length)] as string;
    return {
      // A local chain that is killed is another chain afterwards: it is only frozen.
      kind: target !== "chain" && random() < 0.6 ? "kill" : "freeze",
      target,
      afterMs: Math.floor(random() * 12_000),
      forMs: 1_000 + Math.floor(random() * 10_000),
    };
  });
}

/** Plans a fault behind those that its process has still to suffer. */
function inject(market: LocalMarket, fault: Fault, signal: AbortSignal): Promise<void> {
  const earlier = busy.get(fault.target) ?? Promise.resolve();
  const next = earlier.then(() => injectNow(market, fault, signal));
  busy.set(
    fault.target,
    next.catch(() => {}),
  );
  return next;
}

async function injectNow(
  market: LocalMarket,
  { kind, target, afterMs, forMs }: Fault,
  signal: AbortSignal,
): Promise<void> {
  await pause(afterMs, signal);
  if (target === "chain" || kind === "freeze") {
    const actor = target === "chain" ? market.chain : restartableOf(market, target).process();
    actor.signal("SIGSTOP");
    await pause(forMs, signal).finally(() => actor.signal("SIGCONT"));
    return;
  }
  const victim = restartableOf(market, target);
  await victim.kill();
  await pause(forMs, signal);
  await victim.restart();
}

function restartableOf(market: LocalMarket, target: string): NamedRestartable {
  const found =
    target === "relay-1"
      ? market.relays[0]
      : target === "relay-2"
        ? market.relays[1]
        : market.providers.find(({ slug }) => slug === target);
  if (found === undefined) throw new QuorateError("CHAOS_TARGET", `There is no process ${target}.`);
  return found;
}

/** What the chain says of all jobs, and whether every process still runs. */
async function judge(
  market: LocalMarket,
  jobs: number,
  signal: AbortSignal,
): Promise<Pick<ChaosResult, "accepted" | "inconclusive" | "verdicts">> {
  signal.throwIfAborted();
  const { client, deployment } = market;
  const observed = await observeJobs(client, deployment.market, deployment.fromBlock);
  const settled = observed.flatMap(({ facts }) => (facts.settled === undefined ? [] : [facts.settled]));
  if (settled.length !== jobs)
    throw new QuorateError("CHAOS_UNSETTLED", `${settled.length} of ${jobs} jobs are settled.`);
  const verdicts: Record<string, number> = {};
  for (const { results } of settled) {
    for (const { verdict } of results) {
      const name = nameOf(Verdict, verdict);
      verdicts[name] = (verdicts[name] ?? 0) + 1;
    }
  }
  if (verdicts.Fault !== undefined || verdicts.Dissent !== undefined) {
    throw new QuorateError("CHAOS_CONVICTED", `Somebody honest was convicted: ${JSON.stringify(verdicts)}`);
  }
  const dead = market.casualties();
  if (dead.length > 0) {
    throw new QuorateError(
      "CHAOS_CASUALTY",
      `Ended by itself: ${dead.map(({ name, log }) => `${name}\n${log}`).join("\n")}`,
    );
  }
  const accepted = settled.filter(({ resultHash }) => !/^0x0+$/.test(resultHash)).length;
  return { accepted, inconclusive: jobs - accepted, verdicts };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}

/** Mulberry32: small, seeded, good enough to plan faults. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
