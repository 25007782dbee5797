// Groth16 over BN254 with proving keys of snarkjs. Curve, transforms and sums of points are those of snarkjs' WebAssembly; this file
// evaluates the constraints. snarkjs crosses into WebAssembly for each coefficient, which is an eighth of its time for circuits with
// wide hashes; here the rows are kept as numbers, and are evaluated while the workers already add points.
// Whoever calls this verifies the proof: a mistake here can make a proof that is refused, never one that lies.
import { FIELD_MODULUS } from "../field.ts";

/** A proof as snarkjs writes it: decimal strings, points in projective coordinates. */
export type Groth16Proof = {
  readonly pi_a: readonly string[];
  readonly pi_b: readonly (readonly string[])[];
  readonly pi_c: readonly string[];
  readonly protocol: string;
  readonly curve: string;
};

/** A point in the curve's own bytes: affine or projective. */
type Point = Uint8Array;
/** A group; a coordinate is a number, or a pair of them. */
type Group<Coordinate> = {
  /** `Σ scalar · base` by the workers: affine bases, scalars of 32 bytes, lowest first. */
  multiExpAffine(bases: Uint8Array, scalars: Uint8Array): Promise<Point>;
  add(a: Point, b: Point): Point;
  timesScalar(point: Point, scalar: bigint): Point;
  toAffine(point: Point): Point;
  toObject(point: Point): readonly Coordinate[];
};
/** BN254 in WebAssembly, with its workers: `getCurveFromName("bn128")` of snarkjs. */
export type Curve = {
  readonly G1: Group<bigint>;
  readonly G2: Group<readonly [bigint, bigint]>;
  readonly Fr: {
    /** Roots of unity by the logarithm of their order. */
    readonly w: readonly Uint8Array[];
    e(value: bigint): Uint8Array;
    fft(values: Uint8Array): Promise<Uint8Array>;
    ifft(values: Uint8Array): Promise<Uint8Array>;
    /** Multiplies value n by `first · factor^n`. */
    batchApplyKey(values: Uint8Array, first: Uint8Array, factor: Uint8Array): Promise<Uint8Array>;
  };
};

/** A coefficient of a row. */
type Term = {
  readonly signal: number;
  /** Between minus and plus half of the modulus: most are small. */
  readonly coefficient: bigint;
};
/** A matrix of the constraint system, row by row. */
type Matrix = readonly (readonly Term[])[];

/** A proving key, read once. */
export type ProvingKey = {
  readonly variables: number;
  readonly publicSignals: number;
  /** Size of the domain, a power of two. */
  readonly domain: number;
  readonly alpha1: Uint8Array;
  readonly beta1: Uint8Array;
  readonly beta2: Uint8Array;
  readonly delta1: Uint8Array;
  readonly delta2: Uint8Array;
  readonly a: Matrix;
  readonly b: Matrix;
  /** Points of each variable on the left side. */
  readonly pointsA: Uint8Array;
  /** Variables on the right side: four in ten are not, and their points are zero. */
  readonly variablesB: readonly number[];
  /** Points of {@link variablesB}, in G1 and in G2. */
  readonly pointsB1: Uint8Array;
  readonly pointsB2: Uint8Array;
  /** Points of each private variable. */
  readonly pointsC: Uint8Array;
  /** Points of the quotient. */
  readonly pointsH: Uint8Array;
};

const WORD = 32;
const G1_BYTES = 64;
const G2_BYTES = 128;
/** Factor of numbers in the form of Montgomery. */
const MONTGOMERY = (1n << 256n) % FIELD_MODULUS;
const HALF = FIELD_MODULUS >> 1n;

/**
 * Reads a proving key.
 *
 * @param file a `.zkey` of snarkjs for Groth16 over BN254
 * @throws Error when it is none
 */
export function readProvingKey(file: Uint8Array): ProvingKey {
  const sections = sectionsOf(file, "zkey");
  const section = (type: number): Uint8Array => {
    const found = sections.get(type);
    if (found === undefined) throw new Error(`the proving key has no section ${type}`);
    return found;
  };
  if (viewOf(section(1)).getUint32(0, true) !== 1) throw new Error("the proving key is not for Groth16");
  const header = section(2);
  const view = viewOf(header);
  // Two moduli, each after its length, then three counts, then the points.
  const variables = view.getUint32(72, true);
  const publicSignals = view.getUint32(76, true);
  const domain = view.getUint32(80, true);
  if (view.getUint32(36, true) !== WORD || wordAt(header, 40) !== FIELD_MODULUS) {
    throw new Error("the proving key is not for BN254");
  }
  const one = (offset: number): Uint8Array => header.slice(offset, offset + G1_BYTES);
  const two = (offset: number): Uint8Array => header.slice(offset, offset + G2_BYTES);
  // alpha1, beta1, beta2, gamma2, delta1, delta2.
  const points = { alpha1: one(84), beta1: one(148), beta2: two(212), delta1: one(468), delta2: two(532) };
  if (header.length !== 660) throw new Error("the header of the proving key has another length");
  const [a, b] = matricesOf(section(4), domain);
  const onRight = new Set(b.flatMap((row) => row.map(({ signal }) => signal)));
  const variablesB = [...onRight].sort((left, right) => left - right);
  return {
    variables,
    publicSignals,
    domain,
    ...points,
    a,
    b,
    pointsA: section(5),
    variablesB,
    pointsB1: gather(section(6), variablesB, G1_BYTES),
    pointsB2: gather(section(7), variablesB, G2_BYTES),
    pointsC: section(8),
    pointsH: section(9),
  };
}

/** Items of a fixed length, one after the other. */
function gather(items: Uint8Array, indices: readonly number[], bytes: number): Uint8Array {
  const result = new Uint8Array(indices.length * bytes);
  for (const [n, index] of indices.entries()) result.set(items.subarray(index * bytes, (index + 1) * bytes), n * bytes);
  return result;
}

/** Sections of a file of snarkjs by their type. */
function sectionsOf(file: Uint8Array, magic: string): ReadonlyMap<number, Uint8Array> {
  const view = viewOf(file);
  if (new TextDecoder().decode(file.subarray(0, 4)) !== magic) throw new Error(`the file is no ${magic}`);
  const sections = new Map<number, Uint8Array>();
  let offset = 12;
  for (let left = view.getUint32(8, true); left > 0; left--) {
    const bytes = Number(view.getBigUint64(offset + 4, true));
    // Copies: what goes to a worker takes the whole memory below it along.
    sections.set(view.getUint32(offset, true), new Uint8Array(file.subarray(offset + 12, offset + 12 + bytes)));
    offset += 12 + bytes;
  }
  return sections;
}

/** Matrices A and B from their coefficients, which come in any order: matrix, row, signal, number. */
function matricesOf(section: Uint8Array, rows: number): readonly [Matrix, Matrix] {
  const view = viewOf(section);
  const entries = view.getUint32(0, true);
  const entryBytes = 12 + WORD;
  // Numbers lie there times the square of Montgomery's factor.
  const unscale = inverse((MONTGOMERY * MONTGOMERY) % FIELD_MODULUS);
  const matrices = [0, 1].map(() => Array.from({ length: rows }, (): Term[] => []));
  for (let n = 0, at = 4; n < entries; n++, at += entryBytes) {
    const row = matrices[view.getUint32(at, true)]?.[view.getUint32(at + 4, true)];
    if (row === undefined) throw new Error("the proving key has a coefficient outside of its matrices");
    const number = (wordAt(section, at + 12) * unscale) % FIELD_MODULUS;
    row.push({ signal: view.getUint32(at + 8, true), coefficient: number > HALF ? number - FIELD_MODULUS : number });
  }
  const [a = [], b = []] = matrices;
  return [a, b];
}

/**
 * Makes a proof.
 *
 * @param curve BN254 of snarkjs
 * @param key from {@link readProvingKey}
 * @param witnessFile a `.wtns` of the same circuit
 * @returns proof and public signals as snarkjs writes them
 * @throws Error when the witness is of another circuit
 * @see Groth, "On the Size of Pairing-Based Non-interactive Arguments", 2016, section 3.2
 */
export async function proveGroth16(
  curve: Curve,
  key: ProvingKey,
  witnessFile: Uint8Array,
): Promise<{ readonly proof: Groth16Proof; readonly publicSignals: readonly string[] }> {
  const { G1, G2 } = curve;
  const scalars = sectionsOf(witnessFile, "wtns").get(2);
  if (scalars?.length !== key.variables * WORD) throw new Error("the witness is of another circuit");
  // The workers add points while this thread evaluates the constraints.
  const scalarsB = gather(scalars, key.variablesB, WORD);
  const sums = Promise.all([
    G1.multiExpAffine(key.pointsA, scalars),
    G1.multiExpAffine(key.pointsB1, scalarsB),
    G2.multiExpAffine(key.pointsB2, scalarsB),
  ]);
  const witness = Array.from({ length: key.variables }, (_, n) => wordAt(scalars, n * WORD));
  const onDomain = evaluate(key, witness);
  const beside = Promise.all(onDomain.map((values) => shiftDomain(curve, values, key.domain)));
  const [[sumA, sumB1, sumB2], [a, b, c]] = await Promise.all([sums, beside]);
  if (a === undefined || b === undefined || c === undefined) throw new Error("three polynomials are transformed");
  const privateSum = G1.multiExpAffine(key.pointsC, scalars.slice((key.publicSignals + 1) * WORD));
  const quotientSum = G1.multiExpAffine(key.pointsH, quotient(a, b, c));

  const [r, s] = [randomScalar(), randomScalar()];
  const add = (group: typeof G1 | typeof G2, ...points: readonly Uint8Array[]): Uint8Array =>
    points.reduce((sum, point) => group.add(sum, point));
  const proofA = add(G1, sumA, key.alpha1, G1.timesScalar(key.delta1, r));
  const proofB = add(G2, sumB2, key.beta2, G2.timesScalar(key.delta2, s));
  const proofB1 = add(G1, sumB1, key.beta1, G1.timesScalar(key.delta1, s));
  const proofC = add(
    G1,
    await privateSum,
    await quotientSum,
    G1.timesScalar(proofA, s),
    G1.timesScalar(proofB1, r),
    G1.timesScalar(key.delta1, FIELD_MODULUS - ((r * s) % FIELD_MODULUS)),
  );
  const texts = (numbers: readonly bigint[]): readonly string[] => numbers.map(String);
  return {
    proof: {
      pi_a: texts(G1.toObject(G1.toAffine(proofA))),
      pi_b: G2.toObject(G2.toAffine(proofB)).map(texts),
      pi_c: texts(G1.toObject(G1.toAffine(proofC))),
      protocol: "groth16",
      curve: "bn128",
    },
    publicSignals: texts(witness.slice(1, 1 + key.publicSignals)),
  };
}

/** Left sides, right sides and their products, row by row. */
function evaluate({ a, b, domain }: ProvingKey, witness: readonly bigint[]): readonly Uint8Array[] {
  const left = new Uint8Array(domain * WORD);
  const right = new Uint8Array(domain * WORD);
  const product = new Uint8Array(domain * WORD);
  const evaluateRow = (terms: readonly Term[] = []): bigint => {
    let sum = 0n;
    for (const { signal, coefficient } of terms) sum += coefficient * (witness[signal] ?? 0n);
    return reduce(sum);
  };
  for (let row = 0; row < domain; row++) {
    const [x, y] = [evaluateRow(a[row]), evaluateRow(b[row])];
    setWord(left, row, x);
    setWord(right, row, y);
    setWord(product, row, reduce(x * y));
  }
  return [left, right, product];
}

/**
 * Values of a polynomial on the domain, moved by half a step: there the vanishing polynomial of the domain is a constant, which the
 * key has in its points. All steps are linear, so that numbers need not be put into the form of Montgomery.
 */
async function shiftDomain({ Fr }: Curve, values: Uint8Array, domain: number): Promise<Uint8Array> {
  const step = Fr.w[Math.log2(domain) + 1];
  if (step === undefined) throw new Error("the domain is too large for the field");
  return await Fr.fft(await Fr.batchApplyKey(await Fr.ifft(values), Fr.e(1n), step));
}

/** `a · b − c`, value by value. */
function quotient(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array {
  const result = new Uint8Array(a.length);
  for (let n = 0; n < a.length / WORD; n++) {
    setWord(result, n, reduce(wordAt(a, n * WORD) * wordAt(b, n * WORD) - wordAt(c, n * WORD)));
  }
  return result;
}

function reduce(number: bigint): bigint {
  const rest = number % FIELD_MODULUS;
  return rest < 0n ? rest + FIELD_MODULUS : rest;
}

/** Random field element, evenly distributed: numbers that are too large are thrown away. */
function randomScalar(): bigint {
  for (;;) {
    // The modulus has 254 bits.
    const number = wordAt(crypto.getRandomValues(new Uint8Array(WORD)), 0) >> 2n;
    if (number < FIELD_MODULUS) return number;
  }
}

/** Inverse by Fermat. */
function inverse(number: bigint): bigint {
  let [result, base] = [1n, number];
  for (let rest = FIELD_MODULUS - 2n; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * base) % FIELD_MODULUS;
    base = (base * base) % FIELD_MODULUS;
  }
  return result;
}

/** 32 bytes, lowest first, as a number. */
function wordAt(bytes: Uint8Array, offset: number): bigint {
  const view = viewOf(bytes);
  return (
    view.getBigUint64(offset, true) |
    (view.getBigUint64(offset + 8, true) << 64n) |
    (view.getBigUint64(offset + 16, true) << 128n) |
    (view.getBigUint64(offset + 24, true) << 192n)
  );
}

function setWord(bytes: Uint8Array, index: number, value: bigint): void {
  if (value === 0n) return;
  const view = viewOf(bytes);
  const offset = index * WORD;
  view.setBigUint64(offset, value & 0xffff_ffff_ffff_ffffn, true);
  view.setBigUint64(offset + 8, (value >> 64n) & 0xffff_ffff_ffff_ffffn, true);
  view.setBigUint64(offset + 16, (value >> 128n) & 0xffff_ffff_ffff_ffffn, true);
  view.setBigUint64(offset + 24, value >> 192n, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
