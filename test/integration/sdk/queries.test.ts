import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { generateEncryptionKeyPair, QuestionStatus, type Quote } from "@quorate/core";
import { type AttributeRecord, generateSubjectSecret, type Papers } from "@quorate/proofs";
import {
  authorizeAgent,
  getAccount,
  type MarketClient,
  readAnswer,
  readDataset,
  readQueryRecord,
  readQuestion,
  readRoot,
  revokeAgent,
  withdraw,
} from "@quorate/sdk";
import { fileQueryStore } from "@quorate/sdk/node";
import {
  type Asker,
  createAsker,
  createSubject,
  memoryQueryStore,
  memorySubjectStore,
  type QueryStore,
  type SubjectClient,
  subjectStateId,
} from "@quorate/sdk/queries";
import { assertCode } from "@quorate/testkit";
import { createPublicClient, custom, type Hex, type PublicClient } from "viem";
import { type Chain, startChain, temporaryFolder } from "./fixture.ts";
import {
  ANSWER_WINDOW,
  atLeast,
  BOND,
  CODE,
  deployQueryMarket,
  PRICE,
  papers,
  type QueryChain,
  type ScriptedDomain,
  scriptedDomain,
  YES_CODE_HASH,
} from "./queryFixture.ts";

const FUNDS = 100_000_000n;
const verifiers = { "sealed-answer": [YES_CODE_HASH], scorecard: [] };

describe("asker, subject and a domain provider on a query market", { timeout: 120_000 }, () => {
  let chain: Chain;
  let queries: QueryChain;
  let domain: ScriptedDomain;
  let subject: SubjectClient;
  const secret = generateSubjectSecret();
  const subjectStore = memorySubjectStore();

  const subjectOf = (changes: Partial<Parameters<typeof createSubject>[0]> = {}): SubjectClient =>
    createSubject({
      client: { public: chain.public, chainId: 31_337, market: queries.market },
      secret,
      provider: domain.provider,
      providerUrl: domain.url,
      store: subjectStore,
      verifiers,
      fetch: domain.fetch,
      ...changes,
    });
  const askerOf = (store: QueryStore, client: MarketClient = queries.client(1)): Asker =>
    createAsker({ client, store, verifiers, pollIntervalMs: 25, fetch: domain.fetch });
  const prepare = (asker: Asker, value = "100000", changes: { papers?: Papers } = {}): ReturnType<Asker["prepare"]> =>
    asker.prepare({
      providerUrl: domain.url,
      statement: atLeast(value),
      papers,
      subjectKey: subject.publicKey,
      ...changes,
    });
  /** Prepares, consents and gets a quote. */
  async function quoted(asker: Asker, value?: string): Promise<Hex> {
    const { queryId, consentRequest } = await prepare(asker, value);
    const { sealed } = await subject.consent(consentRequest, await subject.review(consentRequest));
    await asker.quote(queryId, sealed);
    return queryId;
  }
  const freeOf = async (index: number): Promise<bigint> =>
    (await getAccount(queries.client(index), { token: chain.token, account: chain.account(index).address })).free;
  const wealthOf = async (index: number): Promise<bigint> =>
    (await freeOf(index)) + (await chain.balanceOf(chain.account(index).address));

  before(async () => {
    chain = await startChain();
    queries = await deployQueryMarket(chain);
    domain = await scriptedDomain(chain, queries, 5);
    await chain.mint(chain.account(1).address, FUNDS);
    subject = subjectOf();
    const card = await subject.card();
    assert.deepEqual([card.dataset, card.subjectKey], [domain.dataset, subject.publicKey]);
    await assertCode(subject.enrol({ code: "WRONG-CODE" }), "SUBJECT_REFUSED");
    await assertCode(subject.records(), "SUBJECT_REFUSED");
    await subject.enrol({ code: CODE, papers });
  });

  after(() => chain?.stop());

  afterEach(() => {
    Object.assign(domain.faults, {
      loseReplies: 0,
      refuse: false,
      quote: (quote: Quote) => quote,
      show: (record: AttributeRecord) => record,
      keySigner: 5,
      quoteSigner: 5,
      otherPerson: 0n,
    });
  });

  test("a subject sees its own record, recomputed and published", async () => {
    const [view, ...others] = await subject.records();
    assert.deepEqual(others, []);
    assert.deepEqual([view?.name, view?.state, view?.used], ["yearly income", "published", 0]);
    assert.deepEqual(view?.record, domain.record);
    const { root, provider } = await readDataset(queries.client(1), { dataset: domain.dataset });
    assert.equal(provider, domain.provider);
    const facts = await readRoot(queries.client(1), { dataset: domain.dataset, root });
    assert.deepEqual([facts.askable, facts.revoked, facts.supersededAt], [true, false, 0]);
  });

  test("a question is consented to, quoted, paid, answered and opened, true as well as false", async () => {
    for (const [value, expected] of [
      ["100000", true],
      ["102345.51", false],
    ] as const) {
      const asker = askerOf(memoryQueryStore());
      const before = [await wealthOf(1), await freeOf(5)] as const;
      const queryId = await quoted(asker, value);
      assert.equal((await asker.resume(queryId)).stage, "quoted");
      await assertCode(asker.answer(queryId), "QUERY_NOT_ASKED");
      const asked = await asker.ask(queryId);
      assert.deepEqual([asked.price, asked.resumed], [PRICE, false]);
      const pending = await asker.resume(queryId);
      assert.deepEqual([pending.stage, pending.questionId], ["pending", asked.questionId]);
      await assertCode(asker.answer(queryId), "QUERY_PENDING");
      await assertCode(asker.refund(queryId), "QUESTION_NOT_YET_EXPIRABLE");

      const waiting = asker.wait(queryId, { signal: AbortSignal.timeout(20_000) });
      const hash = await domain.answer(BigInt(queryId));
      assert.equal((await waiting).stage, "answered");
      assert.equal((await asker.answer(queryId)).answer, expected);
      assert.deepEqual([await wealthOf(1), await freeOf(5)], [before[0] - PRICE, before[1] + PRICE]);
      const { k } = (await asker.list())[0] as { k: bigint };
      const which = { provider: domain.provider, query: BigInt(queryId) };
      assert.equal(await readAnswer(queries.client(1), { ...which, key: k }), expected);
      await assertCode(readAnswer(queries.client(1), { ...which, key: k + 1n }), "ANSWER_KEY_WRONG");
      await assertCode(asker.refund(queryId), "QUERY_ANSWERED");
      const receipt = await asker.receipt(queryId);
      assert.equal(receipt.transaction, hash);
      assert.deepEqual(receipt.proof, [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
    }
    assert.deepEqual(await readQueryRecord(queries.client(1), domain), { answered: 2, expired: 0 });
  });

  test("a lost reply means unknown: the same bytes are sent again and one quote comes of it", async () => {
    const store = memoryQueryStore();
    const asker = askerOf(store);
    const { queryId, consentRequest } = await prepare(asker);
    const { sealed } = await subject.consent(consentRequest, await subject.review(consentRequest));
    await assertCode(asker.quote(queryId), "CONSENT_MISSING");
    const count = domain.questions.length;
    domain.faults.loseReplies = 2;
    await assertCode(asker.quote(queryId, sealed), "DOMAIN_UNREACHABLE");
    assert.equal((await asker.resume(queryId)).stage, "sent");
    await assertCode(askerOf(store).quote(queryId), "DOMAIN_UNREACHABLE");
    const { quote } = await askerOf(store).quote(queryId);
    assert.equal(quote.query, BigInt(queryId));
    const sent = domain.questions.slice(count);
    assert.equal(sent.length, 3);
    assert.equal(new Set(sent).size, 1, "the same bytes");
    assert.deepEqual((await askerOf(store).quote(queryId)).quote, quote);
    assert.equal(domain.questions.length, count + 3, "a stored quote is not asked for again");
  });

  test("two that quote, ask and consent at the same time: one question, one payment, no consent forgotten", async () => {
    const asker = askerOf(memoryQueryStore());
    const store = memorySubjectStore();
    const twofold = subjectOf({ store });
    await twofold.enrol({ code: CODE, papers });
    const { queryId, consentRequest } = await prepare(asker);
    const { consentRequest: other } = await prepare(asker, "70000");
    const [review, reviewOfOther] = [await twofold.review(consentRequest), await twofold.review(other)];
    const [{ sealed }] = await Promise.all([
      twofold.consent(consentRequest, review),
      twofold.consent(other, reviewOfOther),
    ]);
    const count = domain.questions.length;
    const before = await wealthOf(1);
    const quotes = await Promise.all([asker.quote(queryId, sealed), asker.quote(queryId, sealed)]);
    assert.deepEqual(quotes[0], quotes[1]);
    assert.equal(domain.questions.length, count + 1);
    const asked = await Promise.all([asker.ask(queryId), asker.ask(queryId)]);
    assert.deepEqual(
      asked.map(({ resumed }) => resumed),
      [false, true],
    );
    assert.equal(await wealthOf(1), before - PRICE);
    const { chainId, market } = queries.client(1);
    const of = { chainId, market, provider: domain.provider, subjectKey: twofold.publicKey };
    assert.equal((await store.get(subjectStateId(of)))?.consents.length, 2);
  });

  test("data published while the subject thinks does no harm: what was asked about stands for its grace, then the newest", async () => {
    const asker = askerOf(memoryQueryStore());
    const { queryId, consentRequest } = await prepare(asker);
    const { queryId: late, consentRequest: lateRequest } = await prepare(asker, "90000");
    await domain.publishAnother();
    const { sealed } = await subject.consent(consentRequest, await subject.review(consentRequest));
    assert.equal((await asker.quote(queryId, sealed)).quote.root, consentRequest.root);
    assert.equal((await asker.ask(queryId)).resumed, false, "a superseded root can be asked within its grace");
    // 3,600 s of grace, 3,000 of them over.
    await chain.advance(3_000);
    const lateConsent = await subject.consent(lateRequest, await subject.review(lateRequest));
    const { root } = await readDataset(queries.client(1), { dataset: domain.dataset });
    assert.notEqual(root, lateRequest.root);
    assert.equal((await asker.quote(late, lateConsent.sealed)).quote.root, root);
  });

  test("a refusal is final, costs nothing and says nothing", async () => {
    const asker = askerOf(memoryQueryStore());
    const { queryId, consentRequest } = await prepare(asker);
    const { sealed } = await subject.consent(consentRequest, await subject.review(consentRequest));
    const before = await wealthOf(1);
    domain.faults.refuse = true;
    await assertCode(asker.quote(queryId, sealed), "CANNOT_ANSWER");
    domain.faults.refuse = false;
    const count = domain.questions.length;
    await assertCode(asker.quote(queryId, sealed), "CANNOT_ANSWER");
    assert.equal(domain.questions.length, count, "it is not sent again");
    assert.equal((await asker.resume(queryId)).stage, "refused");
    await assertCode(asker.ask(queryId), "QUOTE_MISSING");
    assert.equal(await wealthOf(1), before);
  });

  for (const [field, change] of [
    ["price", { price: PRICE + 1n }],
    ["bond", { bond: BOND - 1n }],
    ["window", { window: ANSWER_WINDOW + 1 }],
    ["root", { root: 1n }],
    ["query", { query: 1n }],
    ["token", { token: `0x${"77".repeat(20)}` }],
    ["code hash of the verifier", { verifierCodeHash: `0x${"77".repeat(32)}` }],
  ] as const) {
    test(`a quote with another ${field} is not paid`, async () => {
      const asker = askerOf(memoryQueryStore());
      const { queryId, consentRequest } = await prepare(asker);
      const { sealed } = await subject.consent(consentRequest, await subject.review(consentRequest));
      domain.faults.quote = (quote) => ({ ...quote, ...change }) as typeof quote;
      const refused = await assertCode(asker.quote(queryId, sealed), "QUOTE_MISMATCH");
      assert.equal(refused.details?.fields, field);
      await assertCode(asker.ask(queryId), "QUOTE_MISSING");
    });
  }

  test("a silent provider: price and bond come back, once, and not to be asked again", async () => {
    const asker = askerOf(memoryQueryStore());
    const before = await wealthOf(1);
    const queryId = await quoted(asker);
    await asker.ask(queryId);
    await chain.advance(ANSWER_WINDOW + 1);
    assert.equal((await asker.wait(queryId, { signal: AbortSignal.timeout(20_000) })).stage, "overdue");
    const { amount, hash } = await asker.refund(queryId);
    assert.ok(hash);
    assert.equal(amount, PRICE + BOND);
    assert.equal(await wealthOf(1), before + BOND);
    assert.deepEqual(await asker.refund(queryId), { queryId, amount });
    assert.equal((await asker.wait(queryId)).stage, "expired");
    await assertCode(asker.answer(queryId), "QUERY_EXPIRED");
    assert.equal((await asker.ask(queryId)).resumed, true);
    assert.equal(await wealthOf(1), before + BOND);
  });

  test("a quote that nobody asked in time lapses, and is not sent to the chain", async () => {
    const asker = askerOf(memoryQueryStore());
    const queryId = await quoted(asker);
    await chain.advance(901);
    assert.equal((await asker.resume(queryId)).stage, "lapsed");
    await assertCode(asker.ask(queryId), "QUOTE_EXPIRED");
    const { status } = await readQuestion(queries.client(1), { provider: domain.provider, query: BigInt(queryId) });
    assert.equal(status, QuestionStatus.None);
  });

  test("an asker that dies between signing and broadcast pays once, and so do two at the same time", async (t) => {
    const directory = await temporaryFolder(t);
    const store = fileQueryStore({ directory, passphrase: "correct horse" });
    const queryId = await quoted(askerOf(store));
    const before = await wealthOf(1);
    const dead = new Error("the process dies here");
    const mute: MarketClient = {
      ...queries.client(1),
      public: withoutBroadcast(chain.public, () => {
        throw dead;
      }),
    };
    const died = await askerOf(store, mute)
      .ask(queryId, { timeoutMs: 500 })
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    assert.ok(died instanceof Error);
    assert.equal((await askerOf(store).resume(queryId)).stage, "asking");
    const patient = createAsker({ client: queries.client(1), store, verifiers, confirmations: 3, fetch: domain.fetch });
    const snapshot = await chain.test.snapshot();
    await chain.advance(901);
    assert.equal((await patient.resume(queryId)).stage, "lapsed", "what was signed can never be mined with effect");
    await chain.test.revert({ id: snapshot });

    const again = fileQueryStore({ directory, passphrase: "correct horse" });
    const { resumed, hash } = await askerOf(again).ask(queryId);
    assert.equal(resumed, true);
    assert.equal((await patient.resume(queryId)).stage, "asking", "not as deep as it should be");
    await chain.test.mine({ blocks: 2 });
    assert.equal((await patient.resume(queryId)).stage, "pending");
    const [record] = await again.list();
    assert.deepEqual(
      record?.transactions.map((sent) => [sent.purpose, sent.hash]),
      [["ask", hash]],
      "the stored transaction was sent, no second one was signed",
    );
    const both = await Promise.all([askerOf(store).ask(queryId), askerOf(again).ask(queryId)]);
    assert.ok(both.every((asked) => asked.resumed));
    assert.equal(await wealthOf(1), before - PRICE);
  });

  test("paying in: by permit in one transaction, by deposit before it, or not at all", async () => {
    for (const [funding, purposes] of [
      ["permit", ["ask"]],
      ["deposit", ["approve", "deposit", "ask"]],
    ] as const) {
      const store = memoryQueryStore();
      const asker = askerOf(store);
      const queryId = await quoted(asker);
      const free = await freeOf(1);
      if (free > 0n) {
        await withdraw(queries.client(1), { token: chain.token, to: chain.account(1).address, amount: free });
      }
      await assertCode(asker.ask(queryId, { funding: "none" }), "FUNDS_MISSING");
      await asker.ask(queryId, { funding });
      assert.deepEqual(
        (await store.get(queryId))?.transactions.map(({ purpose }) => purpose),
        purposes,
      );
    }
  });

  test("the subject's client refuses what it cannot recompute, and signs nothing that it did not review", async () => {
    const asker = askerOf(memoryQueryStore());
    const { consentRequest } = await prepare(asker);
    const review = await subject.review(consentRequest);
    assert.match(review.words.statement, /yearly income is at least 100,000(\.00)? EUR/);
    const other = { ...consentRequest, statement: atLeast("50000") };
    await assertCode(subject.consent(other, review), "CONSENT_NOT_REVIEWED");
    await assertCode(subject.consent(consentRequest, { ...review }), "CONSENT_NOT_REVIEWED");
    const { questionKey } = consentRequest;
    const key = { ...questionKey.key, encryptionKey: generateEncryptionKeyPair().publicKey };
    const readable = { ...consentRequest, questionKey: { ...questionKey, key } };
    await assertCode(subject.consent(readable, review), "CONSENT_NOT_REVIEWED");
    const forgetful = subjectOf({ store: memorySubjectStore() });
    await assertCode(forgetful.review(consentRequest), "SUBJECT_NOT_ENROLLED");
    const strange = [
      ["CONSENT_REFUSED_PERSON", { person: consentRequest.person + 1n }],
      ["CONSENT_REFUSED_ROOT", { root: 99n }],
      ["CONSENT_REFUSED_MARKET", { chainId: 5 }],
      ["CONSENT_REFUSED_VERIFIER", { verifier: chain.token }],
      [
        "CONSENT_REFUSED_KEY",
        { questionKey: { ...consentRequest.questionKey, signature: `0x${"11".repeat(65)}` as Hex } },
      ],
    ] as const;
    for (const [code, change] of strange) await assertCode(subject.review({ ...consentRequest, ...change }), code);
  });

  test("a record that changed since it was first seen is refused, and shown as changed", async () => {
    const { consentRequest } = await prepare(askerOf(memoryQueryStore()));
    domain.faults.show = (record) => ({ ...record, value: record.value + 1n });
    await assertCode(subject.review(consentRequest), "CONSENT_REFUSED_RECORD_CHANGED");
    assert.equal((await subject.records())[0]?.state, "changed");
    domain.faults.show = (record) => record;
    assert.equal((await subject.records())[0]?.state, "published");
  });

  test("what earlier consents tell is kept across restarts, and the same consent again counts once", async () => {
    const store = memorySubjectStore();
    const first = subjectOf({ store });
    await first.enrol({ code: CODE, papers });
    const { consentRequest } = await prepare(askerOf(memoryQueryStore()), "100000");
    await first.consent(consentRequest, await first.review(consentRequest));
    const again = subjectOf({ store });
    await again.consent(consentRequest, await again.review(consentRequest));
    const { consentRequest: narrower } = await prepare(askerOf(memoryQueryStore()), "110000");
    const review = await again.review(narrower);
    assert.match(review.words.together, /100,000/);
    const stateId = subjectStateId({
      chainId: 31_337,
      market: queries.market,
      provider: domain.provider,
      subjectKey: again.publicKey,
    });
    const state = await store.get(stateId);
    assert.equal(state?.consents.length, 1);
  });

  test("a one-time key that the provider did not sign gets nothing", async () => {
    domain.faults.keySigner = 6;
    await assertCode(prepare(askerOf(memoryQueryStore())), "QUESTION_KEY_INVALID");
    await assertCode(subject.records(), "QUESTION_KEY_INVALID");
  });

  test("an agent's quote counts within its limits only, and while it is authorized", async () => {
    const limits = { agent: chain.account(6).address, token: chain.token, minCommitWindow: ANSWER_WINDOW };
    const validUntil = Number((await chain.public.getBlock()).timestamp) + 3_600;
    const cases = [
      [{ maxBondPerSeat: BOND - 1n, minCommitWindow: ANSWER_WINDOW, validUntil }, "QUOTE_MISMATCH"],
      [{ maxBondPerSeat: BOND, minCommitWindow: ANSWER_WINDOW + 1, validUntil }, "QUOTE_MISMATCH"],
      [{ maxBondPerSeat: BOND, minCommitWindow: ANSWER_WINDOW, validUntil }, undefined],
    ] as const;
    for (const [given, code] of cases) {
      await authorizeAgent(queries.client(5), { ...limits, ...given });
      const asker = askerOf(memoryQueryStore());
      domain.faults.quoteSigner = 6;
      const attempt = quoted(asker);
      if (code === undefined) assert.equal((await asker.ask(await attempt)).resumed, false);
      else assert.equal((await assertCode(attempt, code)).details?.fields, "signature");
    }
    await revokeAgent(queries.client(5), { agent: limits.agent, token: limits.token });
    domain.faults.quoteSigner = 6;
    await assertCode(quoted(askerOf(memoryQueryStore())), "QUOTE_MISMATCH");
  });

  test("an enrolment under somebody else's papers is found out", async () => {
    domain.faults.otherPerson = 1n;
    const somebody = subjectOf({ secret: generateSubjectSecret(), store: memorySubjectStore() });
    await assertCode(somebody.enrol({ code: CODE, papers }), "ENROLMENT_MISMATCH");
  });

  test("an unknown verifier is not asked", async () => {
    const asker = createAsker({
      client: queries.client(1),
      store: memoryQueryStore(),
      verifiers: { "sealed-answer": [`0x${"12".repeat(32)}`], scorecard: [] },
      fetch: domain.fetch,
    });
    await assertCode(prepare(asker), "VERIFIER_UNKNOWN");
  });

  test("a statement that says nothing, or that the dataset does not define, is not prepared", async () => {
    const asker = askerOf(memoryQueryStore());
    await assertCode(prepare(asker, "0"), "STATEMENT_VACUOUS");
    const statement = { ...atLeast("1"), attribute: { ...atLeast("1").attribute, unit: "USD" } };
    const parameters = { providerUrl: domain.url, statement, papers, subjectKey: subject.publicKey };
    await assertCode(asker.prepare(parameters), "STATEMENT_NOT_OFFERED");
    await assertCode(asker.prepare({ ...parameters, statement: atLeast("5"), maxPrice: 1n }), "PRICE_TOO_HIGH");
    assert.deepEqual(await asker.list(), []);
  });

  test("a record of the store opens with its passphrase only, and damage is named", async (t) => {
    const directory = await temporaryFolder(t);
    const queryId = await quoted(askerOf(fileQueryStore({ directory, passphrase: "correct horse" })));
    await assertCode(fileQueryStore({ directory, passphrase: "wrong" }).get(queryId), "KEY_STORE_PASSPHRASE_WRONG");
    await assertCode(fileQueryStore({ directory }).get(queryId), "KEY_STORE_LOCKED");
    const record = await fileQueryStore({ directory, passphrase: "correct horse" }).get(queryId);
    assert.equal(record?.quote?.quote.query, BigInt(queryId));
    await assertCode(askerOf(memoryQueryStore()).ask(queryId), "QUERY_UNKNOWN");
  });
});

/** The node, but raw transactions do not arrive. */
function withoutBroadcast(node: PublicClient, onSend: () => never): PublicClient {
  return createPublicClient({
    ...(node.chain === undefined ? {} : { chain: node.chain }),
    pollingInterval: 20,
    transport: custom({
      request: (args: { method: string; params?: unknown }) =>
        args.method === "eth_sendRawTransaction" ? onSend() : node.request(args as never),
    }),
  }) as PublicClient;
}
