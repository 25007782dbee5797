import { type Clock, FatalError, isQuorateError, type Logger } from "@quorate/core";
import type { Hex } from "viem";
import { ChainMismatchError, SourceLiedError, SourcesDisagreeError, SourceUnavailableError } from "../errors.ts";
import { withTimeout } from "../sleep.ts";
import type { BlockHeader, BlockSource } from "../types.ts";

/** A source with what is known of it. */
export type PoolEntry = {
  readonly source: BlockSource;
  /** Genesis hash that it reported for the right chain id; cleared when it may have been restarted. */
  genesisHash: Hex | undefined;
  head: BlockHeader | undefined;
  failures: number;
  lies: number;
  /** Failures and lies since the last success; sets the length of the next rest. */
  streak: number;
  /** Milliseconds since the epoch until which it is not asked. */
  restUntil: number;
};

/** Ports and settings of {@link SourcePool}. */
export type PoolOptions = {
  readonly sources: readonly BlockSource[];
  readonly chainId: number;
  /** Sources that must report the same block before it is followed. */
  readonly agreement: number;
  readonly requestTimeoutMs: number;
  /** Longest rest of a failing source. */
  readonly maxRestMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): jitter. */
  readonly random: () => number;
};

/** The head that is followed and who stands for it. */
export type Agreed = { readonly head: BlockHeader; readonly supporters: readonly PoolEntry[] };

const lieRestMs = 2000;
const failureRestMs = 250;

/**
 * Several endpoints seen as one: asks, times out, rests those that fail or lie, and finds the block that enough of them
 * agree on. Has a life because the health of an endpoint outlasts a request.
 */
export class SourcePool {
  readonly entries: readonly PoolEntry[];
  sourceErrors = 0;
  sourceLies = 0;
  disagreements = 0;
  readonly #options: PoolOptions;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.entries = options.sources.map((source) => ({
      source,
      genesisHash: undefined,
      head: undefined,
      failures: 0,
      lies: 0,
      streak: 0,
      restUntil: 0,
    }));
  }

  /** Sources that may be asked now. */
  usable(): PoolEntry[] {
    const now = this.#options.clock.now();
    return this.entries.filter((entry) => entry.restUntil <= now);
  }

  /** Asks one source; a failure is counted against it. */
  async ask<T>(
    entry: PoolEntry,
    action: string,
    signal: AbortSignal,
    question: (source: BlockSource, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await withTimeout(this.#options.requestTimeoutMs, signal, (inner) => question(entry.source, inner));
    } catch (error) {
      signal.throwIfAborted();
      if (isQuorateError(error, "SOURCE_LIED")) {
        this.blame(entry, error as SourceLiedError);
        throw error;
      }
      if (isRangeLimit(error)) throw error;
      this.#rest(entry, failureRestMs);
      entry.failures += 1;
      this.sourceErrors += 1;
      // What comes back after an outage may be another chain.
      entry.genesisHash = undefined;
      const failure = new SourceUnavailableError(entry.source.name, action, error);
      this.#options.logger.warn("source.unavailable", { source: entry.source.name, action, error });
      throw failure;
    }
  }

  /** Asks one source something that it may not be able to answer; no answer is not held against it. */
  async attempt<T>(
    entry: PoolEntry,
    signal: AbortSignal,
    question: (source: BlockSource, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await withTimeout(this.#options.requestTimeoutMs, signal, (inner) => question(entry.source, inner));
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.debug("source.cannot", { source: entry.source.name, error });
      return undefined;
    }
  }

  /** Counts a lie and lets the source rest. */
  blame(entry: PoolEntry, error: SourceLiedError): void {
    entry.lies += 1;
    this.sourceLies += 1;
    entry.genesisHash = undefined;
    this.#rest(entry, lieRestMs);
    this.#options.logger.warn("source.lied", { source: entry.source.name, error });
  }

  /** Ends a streak of failures. */
  praise(entry: PoolEntry): void {
    entry.streak = 0;
  }

  #rest(entry: PoolEntry, baseMs: number): void {
    const { clock, maxRestMs, random } = this.#options;
    const rest = Math.min(maxRestMs, baseMs * 2 ** Math.min(entry.streak, 16));
    entry.streak += 1;
    entry.restUntil = clock.now() + rest * (0.5 + random() / 2);
  }

  /** When the first resting source may be asked again; 0 when one may be asked now. */
  restMs(): number {
    const now = this.#options.clock.now();
    return Math.max(0, Math.min(...this.entries.map((entry) => entry.restUntil - now)));
  }

  /**
   * Reads chain id and genesis of a source.
   *
   * @throws `SOURCE_UNAVAILABLE`, `CHAIN_MISMATCH` as a property of the source (it rests).
   */
  async #identify(entry: PoolEntry, signal: AbortSignal): Promise<void> {
    if (entry.genesisHash !== undefined) return;
    const [chainId, genesis] = await this.ask(entry, "chain id", signal, (source, inner) =>
      Promise.all([source.chainId(inner), source.header(0, inner)]),
    );
    if (chainId !== this.#options.chainId) {
      const error = new ChainMismatchError(this.#options.chainId, chainId, entry.source.name);
      this.blame(
        entry,
        new SourceLiedError(entry.source.name, `it serves chain ${chainId}, expected ${this.#options.chainId}`),
      );
      throw error;
    }
    if (genesis === undefined) {
      this.#rest(entry, failureRestMs);
      throw new SourceUnavailableError(entry.source.name, "block 0", undefined);
    }
    entry.genesisHash = genesis.hash;
  }

  /**
   * Polls the heads of all sources of the right chain.
   *
   * @param stored Genesis of the chain that is followed; `undefined` at the first start.
   * @throws `SOURCE_UNAVAILABLE` when no source can be asked; `CHAIN_MISMATCH` when all of them serve another chain.
   */
  async poll(stored: Hex | undefined, signal: AbortSignal): Promise<PoolEntry[]> {
    const asked = this.usable();
    if (asked.length === 0)
      throw new SourceUnavailableError("every endpoint", "anything; all of them rest after failures", undefined);
    const outcomes = await Promise.allSettled(
      asked.map(async (entry) => {
        await this.#identify(entry, signal);
        const before = entry.head;
        const head = await this.ask(entry, "latest block", signal, (source, inner) => source.latest(inner));
        entry.head = head;
        // A shorter chain than before: perhaps a restarted node. Its identity is read again before anything is taken back.
        if (before !== undefined && head.number < before.number) entry.genesisHash = undefined;
        if (entry.genesisHash === undefined) await this.#identify(entry, signal);
        this.praise(entry);
        return entry;
      }),
    );
    signal.throwIfAborted();
    const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    const answered = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    if (answered.length === 0) {
      const everyMismatch =
        asked.length === this.entries.length && failures.every((failure) => isQuorateError(failure, "CHAIN_MISMATCH"));
      const first =
        failures.find((failure) => !isQuorateError(failure, "CHAIN_MISMATCH") || everyMismatch) ?? failures[0];
      throw first instanceof FatalError && !everyMismatch
        ? new SourceUnavailableError("every endpoint of the right chain", "latest block", first)
        : first;
    }
    const genesis = this.#genesis(answered, stored);
    const right = answered.filter((entry) => entry.genesisHash === genesis);
    for (const entry of answered) {
      if (entry.genesisHash !== genesis)
        this.blame(
          entry,
          new SourceLiedError(entry.source.name, `block 0 is ${entry.genesisHash}, of others ${genesis}`),
        );
    }
    return right;
  }

  /** The genesis that counts: the stored one while anybody serves it, else the one most sources report. */
  #genesis(entries: readonly PoolEntry[], stored: Hex | undefined): Hex {
    const counts = new Map<Hex, number>();
    for (const { genesisHash } of entries) {
      if (genesisHash !== undefined) counts.set(genesisHash, (counts.get(genesisHash) ?? 0) + 1);
    }
    if (stored !== undefined && counts.has(stored)) return stored;
    const [best] = [...counts].sort((a, b) => b[1] - a[1]);
    // One endpoint that serves another chain while the others are silent is no proof that the chain was replaced.
    const replaced = stored !== undefined && best !== undefined && best[1] * 2 <= this.entries.length;
    if (best === undefined || replaced || best[1] < this.#options.agreement) {
      this.disagreements += 1;
      throw new SourcesDisagreeError(0, this.#options.agreement);
    }
    return best[0];
  }

  /**
   * Reads block 0 again from the supporters of a head, before delivered blocks are taken back.
   *
   * @throws `SOURCE_UNAVAILABLE` when none answers, `SOURCES_DISAGREE`.
   */
  async identity(supporters: readonly PoolEntry[], stored: Hex | undefined, signal: AbortSignal): Promise<Hex> {
    for (const entry of supporters) entry.genesisHash = undefined;
    const outcomes = await Promise.allSettled(supporters.map((entry) => this.#identify(entry, signal)));
    signal.throwIfAborted();
    const answered = supporters.filter((entry) => entry.genesisHash !== undefined);
    if (answered.length === 0) {
      throw new SourceUnavailableError(
        "every endpoint",
        "block 0",
        outcomes.find((outcome) => outcome.status === "rejected")?.reason,
      );
    }
    return this.#genesis(answered, stored);
  }

  /**
   * The newest block that enough sources have.
   *
   * @param entries Sources that answered the poll.
   * @param cursorHash Preferred among heads of the same height.
   * @throws `SOURCES_DISAGREE`.
   */
  async agree(entries: readonly PoolEntry[], cursorHash: Hex | undefined, signal: AbortSignal): Promise<Agreed> {
    const { agreement } = this.#options;
    const byHeight = entries
      .filter((entry): entry is PoolEntry & { head: BlockHeader } => entry.head !== undefined)
      .sort(
        (a, b) =>
          b.head.number - a.head.number || Number(b.head.hash === cursorHash) - Number(a.head.hash === cursorHash),
      );
    const needed = byHeight[agreement - 1];
    if (needed === undefined) {
      this.disagreements += 1;
      throw new SourcesDisagreeError(byHeight[0]?.head.number ?? 0, agreement);
    }
    if (agreement === 1) {
      const same = byHeight.filter((entry) => entry.head.hash === needed.head.hash);
      return { head: needed.head, supporters: same };
    }
    // Near the tip sources may be on different forks: step down in growing strides to where they agree.
    for (let height = needed.head.number, stride = 1; height >= 0; height -= stride, stride *= 2) {
      const votes = new Map<Hex, { head: BlockHeader; supporters: PoolEntry[] }>();
      await Promise.all(
        byHeight.map(async (entry) => {
          if (entry.head.number < height) return;
          const header =
            entry.head.number === height
              ? entry.head
              : await this.ask(entry, `block ${height}`, signal, (source, inner) => source.header(height, inner)).catch(
                  () => undefined,
                );
          if (header === undefined) return;
          const vote = votes.get(header.hash) ?? { head: header, supporters: [] };
          vote.supporters.push(entry);
          votes.set(header.hash, vote);
        }),
      );
      signal.throwIfAborted();
      const [best] = [...votes.values()].sort((a, b) => b.supporters.length - a.supporters.length);
      if (best !== undefined && best.supporters.length >= agreement) return best;
    }
    this.disagreements += 1;
    throw new SourcesDisagreeError(needed.head.number, agreement);
  }
}

/**
 * Tells whether a node refused because the answer would be too large; a smaller range may succeed.
 *
 * @param error What the node's client threw.
 */
export function isRangeLimit(error: unknown): boolean {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    const code = (cause as { code?: unknown }).code;
    const text = `${cause.message} ${(cause as { details?: string }).details ?? ""}`;
    if (code === -32005 && !/rate|per second/i.test(text)) return true;
    if (
      /block range|range (is )?too (large|wide)|too many (blocks|results|logs)|more than \d+ (results|logs)|response (size|is too)|(size|result) limit|exceeds? (the )?(max|limit|range)|max(imum)? .*block/i.test(
        text,
      )
    )
      return true;
  }
  return false;
}
