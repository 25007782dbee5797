import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { exclusively } from "./exclusive.ts";

const home = mkdtempSync(join(tmpdir(), "quorate-exclusive-"));
after(() => rmSync(home, { recursive: true, force: true }));
const never = new AbortController().signal;

test("two never run at the same time, the second is told that it waits, and both finish", async () => {
  let inside = 0;
  let most = 0;
  let waits = 0;
  const work = (): Promise<number> =>
    exclusively(home, { signal: never, onWait: () => waits++ }, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
      return most;
    });
  assert.deepEqual(await Promise.all([work(), work(), work()]), [1, 1, 1]);
  assert.ok(waits >= 1);
});

test("an error frees the lock", async () => {
  const options = { signal: never, onWait: () => assert.fail("nobody holds it") };
  await assert.rejects(
    exclusively(home, options, () => Promise.reject(new Error("broke"))),
    /broke/,
  );
  assert.equal(await exclusively(home, options, async () => 7), 7);
});

test("who waits too long gets STATE_BUSY, who is stopped stops waiting", async () => {
  await exclusively(home, { signal: never, onWait: () => {} }, async () => {
    await assertCode(
      exclusively(home, { signal: never, onWait: () => {}, patienceMs: 0 }, async () => assert.fail("runs beside")),
      "STATE_BUSY",
    );
    const controller = new AbortController();
    const stopped = exclusively(
      home,
      { signal: controller.signal, onWait: () => controller.abort(new Error("stopped")) },
      async () => assert.fail("runs beside"),
    );
    await assert.rejects(stopped, /stopped/);
  });
});

test("a folder in which no lock can be taken runs nothing", async () => {
  const other = mkdtempSync(join(home, "other-"));
  mkdirSync(join(other, "sending.lock"));
  const options = { signal: never, onWait: () => assert.fail("nobody holds it") };
  await assertCode(
    exclusively(other, options, async () => assert.fail("runs without a lock")),
    "FILE_UNUSABLE",
  );
});
