import { type Address, type Hex, keccak256, padHex, toHex } from "viem";
import { bloomOf, logMatches } from "../bloom.ts";
import type { Batch, BlockHeader, BlockSource, FollowedBlock, LogFilter, RawLog } from "../types.ts";

/** The contract that tests follow, and one whose logs are noise. */
export const watched: Address = "0x1111111111111111111111111111111111111111";
export const other: Address = "0x2222222222222222222222222222222222222222";
export const filter: LogFilter = { address: watched };

export type FakeBlock = BlockHeader & { readonly logs: readonly RawLog[] };

/** A tree of blocks with one canonical tip; deterministic. */
export class FakeChain {
  readonly blocks: Map<Hex, FakeBlock> = new Map();
  canonical: FakeBlock[] = [];
  #serial = 0;
  readonly id: string;

  constructor(id = "main", blooms: "real" | "full" = "real") {
    this.id = id;
    this.blooms = blooms;
    this.#add(undefined, 0);
  }

  readonly blooms: "real" | "full";

  #add(parent: FakeBlock | undefined, logCount: number): FakeBlock {
    this.#serial += 1;
    const number = parent === undefined ? 0 : parent.number + 1;
    const hash = keccak256(toHex(`${this.id}/${parent?.hash ?? ""}/${this.#serial}`));
    const logs: RawLog[] = [];
    for (let i = 0; i < logCount * 2; i += 1) {
      // Every second log is of another contract.
      logs.push({
        address: i % 2 === 0 ? watched : other,
        topics: [keccak256(toHex(`${hash}/${i}`))],
        data: toHex(`${number}/${i}`),
        blockNumber: number,
        blockHash: hash,
        transactionHash: keccak256(toHex(`tx/${hash}/${i}`)),
        transactionIndex: i,
        logIndex: i,
      });
    }
    const block: FakeBlock = {
      number,
      hash,
      parentHash: parent?.hash ?? padHex("0x", { size: 32 }),
      timestamp: 1_700_000_000 + number * 12 + (this.#serial % 7),
      logsBloom: this.blooms === "full" ? `0x${"ff".repeat(256)}` : bloomOf(logs),
      verified: false,
      logs,
    };
    this.blocks.set(hash, block);
    this.canonical = [...this.canonical.slice(0, number), block];
    return block;
  }

  get tip(): FakeBlock {
    return this.canonical.at(-1) as FakeBlock;
  }

  /** Mines blocks with the given numbers of logs. */
  mine(...logCounts: number[]): void {
    for (const count of logCounts) this.#add(this.tip, count);
  }

  /** Replaces the newest `depth` blocks. */
  reorg(depth: number, ...logCounts: number[]): void {
    this.canonical = this.canonical.slice(0, Math.max(1, this.canonical.length - depth));
    this.mine(...logCounts);
  }

  /** Canonical blocks as a consumer should have seen them. */
  expected(fromBlock: number, wanted: LogFilter = filter): FollowedBlock[] {
    return this.canonical
      .filter((block) => block.number >= fromBlock)
      .map(({ number, hash, parentHash, timestamp, logs }) => ({
        number,
        hash,
        parentHash,
        timestamp,
        logs: logs.filter((log) => logMatches(log, wanted)),
      }));
  }
}

/** How a fake node misbehaves; changed by tests at any time. */
export type Faults = {
  /** Called before every answer; throws what the node would fail with, or never resolves. */
  before?: (method: keyof BlockSource) => void | Promise<void>;
  /** The node's own view of the canonical chain. */
  view?: (canonical: readonly FakeBlock[]) => readonly FakeBlock[];
  /** Changes logs of an answer. */
  logs?: (logs: readonly RawLog[]) => readonly RawLog[];
  /** Changes headers of an answer. */
  header?: (header: BlockHeader) => BlockHeader;
  chainId?: number;
  receipts?: "honest" | "missing";
};

/** A node over a fake chain. */
export function fakeSource(
  chain: FakeChain,
  name: string,
  faults: Faults = {},
): BlockSource & { calls: Map<string, number> } {
  const calls = new Map<string, number>();
  const enter = async (method: keyof BlockSource): Promise<readonly FakeBlock[]> => {
    calls.set(method, (calls.get(method) ?? 0) + 1);
    await faults.before?.(method);
    return faults.view?.(chain.canonical) ?? chain.canonical;
  };
  const headerOf = (block: FakeBlock | undefined): BlockHeader | undefined => {
    if (block === undefined) return undefined;
    const { logs: _, ...header } = block;
    return faults.header?.(header) ?? header;
  };
  const answer = (logs: readonly RawLog[], wanted: LogFilter): readonly RawLog[] => {
    const matching = logs.filter((log) => logMatches(log, wanted));
    return faults.logs?.(matching) ?? matching;
  };
  return {
    name,
    calls,
    async chainId() {
      await enter("chainId");
      return faults.chainId ?? 31337;
    },
    async latest() {
      return headerOf((await enter("latest")).at(-1)) as BlockHeader;
    },
    async header(reference) {
      const view = await enter("header");
      return headerOf(typeof reference === "number" ? view[reference] : chain.blocks.get(reference));
    },
    async headers(from, to) {
      const view = await enter("headers");
      return view.slice(from, to + 1).map((block) => headerOf(block) as BlockHeader);
    },
    async logs(blockHash, wanted) {
      await enter("logs");
      const block = chain.blocks.get(blockHash);
      if (block === undefined) throw new Error("unknown block");
      return answer(block.logs, wanted);
    },
    async logsRange(from, to, wanted) {
      const view = await enter("logsRange");
      return answer(
        view.slice(from, to + 1).flatMap((block) => block.logs),
        wanted,
      );
    },
    async allLogs(blockHash) {
      await enter("allLogs");
      const block = chain.blocks.get(blockHash);
      if (block === undefined || faults.receipts === "missing") throw new Error("the method does not exist");
      return block.logs;
    },
    async finalized() {
      const view = await enter("finalized");
      return headerOf(view[Math.max(0, view.length - 5)]);
    },
  };
}

/** A consumer that checks every batch against what it has: no gap, no repetition, rollbacks exact. */
export class StrictConsumer {
  blocks: FollowedBlock[] = [];
  batches: Batch[] = [];
  readonly #fromBlock: number;

  constructor(fromBlock: number) {
    this.#fromBlock = fromBlock;
  }

  readonly onBatch = (batch: Batch): void => {
    const { rollback } = batch;
    if (rollback !== undefined) {
      const kept = this.blocks.filter((block) => block.number <= rollback.toBlock);
      if (this.blocks.length - kept.length !== rollback.removed)
        throw new Error(`rollback removes ${rollback.removed}`);
      if (kept.at(-1)?.hash !== rollback.toHash) throw new Error("rollback to a block that was never delivered");
      this.blocks = kept;
    }
    for (const block of batch.blocks) {
      const last = this.blocks.at(-1);
      const number = last === undefined ? this.#fromBlock : last.number + 1;
      if (block.number !== number) throw new Error(`block ${block.number} in place of ${number}`);
      if (last !== undefined && block.parentHash !== last.hash)
        throw new Error(`block ${block.number} hangs in the air`);
      this.blocks.push(block);
    }
    this.batches.push(batch);
  };
}

/** A clock and a sleep that moves it. */
export function fakeTime(): { clock: { now(): number }; sleep: (ms: number, signal: AbortSignal) => Promise<void> } {
  let now = 1_700_000_000_000;
  return {
    clock: { now: () => now },
    sleep: async (ms) => {
      now += ms;
      // Lets pending work of real promises proceed.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** A small deterministic generator (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
