import { sealedFiles } from "../internal/sealedFiles.ts";
import type { FileQueryStoreOptions } from "./fileQueryStore.ts";
import { decodeSubjectState, encodeSubjectState, type SubjectStore } from "./subjectStore.ts";

/**
 * A store of files for a subject's client; after a crash the old state or the new one is there, never half of one.
 *
 * @param options Folder and passphrase.
 * @returns The store; its methods throw KEY_STORE_DAMAGED, KEY_STORE_LOCKED (a state needs a passphrase), and
 * KEY_STORE_PASSPHRASE_WRONG.
 */
export function fileSubjectStore(options: FileQueryStoreOptions): SubjectStore {
  const files = sealedFiles({ ...options, what: "subject" });
  return {
    put: (state) => files.put(state.stateId, encodeSubjectState(state)),
    async get(stateId) {
      const text = await files.get(stateId);
      return text === undefined ? undefined : decodeSubjectState(text);
    },
  };
}
