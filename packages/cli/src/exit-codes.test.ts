import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FatalError, isQuorateError, QuorateError, RetryableError } from "@quorate/core";
import { ExitCode, exitCodeOf, Interrupted, withCode } from "./exit-codes.ts";

const cases: readonly [ExitCode, unknown][] = [
  [ExitCode.Usage, new FatalError("USAGE_AMOUNT", "")],
  [ExitCode.Usage, new FatalError("CONFIG_NO_NETWORK", "")],
  [ExitCode.Usage, new FatalError("INVALID_REQUEST_SEATS", "")],
  [ExitCode.Usage, new FatalError("KEYSTORE_OPEN_TO_OTHERS", "")],
  [ExitCode.Usage, new FatalError("KEY_STORE_DAMAGED", "")],
  [ExitCode.Usage, new FatalError("PASSPHRASE_WRONG", "")],
  [ExitCode.Usage, new FatalError("FILE_EXISTS", "")],
  [ExitCode.Usage, new FatalError("TRUST_POLICY_INVALID", "")],
  [ExitCode.Retryable, new RetryableError("NODE_UNREACHABLE", "")],
  [ExitCode.Retryable, new FatalError("ALREADY_RUNNING", "")],
  [ExitCode.Retryable, new QuorateError("PORT_IN_USE", "")],
  [ExitCode.Refused, new FatalError("JOB_UNKNOWN", "")],
  [ExitCode.Refused, new QuorateError("INSUFFICIENT_FREE", "")],
  [ExitCode.NoResult, new FatalError("JOB_INCONCLUSIVE", "")],
  [ExitCode.NoResult, new FatalError("JOB_REPORTED", "")],
  [ExitCode.NoResult, new RetryableError("RESULT_NOT_DELIVERED", "")],
  [ExitCode.Usage, new FatalError("CONSENT_REQUEST_INVALID", "")],
  [ExitCode.Usage, new FatalError("STATEMENT_VACUOUS", "")],
  [ExitCode.Refused, new FatalError("CANNOT_ANSWER", "")],
  [ExitCode.Refused, new FatalError("CONSENT_REFUSED_PERSON", "")],
  [ExitCode.Refused, new FatalError("RECEIPT_STALE", "")],
  [ExitCode.Retryable, new RetryableError("QUERY_PENDING", "")],
  [ExitCode.NoResult, new FatalError("QUERY_EXPIRED", "")],
  [ExitCode.Interrupted, new Interrupted("")],
  [ExitCode.Unexpected, new TypeError("x is not a function")],
  [ExitCode.Unexpected, "a string"],
];

for (const [expected, error] of cases) {
  const name = isQuorateError(error) ? error.code : String(error);
  test(`${name} ends with ${expected}`, () => assert.equal(exitCodeOf(error), expected));
}

test("an error of the file system gets a code, names the path and exits as usage", () => {
  let thrown: unknown;
  try {
    readFileSync("/dev/null/none");
  } catch (error) {
    thrown = withCode(error);
  }
  assert.ok(isQuorateError(thrown, "FILE_UNUSABLE"));
  assert.match((thrown as Error).message, /^\/dev\/null\/none cannot be used: a part of the path is not a directory/);
  assert.equal(exitCodeOf(thrown), ExitCode.Usage);
});

test("an error without a path stays what it is, and so does one with a code", () => {
  const plain = new TypeError("no");
  assert.equal(withCode(plain), plain);
  const known = new FatalError("JOB_UNKNOWN", "");
  assert.equal(withCode(known), known);
});
