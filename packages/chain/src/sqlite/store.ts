import type { DatabaseSync } from "node:sqlite";
import { FatalError } from "@quorate/core";
import type { Hex } from "viem";
import type { FollowerSnapshot, FollowerStore } from "../types.ts";
import { inTransaction } from "./transaction.ts";

const schema = `
CREATE TABLE IF NOT EXISTS follower_identity (
  name TEXT PRIMARY KEY, chain_id INTEGER NOT NULL, genesis_hash TEXT NOT NULL, from_block INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS follower_header (
  name TEXT NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL, parent_hash TEXT NOT NULL, timestamp INTEGER NOT NULL,
  PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;`;

/**
 * Keeps a follower's cursor in a SQLite database, in the same transaction as what the consumer writes there.
 *
 * The handler of the batches must be synchronous: a transaction of SQLite belongs to the connection, and whatever else
 * runs while the handler waits would become part of it.
 *
 * @param db Open database; for durability in WAL mode with `synchronous=FULL`.
 * @param name Distinguishes several followers in one database.
 */
export function sqliteStore(db: DatabaseSync, name = "default"): FollowerStore<DatabaseSync> {
  db.exec(schema);
  const readIdentity = db.prepare("SELECT chain_id, genesis_hash, from_block FROM follower_identity WHERE name = ?");
  const readTail = db.prepare(
    "SELECT number, hash, parent_hash, timestamp FROM follower_header WHERE name = ? ORDER BY number",
  );
  const writeIdentity = db.prepare("INSERT INTO follower_identity VALUES (?, ?, ?, ?)");
  const truncate = db.prepare("DELETE FROM follower_header WHERE name = ? AND number > ?");
  const prune = db.prepare("DELETE FROM follower_header WHERE name = ? AND number < ?");
  const insert = db.prepare("INSERT INTO follower_header VALUES (?, ?, ?, ?, ?)");
  return {
    async load(): Promise<FollowerSnapshot | undefined> {
      const identity = readIdentity.get(name);
      if (identity === undefined) return undefined;
      return {
        chainId: identity.chain_id as number,
        genesisHash: identity.genesis_hash as Hex,
        fromBlock: identity.from_block as number,
        tail: readTail.all(name).map((row) => ({
          number: row.number as number,
          hash: row.hash as Hex,
          parentHash: row.parent_hash as Hex,
          timestamp: row.timestamp as number,
        })),
      };
    },
    async commit(update, deliver) {
      inTransaction(db, () => {
        const { identity } = update;
        if (identity !== undefined) writeIdentity.run(name, identity.chainId, identity.genesisHash, identity.fromBlock);
        if (update.truncateAbove !== undefined) truncate.run(name, update.truncateAbove);
        prune.run(name, update.pruneBelow);
        for (const header of update.append) {
          if (header.number >= update.pruneBelow)
            insert.run(name, header.number, header.hash, header.parentHash, header.timestamp);
        }
        const pending: unknown = deliver(db);
        if (typeof (pending as { then?: unknown } | undefined)?.then === "function") {
          (pending as Promise<unknown>).catch(() => {});
          throw new FatalError(
            "FOLLOWER_HANDLER_ASYNC",
            "onBatch returned a promise. With the SQLite store it must be synchronous: write through the database it is given, and do what waits outside.",
          );
        }
      });
    },
  };
}
