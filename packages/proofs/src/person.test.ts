import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { keccak256, toBytes } from "viem";
import { personOf } from "./person.ts";

const PAPERS = { name: "Zoë van der Berg", birthDate: "1990-02-28", documentNumber: "NL-123 456" };

test("a person is the same however the papers are copied, and another one for other papers", () => {
  const person = personOf(PAPERS);
  const json = '{"birthDate":"1990-02-28","documentNumber":"NL123456","name":"ZO\u00cb VAN DER BERG"}';
  assert.equal(person, BigInt(keccak256(toBytes(json))) >> 8n);
  assert.equal(personOf({ ...PAPERS, name: "  ZOE\u0308   VAN DER berg ", documentNumber: "nl123456" }), person);
  assert.notEqual(personOf({ ...PAPERS, name: "Zoe van der Berg" }), person);
  assert.notEqual(personOf({ ...PAPERS, birthDate: "1990-02-27" }), person);
  assert.notEqual(personOf({ ...PAPERS, documentNumber: "NL123457" }), person);
  assert.ok(person >> 248n === 0n);
});

for (const [name, papers] of [
  ["no name", { ...PAPERS, name: " " }],
  ["no number", { ...PAPERS, documentNumber: "--" }],
  ["a day that was not", { ...PAPERS, birthDate: "1990-02-30" }],
  ["another form of date", { ...PAPERS, birthDate: "28.02.1990" }],
] as const) {
  test(`papers with ${name} are refused`, async () => {
    await assertCode(() => personOf(papers), "PAPERS_INVALID");
  });
}
