import { type MarketDomain, type SignedOffer, sealAad, sealTo } from "@quorate/core";
import { bytesToHex, type Hex, hexToBytes } from "viem";

/**
 * Seals the package key to every provider of a panel. Every one of them, spares and shadows included, can read the package
 * from then on.
 *
 * @param params Job, secret package key, offers in the order of places, market.
 * @returns The offers with their key wraps.
 * @throws FatalError `ZERO_SHARED_SECRET` for an encryption key of low order.
 */
export function sealKeyWraps(params: {
  readonly jobId: Hex;
  readonly packageKey: Hex;
  readonly offers: readonly SignedOffer[];
  readonly domain: MarketDomain;
}): Promise<SignedOffer[]> {
  const { jobId, domain } = params;
  const plaintext = hexToBytes(params.packageKey);
  return Promise.all(
    params.offers.map(async (offer) => {
      const aad = sealAad({ jobId, provider: offer.provider, ...domain });
      const sealed = await sealTo({ recipient: offer.encryptionKey, purpose: "key-wrap", aad, plaintext });
      return { ...offer, keyWrap: bytesToHex(sealed) };
    }),
  );
}
