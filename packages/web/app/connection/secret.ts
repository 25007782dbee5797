import { deriveRequesterSecret, type MarketClient } from "@quorate/sdk";
import { useSyncExternalStore } from "react";
import { useSession } from "./SessionProvider.tsx";

/** Secrets of requesters that were unlocked on this page; they end with it. */
const secrets = new Map<string, Uint8Array>();
const listeners = new Set<() => void>();

function keyOf({ chainId, market, wallet }: MarketClient): string {
  return [chainId, market, wallet?.account?.address ?? ""].join("/").toLowerCase();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * The secret that keys of jobs are derived from, once {@link unlockSecret} was called on this page; undefined before: keys of new
 * jobs are random then, and lie in this browser alone.
 */
export function useSecret(): Uint8Array | undefined {
  const { jobs } = useSession();
  return useSyncExternalStore(subscribe, () => secrets.get(keyOf(jobs)));
}

/**
 * Derives the secret from the wallet: it signs the same words twice, and must sign them alike.
 *
 * @param client - The job market, with the wallet.
 * @throws FatalError `WALLET_NOT_DETERMINISTIC`, `WALLET_MISSING`.
 */
export async function unlockSecret(client: MarketClient): Promise<void> {
  secrets.set(keyOf(client), await deriveRequesterSecret(client));
  for (const listener of listeners) listener();
}
