import {
  type Batch,
  type BlockSource,
  createFollower,
  type Follower,
  type FollowerSnapshot,
  type LogFilter,
  sleep,
} from "@quorate/chain";
import { type Address, isQuorateError } from "@quorate/core";
import { exclusively } from "../data/db.ts";
import {
  adoptHistory,
  followerStore,
  forgetIndex,
  type IndexTransaction,
  logsAbove,
  writeBatch,
} from "../data/followerStore.ts";
import { readSetting, writeSetting } from "../data/settings.ts";
import { explain } from "../lib/explain.ts";
import { type HistoryProgress, readHistory } from "./history.ts";
import { emptyModel, foldLogs, type MarketModel } from "./model.ts";

/** A block as far as people see it. */
export type Head = {
  readonly number: number;
  /** Unix s, of the chain. */
  readonly timestamp: number;
  /** When this tab heard of it, milliseconds of `performance.now()`. */
  readonly heardAt: number;
};

/** What keeps the market from being read. */
export type Problem = {
  readonly code: string;
  readonly message: string;
  /** Unix ms. */
  readonly since: number;
};

/** An index that older history is being read from, or why it was not used. */
export type IndexUse =
  | { readonly kind: "used"; readonly host: string; readonly progress: HistoryProgress }
  | { readonly kind: "refused"; readonly host: string; readonly code: string; readonly message: string };

/** The market as this tab knows it. */
export type HubState = {
  readonly model: MarketModel;
  readonly head: Head | undefined;
  /** Newest block that the model contains; -1 before the first. */
  readonly cursor: number;
  /** First block of the index: what happened before is not in the model. Undefined before it is known. */
  readonly since: number | undefined;
  /** True once the model reached the head. */
  readonly isCurrent: boolean;
  readonly problem: Problem | undefined;
  /** Undefined where no index is named, and after its history was taken over. */
  readonly index: IndexUse | undefined;
};

/** What a hub reads. */
export type HubOptions = {
  /** Tells one network of this browser from another. */
  readonly key: string;
  readonly chainId: number;
  readonly market: Address;
  readonly queryMarket?: Address | undefined;
  readonly fromBlock: number;
  readonly confirmations: number;
  /** Blocks that a first visit reads back at most: every header is checked, and a page should not take hours for it. */
  readonly firstVisitBlocks: number;
  readonly sources: readonly BlockSource[];
  /** Where a first visit reads what happened before; nowhere if absent. */
  readonly index?: BlockSource | undefined;
};

/** One tab follows and tells the others. */
type Message =
  | { readonly kind: "hello" }
  | {
      readonly kind: "status";
      readonly head: Omit<Head, "heardAt"> | undefined;
      readonly cursor: number;
      readonly since: number | undefined;
      readonly isCurrent: boolean;
      readonly problem: Problem | undefined;
      readonly index: IndexUse | undefined;
      /** Blocks were taken back: what was folded of them has to go. */
      readonly wasRolledBack: boolean;
    };

const POLL_MS = 1_000;
const LOOK_MS = 1_000;
/** Setting that says that all of the history was asked for. */
const wholeHistory = (key: string): string => `whole-history/${key}`;

/**
 * Follows both markets of one network for all tabs of this browser: one tab reads the chain into the index, the others read the
 * index. Every tab folds the same logs into the same model.
 */
export class MarketHub {
  readonly options: HubOptions;
  #state: HubState = {
    model: emptyModel,
    head: undefined,
    cursor: -1,
    since: undefined,
    isCurrent: false,
    problem: undefined,
    index: undefined,
  };
  readonly #listeners = new Set<() => void>();
  readonly #channel: BroadcastChannel;
  readonly #end = new AbortController();
  #isLeader = false;
  /** Reads of the index run one after the other: two at a time would fold a log twice. */
  #reading: Promise<void> = Promise.resolve();

  constructor(options: HubOptions) {
    this.options = options;
    this.#channel = new BroadcastChannel(`quorate/follow/${options.key}`);
    this.#channel.addEventListener("message", ({ data }: MessageEvent<Message>) => this.#hear(data));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): HubState => this.#state;

  /** Begins; ends with {@link stop}. */
  start(): void {
    void this.#read(0, false);
    this.#tell({ kind: "hello" });
    void this.#lead();
  }

  stop(): void {
    this.#end.abort();
    this.#channel.close();
  }

  /** Forgets what was read of the chain, and reads it again; keys stay. */
  async restart(): Promise<void> {
    await forgetIndex(this.options.key);
    location.reload();
  }

  /** Reads the market from its first block on, however long that takes. */
  async readAll(): Promise<void> {
    await writeSetting(wholeHistory(this.options.key), true);
    await this.restart();
  }

  /**
   * Where the following begins: where it began before, else at the market's first block or as far back as a first visit reads. What
   * lies between that and what was read before comes from an index, if there is one that holds.
   */
  async #firstBlock(signal: AbortSignal): Promise<number> {
    const { key, fromBlock, index, sources, firstVisitBlocks, confirmations } = this.options;
    const before = await followerStore(key).load();
    if (before !== undefined && index === undefined) return before.fromBlock;
    if ((await readSetting<boolean>(wholeHistory(key))) === true) return before?.fromBlock ?? fromBlock;
    const cursor = before?.tail.at(-1)?.number ?? fromBlock - 1;
    for (const source of sources) {
      try {
        const { number } = await source.latest(signal);
        const first = Math.max(cursor + 1, number - Math.max(firstVisitBlocks, confirmations));
        const isAdopted = first > cursor + 1 && (await this.#adopt(before, cursor + 1, first - 1, signal));
        return before?.fromBlock ?? (isAdopted ? fromBlock : first);
      } catch (error) {
        signal.throwIfAborted();
        this.#fail(error);
      }
    }
    return await this.#firstBlockLater(signal);
  }

  async #firstBlockLater(signal: AbortSignal): Promise<number> {
    await sleep(POLL_MS, signal);
    signal.throwIfAborted();
    return await this.#firstBlock(signal);
  }

  /** Takes older history over from the index; without one, or with one that does not hold, the market is read without it. */
  async #adopt(
    before: FollowerSnapshot | undefined,
    fromBlock: number,
    through: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { key, index, chainId, sources } = this.options;
    if (index === undefined) return false;
    const host = index.name;
    try {
      const onProgress = (progress: HistoryProgress): void => {
        this.#set({ index: { kind: "used", host, progress } });
        this.#announce();
      };
      const parts = { before, fromBlock, through, filter: this.#filter() };
      const history = await readHistory({ ...parts, index, sources, chainId, signal, onProgress });
      await adoptHistory(key, { ...history, origin: { host, through, places: history.places } });
      this.#set({ since: history.snapshot.fromBlock, index: undefined });
      await this.#read(through, false);
      this.#announce();
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = explain(error);
      this.#set({ index: { kind: "refused", host, code, message } });
      this.#announce();
      return false;
    }
  }

  #filter(): LogFilter {
    const { market, queryMarket } = this.options;
    return { address: queryMarket === undefined ? market : [market, queryMarket] };
  }

  /** Waits until this tab is the one that follows, and follows. */
  async #lead(): Promise<void> {
    const { signal } = this.#end;
    try {
      await navigator.locks.request(`quorate/follow/${this.options.key}`, { signal }, async () => {
        this.#isLeader = true;
        await this.#read(0, false);
        await this.#follow(signal);
      });
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { key, chainId, confirmations, sources } = this.options;
    const fromBlock = await this.#firstBlock(signal);
    this.#set({ since: fromBlock });
    const store = followerStore(key);
    let batch: Batch | undefined;
    const follower = createFollower<IndexTransaction>({
      sources,
      chainId,
      fromBlock,
      confirmations: Math.max(0, confirmations - 1),
      pollIntervalMs: POLL_MS,
      filter: this.#filter(),
      store: {
        load: () => store.load(),
        commit: async (update, deliver) => {
          await store.commit(update, deliver);
          if (batch !== undefined) this.#take(batch);
          batch = undefined;
        },
      },
      onBatch: async (next, transaction) => {
        await writeBatch(key, next, transaction);
        batch = next;
      },
    });
    const watch = setInterval(() => this.#look(follower), LOOK_MS);
    try {
      await follower.run(signal);
    } finally {
      clearInterval(watch);
    }
  }

  /** The follower waits failures out and says so in its status alone. */
  #look(follower: Follower): void {
    const { lastError } = follower.status();
    const { problem } = this.#state;
    if (lastError === undefined ? problem === undefined : problem?.code === lastError.code) return;
    this.#set({
      problem:
        lastError === undefined ? undefined : { code: lastError.code, message: lastError.message, since: Date.now() },
    });
    this.#announce();
  }

  #fail(error: unknown): void {
    const { code, message } = explain(error);
    const isReset = isQuorateError(error, "CHAIN_RESET");
    this.#set({ problem: { code: isReset ? "CHAIN_RESET" : code, message, since: Date.now() } });
    this.#announce();
  }

  /** A batch of this tab is durable. */
  #take({ rollback, blocks, head, caughtUp }: Batch): void {
    const cursor = blocks.at(-1)?.number ?? rollback?.toBlock ?? this.#state.cursor;
    this.#set({
      head: { number: head.number, timestamp: head.timestamp, heardAt: performance.now() },
      isCurrent: caughtUp,
      problem: undefined,
    });
    void this.#read(cursor, rollback !== undefined);
    this.#announce(cursor, rollback !== undefined);
  }

  #hear(message: Message): void {
    if (message.kind === "hello") {
      if (this.#isLeader) this.#announce();
      return;
    }
    if (this.#isLeader) return;
    this.#set({
      since: message.since,
      isCurrent: message.isCurrent,
      problem: message.problem,
      index: message.index,
      ...(message.head === undefined ? {} : { head: { ...message.head, heardAt: performance.now() } }),
    });
    void this.#read(message.cursor, message.wasRolledBack);
  }

  #announce(cursor: number = this.#state.cursor, wasRolledBack = false): void {
    const { head, since, isCurrent, problem, index } = this.#state;
    this.#tell({
      kind: "status",
      head: head === undefined ? undefined : { number: head.number, timestamp: head.timestamp },
      cursor,
      since,
      isCurrent,
      problem,
      index,
      wasRolledBack,
    });
  }

  #tell(message: Message): void {
    if (!this.#end.signal.aborted) this.#channel.postMessage(message);
  }

  /**
   * Folds what the index has beyond the model, or all of it anew.
   *
   * @param cursor - Newest block that the index contains, as far as the caller knows.
   * @param anew - Blocks were taken back.
   */
  #read(cursor: number, anew: boolean): Promise<void> {
    this.#reading = this.#reading
      .then(async () => {
        const before = anew ? { model: emptyModel, cursor: -1 } : this.#state;
        if (!anew && cursor <= before.cursor) return;
        const logs = await logsAbove(this.options.key, before.cursor);
        this.#set({
          model: foldLogs(before.model, logs, this.options),
          cursor: Math.max(cursor, logs.at(-1)?.blockNumber ?? -1),
        });
      })
      .catch((error: unknown) => this.#fail(error));
    return this.#reading;
  }

  #set(change: Partial<HubState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Name of the lock under which a job's money moves.
 *
 * @param id - Job or query.
 * @param task - Runs alone in this browser.
 */
export async function spending<T>(id: string, task: () => Promise<T>): Promise<T> {
  return await exclusively(`spend/${id.toLowerCase()}`, task);
}
