import assert from "node:assert/strict";
import { isQuorateError, type QuorateError } from "@quorate/core";

/**
 * Asserts that something fails with a code, and returns the error for more assertions.
 *
 * @param failing A promise, or a function that throws or returns one.
 * @param code Expected code of the {@link QuorateError}.
 * @throws AssertionError when it succeeds, throws something else, or another code.
 */
export async function assertCode(failing: Promise<unknown> | (() => unknown), code: string): Promise<QuorateError> {
  let thrown: unknown;
  try {
    await (typeof failing === "function" ? failing() : failing);
  } catch (error) {
    thrown = error;
  }
  if (thrown === undefined) assert.fail(`expected an error with code ${code}, but nothing failed`);
  assert.ok(isQuorateError(thrown), `expected a QuorateError with code ${code}, got ${describe(thrown)}`);
  assert.equal(thrown.code, code, `expected code ${code}, got ${describe(thrown)}`);
  return thrown;
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return `${isQuorateError(thrown) ? thrown.code : thrown.name}: ${thrown.message}`;
}
