import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type BlockHeader, type BlockSource, bloomOf, type RawLog } from "@quorate/chain";
import { isQuorateError } from "@quorate/core";
import { assertCode, testAddress, testHash } from "@quorate/testkit";
import { type HistoryOptions, type HistoryProgress, readHistory } from "./history.ts";
import { BEGIN, jobLog, markets } from "./testing.ts";

const THROUGH = 60_000;
/** Blocks with an event. */
const BUSY: readonly number[] = [3, 500, 501, 20_000, 59_999];

function eventAt(block: number): RawLog {
  const account = testAddress(block);
  const { timestamp: _, ...raw } = jobLog(
    "Deposited",
    { account, token: testAddress(1), payer: account, amount: 1n },
    block,
  );
  return raw;
}

/** A chain with one event in each busy block. */
const events: readonly RawLog[] = BUSY.map(eventAt);

function headerAt(number: number): BlockHeader {
  const logs = events.filter((log) => log.blockNumber === number);
  return {
    number,
    hash: testHash(number),
    parentHash: testHash(number - 1),
    timestamp: BEGIN + number * 10,
    logsBloom: bloomOf(logs),
    verified: true,
  };
}

/** A node of that chain, or an index that tells other events. */
function sourceOf(logs: readonly RawLog[] = events, changes: Partial<BlockSource> = {}): BlockSource {
  return {
    name: "index.example",
    chainId: async () => 31_337,
    latest: async () => headerAt(THROUGH + 100),
    header: async (reference) => headerAt(reference as number),
    headers: async () => [],
    logs: async () => [],
    logsRange: async (from, to) => logs.filter(({ blockNumber }) => blockNumber >= from && blockNumber <= to),
    ...changes,
  };
}

/** The same places in every run, spread over all blocks. */
function spread(): () => number {
  let seed = 7;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
}

const read = (index: BlockSource, changes: Partial<HistoryOptions> = {}): ReturnType<typeof readHistory> =>
  readHistory({
    index,
    sources: [sourceOf()],
    chainId: 31_337,
    filter: { address: [markets.market, markets.queryMarket] },
    fromBlock: 1,
    through: THROUGH,
    signal: new AbortController().signal,
    random: spread(),
    ...changes,
  });

describe("older history from an index", () => {
  test("is what the chain says, with times of the chain and a cursor to go on from", async () => {
    const told: HistoryProgress[] = [];
    const { snapshot, logs, places } = await read(sourceOf(), { onProgress: (progress) => told.push(progress) });
    assert.deepEqual(
      logs,
      events.map((log) => ({ ...log, timestamp: BEGIN + log.blockNumber * 10 })),
    );
    const { number, hash, parentHash, timestamp } = headerAt(THROUGH);
    assert.deepEqual(snapshot, {
      chainId: 31_337,
      genesisHash: testHash(0),
      fromBlock: 1,
      tail: [{ number, hash, parentHash, timestamp }],
    });
    assert.ok(places > 16 && places <= 32);
    assert.deepEqual(
      told.map(({ step }) => step),
      ["reading", "checking"],
    );
  });

  test("is asked for in shorter ranges where it refuses long ones", async () => {
    const asked: number[] = [];
    const index = sourceOf(events, {
      async logsRange(from, to) {
        asked.push(to - from + 1);
        if (to - from + 1 > 10_000) throw new Error("range too long");
        return events.filter(({ blockNumber }) => blockNumber >= from && blockNumber <= to);
      },
    });
    assert.equal((await read(index)).logs.length, events.length);
    assert.equal(Math.max(...asked.slice(2)), 6_250);
    const never = sourceOf(events, { logsRange: () => Promise.reject(new Error("busy")) });
    await assert.rejects(read(never), /busy/);
  });

  test("goes on from what was read before, of the same chain", async () => {
    const cursor = headerAt(499);
    const { number, hash, parentHash, timestamp } = cursor;
    const before = {
      chainId: 31_337,
      genesisHash: testHash(0),
      fromBlock: 2,
      tail: [{ number, hash, parentHash, timestamp }],
    };
    const { snapshot, logs } = await read(sourceOf(), { before, fromBlock: 500 });
    assert.deepEqual([snapshot.fromBlock, snapshot.tail[0]?.number, logs.length], [2, THROUGH, 4]);
    const replaced = [
      { ...before, genesisHash: testHash(9) },
      { ...before, tail: [{ ...cursor, hash: testHash(9) }] },
    ];
    for (const other of replaced)
      await assertCode(read(sourceOf(), { before: other, fromBlock: 500 }), "INDEX_REFUSED");
  });

  test("needs one node that answers", async () => {
    const down = sourceOf(events, { header: () => Promise.reject(new Error("down")) });
    assert.equal((await read(sourceOf(), { sources: [down, sourceOf()] })).logs.length, events.length);
    await assert.rejects(read(sourceOf(), { sources: [down] }), /down/);
  });

  test("ends with its signal", async () => {
    const end = new AbortController();
    const index = sourceOf(events, {
      logsRange: async () => {
        end.abort(new Error("left"));
        throw new Error("cut off");
      },
    });
    await assert.rejects(read(index, { signal: end.signal }), /left/);
  });
});

describe("an index that lies is refused", () => {
  const [first, second] = events as [RawLog, RawLog];
  const lies: Readonly<Record<string, readonly [why: RegExp, index: BlockSource]>> = {
    "of another chain": [/it is of chain 1, not of 31337/, sourceOf(events, { chainId: async () => 1 })],
    "of another fork": [
      /is not that of your nodes/,
      sourceOf(events, {
        header: async (number) => ({ ...headerAt(number as number), hash: testHash(1) }),
      }),
    ],
    "that lags behind": [/has not read as far as block 60000/, sourceOf(events, { header: async () => undefined })],
    "with an event that never happened": [
      /block 77 of your nodes does not hold/,
      sourceOf([first, eventAt(77), second]),
    ],
    "with an event of a block that is not the chain's": [
      /block 3 of your nodes does not hold/,
      sourceOf([{ ...first, blockHash: testHash(9) }]),
    ],
    "with another event in a block that has one": [
      /block 500 of your nodes does not hold/,
      sourceOf([eventAt(3), { ...second, topics: [testHash(5)] }]),
    ],
    "with other words of the same event": [
      /tells other events/,
      sourceOf([{ ...first, data: testHash(5) }, ...events.slice(1)]),
    ],
    "with an event twice": [/out of order/, sourceOf([first, first])],
    "with events out of order": [/out of order/, sourceOf(events, { logsRange: async () => [second, first] })],
    "of another contract": [/not asked for/, sourceOf([{ ...first, address: testAddress(9) }])],
    "with events outside of what it was asked for": [
      /not asked for/,
      sourceOf(events, { logsRange: async () => [eventAt(THROUGH + 1)] }),
    ],
    "with more data than a page can hold": [
      /too many/,
      sourceOf(events, {
        logsRange: async () => {
          const data = `0x${"00".repeat(1024 * 1024)}` as const;
          return Array.from({ length: 128 }, (_, n) => ({ ...first, data, logIndex: n }));
        },
      }),
    ],
    "with more events than a page can hold": [
      /too many/,
      sourceOf(events, {
        logsRange: async () => Array.from({ length: 200_001 }, (_, n) => ({ ...first, logIndex: n })),
      }),
    ],
  };
  for (const [name, [why, index]] of Object.entries(lies)) {
    test(name, async () => {
      await assert.rejects(
        read(index),
        (error: Error) => isQuorateError(error, "INDEX_REFUSED") && why.test(error.message),
      );
    });
  }

  test("that leaves out what lies in a place that is compared", async () => {
    // All places among the blocks fall on the same one.
    const at = (block: number) => () => (block - 1) / THROUGH;
    await assertCode(read(sourceOf([]), { random: at(20_000) }), "INDEX_REFUSED");
    // And is not noticed elsewhere: why nothing that spends rests on it.
    assert.equal((await read(sourceOf([]), { random: at(40_000) })).logs.length, 0);
  });
});
