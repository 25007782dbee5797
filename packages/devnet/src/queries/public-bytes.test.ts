import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { concatHex, hexToBytes, numberToHex } from "viem";
import { findLeaks, folderBytes, type PublicBytes, wordsOf } from "./public-bytes.ts";

const word = (value: bigint): `0x${string}` => numberToHex(value, { size: 32 });
const input = (...parts: readonly `0x${string}`[]): PublicBytes => ({
  where: "input of transaction 0x1",
  bytes: hexToBytes(concatHex(["0x12345678", ...parts])),
});
const text = (value: string): PublicBytes => ({ where: "relay", bytes: new TextEncoder().encode(value) });

test("a number is found as a word, also out of step, as decimals and as hex digits", () => {
  const canaries = [{ name: "income", value: 120_205n }];
  const forms = (...all: readonly PublicBytes[]): readonly string[] => findLeaks(all, canaries).map(({ form }) => form);
  assert.deepEqual(forms(input(word(1n), word(120_205n))), ["word"]);
  assert.deepEqual(forms(input("0xff", word(120_205n))), ["word"]);
  assert.deepEqual(forms(text('{"income":120205}')), ["decimal"]);
  assert.deepEqual(forms(text(`"${word(120_205n)}"`)), ["hex word"]);
});

test("a number within a longer one is no finding, nor is a number of few digits", () => {
  assert.deepEqual(findLeaks([text("1120205"), text("1202050")], [{ name: "income", value: 120_205n }]), []);
  assert.deepEqual(findLeaks([text("score 720")], [{ name: "score", value: 720n }]), []);
});

test("text is found as it is, in hex and in base64", () => {
  const canaries = [{ name: "name", value: "NADIA PARK" }];
  assert.deepEqual(findLeaks([text('"NADIA PARK"')], canaries), [{ canary: "name", form: "text", where: "relay" }]);
  assert.equal(findLeaks([text(Buffer.from("NADIA PARK").toString("hex"))], canaries)[0]?.form, "hex");
  assert.equal(findLeaks([text(Buffer.from("NADIA PARK!").toString("base64"))], canaries)[0]?.form, "base64");
});

test("words are those of inputs after the selector and of logs from their start", () => {
  const log = { where: "log of transaction 0x1", bytes: hexToBytes(concatHex([word(7n), word(8n)])) };
  assert.deepEqual([...wordsOf([input(word(5n), word(6n)), log])], [5n, 6n, 7n, 8n]);
});

test("every file of a folder is read, in folders as well", () => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-bytes-"));
  try {
    writeFileSync(join(folder, "messages.db"), "secret income 120205");
    assert.equal(findLeaks(folderBytes(folder), [{ name: "income", value: 120_205n }]).length, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
