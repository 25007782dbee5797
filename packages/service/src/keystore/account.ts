import { hkdfSync } from "node:crypto";
import { type Hex, hexToBytes, type LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** An account that signs, and derives further secrets; it never shows its private key. */
export type KeyAccount = LocalAccount & {
  /**
   * A secret that follows from the key and a purpose, the same after every restart and from every copy of the keystore.
   *
   * @param purpose For example `salts`; goes into the HKDF info as `quorate/<purpose>/v1`.
   * @returns 32 bytes (HKDF-SHA256 without salt, RFC 5869).
   */
  deriveSecret(purpose: string): Uint8Array;
};

/**
 * Makes an account of a private key.
 *
 * @param privateKey 32 bytes.
 */
export function keyAccountFrom(privateKey: Hex): KeyAccount {
  const account = privateKeyToAccount(privateKey);
  return Object.freeze({
    ...account,
    deriveSecret: (purpose: string): Uint8Array =>
      new Uint8Array(hkdfSync("sha256", hexToBytes(privateKey), new Uint8Array(0), `quorate/${purpose}/v1`, 32)),
  });
}
