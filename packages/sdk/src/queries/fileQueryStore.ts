import { FatalError } from "@quorate/core";
import type { Hex } from "viem";
import { sealedFiles } from "../internal/sealedFiles.ts";
import { decodeQueryRecord, encodeQueryRecord, type QueryRecord } from "./record.ts";
import { type QueryStore, sortQueries } from "./store.ts";

/** Settings of {@link fileQueryStore} and `fileSubjectStore`. */
export type FileQueryStoreOptions = {
  /** Folder of the store; created with mode 0700. One file a record, mode 0600. */
  readonly directory: string;
  /** Encrypts every record: AES-256-GCM under a scrypt key (N = 2^15, r = 8, p = 1). Without it files are plain JSON. */
  readonly passphrase?: string;
};

/**
 * A store of files for an asker's queries; after a crash the old record or the new one is there, never half of one.
 *
 * @param options Folder and passphrase.
 * @returns The store; its methods throw KEY_STORE_DAMAGED, KEY_STORE_LOCKED (a record needs a passphrase), and
 * KEY_STORE_PASSPHRASE_WRONG.
 */
export function fileQueryStore(options: FileQueryStoreOptions): QueryStore {
  const files = sealedFiles({ ...options, what: "query" });

  const read = async (queryId: Hex): Promise<QueryRecord | undefined> => {
    const text = await files.get(queryId);
    if (text === undefined) return undefined;
    const record = decodeQueryRecord(text);
    if (record.queryId !== queryId) {
      throw new FatalError(
        "KEY_STORE_DAMAGED",
        `The file of query ${queryId} holds another query's record. Restore it from a backup.`,
      );
    }
    return record;
  };

  return {
    put: (record) => files.put(record.queryId, encodeQueryRecord(record)),
    get: read,
    async list() {
      const records: QueryRecord[] = [];
      for (const queryId of await files.ids()) {
        const record = await read(queryId);
        if (record !== undefined) records.push(record);
      }
      return sortQueries(records);
    },
    delete: (queryId) => files.delete(queryId),
  };
}
