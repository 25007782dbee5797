import assert from "node:assert/strict";
import { test } from "node:test";
import { createNode, encode } from "@ipld/dag-pb";
import { assertCode, buildPackage, testHash } from "@quorate/testkit";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import {
  type Block,
  blocksOf,
  cidOf,
  cidOfPackage,
  DAG_PB_CODEC,
  digestOf,
  isCid,
  MAX_BLOCK_BYTES,
  RAW_CODEC,
  verifyBlock,
  verifyBlockAsync,
} from "./block.ts";
import { concatBytes, utf8 } from "./bytes.ts";
import { contentHashOf, derivePackageKeys } from "./keys.ts";
import { encodePackage } from "./package.ts";
import { decryptPackage, encryptPackage, type FetchedPackage, openPackage, readPackageRoot } from "./package-cipher.ts";

const key = new Uint8Array(32).fill(7);
const plaintext = new Uint8Array(2_500_000).map((_, index) => (index * 31) & 255);
const encrypted = encryptPackage(plaintext, key);
const fetched = (blocks: readonly Block[] = encrypted.blocks, packageHash = encrypted.root): FetchedPackage => ({
  packageHash,
  root: (blocks[0] as Block).bytes,
  leaves: blocks.slice(1).map(({ bytes }) => bytes),
});

test("the root is the CID that ipfs add gives for the ciphertext", () => {
  // Witness: ipfs-unixfs-importer 17, cidVersion 1, rawLeaves, fixed chunks of 1 MiB, 174 links a node.
  assert.equal(encrypted.cid, "bafybeiarbgosmdkwz4s6bpwukgtiqbug6kqj22vlf32r2lue4rs56cpwvm");
  assert.equal(cidOfPackage(encrypted.root), encrypted.cid);
});

test("leaves have at most 1 MiB, match their CIDs, and their sum is a size class", () => {
  const root = readPackageRoot(encrypted.root, (encrypted.blocks[0] as Block).bytes);
  assert.deepEqual(root.sizes, [MAX_BLOCK_BYTES, MAX_BLOCK_BYTES, 524_288 + 48]);
  assert.equal(root.totalBytes, 2_621_440 + 48);
  assert.deepEqual(
    root.leaves,
    encrypted.blocks.slice(1).map(({ cid }) => cid),
  );
  for (const { cid, bytes } of encrypted.blocks) assert.equal(verifyBlock(cid, bytes), true);
});

test("packages of a size class look alike", () => {
  const sizes = [10, 4_000].map((length) =>
    encryptPackage(new Uint8Array(length), key).blocks.map(({ bytes }) => bytes.length),
  );
  assert.deepEqual(sizes[0], sizes[1]);
});

test("a package decrypts to what was encrypted", () => {
  for (const length of [0, 1, 4_088, 4_089, 1_048_552, 1_048_568]) {
    const content = new Uint8Array(length).fill(1);
    const { root, blocks } = encryptPackage(content, key);
    assert.deepEqual(decryptPackage(fetched(blocks, root), key), content);
  }
  assert.deepEqual(decryptPackage(fetched(), key), plaintext);
});

test("another key opens nothing", async () => {
  await assertCode(() => decryptPackage(fetched(), new Uint8Array(32)), "PACKAGE_MISMATCH");
});

test("leaves that are missing, moved or altered are refused", async () => {
  const [root, a, b, c] = encrypted.blocks as [Block, Block, Block, Block];
  const altered = { ...c, bytes: c.bytes.slice() };
  altered.bytes[0] = (altered.bytes[0] as number) ^ 1;
  for (const blocks of [
    [root, a, b],
    [root, b, a, c],
    [root, a, b, altered],
    [root, a, b, c, c],
  ]) {
    await assertCode(() => decryptPackage(fetched(blocks), key), "PACKAGE_MISMATCH");
  }
});

type Link = { cid: CID; size: number };
const linkOf = (bytes: Uint8Array): Link => ({ cid: cidOf(RAW_CODEC, bytes), size: bytes.length });
/** A root as a hostile requester would make it. */
function rootOf(links: readonly Link[], data: Uint8Array = unixfs(links)): { bytes: Uint8Array; hash: `0x${string}` } {
  const bytes = encode(
    createNode(
      data,
      links.map(({ cid, size }) => ({ Name: "", Tsize: size, Hash: cid })),
    ),
  );
  return { bytes, hash: digestOf(cidOf(DAG_PB_CODEC, bytes)) };
}
function unixfs(links: readonly Link[]): Uint8Array {
  return new UnixFS({ type: "file", blockSizes: links.map(({ size }) => BigInt(size)) }).marshal();
}

test("a root that cuts, moves or repeats leaves names blocks that do not open", async () => {
  const [, a, b, c] = encrypted.blocks.map(({ bytes }) => bytes) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  for (const leaves of [
    [a, b],
    [b, a, c],
    [a, b, b, c],
    [a, a, c],
  ]) {
    const { bytes, hash } = rootOf(leaves.map(linkOf));
    await assertCode(() => decryptPackage({ packageHash: hash, root: bytes, leaves }, key), "PACKAGE_MISMATCH");
  }
});

const small = linkOf(new Uint8Array(64));
const full = linkOf(new Uint8Array(MAX_BLOCK_BYTES));
const hostile: readonly [string, { bytes: Uint8Array; hash: `0x${string}` }][] = [
  ["no leaves", rootOf([])],
  ["too many leaves", rootOf([...Array<Link>(129).fill(full), small])],
  ["a leaf above 1 MiB", rootOf([{ ...small, size: MAX_BLOCK_BYTES + 1 }])],
  ["a short leaf in the middle", rootOf([small, small])],
  ["a leaf without content", rootOf([{ ...small, size: 16 }])],
  ["a leaf that is a node", rootOf([{ ...small, cid: cidOf(DAG_PB_CODEC, new Uint8Array(64)) }])],
  ["sizes that disagree", rootOf([small], unixfs([{ ...small, size: 65 }]))],
  ["a folder", rootOf([small], new UnixFS({ type: "directory" }).marshal())],
  ["a time", rootOf([small], new UnixFS({ type: "file", blockSizes: [64n], mtime: { secs: 5n } }).marshal())],
  ["inline data", rootOf([small], new UnixFS({ type: "file", data: utf8("x"), blockSizes: [64n] }).marshal())],
];
for (const [name, { bytes, hash }] of hostile) {
  test(`a root with ${name} is refused before anything is fetched`, async () => {
    await assertCode(() => readPackageRoot(hash, bytes), "PACKAGE_MALFORMED");
  });
}

test("a root that is no dag-pb is refused", async () => {
  const junk = utf8("junk");
  await assertCode(() => readPackageRoot(digestOf(cidOf(DAG_PB_CODEC, junk)), junk), "PACKAGE_MALFORMED");
  await assertCode(() => readPackageRoot(testHash(1), junk), "PACKAGE_MISMATCH");
  await assertCode(() => readPackageRoot(testHash(1), new Uint8Array(16_385)), "PACKAGE_MALFORMED");
});

test("openPackage holds the content against its hash, so that one ciphertext has one content", async () => {
  const pkg = buildPackage();
  const encoded = encodePackage(pkg);
  const { root, blocks } = encryptPackage(encoded, key);
  const contentHash = contentHashOf(derivePackageKeys(key).contentKey, encoded);
  assert.deepEqual(openPackage({ ...fetched(blocks, root), contentHash }, key), pkg);
  await assertCode(() => openPackage({ ...fetched(blocks, root), contentHash: testHash(1) }, key), "PACKAGE_MISMATCH");
});

test("a package that is padded by hand is refused", async () => {
  const { root, blocks } = encryptPackage(utf8("no package"), key);
  const contentHash = contentHashOf(derivePackageKeys(key).contentKey, utf8("no package"));
  await assertCode(() => openPackage({ ...fetched(blocks, root), contentHash }, key), "PACKAGE_MALFORMED");
});

test("blocks are verified against canonical CIDs only, with WebCrypto and without", async (t) => {
  const bytes = utf8("hello");
  const cid = cidOf(RAW_CODEC, bytes).toString();
  assert.equal(cid, "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
  const bare = { ...globalThis.crypto, subtle: undefined };
  const verify = async (name: string, content: Uint8Array): Promise<boolean> => {
    const verdict = verifyBlock(name, content);
    assert.equal(await verifyBlockAsync(name, content), verdict);
    const without = t.mock.getter(globalThis, "crypto", () => bare as unknown as Crypto);
    assert.equal(await verifyBlockAsync(name, content), verdict);
    without.mock.restore();
    return verdict;
  };
  assert.equal(await verify(cid, bytes), true);
  assert.equal(await verify(cid, utf8("hellO")), false);
  assert.equal(await verify(cid, new Uint8Array(MAX_BLOCK_BYTES + 1)), false);
  for (const other of [
    "",
    cid.toUpperCase(),
    `${cid}a`,
    cid.slice(0, -1),
    "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnu3Ab",
    `${cid}/../x`,
  ]) {
    assert.equal(await verify(other, bytes), false, other);
    assert.equal(isCid(other), false, other);
  }
});

test("bytes are cut into blocks and joined again", () => {
  const bytes = new Uint8Array(MAX_BLOCK_BYTES * 2 + 5).fill(3);
  const blocks = blocksOf(bytes);
  assert.deepEqual(
    blocks.map((block) => block.bytes.length),
    [MAX_BLOCK_BYTES, MAX_BLOCK_BYTES, 5],
  );
  assert.deepEqual(concatBytes(...blocks.map((block) => block.bytes)), bytes);
  assert.equal(blocksOf(new Uint8Array(0)).length, 1);
});
