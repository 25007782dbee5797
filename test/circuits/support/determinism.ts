// Whether inputs determine every wire of a constraint system: wires are marked as determined one after the other, by rules that hold
// for every witness. What no rule reaches but a condition would, is told as a site.
import type { Combination, R1cs } from "../../../scripts/circuits/r1cs.ts";
import { P } from "./witness.ts";

/** Why a wire is determined under a condition only. */
export type SiteKind =
  /** `w · D = E` with known D and E: if D is not zero. */
  | "division"
  /** `in · inverse = 1 − out` and `in · out = 0`: `out` is determined, the inverse is if `in` is not zero. */
  | "inverse"
  /** Bits whose weights reach the modulus: if the number that they stand for is below it. */
  | "alias"
  /** Bits of one weight whose sum is known: if another sum over them leaves one choice. */
  | "one-hot";

/** A wire that is determined under a condition. */
export type Site = { readonly wire: number; readonly kind: SiteKind };

/** What {@link propagate} finds. */
export type Propagation = {
  /** Wires that nothing determines, not even under a condition. */
  readonly loose: readonly number[];
  readonly sites: readonly Site[];
};

/** A constraint as far as it is linear in what is not determined. */
type Linear = {
  /** Unknown wires with their coefficients, not zero. */
  readonly open: Combination;
  /** Value of the rest; undefined if it depends on the inputs. */
  readonly rest: bigint | undefined;
};

const KNOWN = 1;

/**
 * Marks what the inputs determine.
 *
 * @param system without simplification, so that each signal is a wire
 */
export function propagate(system: R1cs): Propagation {
  const { rows, wires, publicOutputs, publicInputs, privateInputs } = system;
  const state = new Uint8Array(wires);
  /** Wires that have one value in all witnesses. */
  const constants = new Map<number, bigint>([[0, 1n]]);
  state[0] = KNOWN;
  state.fill(KNOWN, 1 + publicOutputs, 1 + publicOutputs + publicInputs + privateInputs);
  const bits = new Set(rows.flatMap(({ a, b, c }) => bitOf(a, b, c) ?? []));
  const readers: number[][] = Array.from({ length: wires }, () => []);
  for (const [row, { a, b, c }] of rows.entries()) {
    for (const wire of new Set([...a, ...b, ...c].map(([index]) => index))) readers[wire]?.push(row);
  }
  const queue = rows.map((_, row) => row);
  const mark = (wire: number, value?: bigint): void => {
    if (state[wire] === KNOWN && (value === undefined || constants.has(wire))) return;
    state[wire] = KNOWN;
    if (value !== undefined) constants.set(wire, value);
    queue.push(...(readers[wire] ?? []));
  };
  const isOpen = (wire: number): boolean => state[wire] !== KNOWN;
  const openOf = (combination: Combination): Combination => combination.filter(([wire]) => isOpen(wire));
  /** Value of a combination that has one in all witnesses. */
  const constantOf = (combination: Combination): bigint | undefined => {
    let sum = 0n;
    for (const [wire, coefficient] of combination) {
      const value = constants.get(wire);
      if (value === undefined) return undefined;
      sum += value * coefficient;
    }
    return mod(sum);
  };
  const linearOf = (row: number): Linear | undefined => {
    const { a, b, c } = rows[row] as R1cs["rows"][number];
    const [left, right] = [constantOf(a), constantOf(b)];
    if (left === undefined && right === undefined) {
      // A product of what is known is known.
      return openOf(a).length + openOf(b).length === 0 ? { open: openOf(c), rest: undefined } : undefined;
    }
    const [factor, other] = left !== undefined ? [left, b] : [right as bigint, a];
    const sum = new Map<number, bigint>();
    for (const [wire, coefficient] of other) sum.set(wire, (sum.get(wire) ?? 0n) + coefficient * factor);
    for (const [wire, coefficient] of c) sum.set(wire, (sum.get(wire) ?? 0n) - coefficient);
    const terms = [...sum].map(([wire, value]) => [wire, mod(value)] as const).filter(([, value]) => value !== 0n);
    const open = terms.filter(([wire]) => isOpen(wire));
    return { open, rest: constantOf(terms.filter(([wire]) => !isOpen(wire))) };
  };

  /** Rules without a condition. */
  const settle = (row: number): void => {
    const linear = linearOf(row);
    const [first] = linear?.open ?? [];
    if (linear === undefined || first === undefined) return;
    const { open, rest } = linear;
    if (open.length === 1) {
      const [wire, coefficient] = first;
      mark(wire, rest === undefined ? undefined : mod(-rest * invert(coefficient)));
    } else if (open.every(([wire]) => bits.has(wire)) && hasUniqueBits(open)) {
      for (const [wire] of open) mark(wire);
    }
  };
  const drain = (): void => {
    for (let row = queue.pop(); row !== undefined; row = queue.pop()) settle(row);
  };

  /** Rows with a wire that is open; those without have nothing more to say. */
  let live = rows.map((_, row) => row);

  /** Sites that are open now, by kind. */
  const findSites = (): ReadonlyMap<SiteKind, readonly Site[]> => {
    const found = new Map<SiteKind, Site[]>();
    const add = (kind: SiteKind, wire: number): void => {
      const sites = found.get(kind) ?? [];
      if (sites.length === 0) found.set(kind, sites);
      sites.push({ kind, wire });
    };
    /** `out` of `in · out = 0`, by the known `in`. */
    const zeros = new Map<string, number>();
    live = live.filter((row) => {
      const { a, b, c } = rows[row] as R1cs["rows"][number];
      return [a, b, c].some((part) => part.some(([wire]) => isOpen(wire)));
    });
    for (const row of live) {
      const { a, b, c } = rows[row] as R1cs["rows"][number];
      const [out] = b;
      if (c.length === 0 && b.length === 1 && out !== undefined && isOpen(out[0]) && openOf(a).length === 0) {
        zeros.set(keyOf(a), out[0]);
      }
    }
    for (const row of live) {
      const { a, b, c } = rows[row] as R1cs["rows"][number];
      const [openA, openB, openC] = [openOf(a), openOf(b), openOf(c)];
      const [inverse, out] = [openB[0]?.[0], openC[0]?.[0]];
      const isZero = openA.length === 0 && openB.length === 1 && openC.length === 1 && zeros.get(keyOf(a)) === out;
      if (isZero && inverse !== undefined && out !== undefined && inverse !== out) {
        add("inverse", out);
        add("inverse", inverse);
      } else if (openC.length === 0 && openA.length + openB.length === 1) {
        const [divisor, wire] = openA.length === 1 ? [b, openA[0]?.[0]] : [a, openB[0]?.[0]];
        // A divisor that is zero in all witnesses determines nothing.
        if (wire !== undefined && constantOf(divisor) !== 0n) add("division", wire);
      } else {
        const { open } = linearOf(row) ?? { open: [] };
        if (open.length < 2 || !open.every(([wire]) => bits.has(wire))) continue;
        const kind = new Set(open.map(([, value]) => value)).size === 1 ? "one-hot" : "alias";
        for (const [wire] of open) add(kind, wire);
      }
    }
    return found;
  };

  const sites: Site[] = [];
  drain();
  for (;;) {
    const found = findSites();
    const next = (["inverse", "one-hot", "alias", "division"] as const).flatMap((kind) => found.get(kind) ?? []);
    const [first] = next;
    if (first === undefined) break;
    // All sites of the strongest kind, those that an earlier one settles left out.
    for (const site of next.filter(({ kind }) => kind === first.kind)) {
      if (!isOpen(site.wire)) continue;
      sites.push(site);
      mark(site.wire);
      drain();
    }
  }
  const loose = Array.from({ length: wires }, (_, wire) => wire).filter(
    (wire) => isOpen(wire) && (readers[wire]?.length ?? 0) > 0,
  );
  return { loose, sites };
}

/** The wire of `w · (w − 1) = 0`, in either order and up to a factor. */
function bitOf(a: Combination, b: Combination, c: Combination): number | undefined {
  if (c.length > 0) return undefined;
  for (const [left, right] of [
    [a, b],
    [b, a],
  ] as const) {
    const [term] = left;
    if (left.length !== 1 || term === undefined || term[0] === 0 || right.length !== 2) continue;
    const own = right.find(([wire]) => wire === term[0]);
    const one = right.find(([wire]) => wire === 0);
    if (own !== undefined && one !== undefined && mod(own[1] + one[1]) === 0n) return term[0];
  }
  return undefined;
}

/** Whether two choices of these bits never have one sum: each weight exceeds the sum of those below it, and nothing wraps. */
function hasUniqueBits(open: Combination): boolean {
  const weights = open.map(([, value]) => (value > P / 2n ? P - value : value));
  weights.sort((x, y) => (x < y ? -1 : x > y ? 1 : 0));
  let sum = 0n;
  for (const weight of weights) {
    if (weight <= sum) return false;
    sum += weight;
  }
  return sum < P;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function invert(value: bigint): bigint {
  let [result, square, left] = [1n, mod(value), P - 2n];
  while (left > 0n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
    left >>= 1n;
  }
  return result;
}

function keyOf(combination: Combination): string {
  return combination.map(([wire, value]) => `${wire}:${value}`).join(",");
}
