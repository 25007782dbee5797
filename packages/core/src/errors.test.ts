import assert from "node:assert/strict";
import { test } from "node:test";
import { FatalError, isQuorateError, QuorateError, RetryableError } from "./errors.ts";

test("an error carries code, cause, page and details, and the name of its class", () => {
  const cause = new Error("below");
  const error = new FatalError("BROKEN", "It broke.", { cause, docsPath: "a.md", details: { seat: 2 } });
  assert.equal(error.code, "BROKEN");
  assert.equal(error.name, "FatalError");
  assert.equal(error.cause, cause);
  assert.equal(error.docsPath, "a.md");
  assert.deepEqual(error.details, { seat: 2 });
});

test("an error without a cause has none", () => {
  assert.equal("cause" in new RetryableError("LATER", "Later."), false);
});

test("isQuorateError tells kind and code", () => {
  assert.equal(isQuorateError(new QuorateError("A", "a")), true);
  assert.equal(isQuorateError(new RetryableError("A", "a"), "A"), true);
  assert.equal(isQuorateError(new RetryableError("A", "a"), "B"), false);
  assert.equal(isQuorateError(new Error("A")), false);
});
