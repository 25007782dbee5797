import type { Hex } from "viem";
import { ChainResetError, ReorgTooDeepError } from "../errors.ts";
import type {
  Batch,
  BlockHeader,
  FollowedBlock,
  FollowerSnapshot,
  Rollback,
  SnapshotUpdate,
  StoredHeader,
} from "../types.ts";

/** The newest block of the chain that the follower is heading for. */
export type Head = {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: number;
};

/** Settings of the pure core. */
export type FollowConfig = {
  readonly chainId: number;
  readonly fromBlock: number;
  /** Blocks that must follow a block before it is final. */
  readonly confirmations: number;
  /** Delivered headers to keep; a deeper reorganisation is an error. */
  readonly keepHeaders: number;
  /** Largest range of one request during back-fill. */
  readonly maxRange: number;
  /** Blocks of one batch near the head. */
  readonly tipRange: number;
};

/** What the core is busy with between two inputs. */
export type FollowPhase =
  | { readonly name: "idle" }
  /** Looking for the newest delivered block that the new chain still has: `match < it < mismatch` as indices of the tail. */
  | {
      readonly name: "searching";
      readonly mismatch: number;
      readonly match: number | undefined;
      readonly stride: number;
    }
  /** Waiting for the hash of block 0, because the next move would take something back or is the first one. */
  | { readonly name: "identifying"; readonly next: "search" | "extend" | "wait" }
  /** Asking for blocks on top of the tail's index `base`; everything above it is taken back with the first of them. */
  | { readonly name: "extending"; readonly base: number };

/** State of the follower: the durable part and what it is doing. */
export type FollowState = {
  readonly config: FollowConfig;
  readonly genesisHash: Hex | undefined;
  /** Delivered headers, ascending, without gaps; the last one is the cursor. */
  readonly tail: readonly StoredHeader[];
  /** Newest final block that the consumer was told of in this process. */
  readonly finalTo: number | undefined;
  /** Present size of ranges. */
  readonly range: number;
  readonly head: Head | undefined;
  /** Number of the finalized block by the chain's own tag, when that policy is used. */
  readonly finalized: number | undefined;
  readonly phase: FollowPhase;
};

/** What the driver found out. */
export type FollowInput =
  /** A poll: the head that enough sources agree on, and the finalized block when the tag is used. */
  | { readonly type: "head"; readonly head: Head; readonly finalized?: number }
  /** Answer to `need-header`: the header on the chain of the head; `undefined` when no source has it now. */
  | { readonly type: "header"; readonly header: Pick<BlockHeader, "number" | "hash"> | undefined }
  /** Answer to `need-identity`. */
  | { readonly type: "identity"; readonly genesisHash: Hex }
  /** Answer to `need-blocks`: all of them, verified as far as sources can be. */
  | { readonly type: "blocks"; readonly blocks: readonly FollowedBlock[] }
  /** `need-blocks` failed; `tooLarge` when a smaller range may succeed. */
  | { readonly type: "failed"; readonly tooLarge: boolean }
  /** The batch of `deliver` is durable. */
  | { readonly type: "delivered" };

/** What the driver is to do next. */
export type FollowOutput =
  /** Nothing before the next poll. `behind`: the sources' head is older than the cursor; `moved`: the chain changed meanwhile. */
  | { readonly type: "wait"; readonly because: "caught-up" | "behind" | "moved" | "failed" }
  | { readonly type: "need-header"; readonly number: number }
  | { readonly type: "need-identity" }
  | {
      readonly type: "need-blocks";
      readonly from: number;
      readonly to: number;
      readonly parentHash: Hex | undefined;
      readonly deep: boolean;
    }
  | { readonly type: "deliver"; readonly batch: Batch; readonly update: SnapshotUpdate }
  | { readonly type: "halt"; readonly error: ChainResetError | ReorgTooDeepError };

/** Result of {@link followStep}. */
export type FollowResult = { readonly state: FollowState; readonly output: FollowOutput };

/**
 * The state at start.
 *
 * @param config Settings.
 * @param snapshot What the store holds, `undefined` at the very first start.
 */
export function initialFollowState(config: FollowConfig, snapshot: FollowerSnapshot | undefined): FollowState {
  return {
    config: snapshot === undefined ? config : { ...config, fromBlock: snapshot.fromBlock },
    genesisHash: snapshot?.genesisHash,
    tail: snapshot?.tail ?? [],
    finalTo: undefined,
    range: config.maxRange,
    head: undefined,
    finalized: undefined,
    phase: { name: "idle" },
  };
}

/**
 * One step of following a chain; pure. The driver feeds in what sources say and does what the output asks for, until it
 * is told to wait. Exactly one output is outstanding at any time; `head` restarts from any phase.
 *
 * @param state State before.
 * @param input What happened.
 * @returns State after, and what to do.
 */
export function followStep(state: FollowState, input: FollowInput): FollowResult {
  switch (input.type) {
    case "head":
      return onHead({ ...state, head: input.head, finalized: input.finalized });
    case "header":
      return onHeader(state, input.header);
    case "identity":
      return onIdentity(state, input.genesisHash);
    case "blocks":
      return onBlocks(state, input.blocks);
    case "failed":
      return onFailed(state, input.tooLarge);
    case "delivered":
      return state.phase.name === "extending" ? askBlocks(state, state.phase.base) : wait(state, "caught-up");
    default:
      return input satisfies never;
  }
}

function wait(state: FollowState, because: "caught-up" | "behind" | "moved" | "failed"): FollowResult {
  return { state: { ...state, phase: { name: "idle" } }, output: { type: "wait", because } };
}

function identify(state: FollowState, next: "search" | "extend" | "wait"): FollowResult {
  return { state: { ...state, phase: { name: "identifying", next } }, output: { type: "need-identity" } };
}

function headOf(state: FollowState): Head {
  if (state.head === undefined) throw new TypeError("followStep needs a head before anything else");
  return state.head;
}

/** True when the tail reaches down to the first block that was asked for, so that a fork below it is no loss. */
function isComplete(state: FollowState): boolean {
  return (state.tail[0]?.number ?? state.config.fromBlock) <= state.config.fromBlock;
}

function onHead(state: FollowState): FollowResult {
  const head = headOf(state);
  const cursor = state.tail.at(-1);
  if (cursor === undefined) {
    if (state.genesisHash === undefined) return identify(state, "extend");
    return head.number < state.config.fromBlock ? wait(state, "behind") : askBlocks(state, -1);
  }
  if (head.hash === cursor.hash) return tellFinality(state);
  if (head.number > cursor.number) {
    if (head.parentHash === cursor.hash) return askBlocks(state, state.tail.length - 1);
    return {
      state: { ...state, phase: { name: "searching", mismatch: state.tail.length, match: undefined, stride: 1 } },
      output: { type: "need-header", number: cursor.number },
    };
  }
  // The head is not above the cursor: endpoints lag, or a shorter chain won.
  const first = state.tail[0] as StoredHeader;
  if (head.number < first.number) return identify(state, "wait");
  if (state.tail[head.number - first.number]?.hash === head.hash) return wait(state, "behind");
  return identify(state, "search");
}

/** No new block; the newest final block may have moved by the chain's own tag, or after a restart. */
function tellFinality(state: FollowState): FollowResult {
  const finalTo = finalityOf(state, state.tail);
  if (finalTo === state.finalTo) return wait(state, "caught-up");
  return deliver(state, state.tail.length - 1, [], undefined);
}

function onHeader(state: FollowState, header: Pick<BlockHeader, "number" | "hash"> | undefined): FollowResult {
  if (state.phase.name !== "searching") return wait(state, "moved");
  const index = probeOf(state.phase);
  const probed = state.tail[index];
  if (header === undefined || probed === undefined || header.number !== probed.number) return wait(state, "moved");
  if (header.hash === probed.hash) {
    if (state.phase.mismatch - index <= 1) return askBlocks(state, index);
    return probe({ ...state, phase: { ...state.phase, match: index } });
  }
  const fresh = state.phase.mismatch === state.tail.length;
  const next: FollowState = { ...state, phase: { ...state.phase, mismatch: index, stride: state.phase.stride * 2 } };
  // Before the first move backwards: is this still the same chain?
  return fresh ? identify(next, "search") : probe(next);
}

/** The index to ask for: at first in growing strides from the top, since most forks are shallow, then by halves. */
function probeOf(phase: {
  readonly mismatch: number;
  readonly match: number | undefined;
  readonly stride: number;
}): number {
  if (phase.match === undefined) return Math.max(0, phase.mismatch - phase.stride);
  return Math.floor((phase.match + phase.mismatch) / 2);
}

function probe(state: FollowState): FollowResult {
  if (state.phase.name !== "searching") return wait(state, "moved");
  const { match, mismatch } = state.phase;
  if (mismatch === 0) {
    if (isComplete(state)) return askBlocks(state, -1);
    const oldest = (state.tail[0] as StoredHeader).number;
    return { state, output: { type: "halt", error: new ReorgTooDeepError(oldest, headOf(state).number) } };
  }
  if (match !== undefined && mismatch - match <= 1) return askBlocks(state, match);
  return { state, output: { type: "need-header", number: (state.tail[probeOf(state.phase)] as StoredHeader).number } };
}

function onIdentity(state: FollowState, genesisHash: Hex): FollowResult {
  if (state.phase.name !== "identifying") return wait(state, "moved");
  if (state.genesisHash !== undefined && state.genesisHash !== genesisHash)
    return { state, output: { type: "halt", error: new ChainResetError(state.genesisHash, genesisHash) } };
  const known: FollowState = { ...state, genesisHash };
  const head = headOf(state);
  switch (state.phase.next) {
    case "wait":
      return wait(known, "behind");
    case "extend":
      return head.number < state.config.fromBlock ? wait(known, "behind") : askBlocks(known, -1);
    case "search": {
      // Everything at or above the head's number differs; below it the search decides.
      const first = (state.tail[0] as StoredHeader).number;
      const mismatch = Math.min(state.tail.length - 1, head.number - first);
      return probe({ ...known, phase: { name: "searching", mismatch, match: undefined, stride: 1 } });
    }
    default:
      return state.phase.next satisfies never;
  }
}

function askBlocks(state: FollowState, base: number): FollowResult {
  const head = headOf(state);
  const below = state.tail[base];
  const from = below === undefined ? state.config.fromBlock : below.number + 1;
  if (from > head.number) return wait(state, "caught-up");
  const deepTo = head.number - state.config.confirmations;
  const deep = from <= deepTo;
  const to = deep ? Math.min(from + state.range - 1, deepTo) : Math.min(from + state.config.tipRange - 1, head.number);
  return {
    state: { ...state, phase: { name: "extending", base } },
    output: { type: "need-blocks", from, to, parentHash: below?.hash, deep },
  };
}

function onFailed(state: FollowState, tooLarge: boolean): FollowResult {
  if (state.phase.name !== "extending") return wait(state, "failed");
  const halved: FollowState = { ...state, range: Math.max(1, Math.floor(state.range / 2)) };
  return tooLarge && state.range > 1 ? askBlocks(halved, state.phase.base) : wait(halved, "failed");
}

function onBlocks(state: FollowState, blocks: readonly FollowedBlock[]): FollowResult {
  if (state.phase.name !== "extending") return wait(state, "moved");
  const { base } = state.phase;
  const below = state.tail[base];
  let number = below === undefined ? state.config.fromBlock : below.number + 1;
  let parent = below?.hash;
  const head = headOf(state);
  for (const block of blocks) {
    const linked = block.number === number && (parent === undefined || block.parentHash === parent);
    // The head itself was agreed on by hash: a chain that ends in another block is not the one asked for.
    if (!linked || number > head.number || (number === head.number && block.hash !== head.hash))
      return wait(state, "moved");
    parent = block.hash;
    number += 1;
  }
  if (blocks.length === 0) return wait(state, "moved");
  const removed = state.tail.length - 1 - base;
  const rollback: Rollback | undefined =
    removed === 0 ? undefined : { toBlock: below?.number ?? state.config.fromBlock - 1, toHash: below?.hash, removed };
  return deliver(state, base, blocks, rollback);
}

function finalityOf(state: FollowState, tail: readonly StoredHeader[]): number {
  const cursor = tail.at(-1)?.number ?? state.config.fromBlock - 1;
  const policy = state.finalized ?? headOf(state).number - state.config.confirmations;
  return Math.min(policy, cursor);
}

function deliver(
  state: FollowState,
  base: number,
  blocks: readonly FollowedBlock[],
  rollback: Rollback | undefined,
): FollowResult {
  const { config } = state;
  const head = headOf(state);
  const append = blocks.map(({ number, hash, parentHash, timestamp }) => ({ number, hash, parentHash, timestamp }));
  const kept = state.tail.slice(0, base + 1);
  const cursor = append.at(-1) ?? (kept.at(-1) as StoredHeader);
  const pruneBelow = cursor.number - config.keepHeaders + 1;
  const tail = [...kept, ...append].filter((header) => header.number >= pruneBelow);
  const finalTo = finalityOf(state, tail);
  const batch: Batch = {
    ...(rollback === undefined ? {} : { rollback }),
    blocks,
    head: { number: head.number, hash: head.hash, timestamp: head.timestamp },
    finalTo,
    final: cursor.number <= finalTo,
    caughtUp: cursor.number === head.number,
  };
  const first = state.tail.length === 0;
  const update: SnapshotUpdate = {
    ...(first
      ? { identity: { chainId: config.chainId, genesisHash: state.genesisHash as Hex, fromBlock: config.fromBlock } }
      : {}),
    ...(rollback === undefined ? {} : { truncateAbove: rollback.toBlock }),
    append,
    pruneBelow,
  };
  return {
    state: {
      ...state,
      tail,
      finalTo,
      range: Math.min(config.maxRange, state.range * 2),
      phase: { name: "extending", base: tail.length - 1 },
    },
    output: { type: "deliver", batch, update },
  };
}
