import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Hex } from "viem";
import { bloomHoldsLog, bloomMayMatch, bloomOf, logMatches } from "./bloom.ts";

const word = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes): Hex => `0x${Buffer.from(bytes).toString("hex")}`);
const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes): Hex => `0x${Buffer.from(bytes).toString("hex")}`);
const log = fc.record({ address, topics: fc.array(word, { maxLength: 4 }) });

test("a bloom never denies a log that it was made from, nor a filter that matches it", () => {
  fc.assert(
    fc.property(fc.array(log, { minLength: 1, maxLength: 12 }), (logs) => {
      const bloom = bloomOf(logs);
      for (const each of logs) {
        assert.ok(bloomHoldsLog(bloom, each));
        assert.ok(bloomMayMatch(bloom, { address: each.address, topics: each.topics }));
      }
    }),
  );
});

test("an empty bloom denies everything", () => {
  fc.assert(fc.property(address, (each) => !bloomMayMatch(bloomOf([]), { address: each })));
});

test("topics are matched by position, with choices and wildcards", () => {
  const [a, b, c] = ["0x01", "0x02", "0x03"].map((each) => `0x${each.slice(2).padStart(64, "0")}` as Hex) as [
    Hex,
    Hex,
    Hex,
  ];
  const one = { address: "0x22341ae42d6dd7384bc8584e50419ea3ac75b83f" as const, topics: [a, b] };
  const filterOf = (topics: (Hex | Hex[] | null)[]) => ({
    address: one.address.toUpperCase().replace("0X", "0x") as Hex,
    topics,
  });
  assert.ok(logMatches(one, filterOf([])));
  assert.ok(logMatches(one, filterOf([a])));
  assert.ok(logMatches(one, filterOf([null, [c, b]])));
  assert.ok(!logMatches(one, filterOf([b])));
  assert.ok(!logMatches(one, filterOf([a, b, c])));
});
