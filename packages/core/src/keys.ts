import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Hex, keccak256 } from "viem";
import { bigEndian, concatBytes, hex, KEY_BYTES, key32, utf8 } from "./bytes.ts";
import type { EncryptionKeyPair } from "./hpke.ts";

/** Keys that belong to a package, whatever job it is used in. */
export type PackageKeys = {
  /** Binds the plaintext: `contentHash = keccak256(contentKey ‖ package)`. */
  readonly contentKey: Uint8Array;
  /** Encrypts the leaves. */
  readonly leafKey: Uint8Array;
};

/** Makes a package key, 32 random bytes. One package, one key: a key never encrypts twice. */
export function generatePackageKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(KEY_BYTES));
}

/**
 * Derives content key and leaf key (HKDF-SHA256 without salt, infos `quorate/content-key/v1`, `quorate/leaf-key/v1`).
 *
 * @param packageKey 32 bytes.
 */
export function derivePackageKeys(packageKey: Uint8Array): PackageKeys {
  const key = key32(packageKey, "The package key");
  return {
    contentKey: derive(key, undefined, "quorate/content-key/v1"),
    leafKey: derive(key, undefined, "quorate/leaf-key/v1"),
  };
}

/**
 * Derives the result key of a job (HKDF-SHA256, salt = job id, info `quorate/result-key/v1`).
 *
 * @param packageKey 32 bytes.
 * @param jobId The job.
 */
export function deriveResultKey(packageKey: Uint8Array, jobId: Hex): Uint8Array {
  return derive(key32(packageKey, "The package key"), key32(jobId, "The job id"), "quorate/result-key/v1");
}

/**
 * Hash of a result that only holders of the package key can guess: `keccak256(resultKey ‖ result)`.
 *
 * @param resultKey From {@link deriveResultKey}.
 * @param result Bytes of the result: output, or the encoded failure.
 */
export function resultHashOf(resultKey: Uint8Array, result: Uint8Array): Hex {
  return keccak256(concatBytes(key32(resultKey, "The result key"), result));
}

/**
 * Hash that binds the plaintext of a package to its key: `keccak256(contentKey ‖ package)`. ChaCha20-Poly1305 alone does
 * not: a ciphertext can be made that opens differently under two keys.
 *
 * @param contentKey From {@link derivePackageKeys}.
 * @param plaintext Encoded package.
 */
export function contentHashOf(contentKey: Uint8Array, plaintext: Uint8Array): Hex {
  return keccak256(concatBytes(key32(contentKey, "The content key"), plaintext));
}

/**
 * Derives the salt of a provider's vote, so that it can be found again after a loss (HKDF-SHA256, salt = job id, info
 * `quorate/salt/v1`).
 *
 * @param agentSecret 32 bytes that only the agent knows.
 * @param jobId The job.
 */
export function deriveSalt(agentSecret: Uint8Array, jobId: Hex): Hex {
  return hex(derive(key32(agentSecret, "The agent's secret"), key32(jobId, "The job id"), "quorate/salt/v1"));
}

/**
 * Derives the key pair of an offer (HKDF-SHA256, salt = job id, info `quorate/offer-key/v1 ‖ index`).
 *
 * An agent that wants forward secrecy gives a secret that it deletes after settlement, not the one of its salts.
 *
 * @param agentSecret 32 bytes that only the agent knows.
 * @param jobId The job.
 * @param index Number of the offer for this job, from 0.
 */
export function deriveOfferKeyPair(agentSecret: Uint8Array, jobId: Hex, index = 0): EncryptionKeyPair {
  const privateKey = hkdf(
    sha256,
    key32(agentSecret, "The agent's secret"),
    key32(jobId, "The job id"),
    concatBytes(utf8("quorate/offer-key/v1"), bigEndian(index, 4)),
    KEY_BYTES,
  );
  return { privateKey: hex(privateKey), publicKey: hex(x25519.getPublicKey(privateKey)) };
}

function derive(key: Uint8Array, salt: Uint8Array | undefined, info: string): Uint8Array {
  return hkdf(sha256, key, salt, utf8(info), KEY_BYTES);
}
