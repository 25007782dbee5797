import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { stories } from "@quorate/devnet";
import { freePorts } from "../support/free-ports.ts";

const cli = fileURLToPath(new URL("../../../packages/cli/bin/quorate.mjs", import.meta.url));

type Seat = { provider: string; role: string; status: string; paid: string };
type Job = {
  name: string;
  jobId: string;
  status: string;
  outcome: string;
  resultHash: string;
  seats: Seat[];
  transactions: number;
  gas: number;
  blocks: number;
};
type Query = {
  name: string;
  statement: string;
  expected: boolean | null;
  answer: boolean | null;
  status: string;
  askGas: number | null;
  answerGas: number | null;
  proveMs: number | null;
};
type Summary = { jobs: Job[]; conservation: string; queries: Query[]; leaks: number };

let folder = "";
let exitCode: number | null = null;
let standardOutput = "";
let narrative = "";
let summary: Summary;

/** Jobs and questions take five minutes of the chain's time, and more on a busy machine. */
const timeout = 1_500_000;

before(
  async () => {
    folder = mkdtempSync(join(tmpdir(), "quorate-start-"));
    const port = await freePorts(6);
    const args = [
      cli,
      "devnet",
      "start",
      "--once",
      "--json",
      "--port",
      String(port),
      "--folder",
      join(folder, "market"),
    ];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk) => (standardOutput += chunk));
    child.stderr.on("data", (chunk) => (narrative += chunk));
    exitCode = await new Promise((resolve) => child.on("exit", resolve));
    assert.equal(exitCode, 0, `${narrative}${standardOutput}`);
    summary = JSON.parse(standardOutput.trimEnd().split("\n").at(-1) ?? "") as Summary;
  },
  { timeout },
);

after(() => rmSync(folder, { recursive: true, force: true }));

test("the last line is one JSON object with every story, each under a job id of its own", () => {
  assert.deepEqual(Object.keys(summary), ["jobs", "conservation", "queries", "leaks"]);
  assert.deepEqual(
    summary.jobs.map(({ name }) => name),
    stories.map(({ name }) => name),
  );
  assert.equal(new Set(summary.jobs.map(({ jobId }) => jobId)).size, stories.length);
  for (const job of summary.jobs) {
    assert.match(job.jobId, /^0x[0-9a-f]{64}$/);
    assert.match(job.resultHash, /^0x[0-9a-f]{64}$/);
    // A job by a set is an opening and the set.
    assert.ok(job.transactions >= 2 && job.gas > 0 && job.blocks > 0, JSON.stringify(job));
  }
});

test("no unit of money appeared or vanished", () => {
  assert.equal(summary.conservation, "0");
});

test("the corrupt provider is caught, unpaid, while the two that agree are paid their prices", () => {
  const job = jobNamed("caught");
  assert.equal(job.status, "Accepted");
  assert.equal(job.outcome, "Ok");
  assert.deepEqual(
    job.seats.map(({ role, status, paid }) => [role, status, paid]),
    [
      ["seat", "Fault", "0"],
      ["seat", "Aligned", "90000000"],
      ["seat", "Aligned", "100000000"],
    ],
  );
});

test("a spare replaces the silent provider and is paid like a seat", () => {
  const job = jobNamed("replaced");
  assert.equal(job.status, "Accepted");
  assert.deepEqual(
    job.seats.map(({ role, status, paid }) => [role, status, paid]),
    [
      ["seat", "Late", "0"],
      ["seat", "Aligned", "100000000"],
      ["seat", "Aligned", "110000000"],
      ["spare", "Aligned", "120000000"],
    ],
  );
  const [caught] = summary.jobs;
  assert.ok(
    !job.seats.some(({ provider }) => provider === caught?.seats[0]?.provider),
    "on probation there is no seat",
  );
});

test("a provider that cannot open the package reports, and nobody is convicted", () => {
  const job = jobNamed("unreadable");
  assert.equal(job.status, "Accepted");
  assert.deepEqual(job.seats.map(({ status }) => status).sort(), ["Aligned", "Aligned", "Reported"]);
});

test("three shadow jobs reinstate the convicted provider, which claims its bond", () => {
  const convicted = jobNamed("caught").seats[0]?.provider;
  for (const name of ["shadow-1", "shadow-2", "shadow-3"]) {
    const shadow = jobNamed(name).seats.find(({ role }) => role === "shadow");
    assert.equal(shadow?.provider, convicted);
    assert.equal(shadow?.status, "Aligned");
    assert.equal(shadow?.paid, "80000000");
  }
  assert.match(narrative, /off probation and has claimed its bond/);
});

test("every question ends as it has to: true, false, refused, without a proof, refunded", () => {
  assert.deepEqual(
    summary.queries.map(({ name, expected, answer, status }) => [name, expected, answer, status]),
    [
      ["income-true", true, true, "Answered"],
      ["income-false", false, false, "Answered"],
      ["refused", null, null, "RefusedBySubject"],
      ["stale-record", null, null, "RefusedByProvider"],
      ["borrowed-record", null, null, "RefusedByProvider"],
      ["scorecard", true, true, "Answered"],
      ["silent", null, null, "Refunded"],
      ["contract", true, true, "Answered"],
    ],
  );
  for (const { statement, status, askGas, answerGas, proveMs } of summary.queries) {
    assert.match(statement, /annual income/);
    const isAnswered = status === "Answered";
    assert.equal(askGas !== null && askGas > 21_000, isAnswered || status === "Refunded");
    assert.equal(answerGas !== null && answerGas > 200_000, isAnswered);
    assert.equal(proveMs !== null && proveMs > 0, isAnswered);
  }
});

test("nothing leaks: no secret in a public byte, no guess, no difference between true and false", () => {
  assert.equal(summary.leaks, 0);
  assert.match(narrative, /bytes on chain and [\d,]+ at the relays for \d+ secrets: 0 found/);
  assert.match(narrative, /12,000 people, thresholds and dates known: 0 hits/);
  assert.match(narrative, /twins .*alike in length, shape and gas/);
});

function jobNamed(name: string): Job {
  const job = summary.jobs.find((candidate) => candidate.name === name);
  assert.ok(job, `there is a job called ${name}`);
  return job;
}
