import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, it } from "node:test";
import { generateEncryptionKeyPair, isQuorateError } from "@quorate/core";
import { assertCode, testAddress, testDomain, testHash } from "@quorate/testkit";
import { z } from "zod";
import { createDomainClient } from "./client.ts";
import {
  type ConsentContent,
  type QuestionContent,
  questionMessageSchema,
  type SubjectReply,
  type SubjectRequest,
  signedQuestionKeySchema,
  signedQuoteSchema,
} from "./messages.ts";
import {
  consentHashOf,
  openConsent,
  openQuestion,
  openSubjectReply,
  openSubjectRequest,
  type QueryContext,
  sealConsent,
  sealQuestion,
  sealSubjectReply,
  sealSubjectRequest,
  subjectRequestHash,
} from "./seals.ts";

const keys = generateEncryptionKeyPair();
const context: QueryContext = {
  ...testDomain,
  provider: testAddress(1),
  dataset: testHash(2),
  asker: testAddress(3),
};
const big = (1n << 253n) + 12_345n;
const question: QuestionContent = {
  root: big,
  verifier: testAddress(4),
  statement: { kind: "attribute", relation: "at-least", value: "100000" },
  nonce: 1n << 127n,
  subjectKey: [big, big + 1n],
  subjectNonce: 5n,
  person: 6n,
  k: 7n,
  consent: "AAEC",
};
const consent: ConsentContent = {
  query: big,
  leaf: 2n,
  notAfter: 1_800_000_000,
  signature: { R8x: 1n, R8y: 2n, S: 3n },
};
const request: SubjectRequest = {
  action: "enrol",
  subjectKey: [1n, 2n],
  replyKey: keys.publicKey,
  at: 1_800_000_000,
  code: "ABCD-1234",
  nk: big,
  papers: { name: "Ada Lovelace", birthDate: "1815-12-10", documentNumber: "X1" },
  signature: { R8x: 1n, R8y: 2n, S: 3n },
};

describe("seals of a query", () => {
  it("a question, a consent and a subject's message come out as they went in", async () => {
    const sealed = await sealQuestion(question, keys.publicKey, context);
    assert.deepEqual(await openQuestion(sealed, keys.privateKey, context), question);
    const agreed = await sealConsent(consent, keys.publicKey, context);
    assert.deepEqual(await openConsent(agreed, keys.privateKey, context), consent);
    const asked = await sealSubjectRequest(request, keys.publicKey, context);
    assert.deepEqual(await openSubjectRequest(asked, keys.privateKey, context), request);
  });

  it("open for nobody else, for no other purpose, and not when bound to something else", async () => {
    const sealed = await sealQuestion(question, keys.publicKey, context);
    const stranger = generateEncryptionKeyPair();
    await assertCode(openQuestion(sealed, stranger.privateKey, context), "SEAL_DOES_NOT_OPEN");
    await assertCode(openConsent(sealed, keys.privateKey, context), "SEAL_DOES_NOT_OPEN");
    const others: Partial<QueryContext>[] = [
      { chainId: context.chainId + 1 },
      { market: testAddress(9) },
      { provider: testAddress(9) },
      { dataset: testHash(9) },
      { asker: testAddress(9) },
    ];
    for (const change of others)
      await assertCode(openQuestion(sealed, keys.privateKey, { ...context, ...change }), "SEAL_DOES_NOT_OPEN");
  });

  it("what is inside is parsed: a reply of another shape is refused without showing it", async () => {
    const reply: SubjectReply = { kind: "refused", code: "CODE_UNKNOWN", message: "Ask for a new code." };
    const sealed = await sealSubjectReply(reply, keys.publicKey, context);
    assert.deepEqual(await openSubjectReply(sealed, keys.privateKey, context), reply);
    const error = await openSubjectRequest(sealed, keys.privateKey, context).then(
      () => assert.fail("it was accepted"),
      (cause: unknown) => cause,
    );
    assert.ok(isQuorateError(error, "SEALED_CONTENT_MALFORMED"));
    assert.doesNotMatch(error.message, /CODE_UNKNOWN|new code/);
  });

  it("a true and a false question have equal lengths whatever the digits are", async () => {
    const small = await sealQuestion({ ...question, k: 1n, person: 0n }, keys.publicKey, context);
    const large = await sealQuestion({ ...question, k: big, person: big }, keys.publicKey, context);
    assert.equal(small.length, large.length);
  });

  it("the number a subject signs binds every part of its message, market, provider and one-time key", () => {
    const { signature: _, ...draft } = request;
    const base = subjectRequestHash(draft, keys.publicKey, context);
    assert.ok(base < 1n << 248n);
    const variants = [
      subjectRequestHash({ ...draft, action: "audit" }, keys.publicKey, context),
      subjectRequestHash({ ...draft, subjectKey: [1n, 3n] }, keys.publicKey, context),
      subjectRequestHash({ ...draft, replyKey: testHash(5) }, keys.publicKey, context),
      subjectRequestHash({ ...draft, at: draft.at + 1 }, keys.publicKey, context),
      subjectRequestHash({ ...draft, code: undefined }, keys.publicKey, context),
      subjectRequestHash({ ...draft, nk: 1n }, keys.publicKey, context),
      subjectRequestHash(draft, testHash(6), context),
      subjectRequestHash(draft, keys.publicKey, { ...context, chainId: 1 }),
      subjectRequestHash(draft, keys.publicKey, { ...context, market: testAddress(9) }),
      subjectRequestHash(draft, keys.publicKey, { ...context, provider: testAddress(9) }),
    ];
    assert.equal(new Set([base, ...variants]).size, variants.length + 1);
    assert.notEqual(consentHashOf(consent), consentHashOf({ ...consent, notAfter: consent.notAfter + 1 }));
  });
});

describe("client of a domain provider", () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) server.close();
  });

  async function answering(status: number, body: string): Promise<string> {
    const server = createServer((_, response) => response.writeHead(status).end(body));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const key = {
    provider: testAddress(1),
    asker: testAddress(3),
    dataset: testHash(2),
    encryptionKey: keys.publicKey,
    expiry: 5,
  };
  const signature = `0x${"11".repeat(65)}` as const;

  it("reads a key, and refuses one for somebody else", async () => {
    const url = await answering(200, JSON.stringify(z.encode(signedQuestionKeySchema, { key, signature })));
    const client = createDomainClient({ url });
    const answer = await client.questionKey({ dataset: key.dataset, asker: key.asker });
    assert.deepEqual(answer, { key, signature });
    await assertCode(client.questionKey({ dataset: key.dataset, asker: testAddress(8) }), "DOMAIN_BAD_RESPONSE");
  });

  it("passes the provider's own code on, and calls the party by its name", async () => {
    const body = { error: { code: "CANNOT_ANSWER", message: "cannot answer", docs: "guides/domain.md" } };
    const client = createDomainClient({ url: await answering(403, JSON.stringify(body)) });
    const message = {
      encryptionKey: keys.publicKey,
      dataset: key.dataset,
      asker: key.asker,
      sealed: "AAEC",
      signature,
    };
    assert.deepEqual(questionMessageSchema.parse(z.encode(questionMessageSchema, message)), message);
    const error = await client.question(message).then(
      () => assert.fail("it answered"),
      (cause: unknown) => cause,
    );
    assert.ok(isQuorateError(error, "CANNOT_ANSWER"));
    assert.match(error.message, /^The domain provider 127\.0\.0\.1:\d+ refused: cannot answer$/);
  });

  it("bounds what a hostile provider sends", async () => {
    for (const [status, body, code] of [
      [200, "x".repeat(3_000_000), "DOMAIN_RESPONSE_TOO_LARGE"],
      [200, "{", "DOMAIN_BAD_RESPONSE"],
      [200, "{}", "DOMAIN_BAD_RESPONSE"],
      [500, "<html>", "DOMAIN_BAD_RESPONSE"],
    ] as const)
      await assertCode(createDomainClient({ url: await answering(status, body) }).info(), code);
    await assertCode(createDomainClient({ url: "http://127.0.0.1:9" }).info(), "DOMAIN_UNREACHABLE");
    assert.throws(
      () => createDomainClient({ url: "ftp://x" }),
      (error: unknown) => isQuorateError(error, "INVALID_DOMAIN_URL"),
    );
  });

  it("a quote keeps its numbers to the last digit", () => {
    const quote = {
      asker: testAddress(3),
      provider: testAddress(1),
      query: big,
      dataset: key.dataset,
      root: big + 1n,
      verifier: testAddress(4),
      verifierCodeHash: testHash(7),
      token: testAddress(5),
      price: (1n << 96n) - 1n,
      bond: 0n,
      window: 600,
      expiry: 1_800_000_000,
    };
    const json = JSON.parse(JSON.stringify(z.encode(signedQuoteSchema, { quote, signature })));
    assert.deepEqual(signedQuoteSchema.parse(json), { quote, signature });
  });
});
