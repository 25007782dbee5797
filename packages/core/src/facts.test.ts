import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode, buildPlaces, buildRequest, testAddress, testDomain, testHash } from "@quorate/testkit";
import { foldJobEvent, type JobEvent, type JobFacts } from "./facts.ts";
import { JobStatus, ZERO_HASH } from "./job.ts";
import { jobIdOf } from "./request.ts";

const request = buildRequest({ spares: 1, shadows: 1 });
const jobId = jobIdOf(request, testDomain);
const opened: JobEvent = {
  eventName: "JobOpened",
  args: { jobId, requester: request.requester, request, spares: 1, places: buildPlaces(5), keyWraps: ["0x01"] },
  timestamp: 100,
};
const committed = (place: number, timestamp: number): JobEvent => ({
  eventName: "CommitmentPlaced",
  args: { jobId, place, commitment: testHash(place) },
  timestamp,
});
const declined = (place: number, timestamp: number): JobEvent => ({
  eventName: "SeatDeclined",
  args: { jobId, provider: testAddress(0x1000 + place), place },
  timestamp,
});
const fold = (...events: JobEvent[]): JobFacts =>
  events.reduce<JobFacts | undefined>(foldJobEvent, undefined) as JobFacts;

test("a history folds into facts, with the times of weighted places only", () => {
  const facts = fold(
    opened,
    committed(1, 110),
    committed(4, 120),
    declined(0, 130),
    {
      eventName: "SparePromoted",
      args: { jobId, provider: testAddress(0x1003), spare: 3, seat: 0, deadline: 740 },
      timestamp: 140,
    },
    { eventName: "CommitmentSkipped", args: { jobId, place: 1, cause: 1 }, timestamp: 141 },
    committed(3, 150),
    {
      eventName: "CommitmentOpened",
      args: { jobId, place: 1, outcome: 1, resultHash: testHash(7), salt: ZERO_HASH },
      timestamp: 160,
    },
    { eventName: "OpeningSkipped", args: { jobId, place: 1, cause: 1 }, timestamp: 161 },
  );
  assert.equal(facts.openedAt, 100);
  assert.deepEqual(
    facts.commitments.map(({ place }) => place),
    [1, 4, 3],
  );
  assert.deepEqual([facts.lastCommitAt, facts.lastDeclineAt], [150, 130]);
  assert.deepEqual(facts.promotions, [{ spare: 3, seat: 0, promotedAt: 140 }]);
  assert.deepEqual(facts.openings, [{ place: 1, outcome: 1, resultHash: testHash(7) }]);
  assert.equal(facts.terms.places.length, 5);
});

test("commitment and decline of a shadow move no time", () => {
  assert.equal(fold(opened, committed(4, 120)).lastCommitAt, 0);
  assert.equal(fold(opened, declined(4, 120)).lastDeclineAt, 0);
  assert.equal(fold(opened, declined(3, 120)).lastDeclineAt, 120);
});

const settled: JobEvent = {
  eventName: "JobSettled",
  args: {
    jobId,
    status: JobStatus.Inconclusive,
    outcome: 0,
    resultHash: ZERO_HASH,
    carrier: testAddress(1),
    refunded: 5n,
    burnt: 6n,
    results: [{ verdict: 8, paid: 0n }],
  },
  timestamp: 999,
};

test("settlement closes the history", async () => {
  const facts = fold(opened, settled);
  assert.equal(facts.settled?.status, JobStatus.Inconclusive);
  assert.equal(facts.settled?.settledAt, 999);
  await assertCode(() => foldJobEvent(facts, committed(0, 1_000)), "JOB_EVENT_OUT_OF_ORDER");
});

test("the fold changes nothing that it was given", () => {
  const before = fold(opened);
  const copy = structuredClone(before);
  foldJobEvent(before, committed(0, 101));
  assert.deepEqual(before, copy);
});

const impossible: readonly [string, JobEvent[]][] = [
  ["a commitment before the opening", [committed(0, 1)]],
  ["a second opening", [opened, opened]],
  ["a second commitment of a place", [opened, committed(0, 101), committed(0, 102)]],
  ["a second decline of a place", [opened, declined(0, 101), declined(0, 102)]],
  [
    "an event of another job",
    [
      opened,
      { eventName: "CommitmentPlaced", args: { jobId: testHash(1), place: 0, commitment: ZERO_HASH }, timestamp: 1 },
    ],
  ],
];
for (const [name, events] of impossible) {
  test(`${name} is out of order`, async () => {
    await assertCode(() => fold(...events), "JOB_EVENT_OUT_OF_ORDER");
  });
}
