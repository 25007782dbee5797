// A receipt of @quorate/proofs over a real proof, a real market, and everything that a relying party may not accept.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { datasetIdOf } from "@quorate/core";
import {
  type AttributeDefinition,
  buildInputs,
  challengeMessage,
  consentMessage,
  createReceipt,
  createTree,
  definitionHash,
  encodeValue,
  FIELD_MODULUS,
  leafOf,
  parseReceipt,
  type Question,
  queryOfQuestion,
  queryOfReceipt,
  type Receipt,
  type RecordData,
  receiptToJson,
  subjectFromSecret,
  subjectIdOf,
  type VerifyReceiptParameters,
  verifyReceipt,
} from "@quorate/proofs";
import { createProver } from "@quorate/proofs/node";
import { assertCode } from "@quorate/testkit";
import { type AcceptedReceipts, type CheckedReceipt, checkReceipt } from "@quorate/web/receipt-check";
import { type Address, type Client, createClient, custom, type Hex, toFunctionSelector } from "viem";
import { mined, TestQueryMarket } from "../integration/queries/support/market.ts";

const INCOME: AttributeDefinition = { name: "income", unit: "EUR", scale: 2, signed: false, description: "Yearly" };
const DEFINITION = definitionHash({
  version: 1,
  name: "payroll",
  history: false,
  attributes: [INCOME],
  scorecards: [],
});
const PERSON = 4_711n;
const OTHER = "0x00000000000000000000000000000000000000C3";
const ZERO_HASH: Hex = `0x${"00".repeat(32)}`;

let chain: TestQueryMarket;
let client: Client;
let receipt: Receipt;
let unpaidReceipt: Receipt;
let accepted: VerifyReceiptParameters;
let signature: Hex;

before(async () => {
  chain = await TestQueryMarket.create();
  client = createClient({
    transport: custom({ request: ({ method, params }) => chain.rpc(method, ...((params ?? []) as unknown[])) }),
  });
  const now = await chain.now();
  const provider = chain.provider.address as Address;
  const subject = subjectFromSecret(new Uint8Array(32).fill(7), provider);
  const record: RecordData = {
    kind: "attribute",
    attribute: INCOME,
    value: encodeValue("120000", INCOME),
    validFrom: now - 1000,
    validUntil: now + 1000,
    budget: 3,
  };
  const question: Question = {
    ...chain.domain,
    provider,
    asker: chain.asker.address as Address,
    verifier: (await chain.verifierOf("sealed-answer")) as Address,
    nonce: 99n,
    subjectKey: subject.publicKey,
    subjectNonce: 1_234n,
    person: PERSON,
    statement: { kind: "attribute", attribute: INCOME, relation: "at-least", value: "100000", asOf: now },
    k: (1n << 247n) + 5n,
  };
  const leaf = leafOf(record, { subjectId: subjectIdOf(subject.publicKey, PERSON), nk: subject.nk });
  const tree = createTree();
  const path = tree.path(tree.insert(leaf));
  const query = queryOfQuestion(question);
  const consent = { query, leaf, notAfter: now + 60, signature: subject.sign(consentMessage(query, leaf)) };
  const parts = { subjectKey: subject.publicKey, person: PERSON, nk: subject.nk, path, root: tree.root, i: 0, now };
  const built = buildInputs({ question, record, consent, ...parts });

  const prover = await createProver();
  const { proof } = await prover.prove(built.circuit, built.inputs, { signals: built.signals });
  // The same answer by another use of the record: as true, and not what was paid for.
  const unpaid = buildInputs({ question, record, consent, ...parts, i: 1 });
  const unpaidProof = await prover.prove(unpaid.circuit, unpaid.inputs);
  await prover.close();
  const market = chain.market.connect(chain.provider);
  await mined(market.registerDataset(DEFINITION, 86_400, OTHER));
  const dataset = datasetIdOf(provider, DEFINITION);
  await mined(market.publishRoot(dataset, tree.root));
  const quote = await chain.quote(
    { query, root: tree.root, circuit: "sealed-answer" },
    { dataset, expiry: now + 3_600 },
  );
  await chain.ask(quote);
  const [cipher, nullifier] = built.signals;
  receipt = createReceipt({ question, quote, cipher, nullifier, proof });
  unpaidReceipt = { ...receipt, nullifier: unpaid.signals[1], proof: unpaidProof.proof };
  accepted = {
    client,
    ...chain.domain,
    providers: [OTHER, provider],
    verifiers: { "sealed-answer": [quote.verifierCodeHash], scorecard: [] },
    now: now + 60,
  };
  await assertCode(verifyReceipt(receipt, accepted), "RECEIPT_UNANSWERED");
  await mined(chain.answer(quote, { cipher, nullifier, proof: [...proof] }));
  signature = (await chain.asker.signMessage(challengeMessage(receipt, "desk 7, 12:00"))) as Hex;
});
after(() => chain.connection.close());

const statement = { kind: "attribute", attribute: INCOME, relation: "at-least" } as const;

describe("a receipt", () => {
  test("shows the answer, the root's age and what is not known", async () => {
    const shown = await verifyReceipt(receipt, accepted);
    const { publishedAt, supersededAt } = shown.root ?? {};
    assert.deepEqual(
      [shown.ok, shown.anchored, shown.answer, shown.askerPresent, shown.person, supersededAt],
      [true, true, true, false, PERSON, 0],
    );
    assert.ok((publishedAt ?? 0) > 0 && (publishedAt ?? 0) <= (await chain.now()));
    assert.match(shown.words, /^As registered by 0x\w+, it is true that income is at least 100,000 EUR on \d{4}-/);
    assert.match(shown.words, /may have copied it/);
    assert.doesNotMatch(shown.words, /[Uu]nanchored/);
  });

  test("without a chain is proved, and says that it is not anchored", async () => {
    const shown = await verifyReceipt(receipt, { ...accepted, client: undefined });
    assert.deepEqual([shown.anchored, shown.answer, shown.root], [false, true, undefined]);
    assert.match(shown.words, /Unanchored/);
  });

  test("is accepted for the expected statement, person and age", async () => {
    const narrow = { statement: { ...statement, value: "100000.00 EUR" }, person: PERSON, maxAge: 60 };
    assert.equal((await verifyReceipt(receipt, { ...accepted, ...narrow })).answer, true);
  });

  test("shows that the asker is present by its signature over the challenge", async () => {
    const challenge = { text: "desk 7, 12:00", signature };
    for (const reader of [client, undefined]) {
      const shown = await verifyReceipt(receipt, { ...accepted, client: reader, challenge });
      assert.equal(shown.askerPresent, true);
      assert.doesNotMatch(shown.words, /copied/);
    }
  });

  test("reads back from JSON, names no record, and is refused when malformed", async () => {
    const text = JSON.stringify(receiptToJson(receipt));
    const read = parseReceipt(JSON.parse(text));
    assert.deepEqual(read, receipt);
    assert.equal((await verifyReceipt(read, accepted)).answer, true);
    for (const secret of ["nk", "leaf", "subjectId", "consent", "subjectKey", "subjectNonce"]) {
      assert.equal(text.includes(`"${secret}"`), false, secret);
    }
    const json = JSON.parse(text) as object;
    for (const change of [
      { version: 2 },
      { cipher: `${FIELD_MODULUS}` },
      { nullifier: "-1" },
      { proof: ["1"] },
      { statement: { ...statement, value: 5 } },
      { note: "x" },
      { k: "0x5" },
    ]) {
      await assertCode(() => parseReceipt({ ...json, ...change }), "RECEIPT_INVALID");
    }
  });
});

describe("a receipt is refused", () => {
  const change = (over: Partial<Receipt>) => (): [Receipt, VerifyReceiptParameters] => [
    { ...receipt, ...over },
    accepted,
  ];
  const accept = (over: Partial<VerifyReceiptParameters>) => (): [Receipt, VerifyReceiptParameters] => [
    receipt,
    { ...accepted, ...over },
  ];
  const about = (over: object) => (): [Receipt, VerifyReceiptParameters] => [
    { ...receipt, statement: { ...receipt.statement, ...over } as Receipt["statement"] },
    accepted,
  ];
  const cases: readonly (readonly [string, () => [Receipt, VerifyReceiptParameters], string])[] = [
    ["of another market", accept({ market: OTHER }), "MARKET"],
    ["of another chain", accept({ chainId: 1 }), "MARKET"],
    ["of a provider that is not trusted", accept({ providers: [OTHER] }), "PROVIDER"],
    [
      "of a verifier that is not known",
      accept({ verifiers: { "sealed-answer": [ZERO_HASH], scorecard: [] } }),
      "VERIFIER",
    ],
    ["for another circuit", change({ circuit: "scorecard" }), "VERIFIER"],
    ["about a lower threshold than expected", accept({ statement: { ...statement, value: "100000.01" } }), "STATEMENT"],
    [
      "about the opposite",
      accept({ statement: { ...statement, relation: "less-than", value: "100000" } }),
      "STATEMENT",
    ],
    [
      "about the same words in another unit",
      accept({ statement: { ...statement, attribute: { ...INCOME, unit: "USD" }, value: "100000" } }),
      "STATEMENT",
    ],
    ["about another person", accept({ person: PERSON + 1n }), "PERSON"],
    ["that is too old", () => [receipt, { ...accepted, now: accepted.now + 31 * 86_400 }], "STALE"],
    ["that is older than wished", accept({ maxAge: 59 }), "STALE"],
    ["about days to come", () => [receipt, { ...accepted, now: accepted.now - 2 * 86_400 }], "STALE"],
    ["that says nothing", about({ value: "0" }), "VACUOUS"],
    ["with another threshold written into it", about({ value: "110000" }), "ANSWER"],
    ["with another relation written into it", about({ relation: "at-most" }), "ANSWER"],
    ["with another person written into it", change({ person: 5n }), "ANSWER"],
    ["with another subject", change({ subjectRef: 5n }), "ANSWER"],
    ["with another key", change({ k: 5n }), "ANSWER"],
    ["with another asker", change({ asker: OTHER }), "ANSWER"],
    ["with the opposite answer", () => [{ ...receipt, cipher: receipt.cipher - 1n }, accepted], "PROOF"],
    ["with another root", change({ root: 5n }), "PROOF"],
    ["with another nullifier", change({ nullifier: 5n }), "PROOF"],
    ["with a broken proof", change({ proof: [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n] }), "PROOF"],
    ["with a challenge of another day", accept({ challenge: { text: "desk 7, 12:01", signature: "0x" } }), "CHALLENGE"],
    ["with a dataset of nobody", change({ dataset: ZERO_HASH }), "DATASET"],
    [
      "with a verifier's code that is not there",
      () => {
        const verifiers = { "sealed-answer": [ZERO_HASH], scorecard: [] };
        return [
          { ...receipt, verifierCodeHash: ZERO_HASH },
          { ...accepted, verifiers },
        ];
      },
      "CODE",
    ],
  ];
  for (const [name, parts, code] of cases) {
    test(`${name}: RECEIPT_${code}`, async () => {
      await assertCode(verifyReceipt(...parts()), `RECEIPT_${code}`);
    });
  }

  test("with a proof that was not paid for: RECEIPT_NULLIFIER", async () => {
    assert.equal((await verifyReceipt(unpaidReceipt, { ...accepted, client: undefined })).answer, true);
    await assertCode(verifyReceipt(unpaidReceipt, accepted), "RECEIPT_NULLIFIER");
  });

  test("when the chain has another cipher: RECEIPT_CIPHER", async () => {
    const selector = toFunctionSelector("questionOf(address,uint256)");
    const otherCipher = custom({
      request: async ({ method, params }: { method: string; params?: unknown[] }) => {
        const result = await chain.rpc(method, ...(params ?? []));
        const [call] = (params ?? []) as { readonly data?: string }[];
        const isRead = method === "eth_call" && call?.data?.startsWith(selector) === true;
        return isRead ? `${`${result}`.slice(0, -64)}${"05".padStart(64, "0")}` : result;
      },
    });
    const parameters = { ...accepted, client: createClient({ transport: otherCipher }) };
    await assertCode(verifyReceipt(receipt, parameters), "RECEIPT_CIPHER");
  });

  test("with the signature of somebody else under the challenge", async () => {
    const text = "desk 7, 12:00";
    const stolen = (await chain.stranger.signMessage(challengeMessage(receipt, text))) as Hex;
    for (const reader of [client, undefined]) {
      const challenge = { text, signature: stolen };
      await assertCode(verifyReceipt(receipt, { ...accepted, client: reader, challenge }), "RECEIPT_CHALLENGE");
    }
  });

  test("when the chain has another root, or the provider revoked it", async () => {
    // The dataset of the scenario is the provider's as well, and does not have this root.
    await assertCode(verifyReceipt({ ...receipt, dataset: chain.dataset }, accepted), "RECEIPT_ROOT");
    const rewind = await chain.snapshot();
    await mined(chain.market.connect(chain.provider).revokeRoot(receipt.dataset, receipt.root));
    await assertCode(verifyReceipt(receipt, accepted), "RECEIPT_ROOT");
    await rewind();
    assert.equal((await verifyReceipt(receipt, accepted)).anchored, true);
  });

  test("when question and quote do not belong together", async () => {
    const { provider, verifier, cipher, nullifier, proof } = receipt;
    const quote = await chain.quote({ query: 5n, root: receipt.root, circuit: "sealed-answer" });
    const subject = subjectFromSecret(new Uint8Array(32), provider);
    const question: Question = { ...receipt, verifier, subjectKey: subject.publicKey, subjectNonce: 1n };
    await assertCode(() => createReceipt({ question, quote, cipher, nullifier, proof }), "RECEIPT_QUERY");
  });
});

describe("a relying party's check", () => {
  const accepts = (): AcceptedReceipts => ({
    chainId: accepted.chainId,
    market: accepted.market,
    providers: accepted.providers,
    verifiers: accepted.verifiers,
  });
  const check = (given: unknown, over: Partial<AcceptedReceipts> = {}, reader: Client | undefined = client) =>
    checkReceipt(given, { accepts: { ...accepts(), ...over }, client: reader, now: accepted.now });
  const codesOf = ({ steps }: CheckedReceipt): Record<string, string> =>
    Object.fromEntries(steps.map(({ id, state, code }) => [id, code ?? state]));

  test("accepts what was computed, confirmed by the chain and its verifier, and given by a trusted provider", async () => {
    const told: string[] = [];
    const checked = await checkReceipt(JSON.stringify(receiptToJson(receipt)), {
      accepts: accepts(),
      client,
      now: accepted.now,
      onStep: ({ id }) => told.push(id),
    });
    assert.deepEqual(codesOf(checked), { here: "passed", chain: "passed", verifier: "passed", provider: "passed" });
    assert.deepEqual(told, ["here", "chain", "verifier", "provider"]);
    assert.deepEqual([checked.verdict, checked.answer, checked.root?.supersededAt], ["accepted", true, 0]);
    assert.match(checked.statement ?? "", /^income is at least 100,000 EUR on \d{4}-/);
    assert.deepEqual(
      checked.signals.map(({ name, value }) => [name, value]),
      [
        ["cipher", receipt.cipher],
        ["nullifier", receipt.nullifier],
        ["root", receipt.root],
        ["query", queryOfReceipt(receipt)],
      ],
    );
  });

  test("tells a good proof of a provider that is not trusted from a bad one", async () => {
    const checked = await check(receiptToJson(receipt), { providers: [OTHER] });
    assert.equal(checked.verdict, "untrusted");
    assert.equal(codesOf(checked).provider, "RECEIPT_PROVIDER");
    assert.equal(codesOf(checked).verifier, "passed");
  });

  test("accepts nothing without a chain", async () => {
    const checked = await checkReceipt(receiptToJson(receipt), { accepts: accepts(), now: accepted.now });
    assert.deepEqual([checked.verdict, checked.answer], ["unanchored", true]);
    assert.deepEqual(codesOf(checked), { here: "passed", chain: "skipped", verifier: "skipped", provider: "passed" });
  });

  test("refuses in words what is no receipt, was changed, or is not what the chain has", async () => {
    const json = receiptToJson(receipt) as Record<string, unknown>;
    const cases: readonly (readonly [unknown, string, string])[] = [
      ["no json", "here", "RECEIPT_INVALID"],
      [{ ...json, version: 2 }, "here", "RECEIPT_INVALID"],
      [{ ...json, person: "5" }, "here", "RECEIPT_ANSWER"],
      [{ ...json, root: "5" }, "here", "RECEIPT_PROOF"],
      [receiptToJson(unpaidReceipt), "chain", "RECEIPT_NULLIFIER"],
      [{ ...json, dataset: ZERO_HASH }, "chain", "RECEIPT_DATASET"],
    ];
    for (const [given, step, code] of cases) {
      const checked = await check(given);
      assert.equal(checked.verdict, "refused", code);
      assert.equal(codesOf(checked)[step], code);
      assert.notEqual(checked.steps.find(({ id }) => id === step)?.words, "");
    }
  });

  test("holds it against the statement, the person and the challenge that were asked for", async () => {
    const challenge = { text: "desk 7, 12:00", signature };
    assert.equal((await check(receiptToJson(receipt), { challenge, person: PERSON })).askerPresent, true);
    const refusals: readonly (readonly [Partial<AcceptedReceipts>, string])[] = [
      [{ person: PERSON + 1n }, "RECEIPT_PERSON"],
      [{ maxAgeS: 59 }, "RECEIPT_STALE"],
      [{ statement: { ...statement, value: "1" } }, "RECEIPT_STATEMENT"],
    ];
    for (const [over, code] of refusals) assert.equal(codesOf(await check(receiptToJson(receipt), over)).here, code);
    const stolen = { ...challenge, text: "desk 8" };
    for (const [reader, step] of [
      [client, "chain"],
      [undefined, "here"],
    ] as const) {
      const checked = await checkReceipt(receiptToJson(receipt), {
        accepts: { ...accepts(), challenge: stolen },
        client: reader,
        now: accepted.now,
      });
      assert.equal(codesOf(checked)[step], "RECEIPT_CHALLENGE");
    }
  });

  test("does not take silence of the chain for a refusal, nor a verifier's no for a yes", async () => {
    const silent = createClient({ transport: custom({ request: () => Promise.reject(new Error("down")) }) });
    const unknown = await check(receiptToJson(receipt), {}, silent);
    assert.deepEqual([unknown.verdict, codesOf(unknown).chain], ["unknown", "CHAIN_UNREACHABLE"]);
    const selector = toFunctionSelector("verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[4])");
    const says = (word: string): Client =>
      createClient({
        transport: custom({
          request: async ({ method, params }: { method: string; params?: unknown[] }) => {
            const [call] = (params ?? []) as { readonly data?: string }[];
            if (method === "eth_call" && call?.data?.startsWith(selector) === true)
              return `0x${word.padStart(64, "0")}`;
            return chain.rpc(method, ...(params ?? []));
          },
        }),
      });
    const no = await check(receiptToJson(receipt), {}, says("0"));
    assert.deepEqual([no.verdict, codesOf(no).verifier], ["refused", "VERIFIER_SAYS_NO"]);
    assert.equal((await check(receiptToJson(receipt), {}, says("1"))).verdict, "accepted");
  });
});
