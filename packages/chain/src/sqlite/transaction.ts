import type { DatabaseSync } from "node:sqlite";
import { FatalError } from "@quorate/core";

type Frame = { readonly undo: (() => void)[]; readonly done: (() => void)[] };
const frames = new WeakMap<DatabaseSync, Frame[]>();

/**
 * Runs a function in a transaction: `BEGIN IMMEDIATE`, or a savepoint inside another call of this function.
 * Everything that it writes to the database becomes durable together when the outermost call returns.
 *
 * @param db Open database.
 * @param work Synchronous function; a promise would let other writers into the transaction and is refused.
 * @returns What `work` returns.
 * @throws What `work` throws, after a rollback; `TRANSACTION_ASYNC` when it returns a promise.
 */
export function inTransaction<R>(db: DatabaseSync, work: () => R): R {
  const open = frames.get(db) ?? [];
  frames.set(db, open);
  const depth = open.length;
  const frame: Frame = { undo: [], done: [] };
  db.exec(depth === 0 ? "BEGIN IMMEDIATE" : `SAVEPOINT quorate_${depth}`);
  open.push(frame);
  let result: R;
  try {
    result = work();
    if (typeof (result as { then?: unknown } | null | undefined)?.then === "function")
      throw new FatalError(
        "TRANSACTION_ASYNC",
        "The work of a transaction returned a promise. Do what waits before or after the transaction.",
      );
    db.exec(depth === 0 ? "COMMIT" : `RELEASE quorate_${depth}`);
  } catch (error) {
    open.pop();
    // SQLite may have rolled back by itself, for example when the disk is full.
    if (db.isOpen && db.isTransaction)
      db.exec(depth === 0 ? "ROLLBACK" : `ROLLBACK TO quorate_${depth}; RELEASE quorate_${depth}`);
    for (const undo of frame.undo.reverse()) undo();
    throw error;
  }
  open.pop();
  const outer = open.at(-1);
  if (outer === undefined) for (const done of frame.done) done();
  else {
    outer.undo.push(...frame.undo);
    outer.done.push(...frame.done);
  }
  return result;
}

/**
 * Registers what puts memory back when the present transaction is rolled back. Without a transaction it does nothing.
 *
 * @param db Database of the transaction.
 * @param undo Called after the rollback, last registered first.
 */
export function onRollback(db: DatabaseSync, undo: () => void): void {
  frames.get(db)?.at(-1)?.undo.push(undo);
}

/**
 * Registers what happens once the outermost transaction is durable; at once without a transaction.
 *
 * @param db Database of the transaction.
 * @param done Called after the commit, in order.
 */
export function afterCommit(db: DatabaseSync, done: () => void): void {
  const frame = frames.get(db)?.at(-1);
  if (frame === undefined) done();
  else frame.done.push(done);
}
