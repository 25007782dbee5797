import type { Hex } from "viem";
import { decodeQueryRecord, encodeQueryRecord, type QueryRecord } from "./record.ts";

/**
 * Where an asker keeps keys and progress of its queries. `put` is durable when its promise resolves: what it stored is there
 * after a crash of process or machine.
 */
export type QueryStore = {
  /**
   * Stores a record, in place of an earlier one of the same query.
   *
   * @param record The whole record.
   */
  put(record: QueryRecord): Promise<void>;
  /**
   * @param queryId Query.
   * @returns The record, or undefined when there is none.
   */
  get(queryId: Hex): Promise<QueryRecord | undefined>;
  /** @returns All records, oldest first. */
  list(): Promise<readonly QueryRecord[]>;
  /**
   * Forgets a query and its answer key for good.
   *
   * @param queryId Query.
   */
  delete(queryId: Hex): Promise<void>;
};

/** A store that forgets everything with the process. */
export function memoryQueryStore(): QueryStore {
  const records = new Map<Hex, string>();
  return {
    async put(record) {
      records.set(record.queryId, encodeQueryRecord(record));
    },
    async get(queryId) {
      const text = records.get(queryId);
      return text === undefined ? undefined : decodeQueryRecord(text);
    },
    async list() {
      return sortQueries([...records.values()].map(decodeQueryRecord));
    },
    async delete(queryId) {
      records.delete(queryId);
    },
  };
}

/**
 * Records, oldest first.
 *
 * @param records In any order.
 */
export function sortQueries(records: readonly QueryRecord[]): QueryRecord[] {
  return [...records].sort((a, b) => a.createdAt - b.createdAt || (a.queryId < b.queryId ? -1 : 1));
}
