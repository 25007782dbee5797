import type { Clock } from "@quorate/core";

/** A clock that moves only when told. */
export type FakeClock = Clock & {
  /** Moves forward. */
  advance(milliseconds: number): void;
  /** Moves anywhere, also back. */
  set(milliseconds: number): void;
};

/**
 * A clock that stands still.
 *
 * @param startMs Milliseconds since the epoch; 2026-01-01T00:00:00Z when absent.
 */
export function fakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance: (milliseconds) => {
      nowMs += milliseconds;
    },
    set: (milliseconds) => {
      nowMs = milliseconds;
    },
  };
}
