import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { memoryStore } from "../memory-store.ts";
import { FakeChain, type Faults, fakeSource, fakeTime, filter, StrictConsumer, seeded } from "../testing/fake-chain.ts";
import { createFollower, type Follower } from "./follower.ts";

type Move =
  | { readonly do: "mine"; readonly logs: readonly number[] }
  | { readonly do: "reorg"; readonly depth: number; readonly logs: readonly number[] }
  | { readonly do: "poll" }
  | { readonly do: "restart" }
  | { readonly do: "crash" };

const logCounts = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 12 });
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 3, arbitrary: logCounts.map((logs): Move => ({ do: "mine", logs })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 30 }), logCounts)
      .map(([depth, logs]): Move => ({ do: "reorg", depth, logs })),
  },
  { weight: 4, arbitrary: fc.constant<Move>({ do: "poll" }) },
  { weight: 1, arbitrary: fc.constant<Move>({ do: "restart" }) },
  { weight: 1, arbitrary: fc.constant<Move>({ do: "crash" }) },
);

type Scenario = {
  readonly name: string;
  readonly agreement: number;
  /** Faults of each node while the chain moves; `random` is the run's own generator. */
  readonly nodes: readonly ((random: () => number, chain: FakeChain) => Faults)[];
};

const unreliable = (random: () => number): Faults => ({
  before: () => {
    if (random() < 0.1) throw new Error("connection reset");
  },
});
const lagging = (random: () => number): Faults => ({
  ...unreliable(random),
  view: (canonical) => canonical.slice(0, Math.max(1, canonical.length - Math.floor(random() * 6))),
});
const omitting = (random: () => number): Faults => ({
  ...unreliable(random),
  logs: (logs) => (random() < 0.5 ? [] : logs),
});
const lying = (random: () => number, chain: FakeChain): Faults => {
  const forged = new FakeChain(chain.id);
  forged.mine(...Array.from({ length: 80 }, () => 1));
  return {
    view: (canonical) => (random() < 0.5 ? forged.canonical : canonical),
    logs: (logs) =>
      random() < 0.3
        ? logs.map((log) => ({ ...log, logIndex: log.logIndex + 1 }))
        : random() < 0.3
          ? logs.slice(1)
          : logs,
    header: (header) => (random() < 0.1 ? { ...header, parentHash: header.hash } : header),
  };
};

const scenarios: Scenario[] = [
  { name: "one unreliable node that also leaves out logs", agreement: 1, nodes: [omitting] },
  { name: "a lagging node and one that leaves out logs", agreement: 1, nodes: [lagging, omitting] },
  { name: "two honest but unreliable nodes and a liar", agreement: 2, nodes: [unreliable, lagging, lying] },
];

for (const scenario of scenarios) {
  test(`${scenario.name}: the consumer ends with exactly the canonical logs, each once`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 3, maxLength: 25 }), fc.integer(), async (moves, seed) => {
        const random = seeded(seed);
        const chain = new FakeChain();
        chain.mine(1, 0, 1);
        const store = memoryStore();
        const consumer = new StrictConsumer(1);
        const time = fakeTime();
        const faults = scenario.nodes.map((node) => node(random, chain));
        const current: Faults[] = faults.map((fault) => ({ ...fault }));
        const sources = current.map((fault, i) => fakeSource(chain, `n${i}`, fault));
        let crashIn = Number.POSITIVE_INFINITY;
        const make = (): Follower =>
          createFollower<undefined>({
            sources,
            store,
            filter,
            chainId: 31337,
            fromBlock: 1,
            confirmations: 4,
            agreement: scenario.agreement,
            maxRange: 7,
            tipRange: 3,
            keepHeaders: 500,
            random,
            ...time,
            onBatch: (batch) => {
              crashIn -= 1;
              if (crashIn < 0) throw new Error("killed");
              consumer.onBatch(batch);
            },
          });
        let follower = make();
        const pollOnce = async (): Promise<void> => {
          const abort = new AbortController();
          const polled = createPoll(follower, abort);
          await polled;
        };
        for (const step of moves) {
          if (step.do === "mine") chain.mine(...step.logs);
          else if (step.do === "reorg") chain.reorg(step.depth, ...step.logs);
          else if (step.do === "restart") follower = make();
          else if (step.do === "crash") {
            crashIn = Math.floor(random() * 3);
            await pollOnce().catch((error: unknown) => assert.equal((error as Error).message, "killed"));
            crashIn = Number.POSITIVE_INFINITY;
            follower = make();
          } else await pollOnce();
        }
        // The faults end; what they left behind must not matter.
        for (const fault of current) for (const key of Object.keys(fault)) delete fault[key as keyof Faults];
        chain.mine(1);
        await follower.sync(AbortSignal.timeout(10_000));
        assert.deepEqual(consumer.blocks, chain.expected(1));
      }),
      { numRuns: 150 },
    );
  });

  async function createPoll(follower: Follower, abort: AbortController): Promise<void> {
    const before = follower.status();
    const run = follower.run(abort.signal);
    const settled = run.then(
      () => true,
      () => true,
    );
    for (let turns = 0; turns < 60; turns += 1) {
      const done = await Promise.race([settled, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
      const now = follower.status();
      if (done || (now.lastPollAt !== before.lastPollAt && now.caughtUp)) break;
    }
    abort.abort();
    await run;
  }
}
