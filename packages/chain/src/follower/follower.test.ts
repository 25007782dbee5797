import assert from "node:assert/strict";
import { test } from "node:test";
import { isQuorateError } from "@quorate/core";
import { memoryStore } from "../memory-store.ts";
import { FakeChain, type Faults, fakeSource, fakeTime, filter, StrictConsumer } from "../testing/fake-chain.ts";
import type { BlockSource, FollowerStore } from "../types.ts";
import { createFollower, type Follower } from "./follower.ts";
import type { FollowerOptions } from "./options.ts";

type Setup = { follower: Follower; consumer: StrictConsumer; store: FollowerStore<undefined> };

function setUp(
  sources: BlockSource[],
  extra: Partial<FollowerOptions<undefined>> = {},
  consumer = new StrictConsumer(extra.fromBlock ?? 0),
): Setup {
  const store = extra.store ?? memoryStore();
  const follower = createFollower<undefined>({
    sources,
    store,
    filter,
    chainId: 31337,
    fromBlock: 0,
    confirmations: 3,
    maxRange: 8,
    tipRange: 4,
    requestTimeoutMs: 50,
    onBatch: consumer.onBatch,
    random: () => 0.5,
    ...fakeTime(),
    ...extra,
  });
  return { follower, consumer, store };
}

const never = (): AbortSignal => AbortSignal.timeout(20_000);
const hasCode = (code: string) => (error: unknown) => isQuorateError(error, code);

test("back-fill and tip deliver every block once, in order, with its logs", async () => {
  const chain = new FakeChain();
  chain.mine(1, 0, 2, 0, 0, 1, 0, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 1);
  const { follower, consumer } = setUp([fakeSource(chain, "a")]);
  const status = await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.equal(status.counters.logs, 11);
  assert.equal(status.cursor?.hash, chain.tip.hash);
  assert.equal(status.finalTo, chain.tip.number - 3);
  chain.mine(1, 1);
  await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.equal(consumer.batches.at(-1)?.caughtUp, true);
});

test("a batch is final exactly when enough blocks follow its last one", async () => {
  const chain = new FakeChain();
  chain.mine(...Array.from({ length: 20 }, () => 1));
  const { follower, consumer } = setUp([fakeSource(chain, "a")]);
  await follower.sync(never());
  for (const batch of consumer.batches) {
    assert.equal(batch.final, (batch.blocks.at(-1)?.number ?? 0) <= chain.tip.number - 3);
    assert.ok(batch.finalTo <= (batch.blocks.at(-1)?.number ?? 0));
  }
  assert.deepEqual(new Set(consumer.batches.map((batch) => batch.final)), new Set([true, false]));
});

test("fromBlock is the first block delivered, and waits for the chain to reach it", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1);
  const { follower, consumer } = setUp([fakeSource(chain, "a")], { fromBlock: 5 });
  const abort = new AbortController();
  const run = follower.run(abort.signal);
  while (follower.status().lastPollAt === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(consumer.batches.length, 0);
  chain.mine(1, 1, 1, 1);
  while (!follower.status().caughtUp) await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  await run;
  assert.deepEqual(consumer.blocks, chain.expected(5));
});

test("a reorganisation is one batch that takes back and adds", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  const { follower, consumer } = setUp([fakeSource(chain, "a")]);
  await follower.sync(never());
  chain.reorg(2, 2, 2, 2);
  const status = await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.deepEqual(consumer.batches.at(-1)?.rollback, { toBlock: 8, toHash: chain.canonical[8]?.hash, removed: 2 });
  assert.equal(status.counters.rollbacks, 1);
  assert.equal(status.counters.finalityBroken, 0);
});

test("a deep reorganisation is followed to its fork point and reported as broken finality", async () => {
  const chain = new FakeChain();
  chain.mine(...Array.from({ length: 60 }, (_, i) => i % 3));
  const { follower, consumer } = setUp([fakeSource(chain, "a")]);
  await follower.sync(never());
  chain.reorg(41, ...Array.from({ length: 50 }, (_, i) => i % 2));
  const status = await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.equal(consumer.batches.find((batch) => batch.rollback)?.rollback?.toBlock, 19);
  assert.equal(status.counters.finalityBroken, 1);
});

test("a shorter chain that wins is followed", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1, 1, 1, 1);
  const { follower, consumer } = setUp([fakeSource(chain, "a")]);
  await follower.sync(never());
  chain.reorg(4, 1, 1);
  await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
});

test("a reorganisation of the first block goes back to the origin", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1, 1);
  const { follower, consumer } = setUp([fakeSource(chain, "a")], { fromBlock: 2 });
  await follower.sync(never());
  chain.reorg(4, 1, 0, 1, 1);
  await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(2));
  assert.deepEqual(consumer.batches.at(-1)?.rollback, { toBlock: 1, toHash: undefined, removed: 3 });
});

test("a reorganisation below the stored headers is a named error", async () => {
  const chain = new FakeChain();
  chain.mine(...Array.from({ length: 30 }, () => 0));
  const { follower } = setUp([fakeSource(chain, "a")], { keepHeaders: 10 });
  await follower.sync(never());
  chain.reorg(15, ...Array.from({ length: 20 }, () => 0));
  await assert.rejects(follower.sync(never()), hasCode("REORG_TOO_DEEP"));
});

test("a restarted chain is a named error, higher or lower than before, and after a restart of the follower", async () => {
  for (const blocks of [3, 30]) {
    const chain = new FakeChain("first");
    chain.mine(...Array.from({ length: 10 }, () => 1));
    const first = setUp([fakeSource(chain, "a")]);
    await first.follower.sync(never());
    const replaced = new FakeChain("second");
    replaced.mine(...Array.from({ length: blocks }, () => 1));
    chain.canonical = replaced.canonical;
    await assert.rejects(first.follower.sync(never()), hasCode("CHAIN_RESET"));
    const again = setUp([fakeSource(replaced, "a")], { store: first.store });
    await assert.rejects(again.follower.sync(never()), hasCode("CHAIN_RESET"));
    assert.equal(again.consumer.batches.length, 0);
  }
});

test("a follower goes on where its store ended, whatever happened meanwhile", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1, 1, 1, 1);
  const first = setUp([fakeSource(chain, "a")]);
  await first.follower.sync(never());
  chain.reorg(3, 1, 1, 1, 1, 1);
  const second = setUp([fakeSource(chain, "a")], { store: first.store }, first.consumer);
  await second.follower.sync(never());
  assert.deepEqual(first.consumer.blocks, chain.expected(0));
});

test("what the handler throws ends the follower and leaves the cursor where it was", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1, 1);
  const store = memoryStore();
  let calls = 0;
  const failing = createFollower<undefined>({
    sources: [fakeSource(chain, "a")],
    store,
    filter,
    chainId: 31337,
    fromBlock: 0,
    confirmations: 3,
    onBatch: () => {
      calls += 1;
      if (calls === 2) throw new RangeError("consumer is broken");
    },
    ...fakeTime(),
  });
  await assert.rejects(failing.sync(never()), RangeError);
  assert.equal((await store.load())?.tail.at(-1)?.number, 1);
});

test("logs left out are found by the bloom and proved by receipts", async () => {
  for (const confirmations of [0, 3, 30]) {
    const chain = new FakeChain();
    chain.mine(0, 1, 0, 2, 0, 0, 1, 0, 1, 0, 2);
    const { follower, consumer } = setUp([fakeSource(chain, "a", { logs: () => [] })], {
      confirmations,
      keepHeaders: 100,
    });
    const status = await follower.sync(never());
    assert.deepEqual(consumer.blocks, chain.expected(0));
    assert.equal(status.counters.omissions, 5);
    assert.ok(status.counters.sourceLies >= 5);
  }
});

test("logs left out by one node are taken from another", async () => {
  const chain = new FakeChain();
  chain.mine(0, 1, 0, 2, 0, 0, 1);
  const faults: Faults = { logs: () => [], receipts: "missing" };
  const { follower, consumer } = setUp([
    fakeSource(chain, "omits", faults),
    fakeSource(chain, "honest", { receipts: "missing" }),
  ]);
  const status = await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.ok(status.counters.omissions >= 1);
});

test("a lone node without receipts that leaves out logs for a while is asked again until it is whole", async () => {
  const chain = new FakeChain();
  chain.mine(0, 1, 0, 0, 0, 0, 1);
  let omit = 3;
  const faults: Faults = { receipts: "missing", logs: (logs) => (logs.length > 0 && omit-- > 0 ? [] : logs) };
  const { follower, consumer } = setUp([fakeSource(chain, "a", faults)]);
  await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
});

test("blooms that announce logs which do not exist do not wedge the follower", async () => {
  for (const [receipts, sources] of [
    ["honest", 1],
    ["missing", 1],
    ["missing", 2],
    ["missing", 3],
  ] as const) {
    const chain = new FakeChain("full", "full");
    chain.mine(0, 1, 0, 0, 0, 0, 1);
    const nodes = Array.from({ length: sources }, (_, i) => fakeSource(chain, `n${i}`, { receipts }));
    const { follower, consumer } = setUp(nodes);
    const status = await follower.sync(never());
    assert.deepEqual(consumer.blocks, chain.expected(0));
    assert.ok(status.counters.bloomFalsePositives >= 5);
    assert.equal(status.counters.omissions, 0);
  }
});

test("a verified bloom spares the question for logs", async () => {
  const chain = new FakeChain();
  chain.mine(0, 0, 0, 1, 0, 0);
  const source = fakeSource(chain, "a", { header: (header) => ({ ...header, verified: true }) });
  const { follower, consumer } = setUp([source], { confirmations: 20 });
  await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.equal(source.calls.get("logs"), 1);
});

test("a node that refuses large ranges is asked for smaller ones, and is not held guilty", async () => {
  const chain = new FakeChain();
  chain.mine(...Array.from({ length: 40 }, (_, i) => i % 2));
  const source = fakeSource(chain, "a");
  const limited: BlockSource = {
    ...source,
    logsRange: async (from, to, wanted, signal) => {
      if (to - from + 1 > 3) throw Object.assign(new Error("query exceeds max block range 3"), { code: -32005 });
      return await source.logsRange(from, to, wanted, signal);
    },
  };
  const { follower, consumer } = setUp([limited], { maxRange: 16 });
  const status = await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.equal(status.counters.sourceErrors, 0);
});

test("a node that stops answering is timed out and another takes over", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1, 1);
  const faults: Faults = {};
  const { follower, consumer } = setUp([fakeSource(chain, "hangs", faults), fakeSource(chain, "b")]);
  await follower.sync(never());
  faults.before = () => new Promise(() => {});
  chain.mine(1, 1, 1);
  const status = await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.equal(status.sources[0]?.healthy, false);
  assert.equal(status.sources[1]?.healthy, true);
});

test("a lagging node never takes anything back", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1, 1, 1, 1, 1);
  const ahead: Faults = {};
  const { follower, consumer } = setUp([
    fakeSource(chain, "ahead", ahead),
    fakeSource(chain, "behind", { view: (canonical) => canonical.slice(0, -3) }),
  ]);
  await follower.sync(never());
  ahead.before = () => {
    throw new Error("connection refused");
  };
  const abort = new AbortController();
  const run = follower.run(abort.signal);
  const failures = follower.status().counters.sourceErrors;
  while (follower.status().counters.sourceErrors < failures + 3) await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  await run;
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.equal(follower.status().counters.rollbacks, 0);
  assert.equal(follower.status().caughtUp, false);
});

test("a node of another chain is left out; when every node is, the error is named", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1);
  const wrong = fakeSource(chain, "wrong", { chainId: 1 });
  const mixed = setUp([wrong, fakeSource(chain, "right")]);
  await mixed.follower.sync(never());
  assert.deepEqual(mixed.consumer.blocks, chain.expected(0));
  const alone = setUp([wrong]);
  await assert.rejects(alone.follower.sync(never()), hasCode("CHAIN_MISMATCH"));
});

test("with three nodes one that forges a longer chain is not believed", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1, 1, 1);
  const forged = new FakeChain("main");
  forged.mine(1, 1, 9, 9, 9, 9, 9, 9, 9);
  const { follower, consumer } = setUp([fakeSource(forged, "forger"), fakeSource(chain, "b"), fakeSource(chain, "c")]);
  await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  chain.mine(1, 1);
  forged.mine(1, 1);
  const status = await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.equal(status.counters.rollbacks, 0);
});

test("two nodes that disagree where two must agree make the follower wait, not guess", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1);
  const fork = new FakeChain("fork");
  fork.mine(2, 2);
  const { follower, consumer } = setUp([fakeSource(chain, "a"), fakeSource(fork, "b")], { agreement: 2 });
  await assert.rejects(follower.sync(AbortSignal.timeout(200)));
  assert.equal(consumer.batches.length, 0);
  assert.equal(follower.status().lastError?.code, "SOURCES_DISAGREE");
});

test("logs of another block, of another contract, repeated, or against the bloom are refused", async () => {
  const chain = new FakeChain();
  chain.mine(2, 2);
  const first = chain.canonical[1] as { logs: readonly { logIndex: number }[] };
  const lies: NonNullable<Faults["logs"]>[] = [
    (logs) => logs.map((log) => ({ ...log, blockHash: chain.canonical[0]?.hash ?? "0x" })),
    (logs) => logs.map((log) => ({ ...log, address: "0x3333333333333333333333333333333333333333" as const })),
    (logs) => logs.flatMap((log) => [log, log]),
    (logs) => logs.map((log) => ({ ...log, topics: [`0x${"77".repeat(32)}` as const] })),
  ];
  for (const lie of lies) {
    const { follower, consumer } = setUp([fakeSource(chain, "liar", { logs: lie }), fakeSource(chain, "honest")]);
    const status = await follower.sync(never());
    assert.deepEqual(consumer.blocks, chain.expected(0));
    assert.ok((status.sources[0]?.lies ?? 0) >= 1);
  }
  assert.equal(first.logs.length, 4);
});

test("a forged parent is refused", async () => {
  const chain = new FakeChain();
  chain.mine(1, 1, 1, 1, 1, 1, 1);
  const forge: Faults = {
    header: (header) => (header.number === 4 ? { ...header, parentHash: `0x${"55".repeat(32)}` } : header),
  };
  const { follower, consumer } = setUp([fakeSource(chain, "liar", forge), fakeSource(chain, "honest")]);
  const status = await follower.sync(never());
  assert.deepEqual(consumer.blocks, chain.expected(0));
  assert.ok((status.sources[0]?.lies ?? 0) >= 1);
});

test("finality by the chain's tag moves without new blocks", async () => {
  const chain = new FakeChain();
  chain.mine(...Array.from({ length: 12 }, () => 1));
  let finalized = 3;
  const source = { ...fakeSource(chain, "a"), finalized: async () => chain.canonical[finalized] };
  const { follower, consumer } = setUp([source], { useFinalizedTag: true });
  await follower.sync(never());
  assert.equal(follower.status().finalTo, 3);
  finalized = 9;
  await follower.sync(never());
  assert.deepEqual(consumer.batches.at(-1)?.blocks, []);
  assert.equal(consumer.batches.at(-1)?.finalTo, 9);
});

test("settings that cannot work are refused by name", async () => {
  const chain = new FakeChain();
  const source = fakeSource(chain, "a");
  for (const extra of [
    { agreement: 2 },
    { confirmations: -1 },
    { keepHeaders: 3 },
    { maxRange: 0 },
    { fromBlock: 1.5 },
  ]) {
    assert.throws(() => setUp([source], extra), hasCode("FOLLOWER_CONFIG"));
  }
  chain.mine(1, 1, 1);
  const late = setUp([source], { fromBlock: 2 });
  await late.follower.sync(never());
  await assert.rejects(
    setUp([source], { store: late.store, fromBlock: 1 }).follower.sync(never()),
    hasCode("FOLLOWER_CONFIG"),
  );
  const both = Promise.allSettled([late.follower.sync(never()), late.follower.sync(never())]);
  const [, refused] = await both;
  assert.ok(refused.status === "rejected" && isQuorateError(refused.reason, "FOLLOWER_CONFIG"));
});
