import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "@quorate/chain/sqlite";
import { FatalError } from "@quorate/core";
import type { Address, Hex } from "viem";
import { decodeState, encodeState } from "../journal/codec.ts";
import type { Intent, OutboxItem, OutboxReason, OutboxStatus } from "./types.ts";

const schema = `
CREATE TABLE IF NOT EXISTS outbox_item (
  id INTEGER PRIMARY KEY, chain_id INTEGER NOT NULL, signer TEXT NOT NULL, key TEXT NOT NULL,
  to_address TEXT NOT NULL, data TEXT NOT NULL, value TEXT NOT NULL, gas TEXT, valid_until INTEGER, simulate INTEGER NOT NULL, context TEXT,
  status TEXT NOT NULL, nonce INTEGER, gas_limit TEXT,
  mined_hash TEXT, block_number INTEGER, block_hash TEXT, gas_used TEXT, reason TEXT, problem TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  UNIQUE (chain_id, signer, key)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS outbox_item_nonce ON outbox_item (chain_id, signer, nonce) WHERE nonce IS NOT NULL;
CREATE INDEX IF NOT EXISTS outbox_item_open ON outbox_item (chain_id, signer, id) WHERE status NOT IN ('mined', 'reverted', 'abandoned');
CREATE TABLE IF NOT EXISTS outbox_transaction (
  hash TEXT PRIMARY KEY, item_id INTEGER NOT NULL REFERENCES outbox_item (id), nonce INTEGER NOT NULL, kind TEXT NOT NULL,
  raw TEXT NOT NULL, max_fee TEXT NOT NULL, priority_fee TEXT NOT NULL, signed_at INTEGER NOT NULL, sent_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS outbox_transaction_item ON outbox_transaction (item_id, nonce);`;

/** A signed transaction. `cancel` is a transfer of nothing to oneself that uses up the nonce. */
export type StoredTransaction = {
  readonly hash: Hex;
  readonly itemId: number;
  readonly nonce: number;
  readonly kind: "call" | "cancel";
  readonly raw: Hex;
  readonly maxFee: bigint;
  readonly priorityFee: bigint;
  /** Milliseconds since the epoch. */
  readonly signedAt: number;
  /** Milliseconds since the epoch of the last hand-over to an endpoint. */
  readonly sentAt: number | undefined;
};

/** An item with what only the outbox needs. */
export type StoredItem = OutboxItem & { readonly gasLimit?: bigint; readonly blockHash?: Hex };

/** Fields of an item that change; `null` clears. */
export type ItemChange = {
  readonly status?: OutboxStatus;
  readonly nonce?: number | null;
  readonly gasLimit?: bigint;
  readonly minedHash?: Hex | null;
  readonly blockNumber?: number | null;
  readonly blockHash?: Hex | null;
  readonly gasUsed?: bigint | null;
  readonly reason?: OutboxReason;
  readonly problem?: OutboxReason | null;
};

type Row = Record<string, string | number | null>;

/** The outbox's tables, for one key on one chain. All methods are synchronous and durable on return or with the outer transaction. */
export type OutboxStore = {
  add(intent: Intent, now: number): { item: StoredItem; created: boolean };
  byKey(key: string): StoredItem | undefined;
  byId(id: number): StoredItem;
  open(): StoredItem[];
  change(id: number, change: ItemChange, now: number): StoredItem;
  /** Gives the item the next nonce: the larger of `least` and one above every nonce ever used here. */
  assignNonce(id: number, least: number, now: number): StoredItem;
  addTransaction(transaction: StoredTransaction, now: number): StoredItem;
  /** Transactions of an item for a nonce, oldest first. */
  transactions(itemId: number, nonce: number): StoredTransaction[];
  /** Every transaction ever signed for a nonce, by whatever item. */
  byNonce(nonce: number): StoredTransaction[];
  markSent(hash: Hex, now: number): void;
  /** Highest nonce that an item holds or a transaction was signed with. */
  highestNonce(): number | undefined;
};

/**
 * Opens the tables.
 *
 * @param db Database opened by `openDatabase`.
 * @param chainId Chain of the key.
 * @param signer Address of the key.
 */
export function createOutboxStore(db: DatabaseSync, chainId: number, signer: Address): OutboxStore {
  db.exec(schema);
  const hashesOf = db.prepare("SELECT hash FROM outbox_transaction WHERE item_id = ? ORDER BY rowid");
  const selectKey = db.prepare("SELECT * FROM outbox_item WHERE chain_id = ? AND signer = ? AND key = ?");
  const selectId = db.prepare("SELECT * FROM outbox_item WHERE id = ?");
  const selectOpen = db.prepare(
    "SELECT * FROM outbox_item WHERE chain_id = ? AND signer = ? AND status NOT IN ('mined', 'reverted', 'abandoned') ORDER BY id",
  );
  const insertItem = db.prepare(
    "INSERT INTO outbox_item (chain_id, signer, key, to_address, data, value, gas, valid_until, simulate, context, status, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?)",
  );
  const insertTransaction = db.prepare("INSERT OR IGNORE INTO outbox_transaction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const selectTransactions = db.prepare(
    "SELECT * FROM outbox_transaction WHERE item_id = ? AND nonce = ? ORDER BY rowid",
  );
  const selectByNonce = db.prepare(
    "SELECT t.* FROM outbox_transaction t JOIN outbox_item i ON i.id = t.item_id WHERE i.chain_id = ? AND i.signer = ? AND t.nonce = ? ORDER BY t.rowid",
  );
  const updateSent = db.prepare("UPDATE outbox_transaction SET sent_at = ? WHERE hash = ?");
  const selectHighest = db.prepare(
    `SELECT max(n) AS n FROM (
       SELECT max(nonce) AS n FROM outbox_item WHERE chain_id = ?1 AND signer = ?2
       UNION ALL SELECT max(t.nonce) FROM outbox_transaction t JOIN outbox_item i ON i.id = t.item_id WHERE i.chain_id = ?1 AND i.signer = ?2)`,
  );

  function itemOf(row: Row): StoredItem {
    const text = (name: string): string | undefined => (row[name] as string | null) ?? undefined;
    const number = (name: string): number | undefined => (row[name] as number | null) ?? undefined;
    const big = (name: string): bigint | undefined => (row[name] === null ? undefined : BigInt(row[name] as string));
    const json = (name: string): unknown => (row[name] === null ? undefined : decodeState(row[name] as string));
    const optional = {
      value: BigInt(row.value as string),
      gas: big("gas"),
      validUntil: number("valid_until"),
      context: json("context"),
      nonce: number("nonce"),
      gasLimit: big("gas_limit"),
      minedHash: text("mined_hash"),
      blockNumber: number("block_number"),
      blockHash: text("block_hash"),
      gasUsed: big("gas_used"),
      reason: json("reason"),
      problem: json("problem"),
    };
    return {
      id: row.id as number,
      key: row.key as string,
      to: row.to_address as Address,
      data: row.data as Hex,
      simulate: row.simulate === 1,
      status: row.status as OutboxStatus,
      hashes: hashesOf.all(row.id as number).map((each) => each.hash as Hex),
      createdAt: row.created_at as number,
      updatedAt: row.updated_at as number,
      ...(Object.fromEntries(
        Object.entries(optional).filter(([, value]) => value !== undefined),
      ) as Partial<StoredItem>),
    };
  }

  function transactionOf(row: Record<string, unknown>): StoredTransaction {
    return {
      hash: row.hash as Hex,
      itemId: row.item_id as number,
      nonce: row.nonce as number,
      kind: row.kind as "call" | "cancel",
      raw: row.raw as Hex,
      maxFee: BigInt(row.max_fee as string),
      priorityFee: BigInt(row.priority_fee as string),
      signedAt: row.signed_at as number,
      sentAt: (row.sent_at as number | null) ?? undefined,
    };
  }

  const byId = (id: number): StoredItem => itemOf(selectId.get(id) as Row);
  const columns: Record<keyof ItemChange, string> = {
    status: "status",
    nonce: "nonce",
    gasLimit: "gas_limit",
    minedHash: "mined_hash",
    blockNumber: "block_number",
    blockHash: "block_hash",
    gasUsed: "gas_used",
    reason: "reason",
    problem: "problem",
  };

  function change(id: number, changes: ItemChange, now: number): StoredItem {
    const entries = (Object.entries(changes) as [keyof ItemChange, unknown][]).filter(
      ([, value]) => value !== undefined,
    );
    const values = entries.map(([, value]) =>
      typeof value === "bigint"
        ? value.toString()
        : typeof value === "object" && value !== null
          ? encodeState(value)
          : (value as string | number | null),
    );
    const assignments = [...entries.map(([name]) => `${columns[name]} = ?`), "updated_at = ?"].join(", ");
    db.prepare(`UPDATE outbox_item SET ${assignments} WHERE id = ?`).run(...values, now, id);
    return byId(id);
  }

  function highestNonce(): number | undefined {
    return (selectHighest.get(chainId, signer)?.n as number | null) ?? undefined;
  }

  return {
    byId,
    change,
    highestNonce,
    add(intent, now) {
      return inTransaction(db, () => {
        const context = intent.context === undefined ? null : encodeState(intent.context);
        const value = (intent.value ?? 0n).toString();
        const existing = selectKey.get(chainId, signer, intent.key) as Row | undefined;
        if (existing !== undefined) {
          const same =
            (existing.to_address as string).toLowerCase() === intent.to.toLowerCase() &&
            (existing.data as string).toLowerCase() === intent.data.toLowerCase() &&
            existing.value === value;
          if (!same)
            throw new FatalError(
              "OUTBOX_KEY_CONFLICT",
              `The key ${intent.key} already names a different call. A key stands for one call for ever; use another one.`,
              { details: { key: intent.key } },
            );
          return { item: itemOf(existing), created: false };
        }
        const { lastInsertRowid } = insertItem.run(
          chainId,
          signer,
          intent.key,
          intent.to,
          intent.data,
          value,
          intent.gas?.toString() ?? null,
          intent.validUntil ?? null,
          intent.simulate === true ? 1 : 0,
          context,
          now,
          now,
        );
        return { item: byId(Number(lastInsertRowid)), created: true };
      });
    },
    byKey(key) {
      const row = selectKey.get(chainId, signer, key) as Row | undefined;
      return row === undefined ? undefined : itemOf(row);
    },
    open: () => (selectOpen.all(chainId, signer) as Row[]).map(itemOf),
    assignNonce(id, least, now) {
      return inTransaction(db, () => {
        const highest = highestNonce();
        return change(
          id,
          { nonce: Math.max(least, highest === undefined ? 0 : highest + 1), status: "assigned", problem: null },
          now,
        );
      });
    },
    addTransaction(transaction, now) {
      return inTransaction(db, () => {
        const { hash, itemId, nonce, kind, raw, maxFee, priorityFee, signedAt } = transaction;
        insertTransaction.run(
          hash,
          itemId,
          nonce,
          kind,
          raw,
          maxFee.toString(),
          priorityFee.toString(),
          signedAt,
          null,
        );
        return change(itemId, { status: "signed", problem: null }, now);
      });
    },
    transactions: (itemId, nonce) => selectTransactions.all(itemId, nonce).map(transactionOf),
    byNonce: (nonce) => selectByNonce.all(chainId, signer, nonce).map(transactionOf),
    markSent: (hash, now) => {
      updateSent.run(now, hash);
    },
  };
}
