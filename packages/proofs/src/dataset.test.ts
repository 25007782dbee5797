import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { keccak256, toBytes } from "viem";
import { attributeOf, definitionHash, parseDatasetDefinition, schemaOf } from "./dataset.ts";
import { CARD, DATASET, INCOME } from "./testing/fixture.ts";

test("another meaning is another number, the order of members is not", () => {
  const numbers = [
    attributeOf(INCOME),
    attributeOf({ ...INCOME, name: "Yearly income" }),
    attributeOf({ ...INCOME, unit: "USD" }),
    attributeOf({ ...INCOME, scale: 0 }),
    attributeOf({ ...INCOME, signed: true }),
    attributeOf({ ...INCOME, description: "" }),
  ];
  assert.equal(new Set(numbers).size, numbers.length);
  const { name, unit, scale, signed, description } = INCOME;
  assert.equal(attributeOf({ description, signed, scale, unit, name }), numbers[0]);
  assert.ok(numbers.every((number) => number >> 248n === 0n));
});

test("an attribute's number is the hash of its canonical JSON", () => {
  const json =
    '{"description":"Gross income of the last calendar year","name":"yearly income","scale":2,"signed":false,"unit":"EUR"}';
  assert.equal(attributeOf(INCOME), BigInt(keccak256(toBytes(json))) >> 8n);
});

test("a schema has 152 bits and changes with each field and their order", () => {
  const [first, second, ...rest] = CARD.fields;
  assert.ok(first !== undefined && second !== undefined);
  const schemas = [
    schemaOf(CARD),
    schemaOf({ ...CARD, fields: [second, first, ...rest] }),
    schemaOf({ ...CARD, fields: [first, second] }),
    schemaOf({ ...CARD, name: "other" }),
  ];
  assert.equal(new Set(schemas).size, schemas.length);
  assert.ok(schemas.every((schema) => schema > 0n && schema >> 152n === 0n));
});

test("a definition reads back and keeps its hash", () => {
  const read = parseDatasetDefinition(JSON.parse(JSON.stringify(DATASET)));
  assert.deepEqual(read, DATASET);
  assert.equal(definitionHash(read), definitionHash(DATASET));
  assert.notEqual(definitionHash({ ...DATASET, history: true }), definitionHash(DATASET));
});

for (const [name, definition] of [
  ["unknown members", { ...DATASET, owner: "me" }],
  ["another version", { ...DATASET, version: 2 }],
  ["an attribute twice", { ...DATASET, attributes: [INCOME, { ...INCOME }] }],
  ["a field name twice", { ...DATASET, scorecards: [{ ...CARD, fields: [INCOME, { ...INCOME, unit: "USD" }] }] }],
  ["no fields", { ...DATASET, scorecards: [{ ...CARD, fields: [] }] }],
  [
    "nine fields",
    {
      ...DATASET,
      scorecards: [{ ...CARD, fields: Array.from({ length: 9 }, (_, n) => ({ ...INCOME, name: `f${n}` })) }],
    },
  ],
  ["a scale of 19", { ...DATASET, attributes: [{ ...INCOME, scale: 19 }] }],
  ["space around a name", { ...DATASET, attributes: [{ ...INCOME, name: "income " }] }],
  ["letters that are not composed", { ...DATASET, attributes: [{ ...INCOME, name: "re\u0301sume\u0301" }] }],
  ["control characters", { ...DATASET, attributes: [{ ...INCOME, unit: "E\u202eUR" }] }],
  ["no object", null],
] as const) {
  test(`a definition with ${name} is refused`, async () => {
    await assertCode(() => parseDatasetDefinition(definition), "DATASET_INVALID");
  });
}
