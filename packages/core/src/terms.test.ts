import assert from "node:assert/strict";
import { test } from "node:test";
import { buildRequest, buildTerms, testAddress } from "@quorate/testkit";
import { isAmount, MAX_AMOUNT, shareOf } from "./amounts.ts";
import { escrowOf, hashTerms, roleOfPlace, termsOf } from "./terms.ts";

const place = (index: number, price: bigint) => ({ provider: testAddress(index), price });

test("a share is rounded down", () => {
  assert.equal(shareOf(9_999n, 1), 0n);
  assert.equal(shareOf(10_000n, 1), 1n);
  assert.equal(shareOf(MAX_AMOUNT, 10_000), MAX_AMOUNT);
});

test("amounts are uint96", () => {
  assert.deepEqual([0n, MAX_AMOUNT, MAX_AMOUNT + 1n, -1n].map(isAmount), [true, true, false, false]);
});

test("escrow covers each seat at the highest price of seats and spares, shadows, standby and carrier", () => {
  const request = buildRequest({ seats: 2, quorum: 2, spares: 2, shadows: 1, standbyBps: 333, carrierFee: 7n });
  const terms = termsOf(request, 2, [place(1, 100n), place(2, 90n), place(3, 101n), place(4, 31n), place(5, 1_000n)]);
  // 2 × 101 + 1000 + ⌊101 × 0.0333⌋ + ⌊31 × 0.0333⌋ + 7
  assert.equal(escrowOf(terms), 202n + 1_000n + 3n + 1n + 7n);
});

test("terms carry the spares opened, not the maximum of the request", () => {
  const terms = termsOf(buildRequest({ spares: 5 }), 1, []);
  assert.equal(terms.spares, 1);
});

test("roles follow the order of places", () => {
  const terms = buildTerms({ seats: 3, spares: 2 }, 1);
  assert.deepEqual(
    terms.places.map((_, index) => roleOfPlace(terms, index)),
    ["seat", "seat", "seat", "spare", "spare", "shadow"],
  );
});

test("every field changes the terms hash", () => {
  const terms = buildTerms();
  const variants = [
    terms,
    { ...terms, requester: testAddress(9) },
    { ...terms, token: testAddress(9) },
    { ...terms, bond: 1n },
    { ...terms, carrierFee: 1n },
    { ...terms, seats: 4 },
    { ...terms, quorum: 3 },
    { ...terms, spares: 1 },
    { ...terms, calloutBps: 1 },
    { ...terms, standbyBps: 1 },
    { ...terms, commitWindow: 1 },
    { ...terms, revealWindow: 1 },
    { ...terms, places: terms.places.slice(1) },
    { ...terms, places: [...terms.places].reverse() },
  ];
  assert.equal(new Set(variants.map(hashTerms)).size, variants.length);
});
