import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits. Used between tries only: no decision depends on local time.
 *
 * @param ms Milliseconds.
 * @param signal Ends the wait.
 * @throws The signal's reason.
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
