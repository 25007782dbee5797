import { useSyncExternalStore } from "react";
import { onChange, openDatabase, putDurably } from "./db.ts";

type Entry = { value: unknown; isLoaded: boolean; loading?: Promise<void> | undefined };

const entries = new Map<string, Entry>();
const listeners = new Set<() => void>();

function entryOf(key: string): Entry {
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = { value: undefined, isLoaded: false };
    entries.set(key, entry);
  }
  return entry;
}

async function load(key: string): Promise<void> {
  const value = await (await openDatabase()).get("settings", key);
  entries.set(key, { value, isLoaded: true });
  for (const listener of listeners) listener();
}

onChange(({ store, key }) => {
  if (store === "settings" && entries.has(key)) void load(key);
});

/**
 * Reads a setting once.
 *
 * @param key - Its name.
 */
export async function readSetting<T>(key: string): Promise<T | undefined> {
  return (await (await openDatabase()).get("settings", key)) as T | undefined;
}

/**
 * Stores a setting; every tab hears of it.
 *
 * @param key - Its name.
 * @param value - Undefined forgets it.
 */
export async function writeSetting(key: string, value: unknown): Promise<void> {
  await putDurably("settings", key, value);
}

/** A setting as a component sees it. */
export type Setting<T> = {
  /** False until it was read for the first time. */
  readonly isLoaded: boolean;
  readonly value: T | undefined;
  readonly write: (value: T | undefined) => Promise<void>;
};

/**
 * A setting that follows changes of all tabs.
 *
 * @param key - Its name.
 */
export function useSetting<T>(key: string): Setting<T> {
  const entry = useSyncExternalStore(subscribe, () => entryOf(key));
  if (!entry.isLoaded && entry.loading === undefined) entry.loading = load(key).catch(() => {});
  return {
    isLoaded: entry.isLoaded,
    value: entry.value as T | undefined,
    write: (value) => writeSetting(key, value),
  };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
