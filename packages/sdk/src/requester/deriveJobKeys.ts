import { type EncryptionKeyPair, encryptionPublicKey, FatalError, type MarketDomain } from "@quorate/core";
import { bytesToHex, concatBytes, type Hex, hexToBytes, keccak256, numberToBytes, stringToBytes } from "viem";
import type { MarketClient } from "../client.ts";
import { accountOf } from "../internal/sendCall.ts";

/** Keys of one job. */
export type JobKeys = {
  /** 32 bytes; secret. */
  readonly packageKey: Uint8Array;
  readonly encryption: EncryptionKeyPair;
};

const secretTypes = {
  RequesterKeys: [
    { name: "purpose", type: "string" },
    { name: "market", type: "address" },
    { name: "chainId", type: "uint256" },
  ],
} as const;

/**
 * Derives the requester's secret from a signature of its wallet, so that keys of all its jobs can be found again with the
 * wallet alone. The wallet must sign deterministically (RFC 6979), which is checked by signing twice.
 *
 * Warning: any site that gets this signature reads the requester's jobs. The domain's name tells wallets what is signed.
 *
 * @param client Market client with a wallet.
 * @returns 32 secret bytes.
 * @throws FatalError `WALLET_NOT_DETERMINISTIC`: use random keys and back up the key store instead; `WALLET_MISSING`.
 */
export async function deriveRequesterSecret(client: MarketClient): Promise<Uint8Array> {
  const account = accountOf(client);
  const sign = async (): Promise<Hex> => {
    const wallet = client.wallet;
    if (wallet === undefined) throw new TypeError("unreachable: the account came from the wallet");
    return wallet.signTypedData({
      account,
      domain: { name: "Quorate requester keys", version: "1" },
      types: secretTypes,
      primaryType: "RequesterKeys",
      message: {
        purpose: "Unlocks the keys of your own jobs. Sign only in software you trust.",
        market: client.market,
        chainId: BigInt(client.chainId),
      },
    });
  };
  const first = await sign();
  if ((await sign()) !== first) {
    throw new FatalError(
      "WALLET_NOT_DETERMINISTIC",
      "The wallet signs the same message differently each time, so keys cannot be found again from it. Use random keys and keep a backup of the key store.",
    );
  }
  return hexToBytes(keccak256(first));
}

/**
 * Derives the keys of one job: HKDF-SHA256 of the secret, salted with market and nonce.
 *
 * @param secret From `deriveRequesterSecret`.
 * @param nonce The request's nonce. Every request has its own: a package key must never encrypt twice.
 * @param domain Market.
 */
export async function deriveJobKeys(secret: Uint8Array, nonce: bigint, domain: MarketDomain): Promise<JobKeys> {
  const salt = concatBytes([
    numberToBytes(nonce, { size: 32 }),
    numberToBytes(domain.chainId, { size: 32 }),
    hexToBytes(domain.market),
  ]);
  const packageKey = await hkdf(secret, salt, "quorate/requester/package-key/v1");
  const privateKey = bytesToHex(await hkdf(secret, salt, "quorate/requester/encryption-key/v1"));
  return { packageKey, encryption: { privateKey, publicKey: encryptionPublicKey(privateKey) } };
}

async function hkdf(secret: Uint8Array, salt: Uint8Array, info: string): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", new Uint8Array(secret), "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(salt), info: new Uint8Array(stringToBytes(info)) },
    key,
    256,
  );
  return new Uint8Array(bits);
}
