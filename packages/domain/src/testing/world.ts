/** An agent with everything around it, and the people who speak with it. Used by tests only. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  type Address,
  type Clock,
  generateEncryptionKeyPair,
  type Hex,
  type Logger,
  type Quote,
  type SealedQuestion,
  sealedQuestionTypes,
  silentLogger,
  typedDomain,
} from "@quorate/core";
import {
  type AttributeDefinition,
  attributeOf,
  consentMessage,
  type DatasetDefinition,
  generateAnswerKey,
  generateNonce,
  generateSubjectNonce,
  keyHashOf,
  type Papers,
  personOf,
  queryOfQuestion,
  type Statement,
  type Subject,
  subjectFromSecret,
} from "@quorate/proofs";
import { decodeState, type KeyAccount, keyAccountFrom } from "@quorate/service";
import { fakeClock, testAddress, testDomain, testHash } from "@quorate/testkit";
import {
  openSubjectReply,
  type QueryContext,
  type QuestionMessage,
  type SignedQuote,
  type SubjectAction,
  type SubjectReply,
  type SubjectRequestDraft,
  sealConsent,
  sealQuestion,
  sealSubjectRequest,
  subjectRequestHash,
} from "@quorate/wire";
import { keccak256, recoverAddress, zeroAddress } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { ProverPort } from "../internal/answerer.ts";
import { type DomainConfig, parseDomainConfig } from "../internal/config.ts";
import { type Identity, openState, type State } from "../internal/context.ts";
import { createDomain, type Domain, type DomainStep } from "../internal/domain.ts";
import { importRecords, initDomain, registerSubject } from "../internal/offline.ts";
import { FakeMarket, type FakeOutbox, fakeOutbox } from "./fake-market.ts";
import { stubProver } from "./stub-prover.ts";

/** The attribute of most tests. */
export const income: AttributeDefinition = {
  name: "income",
  unit: "EUR",
  scale: 2,
  signed: false,
  description: "Gross income of the last twelve months",
};
/** A dataset with it. */
export const payroll: DatasetDefinition = {
  version: 1,
  name: "payroll",
  history: false,
  attributes: [income],
  scorecards: [
    {
      name: "credit",
      description: "What a lender looks at",
      fields: [
        { name: "debt", unit: "EUR", scale: 0, signed: false, description: "Monthly debt" },
        { name: "score", unit: "", scale: 0, signed: true, description: "Credit score" },
      ],
    },
  ],
};
/** Papers of the subject. */
export const papers: Papers = { name: "Ada Lovelace", birthDate: "1985-12-10", documentNumber: "X 123-456" };
/** Unix s at which tests begin. */
export const startS = 1_790_000_000;
/** Verifier of the offers. */
export const verifier: Address = testAddress(77);
const token: Address = testAddress(88);
const account: KeyAccount = keyAccountFrom(testHash(0xd0));
/** The asker. */
export const asker: PrivateKeyAccount = privateKeyToAccount(testHash(0xa5));
const identity: Identity = { ...testDomain, provider: account.address };

/** A day as the mapping reads it. */
export const day = (unixS: number): string => new Date(unixS * 1000).toISOString().slice(0, 10);

const mapping = {
  version: 1,
  subject: { column: "employee" },
  records: [
    {
      attribute: "income",
      unit: "EUR",
      scale: 2,
      value: { column: "income" },
      validFrom: { column: "from" },
      validUntil: { column: "until" },
      budget: { column: "budget" },
    },
  ],
};

/** Settings of {@link World.start}. */
export type WorldOptions = {
  readonly config?: Record<string, unknown>;
  readonly prover?: ProverPort;
  readonly confirmations?: number;
  readonly onStep?: (step: DomainStep) => void;
  readonly logger?: Logger;
  /** Signing takes its time, as with a remote signer. */
  readonly slowSigner?: boolean;
  /** Folder of an earlier world that goes on. */
  readonly dataDir?: string;
};

/** An agent on a fake chain. */
export class World implements Disposable {
  readonly dataDir: string;
  readonly market: FakeMarket;
  readonly clock: Clock & { advance(ms: number): void };
  readonly account: KeyAccount = account;
  readonly identity: Identity = identity;
  readonly subject: Subject = subjectFromSecret(new Uint8Array(32).fill(7), identity.provider);
  readonly confirmations: number;
  state!: State;
  domain!: Domain;
  outbox!: FakeOutbox;
  /** Number of the newest block that the agent has seen. */
  cursor = -1;
  dataset!: Hex;
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "quorate-domain-"));
    this.clock = fakeClock(startS * 1000);
    this.market = new FakeMarket(testDomain, startS, join(this.dataDir, "chain.json"));
    this.market.provider = identity.provider;
    this.confirmations = options.confirmations ?? 0;
  }

  /** A world with a dataset, a subject of 52,000 EUR who enrolled, and a published root. */
  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.init();
    await world.importCsv(
      `employee,income,from,until,budget\nE1,52000.00,${day(startS - 86_400 * 30)},${day(startS + 86_400 * 30)},3\n`,
    );
    const { code } = await world.register("E1", papers);
    await world.open();
    const reply = await world.speak("enrol", { code, nk: world.subject.nk, papers });
    if (reply.kind !== "enrolled") throw new Error(`not enrolled: ${JSON.stringify(reply)}`);
    world.publish();
    return world;
  }

  async init(): Promise<void> {
    const made = await initDomain({ dataDir: this.dataDir, account, ...identity, definition: payroll });
    this.dataset = made.dataset;
  }

  async importCsv(text: string, mode: "add" | "correct" = "add"): Promise<void> {
    const path = join(this.dataDir, "records.csv");
    writeFileSync(path, text);
    await importRecords({ dataDir: this.dataDir, account, source: { format: "csv", path }, mapping, mode });
    rmSync(path);
  }

  register(reference: string, withPapers?: Papers): Promise<{ code: string; person: bigint }> {
    return registerSubject({
      dataDir: this.dataDir,
      account,
      reference,
      codeLifeS: 40 * 365 * 86_400,
      ...(withPapers === undefined ? {} : { papers: withPapers }),
    });
  }

  config(): DomainConfig {
    return parseDomainConfig({
      chainId: identity.chainId,
      market: identity.market,
      provider: identity.provider,
      rpcUrls: ["http://127.0.0.1:1"],
      dataDir: this.dataDir,
      offers: [
        {
          dataset: "payroll",
          circuit: "sealed-answer",
          verifier,
          token,
          price: "1000",
          bond: "5000",
          window: 600,
        },
      ],
      refusalMs: 0,
      ...this.#options.config,
    });
  }

  /** Opens the state and makes the agent; it reads what it has not seen of the chain. */
  async open(): Promise<void> {
    this.state = openState(this.dataDir, account);
    this.outbox = fakeOutbox(this.state);
    this.state.db.exec(
      "CREATE TABLE IF NOT EXISTS fake_cursor (id INTEGER PRIMARY KEY, block INTEGER NOT NULL) STRICT",
    );
    this.cursor = (this.state.db.prepare("SELECT block FROM fake_cursor").get()?.block as number | undefined) ?? -1;
    const config = this.config();
    this.domain = createDomain({
      config,
      identity,
      state: this.state,
      signer: {
        address: account.address,
        signTypedData: async (typedData: never) => {
          if (this.#options.slowSigner === true) await setTimeout(20);
          return account.signTypedData(typedData);
        },
      },
      reader: this.market.reader(
        new Map([
          [
            asker.address,
            async (hash: Hex, signature: Hex) =>
              (await recoverAddress({ hash, signature }).catch(() => undefined)) === asker.address,
          ],
        ]),
      ),
      outbox: this.outbox as never,
      prover: this.#options.prover ?? stubProver,
      sources: [],
      clock: this.clock,
      logger: this.#options.logger ?? silentLogger,
      onStep: this.#options.onStep,
    });
    this.dataset = this.domain.datasets[0]?.dataset as Hex;
    await this.domain.refresh();
    if (this.market.time > startS) this.follow();
  }

  close(): void {
    this.state.close();
  }

  async restart(): Promise<void> {
    this.close();
    await this.open();
  }

  [Symbol.dispose](): void {
    if (this.state?.db.isOpen) this.state.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** The agent reads the chain, as its follower would: in one transaction with its cursor. */
  follow(rollbackTo?: number): void {
    const rollback =
      rollbackTo === undefined
        ? undefined
        : { toBlock: rollbackTo, toHash: undefined, removed: this.cursor - rollbackTo };
    const { db } = this.state;
    db.exec("BEGIN IMMEDIATE");
    const batch = this.market.batch(rollbackTo ?? this.cursor, this.confirmations, rollback);
    this.domain.takeBatch(batch);
    db.prepare("INSERT OR REPLACE INTO fake_cursor VALUES (1, ?)").run(batch.head.number);
    db.exec("COMMIT");
    this.cursor = batch.head.number;
  }

  /** Publishes what changed, and the chain takes it. */
  publish(): bigint {
    const made = this.domain.publish(this.domain.datasets[0] as Domain["datasets"][0]);
    if (made === undefined) throw new Error("nothing to publish");
    this.settle();
    return made.root;
  }

  /** Everything that waits is sent, mined, and final. */
  settle(): void {
    this.outbox.deliver(this.market);
    for (let block = 0; block <= this.confirmations; block += 1) this.market.mine();
    this.follow();
  }

  /** Lets the agent work until nothing changes. */
  async work(): Promise<void> {
    const signal = new AbortController().signal;
    for (let round = 0; round < 20; round += 1) {
      const changed = await this.domain.step(signal);
      const sent = this.outbox.deliver(this.market);
      if (sent > 0) this.settle();
      this.clock.advance(2_000);
      if (!changed && sent === 0) return;
    }
    throw new Error("the agent does not come to rest");
  }

  contextOf(forAsker: Address): QueryContext {
    return { ...identity, dataset: this.dataset, asker: forAsker };
  }

  /** A subject speaks with the agent. */
  async speak(
    action: SubjectAction,
    parts: Partial<SubjectRequestDraft> = {},
    subject: Subject = this.subject,
  ): Promise<SubjectReply> {
    const context = this.contextOf(zeroAddress);
    const { key } = await this.domain.key({ dataset: this.dataset, asker: zeroAddress }, "test");
    const reply = generateEncryptionKeyPair();
    const draft: SubjectRequestDraft = {
      action,
      subjectKey: subject.publicKey,
      replyKey: reply.publicKey,
      at: Math.max(Math.floor(this.clock.now() / 1000), this.market.time),
      ...parts,
    };
    const signature = subject.sign(subjectRequestHash(draft, key.encryptionKey, context));
    const sealed = await sealSubjectRequest({ ...draft, signature }, key.encryptionKey, context);
    const answer = await this.domain.subject(action, {
      encryptionKey: key.encryptionKey,
      dataset: this.dataset,
      sealed,
    });
    return openSubjectReply(answer.sealed, reply.privateKey, context);
  }

  /** The subject's records with their paths. */
  async records(subject: Subject = this.subject): Promise<Extract<SubjectReply, { kind: "records" }>> {
    const reply = await this.speak("records", {}, subject);
    if (reply.kind !== "records") throw new Error("no records");
    return reply;
  }

  /** "income at least …", as of now. */
  atLeast(value: string): Statement {
    return { kind: "attribute", attribute: income, relation: "at-least", value, asOf: this.now() };
  }

  now(): number {
    return Math.max(Math.floor(this.clock.now() / 1000), this.market.time);
  }

  /** A question that is ready to be sent, with the subject's consent in it. */
  async prepare(changes: PrepareChanges = {}): Promise<Prepared> {
    const { key } = await this.domain.key({ dataset: this.dataset, asker: asker.address }, "test");
    const subject = changes.subject ?? this.subject;
    const shown = changes.leaf === undefined ? await this.records() : undefined;
    const record = shown?.records.find(({ path }) => path !== undefined);
    const leaf = changes.leaf ?? record?.leaf ?? 1n;
    const question = {
      ...identity,
      asker: asker.address,
      verifier: changes.verifier ?? verifier,
      nonce: generateNonce(),
      subjectKey: subject.publicKey,
      subjectNonce: generateSubjectNonce(),
      person: changes.person ?? personOf(papers),
      statement: changes.statement ?? this.atLeast("50000"),
      k: generateAnswerKey(),
    };
    const query = queryOfQuestion({ ...question, keyHash: keyHashOf(question.k) } as never);
    const signed = changes.consentFor ?? query;
    const consent = {
      query: signed,
      leaf,
      notAfter: changes.notAfter ?? this.now() + 3_600,
      signature: subject.sign(consentMessage(signed, leaf)),
    };
    const context = this.contextOf(asker.address);
    const content = {
      root: changes.root ?? shown?.root ?? 1n,
      verifier: question.verifier,
      statement: question.statement as never,
      nonce: question.nonce,
      subjectKey: question.subjectKey,
      subjectNonce: question.subjectNonce,
      person: question.person,
      k: question.k,
      consent: await sealConsent(consent, key.encryptionKey, context),
    };
    const sealed = await sealQuestion(content, key.encryptionKey, context);
    const message = await this.sign({ encryptionKey: key.encryptionKey, sealed });
    return { message, query, k: question.k, leaf };
  }

  async sign({ encryptionKey, sealed }: { encryptionKey: Hex; sealed: string }): Promise<QuestionMessage> {
    const dataset = this.dataset;
    const signed: SealedQuestion = {
      asker: asker.address,
      dataset,
      encryptionKey,
      sealedHash: keccak256(Buffer.from(sealed, "base64")),
    };
    const signature = await asker.signTypedData({
      domain: typedDomain(testDomain),
      types: sealedQuestionTypes,
      primaryType: "SealedQuestion",
      message: signed,
    });
    return { encryptionKey, dataset, asker: asker.address, sealed, signature };
  }

  async quote(changes: PrepareChanges = {}): Promise<Prepared & SignedQuote> {
    const prepared = await this.prepare(changes);
    return { ...prepared, ...(await this.domain.question(prepared.message)) };
  }

  /** The asker, which kept the quote, asks with the one that the agent stored last. */
  askStored(): void {
    const row = this.state.db.prepare("SELECT quote FROM question ORDER BY id DESC LIMIT 1").get();
    this.ask(decodeState(row?.quote as string) as Quote);
  }

  /** The asker asks on chain, and the agent sees it. */
  ask(quote: Quote): void {
    this.market.ask(quote);
    for (let block = 0; block < this.confirmations; block += 1) this.market.mine();
    this.follow();
  }
}

/** What differs from a good question. */
export type PrepareChanges = {
  readonly statement?: Statement;
  readonly subject?: Subject;
  readonly person?: bigint;
  readonly verifier?: Address;
  readonly root?: bigint;
  readonly leaf?: bigint;
  readonly notAfter?: number;
  /** Another query that the consent is for. */
  readonly consentFor?: bigint;
};

/** A question that is ready to be sent. */
export type Prepared = {
  readonly message: QuestionMessage;
  readonly query: bigint;
  readonly k: bigint;
  readonly leaf: bigint;
};

/** Topic of the attribute of most tests. */
export const incomeTopic: bigint = attributeOf(income);
