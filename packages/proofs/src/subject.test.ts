import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertCode } from "@quorate/testkit";
import { privateKeyToAccount } from "viem/accounts";
import { FIELD_MODULUS } from "./field.ts";
import {
  deriveSubjectSecret,
  generateSubjectSecret,
  isPublicKey,
  type SubjectSignature,
  subjectFromSecret,
  subjectIdOf,
  type TypedDataSigner,
  verifySignature,
} from "./subject.ts";
import { ASKER, PROVIDER, subject } from "./testing/fixture.ts";

const ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041n;
const message = 123_456_789n;

describe("a subject's key", () => {
  test("signs what verifies under it, and under no other key or message", () => {
    const signature = subject.sign(message);
    assert.equal(verifySignature(subject.publicKey, message, signature), true);
    assert.equal(verifySignature(subject.publicKey, message + 1n, signature), false);
    const other = subjectFromSecret(generateSubjectSecret(), PROVIDER);
    assert.equal(verifySignature(other.publicKey, message, signature), false);
    for (const part of ["R8x", "R8y", "S"] as const) {
      const changed: SubjectSignature = { ...signature, [part]: signature[part] + 1n };
      assert.equal(verifySignature(subject.publicKey, message, changed), false, part);
    }
  });

  test("scalars that would hang or repeat are refused at once", () => {
    const signature = subject.sign(message);
    for (const S of [-1n, -(1n << 300n), signature.S + ORDER, ORDER, 1n << 4096n]) {
      assert.equal(verifySignature(subject.publicKey, message, { ...signature, S }), false);
    }
    assert.equal(verifySignature(subject.publicKey, message + FIELD_MODULUS, signature), false);
    assert.equal(verifySignature(subject.publicKey, -1n, signature), false);
  });

  test("points off the curve, and keys of small order, verify nothing", () => {
    const signature = subject.sign(message);
    const [Ax, Ay] = subject.publicKey;
    const minusOne = FIELD_MODULUS - 1n;
    // (0, 1) is the identity and (0, −1) has order 2: under them S = r would sign everything.
    for (const key of [
      [0n, 1n],
      [0n, minusOne],
      [Ax, Ay + 1n],
      [Ax + FIELD_MODULUS, Ay],
      [-Ax, Ay],
      [1n, 1n],
    ] as const) {
      assert.equal(isPublicKey(key), false);
      assert.equal(verifySignature(key, message, signature), false);
      assert.equal(verifySignature(key, message, { R8x: 0n, R8y: 1n, S: 0n }), false);
    }
    assert.equal(verifySignature(subject.publicKey, message, { ...signature, R8x: signature.R8x + 1n }), false);
    assert.equal(isPublicKey(subject.publicKey), true);
  });

  test("differs by provider, and so does the nullifier key; both are found again", () => {
    const secret = new Uint8Array(32).fill(9);
    const here = subjectFromSecret(secret, PROVIDER);
    const there = subjectFromSecret(secret, ASKER);
    assert.notDeepEqual(here.publicKey, there.publicKey);
    assert.notEqual(here.nk, there.nk);
    assert.ok(here.nk >> 250n === 0n && here.nk > 0n);
    const again = subjectFromSecret(secret, PROVIDER);
    assert.deepEqual([again.publicKey, again.nk], [here.publicKey, here.nk]);
    assert.deepEqual(again.sign(message), here.sign(message));
  });

  test("needs a secret of 32 bytes", async () => {
    await assertCode(() => subjectFromSecret(new Uint8Array(31), PROVIDER), "INVALID_KEY");
  });

  test("is bound to its person", () => {
    assert.notEqual(subjectIdOf(subject.publicKey, 1n), subjectIdOf(subject.publicKey, 2n));
  });
});

describe("a secret from a wallet", () => {
  const account = privateKeyToAccount(`0x${"11".repeat(32)}`);
  const wallet = account as TypedDataSigner;

  test("is the same each time, whatever form v has, and another one for each provider", async () => {
    const secret = await deriveSubjectSecret(wallet, PROVIDER);
    assert.equal(secret.length, 32);
    assert.deepEqual(await deriveSubjectSecret(wallet, PROVIDER), secret);
    const zeroV: TypedDataSigner = {
      signTypedData: async (parameters) => {
        const signature = await wallet.signTypedData(parameters);
        return `${signature.slice(0, -2)}${signature.endsWith("1b") ? "00" : "01"}` as `0x${string}`;
      },
    };
    assert.deepEqual(await deriveSubjectSecret(zeroV, PROVIDER), secret);
    assert.notDeepEqual(await deriveSubjectSecret(wallet, ASKER), secret);
  });

  test("the wallet sees the purpose and the provider, and signs twice", async () => {
    const seen: unknown[] = [];
    await deriveSubjectSecret(
      {
        signTypedData: async (parameters) => {
          seen.push(parameters);
          return await wallet.signTypedData(parameters);
        },
      },
      PROVIDER,
    );
    assert.equal(seen.length, 2);
    assert.deepEqual(seen[0], seen[1]);
    const { domain, primaryType, message: shown } = seen[0] as Parameters<TypedDataSigner["signTypedData"]>[0];
    assert.deepEqual([domain.name, primaryType, shown.provider], ["Quorate subject", "SubjectKey", PROVIDER]);
    assert.match(shown.purpose, /Quorate/);
  });

  test("of a wallet that signs at random, or no ECDSA, is refused", async () => {
    let n = 0;
    const random: TypedDataSigner = {
      signTypedData: async () => `0x${`${++n}`.padStart(130, "0")}`,
    };
    await assertCode(deriveSubjectSecret(random, PROVIDER), "WALLET_NOT_DETERMINISTIC");
    const contract: TypedDataSigner = { signTypedData: async () => `0x${"00".repeat(200)}` };
    await assertCode(deriveSubjectSecret(contract, PROVIDER), "WALLET_NOT_DETERMINISTIC");
  });
});
