import {
  type Address,
  generateEncryptionKeyPair,
  type Hex,
  hex,
  isQuorateError,
  type Logger,
  type MarketDomain,
  type QuestionKey,
  type Quote,
  questionKeyTypes,
  quoteDigest,
  quoteTypes,
  sealedQuestionDigest,
  typedDomain,
} from "@quorate/core";
import {
  attributeOf,
  buildInputs,
  checkStatement,
  encodeStatement,
  parseStatement,
  queryOfQuestion,
  type Statement,
  schemaOf,
  verifyConsent,
} from "@quorate/proofs";
import {
  type ConsentContent,
  consentHashOf,
  domainError,
  type KeyRequest,
  openConsent,
  openQuestion,
  type QuestionContent,
  type QuestionMessage,
  type SignedQuestionKey,
  type SignedQuote,
} from "@quorate/wire";
import { keccak256 } from "viem";
import { type ChainReader, isNobody } from "./chain-reader.ts";
import type { DomainConfig, DomainOfferConfig } from "./config.ts";
import { type Dataset, findDataset, type Identity } from "./context.ts";
import { createMutex } from "./mutex.ts";
import type { Publications } from "./publications.ts";
import type { Questions } from "./questions.ts";
import { type Records, recordDataOf } from "./records.ts";
import { refusal } from "./refusal.ts";
import type { StoredSubject, Subjects } from "./subjects.ts";

/** What the desk decides by. */
export type DeskPolicy = Pick<DomainConfig, "offers" | "quoteLifeS" | "keyLifeS" | "askers" | "limits">;

/** Who signs keys and quotes. */
export type DeskSigner = {
  readonly address: Address;
  // biome-ignore lint/suspicious/noExplicitAny: viem's accounts take a generic typed data definition, which only `any` accepts for both
  signTypedData(typedData: any): Promise<Hex>;
};

/** Ports of {@link createDesk}. */
export type DeskPorts = {
  readonly identity: Identity;
  readonly policy: DeskPolicy;
  readonly signer: DeskSigner;
  readonly datasets: readonly Dataset[];
  readonly subjects: Subjects;
  readonly records: Records;
  readonly publications: Publications;
  readonly questions: Questions;
  readonly reader: Pick<ChainReader, "codeHash" | "free" | "isSigned">;
  /** Seconds for which a superseded root may be asked about, by dataset. */
  readonly graceOf: (datasetId: number) => number;
  /** Unix s: the later of the machine's and the chain's. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Called when something became durable; for tests. */
  readonly onStep?: ((step: "key-stored" | "question-stored") => void) | undefined;
};

/** Gives keys and quotes. */
export type Desk = {
  /** @throws `UNKNOWN_DATASET`, `TOO_MANY_KEYS` */
  key(request: KeyRequest, source: string): Promise<SignedQuestionKey>;
  /** @throws `UNKNOWN_DATASET`, `DOMAIN_BUSY`, and `CANNOT_ANSWER` for everything else, whatever the reason is */
  question(message: QuestionMessage): Promise<SignedQuote>;
};

/** A quote that lives shorter is of no use to anybody. */
const LEAST_QUOTE_LIFE_S = 15;

const DAY_S = 86_400;
const SUBJECT_KEY_LIFE_S = 600;

/**
 * Makes the desk at which askers get keys and quotes. Whether it quotes depends on consent, policy and the existence of a
 * proof; never on the answer.
 *
 * @param ports State, signer, chain.
 */
export function createDesk(ports: DeskPorts): Desk {
  const { identity, policy, signer, datasets, subjects, records, publications, questions, reader, logger } = ports;
  const { chainId, market, provider } = identity;
  const domain: MarketDomain = { chainId, market };
  const offers = policy.offers.map((offer) => ({ ...offer, datasetId: findDataset(datasets, offer.dataset).id }));
  const mutex = createMutex();
  const codeHashes = new Map<Address, Hex>();

  const datasetOf = (dataset: Hex): Dataset => {
    const found = datasets.find((candidate) => candidate.dataset === dataset);
    if (found === undefined) throw domainError("UNKNOWN_DATASET", "The provider has no such dataset.");
    return found;
  };

  const pinnedCodeHash = async (verifier: Address): Promise<Hex> => {
    // Read once: a verifier whose code changes under its quotes is for the operator to look at.
    const known = codeHashes.get(verifier);
    if (known !== undefined) return known;
    const hash = await reader.codeHash(verifier);
    if (hash === undefined) throw refusal("VERIFIER_WITHOUT_CODE", `The verifier ${verifier} has no code.`);
    codeHashes.set(verifier, hash);
    return hash;
  };

  const checkAsker = (asker: Address, now: number): void => {
    const { mode, allow, deny } = policy.askers;
    if (deny.includes(asker) || (mode === "listed" && !allow.includes(asker)))
      throw refusal("ASKER_REFUSED", "The policy does not serve this asker.");
    const { open, since } = questions.quotesOf(asker, now - DAY_S);
    if (open >= policy.limits.openQuotesPerAsker)
      throw refusal("ASKER_LIMIT", "The asker has as many open quotes as it may have.");
    if (since >= policy.limits.quotesPerAskerPerDay)
      throw refusal("ASKER_LIMIT", "The asker got as many quotes in a day as it may get.");
  };

  const checkBond = async (offer: DomainOfferConfig): Promise<void> => {
    if (offer.bond === 0n) return;
    const free = await reader.free(offer.token, provider);
    if (free < questions.promisedBonds(offer.token) + offer.bond)
      throw refusal("BOND_SHORT", "The provider's free balance does not cover the bonds of one more quote.");
  };

  const offerOf = (dataset: Dataset, statement: Statement, verifier: Address): DomainOfferConfig => {
    const { definition } = dataset;
    const isDefined =
      statement.kind === "attribute"
        ? definition.attributes.some((attribute) => attributeOf(attribute) === attributeOf(statement.attribute))
        : definition.scorecards.some((scorecard) => schemaOf(scorecard) === schemaOf(statement.scorecard));
    if (!isDefined) throw refusal("STATEMENT_NOT_OFFERED", "The dataset does not define what the statement is about.");
    const { circuit } = encodeStatement(statement);
    const offer = offers.find(
      (candidate) =>
        candidate.datasetId === dataset.id && candidate.circuit === circuit && candidate.verifier === verifier,
    );
    if (offer === undefined) throw refusal("VERIFIER_NOT_OFFERED", "The policy does not offer this verifier.");
    return offer;
  };

  /** Everything that depends on a subject's record. Holds the lock: two questions must not take one index. */
  const quoteFor = async (input: {
    readonly message: QuestionMessage;
    readonly dataset: Dataset;
    readonly content: QuestionContent;
    readonly consent: ConsentContent;
    readonly statement: Statement;
    readonly offer: DomainOfferConfig;
    readonly verifierCodeHash: Hex;
    readonly query: bigint;
    readonly subject: StoredSubject;
    readonly now: number;
  }): Promise<SignedQuote> => {
    const { message, dataset, content, consent, statement, offer, verifierCodeHash, query, subject, now } = input;
    const { keys } = subject;
    if (keys === undefined) throw refusal("SUBJECT_UNKNOWN", "The subject did not enrol.");
    const askable = publications.askable(dataset.id, content.root, now, ports.graceOf(dataset.id));
    if (askable === undefined) throw refusal("ROOT_NOT_ASKABLE", "The root is not one that can be asked about.");
    const record = records
      .of(subject.id, dataset.id)
      .find(({ slot }) => slot !== undefined && isPlaced(askable.tree, slot, consent.leaf));
    if (record?.slot === undefined)
      throw refusal("RECORD_UNKNOWN", "The consent is about no record of the subject in this tree.");
    if (record.leaf !== consent.leaf)
      throw refusal(
        "RECORD_CHANGED",
        "The record was corrected since; nobody is told what the provider knows to be wrong.",
      );
    const expiry = Math.min(now + policy.quoteLifeS, askable.until ?? Number.MAX_SAFE_INTEGER, consent.notAfter);
    if (expiry < now + LEAST_QUOTE_LIFE_S)
      throw refusal("TOO_LATE", "Root or consent end before anybody could ask with the quote.");
    const data = recordDataOf(dataset.definition, record.body);
    const lane = questions.laneOf(subject.id, record.body.topic, record.body.validFrom);
    const i = questions.freeIndex(lane, record.body.budget);
    if (i === undefined) throw refusal("BUDGET_SPENT", "The record gave, or promised, as many answers as it may.");
    const path = askable.tree.path(record.slot);
    buildInputs({
      question: { chainId, market, provider, asker: message.asker, ...content, statement },
      record: data,
      subjectKey: keys.publicKey,
      person: subject.person,
      nk: keys.nk,
      consent,
      path,
      root: content.root,
      i,
      now,
    });
    const quote: Quote = {
      asker: message.asker,
      provider,
      query,
      dataset: dataset.dataset,
      root: content.root,
      verifier: offer.verifier,
      verifierCodeHash,
      token: offer.token,
      price: offer.price,
      bond: offer.bond,
      window: offer.window,
      expiry,
    };
    const signature = await signer.signTypedData({
      domain: typedDomain(domain),
      types: quoteTypes,
      primaryType: "Quote",
      message: quote,
    });
    const quoteId = quoteDigest(quote, domain);
    const { nonce, subjectKey, subjectNonce, person, k } = content;
    questions.add({
      quoteId,
      quote,
      signature,
      encryptionKey: message.encryptionKey,
      sealedHash: sealedHashOf(message),
      datasetId: dataset.id,
      body: {
        statement,
        nonce,
        subjectKey,
        subjectNonce,
        person,
        k,
        consent,
        record: data,
        path,
        nk: keys.nk,
        subjectId: subject.id,
        lane,
      },
      i,
      consentHash: consentHashOf(consent),
      now,
    });
    ports.onStep?.("question-stored");
    logger.info("question_quoted", { id: quoteId, asker: quote.asker, price: quote.price, expiry });
    return { quote, signature };
  };

  const judge = async (message: QuestionMessage, dataset: Dataset, now: number): Promise<SignedQuote> => {
    const { asker, encryptionKey } = message;
    const digest = sealedQuestionDigest(
      { asker, dataset: dataset.dataset, encryptionKey, sealedHash: sealedHashOf(message) },
      domain,
    );
    if (!(await reader.isSigned(asker, digest, message.signature)))
      throw refusal("SIGNATURE_INVALID", "The asker did not sign the question.");
    const earlier = questions.byEncryptionKey(encryptionKey);
    if (earlier !== undefined) {
      // The answer was lost on its way: the same question gets the same quote.
      const isSame = earlier.sealedHash === sealedHashOf(message) && earlier.quote.asker === asker;
      if (isSame && earlier.phase === "quoted" && earlier.quote.expiry > now)
        return { quote: earlier.quote, signature: earlier.signature };
      throw refusal("KEY_USED", "The one-time key was used for a question before.");
    }
    const privateKey = questions.keyOf(encryptionKey, dataset.id, asker, now);
    if (privateKey === undefined) throw refusal("KEY_UNKNOWN", "The one-time key is unknown, or expired.");
    checkAsker(asker, now);
    const context = { ...identity, dataset: dataset.dataset, asker };
    const content = await openQuestion(message.sealed, privateKey, context);
    const consent = await openConsent(content.consent, privateKey, context);
    const statement = parseStatement(content.statement);
    checkStatement(statement, { now, history: dataset.definition.history });
    const offer = offerOf(dataset, statement, content.verifier);
    const verifierCodeHash = await pinnedCodeHash(offer.verifier);
    await checkBond(offer);
    const question = { chainId, market, provider, asker, ...content, statement };
    const query = queryOfQuestion(question);
    // Before anything that depends on a record: without the subject's yes, nobody learns whether there is one.
    verifyConsent({ consent, question, now });
    return mutex(async () => {
      if (questions.knowsQuery(query)) throw refusal("QUERY_KNOWN", "The query was quoted before.");
      checkAsker(asker, now);
      const subject = subjects.byKey(content.subjectKey);
      if (subject === undefined) throw refusal("SUBJECT_UNKNOWN", "The subject did not enrol.");
      try {
        return await quoteFor({
          message,
          dataset,
          content,
          consent,
          statement,
          offer,
          verifierCodeHash,
          query,
          subject,
          now,
        });
      } catch (error) {
        const reason = isQuorateError(error) ? error.code : "INTERNAL";
        const { leaf } = consent;
        questions.refused({
          subjectId: subject.id,
          leaf,
          query,
          asker,
          consentHash: consentHashOf(consent),
          reason,
          quotedAt: now,
        });
        // What is wrong with a record must look like every other reason.
        throw isQuorateError(error) ? error : refusal("INTERNAL", String(error));
      }
    });
  };

  return {
    async key({ dataset: wanted, asker }, source) {
      const dataset = datasetOf(wanted);
      const now = ports.now();
      const open = questions.openKeys(source, now);
      if (open.all >= policy.limits.openKeys || open.ofSource >= policy.limits.openKeysPerSource)
        throw domainError("TOO_MANY_KEYS", "Too many one-time keys are open. Use those that you have, or wait.");
      const { publicKey, privateKey } = generateEncryptionKeyPair();
      const key: QuestionKey = {
        provider,
        asker,
        dataset: dataset.dataset,
        encryptionKey: publicKey,
        // A subject's message follows at once; a question waits for somebody's consent.
        expiry: now + (isNobody(asker) ? Math.min(policy.keyLifeS, SUBJECT_KEY_LIFE_S) : policy.keyLifeS),
      };
      const signature = await signer.signTypedData({
        domain: typedDomain(domain),
        types: questionKeyTypes,
        primaryType: "QuestionKey",
        message: key,
      });
      questions.addKey({ publicKey, privateKey, datasetId: dataset.id, asker, expiry: key.expiry, source });
      ports.onStep?.("key-stored");
      return { key, signature };
    },
    async question(message) {
      const dataset = datasetOf(message.dataset);
      try {
        return await judge(message, dataset, ports.now());
      } catch (error) {
        if (!isQuorateError(error)) {
          logger.error("question_failed", { error });
          throw domainError("DOMAIN_BUSY", "The agent cannot reach what it needs. Try again later.", error);
        }
        logger.info("question_refused", { asker: message.asker, code: error.code, reason: error.message });
        throw domainError("CANNOT_ANSWER", "cannot answer", error);
      }
    },
  };
}

function isPlaced(tree: { readonly size: number; get(index: number): bigint }, slot: number, leaf: bigint): boolean {
  return slot < tree.size && tree.get(slot) === leaf;
}

function sealedHashOf({ sealed }: QuestionMessage): Hex {
  return keccak256(hex(Buffer.from(sealed, "base64")));
}
