import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { classifyResult, drawableOf, endingOf, fieldWords, tableOf } from "./result.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a result is shown as what its bytes are", () => {
  it("an image by its first bytes, never by its name, and never SVG", () => {
    const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0);
    assert.deepEqual(classifyResult(png), { kind: "image", type: "image/png" });
    assert.equal(classifyResult(utf8("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")).kind, "text");
    assert.equal(classifyResult(utf8("BMW and others")).kind, "text");
  });

  it("JSON, text, bytes, nothing", () => {
    assert.equal(classifyResult(utf8('{"a":1}')).kind, "json");
    assert.equal(classifyResult(utf8("{not json")).kind, "text");
    assert.equal(classifyResult(utf8("42\n")).kind, "text");
    assert.equal(classifyResult(Uint8Array.of(0xff, 0xfe, 0)).kind, "binary");
    assert.equal(classifyResult(Uint8Array.of(0x61, 0, 0x62)).kind, "binary");
    assert.equal(classifyResult(new Uint8Array()).kind, "empty");
  });

  it("and is saved under an ending that fits", () => {
    assert.equal(endingOf(classifyResult(utf8("[1]"))), "json");
    assert.equal(endingOf({ kind: "image", type: "image/jpeg" }), "jpg");
    assert.equal(endingOf({ kind: "binary" }), "bin");
  });
});

describe("rows", () => {
  it("are found at the top and inside one object", () => {
    assert.deepEqual(tableOf([{ a: 1 }, { a: 2, b: "x" }])?.columns, ["a", "b"]);
    const inside = tableOf({ of: "MSFT", stocks: [{ symbol: "A", value: 1 }] });
    assert.equal(inside?.title, "stocks");
    assert.deepEqual(inside?.beside, [["of", "MSFT"]]);
  });

  it("are not made of what is no table", () => {
    assert.equal(tableOf([1, 2]), undefined);
    assert.equal(tableOf([]), undefined);
    assert.equal(tableOf({ a: [{ x: 1 }], b: [{ y: 1 }] }), undefined);
    assert.equal(tableOf("text"), undefined);
  });

  it("can be drawn when they have names and numbers", () => {
    const table = tableOf([
      { name: "a", value: 1, mixed: 1 },
      { name: "b", value: 2, mixed: "x" },
    ]);
    assert.ok(table !== undefined);
    assert.deepEqual(drawableOf(table), { label: "name", numbers: ["value"] });
    const single = tableOf([{ name: "a", value: 1 }]);
    assert.ok(single !== undefined);
    assert.equal(drawableOf(single), undefined);
  });
});

it("names of fields become words", () => {
  assert.equal(fieldWords("yearlyVolatility"), "yearly volatility");
  assert.equal(fieldWords("rain_days"), "rain days");
});
