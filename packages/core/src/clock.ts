/** Where time is read from. */
export type Clock = {
  /** Milliseconds since the Unix epoch. */
  now(): number;
};

/** The clock of the machine. */
export const systemClock: Clock = { now: () => Date.now() };

/**
 * Reads a clock in the unit of the chain.
 *
 * @param clock Clock to read.
 * @returns Whole Unix seconds, rounded down.
 */
export function unixSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}
