import assert from "node:assert/strict";
import { test } from "node:test";
import { cipherOf, hash } from "@quorate/proofs";
import { guess, type Knowledge } from "./guesser.ts";

const knowledge: Knowledge = {
  persons: [11n, 12n],
  subjects: [{ key: [21n, 22n], person: 11n }],
  topics: [31n],
  params: [41n],
  values: [51n],
  metas: [61n],
};
const subjectId = hash(21n, 22n, 11n);

test("a world of secrets gives no hit", () => {
  const [k, query] = [999_999n, 888_888n];
  const words = new Set([query, cipherOf(true, k, query), hash(k), hash(subjectId, 777_777n)]);
  assert.deepEqual(guess(knowledge, words, [{ query, cipher: cipherOf(true, k, query) }]), []);
});

for (const [what, word] of [
  ["a person", 12n],
  ["the hash of a person", hash(12n)],
  ["an attribute, schema or program", 31n],
  ["the parameters of a statement", 41n],
  ["a subject", subjectId],
  ["the reference of a subject", hash(subjectId, 0n)],
  ["a nullifier", hash(subjectId, 31n, 0n, 2n)],
  ["a leaf", hash(subjectId, 31n, 51n, 61n, 0n)],
  ["a query", hash(0n, hash(subjectId, 0n), 11n, 31n, 41n, hash(0n))],
] as const) {
  test(`${what} without a secret in it is found`, () => {
    assert.deepEqual(guess(knowledge, new Set([word]), []), [{ what, word }]);
  });
}

test("an answer whose key is a known or public number is opened", () => {
  const query = 888_888n;
  for (const key of [12n, 123_456n]) {
    const cipher = cipherOf(false, key, query);
    const hits = guess(knowledge, new Set([query, cipher, 123_456n]), [{ query, cipher }]);
    assert.deepEqual(hits, [{ what: "an answer", word: key }]);
  }
});
