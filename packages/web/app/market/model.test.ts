import assert from "node:assert/strict";
import { test } from "node:test";
import { Verdict } from "@quorate/core";
import { buildRequest, testAddress, testHash } from "@quorate/testkit";
import { emptyRecord, incomeOf, lockedBonds, providersOf, seatEndOf } from "../parts/seats.ts";
import { bucketFor, countBy, figuresOf, jobOutcomes, moneyOf, payments } from "./figures.ts";
import { emptyModel, foldLogs } from "./model.ts";
import { stageOf } from "./stage.ts";
import { allAligned, BEGIN, jobLog, markets, opened, queryLog, settled } from "./testing.ts";

const { token } = buildRequest();
const job = testHash(1);
const other = testHash(2);

test("a job is opened, settled and counted, and folding in two steps gives the same as folding in one", () => {
  const logs = [opened(job, 1), settled(job, 5, allAligned), opened(other, 6)];
  const once = foldLogs(emptyModel, logs, markets);
  const twice = foldLogs(foldLogs(emptyModel, logs.slice(0, 1), markets), logs.slice(1), markets);
  assert.deepEqual(twice, once);
  assert.deepEqual(figuresOf(once).jobs, { opened: 2, open: 1, accepted: 1, inconclusive: 0 });
  assert.equal(once.jobs.get(job)?.openedIn, testHash(0x7001));
  assert.equal(once.jobs.get(job)?.settledIn, testHash(0x7005));
  assert.equal(once.jobs.get(job)?.events.length, 2);
});

test("money counts what was paid, what lies in escrow and in bonds, of one token alone", () => {
  const logs = [
    opened(job, 1),
    settled(job, 5, allAligned),
    opened(other, 6),
    opened(testHash(3), 7, { token: testAddress(9) }),
  ];
  const model = foldLogs(emptyModel, logs, markets);
  const money = moneyOf(model, token);
  assert.equal(money.paidForJobs, 900_000n + 901_000n + 902_000n + 10_000n);
  assert.equal(money.inEscrow, 3n * 902_000n + 10_000n);
  assert.equal(money.inBonds, 3n * 500_000n);
  assert.deepEqual(payments(model, token, 6), [{ at: BEGIN + 50, series: "jobs", value: 2.713 }]);
  assert.deepEqual(
    jobOutcomes(model).map(({ series }) => series),
    ["accepted", "open", "open"],
  );
});

test("deposits, withdrawals and quarantine become movements, and probations begin and end", () => {
  const provider = testAddress(0x1000);
  const model = foldLogs(
    emptyModel,
    [
      jobLog("Deposited", { account: provider, token, payer: provider, amount: 5n }, 1),
      jobLog("Withdrawn", { account: provider, token, to: provider, amount: 2n }, 2),
      jobLog("BondQuarantined", { provider, token, jobId: job, probation: 1, amount: 3n }, 3),
      jobLog("ProbationBegan", { provider, jobId: job, probation: 1 }, 3),
      jobLog("ProbationEnded", { provider, probation: 1, well: true }, 9),
      jobLog("QuarantineClaimed", { provider, token, probation: 1, amount: 3n, burnt: false }, 10),
    ],
    markets,
  );
  assert.deepEqual(
    model.movements.map(({ kind, amount, at }) => [kind, amount, at]),
    [
      ["deposited", 5n, BEGIN + 10],
      ["withdrawn", 2n, BEGIN + 20],
      ["quarantined", 3n, BEGIN + 30],
      ["claimed", 3n, BEGIN + 100],
    ],
  );
  assert.deepEqual(model.probations, [
    { provider, jobId: job, beganAt: BEGIN + 30, ended: { at: BEGIN + 90, well: true } },
  ]);
});

test("a log of the query market's address is no log of the job market", () => {
  const foreign = { ...opened(job, 1), address: testAddress(0x999) };
  assert.equal(foldLogs(emptyModel, [foreign], markets).jobs.size, 0);
  const dataset = testHash(7);
  const model = foldLogs(
    emptyModel,
    [
      queryLog(
        "DatasetRegistered",
        { dataset, provider: testAddress(5), definition: testHash(8), grace: 60, publisher: testAddress(5) },
        1,
      ),
    ],
    markets,
  );
  assert.equal(model.datasets.get(dataset)?.provider, testAddress(5));
});

test("each provider has its places, verdicts and income, and says why it was not paid", () => {
  const results = [
    allAligned[0] as (typeof allAligned)[number],
    { verdict: Verdict.Fault, paid: 0n },
    { verdict: Verdict.Late, paid: 0n },
  ] as const;
  const logs = [opened(job, 1), settled(job, 5, results), opened(other, 6)];
  const model = foldLogs(emptyModel, logs, markets);
  const records = providersOf(model);
  const aligned = records.get(testAddress(0x1000)) ?? emptyRecord(testAddress(0));
  const fault = records.get(testAddress(0x1001)) ?? emptyRecord(testAddress(0));
  assert.deepEqual([aligned.aligned, aligned.open, fault.faults], [1, 1, 1]);
  assert.equal(lockedBonds(aligned, BEGIN + 60).get(token.toLowerCase()), 500_000n);
  // It carried the settlement too.
  assert.deepEqual(
    incomeOf(model, aligned, []).map(({ series, amount }) => [series, amount]),
    [
      ["jobs", 900_000n],
      ["carrying", 10_000n],
    ],
  );
  const facts = model.jobs.get(job)?.facts;
  assert.ok(facts);
  assert.equal(seatEndOf(facts, 1, BEGIN).bond, "quarantined");
  const late = seatEndOf(facts, 2, BEGIN);
  assert.equal(late.bond, "returned", "nobody opened anything in these logs: nothing is burnt");
  const someOpened = { ...facts, openings: [{ place: 0, outcome: 1, resultHash: testHash(0x42) }] };
  assert.equal(seatEndOf(someOpened, 2, BEGIN).bond, "burnt");
});

test("the stage of a job follows the time of the chain", () => {
  const facts = foldLogs(emptyModel, [opened(job, 0)], markets).jobs.get(job)?.facts;
  assert.ok(facts);
  assert.deepEqual([stageOf(facts, BEGIN).title, stageOf(facts, BEGIN).until], ["Computing", BEGIN + 600]);
  assert.equal(stageOf(facts, BEGIN + 600).title, "Opening");
  assert.equal(stageOf(facts, BEGIN + 900).title, "To be settled");
});

test("buckets are the finest that leave few bars, and add up by series", () => {
  assert.equal(bucketFor(0, 60 * 36).name, "minute");
  assert.equal(bucketFor(0, 86_400).name, "hour");
  assert.equal(bucketFor(0, 86_400 * 365 * 20).name, "30 days");
  const events = [
    { at: 61, series: "a" as const, value: 1 },
    { at: 119, series: "a" as const, value: 2 },
    { at: 20, series: "b" as const, value: 4 },
  ];
  assert.deepEqual(countBy(events, 60), [
    { at: 0, series: "b", value: 4 },
    { at: 60, series: "a", value: 3 },
  ]);
});
