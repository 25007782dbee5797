import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckedReceipt, CheckVerdict } from "../../../src/receipt-check/index.ts";
import { headlineOf } from "./words.ts";

const checked = (verdict: CheckVerdict): CheckedReceipt => ({
  verdict,
  askerPresent: false,
  signals: [],
  steps: [{ id: "here", state: verdict === "refused" ? "refused" : "passed", title: "It was changed", words: "" }],
});

test("only an accepted receipt is called good without a doubt, and a refused one by its reason", () => {
  const tones = (["accepted", "untrusted", "unanchored", "unknown", "refused"] as const).map(
    (verdict) => headlineOf(checked(verdict)).tone,
  );
  assert.deepEqual(tones, ["good", "warn", "warn", "warn", "bad"]);
  assert.equal(headlineOf(checked("refused")).title, "The receipt is refused: it was changed");
});
