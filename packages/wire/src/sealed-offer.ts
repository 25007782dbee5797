import {
  type Address,
  canonicalJson,
  FatalError,
  type Hex,
  type MarketDomain,
  type Offer,
  openSealed,
  sealAad,
  sealTo,
} from "@quorate/core";
import { isAddressEqual } from "viem";
import { z } from "zod";
import type { OfferBody } from "./bodies.ts";
import type { Envelope } from "./envelope.ts";
import { address, anySignature, bytes32, describeIssues, uint, uint96, unixTime } from "./internal/primitives.ts";

/** What lies inside a sealed offer. */
export type OfferDocument = {
  readonly offer: Offer;
  /** By the provider, its agent, or ERC-1271 over the EIP-712 `Offer`. */
  readonly signature: Hex;
  /** Key that signed for the provider; the provider itself when it signed. */
  readonly agent: Address;
};

const offerDocumentSchema: z.ZodType<OfferDocument, unknown> = z.strictObject({
  offer: z.strictObject({
    jobId: bytes32,
    provider: address,
    price: uint96,
    encryptionKey: bytes32,
    roles: uint(8),
    expiry: unixTime,
  }),
  signature: anySignature,
  agent: address,
});

/**
 * Seals an offer to the key of its request, so that competitors cannot read the price.
 *
 * @param document Offer, signature, agent.
 * @param recipient The request's encryption key, 32 bytes.
 * @param sender Account that will send the envelope; the seal is bound to it.
 * @param domain Market.
 * @returns Body of an envelope of kind `offer`.
 */
export async function sealOffer(
  document: OfferDocument,
  recipient: Hex,
  sender: Address,
  domain: MarketDomain,
): Promise<OfferBody> {
  const plaintext = new TextEncoder().encode(canonicalJson(z.encode(offerDocumentSchema, document)));
  const aad = sealAad({ jobId: document.offer.jobId, provider: sender, ...domain });
  return { sealed: toBase64(await sealTo({ recipient, purpose: "offer", aad, plaintext })) };
}

/**
 * Opens a sealed offer. Who signed the offer itself, and whether it may, is checked against the chain by the caller.
 *
 * @param envelope Verified envelope of kind `offer`.
 * @param privateKey Private half of the request's encryption key.
 * @param domain Market.
 * @throws FatalError `OFFER_NOT_READABLE` when it was sealed to another key or for another sender; `OFFER_MALFORMED` when
 * what is inside is no offer, or one for another job.
 */
export async function openOffer(
  envelope: Envelope<"offer">,
  privateKey: Hex,
  domain: MarketDomain,
): Promise<OfferDocument> {
  const aad = sealAad({ jobId: envelope.topic, provider: envelope.sender, ...domain });
  let plaintext: Uint8Array;
  try {
    plaintext = await openSealed({ privateKey, purpose: "offer", aad, sealed: fromBase64(envelope.body.sealed) });
  } catch (cause) {
    throw new FatalError(
      "OFFER_NOT_READABLE",
      `The offer of ${envelope.sender} was not sealed to this request's key. Ignore it.`,
      { cause },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plaintext));
  } catch (cause) {
    throw malformed(envelope.sender, "it is not JSON", cause);
  }
  const parsed = offerDocumentSchema.safeParse(json);
  if (!parsed.success) throw malformed(envelope.sender, describeIssues(parsed.error));
  if (parsed.data.offer.jobId !== envelope.topic) throw malformed(envelope.sender, "it is for another job");
  if (
    !isAddressEqual(parsed.data.agent, envelope.sender) &&
    !isAddressEqual(parsed.data.offer.provider, envelope.sender)
  ) {
    throw malformed(envelope.sender, "it was sent by neither its provider nor its agent");
  }
  return parsed.data;
}

function malformed(sender: Address, why: string, cause?: unknown): FatalError {
  return new FatalError("OFFER_MALFORMED", `The offer of ${sender} cannot be used: ${why}. Ignore it.`, { cause });
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
