import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertCode } from "@quorate/testkit";
import fc from "fast-check";
import { attributeOf, schemaOf } from "./dataset.ts";
import { describeStatement } from "./describe.ts";
import {
  type Clause,
  checkStatement,
  encodeStatement,
  evaluateStatement,
  parseStatement,
  type ScorecardStatement,
  type Statement,
} from "./statement.ts";
import { AT_LEAST, CARD, INCOME, income, NOW } from "./testing/fixture.ts";
import { encodeValue } from "./value.ts";

const MAX = (1n << 64n) - 1n;
const now = { now: NOW, history: false };
const card = (clauses: readonly Clause[], cutoff: number, over: object = {}): ScorecardStatement => {
  return { kind: "scorecard", scorecard: CARD, clauses, cutoff, asOf: NOW, ...over };
};
const DEBT: Clause = { coefficients: { "yearly income": "0.36", debt: "-1" }, atLeast: "0", weight: 1 };
const SCORE: Clause = { coefficients: { score: "1" }, atLeast: "700", weight: 1 };

describe("statements about an attribute", () => {
  const bound = 10_000_000n;
  for (const [rest, lo, hi, negate] of [
    [{ relation: "at-least", value: "100000" }, bound, MAX, false],
    [{ relation: "at-most", value: "100000" }, 0n, bound, false],
    [{ relation: "less-than", value: "100000" }, bound, MAX, true],
    [{ relation: "greater-than", value: "100000" }, 0n, bound, true],
    [{ relation: "equal", value: "100000" }, bound, bound, false],
    [{ relation: "not-equal", value: "100000" }, bound, bound, true],
    [{ relation: "between", low: "0.01", high: "100000" }, 1n, bound, false],
    [{ relation: "outside", low: "0.01", high: "100000" }, 1n, bound, true],
  ] as const) {
    test(`"${rest.relation}" is the range of its row in the table`, () => {
      const encoded = encodeStatement(income(rest));
      assert.ok(encoded.circuit === "sealed-answer");
      assert.deepEqual([encoded.lo, encoded.hi, encoded.negate], [lo, hi, negate]);
      assert.equal(encoded.topic, attributeOf(INCOME));
      const packed = lo + hi * (1n << 64n) + BigInt(NOW) * (1n << 128n) + (negate ? 1n << 168n : 0n);
      assert.equal(encoded.params, packed);
    });
  }

  test("holds exactly by its words, for any value and bound", () => {
    const decimal = fc
      .bigInt({ min: 0n, max: 1_000n })
      .map((cents) => [cents, `${cents / 100n}.${`${cents % 100n}`.padStart(2, "0")}`] as const);
    fc.assert(
      fc.property(decimal, decimal, decimal, ([value], [a, low], [b, high]) => {
        const holds = (rest: object): boolean => evaluateStatement(income(rest), [value]);
        assert.equal(holds({ relation: "at-least", value: low }), value >= a);
        assert.equal(holds({ relation: "at-most", value: low }), value <= a);
        assert.equal(holds({ relation: "less-than", value: low }), value < a);
        assert.equal(holds({ relation: "greater-than", value: low }), value > a);
        assert.equal(holds({ relation: "equal", value: low }), value === a);
        assert.equal(holds({ relation: "not-equal", value: low }), value !== a);
        assert.equal(holds({ relation: "between", low, high }), value >= a && value <= b);
        assert.equal(holds({ relation: "outside", low, high }), value < a || value > b);
      }),
    );
  });
});

describe("scorecards", () => {
  test("a clause in decimals holds exactly if its sum reaches the bound", () => {
    const scales = [0, 1, 2, 3] as const;
    const cents = (text: string): bigint => {
      const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
      const digits = BigInt(`${whole}${fraction.padEnd(6, "0")}`);
      return text.startsWith("-") ? -digits : digits;
    };
    const decimal = (places: number): fc.Arbitrary<string> =>
      fc.tuple(fc.integer({ min: -2_000, max: 2_000 }), fc.nat(places)).map(([number, scale]) => {
        const text = `${Math.abs(number)}`.padStart(scale + 1, "0");
        const split = text.length - scale;
        return `${number < 0 ? "-" : ""}${text.slice(0, split)}${scale === 0 ? "" : `.${text.slice(split)}`}`;
      });
    const field = fc.record({
      scale: fc.constantFrom(...scales),
      signed: fc.boolean(),
      coefficient: decimal(3),
      value: fc.integer({ min: -3_000, max: 3_000 }),
    });
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 8 }), decimal(6), (fields, atLeast) => {
        if (fields.every(({ coefficient }) => cents(coefficient) === 0n)) return;
        const fieldsOf = fields.map(({ scale, signed }, n) => ({ ...INCOME, name: `f${n}`, scale, signed, unit: "" }));
        const statement = card(
          [
            {
              coefficients: Object.fromEntries(fields.map(({ coefficient }, n) => [`f${n}`, coefficient])),
              atLeast,
              weight: 1,
            },
          ],
          1,
          { scorecard: { ...CARD, fields: fieldsOf } },
        );
        // Values as digits of their scale; unsigned ones without their sign.
        const digits = fields.map(({ value, signed }) => BigInt(signed ? value : Math.abs(value)));
        const values = Array.from(
          { length: 8 },
          (_, n) => (digits[n] ?? 0n) + (fields[n]?.signed === true ? 1n << 63n : 0n),
        );
        // In millionths of millionths: exact for up to 6 + 3 places.
        const sum = fields.reduce((total, { coefficient, scale }, n) => {
          return total + cents(coefficient) * (digits[n] ?? 0n) * 10n ** BigInt(6 - scale);
        }, 0n);
        assert.equal(evaluateStatement(statement, values), sum >= cents(atLeast) * 1_000_000n);
      }),
      { numRuns: 300 },
    );
  });

  test("a bound between two whole sums is the upper one, also below zero", () => {
    const whole = { ...INCOME, unit: "", scale: 0, signed: true };
    const over = { scorecard: { ...CARD, fields: [{ ...whole, name: "n" }] } };
    for (const [coefficient, atLeast, reached] of [
      ["2", "3", 2n],
      ["1", "0.5", 1n],
      ["2", "-3", -1n],
      ["1", "-0.5", 0n],
      ["3", "3", 1n],
    ] as const) {
      const statement = card([{ coefficients: { n: coefficient }, atLeast, weight: 1 }], 1, over);
      const holds = (n: bigint): boolean => evaluateStatement(statement, [n + (1n << 63n), 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
      assert.deepEqual([holds(reached - 1n), holds(reached)], [false, true], `${coefficient} · n ≥ ${atLeast}`);
    }
  });

  test("the same clause in other words is the same program", () => {
    const topic = encodeStatement(card([DEBT, SCORE], 2)).topic;
    const other: Clause = { coefficients: { debt: "-100.0", "yearly income": "36" }, atLeast: "-0.0", weight: 1 };
    assert.equal(encodeStatement(card([other, SCORE], 2)).topic, topic);
    assert.notEqual(encodeStatement(card([SCORE, DEBT], 2)).topic, topic);
    assert.notEqual(encodeStatement(card([DEBT, SCORE], 1)).topic, topic);
    assert.notEqual(encodeStatement(card([DEBT, { ...SCORE, atLeast: "701" }], 2)).topic, topic);
  });

  test("weights may be negative, and the schema is what a use counts for", () => {
    const statement = card([DEBT, { ...SCORE, weight: -2 }], 1);
    const value = (text: string): bigint => encodeValue(text, INCOME);
    const rest = [0n, 0n, 0n, 0n, 0n];
    assert.equal(evaluateStatement(statement, [value("100"), value("36"), 699n, ...rest]), true);
    assert.equal(evaluateStatement(statement, [value("100"), value("36"), 700n, ...rest]), false);
    assert.equal(evaluateStatement(statement, [value("100"), value("36.01"), 699n, ...rest]), false);
    const encoded = encodeStatement(statement);
    assert.equal(encoded.nullifierTopic, schemaOf(CARD));
    assert.equal(encoded.params, schemaOf(CARD) + (BigInt(NOW) << 152n) + (1n << 232n));
  });
});

describe("statements that are refused", () => {
  for (const [name, statement, code] of [
    ["an unknown relation", { ...AT_LEAST, relation: "about" }, "STATEMENT_INVALID"],
    ["unknown members", { ...AT_LEAST, note: "x" }, "STATEMENT_INVALID"],
    ["a bound too many", { ...AT_LEAST, low: "1" }, "STATEMENT_INVALID"],
    ["a range without an end", income({ relation: "between", low: "1" }), "STATEMENT_INVALID"],
    ["a number instead of a decimal string", { ...AT_LEAST, value: 100 }, "STATEMENT_INVALID"],
    ["lost digits", { ...AT_LEAST, value: "0.001" }, "VALUE_INVALID"],
    ["another unit", { ...AT_LEAST, value: "1 USD" }, "VALUE_INVALID"],
    ["milliseconds", { ...AT_LEAST, asOf: 1e15 }, "STATEMENT_INVALID"],
    ["no clauses", card([], 1), "STATEMENT_INVALID"],
    ["five clauses", card([DEBT, DEBT, DEBT, SCORE, SCORE], 1), "STATEMENT_INVALID"],
    ["an unknown field", card([{ ...DEBT, coefficients: { shoe: "1" } }], 1), "STATEMENT_INVALID"],
    ["the field toString", card([{ ...DEBT, coefficients: { toString: "1" } }], 1), "STATEMENT_INVALID"],
    ["a clause that looks at nothing", card([{ ...DEBT, coefficients: { debt: "0" } }], 1), "STATEMENT_INVALID"],
    [
      "a coefficient beyond 32 bits",
      card([{ ...DEBT, coefficients: { debt: "1", score: "99999999999" } }], 1),
      "STATEMENT_INVALID",
    ],
    ["a bound beyond 100 bits", card([{ ...SCORE, atLeast: `${1n << 99n}` }], 1), "STATEMENT_INVALID"],
    ["a weight of a half", card([{ ...SCORE, weight: 0.5 }], 1), "STATEMENT_INVALID"],
    ["no object", "income", "STATEMENT_INVALID"],
  ] as const) {
    test(`${name}: ${code}`, async () => {
      await assertCode(() => parseStatement(JSON.parse(JSON.stringify(statement))), code);
    });
  }

  for (const [name, statement] of [
    ["an empty range", income({ relation: "between", low: "2", high: "1" })],
    ["outside of an empty range", income({ relation: "outside", low: "2", high: "1" })],
    ["at least nothing", income({ relation: "at-least", value: "0" })],
    ["less than nothing", income({ relation: "less-than", value: "0" })],
    ["at most everything", income({ relation: "at-most", value: "184467440737095516.15" })],
    ["a cut-off of 0", card([DEBT, SCORE], 0)],
    ["a cut-off beyond all points", card([DEBT, SCORE], 3)],
    ["a clause that always holds", card([{ ...SCORE, atLeast: "0" }], 1)],
    ["a clause that never holds", card([{ ...SCORE, atLeast: `${1n << 64n}` }], 1)],
    ["points that cancel", card([{ ...SCORE, weight: 0 }], 0)],
  ] as const) {
    test(`says nothing: ${name}`, async () => {
      await assertCode(() => checkStatement(statement, now), "STATEMENT_VACUOUS");
    });
  }

  test("a statement is about the last day, unless the dataset has history; never about days to come", async () => {
    const at = (asOf: number): Statement => ({ ...AT_LEAST, asOf });
    for (const asOf of [NOW - 86_400, NOW, NOW + 86_400]) checkStatement(at(asOf), now);
    await assertCode(() => checkStatement(at(NOW - 86_401), now), "STATEMENT_STALE");
    checkStatement(at(NOW - 86_401), { ...now, history: true });
    for (const history of [true, false]) {
      await assertCode(() => checkStatement(at(NOW + 86_401), { now: NOW, history }), "STATEMENT_STALE");
    }
  });
});

describe("statements in words", () => {
  for (const [statement, words] of [
    [AT_LEAST, "yearly income is at least 100,000 EUR on 2026-11-22"],
    [
      income({ relation: "outside", low: "0.5", high: "1000" }),
      "yearly income is below 0.5 EUR or above 1,000 EUR on 2026-11-22",
    ],
    [
      card([DEBT, SCORE], 2),
      "in credit, all of (0.36 × yearly income (EUR) − debt (EUR) is at least 0) and (score is at least 700) hold on 2026-11-22",
    ],
    [card([{ ...SCORE, atLeast: "1000" }], 1), "in credit, (score is at least 1,000) holds on 2026-11-22"],
    [
      card([DEBT, { ...SCORE, weight: 3 }], 3),
      "in credit, the points 1 for (0.36 × yearly income (EUR) − debt (EUR) is at least 0), 3 for (score is at least 700) add up to 3 or more on 2026-11-22",
    ],
  ] as const) {
    test(words, () => {
      assert.equal(describeStatement(statement), words);
    });
  }
});
