import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { datasetIdOf } from "@quorate/core";
import { assertCode } from "@quorate/testkit";
import { verifyConsent } from "./consent.ts";
import { definitionHash } from "./dataset.ts";
import { countValues, remainingValues } from "./knowledge.ts";
import { queryOfQuestion } from "./query.ts";
import type { RecordData } from "./record.ts";
import {
  type AnsweredQuestion,
  type ConsentRequest,
  consentRequestToJson,
  parseConsentRequest,
  type ReviewParameters,
  reviewConsent,
  signConsent,
} from "./review.ts";
import type { AttributeStatement, Statement } from "./statement.ts";
import { subjectFromSecret } from "./subject.ts";
import {
  ASKER,
  AT_LEAST,
  CARD,
  DATASET,
  INCOME,
  income,
  incomeOf,
  MARKET,
  NOW,
  PROVIDER,
  parametersOf,
  reviewOf,
  subject,
  TERMS,
} from "./testing/fixture.ts";

const fits = reviewOf();
const asked = (...statements: readonly object[]): readonly AnsweredQuestion[] =>
  statements.map((rest) => ({ statement: income(rest), validFrom: TERMS.validFrom, asker: ASKER }));
const request = (over: Partial<ConsentRequest>): ReviewParameters => ({
  ...fits,
  request: { ...fits.request, ...over },
});
const codes = (parameters: ReviewParameters): readonly string[] =>
  reviewConsent(parameters).warnings.map(({ code }) => code);

describe("a review", () => {
  test("says in plain words what is asked, by whom, and what it tells", () => {
    const { words, answer, warnings } = reviewConsent(request({ askerName: "First Bank" }));
    assert.deepEqual(words, {
      statement: "yearly income is at least 100,000 EUR on 2026-11-22",
      asker: `${ASKER}, who says to be "First Bank"`,
      provider: `${PROVIDER}, dataset "payroll"`,
      date: "2026-11-22",
      record: "yearly income 120,000 EUR; from 2026-10-23 to 2026-12-22, for 3 answers.",
      learns:
        "The asker learns whether it is true that yearly income is at least 100,000 EUR on 2026-11-22. The answer will be true.",
      together: "Before this question nothing is known. After it: yearly income is at least 100,000 EUR.",
      forever:
        "The asker can prove the answer to anybody it likes, for ever. A consent cannot be taken back once it is used.",
    });
    assert.equal(answer, true);
    assert.deepEqual(warnings, []);
  });

  test("puts earlier answers together into what remains", () => {
    const earlier = asked({ relation: "at-least", value: "100000" }, { relation: "at-most", value: "150000" });
    const { statement } = { statement: income({ relation: "at-least", value: "125000" }) };
    const { words } = reviewConsent({ ...reviewOf(undefined, statement), earlier });
    assert.equal(
      words.together,
      "With 2 earlier consents of yours to 1 asker, all put together: yearly income is from 100,000 EUR to 150,000 EUR. After it: yearly income is from 100,000 EUR to 124,999.99 EUR.",
    );
    const forgotten = earlier.map((question) => ({ ...question, validFrom: TERMS.validFrom - 1 }));
    assert.match(reviewConsent({ ...fits, earlier: forgotten }).words.together, /nothing is known/);
  });

  test("lists earlier answers about a scorecard", () => {
    const record: RecordData = {
      kind: "scorecard",
      scorecard: CARD,
      values: [100n, 5n, 710n, 0n, 0n, 0n, 0n, 0n],
      ...TERMS,
    };
    const statement: Statement = {
      kind: "scorecard",
      scorecard: CARD,
      clauses: [{ coefficients: { score: "1" }, atLeast: "700", weight: 1 }],
      cutoff: 1,
      asOf: NOW,
    };
    const parameters = reviewOf(record, statement);
    assert.match(reviewConsent(parameters).words.together, /no earlier question/);
    const earlier = [{ statement, validFrom: TERMS.validFrom, asker: ASKER }];
    const { words, answer } = reviewConsent({ ...parameters, earlier });
    assert.equal(answer, true);
    assert.match(words.together, /\(score is at least 700\) holds on 2026-11-22: true/);
    assert.match(words.record, /^yearly income 1 EUR, debt 0.05 EUR, score 710; /);
  });

  test("is signed for what it computed itself, and nothing else is signed", async () => {
    const review = reviewConsent(fits);
    const consent = signConsent(review, subject, NOW + 60);
    assert.equal(consent.query, queryOfQuestion(fits.request));
    const { question } = parametersOf();
    verifyConsent({ consent, question, now: NOW });
    await assertCode(() => signConsent({ ...review }, subject, NOW + 60), "CONSENT_NOT_REVIEWED");
    await assertCode(() => signConsent({ ...review, query: 1n }, subject, NOW + 60), "CONSENT_NOT_REVIEWED");
    const other = subjectFromSecret(new Uint8Array(32), PROVIDER);
    await assertCode(() => signConsent(review, other, NOW + 60), "CONSENT_NOT_REVIEWED");
  });

  test("a request reads back from JSON, and malformed ones are refused", async () => {
    const json = JSON.parse(JSON.stringify(consentRequestToJson(fits.request))) as object;
    assert.deepEqual(parseConsentRequest(json), fits.request);
    for (const change of [
      { version: 2 },
      { k: "5" },
      { market: "0x1234" },
      { nonce: `${1n << 128n}` },
      { root: "-1" },
      { keyHash: 5 },
      { providerUrl: "javascript:alert(1)" },
      { askerName: "x".repeat(300) },
      { askerName: "Bank\u001b[2K" },
      { askerName: "Bank\u202e" },
      { subjectKey: ["1"] },
    ]) {
      await assertCode(() => parseConsentRequest({ ...json, ...change }), "CONSENT_REQUEST_INVALID");
    }
    await assertCode(() => parseConsentRequest(undefined), "CONSENT_REQUEST_INVALID");
  });
});

describe("a review refuses", () => {
  const key = fits.request.questionKey.key;
  const otherKey = (over: object): ReviewParameters =>
    request({ questionKey: { key: { ...key, ...over }, signature: "0x" } });
  const own = fits.record;
  const record = (over: Partial<typeof own>): ReviewParameters => ({ ...fits, record: { ...own, ...over } });
  const facts = (over: object): ReviewParameters => ({ ...fits, chainFacts: { ...fits.chainFacts, ...over } });
  const root = (over: object): ReviewParameters => facts({ root: { ...fits.chainFacts.root, ...over } });
  const renamed = { ...DATASET, name: "other" };
  const cases: readonly (readonly [string, ReviewParameters, string, RegExp])[] = [
    ["another market", request({ market: PROVIDER }), "MARKET", /which you do not use/],
    ["another chain", request({ chainId: 1 }), "MARKET", /on chain 1/],
    ["a description that is not registered", request({ definition: renamed }), "DATASET", /not the registered one/],
    ["a one-time key of a stranger", facts({ keySignerOk: false }), "KEY", /not signed/],
    ["a one-time key for another asker", otherKey({ asker: MARKET }), "KEY", /another asker/],
    ["a one-time key of another provider", otherKey({ provider: MARKET }), "KEY", /another provider/],
    ["a one-time key for another dataset", otherKey({ dataset: `0x${"00".repeat(32)}` }), "KEY", /another dataset/],
    ["a one-time key that is over", otherKey({ expiry: NOW - 1 }), "KEY", /ended on/],
    [
      "another subject",
      request({ subjectKey: subjectFromSecret(new Uint8Array(32), PROVIDER).publicKey }),
      "SUBJECT",
      /another subject/,
    ],
    [
      "a verifier that says yes to everything",
      facts({ verifierCodeHash: `0x${"00".repeat(32)}` }),
      "VERIFIER",
      /known verifier of sealed-answer/,
    ],
    ["a root that was never published", root({ publishedAt: 0 }), "ROOT", /never published/],
    ["a revoked root", root({ revoked: true }), "ROOT", /revoked/],
    ["a root beyond its grace", root({ askable: false, supersededAt: NOW - 1 }), "ROOT", /too old/],
    ["a root that the record is not in", request({ root: 5n }), "PATH", /does not lie in/],
    ["a path that is none", record({ path: { index: [9], siblings: [] } }), "PATH", /does not lie in/],
    ["another person", request({ person: 5n }), "PERSON", /another person/],
    ["another nullifier key", record({ nk: 5n }), "NULLIFIER_KEY", /nullifier key/],
    [
      "a nullifier key that the provider hides",
      record({ nk: undefined, record: incomeOf("120000.01"), stored: [] }),
      "PATH",
      /does not lie in/,
    ],
    ["another value than before", record({ stored: [incomeOf("110000")] }), "RECORD_CHANGED", /another value/],
    [
      "another budget than before",
      record({ stored: [incomeOf("120000", { budget: 2 })] }),
      "RECORD_CHANGED",
      /3 answers instead of 2/,
    ],
    [
      "another end than before",
      record({ stored: [incomeOf("120000", { validUntil: NOW + 1 })] }),
      "RECORD_CHANGED",
      /instead of 2026-11-22/,
    ],
    [
      "a statement that says nothing",
      reviewOf(undefined, income({ relation: "at-least", value: "0" })),
      "STATEMENT",
      /says nothing/,
    ],
    [
      "a statement about long ago",
      reviewOf(incomeOf("5", { validFrom: 0 }), { ...AT_LEAST, asOf: 5 }),
      "STATEMENT",
      /1970-01-01/,
    ],
    [
      "a statement in another unit",
      request({ statement: { ...AT_LEAST, attribute: { ...INCOME, unit: "USD" } } as Statement }),
      "STATEMENT",
      /no description/,
    ],
    [
      "a statement with lost digits",
      request({ statement: { ...AT_LEAST, value: "0.001" } as Statement }),
      "STATEMENT",
      /digits would be lost/,
    ],
    ["a record that is over", reviewOf(incomeOf("5", { validUntil: NOW - 1 })), "RECORD", /ended on/],
  ];
  for (const [name, parameters, code, words] of cases) {
    test(`${name}: CONSENT_REFUSED_${code}`, async () => {
      const error = await assertCode(() => reviewConsent(parameters), `CONSENT_REFUSED_${code}`);
      assert.match(error.message, words);
      assert.match(error.message, /^Do not consent: /);
    });
  }

  test("a dataset of another provider under the same definition", async () => {
    const dataset = datasetIdOf(MARKET, definitionHash(DATASET));
    await assertCode(() => reviewConsent(request({ dataset })), "CONSENT_REFUSED_DATASET");
  });
});

describe("a review warns", () => {
  test("of a record that is seen for the first time", () => {
    assert.deepEqual(codes({ ...fits, record: { ...fits.record, stored: [] } }), ["FIRST_SEEN"]);
  });

  test("of a record that was renewed before its end, also beside the stored copy", () => {
    const before = incomeOf("119000", { validFrom: TERMS.validFrom - 100, validUntil: TERMS.validFrom });
    const stored = [before, ...fits.record.stored];
    assert.deepEqual(codes({ ...fits, record: { ...fits.record, stored } }), ["RENEWED_EARLY"]);
    const inTime = [incomeOf("1", { validFrom: 5, validUntil: TERMS.validFrom - 1 }), ...fits.record.stored];
    assert.deepEqual(codes({ ...fits, record: { ...fits.record, stored: inTime } }), []);
  });

  test("when the answer would tell the exact value", () => {
    const parameters = reviewOf(undefined, income({ relation: "equal", value: "120000" }));
    assert.deepEqual(codes(parameters), ["EXACT_RELATION", "REVEALS_VALUE"]);
    const around = asked({ relation: "at-least", value: "120000" });
    const atMost = reviewOf(undefined, income({ relation: "at-most", value: "120000" }));
    assert.deepEqual(codes({ ...atMost, earlier: around }), ["REVEALS_VALUE"]);
  });

  test("when the answer is known already, and when the budget is nearly used", () => {
    const twice = asked({ relation: "at-least", value: "110000" }, { relation: "at-most", value: "150000" });
    assert.deepEqual(codes({ ...fits, earlier: twice }), ["BUDGET_TIGHT", "TELLS_NOTHING_NEW"]);
  });

  test("of data that was replaced since, and of a question about the past", () => {
    const old = { publishedAt: 1, supersededAt: 2, revoked: false, askable: true };
    assert.deepEqual(codes({ ...fits, chainFacts: { ...fits.chainFacts, root: old } }), ["ROOT_SUPERSEDED"]);
    const definition = { ...DATASET, history: true };
    const dataset = datasetIdOf(PROVIDER, definitionHash(definition));
    const made = reviewOf(undefined, { ...AT_LEAST, asOf: NOW - 5 * 86_400 });
    const { key } = made.request.questionKey;
    const past = {
      ...made.request,
      definition,
      dataset,
      questionKey: { key: { ...key, dataset }, signature: "0x" as const },
    };
    assert.deepEqual(codes({ ...made, request: past }), ["ABOUT_THE_PAST"]);
  });
});

describe("what answers tell together", () => {
  const known = (rest: object, answer: boolean) => ({ statement: income(rest) as AttributeStatement, answer });
  test("is what satisfies all of them", () => {
    const cents = (euros: number): bigint => BigInt(euros) * 100n;
    const left = remainingValues([
      known({ relation: "between", low: "10", high: "20" }, true),
      known({ relation: "equal", value: "15" }, false),
      known({ relation: "outside", low: "18", high: "19" }, true),
      known({ relation: "less-than", value: "11" }, false),
    ]);
    assert.deepEqual(left, [
      { low: cents(11), high: cents(15) - 1n },
      { low: cents(15) + 1n, high: cents(18) - 1n },
      { low: cents(19) + 1n, high: cents(20) },
    ]);
    assert.equal(countValues(left), cents(4) + cents(3) - 1n + cents(1));
  });

  test("is nothing when answers contradict each other, and everything without answers", () => {
    const least = { relation: "at-least", value: "10" };
    assert.deepEqual(remainingValues([known(least, true), known(least, false)]), []);
    assert.equal(countValues(remainingValues([])), 1n << 64n);
  });
});
