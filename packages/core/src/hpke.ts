import { Chacha20Poly1305 } from "@hpke/chacha20poly1305";
import { CipherSuite, HkdfSha256 } from "@hpke/core";
import { DhkemX25519HkdfSha256 } from "@hpke/dhkem-x25519";
import { x25519 } from "@noble/curves/ed25519.js";
import type { Address, Hex } from "viem";
import { bigEndian, concatBytes, hex, key32, utf8 } from "./bytes.ts";
import { FatalError } from "./errors.ts";
import { MIN_MESSAGE_BYTES, pad, unpad } from "./padding.ts";

/** What a sealed message is for; part of the HPKE `info`. */
export type SealPurpose = "key-wrap" | "offer" | "result" | "question" | "consent" | "subject";

/** X25519 keys. */
export type EncryptionKeyPair = {
  readonly publicKey: Hex;
  readonly privateKey: Hex;
};

/** What a sealed message is bound to. */
export type SealContext = {
  readonly jobId: Hex;
  /** The provider that the message goes to or comes from. */
  readonly provider: Address;
  readonly chainId: number;
  readonly market: Address;
};

/** Bytes of the encapsulated key in front of a ciphertext. */
const ENC_BYTES = 32;
const TAG_BYTES = 16;

/** Bytes of a key wrap: encapsulated key, 32 bytes of key, tag. */
export const KEY_WRAP_BYTES = 80;

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Chacha20Poly1305(),
});

/** Makes X25519 keys from the platform's randomness. */
export function generateEncryptionKeyPair(): EncryptionKeyPair {
  const { secretKey, publicKey } = x25519.keygen();
  return { privateKey: hex(secretKey), publicKey: hex(publicKey) };
}

/**
 * Public key of an X25519 private key.
 *
 * @param privateKey 32 bytes.
 */
export function encryptionPublicKey(privateKey: Hex): Hex {
  return hex(x25519.getPublicKey(key32(privateKey, "The private key")));
}

/**
 * Refuses public keys of low order: every shared secret with them is zero, so anybody could open what is sealed.
 *
 * @param publicKey X25519 key of somebody else, 32 bytes.
 * @throws FatalError `ZERO_SHARED_SECRET`, or `INVALID_KEY` when it is no 32 bytes.
 * @see RFC 9180, section 7.1.4; RFC 7748, section 6.1
 */
export function checkEncryptionKey(publicKey: Hex | Uint8Array): void {
  const point = key32(publicKey, "The encryption key");
  // X25519 scalars are multiples of the cofactor, so one scalar tells for all of them.
  const probe = new Uint8Array(32).fill(1);
  let shared: Uint8Array;
  try {
    shared = x25519.getSharedSecret(probe, point);
  } catch (cause) {
    throw zeroSharedSecret(cause);
  }
  if (shared.every((byte) => byte === 0)) throw zeroSharedSecret();
}

function zeroSharedSecret(cause?: unknown): FatalError {
  return new FatalError(
    "ZERO_SHARED_SECRET",
    "The X25519 key is of low order: what is sealed to it can be read by anybody. Refuse its owner.",
    { cause, docsPath: "protocol/keys.md" },
  );
}

/**
 * Associated data of a sealed message: `jobId ‖ provider (20) ‖ chain id (32) ‖ market (20)`.
 *
 * @param context Job, provider, market.
 */
export function sealAad({ jobId, provider, chainId, market }: SealContext): Uint8Array {
  return concatBytes(key32(jobId, "The job id"), address20(provider), bigEndian(chainId, 32), address20(market));
}

/** What a sealed message of a query is bound to. */
export type QuerySealContext = {
  readonly chainId: number;
  readonly market: Address;
  readonly provider: Address;
  readonly dataset: Hex;
  /** Zero when a subject speaks with the provider. */
  readonly asker: Address;
};

/**
 * Associated data of a sealed message of a query: `chain id (32) ‖ market (20) ‖ provider (20) ‖ dataset (32) ‖ asker (20)`.
 *
 * @param context Market, provider, dataset, asker.
 */
export function queryAad({ chainId, market, provider, dataset, asker }: QuerySealContext): Uint8Array {
  return concatBytes(
    bigEndian(chainId, 32),
    address20(market),
    address20(provider),
    key32(dataset, "The dataset"),
    address20(asker),
  );
}

function address20(address: Address): Uint8Array {
  if (!/^0x[0-9a-f]{40}$/i.test(address)) {
    throw new FatalError("INVALID_ADDRESS", `${address} is no address of 20 bytes.`);
  }
  return bigEndian(BigInt(address), 20);
}

/** A message to seal. */
export type SealParameters = {
  /** X25519 key of the one who shall read it. */
  readonly recipient: Hex;
  readonly purpose: SealPurpose;
  /** From {@link sealAad} or {@link queryAad}. */
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
};

/**
 * Seals a message to a key: HPKE base mode (RFC 9180), `enc (32) ‖ ciphertext`. Everything but a key wrap, whose length is
 * fixed, is padded to size classes first, so that the length of a result or the digits of a price do not show.
 *
 * @param parameters Recipient, purpose, associated data, plaintext.
 * @throws FatalError `ZERO_SHARED_SECRET` for a key of low order; `INVALID_KEY`.
 */
export async function sealTo({ recipient, purpose, aad, plaintext }: SealParameters): Promise<Uint8Array> {
  checkEncryptionKey(recipient);
  const content = isPadded(purpose) ? pad(plaintext, MIN_MESSAGE_BYTES) : plaintext;
  return hpkeSeal(key32(recipient, "The encryption key"), infoOf(purpose), aad, content);
}

/** A message to open. */
export type OpenSealedParameters = {
  readonly privateKey: Hex;
  readonly purpose: SealPurpose;
  /** From {@link sealAad} or {@link queryAad}. */
  readonly aad: Uint8Array;
  /** From anybody. */
  readonly sealed: Uint8Array;
};

/**
 * Opens a message that was sealed to a key.
 *
 * @param parameters Key, purpose, associated data, sealed bytes.
 * @throws FatalError `ZERO_SHARED_SECRET` for an encapsulated key of low order; `SEAL_DOES_NOT_OPEN` when it is
 * malformed, altered, for another key, or bound to something else.
 */
export async function openSealed({ privateKey, purpose, aad, sealed }: OpenSealedParameters): Promise<Uint8Array> {
  if (sealed.length < ENC_BYTES + TAG_BYTES) throw doesNotOpen(purpose);
  const enc = sealed.slice(0, ENC_BYTES);
  checkEncryptionKey(enc);
  const key = key32(privateKey, "The private key");
  let content: Uint8Array;
  try {
    content = await hpkeOpen(key, enc, infoOf(purpose), aad, sealed.slice(ENC_BYTES));
  } catch (cause) {
    throw doesNotOpen(purpose, cause);
  }
  if (!isPadded(purpose)) return content;
  try {
    return unpad(content, MIN_MESSAGE_BYTES);
  } catch (cause) {
    throw doesNotOpen(purpose, cause);
  }
}

function isPadded(purpose: SealPurpose): boolean {
  return purpose !== "key-wrap";
}

function infoOf(purpose: SealPurpose): Uint8Array {
  return utf8(`quorate/${purpose}/v1`);
}

function doesNotOpen(purpose: SealPurpose, cause?: unknown): FatalError {
  return new FatalError(
    "SEAL_DOES_NOT_OPEN",
    `The sealed ${purpose} does not open: it is damaged, for another key, or bound to something else.`,
    { cause, details: { purpose } },
  );
}

/**
 * HPKE base mode with free `info`; exported for the test vectors of RFC 9180.
 *
 * @internal
 */
export async function hpkeSeal(
  recipient: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  content: Uint8Array,
  ephemeral?: CryptoKeyPair,
): Promise<Uint8Array> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(buffer(recipient));
  const sender = await suite.createSenderContext({
    recipientPublicKey,
    info: buffer(info),
    ...(ephemeral === undefined ? {} : { ekm: ephemeral }),
  });
  const ciphertext = await sender.seal(buffer(content), buffer(aad));
  return concatBytes(new Uint8Array(sender.enc), new Uint8Array(ciphertext));
}

/**
 * Opens HPKE base mode with free `info`; exported for the test vectors of RFC 9180.
 *
 * @internal
 */
export async function hpkeOpen(
  privateKey: Uint8Array,
  enc: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  const recipientKey = await suite.kem.deserializePrivateKey(buffer(privateKey));
  const recipient = await suite.createRecipientContext({ recipientKey, enc: buffer(enc), info: buffer(info) });
  return new Uint8Array(await recipient.open(buffer(ciphertext), buffer(aad)));
}

/** A copy in an ArrayBuffer of its own: the library reads whole buffers. */
function buffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
