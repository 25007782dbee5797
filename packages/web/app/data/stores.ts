import { decodeJobRecord, encodeJobRecord, type JobRecord, type RequesterKeyStore } from "@quorate/sdk";
import { openDatabase, putDurably } from "./db.ts";

/**
 * The requester's key store in IndexedDB. Records of damaged entries are left out of lists and named by
 * {@link damagedJobs}: one of them must not hide the others.
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

/** Ids of entries that cannot be read. */
export async function damagedJobs(): Promise<readonly string[]> {
  const database = await openDatabase();
  const keys = await database.getAllKeys("jobs");
  const texts = await Promise.all(keys.map((key) => database.get("jobs", key)));
  return keys.filter((_, index) => readable(texts[index] ?? "").length === 0);
}
