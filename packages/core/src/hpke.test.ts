import assert from "node:assert/strict";
import { test } from "node:test";
import { DhkemX25519HkdfSha256 } from "@hpke/dhkem-x25519";
import { assertCode, testAddress, testHash } from "@quorate/testkit";
import { hexToBytes } from "viem";
import { hex, utf8 } from "./bytes.ts";
import {
  checkEncryptionKey,
  encryptionPublicKey,
  generateEncryptionKeyPair,
  hpkeOpen,
  hpkeSeal,
  KEY_WRAP_BYTES,
  openSealed,
  sealAad,
  sealTo,
} from "./hpke.ts";

// RFC 9180, A.2.1 and A.2.1.1 (sequence number 0)
const rfc = {
  skEm: "0xf4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
  enc: "0x1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
  skRm: "0x8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
  pkRm: "0x4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
  info: "0x4f6465206f6e2061204772656369616e2055726e",
  aad: "0x436f756e742d30",
  pt: "0x4265617574792069732074727574682c20747275746820626561757479",
  ct: "0x1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
} as const;

test("sealing gives the bytes of RFC 9180 A.2.1", async () => {
  const kem = new DhkemX25519HkdfSha256();
  const ephemeral = {
    privateKey: await kem.deserializePrivateKey(new Uint8Array(hexToBytes(rfc.skEm)).buffer),
    publicKey: await kem.deserializePublicKey(new Uint8Array(hexToBytes(rfc.enc)).buffer),
  };
  const sealed = await hpkeSeal(
    hexToBytes(rfc.pkRm),
    hexToBytes(rfc.info),
    hexToBytes(rfc.aad),
    hexToBytes(rfc.pt),
    ephemeral,
  );
  assert.equal(hex(sealed), `${rfc.enc}${rfc.ct.slice(2)}`);
});

test("opening reads the bytes of RFC 9180 A.2.1", async () => {
  const [skRm, enc, info, aad, ct] = [rfc.skRm, rfc.enc, rfc.info, rfc.aad, rfc.ct].map((text) => hexToBytes(text));
  assert.equal(
    hex(await hpkeOpen(skRm as Uint8Array, enc as Uint8Array, info as Uint8Array, aad as Uint8Array, ct as Uint8Array)),
    rfc.pt,
  );
  assert.equal(encryptionPublicKey(rfc.skRm), rfc.pkRm);
});

const context = { jobId: testHash(1), provider: testAddress(2), chainId: 31337, market: testAddress(3) };
const aad = sealAad(context);
const keys = generateEncryptionKeyPair();
const packageKey = new Uint8Array(32).fill(5);

test("the associated data is job id, provider, chain id and market", () => {
  assert.equal(
    hex(aad),
    `0x${testHash(1).slice(2)}${testAddress(2).slice(2)}${testHash(31337).slice(2)}${testAddress(3).slice(2)}`,
  );
});

test("a key wrap has 80 bytes and opens to the key", async () => {
  const sealed = await sealTo({ recipient: keys.publicKey, purpose: "key-wrap", aad, plaintext: packageKey });
  assert.equal(sealed.length, KEY_WRAP_BYTES);
  assert.deepEqual(await openSealed({ privateKey: keys.privateKey, purpose: "key-wrap", aad, sealed }), packageKey);
});

test("a sealed message opens for no other job, provider, chain, market, purpose or key, and not when altered", async () => {
  const sealed = await sealTo({ recipient: keys.publicKey, purpose: "key-wrap", aad, plaintext: packageKey });
  const open = { privateKey: keys.privateKey, purpose: "key-wrap" as const, aad, sealed };
  for (const changes of [
    { jobId: testHash(9) },
    { provider: testAddress(9) },
    { chainId: 1 },
    { market: testAddress(9) },
  ]) {
    await assertCode(openSealed({ ...open, aad: sealAad({ ...context, ...changes }) }), "SEAL_DOES_NOT_OPEN");
  }
  await assertCode(openSealed({ ...open, purpose: "result" }), "SEAL_DOES_NOT_OPEN");
  await assertCode(openSealed({ ...open, privateKey: generateEncryptionKeyPair().privateKey }), "SEAL_DOES_NOT_OPEN");
  await assertCode(openSealed({ ...open, sealed: sealed.slice(0, 47) }), "SEAL_DOES_NOT_OPEN");
  for (const index of [0, 40, sealed.length - 1]) {
    const altered = sealed.slice();
    altered[index] = (altered[index] as number) ^ 1;
    await assertCode(openSealed({ ...open, sealed: altered }), "SEAL_DOES_NOT_OPEN");
  }
});

test("results and offers of different lengths look alike", async () => {
  for (const purpose of ["result", "offer"] as const) {
    const [one, other] = await Promise.all(
      ["true", "a longer answer"].map((text) =>
        sealTo({ recipient: keys.publicKey, purpose, aad, plaintext: utf8(text) }),
      ),
    );
    assert.equal(one?.length, other?.length);
    const opened = await openSealed({ privateKey: keys.privateKey, purpose, aad, sealed: other as Uint8Array });
    assert.equal(new TextDecoder().decode(opened), "a longer answer");
  }
});

// Points of small order on Curve25519 and their non-canonical spellings (RFC 7748, section 7; the list used by libsodium).
const lowOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000080",
] as const;
for (const point of lowOrder) {
  test(`the low-order key ${point.slice(0, 8)}…${point.slice(-4)} is refused on both sides`, async () => {
    const recipient = `0x${point}` as const;
    await assertCode(() => checkEncryptionKey(recipient), "ZERO_SHARED_SECRET");
    await assertCode(sealTo({ recipient, purpose: "offer", aad, plaintext: packageKey }), "ZERO_SHARED_SECRET");
    const sealed = new Uint8Array(96);
    sealed.set(hexToBytes(recipient));
    await assertCode(openSealed({ privateKey: keys.privateKey, purpose: "offer", aad, sealed }), "ZERO_SHARED_SECRET");
  });
}

test("keys of another length are refused by name", async () => {
  await assertCode(() => checkEncryptionKey("0x12"), "INVALID_KEY");
  await assertCode(
    openSealed({ privateKey: "0x12", purpose: "offer", aad, sealed: new Uint8Array(64).fill(9) }),
    "INVALID_KEY",
  );
  await assertCode(() => sealAad({ ...context, provider: "0x12" }), "INVALID_ADDRESS");
});
