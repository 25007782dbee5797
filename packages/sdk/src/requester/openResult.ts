import { type Hex, openSealed, resultHashOf } from "@quorate/core";

/** A delivered result as it lies on relays, with what opens it. Structured clones carry it to a worker. */
export type SealedResult = {
  /** X25519 key of the job that opens it, 32 bytes. */
  readonly encryptionPrivateKey: Hex;
  /** From `deriveResultKey`: part of the hash. */
  readonly resultKey: Uint8Array;
  /** Job and provider that it is bound to, from `sealAad`. */
  readonly aad: Uint8Array;
  readonly sealed: Uint8Array;
};

/** An opened result; whether it is the accepted one, the hash tells. */
export type OpenedResult = {
  readonly bytes: Uint8Array;
  readonly resultHash: Hex;
};

/**
 * Opens and hashes a delivered result: a second of computing for the largest. A page has a worker do it, by
 * `createRequester({ openResult })`.
 *
 * @param parameters Delivery and keys.
 * @throws FatalError `SEAL_DOES_NOT_OPEN` when it was sealed to another key, for another job or by another provider, or was changed.
 */
export async function openResult({
  encryptionPrivateKey,
  resultKey,
  aad,
  sealed,
}: SealedResult): Promise<OpenedResult> {
  const bytes = await openSealed({ privateKey: encryptionPrivateKey, purpose: "result", aad, sealed });
  return { bytes, resultHash: resultHashOf(resultKey, bytes) };
}
