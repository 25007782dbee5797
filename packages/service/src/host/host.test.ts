import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { FatalError, isQuorateError } from "@quorate/core";
import { z } from "zod";
import { startHealthServer } from "./health.ts";
import { createLogger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import { loadPolicyFile, PolicyError, parsePolicy } from "./policy-file.ts";
import { endpointName, redact } from "./redact.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-host-"));
after(() => rmSync(directory, { recursive: true, force: true }));

test("secrets never reach a log, however deep, in whatever spelling, in errors and in URLs", () => {
  const lines: string[] = [];
  const secret = `0x${"ab".repeat(32)}`;
  const cause = new FatalError("X", "at https://user:hunter2@node.example/v3/0123456789abcdef?key=hunter2", {
    details: { password: "hunter2" },
  });
  const logger = createLogger({
    level: "debug",
    stream: { write: (line: string) => lines.push(line) },
    fields: { apiKey: "hunter2" },
  });
  logger.child({ private_key: secret }).warn("event", {
    privateKey: secret,
    "Private-Key": secret,
    nested: {
      list: [{ passphrase: "hunter2", packageKey: secret }],
      salt: secret,
      map: new Map([["mnemonic", "hunter2"]]),
    },
    raw: secret,
    error: new Error("failed\nRequest body: hunter2", { cause }),
    bytes: new Uint8Array(32).fill(171),
    amount: 10n ** 20n,
    jobId: "0x01",
    token: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
  });
  const [line = ""] = lines;
  assert.doesNotMatch(line, /hunter2|abab|0123456789abcdef/);
  const parsed = JSON.parse(line) as Record<string, unknown>;
  assert.equal(parsed.event, "event");
  assert.equal(parsed.level, "warn");
  assert.equal(parsed.amount, "100000000000000000000");
  assert.equal(parsed.token, "0x5FbDB2315678afecb367f032d93F642f64180aa3");
  assert.match(line, /node\.example/);
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  assert.deepEqual(redact(loop), { self: "[…]" });
  assert.equal(endpointName("https://mainnet.example/v3/secret"), "mainnet.example");
});

test("levels are honoured and the pretty form is one line an event", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "warn",
    format: "pretty",
    stream: { write: (line: string) => lines.push(line) },
  });
  logger.info("quiet");
  logger.error("loud", { why: "two words", n: 1 });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^\d\d:\d\d:\d\d ERROR loud why="two words" n=1\n$/);
});

test("a policy file may have comments; every problem is named with path, line and column", async () => {
  const schema = z.strictObject({
    price: z.string().regex(/^\d+$/),
    offers: z.strictObject({ live: z.number().int().positive() }),
  });
  const file = join(directory, "policy.json");
  writeFileSync(file, '{\n  // cheap\n  "price": "12",\n  "offers": { "live": 3, },\n}\n');
  assert.deepEqual(await loadPolicyFile(file, schema), { price: "12", offers: { live: 3 } });
  const problems = (text: string): [string, number, number][] => {
    try {
      parsePolicy(text, "p.json", schema);
    } catch (error) {
      assert.ok(error instanceof PolicyError && error.code === "POLICY_INVALID");
      return error.problems.map(({ path, line, column }) => [path, line, column]);
    }
    throw new Error("accepted");
  };
  assert.deepEqual(problems('{\n  "price": "x",\n  "offers": {\n    "live": 0\n  }\n}'), [
    ["price", 2, 12],
    ["offers.live", 4, 13],
  ]);
  assert.deepEqual(problems('{ "price": "1",\n "offers": {} }'), [["offers.live", 2, 12]]);
  assert.deepEqual(problems('{ "price": "1",\n "price": "2",\n "offers": {"live": 1} }'), [["price", 2, 2]]);
  assert.equal(problems('{\n "price": }')[0]?.[1], 2);
  assert.deepEqual(problems(""), [["", 1, 1]]);
  assert.deepEqual(problems('{ "price": "1", "offers": {"live": 1}, "__proto__": {"a": 1} }').length, 1);
  await assert.rejects(loadPolicyFile(join(directory, "none.json"), schema), (error) =>
    isQuorateError(error, "POLICY_MISSING"),
  );
});

test("health, readiness with named checks, and metrics are served on loopback", async () => {
  const metrics = createMetrics();
  metrics.counter("jobs_total", "Jobs", ["kind"]).inc({ kind: "won" }, 3);
  metrics.counter("jobs_total", "Jobs", ["kind"]).inc({ kind: "won" });
  metrics.gauge("lag_blocks", "Lag", [], () => 7);
  let up = true;
  const server = await startHealthServer({
    port: 0,
    metrics,
    info: { name: "test" },
    ready: {
      chain: () => ({ ok: up, detail: "block 5" }),
      relay: async () => {
        if (!up) throw new Error("no relay");
        return { ok: true };
      },
    },
  });
  const get = async (path: string, method = "GET") => {
    const response = await fetch(server.url + path, { method });
    return { status: response.status, text: await response.text() };
  };
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:/);
  assert.equal((await get("/health")).status, 200);
  assert.equal((await get("/ready")).status, 200);
  up = false;
  const down = await get("/ready");
  assert.equal(down.status, 503);
  assert.deepEqual(JSON.parse(down.text), {
    ok: false,
    checks: { chain: { ok: false, detail: "block 5" }, relay: { ok: false, detail: "no relay" } },
  });
  assert.match((await get("/metrics")).text, /quorate_jobs_total\{kind="won"\} 4[\s\S]*quorate_lag_blocks 7/);
  assert.equal((await get("/other")).status, 404);
  assert.equal((await get("/health", "POST")).status, 405);
  const { port } = new URL(server.url);
  await assert.rejects(startHealthServer({ port: Number(port), ready: {} }), (error) =>
    isQuorateError(error, "PORT_BUSY"),
  );
  await server.close();
  await assert.rejects(fetch(server.url));
});

/** A killed process stays listed until its new parent looks at it; it does not run any more. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
}

async function service(manner: string, ...signals: NodeJS.Signals[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("../testing/service-child.ts", import.meta.url)), manner],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child.stdout, "data");
  const closed = once(child, "close");
  for (const signal of signals) {
    child.kill(signal);
    // Two pending signals of one kind are one: let the first arrive.
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const [code] = (await closed) as [number | null];
  const pid = Number(output.split("\n")[0]);
  const deadline = Date.now() + 5000;
  while (isAlive(pid)) {
    assert.ok(Date.now() < deadline, "the service's child outlived it");
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { code, output };
}

test("the first signal ends a service in order, its children too, even those that ignore SIGTERM", async () => {
  const { code, output } = await service("clean", "SIGTERM");
  assert.equal(code, 0);
  assert.match(output, /clean/);
});

test("a second signal forces a service that hangs", async () => {
  assert.equal((await service("hang", "SIGINT", "SIGINT")).code, 130);
});

test("a service that throws ends with code 1 and takes its children along", async () => {
  assert.equal((await service("throw")).code, 1);
});
