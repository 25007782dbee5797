import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode } from "@quorate/testkit";
import fc from "fast-check";
import { pad, sizeClass, unpad } from "./padding.ts";

test("size classes are eighths of powers of two", () => {
  assert.deepEqual(
    [1, 1_024, 1_025, 1_152, 1_153, 2_047, 2_048, 2_049].map((size) => sizeClass(size, 1_024)),
    [1_024, 1_024, 1_152, 1_152, 1_280, 2_048, 2_048, 2_304],
  );
  assert.equal(sizeClass(2 ** 27, 4_096), 2 ** 27);
});

test("a class is never below its size nor more than an eighth above, and classes do not fall", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_025, max: 2 ** 30 }), (size) => {
      const padded = sizeClass(size, 1_024);
      assert.ok(padded >= size && padded < size * 1.126);
      assert.equal(sizeClass(padded, 1_024), padded);
      assert.ok(sizeClass(size - 1, 1_024) <= padded);
    }),
    { seed: 4 },
  );
});

test("padding is undone", () => {
  for (const length of [0, 1, 1_015, 1_016, 1_017, 5_000]) {
    const content = new Uint8Array(length).fill(9);
    assert.deepEqual(unpad(pad(content, 1_024), 1_024), content);
  }
});

test("every other padding is refused", async () => {
  const good = pad(new Uint8Array(10), 1_024);
  const marked = good.slice();
  marked[1_023] = 1;
  const long = good.slice();
  long[0] = 1;
  const wide = new Uint8Array(1_152);
  wide.set(good);
  for (const bytes of [marked, long, wide, good.slice(0, 1_000), new Uint8Array(7)]) {
    await assertCode(() => unpad(bytes, 1_024), "PADDING_MALFORMED");
  }
});
