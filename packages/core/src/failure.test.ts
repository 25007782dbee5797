import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { decodeFailure, encodeFailure } from "./failure.ts";
import { FailureCause, nameOf } from "./job.ts";

test("a failure has five bytes and is read back", () => {
  assert.deepEqual(
    encodeFailure({ cause: FailureCause.NonZeroExit, exitCode: 0x01020304 }),
    Uint8Array.of(1, 1, 2, 3, 4),
  );
  assert.deepEqual(decodeFailure(Uint8Array.of(1, 255, 255, 255, 255)), {
    cause: FailureCause.NonZeroExit,
    exitCode: 2 ** 32 - 1,
  });
  for (const cause of Object.values(FailureCause)) {
    const failure = { cause, exitCode: cause === FailureCause.NonZeroExit ? 1 : 0 };
    assert.deepEqual(decodeFailure(encodeFailure(failure)), failure);
  }
});

test("only one encoding of a failure exists", async () => {
  for (const bytes of [[], [1, 0, 0, 0, 0], [2, 0, 0, 0, 1], [0, 0, 0, 0, 0], [7, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0]]) {
    await assertCode(() => decodeFailure(Uint8Array.from(bytes)), "FAILURE_MALFORMED");
  }
  await assertCode(() => encodeFailure({ cause: FailureCause.NonZeroExit, exitCode: 2 ** 32 }), "FAILURE_MALFORMED");
  await assertCode(() => encodeFailure({ cause: FailureCause.NonZeroExit, exitCode: -1 }), "FAILURE_MALFORMED");
});

test("values have names", () => {
  assert.equal(nameOf(FailureCause, 2), "Trap");
  assert.equal(nameOf(FailureCause, 99), "99");
});
