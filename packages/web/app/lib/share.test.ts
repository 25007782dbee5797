import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { readShared, toLinkPart } from "./share.ts";

const json = { name: "Zoë – 100 €", list: [1, "2", null], nested: { a: true } };

test("what is put into a link is read back from the part, the link, and as text", () => {
  const part = toLinkPart(json);
  assert.match(part, /^[A-Za-z0-9_-]+$/);
  for (const text of [part, `https://example.test/app/#/check/${part}`, `  ${JSON.stringify(json)}\n`]) {
    assert.deepEqual(readShared(text, "a receipt"), json);
  }
});

test("what is nothing of that is refused in words", async () => {
  for (const text of ["", "   ", "hello", "{", "https://example.test/#/check/", "x".repeat(1_000_001)]) {
    await assertCode(() => readShared(text, "a receipt"), "SHARED_TEXT_INVALID");
  }
});
