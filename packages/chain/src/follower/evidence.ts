import { isQuorateError, type Logger } from "@quorate/core";
import type { Hex } from "viem";
import { bloomHoldsLog, bloomMayMatch, bloomOf, logMatches } from "../bloom.ts";
import { SourceLiedError, SourceUnavailableError } from "../errors.ts";
import type { BlockHeader, FollowedBlock, LogFilter, RawLog } from "../types.ts";
import { isRangeLimit, type PoolEntry, type SourcePool } from "./pool.ts";
import type { Head } from "./step.ts";

/** Blocks that the core asks for. */
export type BlockRequest = {
  readonly from: number;
  readonly to: number;
  /** Hash of the block below `from`; `undefined` when nothing below is known. */
  readonly parentHash: Hex | undefined;
  /** Far enough below the head for logs by range. */
  readonly deep: boolean;
  readonly head: Head;
};

/** What the gatherer counts. */
export type EvidenceCounters = { omissions: number; bloomFalsePositives: number };

/** Settings of {@link createGatherer}. */
export type GathererOptions = {
  readonly pool: SourcePool;
  readonly filter: LogFilter;
  readonly agreement: number;
  /** `check`: blooms prove absence and expose omissions; `ignore`: the chain's blooms mean nothing. */
  readonly bloom: "check" | "ignore";
  /** Times a lone source without receipts must repeat "no logs" against its bloom before it is believed. */
  readonly patience: number;
  readonly logger: Logger;
};

/** The chain under the request changed between two questions; ask for the head again. */
export class ChainMovedError extends Error {}

/** Collects blocks with their logs from the sources, verified as far as they can be. */
export type Gatherer = {
  readonly counters: EvidenceCounters;
  /**
   * @param request Which blocks.
   * @param supporters Sources that reported the head, best first.
   * @throws {@link ChainMovedError}; a range limit as the node reported it; `SOURCE_UNAVAILABLE`, `SOURCE_LIED`.
   */
  gather(request: BlockRequest, supporters: readonly PoolEntry[], signal: AbortSignal): Promise<FollowedBlock[]>;
};

const keyOf = (log: RawLog): string =>
  `${log.logIndex}:${log.transactionHash}:${log.address}:${log.topics.join()}:${log.data}`;
const sameLogs = (a: readonly RawLog[], b: readonly RawLog[]): boolean =>
  a.length === b.length && a.every((log, i) => keyOf(log) === keyOf(b[i] as RawLog));

/**
 * Makes a gatherer.
 *
 * @param options Sources, filter and how much to believe.
 */
export function createGatherer(options: GathererOptions): Gatherer {
  const { pool, filter, agreement, logger } = options;
  const counters: EvidenceCounters = { omissions: 0, bloomFalsePositives: 0 };
  /** How often a lone source insisted that a block has no logs. */
  const insisted = new Map<Hex, number>();
  const mayMatch = (header: BlockHeader): boolean =>
    options.bloom === "ignore" || bloomMayMatch(header.logsBloom, filter);

  function lie(entry: PoolEntry, what: string): SourceLiedError {
    const error = new SourceLiedError(entry.source.name, what);
    pool.blame(entry, error);
    return error;
  }

  function checkHeaders(entry: PoolEntry, headers: readonly BlockHeader[], request: BlockRequest): void {
    let number = request.from;
    let parent: Hex | undefined = request.parentHash;
    for (const header of headers) {
      if (header.number !== number) throw lie(entry, `block ${header.number} in place of block ${number}`);
      if (parent !== undefined && header.parentHash !== parent) {
        // At the seam the chain may have moved since the last question; inside one answer it is a forged parent,
        // or a reorganisation between two requests of the same batch: both end in asking again.
        if (number === request.from) throw new ChainMovedError(`block ${number} is not on top of ${parent}`);
        throw lie(entry, `block ${number} does not name block ${number - 1} as its parent`);
      }
      parent = header.hash;
      number += 1;
    }
    if (number <= request.to) throw new ChainMovedError(`the chain ends at block ${number - 1}`);
    if (request.to === request.head.number && parent !== request.head.hash)
      throw new ChainMovedError(`block ${request.to} is not the head that was agreed on`);
  }

  /** Checks logs against their block; throws the lie. */
  function checkLogs(entry: PoolEntry, header: BlockHeader, logs: readonly RawLog[]): void {
    let last = -1;
    for (const log of logs) {
      if (log.blockHash !== header.hash || log.blockNumber !== header.number)
        throw lie(
          entry,
          `a log of block ${log.blockNumber} ${log.blockHash} for block ${header.number} ${header.hash}`,
        );
      if (!logMatches(log, filter)) throw lie(entry, `a log that does not match the filter in block ${header.number}`);
      if (log.logIndex <= last) throw lie(entry, `logs of block ${header.number} repeat or are out of order`);
      if (options.bloom === "check" && !bloomHoldsLog(header.logsBloom, log))
        throw lie(entry, `a log that the bloom of block ${header.number} excludes`);
      last = log.logIndex;
    }
  }

  async function logsByHash(entry: PoolEntry, header: BlockHeader, signal: AbortSignal): Promise<readonly RawLog[]> {
    const logs = await pool.ask(entry, `logs of block ${header.number}`, signal, (source, inner) =>
      source.logs(header.hash, filter, inner),
    );
    const sorted = [...logs].sort((a, b) => a.logIndex - b.logIndex);
    checkLogs(entry, header, sorted);
    return sorted;
  }

  /** All logs of the request's blocks by one source, in the order of the headers. */
  async function logsOf(
    entry: PoolEntry,
    headers: readonly BlockHeader[],
    deep: boolean,
    signal: AbortSignal,
  ): Promise<(readonly RawLog[])[]> {
    if (!deep) {
      // A bloom that belongs to the hash proves absence: most blocks need no question.
      return await Promise.all(
        headers.map((header) => (header.verified && !mayMatch(header) ? [] : logsByHash(entry, header, signal))),
      );
    }
    const from = (headers[0] as BlockHeader).number;
    const to = (headers.at(-1) as BlockHeader).number;
    const all = await pool.ask(entry, `logs of blocks ${from} to ${to}`, signal, (source, inner) =>
      source.logsRange(from, to, filter, inner),
    );
    const byNumber = new Map<number, RawLog[]>();
    for (const log of all) {
      if (log.blockNumber < from || log.blockNumber > to)
        throw lie(entry, `a log of block ${log.blockNumber} for blocks ${from} to ${to}`);
      const list = byNumber.get(log.blockNumber) ?? [];
      list.push(log);
      byNumber.set(log.blockNumber, list);
    }
    return headers.map((header) => {
      const logs = (byNumber.get(header.number) ?? []).sort((a, b) => a.logIndex - b.logIndex);
      checkLogs(entry, header, logs);
      return logs;
    });
  }

  /** The matching logs of a block by its receipts, if a source's receipts are complete by the header's own bloom. */
  async function fromReceipts(
    entry: PoolEntry,
    header: BlockHeader,
    signal: AbortSignal,
  ): Promise<readonly RawLog[] | undefined> {
    if (entry.source.allLogs === undefined) return undefined;
    // Many nodes do not have the method, which is no failure.
    const all = await pool.attempt(entry, signal, async (source, inner) => await source.allLogs?.(header.hash, inner));
    if (all === undefined) return undefined;
    if (bloomOf(all) !== header.logsBloom.toLowerCase()) return undefined;
    const logs = all.filter((log) => logMatches(log, filter)).sort((a, b) => a.logIndex - b.logIndex);
    if (logs.some((log) => log.blockHash !== header.hash)) return undefined;
    return logs;
  }

  /**
   * Decides what a block holds when a source's answer and the bloom, or two sources, contradict each other.
   *
   * @param said The answers so far, by source.
   * @param byHash Whether they were given for the block's hash.
   */
  async function settle(
    header: BlockHeader,
    said: Map<PoolEntry, readonly RawLog[]>,
    byHash: boolean,
    signal: AbortSignal,
  ): Promise<readonly RawLog[]> {
    // What a node says about a range may stem from a moment at which it did not have the block yet; by hash it either
    // knows the block or fails. Only such answers count, those of the first sources included.
    const first = new Map(said);
    const ranged = byHash ? [] : [...said.keys()];
    for (const entry of ranged) said.delete(entry);
    const conclude = (logs: readonly RawLog[]): readonly RawLog[] => {
      insisted.delete(header.hash);
      for (const [entry, answer] of said) {
        if (answer.length < logs.length)
          lie(entry, `${answer.length} of ${logs.length} logs of block ${header.number}`);
      }
      if ([...first.values(), ...said.values()].some((answer) => answer.length < logs.length)) counters.omissions += 1;
      if (logs.length === 0) counters.bloomFalsePositives += 1;
      return logs;
    };
    const agreed = (): readonly RawLog[] | undefined =>
      [...said.values()].find(
        (logs) => [...said.values()].filter((other) => sameLogs(other, logs)).length >= Math.max(2, agreement),
      );
    const others = [...ranged, ...pool.usable().filter((entry) => !said.has(entry) && !ranged.includes(entry))];
    const early = agreed();
    if (early !== undefined) return conclude(early);
    for (const entry of others) {
      try {
        said.set(entry, await logsByHash(entry, header, signal));
      } catch (error) {
        signal.throwIfAborted();
        logger.debug("evidence.no-second-word", { source: entry.source.name, error });
        continue;
      }
      const logs = agreed();
      if (logs !== undefined) return conclude(logs);
    }
    const proven = await firstDefined([...said.keys()], (entry) => fromReceipts(entry, header, signal));
    if (proven !== undefined) return conclude(proven);
    if (said.size === 1 && agreement === 1) {
      const [[entry, logs] = []] = [...said];
      if (entry !== undefined && logs !== undefined) {
        if (logs.length > 0) return conclude(logs);
        // A lone source without receipts: a bloom can be wrong, a node can be late. Ask on several polls, then believe.
        const times = (insisted.get(header.hash) ?? 0) + 1;
        insisted.set(header.hash, times);
        if (insisted.size > 1024) insisted.delete(insisted.keys().next().value as Hex);
        if (times >= options.patience) return conclude(logs);
      }
    } else if (agreement === 1) {
      // Two words against each other and no proof: logs that are in the bloom exist more likely than not.
      const longest = [...said.values()].sort((a, b) => b.length - a.length)[0];
      if (longest !== undefined && longest.length > 0) return conclude(longest);
    }
    throw new SourceUnavailableError(
      "enough endpoints",
      `the logs of block ${header.number}, whose bloom says that there are some`,
      undefined,
    );
  }

  /** A second source must have the same blocks, and gives its own logs of them. */
  async function witness(
    entry: PoolEntry,
    headers: readonly BlockHeader[],
    deep: boolean,
    signal: AbortSignal,
  ): Promise<(readonly RawLog[])[]> {
    // The last hash vouches for all of a range whose hashes were recomputed; else parents and times are only claims.
    const compared = headers.every((header) => header.verified) ? headers.slice(-1) : headers;
    const from = (compared[0] as BlockHeader).number;
    const to = (compared.at(-1) as BlockHeader).number;
    const own = await pool.ask(entry, `blocks ${from} to ${to}`, signal, (source, inner) =>
      source.headers(from, to, inner),
    );
    const same = compared.every(({ hash, parentHash, timestamp, logsBloom }, i) => {
      const found = own[i];
      return (
        found?.hash === hash &&
        found.parentHash === parentHash &&
        found.timestamp === timestamp &&
        found.logsBloom === logsBloom
      );
    });
    if (!same) throw new ChainMovedError(`${entry.source.name} has other blocks ${from} to ${to}`);
    return await logsOf(entry, headers, deep, signal);
  }

  async function gatherFrom(
    entry: PoolEntry,
    witnesses: readonly PoolEntry[],
    request: BlockRequest,
    signal: AbortSignal,
  ): Promise<FollowedBlock[]> {
    const { from, to, deep } = request;
    const headers = await pool.ask(entry, `blocks ${from} to ${to}`, signal, (source, inner) =>
      source.headers(from, to, inner),
    );
    checkHeaders(entry, headers, request);
    const answers = new Map<PoolEntry, (readonly RawLog[])[]>();
    answers.set(entry, await logsOf(entry, headers, deep, signal));
    for (const other of witnesses) {
      if (answers.size >= agreement) break;
      try {
        answers.set(other, await witness(other, headers, deep, signal));
      } catch (error) {
        signal.throwIfAborted();
        if (isRangeLimit(error)) throw error;
        logger.debug("evidence.no-witness", { source: other.source.name, error });
      }
    }
    if (answers.size < agreement)
      throw new SourceUnavailableError(`a witness beside ${entry.source.name}`, `blocks ${from} to ${to}`, undefined);
    const blocks: FollowedBlock[] = [];
    for (const [i, header] of headers.entries()) {
      const said = new Map([...answers].map(([source, lists]) => [source, lists[i] ?? []] as const));
      let [logs = []] = said.values();
      const unanimous = [...said.values()].every((other) => sameLogs(other, logs));
      const suspicious = logs.length === 0 && options.bloom === "check" && mayMatch(header);
      if (!unanimous || suspicious) logs = await settle(header, said, !deep, signal);
      blocks.push({
        number: header.number,
        hash: header.hash,
        parentHash: header.parentHash,
        timestamp: header.timestamp,
        logs,
      });
    }
    pool.praise(entry);
    return blocks;
  }

  return {
    counters,
    async gather(request, supporters, signal) {
      let last: unknown = new SourceUnavailableError(
        "every endpoint",
        `blocks ${request.from} to ${request.to}`,
        undefined,
      );
      const resting = new Set(pool.entries.filter((entry) => !pool.usable().includes(entry)));
      const able = supporters.filter((entry) => !resting.has(entry));
      for (const entry of able) {
        try {
          return await gatherFrom(
            entry,
            able.filter((other) => other !== entry),
            request,
            signal,
          );
        } catch (error) {
          signal.throwIfAborted();
          last = error;
          const expected = error instanceof ChainMovedError || isRangeLimit(error) || isQuorateError(error);
          if (!expected) throw error;
          // The same limit would hold elsewhere, or a smaller range is cheaper than another endpoint.
          if (isRangeLimit(error)) throw error;
        }
      }
      throw last;
    },
  };
}

async function firstDefined<T, R>(
  items: readonly T[],
  ask: (item: T) => Promise<R | undefined>,
): Promise<R | undefined> {
  for (const item of items) {
    const found = await ask(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
