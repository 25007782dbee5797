import { decodeJobRecord, encodeJobRecord, type JobRecord, type RequesterKeyStore } from "@quorate/sdk";
import { openDatabase, putDurably } from "./db.ts";

/**
 * The requester's key store in IndexedDB. Records of damaged entries are left out of lists and named by
 * `damagedRecords` of backup.ts: one of them must not hide the others.
 */
export const jobStore: RequesterKeyStore = {
  async put(record) {
    await putDurably("jobs", record.jobId.toLowerCase(), encodeJobRecord(record));
  },
  async get(jobId) {
    const text = await (await openDatabase()).get("jobs", jobId.toLowerCase());
    return text === undefined ? undefined : decodeJobRecord(text);
  },
  async list() {
    const texts = await (await openDatabase()).getAll("jobs");
    return texts.flatMap(readable).sort((a, b) => a.createdAt - b.createdAt || (a.jobId < b.jobId ? -1 : 1));
  },
  async delete(jobId) {
    await putDurably("jobs", jobId.toLowerCase(), undefined);
  },
};

function readable(text: string): JobRecord[] {
  try {
    return [decodeJobRecord(text)];
  } catch {
    return [];
  }
}
