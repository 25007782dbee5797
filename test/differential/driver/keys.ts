// Actors with keys, and signatures by them.
import type { Address, Hex } from "@quorate/core";
import { keccak256, stringToHex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import type { Signature } from "../model/types.ts";

/** Order of secp256k1, and the x of its generator, whose y is even. */
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const GX = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n;

/** Somebody who signs. */
export type Actor = { readonly name: string; readonly address: Address; readonly key: bigint };

/** The same actor in every run. */
export function createActor(name: string): Actor {
  const key = keccak256(stringToHex(`quorate differential ${name}`));
  return { name, address: privateKeyToAddress(key).toLowerCase() as Address, key: BigInt(key) };
}

/** Forms of a signature; the market takes the first only. */
export const FORMS = ["good", "high s", "compact", "v of 0 or 1", "short", "empty"] as const;
export type Form = (typeof FORMS)[number];

/**
 * Signs a digest with the nonce 1: valid for everybody who checks it, and a hundred times faster than a secret nonce. It gives the key
 * away, which nobody has a use for.
 */
export function sign({ address, key }: Actor, digest: Hex, form: Form = "good"): Signature {
  const { s, parity } = signatureNumbers(key, digest);
  const [r, low, high] = [word(GX), word(s), word(N - s)];
  const raws: Readonly<Record<Form, string>> = {
    good: r + low + byte(27 + parity),
    "high s": r + high + byte(28 - parity),
    compact: r + word(s | (BigInt(parity) << 255n)),
    "v of 0 or 1": r + low + byte(parity),
    short: r + low,
    empty: "",
  };
  return { raw: `0x${raws[form]}`, by: form === "good" ? address : undefined, over: digest };
}

/** Signs for `revealSet`: two words, the parity in the highest bit of the second. */
export function signPacked({ address, key }: Actor, digest: Hex, isMalleated = false): Signature {
  const { s, parity } = signatureNumbers(key, digest);
  const packed = isMalleated ? (N - s) | (BigInt(1 - parity) << 255n) : s | (BigInt(parity) << 255n);
  return {
    raw: `0x${word(GX)}${word(packed & ((1n << 256n) - 1n))}`,
    by: isMalleated ? undefined : address,
    over: digest,
  };
}

function signatureNumbers(key: bigint, digest: Hex): { readonly s: bigint; readonly parity: 0 | 1 } {
  const s = (BigInt(digest) + GX * key) % N;
  return s > N / 2n ? { s: N - s, parity: 1 } : { s, parity: 0 };
}

function word(value: bigint): string {
  return value.toString(16).padStart(64, "0");
}

function byte(value: number): string {
  return value.toString(16).padStart(2, "0");
}
