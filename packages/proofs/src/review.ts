import { datasetIdOf, FatalError, isQuorateError, type MarketDomain, type QuestionKey } from "@quorate/core";
import type { Address, Hex } from "viem";
import { z } from "zod";
import type { Consent } from "./consent.ts";
import { attributeOf, type DatasetDefinition, datasetDefinitionSchema, definitionHash, schemaOf } from "./dataset.ts";
import { describeStatement, describeValue } from "./describe.ts";
import { checkProvable } from "./inputs.ts";
import { address, decimalBelow, fieldElement, hash32, parseWith, toJson, unixTime } from "./internal/json.ts";
import { countValues, type Interval, type KnownAnswer, remainingValues } from "./knowledge.ts";
import { type BlindQuestion, consentMessage, NONCE_BITS, queryOfQuestion, SECRET_BITS } from "./query.ts";
import { leafOf, type RecordData, recordSchema, titleOf, topicOf, valuesOf } from "./record.ts";
import {
  type AttributeStatement,
  type Circuit,
  checkStatement,
  dateOf,
  encodeStatement,
  evaluateStatement,
  type Statement,
  statementSchema,
} from "./statement.ts";
import { type PublicKey, type Subject, subjectIdOf } from "./subject.ts";
import { pathRoot, TREE_DEPTH, type TreePath } from "./tree.ts";
import { VALUE_LIMIT } from "./value.ts";

/** What an asker hands to a subject, as a file or a link, to ask for its consent. */
export type ConsentRequest = BlindQuestion & {
  readonly version: 1;
  readonly dataset: Hex;
  readonly definition: DatasetDefinition;
  /** What the asker calls itself; nobody has checked it. */
  readonly askerName?: string | undefined;
  readonly root: bigint;
  /** The provider's one-time key that the consent is sealed to. */
  readonly questionKey: { readonly key: QuestionKey; readonly signature: Hex };
  readonly providerUrl: string;
};

/** A subject's record as the provider showed it. */
export type OwnRecord = {
  readonly record: RecordData;
  readonly person: bigint;
  readonly path: TreePath;
  /** The nullifier key that the provider says it put into the leaf, if it says one. */
  readonly nk?: bigint | undefined;
  /** What the subject's client kept of records before: all that it saw of this provider. */
  readonly stored: readonly RecordData[];
};

/** An earlier question that the subject consented to. */
export type AnsweredQuestion = {
  readonly statement: Statement;
  /** Start of the record that it was about, unix s. */
  readonly validFrom: number;
  readonly asker: Address;
};

/** What the subject's client read from the chain, and compared, before a review. */
export type ChainFacts = {
  readonly root: {
    /** Unix s; 0 if it was never published. */
    readonly publishedAt: number;
    /** Unix s; 0 while it is current. */
    readonly supersededAt: number;
    readonly revoked: boolean;
    readonly askable: boolean;
  };
  /** `EXTCODEHASH` of the verifier of the request. */
  readonly verifierCodeHash: Hex;
  /** Whether the one-time key is signed by the provider or an agent of it that is in force. */
  readonly keySignerOk: boolean;
};

/** Code hashes of the verifiers that are trusted, by circuit. */
export type KnownVerifiers = Readonly<Record<Circuit, readonly Hex[]>>;

/** What {@link reviewConsent} looks at. */
export type ReviewParameters = {
  readonly request: ConsentRequest;
  readonly subject: Subject;
  readonly record: OwnRecord;
  /** Every earlier consent at this provider, answered or not. */
  readonly earlier: readonly AnsweredQuestion[];
  readonly chainFacts: ChainFacts;
  readonly knownVerifiers: KnownVerifiers;
  /** The market that the subject knows. */
  readonly domain: MarketDomain;
  /** Unix s. */
  readonly now: number;
};

/** Kinds of warnings; none of them forbids a consent. */
export type WarningCode =
  | "FIRST_SEEN"
  | "RENEWED_EARLY"
  | "REVEALS_VALUE"
  | "BUDGET_TIGHT"
  | "TELLS_NOTHING_NEW"
  | "ROOT_SUPERSEDED"
  | "ABOUT_THE_PAST"
  | "EXACT_RELATION";

/** Something that the subject should think about. */
export type ConsentWarning = { readonly code: WarningCode; readonly text: string };

/** What a subject reads before it consents. Made by {@link reviewConsent} only. */
export type ConsentReview = {
  readonly query: bigint;
  readonly leaf: bigint;
  /** Key that has to sign. */
  readonly publicKey: PublicKey;
  /** What the answer will be. */
  readonly answer: boolean;
  readonly words: {
    readonly statement: string;
    readonly asker: string;
    readonly provider: string;
    readonly date: string;
    /** What is on record. */
    readonly record: string;
    /** What the asker learns. */
    readonly learns: string;
    /** What earlier answers and this one tell together. */
    readonly together: string;
    /** That the asker can show it to anybody. */
    readonly forever: string;
  };
  readonly warnings: readonly ConsentWarning[];
};

const requestSchema: z.ZodType<ConsentRequest> = z.strictObject({
  version: z.literal(1),
  chainId: z.int().min(1),
  market: address,
  dataset: hash32,
  definition: datasetDefinitionSchema,
  provider: address,
  asker: address,
  // It is shown to a person, maybe on a terminal.
  askerName: z
    .string()
    .max(200)
    .regex(/^\P{C}*$/u, "has control characters")
    .optional(),
  verifier: address,
  root: fieldElement,
  nonce: decimalBelow(1n << NONCE_BITS, "2^128"),
  subjectKey: z.tuple([fieldElement, fieldElement]),
  subjectNonce: decimalBelow(1n << SECRET_BITS, "2^248"),
  person: fieldElement,
  statement: statementSchema,
  keyHash: fieldElement,
  questionKey: z.strictObject({
    key: z.strictObject({
      provider: address,
      asker: address,
      dataset: hash32,
      encryptionKey: hash32,
      expiry: unixTime,
    }),
    signature: z
      .string()
      .regex(/^0x([0-9a-fA-F]{2})*$/)
      .max(10_000)
      .transform((text) => text as Hex),
  }),
  providerUrl: z.url({ protocol: /^https?$/ }).max(2000),
});

const path: z.ZodType<TreePath> = z.strictObject({
  index: z.array(z.int().min(0).max(7)).length(TREE_DEPTH),
  siblings: z.array(z.array(fieldElement).length(7)).length(TREE_DEPTH),
});

/** Schema of a path in JSON. */
export const treePathSchema: z.ZodType<TreePath> = path;

/** Schema of a subject's own record in JSON, as a provider sends it. */
export const ownRecordSchema: z.ZodType<Omit<OwnRecord, "stored">> = z.strictObject({
  record: recordSchema,
  person: fieldElement,
  path,
  nk: decimalBelow(1n << 250n, "2^250").optional(),
});

/**
 * Reads a consent request.
 *
 * @param json Parsed JSON from anywhere.
 * @throws FatalError `CONSENT_REQUEST_INVALID`.
 */
export function parseConsentRequest(json: unknown): ConsentRequest {
  return parseWith(requestSchema, json, "CONSENT_REQUEST_INVALID", "The consent request is malformed");
}

/**
 * Writes a consent request.
 *
 * @param request Request.
 * @returns What `JSON.stringify` takes and {@link parseConsentRequest} reads.
 */
export function consentRequestToJson(request: ConsentRequest): unknown {
  return toJson(request);
}

/** Reviews that were made here; nothing else is signed. */
const reviews = new WeakSet<ConsentReview>();

/**
 * Checks all that a subject is asked to sign against what it has itself, and puts it into plain words. It refuses what it
 * cannot recompute.
 *
 * @param parameters Request, own keys and record, earlier consents, facts from the chain.
 * @throws FatalError `CONSENT_REFUSED_MARKET`, `_DATASET`, `_KEY`, `_SUBJECT`, `_VERIFIER`, `_ROOT`, `_STATEMENT`,
 *   `_PERSON`, `_RECORD`, `_RECORD_CHANGED`, `_NULLIFIER_KEY`, `_PATH`: each names what does not fit.
 */
export function reviewConsent(parameters: ReviewParameters): ConsentReview {
  const { request, subject, record: own, earlier, now } = parameters;
  const { statement } = request;
  const { record } = own;
  checkSurroundings(parameters);
  const history = request.definition.history;
  orRefuse(
    () => checkStatement(statement, { now, history }),
    (why, cause) => refuse("STATEMENT", why, cause),
  );
  orRefuse(
    () => checkProvable(record, statement),
    (why, cause) => refuse("RECORD", `your record cannot answer it. ${why}`, cause),
  );
  const leaf = checkRecord(parameters);
  const query = queryOfQuestion(request);

  const sameRecord = earlier.filter((question) => isAbout(question.statement, record, question.validFrom));
  const answer = evaluateStatement(statement, valuesOf(record));
  const review: ConsentReview = {
    query,
    leaf,
    publicKey: subject.publicKey,
    answer,
    words: {
      statement: describeStatement(statement),
      asker:
        request.askerName === undefined ? request.asker : `${request.asker}, who says to be "${request.askerName}"`,
      provider: `${request.provider}, dataset "${request.definition.name}"`,
      date: dateOf(statement.asOf),
      record: describeRecord(record),
      learns: `The asker learns whether it is true that ${describeStatement(statement)}. The answer will be ${answer ? "true" : "false"}.`,
      together: describeTogether(statement, record, sameRecord),
      forever:
        "The asker can prove the answer to anybody it likes, for ever. A consent cannot be taken back once it is used.",
    },
    warnings: warningsOf(parameters, sameRecord),
  };
  reviews.add(review);
  return review;
}

/**
 * Signs a consent.
 *
 * @param review From {@link reviewConsent}, in this process.
 * @param subject Whose record it is.
 * @param notAfter Unix s; the provider takes the consent until then.
 * @throws FatalError `CONSENT_NOT_REVIEWED` for anything that was not reviewed here, or by another subject.
 */
export function signConsent(review: ConsentReview, subject: Subject, notAfter: number): Consent {
  if (!reviews.has(review) || !samePoint(review.publicKey, subject.publicKey)) {
    throw new FatalError(
      "CONSENT_NOT_REVIEWED",
      "Nothing is signed but what this subject's client has reviewed itself.",
    );
  }
  const { query, leaf } = review;
  return { query, leaf, notAfter, signature: subject.sign(consentMessage(query, leaf)) };
}

/** Market, dataset, one-time key, subject, verifier, root. */
function checkSurroundings({ request, subject, chainFacts, knownVerifiers, domain, now }: ReviewParameters): void {
  if (request.chainId !== domain.chainId || !sameAddress(request.market, domain.market)) {
    refuse("MARKET", `it is for market ${request.market} on chain ${request.chainId}, which you do not use`);
  }
  const dataset = datasetIdOf(request.provider, definitionHash(request.definition));
  if (dataset !== request.dataset) refuse("DATASET", "the description of the data is not the registered one");
  const { key } = request.questionKey;
  if (!chainFacts.keySignerOk) refuse("KEY", "its one-time key is not signed by the provider or an agent of it");
  if (!sameAddress(key.provider, request.provider) || !sameAddress(key.asker, request.asker)) {
    refuse("KEY", "its one-time key is of another provider or for another asker");
  }
  if (key.dataset !== request.dataset) refuse("KEY", "its one-time key is for another dataset");
  if (key.expiry < now) refuse("KEY", `its one-time key ended on ${dateOf(key.expiry)}; the asker has to begin again`);
  if (!sameAddress(subject.provider, request.provider) || !samePoint(request.subjectKey, subject.publicKey)) {
    refuse("SUBJECT", "it is about another subject's key");
  }
  const { circuit, nullifierTopic } = orRefuse(
    () => encodeStatement(request.statement),
    (why, cause) => refuse("STATEMENT", why, cause),
  );
  const { attributes, scorecards } = request.definition;
  if (![...attributes.map(attributeOf), ...scorecards.map(schemaOf)].includes(nullifierTopic)) {
    refuse("STATEMENT", "it asks about something that the data has no description of");
  }
  if (!knownVerifiers[circuit].some((known) => known.toLowerCase() === chainFacts.verifierCodeHash.toLowerCase())) {
    refuse(
      "VERIFIER",
      `the contract ${request.verifier} that would judge the proof is not a known verifier of ${circuit}`,
    );
  }
  const { root } = chainFacts;
  if (root.publishedAt === 0) refuse("ROOT", "its state of the data was never published by the provider");
  if (root.revoked) refuse("ROOT", "the provider has revoked its state of the data");
  if (!root.askable) refuse("ROOT", "its state of the data is too old to ask about");
}

/** Own record against what was stored, and against the tree. */
function checkRecord({ request, subject, record: own }: ReviewParameters): bigint {
  const { record, person, path, nk, stored } = own;
  if (person !== request.person) refuse("PERSON", "it names another person than your record");
  if (nk !== undefined && nk !== subject.nk) {
    refuse("NULLIFIER_KEY", "the provider put another nullifier key into your record than yours");
  }
  const before = stored.find((kept) => topicOf(kept) === topicOf(record) && kept.validFrom === record.validFrom);
  if (before !== undefined && !sameRecord(before, record)) {
    refuse("RECORD_CHANGED", `your record of ${titleOf(record)} is not what it was: ${differences(before, record)}`);
  }
  const notThere = (why: string, cause?: unknown): never => {
    return refuse("PATH", `your record does not lie in the provider's published tree. ${why}`, cause);
  };
  const [leaf, root] = orRefuse(() => {
    const own = leafOf(record, { subjectId: subjectIdOf(subject.publicKey, person), nk: subject.nk });
    return [own, pathRoot(own, path)] as const;
  }, notThere);
  if (path.index.length !== TREE_DEPTH || root !== request.root) notThere("Its path leads to another root");
  return leaf;
}

function warningsOf(parameters: ReviewParameters, earlier: readonly AnsweredQuestion[]): readonly ConsentWarning[] {
  const { request, record: own, chainFacts, now } = parameters;
  const { statement } = request;
  const { record, stored } = own;
  const warnings: ConsentWarning[] = [];
  const warn = (code: WarningCode, text: string): void => {
    warnings.push({ code, text });
  };
  const same = stored.filter((kept) => topicOf(kept) === topicOf(record));
  if (!same.some((kept) => kept.validFrom === record.validFrom)) {
    warn("FIRST_SEEN", `You see this record for the first time. Is it right? ${describeRecord(record)}`);
  }
  const replaced = same.find((kept) => kept.validFrom < record.validFrom && record.validFrom <= kept.validUntil);
  if (replaced !== undefined) {
    warn(
      "RENEWED_EARLY",
      `The provider renewed this record early: the one before was to last until ${dateOf(replaced.validUntil)}. Each renewal lets it be asked ${record.budget} more times; many renewals let askers come close to the value.`,
    );
  }
  const left = record.budget - earlier.length;
  if (left <= 1) {
    const uses = earlier.length === 1 ? "1 time" : `${earlier.length} times`;
    warn("BUDGET_TIGHT", `You consented ${uses} and this record gives ${record.budget} answers until it ends.`);
  }
  if (chainFacts.root.supersededAt !== 0) {
    const since = dateOf(chainFacts.root.supersededAt);
    warn("ROOT_SUPERSEDED", `The provider published newer data on ${since}; this question is about the data before.`);
  }
  if (statement.asOf < now - 86_400)
    warn("ABOUT_THE_PAST", `The question is about ${dateOf(statement.asOf)}, not about today.`);
  if (statement.kind === "attribute") {
    if (statement.relation === "equal" || statement.relation === "not-equal") {
      warn(
        "EXACT_RELATION",
        "The question names one exact value. A yes, or a no to its opposite, tells the value itself.",
      );
    }
    const { known, after } = knowledgeOf(statement, record, earlier);
    if (countValues(after) === countValues(known)) {
      warn("TELLS_NOTHING_NEW", "Earlier answers together already tell this answer.");
    }
    if (countValues(after) === 1n)
      warn("REVEALS_VALUE", "Together with earlier answers, this answer tells the exact value.");
  }
  return warnings;
}

/** What is known from earlier answers, and after this one: all answers are taken as known to one asker. */
function knowledgeOf(
  statement: AttributeStatement,
  record: RecordData,
  earlier: readonly AnsweredQuestion[],
): { readonly known: readonly Interval[]; readonly after: readonly Interval[] } {
  const values = valuesOf(record);
  const answers = earlier.flatMap(({ statement: asked }): readonly KnownAnswer[] => {
    return asked.kind === "attribute" ? [{ statement: asked, answer: evaluateStatement(asked, values) }] : [];
  });
  const known = remainingValues(answers);
  return { known, after: remainingValues([{ statement, answer: evaluateStatement(statement, values) }], known) };
}

function describeTogether(statement: Statement, record: RecordData, earlier: readonly AnsweredQuestion[]): string {
  const askers = new Set(earlier.map(({ asker }) => asker.toLowerCase())).size;
  const count = `${earlier.length} earlier ${earlier.length === 1 ? "consent" : "consents"} of yours to ${askers} ${askers === 1 ? "asker" : "askers"}`;
  if (statement.kind === "scorecard") {
    if (earlier.length === 0) return "You have consented to no earlier question about these figures.";
    const list = earlier.map(({ statement: asked }) => {
      return `${describeStatement(asked)}: ${evaluateStatement(asked, valuesOf(record)) ? "true" : "false"}`;
    });
    return `With ${count}, all put together, it would be known: ${list.join("; ")}. And then the answer to this question.`;
  }
  const { known, after } = knowledgeOf(statement, record, earlier);
  const show = (intervals: readonly Interval[]): string => describeIntervals(intervals, statement);
  const before =
    earlier.length === 0
      ? "Before this question nothing is known."
      : `With ${count}, all put together: ${show(known)}.`;
  return `${before} After it: ${show(after)}.`;
}

function describeIntervals(intervals: readonly Interval[], { attribute }: AttributeStatement): string {
  const parts = intervals.map(({ low, high }) => {
    const open = { low: low === 0n, high: high === VALUE_LIMIT - 1n };
    if (low === high) return `exactly ${describeValue(low, attribute)}`;
    if (open.low && open.high) return "any value";
    if (open.low) return `at most ${describeValue(high, attribute)}`;
    if (open.high) return `at least ${describeValue(low, attribute)}`;
    return `from ${describeValue(low, attribute)} to ${describeValue(high, attribute)}`;
  });
  return `${attribute.name} is ${parts.length === 0 ? "no value at all" : parts.join(", or ")}`;
}

function describeRecord(record: RecordData): string {
  const values =
    record.kind === "attribute"
      ? `${record.attribute.name} ${describeValue(record.value, record.attribute)}`
      : record.scorecard.fields
          .map((field, n) => `${field.name} ${describeValue(record.values[n] ?? 0n, field)}`)
          .join(", ");
  return `${values}; from ${dateOf(record.validFrom)} to ${dateOf(record.validUntil)}, for ${record.budget} ${record.budget === 1 ? "answer" : "answers"}.`;
}

function isAbout(statement: Statement, record: RecordData, validFrom: number): boolean {
  return validFrom === record.validFrom && encodeStatement(statement).nullifierTopic === topicOf(record);
}

function sameRecord(a: RecordData, b: RecordData): boolean {
  return differences(a, b) === "";
}

/** What differs between two states of a record, in words. */
function differences(a: RecordData, b: RecordData): string {
  const parts = [
    valuesOf(a).some((value, n) => value !== valuesOf(b)[n]) ? "another value" : "",
    a.validUntil === b.validUntil ? "" : `ends on ${dateOf(b.validUntil)} instead of ${dateOf(a.validUntil)}`,
    a.budget === b.budget ? "" : `gives ${b.budget} answers instead of ${a.budget}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Runs a check of another part; what it throws becomes the refusal's cause. */
function orRefuse<T>(check: () => T, refusal: (why: string, cause: unknown) => never): T {
  try {
    return check();
  } catch (cause) {
    if (!isQuorateError(cause)) throw cause;
    return refusal(cause.message, cause);
  }
}

function refuse(code: string, why: string, cause?: unknown): never {
  throw new FatalError(`CONSENT_REFUSED_${code}`, `Do not consent: ${why.replace(/\.$/, "")}.`, {
    cause,
    docsPath: "protocol/queries.md#what-the-subjects-client-checks",
  });
}

function samePoint(a: PublicKey, b: PublicKey): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function sameAddress(a: Address, b: Address): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
