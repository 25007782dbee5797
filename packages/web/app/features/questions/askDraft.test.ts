import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AttributeDefinition, DatasetDefinition } from "@quorate/proofs";
import {
  type AskDraft,
  asOfDay,
  draftedStatement,
  emptyDraft,
  exampleClauses,
  relations,
  type Topic,
  tidyNumber,
  topicsOf,
} from "./askDraft.ts";

const now = Date.parse("2026-11-23T10:00:00Z") / 1000;
const income: AttributeDefinition = { name: "income", unit: "EUR", scale: 2, signed: false, description: "A year" };
const definition: DatasetDefinition = {
  version: 1,
  name: "payroll",
  history: false,
  attributes: [income],
  scorecards: [
    {
      name: "credit",
      description: "",
      fields: [income, { ...income, name: "debt" }, { ...income, name: "score", unit: "", scale: 0 }],
    },
  ],
};
const [attribute, scorecard] = topicsOf(definition) as [Topic, Extract<Topic, { kind: "scorecard" }>];
const of = (change: Partial<AskDraft>, topic: Topic = attribute) =>
  draftedStatement({ ...emptyDraft, ...change }, topic, { now, history: false });

describe("a draft", () => {
  test("of each relation says in words what it will ask", () => {
    for (const { id, label } of relations) {
      const { words = "" } = of({ relation: id, value: "100,000", high: "120 000.5" });
      assert.match(
        words,
        /^income is .*100,000 .*EUR on 2026-11-23$|^income is .*120,000\.5 EUR on 2026-11-23$/,
        label,
      );
    }
  });

  test("that is not finished says what is missing, and is not called wrong", () => {
    for (const draft of [of({}), of({ relation: "between", value: "1" }), of({}, scorecard)]) {
      assert.equal(draft.statement, undefined);
      assert.equal(draft.isUnfinished, true);
      assert.notEqual(draft.problem, "");
    }
  });

  test("that says nothing, loses digits or is about a wrong day is refused in words", () => {
    for (const [change, words] of [
      [{ value: "0" }, /says nothing about anybody/],
      [{ relation: "between", value: "5", high: "4" }, /range is empty/],
      [{ value: "1.234" }, /digits would be lost/],
      [{ value: "-5" }, /no negative values/],
      [{ value: "many" }, /no plain decimal/],
      [{ value: "5", day: "2026-11-20" }, /about the last day only/],
    ] as const) {
      const drafted = of(change);
      assert.equal(drafted.isUnfinished, false);
      assert.match(drafted.problem ?? "", words);
    }
  });

  test("about yesterday, today and tomorrow is answered for at any hour of the day", () => {
    for (const hour of ["00:00:01", "12:00:00", "23:59:59"]) {
      const time = Date.parse(`2026-11-23T${hour}Z`) / 1000;
      for (const day of ["2026-11-22", "2026-11-23", "2026-11-24"]) {
        const drafted = draftedStatement({ ...emptyDraft, value: "5", day }, attribute, { now: time, history: false });
        assert.match(drafted.words ?? drafted.problem ?? "", new RegExp(`on ${day}$`));
      }
    }
    assert.equal(asOfDay("", now), now);
  });

  test("of a scorecard begins with an example that can be asked", () => {
    const clauses = exampleClauses(scorecard.scorecard);
    const { words } = of({ clauses, cutoff: String(clauses.length) }, scorecard);
    assert.equal(
      words,
      "in credit, all of (0.36 × income (EUR) − debt (EUR) is at least 0) and (score is at least 700) hold on 2026-11-23",
    );
    for (const count of [1, 2]) {
      const smaller = { ...scorecard.scorecard, fields: scorecard.scorecard.fields.slice(0, count) };
      const example = exampleClauses(smaller);
      const topic: Topic = { id: "1", kind: "scorecard", scorecard: smaller };
      assert.notEqual(of({ clauses: example, cutoff: "1" }, topic).statement, undefined);
    }
  });
});

test("a number gets its separators while it is typed, and stays what it is", () => {
  assert.deepEqual(["1234567.50", "12", "-1000", "1,2345", "", "1.", "ab"].map(tidyNumber), [
    "1,234,567.50",
    "12",
    "-1,000",
    "12,345",
    "",
    "1.",
    "ab",
  ]);
});
