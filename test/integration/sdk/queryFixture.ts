import { poseidon2Artifact, queryMarketArtifact } from "@quorate/abi/artifacts";
import {
  datasetIdOf,
  generateEncryptionKeyPair,
  type Hex,
  type Quote,
  questionKeyTypes,
  quoteTypes,
  typedDomain,
} from "@quorate/core";
import {
  type AttributeDefinition,
  type AttributeRecord,
  type AttributeStatement,
  cipherOf,
  createTree,
  type DatasetDefinition,
  definitionHash,
  evaluateStatement,
  leafOf,
  type Papers,
  parseStatement,
  personOf,
  type Question,
  queryOfQuestion,
  subjectIdOf,
  toJson,
  topicOf,
  verifyConsent,
  verifySignature,
} from "@quorate/proofs";
import { answer, approveToken, deposit, type MarketClient, publishRoot, registerDataset } from "@quorate/sdk";
import {
  openConsent,
  openQuestion,
  openSubjectRequest,
  type SubjectKey,
  type SubjectReply,
  sealSubjectReply,
  subjectRequestHash,
} from "@quorate/wire";
import { type Abi, type Address, getAddress, keccak256, zeroAddress } from "viem";
import type { Chain } from "./fixture.ts";

/** A verifier that says yes to everything: one word, 1. What proofs say is not what these tests are about. */
const YES_CODE: Hex = "0x600160005260206000f3";
/** Where it stands. */
export const YES_VERIFIER: Address = getAddress(`0x${"5e".repeat(20)}`);
export const YES_CODE_HASH: Hex = keccak256(YES_CODE);

export const PRICE = 2_000_000n;
export const BOND = 5_000_000n;
/** Seconds. */
export const ANSWER_WINDOW = 600;

export const income: AttributeDefinition = {
  name: "yearly income",
  unit: "EUR",
  scale: 2,
  signed: false,
  description: "gross income of the last twelve months",
};
export const definition: DatasetDefinition = {
  version: 1,
  name: "Payroll",
  history: false,
  attributes: [income],
  scorecards: [],
};
export const papers: Papers = { name: "Ada Sample", birthDate: "1990-05-17", documentNumber: "X 123-456" };
export const CODE = "ABCD-EFGH-2345";

/** "Yearly income is at least so much", today. */
export function atLeast(value: string): AttributeStatement {
  return { kind: "attribute", attribute: income, relation: "at-least", value, asOf: Math.floor(Date.now() / 1_000) };
}

/** A query market beside the job market of a chain, with a client for an account. */
export type QueryChain = { readonly market: Address; client(index: number): MarketClient };

/** Deploys a query market and the verifier that says yes. */
export async function deployQueryMarket(chain: Chain): Promise<QueryChain> {
  const deployer = chain.client(0).wallet as NonNullable<MarketClient["wallet"]>;
  const deploy = async (abi: Abi, bytecode: Hex, args: readonly unknown[]): Promise<Address> => {
    const account = deployer.account ?? null;
    const hash = await deployer.deployContract({ abi, bytecode, args, account, chain: deployer.chain ?? null });
    const { contractAddress } = await chain.public.waitForTransactionReceipt({ hash });
    if (contractAddress == null) throw new Error("not deployed");
    return contractAddress;
  };
  const poseidon = await deploy(poseidon2Artifact.abi as Abi, poseidon2Artifact.bytecode, []);
  const market = await deploy(queryMarketArtifact.abi as Abi, queryMarketArtifact.bytecode, [10, 604_800, poseidon]);
  await chain.test.setCode({ address: YES_VERIFIER, bytecode: YES_CODE });
  return { market, client: (index) => ({ ...chain.client(index), market }) };
}

/** A domain provider in this process, reached through its `fetch`: one subject, one record, answers without proofs. */
export type ScriptedDomain = {
  readonly url: string;
  readonly provider: Address;
  readonly dataset: Hex;
  readonly record: AttributeRecord;
  readonly fetch: typeof fetch;
  /** Bodies that came to `POST /v1/questions`, in order. */
  readonly questions: readonly string[];
  /** What goes wrong; change it at any time. */
  readonly faults: {
    /** The reply to this many further questions is lost after they arrived. */
    loseReplies: number;
    refuse: boolean;
    /** Changes a quote before it is signed. */
    quote: (quote: Quote) => Quote;
    /** Changes the record before it is shown. */
    show: (record: AttributeRecord) => AttributeRecord;
    /** Account whose key signs one-time keys, by index. */
    keySigner: number;
    /** Account whose key signs quotes, by index. */
    quoteSigner: number;
    /** Added to the person that an enrolment names. */
    otherPerson: bigint;
  };
  /** Answers on chain. */
  answer(query: bigint): Promise<Hex>;
  /** Publishes another root, so that the one before is superseded. */
  publishAnother(): Promise<void>;
};

/** Registers a dataset of account `index`, enrols nobody yet, and listens. */
export async function scriptedDomain(chain: Chain, queries: QueryChain, index: number): Promise<ScriptedDomain> {
  const client = queries.client(index);
  const provider = chain.account(index).address;
  const domain = { chainId: client.chainId, market: client.market };
  const dataset = datasetIdOf(provider, definitionHash(definition));
  const now = Math.floor(Date.now() / 1_000);
  const record: AttributeRecord = {
    kind: "attribute",
    attribute: income,
    value: 10_234_550n,
    validFrom: now - 86_400 * 10,
    validUntil: now + 86_400 * 300,
    budget: 4,
  };
  const tree = createTree();
  tree.insert(1n);
  await registerDataset(client, { definition: definitionHash(definition), grace: 3_600, publisher: zeroAddress });
  await publishRoot(client, { dataset, root: tree.root });
  await chain.mint(provider, BOND * 10n);
  await approveToken(client, { token: chain.token, amount: BOND * 10n });
  await deposit(client, { token: chain.token, amount: BOND * 10n });

  const keys = new Map<Hex, Hex>();
  const quotes = new Map<string, { quote: Quote; signature: Hex }>();
  const open = new Map<bigint, { question: Question; quote: Quote; answer: boolean }>();
  const questions: string[] = [];
  const faults: ScriptedDomain["faults"] = {
    loseReplies: 0,
    refuse: false,
    quote: (quote) => quote,
    show: (shown) => shown,
    keySigner: index,
    quoteSigner: index,
    otherPerson: 0n,
  };
  let subject: { key: SubjectKey; nk: bigint; at: number } | undefined;
  const person = personOf(papers);

  async function postKey(body: { asker: string }): Promise<unknown> {
    const pair = generateEncryptionKeyPair();
    keys.set(pair.publicKey, pair.privateKey);
    const { timestamp } = await chain.public.getBlock();
    const key = {
      provider,
      asker: getAddress(body.asker),
      dataset,
      encryptionKey: pair.publicKey,
      expiry: Number(timestamp) + 3_600,
    };
    const signature = await chain.account(faults.keySigner).signTypedData({
      domain: typedDomain(domain),
      types: questionKeyTypes,
      primaryType: "QuestionKey",
      message: key,
    });
    return { key, signature };
  }

  async function postQuestion(body: Record<string, Hex>, raw: string): Promise<unknown> {
    questions.push(raw);
    const known = quotes.get(raw);
    if (known !== undefined) return known;
    if (faults.refuse) return undefined;
    const asker = getAddress(body.asker as string);
    const context = { ...domain, provider, dataset, asker };
    const privateKey = keys.get(body.encryptionKey as Hex) as Hex;
    const content = await openQuestion(body.sealed as string, privateKey, context);
    const consent = await openConsent(content.consent, privateKey, context);
    const question: Question = {
      ...domain,
      provider,
      asker,
      verifier: content.verifier,
      nonce: content.nonce,
      subjectKey: content.subjectKey,
      subjectNonce: content.subjectNonce,
      person: content.person,
      statement: parseStatement(content.statement),
      k: content.k,
    };
    verifyConsent({ consent, question, now: Math.floor(Date.now() / 1_000) });
    const { timestamp } = await chain.public.getBlock();
    const query = queryOfQuestion(question);
    const quote = faults.quote({
      asker,
      provider,
      query,
      dataset,
      root: content.root,
      verifier: YES_VERIFIER,
      verifierCodeHash: YES_CODE_HASH,
      token: chain.token,
      price: PRICE,
      bond: BOND,
      window: ANSWER_WINDOW,
      expiry: Number(timestamp) + 900,
    });
    const signature = await chain.account(faults.quoteSigner).signTypedData({
      domain: typedDomain(domain),
      types: quoteTypes,
      primaryType: "Quote",
      message: quote,
    });
    quotes.set(raw, { quote, signature });
    open.set(query, { question, quote, answer: evaluateStatement(question.statement, [record.value]) });
    return { quote, signature };
  }

  async function postSubject(body: Record<string, Hex>): Promise<unknown> {
    const context = { ...domain, provider, dataset, asker: zeroAddress };
    const encryptionKey = body.encryptionKey as Hex;
    const request = await openSubjectRequest(body.sealed as string, keys.get(encryptionKey) as Hex, context);
    const { signature, ...draft } = request;
    if (!verifySignature(request.subjectKey, subjectRequestHash(draft, encryptionKey, context), signature)) {
      throw new Error("the subject's message is not signed");
    }
    const reply = await subjectReply(request);
    return { sealed: await sealSubjectReply(reply, request.replyKey, context) };
  }

  async function subjectReply(request: Awaited<ReturnType<typeof openSubjectRequest>>): Promise<SubjectReply> {
    if (request.action === "enrol") {
      if (request.code !== CODE)
        return { kind: "refused", code: "ENROLMENT_CODE_UNKNOWN", message: "Nobody has this code." };
      const subjectId = subjectIdOf(request.subjectKey, person);
      if (faults.otherPerson !== 0n) return { kind: "enrolled", person: person + faults.otherPerson, subjectId };
      const at = tree.insert(leafOf(record, { subjectId, nk: request.nk as bigint }));
      subject = { key: request.subjectKey, nk: request.nk as bigint, at };
      await publishRoot(client, { dataset, root: tree.root });
      return { kind: "enrolled", person, subjectId };
    }
    if (subject === undefined) return { kind: "refused", code: "SUBJECT_UNKNOWN", message: "Nobody has this key." };
    if (request.action === "audit") return { kind: "audit", entries: [] };
    const shown = faults.show(record);
    const leaf = leafOf(shown, { subjectId: subjectIdOf(subject.key, person), nk: subject.nk });
    const { validFrom, validUntil, budget, value } = shown;
    return {
      kind: "records",
      root: tree.root,
      records: [
        {
          kind: "attribute",
          name: income.name,
          topic: topicOf(shown),
          values: [value],
          validFrom,
          validUntil,
          budget,
          used: open.size,
          leaf,
          path: tree.path(subject.at),
        },
      ],
    };
  }

  const info = {
    name: "Scripted",
    version: "1",
    ...domain,
    provider,
    agent: provider,
    datasets: [
      {
        dataset,
        definition,
        offers: [
          {
            circuit: "sealed-answer",
            verifier: YES_VERIFIER,
            verifierCodeHash: YES_CODE_HASH,
            token: chain.token,
            price: PRICE,
            bond: BOND,
            window: ANSWER_WINDOW,
          },
        ],
      },
    ],
  };

  return {
    url: "http://domain.test",
    provider,
    dataset,
    record,
    questions,
    faults,
    async fetch(input, init) {
      const path = new URL(String(input)).pathname;
      const raw = init?.body === undefined ? "" : await new Response(init.body).text();
      const body = raw === "" ? {} : JSON.parse(raw);
      const value =
        path === "/v1/info"
          ? info
          : path === "/v1/keys"
            ? await postKey(body)
            : path === "/v1/questions"
              ? await postQuestion(body, raw)
              : await postSubject(body);
      if (path === "/v1/questions" && faults.loseReplies > 0) {
        faults.loseReplies -= 1;
        throw new TypeError("the connection was lost");
      }
      const refused = { error: { code: "CANNOT_ANSWER", message: "cannot answer", docs: "guides/domain.md" } };
      return new Response(JSON.stringify(value === undefined ? refused : toJson(value)), {
        status: value === undefined ? 403 : 200,
        headers: { "content-type": "application/json" },
      });
    },
    async answer(query) {
      const asked = open.get(query);
      if (asked === undefined) throw new Error("nobody asked this");
      const cipher = cipherOf(asked.answer, asked.question.k, query);
      const { hash } = await answer(client, {
        quote: asked.quote,
        cipher,
        nullifier: query >> 1n,
        proof: [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n],
      });
      return hash;
    },
    async publishAnother() {
      tree.insert(2n);
      await publishRoot(client, { dataset, root: tree.root });
    },
  };
}
