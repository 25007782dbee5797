import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generateEncryptionKeyPair, sealAad, sealTo } from "@quorate/core";
import { assertCode, buildOffer, testAddress, testDomain, testHash } from "@quorate/testkit";
import { getAddress } from "viem";
import type { Envelope } from "./envelope.ts";
import { signEnvelope } from "./envelope.ts";
import { agent, draftOf, jobId, otherDomain } from "./fixtures/drafts.ts";
import { type OfferDocument, openOffer, sealOffer } from "./sealed-offer.ts";

const keys = await generateEncryptionKeyPair();
const document: OfferDocument = {
  offer: buildOffer({ jobId, provider: getAddress(testAddress(0xb0b)), price: 123_456_789_012_345n }),
  signature: `0x${"1c".repeat(65)}`,
  agent: agent.address,
};

async function sent(body: { sealed: string }): Promise<Envelope<"offer">> {
  return signEnvelope(draftOf("offer", { body }), agent, testDomain);
}

async function sealedText(text: string): Promise<Envelope<"offer">> {
  const aad = sealAad({ jobId, provider: agent.address, ...testDomain });
  const plaintext = new TextEncoder().encode(text);
  const sealed = await sealTo({ recipient: keys.publicKey, purpose: "offer", aad, plaintext });
  return sent({ sealed: Buffer.from(sealed).toString("base64") });
}

describe("sealed offer", () => {
  it("opens for the requester to what was offered", async () => {
    const envelope = await sent(await sealOffer(document, keys.publicKey, agent.address, testDomain));
    assert.deepEqual(await openOffer(envelope, keys.privateKey, testDomain), document);
  });

  it("has the same size whatever the price", async () => {
    const sizes = new Set<number>();
    for (const price of [1n, 10n ** 28n]) {
      const offer = { ...document.offer, price };
      sizes.add((await sealOffer({ ...document, offer }, keys.publicKey, agent.address, testDomain)).sealed.length);
    }
    assert.equal(sizes.size, 1);
  });

  it("does not open under another key, sender, job or market", async () => {
    const body = await sealOffer(document, keys.publicKey, agent.address, testDomain);
    const envelope = await sent(body);
    const stranger = await generateEncryptionKeyPair();
    await assertCode(openOffer(envelope, stranger.privateKey, testDomain), "OFFER_NOT_READABLE");
    for (const stolen of [
      { ...envelope, sender: testAddress(1) },
      { ...envelope, topic: testHash(1) },
      { ...envelope, body: { sealed: "AAAA" } },
    ]) {
      await assertCode(openOffer(stolen, keys.privateKey, testDomain), "OFFER_NOT_READABLE");
    }
    await assertCode(openOffer(envelope, keys.privateKey, otherDomain), "OFFER_NOT_READABLE");
  });

  it("is malformed when it holds no offer, one for another job, or one by somebody else", async () => {
    for (const text of ["", "not json", "[]", "{}", '{"offer":{},"signature":"0x","agent":"0x"}']) {
      await assertCode(openOffer(await sealedText(text), keys.privateKey, testDomain), "OFFER_MALFORMED");
    }
    const foreign = { ...document, agent: testAddress(5) };
    const body = await sealOffer(foreign, keys.publicKey, agent.address, testDomain);
    await assertCode(openOffer(await sent(body), keys.privateKey, testDomain), "OFFER_MALFORMED");
  });

  it("is malformed when the seal is for this job but the offer inside for another", async () => {
    const envelope = await sealedText(
      JSON.stringify({
        offer: {
          ...document.offer,
          jobId: testHash(3),
          price: "5",
          provider: document.offer.provider,
        },
        signature: document.signature,
        agent: agent.address,
      }),
    );
    const error = await assertCode(openOffer(envelope, keys.privateKey, testDomain), "OFFER_MALFORMED");
    assert.match(error.message, /another job/);
  });
});
