/** A source of repeatable randomness. */
export type Random = {
  /** Number in [0, 1). */
  next(): number;
  /** Integer in [from, to]. */
  integer(from: number, to: number): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** Bytes. */
  bytes(length: number): Uint8Array;
};

/**
 * Repeatable randomness (mulberry32). Not for keys.
 *
 * @param seed 32-bit integer; print it, so that a failure can be repeated.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    integer,
    pick: <T>(items: readonly T[]): T => {
      if (items.length === 0) throw new RangeError("nothing to pick from");
      return items[integer(0, items.length - 1)] as T;
    },
    bytes: (length) => Uint8Array.from({ length }, () => integer(0, 255)),
  };
}
