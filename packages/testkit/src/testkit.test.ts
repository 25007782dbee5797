import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRequest, encodePackage, FatalError } from "@quorate/core";
import { assertCode, buildPackage, buildRequest, fakeClock, recordingLogger, seededRandom, until } from "./index.ts";

test("assertCode fails when nothing fails, something else fails, or the code differs", async () => {
  await assert.rejects(assertCode(Promise.resolve(1), "A"), /nothing failed/);
  await assert.rejects(
    assertCode(() => {
      throw new TypeError("x");
    }, "A"),
    /TypeError: x/,
  );
  await assert.rejects(assertCode(Promise.reject(new FatalError("B", "b")), "A"), /expected code A, got B/);
  assert.equal((await assertCode(Promise.reject(new FatalError("A", "a")), "A")).message, "a");
});

test("the fake clock moves only when told", () => {
  const clock = fakeClock(1_000);
  clock.advance(5);
  assert.equal(clock.now(), 1_005);
  clock.set(0);
  assert.equal(clock.now(), 0);
});

test("until returns what it waited for, and fails after its deadline with the last cause", async () => {
  let looks = 0;
  assert.equal(await until(() => (++looks > 2 ? "there" : undefined), { everyMs: 1 }), "there");
  const failing = until(() => Promise.reject(new Error("why")), { timeoutMs: 5, everyMs: 1, what: "Godot" });
  await assert.rejects(
    failing,
    (error: Error) => /Godot/.test(error.message) && (error.cause as Error).message === "why",
  );
});

test("the recording logger keeps events of children with their fields", () => {
  const logger = recordingLogger();
  logger.child({ job: 1 }).warn("late", { seat: 2 });
  assert.deepEqual(logger.entries, [{ level: "warn", event: "late", fields: { job: 1, seat: 2 } }]);
});

test("seeded randomness repeats itself", () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return [random.integer(0, 1_000), random.pick(["a", "b", "c"]), ...random.bytes(3)];
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
});

test("what builders build is valid", () => {
  checkRequest(buildRequest());
  assert.ok(encodePackage(buildPackage()).length > 100);
});
