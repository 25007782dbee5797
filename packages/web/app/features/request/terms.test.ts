import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultWindowLimits } from "@quorate/core";
import type { JobWishes } from "@quorate/sdk";
import { endingsOf, escrowBound, readTerms, suggestCeiling, type TermsContext } from "./terms.ts";

const token = `0x${"aa".repeat(20)}` as const;
const unit = 1_000_000n;
const context: TermsContext = {
  token,
  decimals: 6,
  symbol: "tUSD",
  windows: defaultWindowLimits,
  isLocal: false,
  plan: { seats: 3, spares: 1 },
  asking: [80n * unit, 90n * unit, 100n * unit, 110n * unit, 120n * unit],
  wallTimeMs: 20_000,
};

function wishesOf(terms: Parameters<typeof readTerms>[0], changes: Partial<TermsContext> = {}): JobWishes {
  const { wishes, problems } = readTerms(terms, { ...context, ...changes });
  assert.ok(wishes !== undefined, JSON.stringify(problems));
  return wishes;
}

describe("terms without typing", () => {
  it("follow what providers ask and the plan", () => {
    const wishes = wishesOf({});
    assert.equal(wishes.priceCeiling, 140n * unit);
    assert.equal(wishes.bond, 140n * unit);
    assert.equal(wishes.carrierFee, 7n * unit);
    assert.deepEqual([wishes.seats, wishes.quorum, wishes.spares, wishes.shadows], [3, 2, 1, 0]);
    assert.equal(wishes.commitWindow, 3_600);
  });

  it("have short windows on a local chain, within what the market takes", () => {
    assert.equal(wishesOf({}, { isLocal: true, windows: { minWindow: 5, maxWindow: 600 } }).commitWindow, 60);
    assert.equal(wishesOf({}, { isLocal: true }).commitWindow, 300);
  });

  it("ask for a price when nobody says what it asks", () => {
    const { problems, wishes } = readTerms({}, { ...context, asking: [] });
    assert.equal(wishes, undefined);
    assert.match(problems.priceCeiling ?? "", /Say how much/);
  });

  it("let the quorum follow the seats", () => {
    assert.equal(wishesOf({ seats: "5" }).quorum, 3);
    assert.equal(wishesOf({ seats: "2" }).quorum, 2);
  });
});

describe("terms that the market would refuse", () => {
  const cases: readonly (readonly [string, Parameters<typeof readTerms>[0], string, RegExp])[] = [
    ["a quorum of half", { seats: "4", quorum: "2" }, "quorum", /3 to 4 have to agree/],
    ["one seat", { seats: "1" }, "seats", /from 2 to 7/],
    ["a window below the market's", { commitWindow: "10" }, "commitWindow", /from 5 min \(300\)/],
    ["too many digits", { priceCeiling: "1.0000001" }, "priceCeiling", /at most 6 digits/],
    ["a call-out fee above half", { calloutPercent: "51" }, "calloutPercent", /from 0 to 50/],
    ["more than 16 places", { seats: "7", spares: "5", shadows: "5" }, "spares", /at most 16/],
    ["an amount beyond the ledger", { bond: `${10n ** 24n}` }, "priceCeiling", /uint96/],
  ];
  for (const [name, terms, field, words] of cases) {
    it(`${name}: said beside the field`, () => {
      const { problems, wishes } = readTerms(terms, context);
      assert.equal(wishes, undefined);
      assert.match((problems as Record<string, string>)[field] ?? "", words);
    });
  }
});

it("a price that too few take, and a run that is too long for its window, are warned of", () => {
  assert.match(readTerms({ priceCeiling: "5" }, context).warnings.join(), /prices begin at 80 tUSD/);
  assert.match(readTerms({ priceCeiling: "90" }, context).warnings.join(), /2 of 5 providers/);
  assert.match(readTerms({}, { ...context, wallTimeMs: 1_801_000 }).warnings.join(), /would not offer/);
  assert.deepEqual(readTerms({}, context).warnings, []);
});

it("a suggested price has two digits that count, and covers the dearest place that is needed", () => {
  assert.equal(suggestCeiling([80n, 90n, 100n], 2), 120n);
  assert.equal(suggestCeiling([80n], 4), 100n);
  assert.equal(suggestCeiling([], 4), undefined);
});

describe("endings", () => {
  const wishes = wishesOf({ priceCeiling: "100", spares: "0" });
  const bound = escrowBound(wishes);

  it("pay out and return the whole escrow, whatever happens", () => {
    for (const terms of [wishes, wishesOf({ spares: "2", shadows: "1", seats: "5" }), wishesOf({ seats: "2" })]) {
      for (const { title, paid, carrierFee, refunded } of endingsOf(terms)) {
        assert.equal(paid + carrierFee + refunded, escrowBound(terms), title);
      }
    }
  });

  it("cost what the market's rules say", () => {
    const [agree, late, declined, dissent, undecided] = endingsOf(wishes);
    assert.equal(bound, 305n * unit);
    assert.equal(agree?.refunded, 0n);
    assert.deepEqual([late?.refunded, late?.bonds], [100n * unit, "1 burnt; the others returned"]);
    assert.deepEqual([declined?.refunded, declined?.bonds], [100n * unit, "all returned"]);
    assert.deepEqual([dissent?.refunded, dissent?.bonds], [100n * unit, "1 in quarantine; the others returned"]);
    assert.equal(undecided?.paid, 30n * unit);
  });

  it("without a majority to spare have no dissent that leaves an answer", () => {
    assert.equal(
      endingsOf(wishesOf({ seats: "2", spares: "0" })).some(({ title }) => title === "One seat gives another answer"),
      false,
    );
  });
});
