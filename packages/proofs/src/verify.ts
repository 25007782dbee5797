import { bn254 } from "@noble/curves/bn254.js";
import { FIELD_MODULUS } from "./field.ts";
import { verificationKeys } from "./generated/verification-keys.ts";
import type { Signals } from "./inputs.ts";
import type { Circuit } from "./statement.ts";

/**
 * A Groth16 proof as the contracts take it: `a0, a1, b00, b01, b10, b11, c0, c1`, the coordinates of B with the imaginary
 * part first. Never an id: another proof with the same signals is easily made of it.
 */
export type ProofWords = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

/** A point over the base field. */
type G1Words = readonly [x: bigint, y: bigint];
/** A point over the quadratic extension, real parts first. */
type G2Words = readonly [x: readonly [bigint, bigint], y: readonly [bigint, bigint]];

/** Verification key of a circuit. */
export type VerificationKey = {
  /** Of the proving key that belongs to it. */
  readonly provingKeySha256: string;
  readonly alpha: G1Words;
  readonly beta: G2Words;
  readonly gamma: G2Words;
  readonly delta: G2Words;
  /** For the constant and each public signal. */
  readonly signals: readonly G1Words[];
};

const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;
const { Fp, Fp12 } = bn254.fields;

/**
 * Key that proofs of a circuit verify under: the one for development that this version ships.
 *
 * @param circuit Circuit.
 */
export function verificationKeyOf(circuit: Circuit): VerificationKey {
  return verificationKeys[circuit];
}

/**
 * Verifies a proof without a chain, in browsers as well. As the contracts, it refuses signals that are no field elements;
 * stricter than these, also points at infinity, which no honest proof holds.
 *
 * @param circuit Circuit that it shall be of.
 * @param proof From anybody.
 * @param signals Public signals in the order of the contracts, from anybody.
 * @param key Verification key; the one of {@link verificationKeyOf} unless given.
 * @returns Whether it is valid; never throws for numbers.
 * @see Groth, "On the Size of Pairing-Based Non-interactive Arguments", 2016
 */
export async function verifyProof(
  circuit: Circuit,
  proof: ProofWords,
  signals: Signals,
  key: VerificationKey = verificationKeyOf(circuit),
): Promise<boolean> {
  if (signals.length !== 4 || signals.some((signal) => signal < 0n || signal >= FIELD_MODULUS)) return false;
  const [a0, a1, b00, b01, b10, b11, c0, c1] = proof;
  const a = g1Of([a0, a1]);
  const b = g2Of([
    [b01, b00],
    [b11, b10],
  ]);
  const c = g1Of([c0, c1]);
  if (a === undefined || b === undefined || c === undefined) return false;
  const [constant, ...bases] = key.signals.map(trustedG1);
  if (constant === undefined || bases.length !== signals.length) return false;
  const inputs = bases.reduce((sum, base, n) => sum.add(base.multiplyUnsafe(signals[n] ?? 0n)), constant);
  const product = bn254.pairingBatch([
    { g1: a.negate(), g2: b },
    { g1: trustedG1(key.alpha), g2: trustedG2(key.beta) },
    { g1: inputs, g2: trustedG2(key.gamma) },
    { g1: c, g2: trustedG2(key.delta) },
  ]);
  return Fp12.eql(product, Fp12.ONE);
}

function trustedG1([x, y]: G1Words): InstanceType<typeof G1> {
  return G1.fromAffine({ x, y });
}

function trustedG2([x, y]: G2Words): InstanceType<typeof G2> {
  return G2.fromAffine({ x: { c0: x[0], c1: x[1] }, y: { c0: y[0], c1: y[1] } });
}

/** A point of the curve other than infinity, or undefined. */
function g1Of(words: G1Words): InstanceType<typeof G1> | undefined {
  return words.every(isBaseElement) && words.some((word) => word !== 0n) ? checked(() => trustedG1(words)) : undefined;
}

/** A point of the right subgroup other than infinity, or undefined. */
function g2Of(words: G2Words): InstanceType<typeof G2> | undefined {
  const flat = words.flat();
  return flat.every(isBaseElement) && flat.some((word) => word !== 0n) ? checked(() => trustedG2(words)) : undefined;
}

function isBaseElement(word: bigint): boolean {
  return word >= 0n && word < Fp.ORDER;
}

function checked<P extends { assertValidity(): void }>(make: () => P): P | undefined {
  try {
    const point = make();
    point.assertValidity();
    return point;
  } catch {
    return undefined;
  }
}
