import assert from "node:assert/strict";
import { test } from "node:test";
import { redeliveryPauseMs } from "./pause.ts";

test("requests for a result are looked for the more rarely the older the job, and at least once a minute", () => {
  assert.deepEqual([-5, 0, 100, 200, 1_200, 1e9].map(redeliveryPauseMs), [5_000, 5_000, 5_000, 10_000, 60_000, 60_000]);
});
