import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode, buildRequest, testAddress, testDomain } from "@quorate/testkit";
import { MAX_AMOUNT } from "./amounts.ts";
import { type Request, ZERO_ADDRESS, ZERO_HASH } from "./job.ts";
import { checkRequest, jobIdOf, leastQuorum } from "./request.ts";

test("a valid request is accepted", () => {
  checkRequest(buildRequest());
  checkRequest(buildRequest({ seats: 2, quorum: 2 }));
  checkRequest(buildRequest({ seats: 7, quorum: 4, spares: 8, shadows: 1, calloutBps: 5_000, standbyBps: 10_000 }));
  checkRequest(
    buildRequest({ priceCeiling: MAX_AMOUNT, bond: 0n, carrierFee: 0n, flags: 1, nonce: (1n << 256n) - 1n }),
  );
  checkRequest(buildRequest({ commitWindow: 300, revealWindow: 604_800 }));
});

const refused: readonly [string, Partial<Request>, string][] = [
  ["no requester", { requester: ZERO_ADDRESS }, "REQUESTER"],
  ["no token", { token: ZERO_ADDRESS }, "TOKEN"],
  ["a short hash", { packageHash: "0x12" }, "HASH"],
  ["no encryption key", { encryptionKey: ZERO_HASH }, "ENCRYPTION_KEY"],
  ["one seat", { seats: 1, quorum: 1 }, "QUORUM"],
  ["a quorum of half", { seats: 4, quorum: 2 }, "QUORUM"],
  ["a quorum above the seats", { seats: 3, quorum: 4 }, "QUORUM"],
  ["17 places", { spares: 8, shadows: 6 }, "PLACES"],
  ["half a seat", { spares: 0.5 }, "PANEL"],
  ["a price above uint96", { priceCeiling: MAX_AMOUNT + 1n }, "AMOUNT"],
  ["a negative bond", { bond: -1n }, "AMOUNT"],
  ["a call-out fee above half", { calloutBps: 5_001 }, "CALLOUT"],
  ["a standby fee above the price", { standbyBps: 10_001 }, "STANDBY"],
  ["a short commit window", { commitWindow: 299 }, "WINDOW"],
  ["a long reveal window", { revealWindow: 604_801 }, "WINDOW"],
  ["a flag that no market knows", { flags: 4 }, "FLAGS"],
  ["too much gas for a callback", { callback: testAddress(1), callbackGas: 1_000_001 }, "CALLBACK"],
  ["gas without a callback", { callbackGas: 1 }, "CALLBACK"],
  ["an expiry above uint40", { expiry: 2 ** 40 }, "EXPIRY"],
  ["a negative nonce", { nonce: -1n }, "NONCE"],
];
for (const [name, changes, code] of refused) {
  test(`a request with ${name} is refused`, async () => {
    await assertCode(() => checkRequest(buildRequest(changes)), `INVALID_REQUEST_${code}`);
  });
}

test("windows of a test market may be shorter", () => {
  checkRequest(buildRequest({ commitWindow: 10, revealWindow: 10 }), { minWindow: 10, maxWindow: 60 });
});

test("every field and the market change the job id", () => {
  const request = buildRequest();
  const changed = Object.keys(request).map((field) => {
    const value = request[field as keyof Request];
    const other =
      typeof value === "bigint"
        ? value + 1n
        : typeof value === "number"
          ? value + 1
          : (`${value.slice(0, -1)}${value.endsWith("f") ? "e" : "f"}` as const);
    return jobIdOf({ ...request, [field]: other }, testDomain);
  });
  const ids = [
    jobIdOf(request, testDomain),
    jobIdOf(request, { ...testDomain, chainId: 1 }),
    jobIdOf(request, { ...testDomain, market: testAddress(1) }),
    ...changed,
  ];
  assert.equal(new Set(ids).size, 22 + 3);
});

test("the least quorum is a strict majority", () => {
  assert.deepEqual([2, 3, 4, 5, 6, 7].map(leastQuorum), [2, 2, 3, 3, 4, 4]);
});
