import { type AttributeStatement, encodeStatement } from "./statement.ts";
import { VALUE_LIMIT } from "./value.ts";

/** Encoded values from `low` to `high`, both included. */
export type Interval = { readonly low: bigint; readonly high: bigint };

/** An answer that somebody has, or may have. */
export type KnownAnswer = { readonly statement: AttributeStatement; readonly answer: boolean };

/** Everything that 64 bits can hold. */
export const ALL_VALUES: readonly Interval[] = [{ low: 0n, high: VALUE_LIMIT - 1n }];

/**
 * Values that remain when answers about one attribute of one record are put together.
 *
 * @param answers About the same attribute.
 * @param from Values that were possible before; all unless given.
 * @returns Disjoint intervals, lowest first; none when the answers contradict each other.
 */
export function remainingValues(
  answers: readonly KnownAnswer[],
  from: readonly Interval[] = ALL_VALUES,
): readonly Interval[] {
  return answers.reduce((left, { statement, answer }) => {
    const encoded = encodeStatement(statement);
    if (encoded.circuit !== "sealed-answer") return left;
    const { lo, hi, negate } = encoded;
    // The answer is (inside xor negate), so the value is inside exactly if answer and negate differ.
    return answer !== negate ? intersect(left, lo, hi) : subtract(left, lo, hi);
  }, from);
}

/**
 * How many values intervals hold.
 *
 * @param intervals Disjoint.
 */
export function countValues(intervals: readonly Interval[]): bigint {
  return intervals.reduce((sum, { low, high }) => sum + high - low + 1n, 0n);
}

function intersect(intervals: readonly Interval[], lo: bigint, hi: bigint): readonly Interval[] {
  return intervals.flatMap(({ low, high }) => span(low > lo ? low : lo, high < hi ? high : hi));
}

function subtract(intervals: readonly Interval[], lo: bigint, hi: bigint): readonly Interval[] {
  if (lo > hi) return intervals;
  return intervals.flatMap(({ low, high }) => [
    ...span(low, high < lo ? high : lo - 1n),
    ...span(low > hi ? low : hi + 1n, high),
  ]);
}

function span(low: bigint, high: bigint): readonly Interval[] {
  return low <= high ? [{ low, high }] : [];
}
