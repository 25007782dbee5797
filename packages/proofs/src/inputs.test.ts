import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { consentToJson, parseConsent, verifyConsent } from "./consent.ts";
import { FIELD_MODULUS } from "./field.ts";
import { assertFieldElements, type BuildInputsParameters, buildInputs } from "./inputs.ts";
import { toJson } from "./internal/json.ts";
import { openCipher } from "./query.ts";
import { checkRecord, leafOf, parseRecord, type RecordData, type ScorecardRecord } from "./record.ts";
import { subjectFromSecret } from "./subject.ts";
import {
  CARD,
  consentTo,
  INCOME,
  income,
  incomeOf,
  NOW,
  PERSON,
  PROVIDER,
  parametersOf,
  subject,
  TERMS,
} from "./testing/fixture.ts";

const fits = parametersOf();
const other = subjectFromSecret(new Uint8Array(32), PROVIDER);

test("what fits has inputs, and signals that open to the answer", () => {
  for (const [value, expected] of [
    ["99999.99", false],
    ["100000", true],
  ] as const) {
    const parameters = parametersOf(incomeOf(value));
    const { circuit, signals, answer } = buildInputs(parameters);
    assert.deepEqual([circuit, answer], ["sealed-answer", expected]);
    assert.equal(signals[2], parameters.root);
    assert.equal(openCipher(signals[0], parameters.question.k, signals[3]), expected);
  }
  assert.notEqual(buildInputs({ ...fits, i: 1 }).signals[1], buildInputs({ ...fits, i: 2 }).signals[1]);
});

describe("what does not fit is refused by the name of its rule", () => {
  const about = (asOf: number): BuildInputsParameters =>
    parametersOf(undefined, { ...income({ relation: "at-least", value: "1" }), asOf });
  const ended = Date.parse("2026-03-01T12:00:00Z") / 1000;
  const past = { ...TERMS, validFrom: ended - 1000, validUntil: ended };
  const question = fits.question;
  const reasons: readonly (readonly [string, BuildInputsParameters, string, RegExp])[] = [
    [
      "a record that is over",
      parametersOf(incomeOf("5", past)),
      "RECORD_ENDED",
      /The record ended on 2026-03-01, and the statement is about 2026-11-22/,
    ],
    ["a second after the end", about(TERMS.validUntil + 1), "RECORD_ENDED", /ended on/],
    ["a second before the begin", about(TERMS.validFrom - 1), "RECORD_NOT_YET_VALID", /begins on 2026-10-23/],
    ["a use beyond the budget", { ...fits, i: 3 }, "BUDGET_SPENT", /3 answers, there is none of number 4/],
    ["a use below 0", { ...fits, i: -1 }, "BUDGET_SPENT", /number 0/],
    ["another person", { ...fits, person: PERSON + 1n }, "PERSON_MISMATCH", /another person/],
    ["another subject", { ...fits, subjectKey: other.publicKey }, "SUBJECT_MISMATCH", /another subject/],
    ["another nullifier key", { ...fits, nk: subject.nk + 1n }, "CONSENT_OTHER_RECORD", /another state/],
    [
      "another value than the consent's",
      { ...fits, record: incomeOf("120001") },
      "CONSENT_OTHER_RECORD",
      /another state/,
    ],
    [
      "another budget than the consent's",
      { ...fits, record: incomeOf("120000", { budget: 4 }) },
      "CONSENT_OTHER_RECORD",
      /another state/,
    ],
    ["another root", { ...fits, root: fits.root + 1n }, "ROOT_MISMATCH", /does not lead to the root/],
    [
      "a path of another depth",
      { ...fits, path: { index: [0], siblings: [Array.from({ length: 7 }, () => 0n)] } },
      "PATH_INVALID",
      /1 levels/,
    ],
    [
      "another question than the consent's",
      { ...fits, question: { ...question, nonce: 1n } },
      "CONSENT_INVALID",
      /another question/,
    ],
    [
      "a forged signature",
      { ...fits, consent: { ...fits.consent, signature: other.sign(1n) } },
      "CONSENT_INVALID",
      /not signed/,
    ],
    ["a consent that is over", { ...fits, now: NOW + 61 }, "CONSENT_EXPIRED", /ended on/],
    ["an nk beyond the field", { ...fits, nk: FIELD_MODULUS }, "FIELD_OVERFLOW", /nk/],
    [
      "a person beyond the field",
      { ...fits, person: FIELD_MODULUS, question: { ...question, person: FIELD_MODULUS } },
      "FIELD_OVERFLOW",
      /modulus/,
    ],
    [
      "an income in another unit",
      (() => {
        const dollars = { ...INCOME, unit: "USD" };
        const record: RecordData = { ...incomeOf("5"), attribute: dollars } as RecordData;
        return { ...fits, record };
      })(),
      "RECORD_MISMATCH",
      /in USD .* in EUR/,
    ],
    [
      "a scorecard instead of an attribute",
      {
        ...fits,
        record: { kind: "scorecard", scorecard: CARD, values: Array.from({ length: 8 }, () => 0n), ...TERMS },
      },
      "RECORD_MISMATCH",
      /"credit"/,
    ],
    [
      "a value of 65 bits",
      { ...fits, record: { ...incomeOf("5"), value: 1n << 64n } as RecordData },
      "VALUE_OUT_OF_RANGE",
      /64 bits/,
    ],
  ];
  for (const [name, parameters, code, words] of reasons) {
    test(`${name}: ${code}`, async () => {
      assert.match((await assertCode(() => buildInputs(parameters), code)).message, words);
    });
  }

  test("inputs of any depth are compared with the modulus", async () => {
    assertFieldElements({ a: [[0n], [FIELD_MODULUS - 1n]] });
    const error = await assertCode(() => assertFieldElements({ a: 1n, b: [[0n], [FIELD_MODULUS]] }), "FIELD_OVERFLOW");
    assert.match(error.message, /Input b/);
    await assertCode(() => assertFieldElements({ a: -1n }), "FIELD_OVERFLOW");
  });
});

describe("records", () => {
  const card: ScorecardRecord = {
    kind: "scorecard",
    scorecard: CARD,
    values: [1n, 2n, 3n, 0n, 0n, 0n, 0n, 0n],
    ...TERMS,
  };
  test("read back from JSON", () => {
    for (const record of [incomeOf("5"), card]) {
      assert.deepEqual(parseRecord(JSON.parse(JSON.stringify(toJson(record)))), record);
    }
  });

  test("each part of a record changes its leaf", () => {
    const owner = { subjectId: 1n, nk: 2n };
    const leaves = [
      leafOf(incomeOf("5"), owner),
      leafOf(incomeOf("5"), { ...owner, nk: 3n }),
      leafOf(incomeOf("5"), { ...owner, subjectId: 2n }),
      leafOf(incomeOf("6"), owner),
      leafOf(incomeOf("5", { budget: 4 }), owner),
      leafOf(incomeOf("5", { validFrom: 1 }), owner),
      leafOf(incomeOf("5", { validUntil: NOW + 5 }), owner),
      ...card.values.slice(0, 3).map((_, n) => leafOf({ ...card, values: card.values.with(n, 9n) }, owner)),
      leafOf(card, owner),
      leafOf({ ...card, scorecard: { ...CARD, name: "other" } }, owner),
    ];
    assert.equal(new Set(leaves).size, leaves.length);
  });

  for (const [name, record] of [
    ["ends before it begins", incomeOf("5", { validUntil: TERMS.validFrom - 1 })],
    ["has no budget", incomeOf("5", { budget: 0 })],
    ["has a budget of 17 bits", incomeOf("5", { budget: 65_536 })],
    ["begins at no second", incomeOf("5", { validFrom: 0.5 })],
    ["ends after 40 bits", incomeOf("5", { validUntil: 2 ** 40 })],
    ["has seven values", { ...card, values: card.values.slice(1) }],
    ["has a value without a field", { ...card, values: card.values.with(7, 1n) }],
  ] as const) {
    test(`that ${name} are refused`, async () => {
      await assertCode(() => checkRecord(record), "RECORD_INVALID");
      await assertCode(() => parseRecord(toJson(record)), "RECORD_INVALID");
    });
  }
});

describe("consents", () => {
  test("read back from JSON and verify; malformed ones are refused", async () => {
    const read = parseConsent(JSON.parse(JSON.stringify(consentToJson(fits.consent))));
    assert.deepEqual(read, fits.consent);
    verifyConsent({ consent: read, question: fits.question, now: NOW });
    for (const broken of [
      {},
      { ...(toJson(read) as object), leaf: `${FIELD_MODULUS}` },
      { ...(toJson(read) as object), note: 1 },
    ]) {
      await assertCode(() => parseConsent(broken), "CONSENT_INVALID");
    }
  });

  test("a consent to one threshold, asker or key is none to another", async () => {
    const { question, consent } = fits;
    for (const change of [
      { statement: income({ relation: "at-least", value: "90000" }) },
      { asker: PROVIDER },
      { k: 3n },
    ] as const) {
      await assertCode(
        () => verifyConsent({ consent, question: { ...question, ...change }, now: NOW }),
        "CONSENT_INVALID",
      );
    }
    const moved = { ...question, k: 3n };
    const query = consentTo(moved, consent.leaf).query;
    await assertCode(
      () => verifyConsent({ consent: { ...consent, query }, question: moved, now: NOW }),
      "CONSENT_INVALID",
    );
    await assertCode(() => verifyConsent({ consent: { ...consent, leaf: 1n }, question, now: NOW }), "CONSENT_INVALID");
  });

  test("the last second of a consent counts", () => {
    assert.doesNotThrow(() => buildInputs({ ...fits, now: NOW + 60 }));
  });
});
