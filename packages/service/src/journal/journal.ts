import type { DatabaseSync } from "node:sqlite";
import { inTransaction, onRollback } from "@quorate/chain/sqlite";
import { type Clock, FatalError, systemClock } from "@quorate/core";
import { decodeState, encodeState } from "./codec.ts";

/** What a journal is about. */
export type JournalOptions<S, E> = {
  /** Distinguishes journals of one database. */
  readonly name: string;
  /** State before the first entry. */
  readonly initial: S;
  /** Pure; never mutates the state it is given. */
  readonly reduce: (state: S, entry: E) => S;
  /** Checks an entry read from disk, for example an older shape; the identity by default. */
  readonly parse?: (stored: unknown) => E;
  /** Version of `reduce`: a snapshot made by another version is not used, the entries are replayed. 1 by default. */
  readonly version?: number;
  /** Entries after which a snapshot is stored by itself; never by default. */
  readonly snapshotEvery?: number;
  readonly clock?: Clock;
};

/** An entry as stored. */
export type JournalRecord<E> = {
  /** 1, 2, 3 … without gaps. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly entry: E;
};

/** An append-only list of facts and the state that follows from them. */
export type Journal<S, E> = {
  /** The state after all entries. */
  state(): S;
  /** Number of the last entry, 0 for none. */
  seq(): number;
  /**
   * Appends entries and returns the state after them. Durable on return, or together with the surrounding
   * `inTransaction`; if that rolls back, the state goes back too. What `reduce` throws leaves everything as it was.
   */
  append(...entries: E[]): S;
  /** Entries after a number, oldest first; read lazily. */
  replay(after?: number): Iterable<JournalRecord<E>>;
  /** Stores the present state, so that the next start needs only later entries. */
  snapshot(): void;
  /** Removes entries that the newest snapshot covers. Their history is gone; the state is not. */
  compact(): void;
};

const schema = `
CREATE TABLE IF NOT EXISTS journal_entry (
  name TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (name, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal_snapshot (
  name TEXT PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;`;

/**
 * Opens a journal and replays it.
 *
 * @param db Database opened by `openDatabase`.
 * @param options Name, reducer, initial state.
 * @throws `STATE_CORRUPT` when entries are missing or unreadable, or compacted entries are needed by another version.
 */
export function createJournal<S, E>(db: DatabaseSync, options: JournalOptions<S, E>): Journal<S, E> {
  const { name, reduce, clock = systemClock, version = 1, snapshotEvery = 0 } = options;
  const parse = options.parse ?? ((stored: unknown) => stored as E);
  db.exec(schema);
  const insert = db.prepare("INSERT INTO journal_entry (name, seq, at, entry) VALUES (?, ?, ?, ?)");
  const select = db.prepare("SELECT seq, at, entry FROM journal_entry WHERE name = ? AND seq > ? ORDER BY seq");
  const putSnapshot = db.prepare(
    "INSERT OR REPLACE INTO journal_snapshot (name, seq, version, state) VALUES (?, ?, ?, ?)",
  );
  const getSnapshot = db.prepare("SELECT seq, version, state FROM journal_snapshot WHERE name = ?");
  const remove = db.prepare("DELETE FROM journal_entry WHERE name = ? AND seq <= ?");

  const stored = getSnapshot.get(name);
  const usable = stored !== undefined && stored.version === version;
  let state = usable ? (decodeState(stored.state as string) as S) : options.initial;
  let seq = usable ? (stored.seq as number) : 0;
  let sinceSnapshot = 0;

  function* replay(after = 0): Iterable<JournalRecord<E>> {
    for (const row of select.iterate(name, after)) {
      yield { seq: row.seq as number, at: row.at as number, entry: parse(decodeState(row.entry as string)) };
    }
  }

  for (const record of replay(seq)) {
    if (record.seq !== seq + 1) throw gap(name, seq + 1, record.seq);
    state = reduce(state, record.entry);
    seq = record.seq;
    sinceSnapshot += 1;
  }
  if (stored !== undefined && !usable && seq < (stored.seq as number)) throw gap(name, seq + 1, stored.seq as number);

  function snapshot(): void {
    putSnapshot.run(name, seq, version, encodeState(state));
    sinceSnapshot = 0;
  }

  return {
    state: () => state,
    seq: () => seq,
    append(...entries) {
      const before = { state, seq, sinceSnapshot };
      const restore = (): void => {
        ({ state, seq, sinceSnapshot } = before);
      };
      return inTransaction(db, () => {
        onRollback(db, restore);
        for (const entry of entries) {
          const text = encodeState(entry);
          // Reduced from what will be read back, so that a replay cannot differ.
          const next = reduce(state, parse(decodeState(text)));
          seq += 1;
          insert.run(name, seq, clock.now(), text);
          state = next;
          sinceSnapshot += 1;
        }
        if (snapshotEvery > 0 && sinceSnapshot >= snapshotEvery) snapshot();
        return state;
      });
    },
    replay,
    snapshot,
    compact() {
      const newest = getSnapshot.get(name);
      if (newest !== undefined && newest.version === version) remove.run(name, newest.seq as number);
    },
  };
}

function gap(name: string, expected: number, found: number): FatalError {
  return new FatalError(
    "STATE_CORRUPT",
    `Journal ${name} lacks entry ${expected}, the next one is ${found}. Restore a backup; do not start without the entries.`,
    { details: { name, expected, found } },
  );
}
