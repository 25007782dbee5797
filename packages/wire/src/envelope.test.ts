import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalJson } from "@quorate/core";
import { assertCode, buildRequest, testAddress, testDomain, testHash } from "@quorate/testkit";
import { TypedDataEncoder, verifyTypedData } from "ethers";
import fc from "fast-check";
import { keccak256, stringToBytes } from "viem";
import {
  assertFresh,
  type Envelope,
  encodeEnvelope,
  envelopeDigest,
  hashBody,
  parseEnvelope,
  REQUESTS_TOPIC,
  signEnvelope,
  verifyEnvelope,
} from "./envelope.ts";
import { agent, bodies, draftOf, jobId, kinds, nowS, otherDomain, requester } from "./fixtures/drafts.ts";
import { MAX_CLOCK_SKEW_S } from "./limits.ts";

const signed = new Map<string, Envelope>();
for (const kind of kinds) signed.set(kind, await signEnvelope(draftOf(kind), requester, testDomain));
const of = (kind: string): Envelope => signed.get(kind) as Envelope;
const jsonOf = (envelope: Envelope): Record<string, unknown> => JSON.parse(JSON.stringify(encodeEnvelope(envelope)));

describe("envelope", () => {
  for (const kind of kinds) {
    it(`carries a ${kind} through JSON without a change and stays valid`, async () => {
      const copy = parseEnvelope(jsonOf(of(kind)));
      assert.deepEqual(copy, of(kind));
      assert.equal(await verifyEnvelope(copy, testDomain), true);
      assert.equal(envelopeDigest(copy, testDomain), envelopeDigest(of(kind), testDomain));
    });
  }

  it("is hashed by ethers to the same digest, and ethers recovers the sender", () => {
    const envelope = of("commitment");
    const domain = { name: "Quorate", version: "1", chainId: testDomain.chainId, verifyingContract: testDomain.market };
    const types = {
      Envelope: [
        { name: "kind", type: "string" },
        { name: "topic", type: "bytes32" },
        { name: "sender", type: "address" },
        { name: "bodyHash", type: "bytes32" },
        { name: "createdAt", type: "uint40" },
        { name: "expiry", type: "uint40" },
      ],
    };
    const { kind, topic, sender, createdAt, expiry, signature } = envelope;
    const bodyHash = keccak256(stringToBytes(canonicalJson(jsonOf(envelope).body)));
    const message = { kind, topic, sender, bodyHash, createdAt, expiry };
    assert.equal(envelopeDigest(envelope, testDomain), TypedDataEncoder.hash(domain, types, message));
    assert.equal(verifyTypedData(domain, types, message, signature), requester.address);
  });

  it("hashes a body alike whatever the case of its hex and the order of its keys", () => {
    const json = jsonOf(of("commitment"));
    const body = json.body as Record<string, string>;
    const shouted = {
      ...json,
      body: Object.fromEntries(
        Object.entries(body)
          .reverse()
          .map(([key, value]) => [key, key === "commitment" ? value.toUpperCase().replace("0X", "0x") : value]),
      ),
    };
    const parsed = parseEnvelope(shouted) as Envelope<"commitment">;
    assert.equal(hashBody("commitment", parsed.body), hashBody("commitment", bodies.commitment));
  });

  it("is void after a change of any of its fields", async () => {
    const base = of("opening") as Envelope<"opening">;
    const changed: Record<string, Envelope> = {
      kind: { ...of("redelivery"), signature: base.signature },
      topic: { ...base, topic: testHash(1) },
      sender: { ...base, sender: testAddress(1) },
      body: { ...base, body: { ...base.body, opening: { ...base.body.opening, outcome: 2 } } },
      "optional part of the body": { ...base, body: { ...base.body, reportCode: undefined } },
      createdAt: { ...base, createdAt: base.createdAt + 1 },
      expiry: { ...base, expiry: base.expiry + 1 },
      signature: { ...base, signature: `0x${"11".repeat(32)}${base.signature.slice(66)}` },
    };
    for (const [what, envelope] of Object.entries(changed)) {
      assert.equal(await verifyEnvelope(envelope, testDomain), false, what);
    }
    assert.equal(await verifyEnvelope(base, testDomain), true);
  });

  it("does not count on another chain or for another contract", async () => {
    for (const kind of kinds) {
      assert.equal(await verifyEnvelope(of(kind), otherDomain), false, kind);
      assert.equal(await verifyEnvelope(of(kind), { ...testDomain, market: testAddress(5) }), false, kind);
    }
  });

  it("refuses signatures out of range without throwing", async () => {
    for (const signature of [`0x${"00".repeat(65)}`, `0x${"ff".repeat(65)}`] as const) {
      assert.equal(await verifyEnvelope({ ...of("offer"), signature }, testDomain), false);
    }
  });

  it("lets nobody send a request in another's name, or with other requirements", async () => {
    await assertCode(signEnvelope(draftOf("request"), agent, testDomain), "INVALID_MESSAGE");
    const { requirements } = bodies.request;
    const cheaper = { ...requirements, limits: { ...requirements.limits, fuel: 1 } };
    const draft = draftOf("request", { body: { ...bodies.request, requirements: cheaper } });
    await assertCode(signEnvelope(draft, requester, testDomain), "INVALID_MESSAGE");
  });

  it("lets anybody send the requirements of an announced request", async () => {
    assert.equal(
      await verifyEnvelope(await signEnvelope(draftOf("requirements"), agent, testDomain), testDomain),
      true,
    );
    const elsewhere = { ...bodies.requirements, chainId: 1 };
    await assertCode(signEnvelope(draftOf("requirements", { body: elsewhere }), agent, testDomain), "INVALID_MESSAGE");
  });

  it("keeps requests in their topic and everything else out of it", async () => {
    await assertCode(signEnvelope(draftOf("requirements", { topic: jobId }), agent, testDomain), "INVALID_MESSAGE");
    await assertCode(signEnvelope(draftOf("request", { topic: jobId }), requester, testDomain), "INVALID_MESSAGE");
    await assertCode(signEnvelope(draftOf("offer", { topic: REQUESTS_TOPIC }), agent, testDomain), "INVALID_MESSAGE");
  });

  it("tells a smart account to sign with an EOA", async () => {
    const smart = { address: agent.address, signTypedData: async () => `0x${"ab".repeat(96)}` as const };
    await assertCode(signEnvelope(draftOf("offer"), smart, testDomain), "UNSUPPORTED_SIGNER");
  });

  it("refuses JSON with unknown, missing, mistyped or oversized parts", async () => {
    const offer = jsonOf(of("offer"));
    const request = jsonOf(of("request"));
    const inner = (changes: Record<string, unknown>): unknown => ({
      ...request,
      body: {
        ...(request.body as object),
        request: { ...(request.body as { request: object }).request, ...changes },
      },
    });
    const { signature: _, ...unsigned } = offer;
    const broken: Record<string, unknown> = {
      "no object": "offer",
      nothing: null,
      list: [offer],
      "unknown kind": { ...offer, kind: "gossip" },
      "inherited kind": { ...offer, kind: "__proto__" },
      "unknown key": { ...offer, extra: 1 },
      "prototype key": JSON.parse(`${JSON.stringify(offer).slice(0, -1)},"__proto__":{"admin":true}}`),
      "constructor key": { ...offer, constructor: {} },
      "no signature": unsigned,
      "short signature": { ...offer, signature: "0x1234" },
      "short topic": { ...offer, topic: "0x12" },
      "fractional time": { ...offer, createdAt: 1.5 },
      "time above uint40": { ...offer, expiry: 2 ** 40 },
      "time as text": { ...offer, createdAt: String(nowS) },
      "no base64": { ...offer, body: { sealed: "###=" } },
      "huge seal": { ...offer, body: { sealed: "AAAA".repeat(5_000) } },
      "unknown key in body": { ...offer, body: { sealed: "AAAA", note: "" } },
      "amount as number": inner({ bond: 5 }),
      "negative amount": inner({ bond: "-5" }),
      "leading zero": inner({ bond: "05" }),
      "hex amount": inner({ bond: "0x5" }),
      "exponent amount": inner({ bond: "1e5" }),
      "amount above uint96": inner({ bond: (1n << 96n).toString() }),
      "nonce above uint256": inner({ nonce: (1n << 256n).toString() }),
      "very long number": inner({ nonce: "9".repeat(100_000) }),
      "seats above uint8": inner({ seats: 256 }),
      "place above 15": { ...jsonOf(of("delivery")), body: { ...bodies.delivery, place: 16 } },
      "no blocks": { ...jsonOf(of("delivery")), body: { ...bodies.delivery, cids: [] } },
      "path as block": { ...jsonOf(of("delivery")), body: { ...bodies.delivery, cids: ["../../etc/passwd"] } },
      "control characters": { ...jsonOf(of("redelivery")), body: { reason: "a\u0000b" } },
      "right-to-left override": { ...jsonOf(of("redelivery")), body: { reason: "a\u202eb" } },
      "lone surrogate": { ...jsonOf(of("redelivery")), body: { reason: "a\ud800b" } },
    };
    for (const [what, json] of Object.entries(broken)) {
      const error = await assertCode(() => parseEnvelope(json), "INVALID_MESSAGE").catch((failure: Error) => {
        throw new Error(`${what}: ${failure.message}`);
      });
      assert.ok(error.message.length < 1_500, `${what}: the message stays short`);
    }
  });

  it("names the place that is wrong", async () => {
    const json = jsonOf(of("request")) as { body: { request: Record<string, unknown> } };
    json.body.request.seats = "three";
    const error = await assertCode(() => parseEnvelope(json), "INVALID_MESSAGE");
    assert.match(error.message, /body\.request\.seats/);
  });

  it("never throws anything but INVALID_MESSAGE, whatever comes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything({ withBigInt: true, withNullPrototype: true }), async (value) => {
        await assertCode(() => parseEnvelope(value), "INVALID_MESSAGE");
      }),
      { numRuns: 300 },
    );
  });

  it("keeps every amount exact", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 96n) - 1n), fc.bigInt(0n, (1n << 256n) - 1n), (bond, nonce) => {
        const base = of("request") as Envelope<"request">;
        const request = buildRequest({ ...base.body.request, bond, nonce });
        const copy = parseEnvelope(jsonOf({ ...base, body: { ...base.body, request } })) as Envelope<"request">;
        assert.equal(copy.body.request.bond, bond);
        assert.equal(copy.body.request.nonce, nonce);
      }),
      { numRuns: 100 },
    );
  });
});

describe("freshness", () => {
  const times = { createdAt: nowS, expiry: nowS + 100 };

  it("ends at the expiry, to the second", async () => {
    assertFresh(times, nowS + 99, 100);
    await assertCode(() => assertFresh(times, nowS + 100, 100), "MESSAGE_EXPIRED");
  });

  it("allows clocks to differ by so much", async () => {
    assertFresh(times, nowS - MAX_CLOCK_SKEW_S, 100);
    await assertCode(() => assertFresh(times, nowS - MAX_CLOCK_SKEW_S - 1, 100), "MESSAGE_FROM_FUTURE");
  });

  it("bounds the life", async () => {
    await assertCode(() => assertFresh(times, nowS, 99), "LIFETIME_TOO_LONG");
  });
});
