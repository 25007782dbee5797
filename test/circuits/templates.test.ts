// Each template alone, against the reference in TypeScript, with inputs that must have no witness beside those that have.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { root } from "../../scripts/lib/workspace.ts";
import {
  babyJub,
  type Clauses,
  CONSENT_TAG,
  coordinates,
  DEPTH,
  hash,
  pointOf,
  programId,
  publicKey,
  rootOf,
  runProgram,
  shifted,
  sign,
} from "./support/reference.ts";
import { Circuit, type Inputs, P } from "./support/witness.ts";

const SEED = Number(process.env.FC_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`FC_SEED=${SEED}`);

const MAX64 = (1n << 64n) - 1n;
const element = fc.bigInt({ min: 0n, max: P - 1n });
const uint = (bits: bigint) => fc.bigInt({ min: 0n, max: (1n << bits) - 1n });
const check = async <T>(arbitrary: fc.Arbitrary<T>, claim: (value: T) => Promise<void>, numRuns = 30): Promise<void> =>
  fc.assert(fc.asyncProperty(arbitrary, claim), { seed: SEED, numRuns });

describe("AssertBits", () => {
  test("takes what has n bits and nothing else", async () => {
    const circuit = await Circuit.template("assert-bits.circom", "AssertBits(64)");
    for (const good of [0n, 1n, 1n << 63n, MAX64]) await circuit.witness({ in: good });
    for (const bad of [1n << 64n, 1n << 65n, P - 1n, P - (1n << 64n), P >> 1n]) {
      await circuit.refuses({ in: bad }, /AssertBits/);
    }
  });
});

describe("AssertAtLeast", () => {
  test("takes a ≥ b up to the top value, and no a < b", async () => {
    const circuit = await Circuit.template("assert-at-least.circom", "AssertAtLeast(40)");
    const top = (1n << 40n) - 1n;
    for (const [a, b] of [
      [0n, 0n],
      [1n, 0n],
      [top, 0n],
      [top, top],
      [top, top - 1n],
    ] as const)
      await circuit.witness({ a, b });
    for (const [a, b] of [
      [0n, 1n],
      [0n, top],
      [top - 1n, top],
    ] as const)
      await circuit.refuses({ a, b }, /AssertAtLeast/);
  });
});

describe("IsAtLeast", () => {
  test("compares all pairs around the boundaries", async () => {
    const circuit = await Circuit.template("is-at-least.circom", "IsAtLeast(64)");
    const numbers = [0n, 1n, 2n, (1n << 63n) - 1n, 1n << 63n, (1n << 63n) + 1n, MAX64 - 1n, MAX64];
    for (const a of numbers) {
      for (const b of numbers) assert.deepEqual(await circuit.outputs({ a, b }), [a >= b ? 1n : 0n], `${a} ≥ ${b}`);
    }
  });
});

describe("Interval", async () => {
  const circuit = await Circuit.template("interval.circom", "Interval()");
  const expected = ({ value, lo, hi, negate }: Record<"value" | "lo" | "hi" | "negate", bigint>): bigint =>
    (lo <= value && value <= hi) !== (negate === 1n) ? 1n : 0n;

  test("answers at the boundaries as the reference does", async () => {
    const t = 100_000n;
    for (const value of [0n, 1n, t - 1n, t, t + 1n, 1n << 63n, MAX64 - 1n, MAX64]) {
      for (const [lo, hi] of [
        [t, MAX64],
        [0n, t],
        [t, t],
        [0n, MAX64],
        [MAX64, MAX64],
        [0n, 0n],
        [t, t - 1n],
      ] as const) {
        for (const negate of [0n, 1n]) {
          const inputs = { value, lo, hi, negate };
          assert.deepEqual(await circuit.outputs(inputs), [expected(inputs)], JSON.stringify(inputs, String));
        }
      }
    }
  });

  test("answers for any numbers as the reference does", async () => {
    const inputs = fc.record({ value: uint(64n), lo: uint(64n), hi: uint(64n), negate: uint(1n) });
    await check(inputs, async (sample) => assert.deepEqual(await circuit.outputs(sample), [expected(sample)]), 100);
  });

  test("has no witness for a number of 65 bits, a negative one, or a negation that is no bit", async () => {
    const good: Inputs = { value: 5n, lo: 0n, hi: 10n, negate: 0n };
    await circuit.witness(good);
    for (const name of ["value", "lo", "hi"]) {
      for (const bad of [1n << 64n, P - 1n, P - 100n]) await circuit.refuses({ ...good, [name]: bad }, /AssertBits/);
    }
    for (const bad of [2n, P - 1n]) await circuit.refuses({ ...good, negate: bad }, /Interval/);
  });
});

describe("SubjectId", () => {
  test("is Poseidon3(Ax, Ay, person)", async () => {
    const circuit = await Circuit.template("subject-id.circom", "SubjectId()");
    await check(fc.record({ Ax: element, Ay: element, person: element }), async ({ Ax, Ay, person }) => {
      assert.deepEqual(await circuit.outputs({ Ax, Ay, person }), [hash(Ax, Ay, person)]);
    });
    assert.notDeepEqual(await circuit.outputs({ Ax: 1n, Ay: 2n, person: 3n }), [hash(2n, 1n, 3n)]);
  });
});

describe("RecordMeta", () => {
  test("packs 40, 40 and 16 bits, and takes no more", async () => {
    const circuit = await Circuit.template("record-meta.circom", "RecordMeta()");
    const widths = { validFrom: 40n, validUntil: 40n, budget: 16n };
    await check(
      fc.record({ validFrom: uint(40n), validUntil: uint(40n), budget: uint(16n) }),
      async ({ validFrom, validUntil, budget }) => {
        const packed = validFrom | (validUntil << 40n) | (budget << 80n);
        assert.deepEqual(await circuit.outputs({ validFrom, validUntil, budget }), [packed]);
      },
    );
    const good = { validFrom: 0n, validUntil: 0n, budget: 0n };
    for (const [name, bits] of Object.entries(widths)) {
      await circuit.witness({ ...good, [name]: (1n << bits) - 1n });
      for (const bad of [1n << bits, P - 1n]) await circuit.refuses({ ...good, [name]: bad }, /AssertBits/);
    }
  });
});

describe("AttributeLeaf", () => {
  test("is Poseidon5, and no scorecard's leaf", async () => {
    const circuit = await Circuit.template("attribute-leaf.circom", "AttributeLeaf()");
    await check(fc.tuple(element, element, uint(64n), uint(96n), element), async (parts) => {
      const [subjectId, attribute, value, meta, nk] = parts;
      const [leaf] = await circuit.outputs({ subjectId, attribute, value, meta, nk });
      assert.equal(leaf, hash(...parts));
      assert.notEqual(leaf, hash(...parts, 0n));
    });
  });
});

describe("ScorecardLeaf", async () => {
  const circuit = await Circuit.template("scorecard-leaf.circom", "ScorecardLeaf()");
  const value = [0n, 1n, MAX64, 1n << 63n, 5n, 6n, 7n, MAX64];
  const good = { subjectId: 1n, value, meta: (1n << 96n) - 1n, schema: (1n << 152n) - 1n, nk: 2n };

  test("packs the values three, three and two, and the schema above the meta", async () => {
    const at = (n: number): bigint => value[n] ?? 0n;
    const words = [0, 3, 6].map((n) => at(n) | (at(n + 1) << 64n) | (n < 6 ? at(n + 2) << 128n : 0n));
    assert.deepEqual(await circuit.outputs(good), [hash(1n, ...words, (1n << 248n) - 1n, 2n)]);
  });

  test("has no witness without a schema, for a longer one, or for a value of 65 bits", async () => {
    await circuit.refuses({ ...good, schema: 0n }, /ScorecardLeaf/);
    await circuit.refuses({ ...good, schema: 1n << 152n }, /AssertBits/);
    for (let n = 0; n < 8; n++) {
      await circuit.refuses({ ...good, value: value.with(n, 1n << 64n) }, /AssertBits/);
      await circuit.refuses({ ...good, value: value.with(n, P - 1n) }, /AssertBits/);
    }
  });
});

describe("InsertAt8", () => {
  test("puts the item at each of eight places, and at no ninth", async () => {
    const circuit = await Circuit.template("insert-at-8.circom", "InsertAt8()");
    const others = [10n, 11n, 12n, 13n, 14n, 15n, P - 1n];
    for (let index = 0; index < 8; index++) {
      const outputs = await circuit.outputs({ item: 99n, index: BigInt(index), others });
      assert.deepEqual(outputs, others.toSpliced(index, 0, 99n));
    }
    for (const index of [8n, 9n, P - 1n]) await circuit.refuses({ item: 99n, index, others }, /InsertAt8/);
  });
});

describe("TreeRoot8", () => {
  test("is the root of the reference, and another one for another sibling, digit or leaf", async () => {
    const circuit = await Circuit.template("tree-root-8.circom", `TreeRoot8(${DEPTH})`);
    const siblings = Array.from({ length: DEPTH }, (_, level) =>
      Array.from({ length: 7 }, (_, n) => P - BigInt(7 * level + n + 1)),
    );
    for (const place of [0n, 1n, 0o1234567n, 0o7654321n, 0o7777777n]) {
      const index = Array.from({ length: DEPTH }, (_, level) => (place >> BigInt(3 * level)) & 7n);
      const inputs = { leaf: 42n, siblings, index };
      const expected = rootOf(42n, siblings, index);
      assert.deepEqual(await circuit.outputs(inputs), [expected]);
      assert.notDeepEqual(await circuit.outputs({ ...inputs, leaf: 43n }), [expected]);
      for (const level of [0, DEPTH - 1]) {
        const digit = ((index[level] ?? 0n) + 1n) % 8n;
        assert.notDeepEqual(await circuit.outputs({ ...inputs, index: index.with(level, digit) }), [expected]);
        const others = (siblings[level] ?? []).with(6, 5n);
        assert.notDeepEqual(await circuit.outputs({ ...inputs, siblings: siblings.with(level, others) }), [expected]);
      }
    }
  });
});

describe("ValidAt", () => {
  test("holds from the first second to the last", async () => {
    const circuit = await Circuit.template("valid-at.circom", "ValidAt()");
    const record = { validFrom: 1_000n, validUntil: 2_000n };
    for (const asOf of [1_000n, 1_001n, 1_999n, 2_000n]) await circuit.witness({ ...record, asOf });
    for (const asOf of [0n, 999n, 2_001n]) await circuit.refuses({ ...record, asOf }, /ValidAt/);
    for (const asOf of [1n << 40n, P - 1n]) await circuit.refuses({ ...record, asOf }, /AssertBits/);
    await circuit.refuses({ validFrom: 2_000n, validUntil: 1_000n, asOf: 1_500n }, /ValidAt/);
  });
});

describe("BudgetNullifier", () => {
  test("is Poseidon4 for each use below the budget, and there is none at it", async () => {
    const circuit = await Circuit.template("budget-nullifier.circom", "BudgetNullifier()");
    const record = { nk: P - 2n, topic: 7n, validFrom: 1_000n };
    for (const [i, budget] of [
      [0n, 1n],
      [2n, 3n],
      [65_534n, 65_535n],
    ] as const) {
      assert.deepEqual(await circuit.outputs({ ...record, i, budget }), [hash(P - 2n, 7n, 1_000n, i)]);
    }
    for (const [i, budget] of [
      [0n, 0n],
      [1n, 1n],
      [4n, 3n],
      [65_535n, 65_535n],
      [65_536n, 65_535n],
      [P - 1n, 3n],
    ] as const) {
      await circuit.refuses({ ...record, i, budget }, /BudgetNullifier/);
    }
  });
});

describe("Query", () => {
  test("is Poseidon6 over the references of subject and key", async () => {
    const circuit = await Circuit.template("query.circom", "Query()");
    await check(fc.tuple(element, element, element, element, element, element, element), async (parts) => {
      const [context, subjectId, subjectNonce, person, topic, params, k] = parts;
      const expected = hash(context, hash(subjectId, subjectNonce), person, topic, params, hash(k));
      const inputs = { context, subjectId, subjectNonce, person, topic, params, k };
      assert.deepEqual(await circuit.outputs(inputs), [expected]);
      assert.notDeepEqual(await circuit.outputs({ ...inputs, k: (k + 1n) % P }), [expected]);
    });
  });
});

describe("SealAnswer", () => {
  test("adds the answer to the pad", async () => {
    const circuit = await Circuit.template("seal-answer.circom", "SealAnswer()");
    await check(fc.tuple(uint(1n), element, element), async ([answer, k, query]) => {
      assert.deepEqual(await circuit.outputs({ answer, k, query }), [(answer + hash(k, query)) % P]);
      assert.notDeepEqual(await circuit.outputs({ answer: 1n - answer, k, query }), [(answer + hash(k, query)) % P]);
    });
  });
});

describe("Program", async () => {
  const circuit = await Circuit.template("program.circom", "Program()");
  const signed = (bits: bigint) => fc.bigInt({ min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n });
  const list = <T>(item: fc.Arbitrary<T>, length: number) => fc.array(item, { minLength: length, maxLength: length });
  const zero: Clauses = {
    coefficient: Array.from({ length: 4 }, () => Array<bigint>(8).fill(0n)),
    bound: [0n, 0n, 0n, 0n],
    weight: [0n, 0n, 0n, 0n],
    cutoff: 0n,
  };
  const run = async (clauses: Clauses, value: readonly bigint[]): Promise<void> => {
    const expected = [runProgram(clauses, value) ? 1n : 0n, programId(clauses)];
    assert.deepEqual(await circuit.outputs({ value, ...shifted(clauses) }), expected);
  };

  test("answers for any program as the reference does", async () => {
    const clauses = fc.record({
      coefficient: list(list(signed(32n), 8), 4),
      bound: list(signed(100n), 4),
      weight: list(signed(32n), 4),
      cutoff: signed(36n),
    });
    await check(fc.tuple(clauses, list(uint(64n), 8)), ([program, value]) => run(program, value), 60);
  });

  test("answers at the bound of a sum and at the cut-off as the reference does", async () => {
    const value = [5n, 7n, 0n, 0n, 0n, 0n, 0n, MAX64];
    const coefficient = zero.coefficient.with(0, [3n, -2n, 0n, 0n, 0n, 0n, 0n, 1n]);
    const sum = 15n - 14n + MAX64;
    for (const bound of [sum - 1n, sum, sum + 1n]) {
      for (const cutoff of [-1n, 0n, 1n, 2n]) {
        await run({ coefficient, bound: [bound, 0n, 0n, 0n], weight: [1n, 0n, 0n, 0n], cutoff }, value);
      }
    }
  });

  test("answers at both ends of every range as the reference does", async () => {
    const value = Array<bigint>(8).fill(MAX64);
    for (const number of [-(1n << 31n), (1n << 31n) - 1n]) {
      const coefficient = zero.coefficient.map((row) => row.map(() => number));
      for (const bound of [-(1n << 99n), number * MAX64 * 8n, number * MAX64 * 8n + 1n, (1n << 99n) - 1n]) {
        for (const weight of [-(1n << 31n), (1n << 31n) - 1n]) {
          for (const cutoff of [-(1n << 35n), weight * 4n, weight * 4n + 1n, (1n << 35n) - 1n]) {
            await run({ coefficient, bound: Array(4).fill(bound), weight: Array(4).fill(weight), cutoff }, value);
          }
        }
      }
    }
  });

  test("has no witness for a number beyond its range: no two programs share an id by their packing", async () => {
    const value = Array<bigint>(8).fill(1n);
    const good = shifted(zero);
    await circuit.witness({ value, ...good });
    for (let j = 0; j < 4; j++) {
      for (let i = 0; i < 8; i++) {
        const row = (good.coefficient[j] ?? []).with(i, 1n << 32n);
        await circuit.refuses({ value, ...good, coefficient: good.coefficient.with(j, row) }, /AssertBits/);
      }
      await circuit.refuses({ value, ...good, bound: good.bound.with(j, 1n << 100n) }, /AssertBits/);
      await circuit.refuses({ value, ...good, weight: good.weight.with(j, 1n << 32n) }, /AssertBits/);
    }
    for (const cutoff of [1n << 36n, P - 1n]) await circuit.refuses({ value, ...good, cutoff }, /AssertBits/);
  });
});

describe("Consent", async () => {
  const circuit = await Circuit.template("consent.circom", `Consent(${CONSENT_TAG})`);
  const [query, leaf] = [123n, 456n];
  const [Ax, Ay] = publicKey(1);
  const signature = sign(1, hash(CONSENT_TAG, query, leaf));
  const good = { Ax, Ay, query, leaf, ...signature };

  test("takes the signature of the key over tag, query and leaf", async () => {
    await circuit.witness(good);
  });

  test("has no witness for another query, leaf, key or tag", async () => {
    const [Bx, By] = publicKey(2);
    await circuit.refuses({ ...good, query: 124n }, /EdDSAPoseidonVerifier/);
    await circuit.refuses({ ...good, leaf: 457n }, /EdDSAPoseidonVerifier/);
    await circuit.refuses({ ...good, Ax: Bx, Ay: By }, /EdDSAPoseidonVerifier/);
    await circuit.refuses({ ...good, ...sign(2, hash(CONSENT_TAG, query, leaf)) }, /EdDSAPoseidonVerifier/);
    await circuit.refuses({ ...good, ...sign(1, hash(CONSENT_TAG + 1n, query, leaf)) }, /EdDSAPoseidonVerifier/);
    await circuit.refuses({ ...good, ...sign(1, hash(query, leaf)) }, /EdDSAPoseidonVerifier/);
  });

  test("has no witness for points off the curve", async () => {
    assert.ok(!babyJub.inCurve(pointOf(Ax, Ay + 1n)));
    await circuit.refuses({ ...good, Ay: (Ay + 1n) % P }, /BabyCheck/);
    await circuit.refuses({ ...good, R8x: (signature.R8x + 1n) % P }, /BabyCheck/);
  });

  test("has no witness for a key of small order, under which anybody can sign anything", async () => {
    const small = babyJub.mulPointEscalar(babyJub.Generator, babyJub.subOrder);
    assert.deepEqual(coordinates(babyJub.mulPointEscalar(small, 8n)), [0n, 1n]);
    const [R8x, R8y] = coordinates(babyJub.mulPointEscalar(babyJub.Base8, 5n));
    for (const times of [1n, 2n, 4n, 8n]) {
      const [x, y] = coordinates(babyJub.mulPointEscalar(small, times));
      await circuit.refuses({ ...good, Ax: x, Ay: y, R8x, R8y, S: 5n }, /EdDSAPoseidonVerifier/);
    }
  });

  test("has no witness for S beyond the order, which names the same point", async () => {
    assert.ok(signature.S < babyJub.subOrder);
    assert.deepEqual(
      coordinates(babyJub.mulPointEscalar(babyJub.Base8, signature.S + babyJub.subOrder)),
      coordinates(babyJub.mulPointEscalar(babyJub.Base8, signature.S)),
    );
    await circuit.refuses({ ...good, S: signature.S + babyJub.subOrder }, /EdDSAPoseidonVerifier/);
  });

  test("has no witness for a key or nonce with a part of small order added", async () => {
    const small = babyJub.mulPointEscalar(babyJub.Generator, babyJub.subOrder);
    const [x, y] = coordinates(babyJub.addPoint(pointOf(signature.R8x, signature.R8y), small));
    await circuit.refuses({ ...good, R8x: x, R8y: y }, /EdDSAPoseidonVerifier/);
    const [kx, ky] = coordinates(babyJub.addPoint(pointOf(Ax, Ay), small));
    await circuit.refuses({ ...good, Ax: kx, Ay: ky }, /EdDSAPoseidonVerifier/);
  });
});

describe("constraints", () => {
  type Part = { readonly file: string; readonly call: string; readonly constraints: number };
  const { parts } = JSON.parse(readFileSync(join(root, "test/vectors/circuits.json"), "utf8")) as {
    readonly parts: readonly Part[];
  };
  for (const { file, call, constraints } of parts) {
    test(`${call.replace(/\d{9,}/, "tag")} has as many as on record`, async () => {
      const circuit = await Circuit.template(file, call);
      assert.equal(circuit.header.constraints, constraints);
    });
  }
});
