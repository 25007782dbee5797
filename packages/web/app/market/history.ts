import {
  type BlockHeader,
  type BlockSource,
  bloomHoldsLog,
  type FollowerSnapshot,
  type LogFilter,
  logMatches,
  type RawLog,
} from "@quorate/chain";
import { FatalError } from "@quorate/core";
import type { StoredLog } from "../data/log.ts";

/** How far the reading of older history is. */
export type HistoryProgress = {
  /** Reading from the index, or checking against the chain. */
  readonly step: "reading" | "checking";
  /** Blocks. */
  readonly done: number;
  readonly of: number;
};

/** What is read, and from whom. */
export type HistoryOptions = {
  /** Endpoint that answers for long ranges; nobody trusts it. */
  readonly index: BlockSource;
  /** The visitor's nodes, preferred first. */
  readonly sources: readonly BlockSource[];
  readonly chainId: number;
  readonly filter: LogFilter;
  readonly fromBlock: number;
  /** What was read before: up to the block below `fromBlock`. Undefined for a first visit. */
  readonly before?: FollowerSnapshot | undefined;
  /** Last block that is read, final by the visitor's policy; not below `fromBlock`. */
  readonly through: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: HistoryProgress) => void;
  /** Uniform in [0, 1); replaces `Math.random` in tests. */
  readonly random?: () => number;
};

/** Older history that held against the chain, as far as it was looked at. */
export type History = {
  /** From here a follower goes on. */
  readonly snapshot: FollowerSnapshot;
  /** In the order of the chain. */
  readonly logs: readonly StoredLog[];
  /** Ranges of blocks in which the nodes were asked for all logs. */
  readonly places: number;
};

/** Blocks that the index is asked about at first; fewer when it refuses. */
const LONGEST_RANGE = 100_000;
/** Below this an index is no better than any node. */
const SHORTEST_RANGE = 1_000;
const ANSWER_MS = 30_000;
/** More than this no page can hold: events, and characters of their data. */
const MAX_LOGS = 200_000;
const MAX_DATA_LENGTH = 256 * 1024 * 1024;
/** Headers that are asked for at once. */
const HEADERS_AT_ONCE = 100;
/** Places chosen among all blocks, and as many among the logs. */
const PLACES_EACH = 16;
/** Blocks of a place: what any node answers. */
const PLACE_BLOCKS = 256;

/**
 * Reads older history from an index, and holds it against the visitor's own nodes: the block of every log is theirs by its hash, and
 * its bloom has room for the log; in places that the index cannot foresee, all logs are compared.
 *
 * An index that leaves out logs of blocks outside these places is not noticed: nothing that spends may rest on such history.
 *
 * @param options - What is read, and from whom.
 * @throws FatalError `INDEX_REFUSED` when the index and the nodes do not say the same, or the index has not read as far; errors of the
 * sources; the signal's reason.
 */
export async function readHistory(options: HistoryOptions): Promise<History> {
  const { index, chainId, fromBlock, before, through, signal } = options;
  const indexed = await index.chainId(signal);
  if (indexed !== chainId) throw refused(index, `it is of chain ${indexed}, not of ${chainId}`);
  const cursor = before?.tail.at(-1);
  const [genesis, below, tip, reached] = await Promise.all([
    headerOf(options, 0),
    cursor === undefined ? undefined : headerOf(options, cursor.number),
    headerOf(options, through),
    index.header(through, signal),
  ]);
  if (below?.hash !== cursor?.hash || (before !== undefined && before.genesisHash !== genesis.hash))
    throw refused(index, "your nodes do not have the block up to which this browser has read");
  if (reached === undefined) throw refused(index, `it has not read as far as block ${through}`);
  if (reached.hash !== tip.hash) throw refused(index, `its block ${through} is not that of your nodes`);
  const raw = await readLogs(options);
  const logs = await placeLogs(options, raw);
  const places = await compareInPlaces(options, raw);
  const { hash, parentHash, timestamp } = tip;
  const tail = [{ number: through, hash, parentHash, timestamp }];
  const identity = before ?? { chainId, genesisHash: genesis.hash, fromBlock };
  return { snapshot: { ...identity, tail }, logs, places };
}

/** Reads all ranges, shorter ones where the index refuses. */
async function readLogs(options: HistoryOptions): Promise<readonly RawLog[]> {
  const { index, filter, fromBlock, through, signal, onProgress } = options;
  const logs: RawLog[] = [];
  let range = LONGEST_RANGE;
  let dataLength = 0;
  for (let from = fromBlock; from <= through; ) {
    onProgress?.({ step: "reading", done: from - fromBlock, of: through - fromBlock + 1 });
    const to = Math.min(through, from + range - 1);
    let found: readonly RawLog[];
    try {
      found = await index.logsRange(from, to, filter, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
    } catch (error) {
      signal.throwIfAborted();
      if (range <= SHORTEST_RANGE) throw error;
      range = Math.max(SHORTEST_RANGE, Math.floor(range / 4));
      continue;
    }
    let last = logs.at(-1);
    for (const log of found) {
      if (!logMatches(log, filter) || log.blockNumber < from || log.blockNumber > to)
        throw refused(index, `it answered with a log of block ${log.blockNumber} that it was not asked for`);
      if (last !== undefined && !isBefore(last, log))
        throw refused(index, `its logs of block ${log.blockNumber} are out of order`);
      logs.push(log);
      last = log;
      dataLength += log.data.length;
    }
    if (logs.length > MAX_LOGS || dataLength > MAX_DATA_LENGTH)
      throw refused(
        index,
        `it has more than ${MAX_LOGS} events or ${MAX_DATA_LENGTH} characters of data, too many for a page`,
      );
    from = to + 1;
  }
  return logs;
}

function isBefore(one: RawLog, other: RawLog): boolean {
  return one.blockNumber === other.blockNumber ? one.logIndex < other.logIndex : one.blockNumber < other.blockNumber;
}

/** Finds the block of every log at the visitor's nodes: it must be there by its hash, with a bloom that has room for the log. */
async function placeLogs(options: HistoryOptions, logs: readonly RawLog[]): Promise<readonly StoredLog[]> {
  const { index, onProgress } = options;
  const numbers = [...new Set(logs.map(({ blockNumber }) => blockNumber))];
  const headers = new Map<number, BlockHeader>();
  for (let done = 0; done < numbers.length; done += HEADERS_AT_ONCE) {
    onProgress?.({ step: "checking", done, of: numbers.length });
    const asked = numbers.slice(done, done + HEADERS_AT_ONCE);
    for (const header of await Promise.all(asked.map((number) => headerOf(options, number))))
      headers.set(header.number, header);
  }
  return logs.map((log) => {
    const header = headers.get(log.blockNumber);
    if (header?.hash !== log.blockHash || !bloomHoldsLog(header.logsBloom, log))
      throw refused(index, `block ${log.blockNumber} of your nodes does not hold an event that it tells`);
    return { ...log, timestamp: header.timestamp };
  });
}

/** Compares all logs in places that nobody can foresee: half of them among the blocks, half among the logs. */
async function compareInPlaces(options: HistoryOptions, logs: readonly RawLog[]): Promise<number> {
  const { index, filter, fromBlock, through, signal, random = Math.random } = options;
  const below = (end: number): number => Math.floor(random() * end);
  const centres = Array.from({ length: PLACES_EACH }, () => fromBlock + below(through - fromBlock + 1));
  for (let n = 0; n < PLACES_EACH; n++) {
    const log = logs[below(logs.length)];
    if (log !== undefined) centres.push(log.blockNumber);
  }
  const starts = new Set(centres.map((centre) => Math.max(fromBlock, centre - below(PLACE_BLOCKS))));
  for (const from of starts) {
    const to = Math.min(through, from + PLACE_BLOCKS - 1);
    const theirs = await askNodes(options, (source) => source.logsRange(from, to, filter, signal));
    const told = logs.filter(({ blockNumber }) => blockNumber >= from && blockNumber <= to);
    if (JSON.stringify(told.map(entryOf)) !== JSON.stringify(theirs.map(entryOf)))
      throw refused(index, `of the blocks ${from} to ${to} it tells other events than your nodes`);
  }
  return starts.size;
}

function entryOf({ address, topics, data, blockHash, transactionHash, logIndex }: RawLog): readonly unknown[] {
  return [address, topics, data.toLowerCase(), blockHash, transactionHash, logIndex];
}

async function headerOf(options: HistoryOptions, number: number): Promise<BlockHeader> {
  return await askNodes(options, async (source) => {
    const header = await source.header(number, options.signal);
    if (header === undefined) throw new Error(`${source.name} does not have block ${number}`);
    return header;
  });
}

/** Asks the first of the visitor's nodes that answers. */
async function askNodes<T>({ sources, signal }: HistoryOptions, ask: (source: BlockSource) => Promise<T>): Promise<T> {
  let failure: unknown;
  for (const source of sources) {
    try {
      return await ask(source);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

function refused(index: BlockSource, why: string): FatalError {
  return new FatalError(
    "INDEX_REFUSED",
    `The index at ${index.name} is of no use here: ${why}. Read older history from the chain, or name another index in the settings.`,
    { docsPath: "web.md#older-history" },
  );
}
