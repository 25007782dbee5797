import assert from "node:assert/strict";
import { test } from "node:test";
import { FatalError, RetryableError } from "@quorate/core";
import { createOutput, type OutputOptions, toJson } from "./output.ts";

function streams(isTTY: boolean, options: Partial<OutputOptions> = {}) {
  const out: (string | Uint8Array)[] = [];
  const err: string[] = [];
  const output = createOutput({
    json: false,
    stdout: { isTTY, write: (text) => out.push(text) },
    stderr: { isTTY, write: (text) => err.push(String(text)) },
    ...options,
  });
  return { output, out, err };
}

test("with json, standard output gets one line and everything else goes to standard error", () => {
  const { output, out, err } = streams(true, { json: true });
  output.step("first");
  output.progress("waiting");
  output.warn("careful");
  output.result({ amount: 5n, bytes: new Uint8Array([1, 255]) }, ["for people"]);
  assert.deepEqual(out, ['{"amount":"5","bytes":"0x01ff"}\n']);
  assert.deepEqual(err, ["• first\n", "… waiting\n", "! careful\n"]);
});

test("without a terminal there are plain lines, and a progress that repeats is said once", () => {
  const { output, out, err } = streams(false);
  output.progress("waiting");
  output.progress("waiting");
  output.progress("nearly");
  output.result({}, ["done", "next"]);
  assert.deepEqual(out, ["done\n", "next\n"]);
  assert.deepEqual(err, ["… waiting\n", "… nearly\n"]);
});

test("on a terminal progress overwrites its line, and steps begin on a clean one", () => {
  const { output, err } = streams(true, { colours: false });
  output.progress("one");
  output.progress("two");
  output.step("reached");
  assert.deepEqual(err, ["… one", "\r\u001b[2K", "… two", "\r\u001b[2K", "• reached\n"]);
});

test("colours are there on a terminal and absent where they are not wanted", () => {
  const coloured = streams(true);
  coloured.output.step("x");
  assert.ok(coloured.err.join("").startsWith("\u001b[32m"));
  const plain = streams(true, { colours: false });
  plain.output.step("x");
  assert.equal(plain.err.join(""), "• x\n");
});

test("an error shows code, message, causes and where to read on", () => {
  const { output, out, err } = streams(false);
  const cause = new RetryableError("NODE_UNREACHABLE", "No answer.", { cause: new Error("ECONNREFUSED\nat x") });
  output.failure(new FatalError("JOB_UNKNOWN", "No such job.", { cause, docsPath: "guides/cli.md" }));
  assert.deepEqual(out, []);
  assert.equal(
    err.join(""),
    "JOB_UNKNOWN: No such job.\n  because: NODE_UNREACHABLE: No answer.\n  because: ECONNREFUSED\n  see: docs/guides/cli.md\n",
  );
});

test("with json an error is the one line, with details; after a result it goes to standard error", () => {
  const first = streams(false, { json: true });
  first.output.failure(new FatalError("JOB_FAILED", "It failed.", { details: { exitCode: 3 } }));
  assert.deepEqual(first.out, ['{"error":{"code":"JOB_FAILED","message":"It failed.","details":{"exitCode":3}}}\n']);
  const later = streams(false, { json: true });
  later.output.result({ url: "http://127.0.0.1:1" }, []);
  later.output.failure(new FatalError("X", "y"));
  assert.equal(later.out.length, 1);
  assert.deepEqual(later.err, ['{"error":{"code":"X","message":"y"}}\n']);
});

test("an error nobody foresaw is called a defect and shows no stack", () => {
  const { output, err } = streams(false);
  output.failure(new TypeError("boom\n    at secret (file.ts:1)"));
  assert.equal(err.join(""), "UNEXPECTED: boom This is a defect: please report it with the command that led here.\n");
});

test("JSON of the market's values has strings for amounts, hex for bytes, objects for maps, lists for sets", () => {
  assert.equal(
    toJson({ a: 2n ** 80n, b: new Uint8Array([0]), c: new Map([["k", 1n]]), d: new Set([1]) }),
    '{"a":"1208925819614629174706176","b":"0x00","c":{"k":"1"},"d":[1]}',
  );
});
