// The market of `npm start` as a thing that runs: what it starts ends with it, however it ends.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "@quorate/testkit";
import { freePorts } from "../support/free-ports.ts";

const cli = fileURLToPath(new URL("../../../packages/cli/bin/quorate.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quorate-stay-up-"));
const market = join(folder, "market");

/** Markets that a test started; one that a failed test left would keep this file from ending. */
const running: ChildProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
  await until(() => processesOf(market).length === 0, { timeoutMs: 30_000, what: "the end of every process" });
});
after(() => rmSync(folder, { recursive: true, force: true }));

type Run = { readonly child: ChildProcess; readonly text: () => string; readonly exit: Promise<number | null> };

function start(...args: string[]): Run {
  const child = spawn(process.execPath, [cli, "devnet", "start", "--no-stories", "--folder", market, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  return { child, text: () => text, exit: new Promise((resolve) => child.on("exit", resolve)) };
}

/** Processes whose command line names the folder of the market. */
function processesOf(path: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(path);
      } catch {
        return false;
      }
    })
    .map(Number);
}

test("a market stays up, refuses a second one beside it, and Ctrl-C ends every process", async () => {
  const port = String(await freePorts(6));
  const first = start("--port", port);
  await until(() => /the market stays up/.test(first.text()) || first.child.exitCode !== null, { timeoutMs: 240_000 });
  assert.match(first.text(), /the market stays up/);
  assert.ok(processesOf(market).length >= 8, "relays, organizations and requester are processes of their own");

  const second = start("--port", String(await freePorts(6)));
  assert.equal(await second.exit, 3, second.text());
  assert.match(second.text(), /DEVNET_RUNNING/);

  first.child.kill("SIGINT");
  assert.equal(await first.exit, 0);
  await until(() => processesOf(market).length === 0, { timeoutMs: 20_000 });
  assert.equal(existsSync(join(market, "pid")), false);
});

test("a market that was killed leaves no process behind, and the next start begins clean and says so", async () => {
  const port = String(await freePorts(6));
  const killed = start("--port", port);
  await until(() => /starting the requester/.test(killed.text()), { timeoutMs: 240_000 });
  killed.child.kill("SIGKILL");
  await killed.exit;
  await until(() => processesOf(market).length === 0, { timeoutMs: 30_000 });

  const next = start("--port", port);
  await until(() => /starting two relays/.test(next.text()), { timeoutMs: 240_000 });
  assert.match(next.text(), /starting clean: what an earlier local market left is removed/);
  next.child.kill("SIGINT");
  await next.exit;
  await until(() => processesOf(market).length === 0, { timeoutMs: 20_000 });
});

test("a busy port is named together with the option that chooses another", async () => {
  const port = await freePorts(6);
  const squatter = createServer().listen(port, "127.0.0.1");
  try {
    const run = start("--port", String(port));
    assert.notEqual(await run.exit, 0);
    assert.match(run.text(), new RegExp(`PORT_IN_USE.*${port}.*--port`, "s"));
  } finally {
    squatter.close();
  }
});
