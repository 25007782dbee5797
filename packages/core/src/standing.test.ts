import assert from "node:assert/strict";
import { test } from "node:test";
import { Verdict } from "./job.ts";
import { onProbation, PROBATION_SECONDS, type Standing, standingAfter, unknownStanding } from "./standing.ts";

const NOW = 1_800_000_000;
const probed: Standing = { probation: 1, probationSince: NOW, lastFaultAt: NOW, alignedInRow: 0 };
const record = (verdict: Verdict, openedAt: number, now = NOW + 1_000) => ({ verdict, openedAt, now });

test("T5: a first fault begins a probation and its entry gets the bond", () => {
  const { standing, rule, entry, condemned } = standingAfter(unknownStanding, record(Verdict.Fault, NOW - 5, NOW));
  assert.deepEqual(standing, probed);
  assert.deepEqual([rule, entry, condemned], ["T5", 1, undefined]);
  assert.equal(onProbation(standing, NOW), true);
});

test("T6: a fault in a job opened at or before its beginning adds to the entry and burns nothing", () => {
  const { standing, rule, entry, condemned } = standingAfter(
    { ...probed, alignedInRow: 2 },
    record(Verdict.Fault, NOW),
  );
  assert.deepEqual([rule, entry, condemned], ["T6", 1, undefined]);
  assert.deepEqual(standing, { ...probed, alignedInRow: 2, lastFaultAt: NOW + 1_000 });
});

test("T7: a fault in a job opened during a probation condemns its entries and begins the next", () => {
  const { standing, rule, entry, condemned } = standingAfter(probed, record(Verdict.Fault, NOW + 1));
  assert.deepEqual([rule, entry, condemned], ["T7", 2, 1]);
  assert.deepEqual(standing, { probation: 2, probationSince: NOW + 1_000, lastFaultAt: NOW + 1_000, alignedInRow: 0 });
});

test("T1: three alignments in jobs opened after it began end a probation", () => {
  let standing = probed;
  for (let count = 0; count < 3; count++) {
    assert.equal(onProbation(standing, NOW + 1_000), true);
    standing = standingAfter(standing, record(Verdict.Aligned, NOW + 1)).standing;
  }
  assert.equal(onProbation(standing, NOW + 1_000), false);
  assert.deepEqual(standing, { probation: 1, probationSince: 0, lastFaultAt: NOW, alignedInRow: 3 });
});

test("T1: alignments in jobs opened at or before the beginning do not count", () => {
  assert.deepEqual(standingAfter(probed, record(Verdict.Aligned, NOW)).standing, probed);
});

test("T2: lateness in a job opened after the beginning breaks the row, an older one does not", () => {
  const row = { ...probed, alignedInRow: 2 };
  assert.equal(standingAfter(row, record(Verdict.Late, NOW + 1)).standing.alignedInRow, 0);
  assert.equal(standingAfter(row, record(Verdict.Late, NOW)).standing.alignedInRow, 2);
});

test("T3 T4: other verdicts change no probation", () => {
  for (const verdict of [Verdict.Reported, Verdict.Undecided, Verdict.Declined]) {
    assert.deepEqual(standingAfter(probed, record(verdict, NOW + 1)), { standing: probed, rule: "T3" });
  }
  for (const verdict of [Verdict.Overruled, Verdict.Dissent, Verdict.Standby, Verdict.None]) {
    assert.deepEqual(standingAfter(probed, record(verdict, NOW + 1)), { standing: probed, rule: "T4" });
  }
});

test("180 days without a fault end a probation, to the second", () => {
  assert.equal(onProbation(probed, NOW + PROBATION_SECONDS - 1), true);
  assert.equal(onProbation(probed, NOW + PROBATION_SECONDS), false);
});

test("a fault after a probation that ended begins a new number and condemns nothing", () => {
  const { rule, entry, condemned } = standingAfter({ ...probed, probationSince: 0 }, record(Verdict.Fault, NOW + 1));
  assert.deepEqual([rule, entry, condemned], ["T5", 2, undefined]);
});
