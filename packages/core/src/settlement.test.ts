import assert from "node:assert/strict";
import { test } from "node:test";
import { buildTerms, testHash } from "@quorate/testkit";
import fc from "fast-check";
import { shareOf } from "./amounts.ts";
import { JobStatus, Outcome, type Request, Verdict, ZERO_HASH } from "./job.ts";
import { classOfOpening, type SettlementFacts, settlementOf, tallyOf } from "./settlement.ts";
import { escrowOf } from "./terms.ts";

const A = testHash(0xa);
const B = testHash(0xb);
type Answer = "A" | "B" | "failed" | "report" | "malformed" | "hidden" | "none" | "declined";

/** Facts of a job without promotions, from what each place did. */
function job(answers: readonly Answer[], changes: Partial<Request> = {}, shadows = 0): SettlementFacts {
  const terms = buildTerms({ calloutBps: 1_000, standbyBps: 500, ...changes }, shadows);
  const opening = {
    A: [Outcome.Ok, A],
    B: [Outcome.Ok, B],
    failed: [Outcome.Failed, A],
    report: [Outcome.Report, ZERO_HASH],
    malformed: [7, A],
  } as const;
  const places = answers.map((answer, place) => ({ answer, place }));
  return {
    terms,
    openedAt: 0,
    committed: places.filter(({ answer }) => answer !== "none" && answer !== "declined").map(({ place }) => place),
    declined: places.filter(({ answer }) => answer === "declined").map(({ place }) => place),
    promotions: [],
    openings: places.flatMap(({ answer, place }) => {
      const opened = opening[answer as keyof typeof opening];
      return opened === undefined ? [] : [{ place, outcome: opened[0], resultHash: opened[1] }];
    }),
  };
}
const verdicts = (facts: SettlementFacts) => settlementOf(facts).results.map(({ verdict }) => verdict);
const paid = (facts: SettlementFacts) => settlementOf(facts).results.map((result) => result.paid);

test("M1 M5: an aligned majority is paid its prices, the other computed answer is a fault", () => {
  const facts = job(["A", "A", "B"]);
  const settled = settlementOf(facts);
  assert.deepEqual(verdicts(facts), [Verdict.Aligned, Verdict.Aligned, Verdict.Fault]);
  assert.deepEqual(paid(facts), [900_000n, 901_000n, 0n]);
  assert.deepEqual([settled.status, settled.outcome, settled.resultHash], [JobStatus.Accepted, Outcome.Ok, A]);
  assert.deepEqual(settled.quarantined, [2]);
  assert.equal(settled.refunded, 3n * 902_000n - 900_000n - 901_000n);
  assert.equal(settled.burnt, 0n);
});

test("M1: failed is an answer of its own, though the hash is the same", () => {
  assert.deepEqual(verdicts(job(["A", "failed", "failed"])), [Verdict.Fault, Verdict.Aligned, Verdict.Aligned]);
  assert.equal(settlementOf(job(["A", "failed", "failed"])).outcome, Outcome.Failed);
});

test("M2 M3: accepted reports are called out, so is a computed answer against them; nobody is convicted", () => {
  const facts = job(["report", "A", "report"]);
  const settled = settlementOf(facts);
  assert.deepEqual(verdicts(facts), [Verdict.Reported, Verdict.Overruled, Verdict.Reported]);
  assert.deepEqual(paid(facts), [90_000n, 90_100n, 90_200n]);
  assert.deepEqual(
    [settled.status, settled.outcome, settled.resultHash],
    [JobStatus.Accepted, Outcome.Report, ZERO_HASH],
  );
  assert.deepEqual(settled.quarantined, []);
});

test("M4: a report against an accepted computed answer earns nothing and loses nothing", () => {
  const facts = job(["A", "report", "A"]);
  assert.deepEqual(verdicts(facts)[1], Verdict.Reported);
  assert.equal(paid(facts)[1], 0n);
});

test("M5: a fault can occur in an inconclusive job whose quorum is above the majority", () => {
  const facts = job(["A", "A", "A", "B"], { seats: 4, quorum: 4 });
  assert.deepEqual(verdicts(facts), [Verdict.Undecided, Verdict.Undecided, Verdict.Undecided, Verdict.Fault]);
  assert.equal(settlementOf(facts).status, JobStatus.Inconclusive);
  assert.equal(paid(facts)[0], 90_000n);
});

test("M5: half of the seats is no majority", () => {
  assert.deepEqual(verdicts(job(["A", "A", "B", "B"], { seats: 4, quorum: 3 })), Array(4).fill(Verdict.Undecided));
  assert.deepEqual(verdicts(job(["A", "A", "B", "none"], { seats: 4, quorum: 3 })), [
    Verdict.Undecided,
    Verdict.Undecided,
    Verdict.Undecided,
    Verdict.Late,
  ]);
});

test("M6: without a bond dissent is no fault", () => {
  const facts = job(["A", "A", "B"], { bond: 0n });
  assert.equal(verdicts(facts)[2], Verdict.Dissent);
  assert.deepEqual(settlementOf(facts).quarantined, []);
});

test("M7: three different answers decide nothing and are called out", () => {
  const facts = job(["A", "B", "failed"]);
  assert.deepEqual(verdicts(facts), Array(3).fill(Verdict.Undecided));
  assert.deepEqual(paid(facts), [90_000n, 90_100n, 90_200n]);
});

test("M8: a malformed opening is no vote and is not paid, even among accepted reports", () => {
  const facts = job(["report", "report", "malformed"]);
  assert.deepEqual(verdicts(facts), Array(3).fill(Verdict.Reported));
  assert.equal(paid(facts)[2], 0n);
  assert.equal(verdicts(job(["A", "report", "malformed"]))[1], Verdict.Reported);
});

test("M9 M10: a seat that declined keeps its bond, a late one loses it, burnt whole", () => {
  const facts = job(["A", "A", "declined", "hidden", "none"], { seats: 5, quorum: 3 });
  const settled = settlementOf(facts);
  assert.deepEqual(verdicts(facts).slice(2), [Verdict.Declined, Verdict.Late, Verdict.Late]);
  assert.deepEqual(settled.forfeited, [3, 4]);
  assert.equal(settled.burnt, 1_000_000n);
});

test("M10: when nobody opened anything lateness is marked and every bond is returned", () => {
  const settled = settlementOf(job(["hidden", "none", "hidden"]));
  assert.deepEqual(
    settled.results.map(({ verdict }) => verdict),
    Array(3).fill(Verdict.Late),
  );
  assert.deepEqual(settled.forfeited, []);
  assert.equal(settled.burnt, 0n);
});

test("M10: a malformed opening is an opening: the others are late", () => {
  assert.equal(settlementOf(job(["malformed", "none", "none"])).burnt, 1_000_000n);
});

test("M11 M12: an unused spare earns its standby fee, a silent shadow nothing", () => {
  const facts = job(["A", "A", "A", "none", "none"], { spares: 1, shadows: 1 }, 1);
  assert.deepEqual(verdicts(facts).slice(3), [Verdict.Standby, Verdict.None]);
  assert.deepEqual(paid(facts).slice(3), [shareOf(903_000n, 500), 0n]);
});

test("a promoted spare earns its own price; the former occupant stays late", () => {
  const facts: SettlementFacts = {
    ...job(["A", "A", "none", "A"], { spares: 1 }),
    promotions: [{ spare: 3, seat: 2, promotedAt: 600 }],
  };
  assert.deepEqual(verdicts(facts), [Verdict.Aligned, Verdict.Aligned, Verdict.Late, Verdict.Aligned]);
  assert.equal(paid(facts)[3], 903_000n);
});

test("a shadow weighs nothing but follows the same rows", () => {
  const silent = job(["A", "B", "none", "A"], { shadows: 1 }, 1);
  assert.equal(settlementOf(silent).status, JobStatus.Inconclusive);
  const wrong = job(["A", "A", "A", "B"], { shadows: 1 }, 1);
  assert.equal(verdicts(wrong)[3], Verdict.Fault);
  const hidden = job(["A", "A", "A", "hidden"], { shadows: 1 }, 1);
  assert.deepEqual(settlementOf(hidden).forfeited, [3]);
});

test("one right key and garbage for the others convicts nobody", () => {
  const settled = settlementOf(job(["A", "report", "report", "report", "report"], { seats: 5, quorum: 3 }));
  assert.deepEqual(settled.quarantined, []);
  assert.equal(settled.results[0]?.verdict, Verdict.Overruled);
});

test("openings are classed by outcome and hash together", () => {
  assert.equal(classOfOpening({ outcome: 1, resultHash: ZERO_HASH }), "malformed");
  assert.equal(classOfOpening({ outcome: 3, resultHash: A }), "malformed");
  assert.equal(classOfOpening({ outcome: 0, resultHash: ZERO_HASH }), "malformed");
  assert.equal(classOfOpening({ outcome: 2, resultHash: A }), "failed");
});

test("the tally counts weighted seats only, most votes first", () => {
  const facts = job(["B", "A", "A", "B", "B"], { shadows: 2 }, 2);
  assert.deepEqual(tallyOf(facts), [
    { outcome: 1, resultHash: A, votes: 2 },
    { outcome: 1, resultHash: B, votes: 1 },
  ]);
});

const answer = fc.constantFrom<Answer>(
  "A",
  "A",
  "A",
  "B",
  "failed",
  "report",
  "malformed",
  "hidden",
  "none",
  "declined",
);
const anyJob = fc
  .tuple(fc.integer({ min: 2, max: 7 }), fc.integer({ min: 0, max: 4 }), fc.nat(3), fc.constantFrom(0n, 1n, 500_000n))
  .chain(([seats, spares, shadows, bond]) =>
    fc
      .record({
        answers: fc.tuple(
          fc.array(answer, { minLength: seats, maxLength: seats }),
          fc.array(fc.constantFrom<Answer>("none", "declined"), { minLength: spares, maxLength: spares }),
          fc.array(answer, { minLength: shadows, maxLength: shadows }),
        ),
        quorum: fc.integer({ min: Math.floor(seats / 2) + 1, max: seats }),
        calloutBps: fc.integer({ min: 0, max: 5_000 }),
        standbyBps: fc.integer({ min: 0, max: 10_000 }),
      })
      .map(({ answers, quorum, calloutBps, standbyBps }) =>
        job(answers.flat(), { seats, spares, shadows, bond, quorum, calloutBps, standbyBps }, shadows),
      ),
  );

test("escrow is paid out to the unit, and faults need a majority that computed", () => {
  fc.assert(
    fc.property(anyJob, (facts) => {
      const settled = settlementOf(facts);
      const sum = settled.results.reduce((total, result) => total + result.paid, 0n);
      assert.equal(sum + settled.refunded + settled.carrierFee, escrowOf(facts.terms));
      assert.ok(settled.refunded >= 0n);
      assert.equal(settled.burnt, BigInt(settled.forfeited.length) * facts.terms.bond);
      const majority = tallyOf(facts).find(({ votes, outcome }) => outcome !== 3 && 2 * votes > facts.terms.seats);
      assert.ok(settled.quarantined.length === 0 || (majority !== undefined && facts.terms.bond > 0n));
      for (const place of settled.quarantined) {
        const opening = facts.openings.find((candidate) => candidate.place === place);
        assert.ok(opening?.outcome === 1 || opening?.outcome === 2);
      }
    }),
    { seed: 2, numRuns: 500 },
  );
});
