import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Role, Verdict } from "@quorate/core";
import type { JobView, SeatView } from "@quorate/sdk";
import { formatAmount } from "../../../lib/format.ts";
import { moneyOf } from "./money.ts";
import { diagnosisWords } from "./offers/diagnosis.ts";
import { bondFates, reasonInUnits, roleWords, sentence } from "./words.ts";

const unit = { symbol: "tUSD", decimals: 6 };
const format = (amount: bigint): string => formatAmount(amount, unit);

describe("bonds", () => {
  it("of faults go to quarantine, of the late are burnt, the rest returns", () => {
    const panel = [
      { verdict: Verdict.Aligned, outcome: 1 },
      { verdict: Verdict.Fault, outcome: 1 },
      { verdict: Verdict.Late },
    ];
    assert.deepEqual(bondFates(panel), ["returned", "quarantined", "burnt"]);
  });

  it("of the late return when nobody opened anything", () => {
    assert.deepEqual(bondFates([{ verdict: Verdict.Late }, { verdict: Verdict.Late }]), ["returned", "returned"]);
  });
});

it("money of a settled job sums up to escrow and bonds", () => {
  const account = (digit: number) => `0x${String(digit).repeat(40)}` as const;
  const place = (number: number, verdict: Verdict, paid: bigint): SeatView =>
    ({
      place: number,
      provider: account(number + 1),
      price: 10n,
      role: "seat",
      state: "opened",
      outcome: 1,
      verdict,
      paid,
    }) as SeatView;
  const view = {
    terms: { bond: 7n, carrierFee: 2n, requester: account(9), places: [{}, {}, {}] },
    panel: [place(0, Verdict.Aligned, 10n), place(1, Verdict.Aligned, 10n), place(2, Verdict.Fault, 0n)],
    money: { escrow: 32n, refunded: 10n },
  } as unknown as JobView;
  const { escrow, bonds } = moneyOf(view, account(8));
  assert.equal(
    escrow.reduce((sum, { amount }) => sum + amount, 0n),
    32n,
  );
  assert.deepEqual(
    bonds.map(({ kind, amount }) => [kind, amount]),
    [
      ["returned", 14n],
      ["quarantined", 7n],
    ],
  );
});

it("reasons of the policy have units", () => {
  assert.equal(
    reasonInUnits("its price 80000000 is above the policy's highest price 50000000", format),
    "its price 80 tUSD is above the policy's highest price 50 tUSD",
  );
  assert.equal(reasonInUnits("it aligned in 3 jobs that count", format), "it aligned in 3 jobs that count");
  assert.equal(sentence("it has expired"), "It has expired.");
  assert.equal(roleWords(Role.Seat | Role.Shadow), "seat, shadow");
});

describe("why nobody offers", () => {
  const facts = {
    record: {
      request: { priceCeiling: 5_000_000n },
      requirements: { engine: { name: "quickjs", version: "1" } },
    } as never,
    lowestAsked: 80_000_000n,
    needed: 20_000_000n,
    available: 1_000_000n,
    relays: 2,
    refused: 1,
    format,
  };
  const say = (code: Parameters<typeof diagnosisWords>[0]["code"]): string =>
    diagnosisWords({ code, message: "" }, facts).text;

  it("is said with amounts in the token's unit", () => {
    assert.match(say("PRICE_TOO_LOW"), /at most 5 tUSD for a seat.*the lowest asks 80 tUSD/);
    assert.match(say("REQUESTER_CANNOT_FUND"), /can need 20 tUSD, and the account has 1 tUSD/);
    assert.match(say("NO_ENGINE"), /quickjs 1/);
    assert.match(say("ALL_OFFERS_REFUSED"), /1 offer came/);
  });
});
