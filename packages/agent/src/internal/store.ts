import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "@quorate/chain/sqlite";
import type { Hex } from "@quorate/core";
import { decodeEntry, encodeEntry, type JournalEntry, stepOf } from "./journal-entry.ts";

const schema = `
CREATE TABLE IF NOT EXISTS journal (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL,
  step TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS journal_by_job ON journal (job_id, seq);
CREATE TABLE IF NOT EXISTS open_job (job_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offer_seed (job_id TEXT PRIMARY KEY, seed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result (job_id TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;`;

/** What the agent keeps in its database beside the follower's cursor and the outbox. */
export type AgentStore = {
  /** Appends entries; durable together when it returns, or with the surrounding transaction. */
  append(entries: readonly JournalEntry[]): void;
  /** Entries of all jobs that are not closed, in order. */
  openEntries(): JournalEntry[];
  /** Entries of one job, closed or not, in order. */
  entriesOf(jobId: Hex): JournalEntry[];
  /** Whether the journal knows the job. */
  knows(jobId: Hex): boolean;
  /** Number of jobs by their last step. */
  counts(): { readonly entries: number; readonly openJobs: number };
  /** 32 random bytes that the offer's key is derived from together with the agent's secret. */
  seedOf(jobId: Hex): Uint8Array | undefined;
  /** Stores a seed; the first one of a job stands. */
  saveSeed(jobId: Hex, seed: Uint8Array): void;
  deleteSeed(jobId: Hex): void;
  /** Result bytes: output, or the encoded failure. */
  resultOf(jobId: Hex): Uint8Array | undefined;
  saveResult(jobId: Hex, bytes: Uint8Array): void;
  deleteResult(jobId: Hex): void;
  /** Runs several of these as one: durable together or not at all. */
  together<R>(work: () => R): R;
};

/**
 * Opens the agent's part of a database.
 *
 * @param db Database in WAL mode with `synchronous=FULL`. Deleted seeds and results are overwritten.
 */
export function createAgentStore(db: DatabaseSync): AgentStore {
  db.exec("PRAGMA secure_delete = ON");
  db.exec(schema);
  const insert = db.prepare("INSERT INTO journal (job_id, step, body) VALUES (?, ?, ?)");
  const open = db.prepare("INSERT INTO open_job VALUES (?) ON CONFLICT DO NOTHING");
  const close = db.prepare("DELETE FROM open_job WHERE job_id = ?");
  const selectOpen = db.prepare("SELECT body FROM journal JOIN open_job USING (job_id) ORDER BY seq");
  const selectJob = db.prepare("SELECT body FROM journal WHERE job_id = ? ORDER BY seq");
  const selectKnown = db.prepare("SELECT 1 FROM journal WHERE job_id = ? LIMIT 1");
  const countEntries = db.prepare("SELECT count(*) AS n FROM journal");
  const countOpen = db.prepare("SELECT count(*) AS n FROM open_job");
  const selectSeed = db.prepare("SELECT seed FROM offer_seed WHERE job_id = ?");
  const insertSeed = db.prepare("INSERT INTO offer_seed VALUES (?, ?) ON CONFLICT DO NOTHING");
  const removeSeed = db.prepare("DELETE FROM offer_seed WHERE job_id = ?");
  const selectResult = db.prepare("SELECT bytes FROM result WHERE job_id = ?");
  const insertResult = db.prepare(
    "INSERT INTO result VALUES (?, ?) ON CONFLICT (job_id) DO UPDATE SET bytes = excluded.bytes",
  );
  const removeResult = db.prepare("DELETE FROM result WHERE job_id = ?");
  const bodies = (rows: Record<string, unknown>[]): JournalEntry[] =>
    rows.map((row) => decodeEntry(row.body as string));

  return {
    append(entries) {
      inTransaction(db, () => {
        for (const entry of entries) {
          insert.run(entry.jobId, stepOf(entry), encodeEntry(entry));
          if (entry.kind === "job-closed") close.run(entry.jobId);
          else open.run(entry.jobId);
        }
      });
    },
    openEntries: () => bodies(selectOpen.all()),
    entriesOf: (jobId) => bodies(selectJob.all(jobId)),
    knows: (jobId) => selectKnown.get(jobId) !== undefined,
    counts: () => ({ entries: countEntries.get()?.n as number, openJobs: countOpen.get()?.n as number }),
    seedOf: (jobId) => selectSeed.get(jobId)?.seed as Uint8Array | undefined,
    saveSeed: (jobId, seed) => void insertSeed.run(jobId, seed),
    deleteSeed: (jobId) => void removeSeed.run(jobId),
    resultOf: (jobId) => selectResult.get(jobId)?.bytes as Uint8Array | undefined,
    saveResult: (jobId, bytes) => void insertResult.run(jobId, bytes),
    deleteResult: (jobId) => void removeResult.run(jobId),
    together: (work) => inTransaction(db, work),
  };
}
