import { concatBytes, deriveOfferKeyPair, type EncryptionKeyPair, type Hex } from "@quorate/core";
import { keccak256 } from "viem";

/**
 * Key pair of an offer: derived from the agent's secret, a random seed of this offer and the job id.
 *
 * The seed is what makes the key deletable: the secret lives as long as the agent, so a key that followed from secret
 * and job id alone could be made again by whoever finds the secret. The seed alone, from a stolen database, gives
 * nothing either.
 *
 * @param secret The agent's secret, 32 bytes.
 * @param seed 32 random bytes, durable before the offer is signed and deleted after settlement.
 * @param jobId Job of the offer.
 */
export function offerKeyPair(secret: Uint8Array, seed: Uint8Array, jobId: Hex): EncryptionKeyPair {
  const material = keccak256(concatBytes(new TextEncoder().encode("quorate/offer-seed/v1"), secret, seed), "bytes");
  return deriveOfferKeyPair(material, jobId);
}
