import { FatalError } from "@quorate/core";
import type { Hex } from "viem";
import { sealedFiles } from "../internal/sealedFiles.ts";
import { type RequesterKeyStore, sortRecords } from "./keyStore.ts";
import { decodeJobRecord, encodeJobRecord, type JobRecord } from "./record.ts";

/** Settings of {@link fileKeyStore}. */
export type FileKeyStoreOptions = {
  /** Folder of the store; created with mode 0700. One file a job, mode 0600. */
  readonly directory: string;
  /** Encrypts every record: AES-256-GCM under a scrypt key (N = 2^15, r = 8, p = 1). Without it files are plain JSON. */
  readonly passphrase?: string;
};

/**
 * A key store of files. Every write goes to a temporary file that is synced and renamed, then the folder is synced: after a
 * crash the old record or the new one is there, never half of one.
 *
 * @param options Folder and passphrase.
 * @returns The store; its methods throw KEY_STORE_DAMAGED, KEY_STORE_LOCKED (a record needs a passphrase), and
 * KEY_STORE_PASSPHRASE_WRONG.
 */
export function fileKeyStore(options: FileKeyStoreOptions): RequesterKeyStore {
  const files = sealedFiles({ ...options, what: "job" });

  const read = async (jobId: Hex): Promise<JobRecord | undefined> => {
    const text = await files.get(jobId);
    if (text === undefined) return undefined;
    const record = decodeJobRecord(text);
    if (record.jobId !== jobId) {
      throw new FatalError(
        "KEY_STORE_DAMAGED",
        `The file of job ${jobId} holds another job's record. Restore it from a backup.`,
      );
    }
    return record;
  };

  return {
    put: (record) => files.put(record.jobId, encodeJobRecord(record)),
    get: read,
    async list() {
      const records: JobRecord[] = [];
      for (const jobId of await files.ids()) {
        const record = await read(jobId);
        if (record !== undefined) records.push(record);
      }
      return sortRecords(records);
    },
    delete: (jobId) => files.delete(jobId),
  };
}
