import assert from "node:assert/strict";
import { test } from "node:test";
import { decryptPackage, encryptionPublicKey, escrowOf, openPackage, termsOf } from "@quorate/core";
import { assertCode, buildManifest, testAddress, testDomain, testHash } from "@quorate/testkit";
import fc from "fast-check";
import { createWalletClient, custom, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { MarketClient } from "../client.ts";
import { buildRequest, escrowBoundOf, type JobWishes } from "./buildRequest.ts";
import { deriveJobKeys, deriveRequesterSecret } from "./deriveJobKeys.ts";
import { makePackage } from "./makePackage.ts";
import { previewPackage } from "./previewPackage.ts";

const prepared = makePackage({ manifest: buildManifest(), files: { "main.js": 'print("42")' } });

function requestOf(wishes: Partial<JobWishes> = {}): ReturnType<typeof buildRequest> {
  return buildRequest({
    wishes: { token: testAddress(0x70ce), priceCeiling: 1_000n, ...wishes },
    requester: testAddress(1),
    prepared,
    encryptionKey: testHash(9),
    now: 1_900_000_000,
  });
}

test("a request with nothing but token and price is one that the market opens", () => {
  const request = requestOf();
  assert.deepEqual(
    [request.seats, request.quorum, request.spares, request.shadows, request.bond, request.carrierFee, request.expiry],
    [3, 2, 1, 0, 1_000n, 50n, 1_900_003_600],
  );
  assert.equal(request.packageHash, prepared.encrypted.root);
  assert.notEqual(requestOf().nonce, request.nonce);
});

test("wishes that the market would refuse are refused here by name", async () => {
  for (const [wishes, code] of [
    [{ quorum: 1 }, "INVALID_REQUEST_QUORUM"],
    [{ seats: 16 }, "INVALID_REQUEST_PLACES"],
    [{ commitWindow: 10 }, "INVALID_REQUEST_WINDOW"],
    [{ calloutBps: 5_001 }, "INVALID_REQUEST_CALLOUT"],
    [{ bond: 2n ** 96n }, "INVALID_REQUEST_AMOUNT"],
  ] as const) {
    await assertCode(() => requestOf(wishes), code);
  }
});

test("no panel that the request allows escrows more than its bound, and the dearest one escrows it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 8 }),
      fc.nat(4),
      fc.nat(4),
      fc.nat(10_000),
      fc.bigInt(0n, 10n ** 12n),
      fc.infiniteStream(fc.bigInt(0n, 10n ** 12n)),
      (seats, spares, shadows, standbyBps, priceCeiling, prices) => {
        const request = requestOf({ seats, spares, shadows, standbyBps, priceCeiling, quorum: seats });
        const places = Array.from({ length: seats + spares + shadows }, (_, index) => {
          const price = (prices.next().value as bigint) % (priceCeiling + 1n);
          return { provider: testAddress(index + 5), price };
        });
        const bound = escrowBoundOf(request);
        assert.ok(escrowOf(termsOf(request, spares, places)) <= bound);
        const dearest = places.map(({ provider }) => ({ provider, price: priceCeiling }));
        assert.equal(escrowOf(termsOf(request, spares, dearest)), bound);
      },
    ),
    { numRuns: 100 },
  );
});

test("a package is encrypted under a fresh key each time, and opens only under its own", async () => {
  const again = makePackage({ manifest: buildManifest(), files: new Map([["main.js", 'print("42")']]) });
  assert.notDeepEqual(again.packageKey, prepared.packageKey);
  assert.notEqual(again.encrypted.root, prepared.encrypted.root);
  const [root, ...leaves] = prepared.encrypted.blocks.map(({ bytes }) => bytes) as [Uint8Array, ...Uint8Array[]];
  const fetched = { packageHash: prepared.encrypted.root, contentHash: prepared.contentHash, root, leaves };
  assert.deepEqual(openPackage(fetched, prepared.packageKey), prepared.package);
  await assertCode(() => decryptPackage(fetched, again.packageKey), "PACKAGE_MISMATCH");
});

test("a preview runs the package itself with the given runner", async () => {
  const usage = { fuel: 1, memoryBytes: 1, outputBytes: 1, elapsedMs: 1 };
  const seen: unknown[] = [];
  const result = await previewPackage(prepared.package, {
    run: async (pkg) => {
      seen.push(pkg);
      return { kind: "ok", output: new Uint8Array([1]), usage, diagnostics: "" };
    },
  });
  assert.equal(result.kind, "ok");
  assert.deepEqual(seen, [prepared.package]);
});

const account = privateKeyToAccount(testHash(3));
const silent = custom({ request: async () => assert.fail("nothing is asked of the node") });

function clientOf(signTypedData?: () => Promise<Hex>): MarketClient {
  const signing = signTypedData === undefined ? account : { ...account, signTypedData };
  const wallet = createWalletClient({ account: signing as typeof account, transport: silent });
  return { public: undefined as never, wallet, ...testDomain };
}

test("keys derived from the wallet are found again, and differ by job and market", async () => {
  const secret = await deriveRequesterSecret(clientOf());
  assert.deepEqual(await deriveRequesterSecret(clientOf()), secret);
  const keys = await deriveJobKeys(secret, 1n, testDomain);
  assert.deepEqual(await deriveJobKeys(secret, 1n, testDomain), keys);
  assert.equal(encryptionPublicKey(keys.encryption.privateKey), keys.encryption.publicKey);
  const others = [
    await deriveJobKeys(secret, 2n, testDomain),
    await deriveJobKeys(secret, 1n, { ...testDomain, chainId: 1 }),
    await deriveJobKeys(secret, 1n, { ...testDomain, market: testAddress(7) }),
  ];
  for (const other of others) {
    assert.notDeepEqual(other.packageKey, keys.packageKey);
    assert.notEqual(other.encryption.privateKey, keys.encryption.privateKey);
  }
  assert.notEqual(`0x${Buffer.from(keys.packageKey).toString("hex")}`, keys.encryption.privateKey);
});

test("a wallet that signs differently each time is refused before keys depend on it", async () => {
  let calls = 0;
  const client = clientOf(async () => testHash(++calls));
  await assertCode(deriveRequesterSecret(client), "WALLET_NOT_DETERMINISTIC");
});
