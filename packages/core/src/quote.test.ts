import assert from "node:assert/strict";
import { test } from "node:test";
import { testAddress, testDomain, testHash } from "@quorate/testkit";
import { TypedDataEncoder } from "ethers";
import { generateEncryptionKeyPair, openSealed, queryAad, sealTo } from "./hpke.ts";
import { type Quote, questionKeyDigest, quoteDigest, sealedQuestionDigest } from "./quote.ts";
import { questionKeyTypes, quoteTypes, sealedQuestionTypes, typedDomain } from "./typed-data.ts";

const quote: Quote = {
  asker: testAddress(1),
  provider: testAddress(2),
  query: (1n << 253n) + 7n,
  dataset: testHash(3),
  root: 5n,
  verifier: testAddress(4),
  verifierCodeHash: testHash(5),
  token: testAddress(6),
  price: 25_000_000n,
  bond: 50_000_000n,
  window: 3_600,
  expiry: 1_800_000_000,
};

test("ethers computes the digests of quotes, one-time keys and sealed questions that viem computes", () => {
  const domain = typedDomain(testDomain);
  const mutable = <T>(types: T): Record<string, { name: string; type: string }[]> =>
    types as Record<string, { name: string; type: string }[]>;
  assert.equal(quoteDigest(quote, testDomain), TypedDataEncoder.hash(domain, mutable(quoteTypes), quote));
  const key = {
    provider: quote.provider,
    asker: quote.asker,
    dataset: quote.dataset,
    encryptionKey: testHash(9),
    expiry: 1,
  };
  assert.equal(questionKeyDigest(key, testDomain), TypedDataEncoder.hash(domain, mutable(questionKeyTypes), key));
  const question = { asker: quote.asker, dataset: quote.dataset, encryptionKey: testHash(9), sealedHash: testHash(8) };
  assert.equal(
    sealedQuestionDigest(question, testDomain),
    TypedDataEncoder.hash(domain, mutable(sealedQuestionTypes), question),
  );
});

test("every field of a quote changes its digest", () => {
  const digests = new Set([quoteDigest(quote, testDomain)]);
  for (const [name, value] of Object.entries(quote)) {
    const other =
      typeof value === "string"
        ? value.slice(0, -1) + (value.endsWith("1") ? "2" : "1")
        : typeof value === "bigint"
          ? value + 1n
          : value + 1;
    digests.add(quoteDigest({ ...quote, [name]: other }, testDomain));
  }
  digests.add(quoteDigest(quote, { ...testDomain, chainId: 1 }));
  digests.add(quoteDigest(quote, { ...testDomain, market: testAddress(9) }));
  assert.equal(digests.size, Object.keys(quote).length + 3);
});

test("a sealed question opens for its key, market, provider, dataset, asker and purpose only", async () => {
  const { publicKey, privateKey } = generateEncryptionKeyPair();
  const context = {
    chainId: 31_337,
    market: testAddress(1),
    provider: testAddress(2),
    dataset: testHash(3),
    asker: testAddress(4),
  };
  const plaintext = new Uint8Array([1, 2, 3]);
  const sealed = await sealTo({ recipient: publicKey, purpose: "question", aad: queryAad(context), plaintext });
  assert.deepEqual(await openSealed({ privateKey, purpose: "question", aad: queryAad(context), sealed }), plaintext);
  const others = [
    { ...context, chainId: 1 },
    { ...context, market: testAddress(9) },
    { ...context, provider: testAddress(9) },
    { ...context, dataset: testHash(9) },
    { ...context, asker: testAddress(9) },
  ];
  const refused = { code: "SEAL_DOES_NOT_OPEN" };
  for (const other of others) {
    await assert.rejects(openSealed({ privateKey, purpose: "question", aad: queryAad(other), sealed }), refused);
  }
  await assert.rejects(openSealed({ privateKey, purpose: "consent", aad: queryAad(context), sealed }), refused);
});
