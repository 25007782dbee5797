import {
  decodeQueryRecord,
  decodeSubjectState,
  encodeQueryRecord,
  encodeSubjectState,
  type QueryRecord,
  type QueryStore,
  type SubjectStore,
} from "@quorate/sdk/queries";
import { openDatabase, putDurably } from "./db.ts";

/** The asker's store in IndexedDB; entries that cannot be read are left out of lists. */
export const queryStore: QueryStore = {
  async put(record) {
    await putDurably("queries", record.queryId.toLowerCase(), encodeQueryRecord(record));
  },
  async get(queryId) {
    const text = await (await openDatabase()).get("queries", queryId.toLowerCase());
    return text === undefined ? undefined : decodeQueryRecord(text);
  },
  async list() {
    const texts = await (await openDatabase()).getAll("queries");
    return texts.flatMap(readable).sort((a, b) => a.createdAt - b.createdAt || (a.queryId < b.queryId ? -1 : 1));
  },
  async delete(queryId) {
    await putDurably("queries", queryId.toLowerCase(), undefined);
  },
};

/** The subject's store in IndexedDB. */
export const subjectStore: SubjectStore = {
  async put(state) {
    await putDurably("subjects", state.stateId.toLowerCase(), encodeSubjectState(state));
  },
  async get(stateId) {
    const text = await (await openDatabase()).get("subjects", stateId.toLowerCase());
    return text === undefined ? undefined : decodeSubjectState(text);
  },
};

function readable(text: string): QueryRecord[] {
  try {
    return [decodeQueryRecord(text)];
  } catch {
    return [];
  }
}
