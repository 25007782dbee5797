import { type Clock, FatalError, type Logger, silentLogger, systemClock } from "@quorate/core";
import { type Sleep, sleep } from "../sleep.ts";
import type { BatchHandler, BlockSource, FollowerStore, LogFilter } from "../types.ts";

/** Ports and settings of `createFollower`. */
export type FollowerOptions<T> = {
  /** Nodes of one chain, preferred first. */
  readonly sources: readonly BlockSource[];
  readonly store: FollowerStore<T>;
  readonly filter: LogFilter;
  /** EIP-155 chain id that every source must serve. */
  readonly chainId: number;
  /** First block to deliver, for example the block in which the contract was deployed. */
  readonly fromBlock: number;
  readonly onBatch: BatchHandler<T>;
  /** Blocks that must follow a block before it is final; 12 by default, 0 is final at once. */
  readonly confirmations?: number;
  /** Takes finality from the chain's `finalized` tag in place of `confirmations`, which then only bounds the back-fill. */
  readonly useFinalizedTag?: boolean;
  /** Sources that must report the same blocks and logs; by default 2 with three or more sources, else 1. */
  readonly agreement?: number;
  /** Delivered headers kept: the deepest reorganisation that is an ordinary event; 8192 by default. */
  readonly keepHeaders?: number;
  /** Largest range of a request during back-fill; 2000 by default. Halved when a node refuses. */
  readonly maxRange?: number;
  /** Blocks of one batch near the head; 32 by default. */
  readonly tipRange?: number;
  /** Time between polls; 1000 by default, with jitter, longer after failures. */
  readonly pollIntervalMs?: number;
  /** Longest time between polls after failures; 30000 by default. */
  readonly maxPollIntervalMs?: number;
  /** Longest wait for one answer of a source; 10000 by default. */
  readonly requestTimeoutMs?: number;
  /** `ignore` on chains whose headers carry no real blooms; `check` by default. */
  readonly bloom?: "check" | "ignore";
  /** Polls on which a lone source without receipts must repeat "no logs" against a bloom; 5 by default. */
  readonly patience?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Replaces waiting, for tests. */
  readonly sleep?: Sleep;
  /** Uniform in [0, 1), for jitter; replaces `Math.random` in tests. */
  readonly random?: () => number;
};

/** {@link FollowerOptions} with every default filled in. */
export type ResolvedFollowerOptions<T> = Required<FollowerOptions<T>>;

/**
 * Fills in defaults and refuses settings that cannot work.
 *
 * @throws `FOLLOWER_CONFIG`.
 */
export function resolveOptions<T>(options: FollowerOptions<T>): ResolvedFollowerOptions<T> {
  const resolved: ResolvedFollowerOptions<T> = {
    confirmations: 12,
    useFinalizedTag: false,
    agreement: options.sources.length >= 3 ? 2 : 1,
    keepHeaders: 8192,
    maxRange: 2000,
    tipRange: 32,
    pollIntervalMs: 1000,
    maxPollIntervalMs: 30_000,
    requestTimeoutMs: 10_000,
    bloom: "check",
    patience: 5,
    clock: systemClock,
    logger: silentLogger,
    sleep,
    random: Math.random,
    ...options,
  };
  const wholeFrom = (
    least: number,
    ...names: (
      | "confirmations"
      | "agreement"
      | "keepHeaders"
      | "maxRange"
      | "tipRange"
      | "fromBlock"
      | "patience"
      | "chainId"
    )[]
  ): void => {
    for (const name of names) {
      if (!Number.isSafeInteger(resolved[name]) || resolved[name] < least)
        throw configError(`${name} is ${resolved[name]}; it must be a whole number of at least ${least}.`);
    }
  };
  wholeFrom(0, "confirmations", "fromBlock");
  wholeFrom(1, "agreement", "keepHeaders", "maxRange", "tipRange", "patience", "chainId");
  if (resolved.sources.length < resolved.agreement)
    throw configError(
      `${resolved.agreement} sources must agree, but only ${resolved.sources.length} are given. Add endpoints or lower agreement.`,
    );
  if (resolved.keepHeaders <= resolved.confirmations)
    throw configError(`keepHeaders (${resolved.keepHeaders}) must exceed confirmations (${resolved.confirmations}).`);
  return resolved;
}

/** A setting of a follower that cannot work. */
export function configError(message: string): FatalError {
  return new FatalError("FOLLOWER_CONFIG", message);
}
