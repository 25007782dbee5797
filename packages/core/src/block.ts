import { sha256 } from "@noble/hashes/sha2.js";
import { CID } from "multiformats/cid";
import * as digest from "multiformats/hashes/digest";
import type { Hex } from "viem";
import { equalBytes, hex, key32 } from "./bytes.ts";

/** A content-addressed piece of bytes. */
export type Block = {
  /** CID version 1 in base32. */
  readonly cid: string;
  readonly bytes: Uint8Array;
};

/** Largest block that is made or accepted: 1 MiB, the size of an IPFS chunk. */
export const MAX_BLOCK_BYTES = 1_048_576;

/** Multicodec of raw bytes. */
export const RAW_CODEC = 0x55;
/** Multicodec of dag-pb. */
export const DAG_PB_CODEC = 0x70;
const SHA2_256 = 0x12;

/**
 * CID of bytes under a codec: version 1, SHA-256.
 *
 * @param codec {@link RAW_CODEC} or {@link DAG_PB_CODEC}.
 * @param bytes Content.
 */
export function cidOf(codec: number, bytes: Uint8Array): CID {
  return CID.createV1(codec, digest.create(SHA2_256, sha256(bytes)));
}

/**
 * Cuts bytes into raw blocks of at most 1 MiB.
 *
 * @param bytes Content; empty content gives one empty block.
 */
export function blocksOf(bytes: Uint8Array): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start === 0 || start < bytes.length; start += MAX_BLOCK_BYTES) {
    const leaf = bytes.slice(start, start + MAX_BLOCK_BYTES);
    blocks.push({ cid: cidOf(RAW_CODEC, leaf).toString(), bytes: leaf });
  }
  return blocks;
}

/**
 * Tells whether a string is the canonical spelling of a CID that this project uses: version 1, base32, SHA-256, raw or
 * dag-pb.
 *
 * @param cid From anywhere.
 */
export function isCid(cid: string): boolean {
  return parseCid(cid) !== undefined;
}

/**
 * Tells whether bytes are the block of a CID.
 *
 * @param cid From anywhere.
 * @param bytes From anywhere.
 * @returns False for malformed CIDs and for blocks above 1 MiB, too.
 */
export function verifyBlock(cid: string, bytes: Uint8Array): boolean {
  const parsed = parseCid(cid);
  return parsed !== undefined && bytes.length <= MAX_BLOCK_BYTES && equalBytes(parsed.multihash.digest, sha256(bytes));
}

/**
 * As {@link verifyBlock}, off the caller's thread where the platform has WebCrypto: a browser has none on plain http.
 *
 * @param cid From anywhere.
 * @param bytes From anywhere; not to be changed meanwhile.
 */
export async function verifyBlockAsync(cid: string, bytes: Uint8Array): Promise<boolean> {
  const { subtle } = globalThis.crypto as Partial<Crypto>;
  if (subtle === undefined) return verifyBlock(cid, bytes);
  const parsed = parseCid(cid);
  if (parsed === undefined || bytes.length > MAX_BLOCK_BYTES) return false;
  const found = await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return equalBytes(parsed.multihash.digest, new Uint8Array(found));
}

/**
 * CID of the root of a package, from the hash in its request.
 *
 * @param packageHash SHA-256 digest of the root block.
 */
export function cidOfPackage(packageHash: Hex): string {
  return CID.createV1(DAG_PB_CODEC, digest.create(SHA2_256, key32(packageHash, "The package hash"))).toString();
}

/**
 * SHA-256 digest inside a CID.
 *
 * @param cid Parsed CID.
 */
export function digestOf(cid: CID): Hex {
  return hex(cid.multihash.digest);
}

function parseCid(cid: string): CID | undefined {
  // 59 characters: base32 of version, codec, hash code, length and 32 bytes.
  if (!/^b[a-z2-7]{58}$/.test(cid)) return undefined;
  try {
    const parsed = CID.parse(cid);
    const isKnown =
      parsed.version === 1 &&
      (parsed.code === RAW_CODEC || parsed.code === DAG_PB_CODEC) &&
      parsed.multihash.code === SHA2_256 &&
      parsed.multihash.size === 32 &&
      parsed.toString() === cid;
    return isKnown ? parsed : undefined;
  } catch {
    return undefined;
  }
}
