import type { Hex } from "viem";
import { decodeJobRecord, encodeJobRecord, type JobRecord } from "./record.ts";

/**
 * Where a requester keeps keys and progress of its jobs. `put` is durable when its promise resolves: what it stored is there
 * after a crash of process or machine.
 */
export type RequesterKeyStore = {
  /**
   * Stores a record, in place of an earlier one of the same job.
   *
   * @param record The whole record.
   */
  put(record: JobRecord): Promise<void>;
  /**
   * @param jobId Job.
   * @returns The record, or undefined when there is none.
   */
  get(jobId: Hex): Promise<JobRecord | undefined>;
  /** @returns All records, oldest first. */
  list(): Promise<readonly JobRecord[]>;
  /**
   * Forgets a job and its keys for good.
   *
   * @param jobId Job.
   */
  delete(jobId: Hex): Promise<void>;
};

/** A key store that forgets everything with the process: for tests, and for jobs whose result nobody needs later. */
export function memoryKeyStore(): RequesterKeyStore {
  const records = new Map<Hex, string>();
  return {
    async put(record) {
      records.set(record.jobId, encodeJobRecord(record));
    },
    async get(jobId) {
      const text = records.get(jobId);
      return text === undefined ? undefined : decodeJobRecord(text);
    },
    async list() {
      return sortRecords([...records.values()].map(decodeJobRecord));
    },
    async delete(jobId) {
      records.delete(jobId);
    },
  };
}

/**
 * Records, oldest first.
 *
 * @param records In any order.
 */
export function sortRecords(records: readonly JobRecord[]): JobRecord[] {
  return [...records].sort((a, b) => a.createdAt - b.createdAt || (a.jobId < b.jobId ? -1 : 1));
}
