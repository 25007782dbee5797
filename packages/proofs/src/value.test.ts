import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertCode } from "@quorate/testkit";
import fc from "fast-check";
import { INCOME } from "./testing/fixture.ts";
import { decodeValue, encodeValue } from "./value.ts";

const BALANCE = { ...INCOME, name: "balance", signed: true };

describe("values", () => {
  test("decimals become whole numbers of the smallest part, with their unit or without", () => {
    assert.equal(encodeValue("52000.5", INCOME), 5_200_050n);
    assert.equal(encodeValue("52000.50 EUR", INCOME), 5_200_050n);
    assert.equal(encodeValue("1.2300", INCOME), 123n);
    assert.equal(encodeValue("0", BALANCE), 1n << 63n);
    assert.equal(encodeValue("-0.01", BALANCE), (1n << 63n) - 1n);
    assert.equal(encodeValue("-0", INCOME), 0n);
  });

  test("both ends of the range fit and what lies beyond does not", async () => {
    assert.equal(encodeValue("184467440737095516.15", INCOME), (1n << 64n) - 1n);
    assert.equal(encodeValue("-92233720368547758.08", BALANCE), 0n);
    assert.equal(encodeValue("92233720368547758.07", BALANCE), (1n << 64n) - 1n);
    for (const [text, definition] of [
      ["184467440737095516.16", INCOME],
      ["92233720368547758.08", BALANCE],
      ["-92233720368547758.09", BALANCE],
    ] as const) {
      assert.match((await assertCode(() => encodeValue(text, definition), "VALUE_INVALID")).message, /64 bits/);
    }
  });

  for (const [name, text, words] of [
    ["lost digits", "1.234", /3 decimal places and the attribute keeps 2/],
    ["another unit", "100 USD", /in "USD", the attribute is in EUR/],
    ["negative values where there are none", "-1", /no negative values/],
    ["separators", "100,000", /no plain decimal/],
    ["exponents", "1e5", /no plain decimal/],
    ["hex", "0x10", /no plain decimal/],
    ["leading zeros", "007", /no plain decimal/],
    ["nothing", "", /no plain decimal/],
    ["two points", "1.2.3", /no plain decimal/],
    ["digits that are not ASCII", "١٢", /no plain decimal/],
    ["endless digits", "9".repeat(100), /no plain decimal/],
  ] as const) {
    test(`${name} are refused`, async () => {
      assert.match((await assertCode(() => encodeValue(text, INCOME), "VALUE_INVALID")).message, words);
    });
  }

  test("every encoded value reads back", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.nat(18), fc.boolean(), (value, scale, signed) => {
        const definition = { ...INCOME, scale, signed };
        assert.equal(encodeValue(decodeValue(value, definition), definition), value);
      }),
    );
  });

  test("a number that is no value is not decoded", async () => {
    await assertCode(() => decodeValue(1n << 64n, INCOME), "VALUE_INVALID");
    await assertCode(() => decodeValue(-1n, INCOME), "VALUE_INVALID");
  });
});
