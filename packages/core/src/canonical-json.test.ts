import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode } from "@quorate/testkit";
import fc from "fast-check";
import { canonicalJson } from "./canonical-json.ts";

test("numbers, strings and order are those of RFC 8785, section 3.2.2 and 3.2.3", () => {
  const value = {
    numbers: [JSON.parse("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  };
  assert.equal(
    canonicalJson(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test("members are sorted by UTF-16 code units", () => {
  const members = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
  const sorted = JSON.parse(canonicalJson(Object.fromEntries(members.map((name, index) => [name, index]))));
  const order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
  assert.deepEqual(
    [...canonicalJson(Object.fromEntries(members.map((name) => [name, 0]))).matchAll(/"((?:[^"\\]|\\.)*)":/g)].map(
      (match) => JSON.parse(`"${match[1]}"`),
    ),
    order,
  );
  assert.equal(Object.keys(sorted).length, 7);
});

test("members without a value are left out, minus zero is zero", () => {
  assert.equal(canonicalJson({ b: undefined, a: -0 }), '{"a":0}');
});

test("what is no JSON is refused", async () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  for (const value of [
    1n,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    undefined,
    () => 1,
    "\ud800",
    new Date(),
    new Map(),
    cyclic,
  ]) {
    await assertCode(() => canonicalJson(value), "NOT_CANONICAL_JSON");
  }
});

test("equal values give equal text, and the text gives the value back", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(JSON.parse(text)), text);
    }),
    { seed: 3, numRuns: 300 },
  );
});
