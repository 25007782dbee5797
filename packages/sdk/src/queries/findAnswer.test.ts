import assert from "node:assert/strict";
import { test } from "node:test";
import type { Quote } from "@quorate/core";
import { testAddress, testHash } from "@quorate/testkit";
import { concatHex, numberToHex } from "viem";
import { encodeAnswer, type ProofWords } from "../actions/answer.ts";
import { encodeAnswerBatch } from "../actions/answerBatch.ts";
import { encodeMulticall } from "../internal/journaledSend.ts";
import { proofsIn } from "./findAnswer.ts";

const market = testAddress(9);
const quote: Quote = {
  asker: testAddress(1),
  provider: testAddress(2),
  query: 3n,
  dataset: testHash(4),
  root: 5n,
  verifier: testAddress(6),
  verifierCodeHash: testHash(7),
  token: testAddress(8),
  price: 9n,
  bond: 10n,
  window: 11,
  expiry: 12,
};
const proof = [21n, 22n, 23n, 24n, 25n, 26n, 27n, 2n ** 253n] as ProofWords;
const other = [31n, 32n, 33n, 34n, 35n, 36n, 37n, 38n] as ProofWords;
const [cipher, nullifier] = [2n ** 250n + 1n, 2n ** 251n + 1n];
const answer = { quote, cipher, nullifier, proof };
const another = { quote, cipher: cipher + 1n, nullifier: nullifier + 1n, proof: other };

test("the proof of an answer is found in a call, in a batch, and in calls within a call", () => {
  const single = encodeAnswer({ market, ...answer });
  assert.deepEqual(proofsIn(single.data, cipher, nullifier), [proof]);
  const batch = encodeAnswerBatch({ market, answers: [another, answer] });
  assert.deepEqual(proofsIn(batch.data, cipher, nullifier), [proof]);
  assert.deepEqual(proofsIn(batch.data, another.cipher, another.nullifier), [other]);
  const several = encodeMulticall(market, [encodeAnswer({ market, ...another }), single]);
  assert.deepEqual(proofsIn(several.data, cipher, nullifier), [proof]);
});

test("what somebody wrote before the proof is a candidate beside it, what is cut off is none", () => {
  const head = concatHex([numberToHex(cipher, { size: 32 }), numberToHex(nullifier, { size: 32 })]);
  const junk = concatHex([head, ...other.map((word) => numberToHex(word, { size: 32 }))]);
  const { data } = encodeAnswer({ market, ...answer });
  assert.deepEqual(proofsIn(concatHex([junk, data]), cipher, nullifier), [other, proof]);
  assert.deepEqual(proofsIn(concatHex(["0x01", junk, data]), cipher, nullifier), [other, proof]);
  assert.deepEqual(proofsIn(concatHex([data, head]), cipher, nullifier), [proof]);
  assert.deepEqual(proofsIn("0x", cipher, nullifier), []);
  assert.deepEqual(proofsIn(data, cipher, nullifier + 1n), []);
});
