import { FatalError } from "@quorate/core";
import { poseidon1 } from "poseidon-lite/poseidon1";
import { poseidon2 } from "poseidon-lite/poseidon2";
import { poseidon3 } from "poseidon-lite/poseidon3";
import { poseidon4 } from "poseidon-lite/poseidon4";
import { poseidon5 } from "poseidon-lite/poseidon5";
import { poseidon6 } from "poseidon-lite/poseidon6";
import { poseidon7 } from "poseidon-lite/poseidon7";
import { poseidon8 } from "poseidon-lite/poseidon8";

/** Modulus of the scalar field of BN254: every number of a circuit lies below it. */
export const FIELD_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

const permutations = [
  poseidon1,
  poseidon2,
  poseidon3,
  poseidon4,
  poseidon5,
  poseidon6,
  poseidon7,
  poseidon8,
] as const satisfies readonly ((inputs: bigint[]) => bigint)[];

/**
 * Refuses what is no field element. A witness calculator would reduce it without a word, and a proof would speak about
 * another number.
 *
 * @param value Number from anywhere.
 * @param name What it is, for the message; the value itself may be a secret and is never shown.
 * @returns The value.
 * @throws FatalError `FIELD_OVERFLOW`.
 */
export function assertField(value: bigint, name: string): bigint {
  if (value >= 0n && value < FIELD_MODULUS) return value;
  throw new FatalError(
    "FIELD_OVERFLOW",
    `${name} is ${value < 0n ? "negative" : "not below the field's modulus"}: a circuit would reduce it to another number. Check where it was read from.`,
    { docsPath: "protocol/circuits.md#who-checks-what", details: { name } },
  );
}

/**
 * Poseidon over BN254's scalar field with as many inputs as are given, as circomlib's.
 *
 * @param inputs 1 to 8 field elements.
 * @throws FatalError `FIELD_OVERFLOW` for an input that is no field element; RangeError for another number of inputs.
 * @see https://eprint.iacr.org/2019/458
 */
export function hash(...inputs: readonly bigint[]): bigint {
  const permutation = permutations[inputs.length - 1];
  if (permutation === undefined) throw new RangeError(`Poseidon takes 1 to 8 inputs, not ${inputs.length}`);
  return permutation(inputs.map((input, n) => assertField(input, `Input ${n} of a hash`)));
}
