import assert from "node:assert/strict";
import { test } from "node:test";
import { Flag, type JobFacts, JobStatus, type Opening, termsOf, ZERO_HASH } from "@quorate/core";
import { buildPlaces, buildRequest, testHash } from "@quorate/testkit";
import type { SelfHelp } from "./context.ts";
import { jobViewOf, sameView } from "./jobView.ts";
import { planHelp } from "./planHelp.ts";

const OPENED = 1_000;
const noMessages = { offers: 0, commitments: [], openings: [], deliveries: [] };

/** Two seats, a spare; windows of 600 s and 300 s. */
function factsOf(changes: Partial<JobFacts> = {}): JobFacts {
  const request = buildRequest({ seats: 2, quorum: 2, spares: 1, shadows: 1, commitWindow: 600, revealWindow: 300 });
  return {
    jobId: testHash(1),
    request,
    terms: termsOf(request, 1, buildPlaces(4)),
    keyWraps: [],
    openedAt: OPENED,
    commitments: [],
    committed: [],
    declined: [],
    promotions: [],
    lastCommitAt: 0,
    lastDeclineAt: 0,
    openings: [],
    bySet: false,
    ...changes,
  };
}

const bothCommitted = factsOf({
  committed: [0, 1],
  commitments: [
    { place: 0, commitment: testHash(10) },
    { place: 1, commitment: testHash(11) },
  ],
  lastCommitAt: OPENED + 100,
});
const carried = (place: number): { place: number; commitment: `0x${string}`; signature: `0x${string}` } => ({
  place,
  commitment: testHash(place),
  signature: "0x",
});
const opening = (place: number): Opening => ({ place, outcome: 1, resultHash: testHash(5), salt: ZERO_HASH });
const plan = (
  facts: JobFacts,
  now: number,
  mode: SelfHelp = "late",
  places: readonly number[] = [],
  open: readonly number[] = [],
) => planHelp({ facts, now, mode, commitments: places.map(carried), openings: open.map(opening) });

test("commitments wait for half of the window, then all of them go together", () => {
  assert.equal(plan(factsOf(), OPENED + 299, "late", [0, 1]), undefined);
  const due = plan(factsOf(), OPENED + 300, "late", [0, 1]);
  assert.deepEqual(due, { action: "carry-commitments", commitments: [carried(0), carried(1)] });
  assert.equal(plan(factsOf(), OPENED + 1, "always", [0])?.action, "carry-commitments");
});

test("where votes may come by a set, commitments wait for half of the window whatever was asked for", () => {
  const { request, ...rest } = factsOf();
  const bySets = { ...rest, request: { ...request, flags: Flag.SetVotes } };
  assert.equal(plan(bySets, OPENED + 299, "always", [0, 1]), undefined);
  assert.equal(plan(bySets, OPENED + 300, "always", [0, 1])?.action, "carry-commitments");
});

test("what can no longer count is not carried: a spare without a seat, a second commitment, a late one", () => {
  assert.equal(plan(factsOf(), OPENED + 400, "late", [2]), undefined);
  assert.equal(plan(factsOf({ committed: [0], lastCommitAt: OPENED + 1 }), OPENED + 400, "late", [0]), undefined);
  const late = plan(factsOf(), OPENED + 600, "always", [0]);
  assert.equal(late?.action, "promote", "the seat is vacant by now");
});

test("a shadow's commitment is carried like a seat's", () => {
  assert.equal(plan(factsOf(), OPENED + 300, "late", [3])?.action, "carry-commitments");
});

test("a vacant seat gets its spare once half of the time for it is over, and never after its end", () => {
  const half = factsOf({ committed: [0], lastCommitAt: OPENED + 1 });
  assert.equal(plan(half, OPENED + 600), undefined);
  assert.equal(plan(half, OPENED + 750)?.action, "promote");
  assert.equal(plan(half, OPENED + 899)?.action, "promote");
  assert.notEqual(plan(half, OPENED + 900)?.action, "promote");
  const declined = factsOf({ declined: [1], lastDeclineAt: OPENED + 100 });
  assert.equal(plan(declined, OPENED + 499), undefined);
  assert.equal(plan(declined, OPENED + 500)?.action, "promote");
});

test("without a spare left nothing is promoted", () => {
  const none = factsOf({ declined: [1, 2], lastDeclineAt: OPENED + 100 });
  assert.equal(plan(none, OPENED + 550, "always"), undefined);
});

test("openings wait for half of the reveal window, and those on chain are not repeated", () => {
  const revealing = { ...bothCommitted, openings: [{ place: 0, outcome: 1, resultHash: testHash(5) }] };
  assert.equal(plan(revealing, OPENED + 249, "late", [], [0, 1]), undefined);
  assert.deepEqual(plan(revealing, OPENED + 250, "late", [], [0, 1]), {
    action: "carry-openings",
    openings: [opening(1)],
  });
  assert.equal(plan(revealing, OPENED + 250, "late", [], [0]), undefined);
});

test("a job that nobody settles is settled after a grace, and at once when asked to", () => {
  const end = OPENED + 100 + 300;
  assert.equal(plan(bothCommitted, end), undefined);
  assert.equal(plan(bothCommitted, end, "always")?.action, "settle");
  assert.equal(plan(bothCommitted, end + 149), undefined);
  assert.equal(plan(bothCommitted, end + 150)?.action, "settle");
});

test("self-help that is off, and a settled job, plan nothing", () => {
  assert.equal(plan(bothCommitted, OPENED + 10_000, "off"), undefined);
  const settled = {
    status: JobStatus.Inconclusive,
    outcome: 0,
    resultHash: ZERO_HASH,
    carrier: buildPlaces(1)[0]?.provider ?? "0x",
    refunded: 7n,
    burnt: 1n,
    results: [],
    settledAt: 5_000,
  } as const;
  assert.equal(plan({ ...bothCommitted, settled }, OPENED + 10_000, "always"), undefined);
});

const viewAt = (facts: JobFacts | undefined, timestamp: number) =>
  jobViewOf({ jobId: testHash(1), facts, head: { number: 1, timestamp }, messages: noMessages, help: [] });

test("a view says what each place is at, and turns with the clock of the chain", () => {
  assert.equal(viewAt(undefined, OPENED).statusName, "none");
  assert.deepEqual(
    viewAt(factsOf(), OPENED + 1).panel.map(({ state }) => state),
    ["waiting", "waiting", "standby", "waiting"],
  );
  const late = viewAt(factsOf({ committed: [0], lastCommitAt: OPENED + 1 }), OPENED + 600);
  assert.deepEqual(
    late.panel.map(({ state }) => state),
    ["committed", "late", "standby", "waiting"],
  );
  assert.deepEqual([late.vacant, late.sparesLeft], [[1], [2]]);
  const promoted = factsOf({
    committed: [0],
    lastCommitAt: OPENED + 1,
    promotions: [{ spare: 2, seat: 1, promotedAt: OPENED + 650 }],
  });
  const view = viewAt(promoted, OPENED + 700);
  assert.deepEqual(
    view.panel.map(({ state, seat }) => [state, seat]),
    [
      ["committed", 0],
      ["replaced", undefined],
      ["waiting", 1],
      ["waiting", undefined],
    ],
  );
  assert.equal(view.panel[2]?.deadline, OPENED + 1_250);
  const revealing = viewAt(bothCommitted, OPENED + 100);
  assert.equal(revealing.statusName, "revealing");
  assert.equal(revealing.panel[3]?.state, "released");
});

test("two views are the same when only the block differs", () => {
  const view = viewAt(factsOf(), OPENED + 1);
  assert.equal(sameView(view, viewAt(factsOf(), OPENED + 2)), true);
  assert.equal(sameView(view, viewAt(factsOf(), OPENED + 600)), false);
});
