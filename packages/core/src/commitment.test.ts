import assert from "node:assert/strict";
import { test } from "node:test";
import { testAddress, testDomain, testHash } from "@quorate/testkit";
import { encodeAbiParameters, keccak256, parseAbiParameters } from "viem";
import { chainCommitments, commitmentOf, openingOf } from "./commitment.ts";
import { Outcome } from "./job.ts";

const vote = {
  jobId: testHash(1),
  provider: testAddress(2),
  outcome: Outcome.Ok,
  resultHash: testHash(3),
  salt: testHash(4),
};

test("a commitment is bound to job, provider, outcome, result, salt, chain and market", () => {
  const commitments = [
    commitmentOf(vote, testDomain),
    commitmentOf({ ...vote, jobId: testHash(9) }, testDomain),
    commitmentOf({ ...vote, provider: testAddress(9) }, testDomain),
    commitmentOf({ ...vote, outcome: Outcome.Failed }, testDomain),
    commitmentOf({ ...vote, resultHash: testHash(9) }, testDomain),
    commitmentOf({ ...vote, salt: testHash(9) }, testDomain),
    commitmentOf(vote, { ...testDomain, chainId: 1 }),
    commitmentOf(vote, { ...testDomain, market: testAddress(9) }),
  ];
  assert.equal(new Set(commitments).size, commitments.length);
});

test("the chain of commitments depends on job, order and place, and begins with the job id", () => {
  const one = { place: 0, commitment: testHash(1) };
  const two = { place: 1, commitment: testHash(2) };
  assert.equal(chainCommitments(testHash(9), []), testHash(9));
  const first = keccak256(
    encodeAbiParameters(parseAbiParameters("bytes32, uint8, bytes32"), [testHash(9), 0, testHash(1)]),
  );
  assert.equal(chainCommitments(testHash(9), [one]), first);
  assert.notEqual(chainCommitments(testHash(9), [one, two]), chainCommitments(testHash(9), [two, one]));
  assert.notEqual(chainCommitments(testHash(9), [one]), chainCommitments(testHash(8), [one]));
});

test("an opening repeats the vote", () => {
  assert.deepEqual(openingOf(5, vote), { place: 5, outcome: 1, resultHash: testHash(3), salt: testHash(4) });
});
