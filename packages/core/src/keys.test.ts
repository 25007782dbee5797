import assert from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import { test } from "node:test";
import { assertCode, testHash } from "@quorate/testkit";
import { hexToBytes, keccak256 } from "viem";
import { concatBytes, hex, utf8 } from "./bytes.ts";
import { encryptionPublicKey } from "./hpke.ts";
import {
  contentHashOf,
  deriveOfferKeyPair,
  derivePackageKeys,
  deriveResultKey,
  deriveSalt,
  generatePackageKey,
  resultHashOf,
} from "./keys.ts";

const secret = new Uint8Array(32).fill(3);
const jobId = testHash(77);
const witness = (salt: Uint8Array, info: string) => hex(new Uint8Array(hkdfSync("sha256", secret, salt, info, 32)));
const none = new Uint8Array(0);

test("derived keys equal OpenSSL's HKDF-SHA256 with the documented salts and infos", () => {
  const salt = hexToBytes(jobId);
  assert.equal(hex(derivePackageKeys(secret).contentKey), witness(none, "quorate/content-key/v1"));
  assert.equal(hex(derivePackageKeys(secret).leafKey), witness(none, "quorate/leaf-key/v1"));
  assert.equal(hex(deriveResultKey(secret, jobId)), witness(salt, "quorate/result-key/v1"));
  assert.equal(deriveSalt(secret, jobId), witness(salt, "quorate/salt/v1"));
});

test("hashes are over key and content", () => {
  assert.equal(resultHashOf(secret, utf8("42")), keccak256(concatBytes(secret, utf8("42"))));
  assert.equal(contentHashOf(secret, utf8("42")), keccak256(concatBytes(secret, utf8("42"))));
  assert.notEqual(
    resultHashOf(deriveResultKey(secret, testHash(1)), utf8("1")),
    resultHashOf(deriveResultKey(secret, testHash(2)), utf8("1")),
  );
});

test("offer keys differ by job and number and are found again", () => {
  const pair = deriveOfferKeyPair(secret, jobId);
  assert.deepEqual(pair, deriveOfferKeyPair(secret, jobId, 0));
  assert.equal(encryptionPublicKey(pair.privateKey), pair.publicKey);
  assert.notEqual(pair.publicKey, deriveOfferKeyPair(secret, jobId, 1).publicKey);
  assert.notEqual(pair.publicKey, deriveOfferKeyPair(secret, testHash(1)).publicKey);
});

test("package keys are random and have 32 bytes", () => {
  assert.equal(generatePackageKey().length, 32);
  assert.notDeepEqual(generatePackageKey(), generatePackageKey());
});

test("a secret of another length is refused, and its value is not shown", async () => {
  const error = await assertCode(() => derivePackageKeys(new Uint8Array([222, 173])), "INVALID_KEY");
  assert.doesNotMatch(error.message, /222|de ?ad/i);
});
