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

/** Shortest and longest local pause between two looks for requests to send a result again, milliseconds. */
const REDELIVERY_PAUSE_MS: readonly [shortest: number, longest: number] = [5_000, 60_000];

/**
 * Pause between two looks at one job's topic for a request to send its result again: who lost a result asks soon, as a rule.
 *
 * @param ageS Time since the settlement, seconds of the chain.
 * @returns A twentieth of it within bounds, milliseconds.
 */
export function redeliveryPauseMs(ageS: number): number {
  const [shortest, longest] = REDELIVERY_PAUSE_MS;
  return Math.min(longest, Math.max(shortest, (ageS * 1_000) / 20));
}
