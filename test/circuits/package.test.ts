// What @quorate/proofs computes, against the circuits themselves: inputs that it builds have a witness whose public signals
// are those that it predicts, and what it refuses has none.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  type AttributeDefinition,
  type BuildInputsParameters,
  type BuiltInputs,
  buildInputs,
  type Clause,
  consentMessage,
  createTree,
  encodeValue,
  leafOf,
  openCipher,
  type Question,
  queryOfQuestion,
  type RecordData,
  type Statement,
  subjectFromSecret,
  subjectIdOf,
} from "@quorate/proofs";
import { mainOf, readConfig } from "../../scripts/circuits/config.ts";
import { Circuit } from "./support/witness.ts";

const NOW = 1_750_000_000;
const PROVIDER = "0x00000000000000000000000000000000000000a1";
const INCOME: AttributeDefinition = {
  name: "yearly income",
  unit: "EUR",
  scale: 2,
  signed: false,
  description: "Gross income of the last calendar year",
};
const BALANCE: AttributeDefinition = { ...INCOME, name: "balance", signed: true };
const field = (name: string, over: Partial<AttributeDefinition> = {}): AttributeDefinition => {
  return { name, unit: "", scale: 0, signed: false, description: name, ...over };
};
const CARD = {
  name: "credit",
  description: "What a lender asks",
  fields: [field("income", { unit: "EUR", scale: 2 }), field("debt", { unit: "EUR", scale: 2 }), field("score")],
};
const SIGNED_CARD = { ...CARD, fields: [field("drift", { signed: true, scale: 1 }), ...CARD.fields] };

const subject = subjectFromSecret(new Uint8Array(32).fill(7), PROVIDER);
const PERSON = 4_711n;

const TERMS = { validFrom: NOW - 1000, validUntil: NOW + 1000, budget: 3 };
const recordOf = (attribute: AttributeDefinition, value: string): RecordData => {
  return { kind: "attribute", attribute, value: encodeValue(value, attribute), ...TERMS };
};
const cardOf = (scorecard: typeof CARD, ...values: string[]): RecordData => {
  const encoded = scorecard.fields.map((definition, n) => encodeValue(values[n] ?? "0", definition));
  return {
    kind: "scorecard",
    scorecard,
    values: [...encoded, ...Array.from({ length: 8 - encoded.length }, () => 0n)],
    ...TERMS,
  };
};

/** All that a proof is made from, with a consent and a tree that fit. */
function parametersOf(
  record: RecordData,
  statement: Statement,
  i = 0,
  questionOver: Partial<Question> = {},
): BuildInputsParameters {
  const question: Question = {
    chainId: 31_337,
    market: "0x00000000000000000000000000000000000000b2",
    provider: PROVIDER,
    asker: "0x00000000000000000000000000000000000000c3",
    verifier: "0x00000000000000000000000000000000000000d4",
    nonce: 99n,
    subjectKey: subject.publicKey,
    subjectNonce: 1_234n,
    person: PERSON,
    statement,
    k: (1n << 247n) + 5n,
    ...questionOver,
  };
  const leaf = leafOf(record, { subjectId: subjectIdOf(subject.publicKey, PERSON), nk: subject.nk });
  const tree = createTree();
  for (let n = 1n; n < 20n; n++) tree.insert(n);
  const path = tree.path(tree.insert(leaf));
  const query = queryOfQuestion(question);
  const signature = subject.sign(consentMessage(query, leaf));
  return {
    question,
    record,
    subjectKey: subject.publicKey,
    person: PERSON,
    nk: subject.nk,
    consent: { query, leaf, notAfter: NOW + 60, signature },
    path,
    root: tree.root,
    i,
    now: NOW,
  };
}

const about = (attribute: AttributeDefinition, rest: object): Statement => {
  return { kind: "attribute", attribute, asOf: NOW, ...rest } as Statement;
};

const circuits = new Map<string, Circuit>();
before(async () => {
  for (const instance of readConfig().instances) circuits.set(instance.name, await Circuit.of(mainOf(instance)));
});

/** Runs the circuit, and asserts that its signals are the predicted ones. */
async function prove(built: BuiltInputs, { question }: BuildInputsParameters): Promise<boolean> {
  const circuit = circuits.get(built.circuit);
  assert.ok(circuit !== undefined);
  assert.deepEqual(await circuit.outputs(built.inputs as never), built.signals);
  assert.equal(openCipher(built.signals[0], question.k, built.signals[3]), built.answer);
  return built.answer;
}

async function answerTo(record: RecordData, statement: Statement): Promise<boolean> {
  const parameters = parametersOf(record, statement);
  return await prove(buildInputs(parameters), parameters);
}

describe("inputs that the package builds, in the real circuits", () => {
  const threshold = "100000";
  const cases: readonly (readonly [value: string, relations: Readonly<Record<string, boolean>>])[] = [
    ["99999.99", { "at-least": false, "at-most": true, "less-than": true, "greater-than": false, equal: false }],
    ["100000", { "at-least": true, "at-most": true, "less-than": false, "greater-than": false, equal: true }],
    ["100000.01", { "at-least": true, "at-most": false, "less-than": false, "greater-than": true, equal: false }],
  ];
  for (const [value, relations] of cases) {
    test(`an income of ${value} is answered right against 100000, by every relation`, async () => {
      for (const [relation, expected] of Object.entries(relations)) {
        const answer = await answerTo(recordOf(INCOME, value), about(INCOME, { relation, value: threshold }));
        assert.equal(answer, expected, relation);
      }
      const unequal = about(INCOME, { relation: "not-equal", value: threshold });
      assert.equal(await answerTo(recordOf(INCOME, value), unequal), relations.equal === false);
    });
  }

  test("ranges hold their ends", async () => {
    for (const [value, inside] of [
      ["99.99", false],
      ["100", true],
      ["200", true],
      ["200.01", false],
    ] as const) {
      const range = { low: "100", high: "200" };
      assert.equal(await answerTo(recordOf(INCOME, value), about(INCOME, { relation: "between", ...range })), inside);
      assert.equal(await answerTo(recordOf(INCOME, value), about(INCOME, { relation: "outside", ...range })), !inside);
    }
  });

  test("negative values lie below zero, the smallest and the largest fit", async () => {
    const atLeastZero = about(BALANCE, { relation: "at-least", value: "0" });
    assert.equal(await answerTo(recordOf(BALANCE, "-0.01"), atLeastZero), false);
    assert.equal(await answerTo(recordOf(BALANCE, "0"), atLeastZero), true);
    assert.equal(await answerTo(recordOf(BALANCE, "-92233720368547758.08"), atLeastZero), false);
    assert.equal(await answerTo(recordOf(BALANCE, "92233720368547758.07"), atLeastZero), true);
    const top = about(INCOME, { relation: "at-most", value: "184467440737095516.14" });
    assert.equal(await answerTo(recordOf(INCOME, "184467440737095516.15"), top), false);
  });

  const clauses: readonly Clause[] = [
    { coefficients: { income: "0.36", debt: "-1" }, atLeast: "0", weight: 1 },
    { coefficients: { score: "1" }, atLeast: "700", weight: 1 },
  ];
  const lender = (over: object = {}): Statement => {
    return { kind: "scorecard", scorecard: CARD, clauses, cutoff: 2, asOf: NOW, ...over } as Statement;
  };

  test("a scorecard is answered right at both of its bounds", async () => {
    assert.equal(await answerTo(cardOf(CARD, "50000", "18000", "700"), lender()), true);
    assert.equal(await answerTo(cardOf(CARD, "50000", "18000.01", "700"), lender()), false);
    assert.equal(await answerTo(cardOf(CARD, "50000", "17999.99", "699"), lender()), false);
    assert.equal(await answerTo(cardOf(CARD, "50000", "18000.01", "700"), lender({ cutoff: 1 })), true);
  });

  test("signed fields count with their sign in a scorecard", async () => {
    const rising: Statement = {
      kind: "scorecard",
      scorecard: SIGNED_CARD,
      clauses: [{ coefficients: { drift: "-2.5", score: "0.1" }, atLeast: "3.2", weight: 3 }],
      cutoff: 3,
      asOf: NOW,
    };
    // −2.5 · −1.2 + 0.1 · 2 = 3.2
    assert.equal(await answerTo(cardOf(SIGNED_CARD, "-1.2", "0", "0", "2"), rising), true);
    assert.equal(await answerTo(cardOf(SIGNED_CARD, "-1.1", "0", "0", "2"), rising), false);
    assert.equal(await answerTo(cardOf(SIGNED_CARD, "-1.2", "0", "0", "1"), rising), false);
  });

  test("first and last second of a record are provable, and so is each use of its budget", async () => {
    const record = recordOf(INCOME, "5");
    for (const [asOf, i] of [
      [NOW - 1000, 0],
      [NOW + 1000, 2],
    ] as const) {
      const parameters = parametersOf(record, { ...about(INCOME, { relation: "at-least", value: "5" }), asOf }, i);
      assert.equal(await prove(buildInputs(parameters), parameters), true);
    }
  });
});
