import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { answerSentence, isOver, questionSteps, refusalWords, stageWords } from "./words.ts";

const STAGES = [
  "prepared",
  "sent",
  "refused",
  "quoted",
  "asking",
  "lapsed",
  "pending",
  "overdue",
  "answered",
  "expired",
] as const;

describe("the way of a question", () => {
  test("has words for each stage, and stands at one step until it is answered", () => {
    for (const stage of STAGES) {
      assert.notEqual(stageWords(stage).next, "");
      const states = questionSteps(stage).map(({ state }) => state);
      const at = states.filter((state) => state === "current" || state === "failed");
      assert.equal(at.length, stage === "answered" ? 0 : 1, stage);
      assert.equal(states.includes("failed"), isOver(stage) && stage !== "answered", stage);
    }
  });

  test("that lapsed tells whether it waited for consent or for payment", () => {
    const failedAt = (hasQuote: boolean): number =>
      questionSteps("lapsed", hasQuote).findIndex(({ state }) => state === "failed");
    assert.deepEqual([failedAt(false), failedAt(true)], [1, 3]);
  });
});

test("an answer is a sentence that cannot be taken for its opposite", () => {
  assert.equal(answerSentence(true, "income is at least 5 EUR"), "Yes: income is at least 5 EUR.");
  assert.equal(answerSentence(false, "income is at least 5 EUR"), "No: it is not true that income is at least 5 EUR.");
});

test("each refusal of the subject's client has words of its own", () => {
  const catalogue = readFileSync(new URL("../../../../../docs/guides/errors.md", import.meta.url), "utf8");
  const codes = new Set(catalogue.match(/CONSENT_REFUSED_[A-Z_]+/g));
  assert.ok(codes.size > 8);
  const titles = [...codes].map((code) => refusalWords(code)?.title);
  assert.deepEqual(titles.includes(undefined), false, [...codes].join(" "));
  assert.equal(new Set(titles).size, codes.size);
});
