import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judge, parts } from "./verify-contracts.ts";

describe("verify:contracts", () => {
  it("knows seven parts", () => {
    const names = ["attacks", "coverage", "differential", "formal", "fuzz", "invariants", "mutation"];
    assert.deepEqual(Object.keys(parts).sort(), names);
  });

  it("is content with what the parts have to reach", () => {
    assert.deepEqual(judge("attacks", { tests: 90, failed: 0 }), []);
    assert.deepEqual(judge("invariants", { count: 40, callsEach: 131_072, failed: 0 }), []);
    assert.deepEqual(judge("formal", { proved: 12, unknown: 0, failed: 0 }), []);
    assert.deepEqual(judge("mutation", { mutants: 200, killed: 190, findings: 0 }), []);
    assert.deepEqual(judge("coverage", { lines: 100, statements: 100, branches: 100 }), []);
  });

  it("names what falls short, one by one", () => {
    assert.deepEqual(judge("attacks", undefined), ["attacks: did not come to its end"]);
    assert.deepEqual(judge("formal", { proved: 11, unknown: 1, failed: 0 }), [
      "formal: not proved at least 12",
      "formal: not no unknown",
    ]);
    assert.deepEqual(judge("mutation", { mutants: 200, killed: 189, findings: 0 }), ["mutation: not 95 % killed"]);
    assert.deepEqual(judge("coverage", { lines: 100, statements: 100, branches: 99.9 }), [
      "coverage: not branches at least 100",
    ]);
  });
});
