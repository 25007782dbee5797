import { isQuorateError, QuorateError } from "@quorate/core";
import type { Hex } from "viem";
import type { BlockHeader } from "../types.ts";
import { ChainMovedError, createGatherer, type Gatherer } from "./evidence.ts";
import { configError, type FollowerOptions, type ResolvedFollowerOptions, resolveOptions } from "./options.ts";
import { type Agreed, isRangeLimit, SourcePool } from "./pool.ts";
import { type FollowInput, type FollowOutput, type FollowState, followStep, initialFollowState } from "./step.ts";

/** What a follower counted since it was made. */
export type FollowerCounters = {
  readonly blocks: number;
  readonly logs: number;
  readonly batches: number;
  readonly rollbacks: number;
  readonly blocksRemoved: number;
  /** Rollbacks that took back blocks which had been called final: raise `confirmations`. */
  readonly finalityBroken: number;
  /** Logs that a source left out and that were found by bloom, receipts or another source. */
  readonly omissions: number;
  /** Blooms that announced logs which do not exist; harmless. */
  readonly bloomFalsePositives: number;
  readonly sourceErrors: number;
  readonly sourceLies: number;
  readonly disagreements: number;
};

/** A block in a status. */
export type BlockRef = { readonly number: number; readonly hash: Hex; readonly timestamp: number };

/** Where a follower stands; for readiness checks and metrics. */
export type FollowerStatus = {
  /** Newest delivered block. */
  readonly cursor: BlockRef | undefined;
  /** Newest block of the chain at the last successful poll. */
  readonly head: BlockRef | undefined;
  readonly finalTo: number | undefined;
  /** True when the last poll succeeded and the cursor was at the head. */
  readonly caughtUp: boolean;
  /** Milliseconds since the epoch of the last successful poll. */
  readonly lastPollAt: number | undefined;
  /** Why the last poll failed; `undefined` after a success. */
  readonly lastError: QuorateError | undefined;
  readonly sources: readonly {
    readonly name: string;
    readonly healthy: boolean;
    readonly head: number | undefined;
    readonly failures: number;
    readonly lies: number;
  }[];
  readonly counters: FollowerCounters;
};

/** Follows a chain and feeds a consumer; one activity at a time. */
export type Follower = {
  /**
   * Follows until aborted. Failures of sources are waited out.
   *
   * @throws `CHAIN_RESET`, `CHAIN_MISMATCH`, `REORG_TOO_DEEP`, `FOLLOWER_CONFIG`, or what the handler or the store threw.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Follows up to the present head and returns; failures of sources are waited out. Throws as `run`, and when aborted. */
  sync(signal: AbortSignal): Promise<FollowerStatus>;
  status(): FollowerStatus;
};

/**
 * Makes a follower of one chain. It does nothing before `run` or `sync`.
 *
 * @typeParam T Transaction handle of the store.
 * @param options Sources, store, filter, consumer.
 * @throws `FOLLOWER_CONFIG`.
 */
export function createFollower<T>(options: FollowerOptions<T>): Follower {
  return new ChainFollower(resolveOptions(options));
}

class ChainFollower<T> implements Follower {
  readonly #options: ResolvedFollowerOptions<T>;
  readonly #pool: SourcePool;
  readonly #gatherer: Gatherer;
  #state: FollowState | undefined;
  #busy = false;
  #caughtUp = false;
  #lastPollAt: number | undefined;
  #lastError: QuorateError | undefined;
  readonly #counters = { blocks: 0, logs: 0, batches: 0, rollbacks: 0, blocksRemoved: 0, finalityBroken: 0 };

  constructor(options: ResolvedFollowerOptions<T>) {
    this.#options = options;
    this.#pool = new SourcePool({ ...options, maxRestMs: options.maxPollIntervalMs });
    this.#gatherer = createGatherer({ ...options, pool: this.#pool });
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#exclusive(async () => {
      while (!signal.aborted) {
        const failures = await this.#attempt(signal);
        if (!signal.aborted) await this.#options.sleep(this.#delay(failures), signal);
      }
    });
  }

  async sync(signal: AbortSignal): Promise<FollowerStatus> {
    return await this.#exclusive(async () => {
      for (;;) {
        signal.throwIfAborted();
        const failures = await this.#attempt(signal);
        signal.throwIfAborted();
        if (failures === 0 && this.#caughtUp) return this.status();
        await this.#options.sleep(this.#delay(failures), signal);
      }
    });
  }

  status(): FollowerStatus {
    const ref = (block: BlockRef | undefined): BlockRef | undefined =>
      block === undefined ? undefined : { number: block.number, hash: block.hash, timestamp: block.timestamp };
    const usable = new Set(this.#pool.usable());
    return {
      cursor: ref(this.#state?.tail.at(-1)),
      head: ref(this.#state?.head),
      finalTo: this.#state?.finalTo,
      caughtUp: this.#caughtUp,
      lastPollAt: this.#lastPollAt,
      lastError: this.#lastError,
      sources: this.#pool.entries.map((entry) => ({
        name: entry.source.name,
        healthy: usable.has(entry) && entry.head !== undefined,
        head: entry.head?.number,
        failures: entry.failures,
        lies: entry.lies,
      })),
      counters: {
        ...this.#counters,
        ...this.#gatherer.counters,
        sourceErrors: this.#pool.sourceErrors,
        sourceLies: this.#pool.sourceLies,
        disagreements: this.#pool.disagreements,
      },
    };
  }

  async #exclusive<R>(work: () => Promise<R>): Promise<R> {
    if (this.#busy) throw configError("This follower is already running. Use one run or sync at a time.");
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  #failures = 0;

  /** One poll. Returns the number of failed polls in a row; throws what waiting cannot cure. */
  async #attempt(signal: AbortSignal): Promise<number> {
    try {
      await this.#poll(signal);
      this.#lastError = undefined;
      this.#lastPollAt = this.#options.clock.now();
      this.#failures = 0;
    } catch (error) {
      if (signal.aborted) return this.#failures;
      if (!isWaitable(error)) throw error;
      this.#failures += 1;
      this.#caughtUp = false;
      this.#lastError = error instanceof QuorateError ? error : undefined;
      this.#options.logger.warn("follower.poll-failed", { failures: this.#failures, error });
    }
    return this.#failures;
  }

  #delay(failures: number): number {
    const { pollIntervalMs, maxPollIntervalMs, random } = this.#options;
    const base =
      failures === 0 ? pollIntervalMs : Math.min(maxPollIntervalMs, pollIntervalMs * 2 ** Math.min(failures - 1, 16));
    const jittered = base * (0.8 + random() * 0.4);
    // Nobody to ask before the first of them has rested.
    return Math.max(jittered, failures === 0 ? 0 : Math.min(this.#pool.restMs(), maxPollIntervalMs));
  }

  async #load(): Promise<FollowState> {
    const { store, chainId, fromBlock } = this.#options;
    const snapshot = await store.load();
    if (snapshot !== undefined && snapshot.chainId !== chainId)
      throw configError(
        `The stored state is of chain ${snapshot.chainId}, not of ${chainId}. Use another state or correct the chain id.`,
      );
    if (snapshot !== undefined && snapshot.fromBlock > fromBlock)
      throw configError(
        `The stored state begins at block ${snapshot.fromBlock} and lacks the blocks from ${fromBlock}. Delete it to read the chain again.`,
      );
    return initialFollowState(this.#options, snapshot);
  }

  async #poll(signal: AbortSignal): Promise<void> {
    this.#state ??= await this.#load();
    const heads = await this.#pool.poll(this.#state.genesisHash, signal);
    const agreed = await this.#pool.agree(heads, this.#state.tail.at(-1)?.hash, signal);
    const finalized = await this.#finalized(agreed, signal);
    let input: FollowInput = { type: "head", head: agreed.head, ...(finalized === undefined ? {} : { finalized }) };
    for (;;) {
      const { state, output } = followStep(this.#state, input);
      if (output.type === "deliver") await this.#deliver(output, this.#state);
      this.#state = state;
      if (output.type === "halt") throw output.error;
      if (output.type === "wait") {
        this.#caughtUp = output.because === "caught-up";
        if (output.because === "moved") throw new ChainMovedError("the chain moved while it was read");
        return;
      }
      input = await this.#answer(output, agreed, signal);
    }
  }

  /** Does what the core asks for. */
  async #answer(
    output: Exclude<FollowOutput, { type: "halt" | "wait" }>,
    agreed: Agreed,
    signal: AbortSignal,
  ): Promise<FollowInput> {
    switch (output.type) {
      case "need-header":
        return { type: "header", header: await this.#header(output.number, agreed, signal) };
      case "need-identity":
        return {
          type: "identity",
          genesisHash: await this.#pool.identity(agreed.supporters, this.#state?.genesisHash, signal),
        };
      case "need-blocks":
        try {
          return {
            type: "blocks",
            blocks: await this.#gatherer.gather({ ...output, head: agreed.head }, agreed.supporters, signal),
          };
        } catch (error) {
          if (signal.aborted) throw error;
          if (isRangeLimit(error)) {
            this.#options.logger.info("follower.range-halved", { from: output.from, to: output.to });
            return { type: "failed", tooLarge: output.deep };
          }
          if (this.#state !== undefined)
            this.#state = followStep(this.#state, { type: "failed", tooLarge: false }).state;
          throw error;
        }
      case "deliver":
        return { type: "delivered" };
      default:
        return output satisfies never;
    }
  }

  async #header(number: number, agreed: Agreed, signal: AbortSignal): Promise<BlockHeader | undefined> {
    let last: unknown;
    for (const entry of agreed.supporters) {
      try {
        const header = await this.#pool.ask(entry, `block ${number}`, signal, (source, inner) =>
          source.header(number, inner),
        );
        if (header !== undefined) return header;
      } catch (error) {
        signal.throwIfAborted();
        last = error;
      }
    }
    if (last !== undefined) throw last;
    return undefined;
  }

  async #finalized(agreed: Agreed, signal: AbortSignal): Promise<number | undefined> {
    if (!this.#options.useFinalizedTag) return undefined;
    // The most careful of those that answer; a source without the tag leaves finality where it was.
    const answers = await Promise.all(
      agreed.supporters.map((entry) =>
        this.#pool.attempt(entry, signal, async (source, inner) => await source.finalized?.(inner)),
      ),
    );
    const numbers = answers.flatMap((header) => (header === undefined ? [] : [header.number]));
    return numbers.length === 0 ? (this.#state?.finalTo ?? this.#options.fromBlock - 1) : Math.min(...numbers);
  }

  async #deliver(output: Extract<FollowOutput, { type: "deliver" }>, before: FollowState): Promise<void> {
    const { batch, update } = output;
    await this.#options.store.commit(update, (tx) => this.#options.onBatch(batch, tx));
    this.#counters.batches += 1;
    this.#counters.blocks += batch.blocks.length;
    this.#counters.logs += batch.blocks.reduce((sum, block) => sum + block.logs.length, 0);
    if (batch.rollback === undefined) return;
    this.#counters.rollbacks += 1;
    this.#counters.blocksRemoved += batch.rollback.removed;
    const broken = before.finalTo !== undefined && batch.rollback.toBlock < before.finalTo;
    if (broken) this.#counters.finalityBroken += 1;
    this.#options.logger[broken ? "error" : "info"](broken ? "follower.finality-broken" : "follower.rollback", {
      ...batch.rollback,
    });
  }
}

/** Failures that a later poll may not meet. */
function isWaitable(error: unknown): boolean {
  return (
    error instanceof ChainMovedError ||
    isRangeLimit(error) ||
    ["SOURCE_UNAVAILABLE", "SOURCE_LIED", "SOURCES_DISAGREE"].some((code) => isQuorateError(error, code))
  );
}
