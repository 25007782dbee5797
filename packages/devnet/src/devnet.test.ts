import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { SandboxPort } from "@quorate/agent";
import { JobStatus, type Package, Verdict } from "@quorate/core";
import { assertCode, buildManifest, buildRequest, testAddress, testHash, until } from "@quorate/testkit";
import { corruptSandbox } from "./corrupt-sandbox.ts";
import { startLocalMarket } from "./market.ts";
import { createNarrator, formatMoney } from "./narrator.ts";
import { moneyOf, type ObservedJob, summarizeJob } from "./observer.ts";
import { startActor, waitForLine } from "./processes.ts";
import { stories } from "./stories.ts";

const pkg: Package = { manifest: buildManifest(), files: new Map() };

function honestSandbox(output: string): SandboxPort {
  const usage = { fuel: 1, memoryBytes: 1, outputBytes: output.length, elapsedMs: 1 };
  return {
    supports: () => true,
    run: async () => ({ kind: "ok", output: new TextEncoder().encode(output), usage, diagnostics: "" }),
  };
}

async function outputOf(sandbox: SandboxPort): Promise<string> {
  const result = await sandbox.run(pkg, { signal: new AbortController().signal });
  assert.equal(result.kind, "ok");
  return new TextDecoder().decode((result as { output: Uint8Array }).output);
}

function temporaryFolder(context: { after(clean: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "quorate-devnet-test-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("the wrapper spoils as many answers as it is told, also across a restart, and no more", async (context) => {
  const counter = join(temporaryFolder(context), "spoilt");
  const first = corruptSandbox(honestSandbox("42\n"), 2, counter);
  assert.notEqual(await outputOf(first), "42\n");
  const restarted = corruptSandbox(honestSandbox("42\n"), 2, counter);
  assert.notEqual(await outputOf(restarted), "42\n");
  assert.equal(await outputOf(restarted), "42\n");
});

test("a spoilt answer is as long as the right one: wrong, not absent", async (context) => {
  const counter = join(temporaryFolder(context), "spoilt");
  const spoilt = await outputOf(corruptSandbox(honestSandbox("42\n"), 1, counter));
  assert.equal(spoilt.length, 3);
});

function observedJob(): ObservedJob {
  const request = buildRequest({ seats: 2, quorum: 2, bond: 200n, carrierFee: 5n });
  const places = [1, 2].map((index) => ({ provider: testAddress(index), price: BigInt(100 * index) }));
  return {
    facts: {
      jobId: testHash(1),
      request,
      terms: { ...request, spares: 0, places },
      keyWraps: [],
      openedAt: 1,
      commitments: [],
      committed: [0, 1],
      declined: [],
      promotions: [],
      lastCommitAt: 2,
      lastDeclineAt: 0,
      openings: [{ place: 0, outcome: 1, resultHash: testHash(2) }],
      bySet: false,
      settled: {
        status: JobStatus.Inconclusive,
        outcome: 0,
        resultHash: testHash(0),
        carrier: testAddress(1),
        refunded: 390n,
        burnt: 200n,
        results: [
          { verdict: Verdict.Undecided, paid: 10n },
          { verdict: Verdict.Late, paid: 0n },
        ],
        settledAt: 9,
      },
    },
    transactions: [
      { hash: testHash(3), from: testAddress(1), block: 7, gasUsed: 100n, events: ["JobOpened"] },
      { hash: testHash(4), from: testAddress(1), block: 9, gasUsed: 50n, events: ["JobSettled"] },
    ],
  };
}

test("the money of a job adds up: escrow and late bonds go to providers, carrier, requester, fire", () => {
  const { facts } = observedJob();
  assert.ok(facts.settled);
  const flow = moneyOf({ ...facts, settled: facts.settled });
  assert.deepEqual(flow, {
    escrow: 405n,
    lateBonds: 200n,
    quarantined: 0n,
    paid: 10n,
    carrierFee: 5n,
    refunded: 390n,
    burnt: 200n,
  });
  assert.equal(flow.escrow + flow.lateBonds, flow.paid + flow.carrierFee + flow.refunded + flow.burnt);
});

test("the summary of a job names statuses and counts transactions, gas and blocks", () => {
  const summary = summarizeJob("try", observedJob());
  assert.equal(summary.status, "Inconclusive");
  assert.equal(summary.outcome, "None");
  assert.deepEqual(summary.seats, [
    { provider: testAddress(1), role: "seat", status: "Undecided", paid: "10" },
    { provider: testAddress(2), role: "seat", status: "Late", paid: "0" },
  ]);
  assert.deepEqual([summary.transactions, summary.gas, summary.blocks], [2, 150, 3]);
});

test("money is told with cents, and with every digit that it has", () => {
  assert.equal(formatMoney(5_000_000n), "$5.00");
  assert.equal(formatMoney(1_234_560n), "$1.23456");
  assert.equal(formatMoney(0n), "$0.00");
});

test("the narrative names who was paid what, and what became of bonds", () => {
  const out = new PassThrough();
  const narrator = createNarrator(out, (account) => (account === testAddress(1) ? "One" : "Two"));
  narrator.end(observedJob(), "try");
  const text = String(out.read());
  assert.match(text, /Inconclusive by One; 2 transactions, 150 gas/);
  assert.match(text, /One +seat +Undecided/);
  assert.match(text, /Two +seat +Late .*burnt/);
});

test("every story says who must come out how, and its places fit its offers", () => {
  for (const { name, wishes, verdicts, offers } of stories) {
    const places = (wishes.seats ?? 0) + (wishes.spares ?? 0) + (wishes.shadows ?? 0);
    assert.equal(Object.keys(verdicts).length, places, name);
    assert.ok(places <= offers, name);
  }
  assert.equal(new Set(stories.map(({ name }) => name)).size, stories.length);
});

test("an actor ends with everything it started, and what it printed stays in its log", async (context) => {
  const folder = temporaryFolder(context);
  const main = join(folder, "main.mjs");
  writeFileSync(
    main,
    `import { spawn } from "node:child_process";
     const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
     console.log("child " + child.pid);
     process.on("SIGTERM", () => {});
     setInterval(() => {}, 1000);`,
  );
  const actor = startActor({ name: "stubborn", main, args: [], logFile: join(folder, "log") });
  const child = Number(await waitForLine(actor, "child ", 20_000));
  const exit = await actor.stop(200);
  assert.equal(exit.signal, "SIGKILL");
  await until(() => !existsSync(`/proc/${child}`), { timeoutMs: 10_000 });
});

test("an actor that ends before it is ready is named with the end of its log", async (context) => {
  const folder = temporaryFolder(context);
  const main = join(folder, "main.mjs");
  writeFileSync(main, "console.log('no luck today'); process.exit(3);");
  const actor = startActor({ name: "short-lived", main, args: [], logFile: join(folder, "log") });
  const error = await assertCode(() => waitForLine(actor, "ready", 20_000), "ACTOR_NOT_READY");
  assert.match(error.message, /short-lived.*no luck today/s);
});

test("a folder that no local market made is not touched", async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "precious"), "");
  await assertCode(() => startLocalMarket({ folder, port: 1, blockTimeMs: 1_000, onStep: () => {} }), "DEVNET_FOLDER");
  assert.ok(existsSync(join(folder, "precious")));
});

test("a folder in which another market runs is refused", async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "pid"), String(process.ppid));
  await assertCode(() => startLocalMarket({ folder, port: 1, blockTimeMs: 1_000, onStep: () => {} }), "DEVNET_RUNNING");
});
