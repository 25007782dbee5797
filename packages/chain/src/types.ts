import type { Address, Hex } from "viem";

/** A block header as far as the follower needs it. */
export type BlockHeader = {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** Unix seconds. */
  readonly timestamp: number;
  /** 256 bytes: the bloom filter over addresses and topics of all logs of the block. */
  readonly logsBloom: Hex;
  /** True when the source recomputed `hash` from the full header, so that bloom, parent and time belong to the hash. */
  readonly verified: boolean;
};

/** A log as a node reports it, with numbers instead of quantities; not decoded. */
export type RawLog = {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly transactionIndex: number;
  /** Position within the block. */
  readonly logIndex: number;
};

/** Which logs are wanted: as the filter of `eth_getLogs`, without a range. */
export type LogFilter = {
  /** One contract, or several. */
  readonly address: Address | readonly Address[];
  /** By position: one topic, a choice of topics, or `null` for any. */
  readonly topics?: readonly (Hex | readonly Hex[] | null)[];
};

/**
 * A node of the chain, as the follower asks it. Every method may fail, lie or be late: the follower expects it.
 * Methods reject with any error; they never return data that they know to be wrong.
 */
export type BlockSource = {
  /** Shown in logs and metrics; never a URL with credentials. */
  readonly name: string;
  /** EIP-155 chain id. */
  chainId(signal?: AbortSignal): Promise<number>;
  /** The newest block that the node knows. */
  latest(signal?: AbortSignal): Promise<BlockHeader>;
  /** A header by number (on the node's canonical chain) or by hash; `undefined` when the node does not have it. */
  header(numberOrHash: number | Hex, signal?: AbortSignal): Promise<BlockHeader | undefined>;
  /** Canonical headers from `from` to `to`, both included; may be shorter when the node's chain ends earlier. */
  headers(from: number, to: number, signal?: AbortSignal): Promise<readonly BlockHeader[]>;
  /** Logs of one block, whatever chain it is on. */
  logs(blockHash: Hex, filter: LogFilter, signal?: AbortSignal): Promise<readonly RawLog[]>;
  /** Logs of canonical blocks from `from` to `to`, both included. */
  logsRange(from: number, to: number, filter: LogFilter, signal?: AbortSignal): Promise<readonly RawLog[]>;
  /** Every log of one block taken from its receipts, unfiltered. Absent or rejecting: the node cannot do it. */
  allLogs?(blockHash: Hex, signal?: AbortSignal): Promise<readonly RawLog[]>;
  /** The newest finalized block, where the chain has the notion. */
  finalized?(signal?: AbortSignal): Promise<BlockHeader | undefined>;
};

/** A canonical block with the logs that match the follower's filter, in log order; usually none. */
export type FollowedBlock = {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly logs: readonly RawLog[];
};

/** Blocks that were delivered before and are not canonical any more: everything above `toBlock`. */
export type Rollback = {
  /** The newest delivered block that stays; `fromBlock - 1` when nothing stays. */
  readonly toBlock: number;
  /** Its hash; `undefined` when nothing stays. */
  readonly toHash: Hex | undefined;
  /** Blocks that are taken back, at least 1. */
  readonly removed: number;
};

/**
 * One step of the chain as the consumer sees it: first take back, then add.
 * Over all batches that were committed, every canonical block occurs exactly once.
 */
export type Batch = {
  readonly rollback?: Rollback;
  /** Consecutive blocks, ascending, the first one on top of what stays; may be empty. */
  readonly blocks: readonly FollowedBlock[];
  /** Newest block known when the batch was made; the batch may end below it. */
  readonly head: { readonly number: number; readonly hash: Hex; readonly timestamp: number };
  /** All blocks up to this number are final by the follower's policy; may lie below `fromBlock`. */
  readonly finalTo: number;
  /** True when every block of the batch is final. */
  readonly final: boolean;
  /** True when the batch ends at `head`: the consumer is up to date. */
  readonly caughtUp: boolean;
};

/**
 * The consumer. Runs inside the transaction of the store that also moves the cursor: what it writes through `tx`
 * and the cursor become durable together or not at all. What it throws ends the follower and rolls back.
 *
 * @typeParam T Handle of the store's transaction: `DatabaseSync` for SQLite, `undefined` for memory.
 */
export type BatchHandler<T> = (batch: Batch, tx: T) => void | Promise<void>;

/** What the store keeps of a delivered block. */
export type StoredHeader = {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** Unix seconds. */
  readonly timestamp: number;
};

/** The durable state of a follower. */
export type FollowerSnapshot = {
  /** Chain id at the first start. */
  readonly chainId: number;
  /** Hash of block 0 at the first start: tells a restarted local chain from a reorganisation. */
  readonly genesisHash: Hex;
  /** First block that was ever asked for. */
  readonly fromBlock: number;
  /** Delivered headers, ascending and without gaps; the last one is the cursor. Empty before the first delivery. */
  readonly tail: readonly StoredHeader[];
};

/** How a batch changes the durable state. */
export type SnapshotUpdate = {
  /** Set at the first delivery. */
  readonly identity?: { readonly chainId: number; readonly genesisHash: Hex; readonly fromBlock: number };
  /** Headers above this number are removed first. */
  readonly truncateAbove?: number;
  /** Headers to add, ascending. */
  readonly append: readonly StoredHeader[];
  /** Headers below this number may be forgotten. */
  readonly pruneBelow: number;
};

/** Where a follower keeps its cursor: SQLite, IndexedDB, memory. */
export type FollowerStore<T> = {
  /** @returns The stored state, or `undefined` before the first delivery. */
  load(): Promise<FollowerSnapshot | undefined>;
  /**
   * Runs `deliver` and writes `update` in one transaction, durable when the promise resolves.
   * Rejects, with nothing written, when `deliver` throws.
   */
  commit(update: SnapshotUpdate, deliver: (tx: T) => void | Promise<void>): Promise<void>;
};
