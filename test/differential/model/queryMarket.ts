// The query market: docs/protocol/queries.md, with the order of checks that IQueryMarket promises.
import { type Address, datasetIdOf, type Hex, type MarketDomain, type Quote, quoteDigest } from "@quorate/core";
import { copyLedger, createLedger, credit, escrow, type Ledger, lock, seize, unlock } from "./ledger.ts";
import { type Authorizations, actsFor, type ContractAccounts, signerFault } from "./signers.ts";
import { CHAIN_ID, type Context, FIELD, refuse, type Signature, ZERO_HASH } from "./types.ts";

/** The order of the contract's enum. */
export const QuestionStatus = { None: 0, Pending: 1, Answered: 2, Expired: 3 } as const;
/** Why an answer is refused; the order of the contract's enum. */
export const AnswerFault = {
  NotPending: 0,
  OtherQuote: 1,
  TooLate: 2,
  CipherOutOfRange: 3,
  NullifierOutOfRange: 4,
  NullifierUsed: 5,
  VerifierChanged: 6,
  OtherVerifier: 7,
} as const;

/** How a verifier answers; the order of the test contract's enum. */
export const Mood = {
  Yes: 0,
  No: 1,
  Reverts: 2,
  ReturnsNothing: 3,
  ReturnsShort: 4,
  ReturnsLong: 5,
  ReturnsTwo: 6,
  BurnsGas: 7,
  ReturnsBomb: 8,
} as const;

/** A contract that judges proofs. */
export type Verifier = { readonly codeHash: Hex; readonly mood: number };
/** Verifiers by address; all other addresses have no code. */
export type Verifiers = ReadonlyMap<Address, Verifier>;

/** A dataset of a provider. */
export type Dataset = {
  readonly provider: Address;
  readonly grace: number;
  readonly publisher: Address;
  /** Zero if there is no current one. */
  readonly root: bigint;
};
/** A root that was published. */
export type Root = { readonly publishedAt: number; readonly supersededAt: number; readonly revoked: boolean };

/** A question that was asked. */
export type Question = {
  readonly id: Hex;
  readonly status: number;
  readonly deadline: number;
  readonly cipher: bigint;
};

/** Everything that the query market knows. */
export type QueryMarket = {
  readonly ledger: Ledger;
  readonly authorizations: Authorizations;
  readonly datasets: Map<Hex, Dataset>;
  /** By `dataset/root`. */
  readonly roots: Map<string, Root>;
  /** By `provider/query`. */
  readonly questions: Map<string, Question>;
  /** `provider/nullifier`. */
  readonly used: Set<string>;
  readonly records: Map<Address, { readonly answered: number; readonly expired: number }>;
  readonly minWindow: number;
  readonly maxWindow: number;
};

/** One of a batch of answers. */
export type ModelAnswer = {
  readonly quote: Quote;
  readonly cipher: bigint;
  readonly nullifier: bigint;
  readonly proof: readonly bigint[];
};

const NO_ROOT: Root = { publishedAt: 0, supersededAt: 0, revoked: false };
const NO_DATASET: Dataset = {
  provider: "0x0000000000000000000000000000000000000000",
  grace: 0,
  publisher: "0x0000000000000000000000000000000000000000",
  root: 0n,
};

/** A market without questions. */
export function createQueryMarket(market: Address, minWindow: number, maxWindow: number): QueryMarket {
  return {
    ledger: createLedger(market),
    authorizations: new Map(),
    datasets: new Map(),
    roots: new Map(),
    questions: new Map(),
    used: new Set(),
    records: new Map(),
    minWindow,
    maxWindow,
  };
}

/** A copy that may be changed. */
export function copyQueryMarket(state: QueryMarket): QueryMarket {
  return {
    ...state,
    ledger: copyLedger(state.ledger),
    authorizations: new Map(state.authorizations),
    datasets: new Map(state.datasets),
    roots: new Map(state.roots),
    questions: new Map(state.questions),
    used: new Set(state.used),
    records: new Map(state.records),
  };
}

/** EIP-712 domain of the market. */
export function queryDomainOf({ ledger }: Pick<QueryMarket, "ledger">): MarketDomain {
  return { chainId: CHAIN_ID, market: ledger.market };
}

/** A dataset; nothing but zeros if there is none. */
export function datasetOf(state: QueryMarket, dataset: Hex): Dataset {
  return state.datasets.get(dataset) ?? NO_DATASET;
}

/** A root, and whether it may be asked about. */
export function rootOf(state: QueryMarket, dataset: Hex, root: bigint, now: number): Root & { askable: boolean } {
  const found = state.roots.get(`${dataset}/${root}`) ?? NO_ROOT;
  const isInGrace = found.supersededAt === 0 || now <= found.supersededAt + datasetOf(state, dataset).grace;
  return { ...found, askable: found.publishedAt !== 0 && !found.revoked && isInGrace };
}

/** A question as the view shows it. */
export function questionOf(
  state: QueryMarket,
  provider: Address,
  query: bigint,
): { readonly status: number; readonly deadline: number; readonly cipher: bigint } {
  const found = state.questions.get(`${provider}/${query}`);
  if (found === undefined) return { status: QuestionStatus.None, deadline: 0, cipher: 0n };
  return {
    status: found.status,
    deadline: found.status === QuestionStatus.Pending ? found.deadline : 0,
    cipher: found.status === QuestionStatus.Answered ? found.cipher : 0n,
  };
}

/** How the questions of a provider ended. */
export function recordOf(state: QueryMarket, provider: Address): { answered: number; expired: number } {
  return state.records.get(provider) ?? { answered: 0, expired: 0 };
}

/** Registers a dataset of the caller. */
export function registerDataset(
  context: Context,
  state: QueryMarket,
  definition: Hex,
  grace: number,
  publisher: Address,
): Hex {
  const provider = context.sender;
  const dataset = datasetIdOf(provider, definition);
  if (state.datasets.has(dataset)) refuse("DatasetExists", dataset);
  state.datasets.set(dataset, { provider, grace, publisher, root: 0n });
  context.emit(state.ledger.market, "DatasetRegistered", { dataset, provider, definition, grace, publisher });
  return dataset;
}

/** Sets another publisher. */
export function setPublisher(context: Context, state: QueryMarket, dataset: Hex, publisher: Address): void {
  const found = requireDataset(state, dataset, context.sender);
  state.datasets.set(dataset, { ...found, publisher });
  context.emit(state.ledger.market, "PublisherSet", { dataset, publisher });
}

/** Makes a root current. */
export function publishRoot(context: Context, state: QueryMarket, dataset: Hex, root: bigint): void {
  const found = requirePublisher(context, state, dataset);
  if (root === 0n || root >= FIELD) refuse("RootOutOfRange", root);
  if (root === found.root) refuse("RootIsCurrent", dataset, root);
  if (state.roots.get(`${dataset}/${root}`)?.revoked) refuse("RootIsRevoked", dataset, root);
  supersede(context, state, dataset, found.root);
  state.roots.set(`${dataset}/${root}`, { publishedAt: context.now, supersededAt: 0, revoked: false });
  state.datasets.set(dataset, { ...found, root });
  context.emit(state.ledger.market, "RootPublished", { dataset, root });
}

/** Ends a root for good. */
export function revokeRoot(context: Context, state: QueryMarket, dataset: Hex, root: bigint): void {
  const found = requirePublisher(context, state, dataset);
  const known = state.roots.get(`${dataset}/${root}`);
  if (known === undefined) refuse("UnknownRoot", dataset, root);
  if (known.revoked) refuse("RootIsRevoked", dataset, root);
  state.roots.set(`${dataset}/${root}`, { ...known, revoked: true });
  if (root === found.root) {
    supersede(context, state, dataset, root);
    state.datasets.set(dataset, { ...found, root: 0n });
  }
  context.emit(state.ledger.market, "RootRevoked", { dataset, root });
}

/** Asks a question. */
export function ask(
  context: Context,
  state: QueryMarket,
  accounts: ContractAccounts,
  verifiers: Verifiers,
  quote: Quote,
  signature: Signature,
): Hex {
  const { asker, provider, query, dataset, root, token, price, bond, window, expiry } = quote;
  const { now } = context;
  if (context.sender !== asker) refuse("NotAsker", context.sender, asker);
  if (provider === asker) refuse("ProviderIsAsker", provider);
  const id = quoteDigest(quote, queryDomainOf(state));
  if (now >= expiry) refuse("QuoteExpired", id, expiry);
  if (window < state.minWindow || window > state.maxWindow) {
    refuse("WindowOutOfRange", window, state.minWindow, state.maxWindow);
  }
  requireDataset(state, dataset, provider);
  const { askable, publishedAt, supersededAt, revoked } = rootOf(state, dataset, root, now);
  if (!askable) refuse("RootNotAskable", dataset, root, publishedAt, supersededAt, revoked);
  const verifier = verifiers.get(quote.verifier);
  if (verifier === undefined) refuse("VerifierWithoutCode", quote.verifier);
  if (verifier.codeHash !== quote.verifierCodeHash) {
    refuse("VerifierChanged", quote.verifier, verifier.codeHash, quote.verifierCodeHash);
  }
  if (query === 0n || query >= FIELD) refuse("QueryOutOfRange", query);
  const { status } = questionOf(state, provider, query);
  if (status !== QuestionStatus.None) refuse("AlreadyAsked", provider, query, status);
  const binding = { provider, token, bond, window, digest: id, signature };
  const fault = signerFault(state.authorizations, accounts, binding, now);
  if (fault !== undefined) refuse("QuoteNotSigned", id, provider, fault);
  escrow(state.ledger, token, asker, price);
  lock(state.ledger, token, provider, bond);
  const deadline = now + window;
  state.questions.set(`${provider}/${query}`, { id, status: QuestionStatus.Pending, deadline, cipher: 0n });
  context.emit(state.ledger.market, "QuestionAsked", { id, provider, asker, quote, deadline });
  return id;
}

/** Answers a question. */
export function answer(context: Context, state: QueryMarket, verifiers: Verifiers, item: ModelAnswer): void {
  const id = quoteDigest(item.quote, queryDomainOf(state));
  const fault = answerFault(context, state, verifiers, id, item);
  if (fault !== undefined) refuseAnswer(fault, state, verifiers, id, item);
  requireYes(verifiers, item.quote.verifier);
  storeAnswer(context, state, id, item);
}

/** The error of a fault. */
function refuseAnswer(
  fault: number,
  state: QueryMarket,
  verifiers: Verifiers,
  id: Hex,
  { quote, cipher, nullifier }: ModelAnswer,
): never {
  const { status, deadline } = questionOf(state, quote.provider, quote.query);
  if (fault === AnswerFault.NotPending) refuse("QuestionNotPending", id, status);
  if (fault === AnswerFault.OtherQuote) refuse("QuoteMismatch", id);
  if (fault === AnswerFault.TooLate) refuse("AnswerTooLate", id, deadline);
  if (fault === AnswerFault.CipherOutOfRange) refuse("CipherOutOfRange", cipher);
  if (fault === AnswerFault.NullifierOutOfRange) refuse("NullifierOutOfRange", nullifier);
  if (fault === AnswerFault.NullifierUsed) refuse("NullifierUsed", quote.provider, nullifier);
  const found = verifiers.get(quote.verifier)?.codeHash ?? ZERO_HASH;
  refuse("VerifierChanged", quote.verifier, found, quote.verifierCodeHash);
}

/** Answers many questions of one verifier. */
export function answerBatch(
  context: Context,
  state: QueryMarket,
  verifiers: Verifiers,
  answers: readonly ModelAnswer[],
): void {
  let verifier: Address | undefined;
  for (const item of answers) {
    const id = quoteDigest(item.quote, queryDomainOf(state));
    let cause = answerFault(context, state, verifiers, id, item);
    if (cause === undefined && verifier !== undefined && item.quote.verifier !== verifier) {
      cause = AnswerFault.OtherVerifier;
    }
    if (cause !== undefined) {
      context.emit(state.ledger.market, "AnswerSkipped", { id, cause });
      continue;
    }
    verifier = item.quote.verifier;
    storeAnswer(context, state, id, item);
  }
  if (verifier !== undefined) requireYes(verifiers, verifier);
}

/** Ends a question without an answer. */
export function expire(context: Context, state: QueryMarket, quote: Quote): void {
  const { asker, provider, query, token, price, bond } = quote;
  const id = quoteDigest(quote, queryDomainOf(state));
  const question = state.questions.get(`${provider}/${query}`);
  if (question?.status !== QuestionStatus.Pending) {
    refuse("QuestionNotPending", id, question?.status ?? QuestionStatus.None);
  }
  if (question.id !== id) refuse("QuoteMismatch", id);
  const { deadline } = question;
  const early = context.now <= deadline;
  if (early && !actsFor(state.authorizations, context.sender, provider, token, context.now)) {
    refuse("NotYetExpirable", id, context.sender, deadline);
  }
  state.questions.set(`${provider}/${query}`, { ...question, status: QuestionStatus.Expired });
  const record = recordOf(state, provider);
  state.records.set(provider, { ...record, expired: record.expired + 1 });
  seize(state.ledger, token, provider, bond);
  credit(state.ledger, token, asker, price + bond);
  context.emit(state.ledger.market, "QuestionExpired", { id, provider, asker, query, early });
}

/** The answer to a question, for whoever has its key. `pad` is Poseidon of key and query. */
export function answerOf(state: QueryMarket, provider: Address, query: bigint, k: bigint, pad: bigint): boolean {
  const { status, cipher } = questionOf(state, provider, query);
  if (status !== QuestionStatus.Answered) refuse("NotAnswered", provider, query, status);
  const opened = (cipher + FIELD - pad) % FIELD;
  if (k >= FIELD || opened > 1n) refuse("WrongKey", provider, query);
  return opened === 1n;
}

function answerFault(
  { now }: Context,
  state: QueryMarket,
  verifiers: Verifiers,
  id: Hex,
  { quote, cipher, nullifier }: ModelAnswer,
): number | undefined {
  const question = state.questions.get(`${quote.provider}/${quote.query}`);
  if (question?.status !== QuestionStatus.Pending) return AnswerFault.NotPending;
  if (question.id !== id) return AnswerFault.OtherQuote;
  if (now > question.deadline) return AnswerFault.TooLate;
  if (cipher >= FIELD) return AnswerFault.CipherOutOfRange;
  if (nullifier >= FIELD) return AnswerFault.NullifierOutOfRange;
  if (state.used.has(`${quote.provider}/${nullifier}`)) return AnswerFault.NullifierUsed;
  if (verifiers.get(quote.verifier)?.codeHash !== quote.verifierCodeHash) return AnswerFault.VerifierChanged;
  return undefined;
}

function storeAnswer(
  context: Context,
  state: QueryMarket,
  id: Hex,
  { quote: { asker, provider, query, token, price, bond }, cipher, nullifier }: ModelAnswer,
): void {
  const key = `${provider}/${query}`;
  const question = state.questions.get(key) as Question;
  state.questions.set(key, { ...question, status: QuestionStatus.Answered, cipher });
  state.used.add(`${provider}/${nullifier}`);
  const record = recordOf(state, provider);
  state.records.set(provider, { ...record, answered: record.answered + 1 });
  unlock(state.ledger, token, provider, bond);
  credit(state.ledger, token, provider, price);
  context.emit(state.ledger.market, "QuestionAnswered", { id, provider, asker, query, cipher, nullifier });
}

function requireYes(verifiers: Verifiers, verifier: Address): void {
  const mood = verifiers.get(verifier)?.mood;
  if (mood === Mood.Yes) return;
  if (mood === Mood.No) refuse("ProofRefused", verifier);
  refuse("VerifierFailed", verifier);
}

function requireDataset(state: QueryMarket, dataset: Hex, provider: Address): Dataset {
  const found = state.datasets.get(dataset);
  if (found === undefined) refuse("UnknownDataset", dataset);
  if (provider !== found.provider) refuse("NotDatasetProvider", dataset, provider, found.provider);
  return found;
}

function requirePublisher({ sender }: Context, state: QueryMarket, dataset: Hex): Dataset {
  const found = state.datasets.get(dataset);
  if (found === undefined) refuse("UnknownDataset", dataset);
  if (sender !== found.provider && sender !== found.publisher) refuse("NotPublisher", dataset, sender);
  return found;
}

/** Ends the time of the current root, if there is one. */
function supersede({ now }: Context, state: QueryMarket, dataset: Hex, root: bigint): void {
  const known = state.roots.get(`${dataset}/${root}`);
  if (known !== undefined) state.roots.set(`${dataset}/${root}`, { ...known, supersededAt: now });
}
