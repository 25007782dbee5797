import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { commitmentOf, deriveSalt, type Hex, Outcome, ZERO_HASH } from "@quorate/core";
import { assertCode, testAddress, testDomain, testHash } from "@quorate/testkit";
import fc from "fast-check";
import { assertFixed, assertFixedSet, createVoteGuard, type FixedVote, type VoteGuard } from "./vote-guard.ts";

const secret = new Uint8Array(32).fill(7);
const provider = testAddress(5);
const job = testHash(1);
const ok = { outcome: Outcome.Ok, resultHash: testHash(2) };

const open = (db: DatabaseSync): VoteGuard =>
  createVoteGuard(db, { provider, domain: testDomain, saltOf: (jobId) => deriveSalt(secret, jobId) });
const fresh = (): VoteGuard => open(new DatabaseSync(":memory:"));

describe("the vote guard", () => {
  it("fixes a vote whose commitment the market would compute", () => {
    const vote = fresh().fix(job, ok);
    const { commitment, ...plain } = vote;
    assert.equal(commitment, commitmentOf(plain, testDomain));
    assert.equal(vote.salt, deriveSalt(secret, job));
  });

  it("gives the same vote for the same answer, however often it is asked", () => {
    const guard = fresh();
    assert.deepEqual(guard.fix(job, ok), guard.fix(job, ok));
    assert.deepEqual(guard.get(job), guard.fix(job, ok));
  });

  it("refuses a second different vote, whatever differs", async () => {
    const guard = fresh();
    guard.fix(job, ok);
    await assertCode(() => guard.fix(job, { ...ok, resultHash: testHash(3) }), "VOTE_CONFLICT");
    await assertCode(() => guard.fix(job, { ...ok, outcome: Outcome.Failed }), "VOTE_CONFLICT");
    await assertCode(() => guard.fix(job, { outcome: Outcome.Report, resultHash: ZERO_HASH }), "VOTE_CONFLICT");
    assert.equal(guard.get(job)?.resultHash, ok.resultHash);
  });

  it("does not tell job ids in another spelling apart", async () => {
    const guard = fresh();
    const spelled = `0x${"AB".repeat(32)}` as Hex;
    guard.fix(spelled, ok);
    await assertCode(
      () => guard.fix(spelled.toLowerCase() as Hex, { ...ok, resultHash: testHash(3) }),
      "VOTE_CONFLICT",
    );
  });

  it("finds the vote again after a restart, and two connections cannot hold two votes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "quorate-votes-"));
    try {
      const [first, second] = [0, 1].map(() => open(new DatabaseSync(join(folder, "votes.db"))));
      assert(first !== undefined && second !== undefined);
      const vote = first.fix(job, ok);
      assert.deepEqual(second.get(job), vote);
      await assertCode(() => second.fix(job, { ...ok, resultHash: testHash(3) }), "VOTE_CONFLICT");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("restored from before a vote still refuses another one, by what the chain or a relay shows", async () => {
    const left = fresh().fix(job, ok);
    const restored = fresh();
    await assertCode(() => restored.fix(job, { ...ok, resultHash: testHash(3) }, [left.commitment]), "VOTE_CONFLICT");
    assert.equal(restored.get(job), undefined);
    assert.deepEqual(restored.fix(job, ok, [left.commitment]), left);
  });

  it("fixes one set for a vote, the same after a restart, and refuses another one", async () => {
    const db = new DatabaseSync(":memory:");
    const guard = open(db);
    const { commitment } = guard.fix(job, ok);
    const set = [testHash(8), commitment, ZERO_HASH];
    assert.equal(guard.setOf(job), undefined);
    assert.deepEqual(guard.fixSet(job, set).commitments, set);
    assert.deepEqual(open(db).fixSet(job, set, [set]).commitments, set);
    for (const other of [
      [testHash(9), commitment, ZERO_HASH],
      [...set, ZERO_HASH],
      [testHash(8), commitment],
    ])
      await assertCode(() => open(db).fixSet(job, other), "SET_CONFLICT");
    assert.deepEqual(guard.setOf(job)?.commitments, set);
    for (const sql of ["UPDATE sets SET commitments = '[]'", "DELETE FROM sets"])
      assert.throws(() => db.exec(sql), /never/);
  });

  it("restored from before a set refuses another one than relays show", async () => {
    const guard = fresh();
    const { commitment } = guard.fix(job, ok);
    const [seen, other] = [
      [commitment, testHash(8)],
      [commitment, testHash(9)],
    ];
    await assertCode(() => guard.fixSet(job, other, [seen]), "SET_CONFLICT");
    await assertCode(() => guard.fixSet(job, seen, [seen, other]), "SET_CONFLICT");
    assert.equal(guard.setOf(job), undefined);
    assert.deepEqual(guard.fixSet(job, seen, [seen]).commitments, seen);
  });

  it("fixes no set without its vote, and none that has it twice", async () => {
    const guard = fresh();
    await assertCode(() => guard.fixSet(job, [testHash(8)]), "SET_MALFORMED");
    const { commitment } = guard.fix(job, ok);
    await assertCode(() => guard.fixSet(job, [testHash(8), testHash(9)]), "SET_MALFORMED");
    await assertCode(() => guard.fixSet(job, [commitment, commitment]), "SET_MALFORMED");
    const set = guard.fixSet(job, [commitment]);
    assertFixedSet(set);
    await assertCode(() => assertFixedSet({ ...set }), "VOTE_NOT_FIXED");
  });

  it("is changed by nobody who holds its database", () => {
    const db = new DatabaseSync(":memory:");
    const guard = open(db);
    guard.fix(job, ok);
    assert.throws(() => db.exec("UPDATE votes SET result_hash = '0x'"), /never changes/);
    assert.throws(() => db.exec("DELETE FROM votes"), /never goes/);
  });

  it("refuses what is no vote", async () => {
    const guard = fresh();
    for (const answer of [
      { outcome: Outcome.Ok, resultHash: ZERO_HASH },
      { outcome: Outcome.Report, resultHash: testHash(2) },
      { outcome: 4 as Outcome, resultHash: testHash(2) },
      { outcome: Outcome.Ok, resultHash: "0x12" as Hex },
    ])
      await assertCode(() => guard.fix(job, answer), "VOTE_MALFORMED");
  });

  it("marks its votes: an object of the same shape from elsewhere is not fixed", async () => {
    const vote = fresh().fix(job, ok);
    assertFixed(vote);
    await assertCode(() => assertFixed({ ...vote } as FixedVote), "VOTE_NOT_FIXED");
  });

  it("lets no order of attempts end in two commitments for one job", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.boolean()), { maxLength: 30 }), (attempts) => {
        const db = new DatabaseSync(":memory:");
        let guard = open(db);
        const left = new Map<Hex, Set<Hex>>();
        for (const [index, result, restart] of attempts) {
          if (restart) guard = open(db);
          const jobId = testHash(index);
          try {
            const { commitment } = guard.fix(jobId, { outcome: Outcome.Ok, resultHash: testHash(result + 1) });
            left.set(jobId, (left.get(jobId) ?? new Set()).add(commitment));
          } catch {}
        }
        for (const commitments of left.values()) assert.equal(commitments.size, 1);
      }),
      { numRuns: 100 },
    );
  });
});
