import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { type BlockHeader, type BlockSource, bloomOf, type RawLog } from "@quorate/chain";
import { testAddress, testHash } from "@quorate/testkit";
import { followerStore, type HistoryOrigin, historySetting } from "../data/followerStore.ts";
import { readSetting } from "../data/settings.ts";
import { type HubOptions, type HubState, MarketHub } from "./hub.ts";
import { BEGIN, jobLog, markets } from "./testing.ts";

/** A chain that grows, with a deposit in every tenth block. */
class Chain {
  height: number;
  /** Blocks from this number on are those of another fork. */
  forkedAt = Number.POSITIVE_INFINITY;

  constructor(height: number) {
    this.height = height;
  }

  #hash(number: number) {
    return testHash(number >= this.forkedAt ? 1_000_000 + number : number);
  }

  header(number: number): BlockHeader | undefined {
    if (number > this.height) return undefined;
    const [hash, parentHash] = [this.#hash(number), this.#hash(number - 1)];
    const logsBloom = bloomOf(this.logs(number, number));
    return { number, hash, parentHash, timestamp: BEGIN + number * 10, logsBloom, verified: true };
  }

  logs(from: number, to: number): RawLog[] {
    const logs: RawLog[] = [];
    for (let number = from; number <= Math.min(to, this.height); number++) {
      if (number % 10 !== 0 || number >= this.forkedAt) continue;
      const account = testAddress(number);
      const deposit = { account, token: testAddress(1), payer: account, amount: 1n };
      const { timestamp: _, ...log } = jobLog("Deposited", deposit, number);
      logs.push({ ...log, blockHash: this.#hash(number) });
    }
    return logs;
  }

  source(name: string, changes: Partial<BlockSource> = {}): BlockSource {
    const at = async (number: number): Promise<BlockHeader | undefined> => this.header(number);
    return {
      name,
      chainId: async () => 31_337,
      latest: async () => this.header(this.height) as BlockHeader,
      header: async (reference) =>
        typeof reference === "number"
          ? at(reference)
          : Array.from({ length: this.height + 1 }, (_, n) => this.header(n)).find(
              (header) => header?.hash === reference,
            ),
      headers: async (from, to) =>
        (await Promise.all(Array.from({ length: to - from + 1 }, (_, n) => at(from + n)))).filter(
          (header) => header !== undefined,
        ),
      logs: async (hash) => this.logs(0, this.height).filter(({ blockHash }) => blockHash === hash),
      logsRange: async (from, to) => this.logs(from, to),
      allLogs: async (hash) => this.logs(0, this.height).filter(({ blockHash }) => blockHash === hash),
      ...changes,
    };
  }
}

const hubs: MarketHub[] = [];
let networks = 0;

/** Settings of a network that this browser has not seen. */
function network(chain: Chain, changes: Partial<HubOptions> = {}): HubOptions {
  return {
    key: `network-${++networks}`,
    chainId: 31_337,
    ...markets,
    fromBlock: 1,
    confirmations: 1,
    firstVisitBlocks: 50,
    sources: [chain.source("node.example")],
    ...changes,
  };
}

/** Opens a tab. */
function open(options: HubOptions): MarketHub {
  const hub = new MarketHub(options);
  hubs.push(hub);
  hub.start();
  return hub;
}

/** Waits for a state of a tab. */
async function until(hub: MarketHub, holds: (state: HubState) => boolean): Promise<HubState> {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`it came to ${JSON.stringify({ ...hub.state(), model: 0 })}`)),
      20_000,
    );
    const look = (): void => {
      if (!holds(hub.state())) return;
      clearTimeout(timer);
      leave();
      resolve(hub.state());
    };
    const leave = hub.subscribe(look);
    look();
  });
}

/** Blocks of the deposits that a tab knows. */
const known = ({ model }: HubState): readonly number[] => model.movements.map(({ at }) => (at - BEGIN) / 10);
const upTo = (height: number) => (state: HubState) => state.isCurrent && state.cursor === height;
const tens = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.floor((to - from) / 10) + 1 }, (_, n) => from + 10 * n);

afterEach(() => {
  for (const hub of hubs.splice(0)) hub.stop();
});

describe("a tab follows the market", () => {
  test("from the newest blocks of a first visit on, and goes on where it was", async () => {
    const chain = new Chain(200);
    const options = network(chain);
    const first = open(options);
    const state = await until(first, upTo(200));
    assert.deepEqual([state.since, known(state)], [150, tens(150, 200)]);
    first.stop();
    chain.height = 320;
    const again = await until(open(options), upTo(320));
    assert.deepEqual([again.since, known(again)], [150, tens(150, 320)]);
  });

  test("takes back what another fork does not have", async () => {
    const chain = new Chain(200);
    const hub = open(network(chain));
    await until(hub, upTo(200));
    chain.forkedAt = 185;
    chain.height = 203;
    assert.deepEqual(known(await until(hub, upTo(203))), tens(150, 184));
  });

  test("and tells another one, which takes over when it is closed", async () => {
    const chain = new Chain(120);
    const options = network(chain);
    const [one, two] = [open(options), open(options)];
    await until(one, upTo(120));
    assert.deepEqual(known(await until(two, upTo(120))), tens(70, 120));
    one.stop();
    chain.height = 140;
    assert.deepEqual(known(await until(two, upTo(140))), tens(70, 140));
  });

  test("waits for a node that does not answer, and says so", async () => {
    const chain = new Chain(60);
    let isDown = true;
    const node = chain.source("node.example", {
      latest: async () => {
        if (isDown) throw new Error("no route to the node");
        return chain.header(chain.height) as BlockHeader;
      },
    });
    const hub = open(network(chain, { sources: [node] }));
    const { problem } = await until(hub, (state) => state.problem !== undefined);
    assert.match(problem?.message ?? "", /no route/);
    isDown = false;
    assert.equal((await until(hub, upTo(60))).problem, undefined);
  });
});

describe("older history from an index", () => {
  const originOf = (options: HubOptions) => readSetting<HistoryOrigin>(historySetting(options.key));

  test("is taken over on a first visit, and when a visit is far behind", async () => {
    const chain = new Chain(200);
    const options = network(chain, { index: chain.source("index.example") });
    const first = open(options);
    const state = await until(first, upTo(200));
    assert.deepEqual([state.since, state.index, known(state)], [1, undefined, tens(10, 200)]);
    const { host, through } = (await originOf(options)) ?? {};
    assert.deepEqual([host, through], ["index.example", 149]);
    first.stop();

    chain.height = 400;
    const later = await until(open(options), upTo(400));
    assert.deepEqual([later.since, known(later)], [1, tens(10, 400)]);
    assert.equal((await originOf(options))?.through, 349);
  });

  test("is left where it differs from the chain, in words, and the market is read without it", async () => {
    const chain = new Chain(200);
    for (const [index, why] of [
      [chain.source("index.example", { logsRange: async () => [] }), /tells other events than your nodes/],
      [chain.source("index.example", { chainId: () => Promise.reject(new Error("nobody there")) }), /nobody there/],
    ] as const) {
      const options = network(chain, { index });
      const state = await until(open(options), upTo(200));
      assert.deepEqual([state.since, known(state)], [150, tens(150, 200)]);
      assert.equal(state.index?.kind, "refused");
      assert.match(state.index.message, why);
      assert.equal(await originOf(options), undefined);
    }
  });

  test("is not asked about a chain that is not the one of the last visit", async () => {
    const chain = new Chain(200);
    const options = network(chain);
    const first = open(options);
    await until(first, upTo(200));
    first.stop();
    const before = await followerStore(options.key).load();
    chain.forkedAt = 190;
    chain.height = 400;
    const state = await until(open({ ...options, index: chain.source("index.example") }), upTo(400));
    assert.match(state.index?.kind === "refused" ? state.index.message : "", /up to which this browser has read/);
    assert.deepEqual([state.since, known(state)], [before?.fromBlock, tens(150, 189)]);
  });
});
