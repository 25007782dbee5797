// What the circuits compute, written again in TypeScript over circomlibjs.
import { buildEddsa, buildPoseidon, type Point } from "circomlibjs";
import { readConfig } from "../../../scripts/circuits/config.ts";
import type { Inputs } from "./witness.ts";

const eddsa = await buildEddsa();
const poseidon = await buildPoseidon();
const { F } = poseidon;
export const { babyJub } = eddsa;
export const CONSENT_TAG: bigint = readConfig().consentTag;
export const DEPTH = 7;

/** Poseidon over as many inputs as are given. */
export const hash = (...inputs: readonly bigint[]): bigint => F.toObject(poseidon(inputs));

/** Coordinates of a point. */
export const coordinates = ([x, y]: Point): readonly [bigint, bigint] => [F.toObject(x), F.toObject(y)];

/** A point from coordinates, on the curve or not. */
export const pointOf = (x: bigint, y: bigint): Point => [F.e(x), F.e(y)];

/** A secret key from a small number: tests name their keys. */
export const secretKey = (number: number): Uint8Array => new Uint8Array(32).fill(number);

/** The public key of {@link secretKey}. */
export const publicKey = (number: number): readonly [bigint, bigint] => coordinates(eddsa.prv2pub(secretKey(number)));

/** EdDSA-Poseidon over a message, checked by circomlibjs. */
export function sign(key: number, message: bigint): { readonly R8x: bigint; readonly R8y: bigint; readonly S: bigint } {
  const signature = eddsa.signPoseidon(secretKey(key), F.e(message));
  if (!eddsa.verifyPoseidon(F.e(message), signature, eddsa.prv2pub(secretKey(key)))) throw new Error("bad signature");
  const [R8x, R8y] = coordinates(signature.R8);
  return { R8x, R8y, S: signature.S };
}

/** Root of the tree over a leaf at a place. */
export function rootOf(leaf: bigint, siblings: readonly (readonly bigint[])[], index: readonly bigint[]): bigint {
  return siblings.reduce((node, others, level) => {
    const children = [...others];
    children.splice(Number(index[level]), 0, node);
    return hash(...children);
  }, leaf);
}

const SIBLINGS = Array.from({ length: DEPTH }, (_, level) =>
  Array.from({ length: 7 }, (_, n) => hash(BigInt(level), BigInt(n))),
);

/** What both circuits take. */
const COMMON = {
  key: 1,
  person: 4_711n,
  validFrom: 1_700_000_000n,
  validUntil: 1_800_000_000n,
  budget: 3n,
  nk: (1n << 250n) - 5n,
  siblings: SIBLINGS as readonly (readonly bigint[])[],
  index: [0n, 1n, 2n, 3n, 5n, 6n, 7n] as readonly bigint[],
  asOf: 1_750_000_000n,
  context: (1n << 248n) - 1n,
  subjectNonce: 99n,
  k: (1n << 247n) + 3n,
  i: 2n,
};
type Common = typeof COMMON;

/** Inputs with the public signals that follow from them, and what was signed. */
export type Example = {
  readonly inputs: Inputs;
  readonly signals: readonly bigint[];
  readonly query: bigint;
  readonly leaf: bigint;
  readonly answer: bigint;
};

type Parts = {
  readonly common: Common;
  readonly topic: bigint;
  readonly nullifierTopic: bigint;
  readonly params: bigint;
  readonly answer: boolean;
  readonly leafOf: (subjectId: bigint, meta: bigint) => bigint;
  readonly own: Inputs;
};

function example({ common, topic, nullifierTopic, params, answer, leafOf, own }: Parts): Example {
  const { key, person, validFrom, validUntil, budget, nk, siblings, index, asOf, context, subjectNonce, k, i } = common;
  const [Ax, Ay] = publicKey(key);
  const subjectId = hash(Ax, Ay, person);
  const leaf = leafOf(subjectId, validFrom | (validUntil << 40n) | (budget << 80n));
  const query = hash(context, hash(subjectId, subjectNonce), person, topic, params, hash(k));
  const cipher = (answer ? 1n : 0n) + hash(k, query);
  const nullifier = hash(nk, nullifierTopic, validFrom, i);
  const shared = { Ax, Ay, person, validFrom, validUntil, budget, nk, siblings, index, asOf, context, subjectNonce, k };
  const inputs = { ...shared, i, ...own, ...sign(key, hash(CONSENT_TAG, query, leaf)) };
  const signals = [cipher, nullifier, rootOf(leaf, siblings, index), query];
  return { inputs, signals, query, leaf, answer: answer ? 1n : 0n };
}

const STATEMENT = { attribute: 77n, value: 120_000n, lo: 100_000n, hi: (1n << 64n) - 1n, negate: 0n };

/** A question to a record of one attribute: income of 120,000, at least 100,000 unless told otherwise. */
export function sealedAnswer(over: Partial<Common & typeof STATEMENT> = {}): Example {
  const all = { ...COMMON, ...STATEMENT, ...over };
  const { attribute, value, lo, hi, negate, asOf, nk } = all;
  return example({
    common: all,
    topic: attribute,
    nullifierTopic: attribute,
    params: lo | (hi << 64n) | (asOf << 128n) | (negate << 168n),
    answer: (lo <= value && value <= hi) !== (negate === 1n),
    leafOf: (subjectId, meta) => hash(subjectId, attribute, value, meta, nk),
    own: { attribute, value, lo, hi, negate },
  });
}

/** Signed numbers of a program, before they are shifted. */
export type Clauses = {
  readonly coefficient: readonly (readonly bigint[])[];
  readonly bound: readonly bigint[];
  readonly weight: readonly bigint[];
  readonly cutoff: bigint;
};

/** A program's inputs as the circuit takes them. */
export function shifted({ coefficient, bound, weight, cutoff }: Clauses): {
  readonly coefficient: readonly (readonly bigint[])[];
  readonly bound: readonly bigint[];
  readonly weight: readonly bigint[];
  readonly cutoff: bigint;
} {
  return {
    coefficient: coefficient.map((row) => row.map((number) => number + (1n << 31n))),
    bound: bound.map((number) => number + (1n << 99n)),
    weight: weight.map((number) => number + (1n << 31n)),
    cutoff: cutoff + (1n << 35n),
  };
}

/** Whether a program holds for eight values. */
export function runProgram({ coefficient, bound, weight, cutoff }: Clauses, value: readonly bigint[]): boolean {
  const score = coefficient.reduce((sum, row, j) => {
    const left = row.reduce((total, number, i) => total + number * (value[i] ?? 0n), 0n);
    return left >= (bound[j] ?? 0n) ? sum + (weight[j] ?? 0n) : sum;
  }, 0n);
  return score >= cutoff;
}

const pack = (numbers: readonly bigint[], bits: bigint): bigint =>
  numbers.reduce((sum, number, n) => sum | (number << (BigInt(n) * bits)), 0n);

/** Id of a program. */
export function programId(clauses: Clauses): bigint {
  const { coefficient, bound, weight, cutoff } = shifted(clauses);
  const flat = coefficient.flat();
  const elements = [0, 7, 14, 21, 28].map((start) => pack(flat.slice(start, start + 7), 32n));
  const bounds = [pack(bound.slice(0, 2), 100n), pack(bound.slice(2), 100n)];
  return hash(...elements, ...bounds, pack([...weight, cutoff], 32n));
}

const SCORECARD = {
  schema: (1n << 152n) - 1n,
  value: [50_000n, 12_000n, 720n, 1n, 0n, (1n << 64n) - 1n, 3n, 8n] as readonly bigint[],
  // Debt of at most 36 % of income, score of 700 or more, and two clauses that always hold without weight.
  clauses: {
    coefficient: [
      [36n, -100n, 0n, 0n, 0n, 0n, 0n, 0n],
      [0n, 0n, 1n, 0n, 0n, 0n, 0n, 0n],
      [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n],
      [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n],
    ],
    bound: [0n, 700n, 0n, 0n],
    weight: [1n, 1n, 0n, 0n],
    cutoff: 2n,
  } as Clauses,
};

/** A question to a record of eight values. */
export function scorecard(over: Partial<Common & typeof SCORECARD> = {}): Example {
  const all = { ...COMMON, ...SCORECARD, ...over };
  const { schema, value, clauses, asOf, nk } = all;
  const words = [pack(value.slice(0, 3), 64n), pack(value.slice(3, 6), 64n), pack(value.slice(6), 64n)];
  return example({
    common: all,
    topic: programId(clauses),
    nullifierTopic: schema,
    params: schema | (asOf << 152n) | (1n << 232n),
    answer: runProgram(clauses, value),
    leafOf: (subjectId, meta) => hash(subjectId, ...words, meta | (schema << 96n), nk),
    own: { schema, value, ...shifted(clauses) },
  });
}
