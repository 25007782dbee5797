import { createNode, decode as decodeNode, encode as encodeNode } from "@ipld/dag-pb";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import type { Hex } from "viem";
import {
  type Block,
  cidOf,
  cidOfPackage,
  DAG_PB_CODEC,
  digestOf,
  MAX_BLOCK_BYTES,
  RAW_CODEC,
  verifyBlock,
} from "./block.ts";
import { bigEndian, concatBytes, equalBytes, utf8 } from "./bytes.ts";
import { FatalError } from "./errors.ts";
import { contentHashOf, derivePackageKeys } from "./keys.ts";
import { decodePackage, MAX_PACKAGE_BYTES, type Package } from "./package.ts";
import { pad, unpad } from "./padding.ts";

const TAG_BYTES = 16;
/** Plaintext of a full leaf: with its tag the leaf has exactly 1 MiB. */
const LEAF_PLAINTEXT_BYTES = MAX_BLOCK_BYTES - TAG_BYTES;
/** Smallest padded package, bytes. */
export const MIN_PACKAGE_CLASS = 4_096;
/** Most leaves of a package. Below the 174 links of a node that IPFS makes, so that one root holds them all. */
export const MAX_LEAVES: number = Math.ceil(2 ** 27 / LEAF_PLAINTEXT_BYTES);
/** Largest root block that is read, bytes. */
const MAX_ROOT_BYTES = 16_384;
const LEAF_LABEL = utf8("quorate/leaf/v1");

/** An encrypted package, ready for any IPFS store. */
export type EncryptedPackage = {
  /** `packageHash` of the request: SHA-256 digest of the root block. */
  readonly root: Hex;
  /** CID of the root. */
  readonly cid: string;
  /** Root block first, then the leaves in order. */
  readonly blocks: readonly Block[];
};

/** What the root of a package says, bounds checked. */
export type PackageRoot = {
  /** CIDs of the leaves in order. */
  readonly leaves: readonly string[];
  /** Bytes of each leaf. */
  readonly sizes: readonly number[];
  /** Bytes of all leaves. */
  readonly totalBytes: number;
};

/**
 * Encrypts an encoded package into content-addressed blocks: padded to a size class, cut into leaves, each sealed with
 * ChaCha20-Poly1305 under the leaf key, nonce = index, associated data = index and number of leaves, so that a leaf
 * dropped, moved or repeated does not open. The root is a UnixFS file over raw leaves: the CID that
 * `ipfs add --cid-version=1 --raw-leaves --chunker=size-1048576` gives for the ciphertext of two leaves or more.
 *
 * Warning: a package key encrypts one package. A second package under the same key shows the difference of both.
 *
 * @param plaintext From `encodePackage`.
 * @param packageKey 32 bytes from `generatePackageKey`.
 * @throws FatalError `PACKAGE_TOO_LARGE`.
 */
export function encryptPackage(plaintext: Uint8Array, packageKey: Uint8Array): EncryptedPackage {
  if (plaintext.length > MAX_PACKAGE_BYTES) {
    throw new FatalError(
      "PACKAGE_TOO_LARGE",
      `The package has ${plaintext.length} bytes; at most ${MAX_PACKAGE_BYTES} can be sent. Make it smaller.`,
    );
  }
  const { leafKey } = derivePackageKeys(packageKey);
  const padded = pad(plaintext, MIN_PACKAGE_CLASS);
  const count = Math.ceil(padded.length / LEAF_PLAINTEXT_BYTES);
  const leaves = Array.from({ length: count }, (_, index) => {
    const chunk = padded.subarray(index * LEAF_PLAINTEXT_BYTES, (index + 1) * LEAF_PLAINTEXT_BYTES);
    const bytes = leafCipher(leafKey, index, count).encrypt(chunk);
    return { cid: cidOf(RAW_CODEC, bytes), bytes };
  });
  const rootBytes = encodeRoot(leaves.map(({ cid, bytes }) => ({ cid, size: bytes.length })));
  const rootCid = cidOf(DAG_PB_CODEC, rootBytes);
  return {
    root: digestOf(rootCid),
    cid: rootCid.toString(),
    blocks: [
      { cid: rootCid.toString(), bytes: rootBytes },
      ...leaves.map(({ cid, bytes }) => ({ cid: cid.toString(), bytes })),
    ],
  };
}

/**
 * Reads the root block of a package from anywhere. Fetch its leaves only after this.
 *
 * @param packageHash From the request.
 * @param bytes Root block.
 * @throws FatalError `PACKAGE_MISMATCH` when the bytes are not this block, `PACKAGE_MALFORMED` when it is no root that
 * `encryptPackage` makes.
 */
export function readPackageRoot(packageHash: Hex, bytes: Uint8Array): PackageRoot {
  if (bytes.length > MAX_ROOT_BYTES) return malformed(`its root is larger than ${MAX_ROOT_BYTES} bytes`);
  if (!verifyBlock(cidOfPackage(packageHash), bytes))
    return mismatch("its root is not the block that the request names");
  const links = decodeRoot(bytes);
  if (links.length === 0 || links.length > MAX_LEAVES) return malformed(`it has ${links.length} leaves`);
  links.forEach(({ cid, size }, index) => {
    const isLast = index === links.length - 1;
    const isSized = isLast ? size > TAG_BYTES && size <= MAX_BLOCK_BYTES : size === MAX_BLOCK_BYTES;
    if (!isSized) malformed(`leaf ${index} has ${size} bytes`);
    if (!verifiableLeaf(cid)) malformed(`leaf ${index} is no raw SHA-256 block`);
  });
  // One root has one encoding: names, times or unknown members could carry marks.
  if (!equalBytes(encodeRoot(links), bytes)) return malformed("its root is not in canonical form");
  return {
    leaves: links.map(({ cid }) => cid.toString()),
    sizes: links.map(({ size }) => size),
    totalBytes: links.reduce((sum, { size }) => sum + size, 0),
  };
}

/** Blocks of a package as they were fetched. */
export type FetchedPackage = {
  /** From the request. */
  readonly packageHash: Hex;
  /** Root block. */
  readonly root: Uint8Array;
  /** In the order of the root. */
  readonly leaves: readonly Uint8Array[];
};

/**
 * Decrypts a package from blocks of anywhere.
 *
 * @param fetched Package hash, root block, leaves.
 * @param packageKey 32 bytes.
 * @returns Encoded package; compare its content hash before use, or call {@link openPackage}.
 * @throws FatalError `PACKAGE_MISMATCH` when blocks do not match their CIDs or do not open under the key,
 * `PACKAGE_MALFORMED` when root or padding are malformed.
 */
export function decryptPackage({ packageHash, root, leaves }: FetchedPackage, packageKey: Uint8Array): Uint8Array {
  const { leaves: cids, sizes } = readPackageRoot(packageHash, root);
  if (leaves.length !== cids.length) mismatch(`${leaves.length} of ${cids.length} leaves are there`);
  const { leafKey } = derivePackageKeys(packageKey);
  const chunks = leaves.map((bytes, index) => {
    if (bytes.length !== sizes[index] || !verifyBlock(cids[index] as string, bytes)) {
      mismatch(`leaf ${index} does not match its CID`);
    }
    try {
      return leafCipher(leafKey, index, leaves.length).decrypt(bytes);
    } catch (cause) {
      return mismatch(`leaf ${index} does not open under the key`, cause);
    }
  });
  try {
    return unpad(concatBytes(...chunks), MIN_PACKAGE_CLASS);
  } catch (cause) {
    return malformed("its padding is malformed", cause);
  }
}

/**
 * Decrypts a package, holds it against its content hash, and decodes it.
 *
 * @param fetched Package hash, content hash, root block, leaves.
 * @param packageKey 32 bytes.
 * @throws FatalError `PACKAGE_MISMATCH`, `PACKAGE_MALFORMED`.
 */
export function openPackage(fetched: FetchedPackage & { readonly contentHash: Hex }, packageKey: Uint8Array): Package {
  const plaintext = decryptPackage(fetched, packageKey);
  const { contentKey } = derivePackageKeys(packageKey);
  if (contentHashOf(contentKey, plaintext) !== fetched.contentHash.toLowerCase()) {
    mismatch("it opens to another content than the request names");
  }
  return decodePackage(plaintext);
}

function leafCipher(leafKey: Uint8Array, index: number, count: number): ReturnType<typeof chacha20poly1305> {
  const isLast = index === count - 1;
  const aad = concatBytes(LEAF_LABEL, bigEndian(index, 4), bigEndian(count, 4), Uint8Array.of(isLast ? 1 : 0));
  return chacha20poly1305(leafKey, bigEndian(index, 12), aad);
}

type Link = { readonly cid: CID; readonly size: number };

function encodeRoot(links: readonly Link[]): Uint8Array {
  const file = new UnixFS({ type: "file", blockSizes: links.map(({ size }) => BigInt(size)) });
  return encodeNode(
    createNode(
      file.marshal(),
      links.map(({ cid, size }) => ({ Name: "", Tsize: size, Hash: cid })),
    ),
  );
}

function decodeRoot(bytes: Uint8Array): Link[] {
  try {
    return decodeNode(bytes).Links.map(({ Hash, Tsize }) => ({ cid: Hash, size: Tsize ?? 0 }));
  } catch (cause) {
    return malformed("its root cannot be read", cause);
  }
}

function verifiableLeaf(cid: CID): boolean {
  return cid.version === 1 && cid.code === RAW_CODEC && cid.multihash.code === 0x12 && cid.multihash.size === 32;
}

function mismatch(why: string, cause?: unknown): never {
  throw new FatalError("PACKAGE_MISMATCH", `The package does not match: ${why}.`, { cause });
}

function malformed(why: string, cause?: unknown): never {
  throw new FatalError("PACKAGE_MALFORMED", `The package cannot be used: ${why}.`, { cause });
}
