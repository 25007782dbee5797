import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BlockHeader, BlockSource } from "@quorate/chain";
import { silentLogger } from "@quorate/core";
import { fakeClock, recordingLogger, testHash, until } from "@quorate/testkit";
import { createEffectRunner, type KeyedEffect } from "./effect-runner.ts";
import { createHorizonKeeper } from "./horizons.ts";
import { createSemaphore } from "./semaphore.ts";

const effect = (key: string): KeyedEffect => ({ key, type: "test", jobId: "0x" });

describe("the effect runner", () => {
  it("runs a key once at a time, and again when it is wanted again", async () => {
    const stop = new AbortController();
    const running: string[] = [];
    let release = (): void => {};
    const runner = createEffectRunner({
      execute: async ({ key }) => {
        running.push(key);
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      },
      logger: silentLogger,
      signal: stop.signal,
    });
    runner.want([effect("a")]);
    runner.want([effect("a")]);
    assert.deepEqual(running, ["a"]);
    release();
    await until(() => runner.active().length === 0);
    runner.want([effect("a")]);
    assert.deepEqual(running, ["a", "a"]);
    release();
    stop.abort();
    await runner.idle();
  });

  it("tries again after a failure while it is wanted, and counts failures by code", async () => {
    const stop = new AbortController();
    let tries = 0;
    const runner = createEffectRunner({
      execute: async () => {
        tries += 1;
        if (tries < 2) throw new Error("once");
      },
      logger: silentLogger,
      signal: stop.signal,
    });
    runner.want([effect("a")]);
    await until(() => tries === 2 && runner.active().length === 0);
    assert.deepEqual([...runner.failures()], [["UNEXPECTED", 1]]);
    stop.abort();
  });

  it("aborts what is not wanted any more, and starts it anew when it is wanted before it ended", async () => {
    const stop = new AbortController();
    const log: string[] = [];
    const runner = createEffectRunner({
      execute: (_, signal) =>
        new Promise((resolve) => {
          log.push("start");
          signal.addEventListener("abort", () => {
            log.push("abort");
            setImmediate(resolve);
          });
        }),
      logger: silentLogger,
      signal: stop.signal,
    });
    runner.want([effect("a")]);
    runner.want([]);
    runner.want([effect("a")]);
    await until(() => log.length === 3);
    assert.deepEqual(log, ["start", "abort", "start"]);
    stop.abort();
    await runner.idle();
    assert.deepEqual(log, ["start", "abort", "start", "abort"]);
  });
});

describe("the semaphore", () => {
  it("lets no more in than it has places, in the order of coming, and forgets who gave up", async () => {
    const semaphore = createSemaphore(1);
    const signal = new AbortController().signal;
    const giveUp = new AbortController();
    const order: string[] = [];
    const leave = await semaphore.enter(signal);
    const quitter = semaphore.enter(giveUp.signal).catch(() => order.push("gave up"));
    const second = semaphore.enter(signal).then((done) => {
      order.push("second");
      return done;
    });
    giveUp.abort(new Error("no more"));
    await quitter;
    assert.equal(semaphore.load(), 2);
    leave();
    leave();
    const leaveSecond = await second;
    assert.deepEqual(order, ["gave up", "second"]);
    assert.equal(semaphore.load(), 1);
    leaveSecond();
    assert.equal(semaphore.load(), 0);
  });
});

/** An endpoint with a chain of blocks; `fork` changes their hashes. */
function source(height: () => number, fork = 0): BlockSource {
  const header = (number: number): BlockHeader => ({
    number,
    hash: testHash(number * 10 + fork),
    parentHash: testHash((number - 1) * 10 + fork),
    timestamp: 1000 + number,
    logsBloom: "0x",
    verified: true,
  });
  const unused = async (): Promise<never> => {
    throw new Error("not asked");
  };
  return {
    name: "test",
    chainId: async () => 31337,
    latest: async () => header(height()),
    header: async (number) => (typeof number === "number" && number <= height() ? header(number) : undefined),
    headers: unused,
    logs: unused,
    logsRange: unused,
    finalized: async () => header(Math.max(0, height() - 5)),
  };
}

const delivered = (from: number, to: number, fork = 0) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    number: from + index,
    hash: testHash((from + index) * 10 + fork),
    timestamp: 1000 + from + index,
  }));

describe("the horizons", () => {
  const signal = new AbortController().signal;
  const make = (sources: readonly BlockSource[], policy: { mode?: "depth" | "finalized"; endpoints?: number } = {}) => {
    const logger = recordingLogger();
    const keeper = createHorizonKeeper({
      policy: { confirmations: 2, finality: { mode: "depth", depth: 4, endpoints: 2, ...policy } },
      sources,
      delivered: [],
      clock: fakeClock(),
      logger,
    });
    return { keeper, logger };
  };

  it("are final only where two endpoints show the same block deep enough", async () => {
    const { keeper } = make([source(() => 10), source(() => 8)]);
    keeper.deliver(delivered(1, 10));
    assert.deepEqual(keeper.current(), {
      head: { number: 10, timestamp: 1010 },
      confirmed: { number: 8, timestamp: 1008 },
    });
    assert.equal(await keeper.refreshFinal(signal), true);
    assert.equal(keeper.current()?.final?.number, 4, "the lower of both endpoints counts");
    assert.equal(await keeper.refreshFinal(signal), false, "it did not move");
  });

  it("are not final on the word of one endpoint when two are asked for", async () => {
    const silent = { ...source(() => 10), latest: () => Promise.reject(new Error("down")) };
    for (const other of [silent, source(() => 10, 1)]) {
      const { keeper } = make([source(() => 10), other]);
      keeper.deliver(delivered(1, 10));
      assert.equal(await keeper.refreshFinal(signal), false);
      assert.equal(keeper.current()?.final, undefined);
    }
  });

  it("take the chain's own finalized block when the policy says so", async () => {
    const { keeper } = make([source(() => 10), source(() => 10)], { mode: "finalized" });
    keeper.deliver(delivered(1, 10));
    await keeper.refreshFinal(signal);
    assert.equal(keeper.current()?.final?.number, 5);
  });

  it("go back with a rollback, and cry out when final blocks go", async () => {
    const { keeper, logger } = make([source(() => 10), source(() => 10)]);
    keeper.deliver(delivered(1, 10));
    await keeper.refreshFinal(signal);
    keeper.deliver(delivered(8, 9, 1), 7);
    assert.equal(keeper.current()?.head.number, 9);
    assert.equal(keeper.current()?.final?.number, 6);
    keeper.deliver([], 3);
    assert.equal(keeper.current()?.final, undefined);
    assert.equal(logger.entries.at(-1)?.event, "finality_violated");
  });
});
