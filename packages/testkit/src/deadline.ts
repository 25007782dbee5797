import { setTimeout as delay } from "node:timers/promises";

/** How long to wait, and how often to look. */
export type UntilOptions = {
  /** Milliseconds; 10 s when absent. */
  readonly timeoutMs?: number;
  /** Milliseconds between looks; 10 when absent. */
  readonly everyMs?: number;
  /** What is waited for, for the message. */
  readonly what?: string;
};

/**
 * Waits until a condition holds. The only way in which tests wait.
 *
 * @param look Returns a value when the condition holds, else `undefined` or `false`.
 * @param options Deadline and interval.
 * @throws Error when the deadline passes, with the last error of `look` as its cause.
 */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 10_000, everyMs = 10, what = "the condition" }: UntilOptions = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value !== undefined && value !== false) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause });
    await delay(everyMs);
  }
}
