import type { Hex } from "@quorate/core";
import { concat, keccak256, numberToHex } from "viem";

/** What a carrier's turn is for; each duty has its own order, so that no place pays for everything. */
export type Duty = "commitments" | "promotion" | "openings" | "settlement" | "set" | "reveal-set";

/**
 * Order in which places take a duty of a job. Everybody computes the same one, nobody chooses it.
 *
 * @param jobId Job.
 * @param duty What is to be carried.
 * @param places Places that may take it.
 * @returns The places, first in turn first.
 */
export function dutyOrder(jobId: Hex, duty: Duty, places: readonly number[]): readonly number[] {
  const weight = (place: number): Hex =>
    keccak256(concat([jobId, numberToHex(duties.indexOf(duty), { size: 1 }), numberToHex(place, { size: 1 })]));
  return [...places]
    .map((place) => ({ place, weight: weight(place) }))
    .sort(byWeight)
    .map(({ place }) => place);
}

/**
 * When it is this place's turn: the first acts at once, each later one gives those before it some patience.
 *
 * @param input `since`: unix s at which the duty arose; `patienceSeconds` per place before this one.
 * @returns Unix s, or undefined when the place is not in the order.
 */
export function turnOf(input: {
  readonly jobId: Hex;
  readonly duty: Duty;
  readonly places: readonly number[];
  readonly own: number;
  readonly since: number;
  readonly patienceSeconds: number;
}): number | undefined {
  const rank = dutyOrder(input.jobId, input.duty, input.places).indexOf(input.own);
  return rank < 0 ? undefined : input.since + rank * input.patienceSeconds;
}

const duties: readonly Duty[] = ["commitments", "promotion", "openings", "settlement", "set", "reveal-set"];

function byWeight(a: { weight: Hex }, b: { weight: Hex }): number {
  return a.weight < b.weight ? -1 : 1;
}
