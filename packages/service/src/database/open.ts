import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { inTransaction } from "@quorate/chain/sqlite";
import { FatalError, QuorateError } from "@quorate/core";

/** Settings of {@link openDatabase}. */
export type OpenDatabaseOptions = {
  /** SQL scripts; number `i` brings the schema from `user_version` i to i + 1, each in a transaction. Never changed, only added to. */
  readonly migrations?: readonly string[];
  /** Opens for reading beside a running process; takes no lock and changes nothing. */
  readonly readOnly?: boolean;
};

/** An open database that holds the lock of its file until it is closed. */
export class StateDatabase extends DatabaseSync {
  readonly path: string;
  readonly #lock: DatabaseSync | undefined;

  constructor(path: string, lock: DatabaseSync | undefined, readOnly: boolean) {
    super(path, { readOnly, timeout: 5000, enableForeignKeyConstraints: true });
    this.path = path;
    this.#lock = lock;
  }

  /** Closes the database and releases its lock. */
  override close(): void {
    if (this.isOpen) super.close();
    if (this.#lock?.isOpen === true) this.#lock.close();
  }
}

/** Another process holds the state. */
export function alreadyRunning(path: string, cause?: unknown): FatalError {
  return new FatalError(
    "ALREADY_RUNNING",
    `Another process uses ${path}. Stop it first; two processes on one state could vote or pay twice.`,
    { cause, details: { path } },
  );
}

/**
 * Takes the exclusive lock of a file. It is a lock of the operating system on a SQLite file beside it, which the kernel
 * releases when the process dies in whatever way: there are no stale locks.
 *
 * @param path File or directory to lock; the lock is `<path>.lock`.
 * @returns The held lock; `close()` releases it.
 * @throws `ALREADY_RUNNING`.
 */
export function lockState(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    // Exclusive mode keeps the file lock after the transaction; a rollback journal, since WAL would let readers in.
    lock.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;");
  } catch (error) {
    lock.close();
    if (/locked|busy/i.test((error as Error).message)) throw alreadyRunning(path, error);
    throw error;
  }
  return lock;
}

/**
 * Opens a state database: WAL, `synchronous=FULL` (a commit survives loss of power), one process at a time.
 *
 * @param path File; its directory is made if need be.
 * @param options Migrations; read-only.
 * @throws `ALREADY_RUNNING`; `STATE_NEWER` when a newer version of the program wrote it; `STATE_CORRUPT`.
 */
export function openDatabase(path: string, options: OpenDatabaseOptions = {}): StateDatabase {
  if (options.readOnly === true) return new StateDatabase(path, undefined, true);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = lockState(path);
  let db: StateDatabase | undefined;
  try {
    db = new StateDatabase(path, lock, false);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;");
    // Who names no schema, like a tool that copies the file, has no opinion on its version.
    if (options.migrations !== undefined) migrate(db, options.migrations);
    return db;
  } catch (error) {
    if (db === undefined) lock.close();
    else db.close();
    if (error instanceof QuorateError) throw error;
    if (/malformed|not a database/i.test((error as Error).message))
      throw new FatalError("STATE_CORRUPT", `${path} is damaged. Restore it from a backup; do not start without it.`, {
        cause: error,
        details: { path },
      });
    throw error;
  }
}

function migrate(db: StateDatabase, migrations: readonly string[]): void {
  const version = (db.prepare("PRAGMA user_version").get()?.user_version ?? 0) as number;
  if (version > migrations.length)
    throw new FatalError(
      "STATE_NEWER",
      `${db.path} has schema ${version}, this program knows ${migrations.length}. Use the newer program, or another state directory.`,
      { details: { version, known: migrations.length } },
    );
  for (const [index, script] of migrations.entries()) {
    if (index < version) continue;
    inTransaction(db, () => db.exec(`${script};\nPRAGMA user_version = ${index + 1};`));
  }
}
