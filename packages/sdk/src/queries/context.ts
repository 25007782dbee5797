import { type Clock, FatalError, type Logger, type MarketDomain } from "@quorate/core";
import type { KnownVerifiers } from "@quorate/proofs";
import type { DomainClient } from "@quorate/wire";
import type { Hex } from "viem";
import type { MarketClient } from "../client.ts";
import { Mutex } from "../internal/mutex.ts";
import type { QueryRecord } from "./record.ts";
import type { QueryStore } from "./store.ts";

/** What the functions of an asker work with. */
export type AskerContext = {
  /** Client of the query market. */
  readonly client: MarketClient;
  readonly domain: MarketDomain;
  readonly store: QueryStore;
  readonly verifiers: KnownVerifiers;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Blocks until an answer or receipt counts, its own included. */
  readonly confirmations: number;
  /** Milliseconds between looks at the chain. */
  readonly pollIntervalMs: number;
  /** Client of a domain provider. */
  connect(url: string, signal?: AbortSignal): DomainClient;
};

const running = new WeakMap<QueryStore, Map<Hex, Mutex>>();

/**
 * Runs what changes a query alone, among all clients of this process on its store: two that quote at once would seal two
 * questions to a key that opens one. Processes that share a store keep each other out themselves.
 *
 * @param context The asker's context.
 * @param queryId Query.
 * @param body What to run.
 */
export function exclusively<T>({ store }: AskerContext, queryId: Hex, body: () => Promise<T>): Promise<T> {
  const mutexes = running.get(store) ?? new Map<Hex, Mutex>();
  running.set(store, mutexes);
  const mutex = mutexes.get(queryId) ?? new Mutex();
  mutexes.set(queryId, mutex);
  return mutex.run(body);
}

/**
 * Adds to the record of a query as it is now, so that what was stored meanwhile stays.
 *
 * @param context The asker's context.
 * @param queryId Query.
 * @param change What is added.
 * @returns The new record.
 */
export async function addToQuery(
  context: AskerContext,
  queryId: Hex,
  change: Partial<QueryRecord>,
): Promise<QueryRecord> {
  const record = { ...(await requireQuery(context, queryId)), ...change };
  await context.store.put(record);
  return record;
}

/**
 * The record of a query.
 *
 * @param context The asker's context.
 * @param queryId Query.
 * @throws FatalError `QUERY_UNKNOWN` when the store has none; `QUERY_OF_OTHER_MARKET`.
 */
export async function requireQuery(context: AskerContext, queryId: Hex): Promise<QueryRecord> {
  const record = await context.store.get(queryId);
  if (record === undefined) {
    throw new FatalError(
      "QUERY_UNKNOWN",
      `The store holds no query ${queryId}. Use the store that prepared it; without its answer key nobody can read the answer.`,
      { details: { queryId } },
    );
  }
  const { chainId, market } = context.domain;
  if (record.chainId !== chainId || record.market.toLowerCase() !== market.toLowerCase()) {
    throw new FatalError(
      "QUERY_OF_OTHER_MARKET",
      `Query ${queryId} belongs to market ${record.market} on chain ${record.chainId}; this client is for ${market} on chain ${chainId}.`,
      { details: { queryId } },
    );
  }
  return record;
}
