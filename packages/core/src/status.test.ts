import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JobStatus } from "./job.ts";
import { declineDeadline, isSettled, promotionDeadline, type StatusFacts, statusAt } from "./status.ts";

const OPENED = 1_000_000;
const facts = (changes: Partial<StatusFacts> = {}, spares = 0, seats = 3): StatusFacts => ({
  terms: { seats, spares, commitWindow: 600, revealWindow: 300 },
  openedAt: OPENED,
  committed: [],
  declined: [],
  promotions: [],
  lastCommitAt: 0,
  lastDeclineAt: 0,
  bySet: false,
  ...changes,
});

test("S0: a job that was never opened has no status", () => {
  assert.equal(statusAt(undefined, OPENED).status, JobStatus.None);
});

test("R1: revealing begins with the last commitment of a full panel, in the same second", () => {
  const full = facts({ committed: [2, 0, 1], lastCommitAt: OPENED + 50 }, 1);
  assert.equal(statusAt(full, OPENED + 49).status, JobStatus.Committing);
  assert.equal(statusAt(full, OPENED + 50).status, JobStatus.Revealing);
  assert.equal(statusAt(full, OPENED + 349).status, JobStatus.Revealing);
  assert.equal(statusAt(full, OPENED + 350).status, JobStatus.Settleable);
  assert.equal(statusAt(full, OPENED + 350).revealDeadline, OPENED + 350);
});

test("R1: a decline after the last commitment does not delay revealing", () => {
  const full = facts({ committed: [0, 1, 2], lastCommitAt: OPENED + 50, declined: [3], lastDeclineAt: OPENED + 60 }, 1);
  assert.equal(statusAt(full, OPENED + 60).revealAt, OPENED + 50);
});

test("R2: without spares revealing waits for the deadline of undecided seats", () => {
  const one = facts({ committed: [0, 1], lastCommitAt: OPENED + 10 });
  assert.equal(statusAt(one, OPENED + 599).status, JobStatus.Committing);
  assert.deepEqual(statusAt(one, OPENED + 599).vacant, []);
  assert.equal(statusAt(one, OPENED + 600).status, JobStatus.Revealing);
  assert.deepEqual(statusAt(one, OPENED + 600).vacant, [2]);
});

test("R2: when every seat has decided revealing begins with the last of commitment and decline", () => {
  const declinedFirst = facts({
    committed: [0, 1],
    declined: [2],
    lastCommitAt: OPENED + 400,
    lastDeclineAt: OPENED + 5,
  });
  assert.equal(statusAt(declinedFirst, OPENED + 400).revealAt, OPENED + 400);
  const declinedLast = facts({ committed: [0, 1], declined: [2], lastCommitAt: OPENED + 4, lastDeclineAt: OPENED + 5 });
  assert.equal(statusAt(declinedLast, OPENED + 5).revealAt, OPENED + 5);
});

test("R2: a spare that declined is not left", () => {
  const gone = facts({ declined: [3], lastDeclineAt: OPENED + 5 }, 1);
  assert.deepEqual(statusAt(gone, OPENED + 5).sparesLeft, []);
  assert.equal(statusAt(gone, OPENED + 5).revealAt, OPENED + 600);
});

test("R3: with a spare left revealing waits half a window for its promotion", () => {
  const waiting = facts({ committed: [0, 1], declined: [2], lastDeclineAt: OPENED + 5, lastCommitAt: OPENED + 6 }, 1);
  const view = statusAt(waiting, OPENED + 6);
  assert.equal(view.revealAt, OPENED + 900);
  assert.deepEqual(view.vacant, [2]);
  assert.deepEqual(view.sparesLeft, [3]);
  assert.equal(promotionDeadline(waiting), OPENED + 900);
});

test("a promoted spare occupies its seat with a window of its own", () => {
  const promoted = facts(
    {
      committed: [0, 1],
      declined: [2],
      promotions: [{ spare: 3, seat: 2, promotedAt: OPENED + 100 }],
      lastCommitAt: OPENED + 9,
    },
    1,
  );
  const view = statusAt(promoted, OPENED + 650);
  assert.deepEqual(view.occupants, [0, 1, 3]);
  assert.deepEqual(view.deadlines, [OPENED + 600, OPENED + 600, OPENED + 700]);
  assert.equal(view.revealAt, OPENED + 700);
  assert.deepEqual(view.vacant, []);
  assert.deepEqual(statusAt(promoted, OPENED + 700).vacant, [2]);
  assert.equal(declineDeadline(promoted, 3), OPENED + 250);
  assert.equal(declineDeadline(promoted, 0), OPENED + 150);
});

test("a second promotion replaces the first occupant's spare", () => {
  const twice = facts(
    {
      declined: [2, 3],
      promotions: [
        { spare: 3, seat: 2, promotedAt: OPENED + 100 },
        { spare: 4, seat: 2, promotedAt: OPENED + 120 },
      ],
      lastDeclineAt: OPENED + 110,
    },
    2,
  );
  assert.deepEqual(statusAt(twice, OPENED + 120).occupants, [0, 1, 4]);
});

test("S4: a settled job keeps its status", () => {
  const view = statusAt({ ...facts({ committed: [0, 1, 2] }), settled: { status: JobStatus.Accepted } }, OPENED);
  assert.equal(view.status, JobStatus.Accepted);
  assert.equal(isSettled(view.status), true);
  assert.equal(isSettled(JobStatus.Settleable), false);
});

const anyFacts = fc
  .record({
    seats: fc.integer({ min: 2, max: 7 }),
    spares: fc.integer({ min: 0, max: 4 }),
    commitWindow: fc.integer({ min: 10, max: 700_000 }),
    revealWindow: fc.integer({ min: 10, max: 700_000 }),
    draws: fc.array(fc.tuple(fc.nat(10), fc.nat(800_000), fc.boolean()), { maxLength: 12 }),
  })
  .map(({ seats, spares, commitWindow, revealWindow, draws }): StatusFacts => {
    const committed: number[] = [];
    const declined: number[] = [];
    let lastCommitAt = 0;
    let lastDeclineAt = 0;
    for (const [index, offset, commits] of draws) {
      const place = index % (seats + spares);
      if (committed.includes(place) || declined.includes(place)) continue;
      const at = OPENED + (offset % commitWindow);
      if (commits && place < seats) {
        committed.push(place);
        lastCommitAt = Math.max(lastCommitAt, at);
      } else if (!commits) {
        declined.push(place);
        lastDeclineAt = Math.max(lastDeclineAt, at);
      }
    }
    return {
      terms: { seats, spares, commitWindow, revealWindow },
      openedAt: OPENED,
      committed,
      declined,
      promotions: [],
      lastCommitAt,
      lastDeclineAt,
      bySet: false,
    };
  });

test("with no new fact the status only moves forward, and ends settleable", () => {
  fc.assert(
    fc.property(anyFacts, fc.nat(2_000_000), fc.nat(2_000_000), (known, a, b) => {
      const [early, late] = a < b ? [a, b] : [b, a];
      assert.ok(statusAt(known, OPENED + early).status <= statusAt(known, OPENED + late).status);
      assert.equal(statusAt(known, OPENED + 10_000_000).status, JobStatus.Settleable);
    }),
    { seed: 1, numRuns: 300 },
  );
});
