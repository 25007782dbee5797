import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { keccak256, toBytes } from "viem";
import { FIELD_MODULUS } from "./field.ts";
import {
  CONSENT_TAG,
  cipherOf,
  contextOf,
  generateAnswerKey,
  generateNonce,
  generateSubjectNonce,
  keyHashOf,
  nullifierOf,
  openCipher,
  type Question,
  queryOfQuestion,
} from "./query.ts";
import { subjectFromSecret } from "./subject.ts";
import { ASKER, income, PERSON, PROVIDER, parametersOf } from "./testing/fixture.ts";

const { question } = parametersOf();

test("each part of a question changes its query, and the answer key works by its hash alone", () => {
  const query = queryOfQuestion(question);
  const { k, ...rest } = question;
  assert.equal(queryOfQuestion({ ...rest, keyHash: keyHashOf(k) }), query);
  const changes: readonly Partial<Question>[] = [
    { chainId: 1 },
    { market: ASKER },
    { provider: ASKER },
    { asker: PROVIDER },
    { verifier: ASKER },
    { nonce: 100n },
    { subjectKey: subjectFromSecret(new Uint8Array(32), PROVIDER).publicKey },
    { subjectNonce: 1n },
    { person: PERSON + 1n },
    { k: 1n },
    { statement: income({ relation: "at-least", value: "100000.01" }) },
    { statement: income({ relation: "less-than", value: "100000" }) },
    { statement: { ...question.statement, asOf: question.statement.asOf + 1 } },
  ];
  const queries = changes.map((change) => queryOfQuestion({ ...question, ...change }));
  assert.equal(new Set([query, ...queries]).size, changes.length + 1);
  assert.ok(contextOf(question) >> 248n === 0n);
});

test("numbers with too many bits, and keys that are none, are refused", async () => {
  for (const change of [{ nonce: 1n << 128n }, { nonce: -1n }, { subjectNonce: 1n << 248n }, { k: 1n << 248n }]) {
    await assertCode(() => queryOfQuestion({ ...question, ...change }), "RANDOM_OUT_OF_RANGE");
  }
  await assertCode(() => queryOfQuestion({ ...question, person: FIELD_MODULUS }), "FIELD_OVERFLOW");
  await assertCode(() => queryOfQuestion({ ...question, subjectKey: [0n, 1n] }), "SUBJECT_KEY_INVALID");
});

test("an answer opens with its key and query alone", async () => {
  const query = queryOfQuestion(question);
  for (const answer of [true, false]) {
    const cipher = cipherOf(answer, question.k, query);
    assert.equal(openCipher(cipher, question.k, query), answer);
    await assertCode(() => openCipher(cipher, question.k + 1n, query), "ANSWER_UNREADABLE");
    await assertCode(() => openCipher(cipher, question.k, query + 1n), "ANSWER_UNREADABLE");
    await assertCode(() => openCipher(cipher + FIELD_MODULUS, question.k, query), "FIELD_OVERFLOW");
  }
  assert.equal(
    (cipherOf(true, question.k, query) - cipherOf(false, question.k, query) + FIELD_MODULUS) % FIELD_MODULUS,
    1n,
  );
});

test("random numbers are fresh and have their bits", () => {
  for (const [make, bits] of [
    [generateAnswerKey, 248n],
    [generateNonce, 128n],
    [generateSubjectNonce, 248n],
  ] as const) {
    const numbers = Array.from({ length: 50 }, make);
    assert.equal(new Set(numbers).size, numbers.length);
    assert.ok(numbers.every((number) => number >= 0n && number >> bits === 0n));
    assert.ok(numbers.some((number) => number >> (bits - 8n) !== 0n));
  }
});

test("each use, record and topic has a nullifier of its own", () => {
  const parts = { nk: 5n, nullifierTopic: 6n, validFrom: 7, i: 0 };
  const all = [
    parts,
    { ...parts, i: 1 },
    { ...parts, validFrom: 8 },
    { ...parts, nullifierTopic: 7n },
    { ...parts, nk: 6n },
  ];
  assert.equal(new Set(all.map(nullifierOf)).size, all.length);
});

test("the tag of consents follows from its domain", () => {
  assert.equal(BigInt(keccak256(toBytes("quorate/consent/v1"))) >> 8n, CONSENT_TAG);
});
