import type { FollowerSnapshot } from "@quorate/chain";
import { FatalError } from "@quorate/core";
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { StoredLog } from "./log.ts";

/** Everything that the app keeps in this browser. */
export interface QuorateSchema extends DBSchema {
  /** Records of the requester, as text of the SDK. */
  jobs: { key: string; value: string };
  /** Records of the asker, as text of the SDK. */
  queries: { key: string; value: string };
  /** States of the subject, as text of the SDK. */
  subjects: { key: string; value: string };
  /** Forms that are being filled in. */
  drafts: { key: string; value: unknown };
  /** Networks, trust policies, theme, burner key. */
  settings: { key: string; value: unknown };
  /** By network, block, position in the block. */
  logs: { key: [string, number, number]; value: StoredLog };
  /** By network. */
  cursors: { key: string; value: FollowerSnapshot };
}

/** The open database. */
export type Database = IDBPDatabase<QuorateSchema>;

const NAME = "quorate";
const VERSION = 1;

let opened: Promise<Database> | undefined;

/**
 * Opens the database of this origin, once a page.
 *
 * @throws FatalError `STORAGE_UNAVAILABLE` when the browser keeps nothing: private windows of some browsers, a full disk.
 */
export function openDatabase(): Promise<Database> {
  opened ??= open();
  return opened;
}

async function open(): Promise<Database> {
  try {
    const database = await openDB<QuorateSchema>(NAME, VERSION, {
      upgrade(db) {
        for (const store of ["jobs", "queries", "subjects", "drafts", "settings", "logs", "cursors"] as const) {
          db.createObjectStore(store);
        }
      },
      // A newer version of the app in another tab wants to change the stores: make way, the next call opens again.
      blocking: () => {
        database.close();
        opened = undefined;
      },
      terminated: () => {
        opened = undefined;
      },
    });
    return database;
  } catch (cause) {
    opened = undefined;
    throw unavailable(cause);
  }
}

/** What is thrown when something could not be kept. */
export function unavailable(cause: unknown): FatalError {
  return new FatalError(
    "STORAGE_UNAVAILABLE",
    "This browser did not keep what has to be kept: keys would be lost with the page, so nothing was sent. Leave private browsing, allow storage for this site or free some space, then try again.",
    { cause },
  );
}

/**
 * Writes one entry, durable when the promise resolves.
 *
 * @param store - Store.
 * @param key - Key in the store.
 * @param value - Value; undefined removes the entry.
 * @throws FatalError `STORAGE_UNAVAILABLE`.
 */
export async function putDurably(
  store: "jobs" | "queries" | "subjects" | "drafts" | "settings",
  key: string,
  value: unknown,
): Promise<void> {
  const database = await openDatabase();
  try {
    const transaction = database.transaction(store, "readwrite", { durability: "strict" });
    if (value === undefined) await transaction.store.delete(key);
    else await transaction.store.put(value as never, key);
    await transaction.done;
  } catch (cause) {
    throw unavailable(cause);
  }
  notify(store, key);
}

/** A change that another tab, or this one, made. */
export type Change = { readonly store: keyof QuorateSchema; readonly key: string };

const listeners = new Set<(change: Change) => void>();
const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("quorate/changes");
channel?.addEventListener("message", ({ data }: MessageEvent<Change>) => tell(data));
// Node, where the stores are tested, would wait for it; browsers do not have this.
(channel as { unref?: () => void } | undefined)?.unref?.();

function tell(change: Change): void {
  for (const listener of listeners) listener(change);
}

/**
 * Says that an entry changed, here and in other tabs.
 *
 * @param store - Store.
 * @param key - Key in the store.
 */
export function notify(store: keyof QuorateSchema, key: string): void {
  const change: Change = { store, key };
  tell(change);
  channel?.postMessage(change);
}

/**
 * Hears of changes of this tab and of all others.
 *
 * @param listener - Told of each.
 * @returns Ends the listening.
 */
export function onChange(listener: (change: Change) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Runs a task that no other tab of this browser may run at the same time.
 *
 * @param name - What is locked.
 * @param task - Waits for its turn.
 */
export async function exclusively<T>(name: string, task: () => Promise<T>): Promise<T> {
  return await navigator.locks.request(`quorate/${name}`, task);
}
