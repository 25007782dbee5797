import {
  type Address,
  canonicalJson,
  envelopeTypes,
  type Hex,
  type MarketDomain,
  profileTypes,
  typedDomain,
} from "@quorate/core";
import { hashTypedData, isAddressEqual, keccak256, stringToBytes } from "viem";
import { z } from "zod";
import { type EnvelopeSigner, isSignedBy } from "./envelope.ts";
import { parseWire, relayError } from "./errors.ts";
import { address, ecdsaSignature, httpUrl, line, uint96, unixTime } from "./internal/primitives.ts";

/** What a provider says about itself. Claims, except for what is proved elsewhere: see `verifyProfileUrl`. */
export type ProfileBody = {
  /** Name for people, 1 to 80 characters. */
  readonly name: string;
  /** Site of the organization; its `/.well-known/quorate.json` names the provider. */
  readonly url?: string | undefined;
  /** Hot keys that sign for the provider. Whether they may is decided on chain. */
  readonly agents: readonly Address[];
  /** Engines installed. */
  readonly engines: readonly { readonly name: string; readonly version: string }[];
  /** Relays on which the provider listens. */
  readonly endpoints: readonly string[];
  /** Lowest price that the provider quotes by token, base units. A hint. */
  readonly prices?: readonly { readonly token: Address; readonly from: bigint }[] | undefined;
};

/** A profile signed by its provider. */
export type Profile = {
  readonly provider: Address;
  readonly body: ProfileBody;
  /** Unix s; the newest profile of a provider counts. */
  readonly createdAt: number;
  /** Unix s. */
  readonly expiry: number;
  /** ECDSA by the provider over the EIP-712 `Profile`. */
  readonly signature: Hex;
};

/**
 * Sign of life of a provider, signed by one of its agents, so that the provider's own key can stay cold.
 * `createdAt` is when it was last seen, `expiry` until when it means to be online.
 */
export type Presence = {
  readonly provider: Address;
  /** The provider, or an agent of its profile. */
  readonly sender: Address;
  /** Unix s. */
  readonly createdAt: number;
  /** Unix s. */
  readonly expiry: number;
  /** ECDSA by the sender over the EIP-712 `Envelope` of kind `presence`. */
  readonly signature: Hex;
};

/** A profile with the newest sign of life, as relays list it. */
export type ProfileRecord = {
  readonly profile: Profile;
  readonly presence?: Presence | undefined;
};

const bodySchema: z.ZodType<ProfileBody, unknown> = z.strictObject({
  name: line(80),
  url: httpUrl.optional(),
  agents: z.array(address).max(16),
  engines: z.array(z.strictObject({ name: line(32), version: line(64) })).max(16),
  endpoints: z.array(httpUrl).max(8),
  prices: z
    .array(z.strictObject({ token: address, from: uint96 }))
    .max(16)
    .optional(),
});

/** Schema of a profile: JSON outside, {@link Profile} inside. */
export const profileSchema: z.ZodType<Profile, unknown> = z.strictObject({
  provider: address,
  body: bodySchema,
  createdAt: unixTime,
  expiry: unixTime,
  signature: ecdsaSignature,
});

/** Schema of a sign of life. */
export const presenceSchema: z.ZodType<Presence, unknown> = z.strictObject({
  provider: address,
  sender: address,
  createdAt: unixTime,
  expiry: unixTime,
  signature: ecdsaSignature,
});

/** Schema of a record. */
export const profileRecordSchema: z.ZodType<ProfileRecord, unknown> = z.strictObject({
  profile: profileSchema,
  presence: presenceSchema.optional(),
});

/**
 * JSON value of a profile.
 *
 * @param profile Profile.
 */
export function encodeProfile(profile: Profile): Record<string, unknown> {
  return z.encode(profileSchema, profile) as Record<string, unknown>;
}

/**
 * JSON value of a sign of life.
 *
 * @param presence Sign of life.
 */
export function encodePresence(presence: Presence): Record<string, unknown> {
  return z.encode(presenceSchema, presence) as Record<string, unknown>;
}

/**
 * EIP-712 digest of a profile.
 *
 * @param profile Profile without its signature.
 * @param domain Market.
 */
export function profileDigest(profile: Omit<Profile, "signature">, domain: MarketDomain): Hex {
  return hashTypedData(typedProfile(profile, domain));
}

function typedProfile(profile: Omit<Profile, "signature">, domain: MarketDomain): ProfileTypedData {
  return {
    domain: typedDomain(domain),
    types: profileTypes,
    primaryType: "Profile",
    message: {
      provider: profile.provider,
      bodyHash: keccak256(stringToBytes(canonicalJson(z.encode(bodySchema, profile.body)))),
      createdAt: profile.createdAt,
      expiry: profile.expiry,
    },
  };
}

type ProfileTypedData = {
  domain: ReturnType<typeof typedDomain>;
  types: typeof profileTypes;
  primaryType: "Profile";
  message: { provider: Address; bodyHash: Hex; createdAt: number; expiry: number };
};

/**
 * Signs a profile.
 *
 * @param draft Body and times (unix s).
 * @param signer The provider's key; an EOA.
 * @param domain Market.
 * @throws FatalError `INVALID_PROFILE`
 */
export async function signProfile(
  draft: Pick<Profile, "body" | "createdAt" | "expiry">,
  signer: EnvelopeSigner,
  domain: MarketDomain,
): Promise<Profile> {
  const unsigned = { ...draft, provider: signer.address };
  if (unsigned.expiry <= unsigned.createdAt) {
    throw relayError("INVALID_PROFILE", "The profile expires before it was created.");
  }
  parseWire(bodySchema, encodeOrExplain(unsigned.body), "INVALID_PROFILE", "The profile");
  const signature = await signer.signTypedData(typedProfile(unsigned, domain));
  return parseWire(profileSchema, encodeProfile({ ...unsigned, signature }), "INVALID_PROFILE", "The signed profile");
}

function encodeOrExplain(body: ProfileBody): unknown {
  const result = z.safeEncode(bodySchema, body);
  if (result.success) return result.data;
  throw relayError("INVALID_PROFILE", `The profile cannot be encoded: ${result.error.message.slice(0, 300)}`);
}

/**
 * Tells whether a profile was signed by its provider. A provider that is a smart account cannot prove a profile this way,
 * since relays and readers check it without a chain; its URL proof still names it.
 *
 * @param profile Parsed profile.
 * @param domain Market.
 */
export async function verifyProfile(profile: Profile, domain: MarketDomain): Promise<boolean> {
  if (profile.expiry <= profile.createdAt) return false;
  return isSignedBy(profileDigest(profile, domain), profile.signature, profile.provider);
}

function typedPresence(presence: Omit<Presence, "signature">, domain: MarketDomain): PresenceTypedData {
  return {
    domain: typedDomain(domain),
    types: envelopeTypes,
    primaryType: "Envelope",
    message: {
      kind: "presence",
      topic: PRESENCE_TOPIC,
      sender: presence.sender,
      bodyHash: keccak256(stringToBytes(canonicalJson({ provider: presence.provider.toLowerCase() }))),
      createdAt: presence.createdAt,
      expiry: presence.expiry,
    },
  };
}

type PresenceTypedData = {
  domain: ReturnType<typeof typedDomain>;
  types: typeof envelopeTypes;
  primaryType: "Envelope";
  message: { kind: string; topic: Hex; sender: Address; bodyHash: Hex; createdAt: number; expiry: number };
};

/** Topic inside the signature of every sign of life. */
export const PRESENCE_TOPIC: Hex = keccak256(stringToBytes("quorate/presence/v1"));

/**
 * Signs a sign of life.
 *
 * @param draft Provider, time of signing, time until which it means to be online (unix s).
 * @param signer The provider's key, or that of an agent in its profile.
 * @param domain Market.
 * @throws FatalError `INVALID_PROFILE`
 */
export async function signPresence(
  draft: Pick<Presence, "provider" | "createdAt" | "expiry">,
  signer: EnvelopeSigner,
  domain: MarketDomain,
): Promise<Presence> {
  const unsigned = { ...draft, sender: signer.address };
  if (unsigned.expiry <= unsigned.createdAt) {
    throw relayError("INVALID_PROFILE", "The sign of life expires before it was created.");
  }
  const signature = await signer.signTypedData(typedPresence(unsigned, domain));
  return parseWire(presenceSchema, { ...unsigned, signature }, "INVALID_PROFILE", "The sign of life");
}

/**
 * Tells whether a sign of life was signed by the provider of a profile or by one of the profile's agents.
 *
 * @param presence Parsed sign of life.
 * @param profile Verified profile of the same provider.
 * @param domain Market.
 */
export async function verifyPresence(presence: Presence, profile: Profile, domain: MarketDomain): Promise<boolean> {
  if (presence.expiry <= presence.createdAt || !isAddressEqual(presence.provider, profile.provider)) return false;
  const maySpeak = [profile.provider, ...profile.body.agents].some((key) => isAddressEqual(key, presence.sender));
  if (!maySpeak) return false;
  const digest = hashTypedData(typedPresence(presence, domain));
  return isSignedBy(digest, presence.signature, presence.sender);
}
