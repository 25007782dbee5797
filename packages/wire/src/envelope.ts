import {
  type Address,
  canonicalJson,
  envelopeTypes,
  FatalError,
  type Hex,
  hashRequirements,
  type MarketDomain,
  typedDomain,
} from "@quorate/core";
import { hashTypedData, isAddressEqual, keccak256, recoverAddress, stringToBytes, type TypedDataDomain } from "viem";
import { z } from "zod";
import { bodySchemas, type EnvelopeBodies, type EnvelopeKind } from "./bodies.ts";
import { parseWire, relayError } from "./errors.ts";
import { belongsToRequests } from "./internal/kinds.ts";
import { address, bytes32, ecdsaSignature, unixTime } from "./internal/primitives.ts";
import { MAX_CLOCK_SKEW_S } from "./limits.ts";

/** Topic of all requests and of the documents of announced ones; every other message goes to the topic of its job id. */
export const REQUESTS_TOPIC: Hex = keccak256(stringToBytes("quorate/requests/v1"));

/** A signed message on a relay. A union with the tag `kind`. */
export type Envelope<K extends EnvelopeKind = EnvelopeKind> = {
  [P in K]: {
    readonly kind: P;
    /** Job id, or {@link REQUESTS_TOPIC} for requests and requirements. */
    readonly topic: Hex;
    /** Account that signed; an EOA. */
    readonly sender: Address;
    readonly body: EnvelopeBodies[P];
    /** Unix s. */
    readonly createdAt: number;
    /** Unix s from which on the message is void. */
    readonly expiry: number;
    /** ECDSA over the EIP-712 `Envelope`. */
    readonly signature: Hex;
  };
}[K];

/** An envelope before it is signed. */
export type EnvelopeDraft<K extends EnvelopeKind = EnvelopeKind> = {
  [P in K]: Omit<Envelope<P>, "sender" | "signature">;
}[K];

/** Typed data as {@link EnvelopeSigner} receives it. */
export type TypedDataToSign = {
  readonly domain: TypedDataDomain;
  readonly types: Record<string, readonly { readonly name: string; readonly type: string }[]>;
  readonly primaryType: string;
  readonly message: Record<string, unknown>;
};

/** Who signs: an account of viem, or anything with the same two members. */
export type EnvelopeSigner = {
  readonly address: Address;
  // biome-ignore lint/suspicious/noExplicitAny: viem's accounts take a generic typed data definition, which only `any` accepts for both
  signTypedData(typedData: any): Promise<Hex>;
};

function envelopeOf<K extends EnvelopeKind>(kind: K): z.ZodObject {
  return z.strictObject({
    kind: z.literal(kind),
    topic: bytes32,
    sender: address,
    body: bodySchemas[kind],
    createdAt: unixTime,
    expiry: unixTime,
    signature: ecdsaSignature,
  });
}

/** Schema of an envelope: JSON outside, {@link Envelope} inside. */
export const envelopeSchema: z.ZodType<Envelope, unknown> = z.discriminatedUnion("kind", [
  envelopeOf("request"),
  envelopeOf("requirements"),
  envelopeOf("offer"),
  envelopeOf("commitment"),
  envelopeOf("set-commitment"),
  envelopeOf("set-signature"),
  envelopeOf("opening"),
  envelopeOf("delivery"),
  envelopeOf("redelivery"),
]) as unknown as z.ZodType<Envelope, unknown>;

/**
 * Reads an envelope from parsed JSON. Signature and binding are checked by {@link verifyEnvelope}.
 *
 * @param json Anything.
 * @throws FatalError `INVALID_MESSAGE`
 */
export function parseEnvelope(json: unknown): Envelope {
  return parseWire(envelopeSchema, json, "INVALID_MESSAGE", "The message");
}

/**
 * JSON value of an envelope in its one canonical spelling: lower-case hex, decimal strings for amounts.
 *
 * @param envelope Envelope.
 * @throws ZodError when the envelope was not built by this package and breaks its types.
 */
export function encodeEnvelope(envelope: Envelope): Record<string, unknown> {
  return z.encode(envelopeSchema, envelope) as Record<string, unknown>;
}

/**
 * Hash under which a body is signed: `keccak256` of the UTF-8 of its canonical JSON (RFC 8785).
 *
 * @param kind Kind of the envelope.
 * @param body Its body.
 */
export function hashBody<K extends EnvelopeKind>(kind: K, body: EnvelopeBodies[K]): Hex {
  return keccak256(
    stringToBytes(canonicalJson(z.encode(bodySchemas[kind] as z.ZodType<EnvelopeBodies[K], unknown>, body))),
  );
}

function typedEnvelope(envelope: EnvelopeDraft & { sender: Address }, domain: MarketDomain): EnvelopeTypedData {
  return {
    domain: typedDomain(domain),
    types: envelopeTypes,
    primaryType: "Envelope",
    message: {
      kind: envelope.kind,
      topic: envelope.topic,
      sender: envelope.sender,
      bodyHash: hashBody(envelope.kind, envelope.body),
      createdAt: envelope.createdAt,
      expiry: envelope.expiry,
    },
  };
}

type EnvelopeTypedData = {
  domain: ReturnType<typeof typedDomain>;
  types: typeof envelopeTypes;
  primaryType: "Envelope";
  message: { kind: string; topic: Hex; sender: Address; bodyHash: Hex; createdAt: number; expiry: number };
};

/**
 * EIP-712 digest of an envelope. Two envelopes with the same digest are one message, whatever their signatures look like.
 *
 * @param envelope Envelope, signed or with its sender named.
 * @param domain Market that it belongs to.
 */
export function envelopeDigest(envelope: EnvelopeDraft & { sender: Address }, domain: MarketDomain): Hex {
  return hashTypedData(typedEnvelope(envelope, domain));
}

/**
 * Signs a message.
 *
 * @param draft Kind, topic, body, times (unix s).
 * @param signer Requester's or agent's key; an EOA, since relays and readers recover the signer without a chain.
 * @param domain Market that it belongs to.
 * @throws FatalError `INVALID_MESSAGE` when the draft breaks its schema or its binding.
 */
export async function signEnvelope<K extends EnvelopeKind>(
  draft: EnvelopeDraft<K>,
  signer: EnvelopeSigner,
  domain: MarketDomain,
): Promise<Envelope<K>> {
  const unsigned = { ...(draft as EnvelopeDraft), sender: signer.address };
  const problem = bindingProblem(unsigned, domain);
  if (problem !== undefined) throw relayError("INVALID_MESSAGE", problem);
  let typedData: EnvelopeTypedData;
  try {
    typedData = typedEnvelope(unsigned, domain);
  } catch (cause) {
    throw relayError("INVALID_MESSAGE", `The ${draft.kind} message cannot be encoded: ${String(cause)}`, cause);
  }
  const signature = await signer.signTypedData(typedData);
  const encoded = z.safeEncode(envelopeSchema, { ...unsigned, signature } as Envelope);
  if (encoded.success) return parseEnvelope(encoded.data) as Envelope<K>;
  throw new FatalError(
    "UNSUPPORTED_SIGNER",
    `The signer ${signer.address} did not give a 65-byte ECDSA signature. Messages on relays need an EOA: sign with the agent's or a session key.`,
  );
}

/** Why an envelope contradicts itself or its market, or undefined. */
function bindingProblem(envelope: EnvelopeDraft & { sender: Address }, domain: MarketDomain): string | undefined {
  if (envelope.expiry <= envelope.createdAt) return "The message expires before it was created.";
  if (!belongsToRequests(envelope)) {
    return envelope.topic === REQUESTS_TOPIC
      ? `A message of kind ${envelope.kind} belongs to the topic of its job, not to the topic of requests.`
      : undefined;
  }
  const { requirements, chainId, market } = envelope.body;
  if (envelope.topic !== REQUESTS_TOPIC) return `A message of kind ${envelope.kind} belongs to the topic of requests.`;
  if (chainId !== domain.chainId || !isAddressEqual(market, domain.market)) {
    return `The ${envelope.kind} message is for the market ${market} on chain ${chainId}, not ${domain.market} on chain ${domain.chainId}.`;
  }
  if (envelope.kind === "requirements") return undefined;
  const { request } = envelope.body;
  if (!isAddressEqual(request.requester, envelope.sender)) {
    return "A request is sent by its own requester; a smart account announces on chain instead.";
  }
  if (hashRequirements(requirements) !== request.requirementsHash) {
    return "The requirements are not those whose hash the request carries.";
  }
  return undefined;
}

/**
 * Digest of an envelope that was signed by its sender for this market and does not contradict itself: a request is sent by
 * its requester with the requirements that it names. Time is not looked at; see {@link assertFresh}.
 * A smart account's signature (ERC-1271) is not accepted: agents and requesters sign with EOAs.
 *
 * @param envelope Parsed envelope.
 * @param domain Market.
 * @returns As {@link envelopeDigest}; undefined for any other envelope, one of another market too.
 */
export async function verifiedDigest(envelope: Envelope, domain: MarketDomain): Promise<Hex | undefined> {
  if (bindingProblem(envelope, domain) !== undefined) return undefined;
  const digest = envelopeDigest(envelope, domain);
  return (await isSignedBy(digest, envelope.signature, envelope.sender)) ? digest : undefined;
}

/**
 * Tells whether an envelope has a {@link verifiedDigest}.
 *
 * @param envelope Parsed envelope.
 * @param domain Market.
 */
export async function verifyEnvelope(envelope: Envelope, domain: MarketDomain): Promise<boolean> {
  return (await verifiedDigest(envelope, domain)) !== undefined;
}

/**
 * Tells whether an EOA signed a digest.
 *
 * @param digest 32 bytes.
 * @param signature 65 bytes.
 * @param signer Expected account.
 */
export async function isSignedBy(digest: Hex, signature: Hex, signer: Address): Promise<boolean> {
  try {
    return isAddressEqual(await recoverAddress({ hash: digest, signature }), signer);
  } catch {
    // viem throws for r, s or v out of range: not a signature
    return false;
  }
}

/**
 * Refuses a message that is void, lies in the future or wants to live too long.
 *
 * @param times Creation and expiry, unix s.
 * @param nowS Reader's time, unix s.
 * @param maxLifetimeS Longest time between creation and expiry, seconds.
 * @throws FatalError `MESSAGE_EXPIRED`, `MESSAGE_FROM_FUTURE`, `LIFETIME_TOO_LONG`
 */
export function assertFresh(
  times: { readonly createdAt: number; readonly expiry: number },
  nowS: number,
  maxLifetimeS: number,
): void {
  if (times.expiry <= nowS) {
    throw relayError("MESSAGE_EXPIRED", `It expired at ${times.expiry}, it is ${nowS}. Sign a new one.`);
  }
  if (times.createdAt > nowS + MAX_CLOCK_SKEW_S) {
    throw relayError(
      "MESSAGE_FROM_FUTURE",
      `It was created at ${times.createdAt}, which is more than ${MAX_CLOCK_SKEW_S} s after ${nowS}. Set the clock.`,
    );
  }
  if (times.expiry - times.createdAt > maxLifetimeS) {
    throw relayError(
      "LIFETIME_TOO_LONG",
      `It would live ${times.expiry - times.createdAt} s, at most ${maxLifetimeS} s are accepted. Choose an earlier expiry.`,
    );
  }
}
