import { queryMarketAbi } from "@quorate/abi";
import { FatalError, isQuorateError, QuestionStatus, type Quote } from "@quorate/core";
import { type Address, type Client, type Hex, isAddressEqual, keccak256, verifyMessage } from "viem";
import { getChainId, getCode, readContract, verifyMessage as verifyMessageOnChain } from "viem/actions";
import { z } from "zod";
import { describeStatement } from "./describe.ts";
import { assertField } from "./field.ts";
import type { Signals } from "./inputs.ts";
import { address, decimalBelow, fieldElement, hash32, parseWith, toJson, word } from "./internal/json.ts";
import {
  contextOf,
  keyHashOf,
  NONCE_BITS,
  openCipher,
  type Question,
  queryOf,
  queryOfQuestion,
  SECRET_BITS,
  subjectRefOf,
} from "./query.ts";
import type { KnownVerifiers } from "./review.ts";
import {
  type Circuit,
  checkNotVacuous,
  dateOf,
  encodeStatement,
  type Statement,
  statementSchema,
} from "./statement.ts";
import { subjectIdOf } from "./subject.ts";
import { type ProofWords, type VerificationKey, verifyProof } from "./verify.ts";

/** An answer that can be shown to anybody: what was asked, the key, the proof. Nothing in it names the subject's record. */
export type Receipt = {
  readonly version: 1;
  readonly chainId: number;
  /** The query market. */
  readonly market: Address;
  readonly provider: Address;
  readonly dataset: Hex;
  readonly asker: Address;
  readonly verifier: Address;
  readonly verifierCodeHash: Hex;
  readonly circuit: Circuit;
  readonly nonce: bigint;
  /** Blinded subject. */
  readonly subjectRef: bigint;
  /** From `personOf`; 0 for a record of nobody's papers. */
  readonly person: bigint;
  readonly statement: Statement;
  /** Answer key. */
  readonly k: bigint;
  readonly root: bigint;
  readonly cipher: bigint;
  readonly nullifier: bigint;
  readonly proof: ProofWords;
  /** Transaction that carried the answer. */
  readonly transaction?: Hex | undefined;
};

const receiptSchema: z.ZodType<Receipt> = z.strictObject({
  version: z.literal(1),
  chainId: z.int().min(1),
  market: address,
  provider: address,
  dataset: hash32,
  asker: address,
  verifier: address,
  verifierCodeHash: hash32,
  circuit: z.enum(["sealed-answer", "scorecard"]),
  nonce: decimalBelow(1n << NONCE_BITS, "2^128"),
  subjectRef: fieldElement,
  person: fieldElement,
  statement: statementSchema,
  k: decimalBelow(1n << SECRET_BITS, "2^248"),
  root: fieldElement,
  cipher: fieldElement,
  nullifier: fieldElement,
  proof: z.tuple([word, word, word, word, word, word, word, word]),
  transaction: hash32.optional(),
});

/** What a receipt is made of. */
export type CreateReceiptParameters = {
  readonly question: Question;
  /** The quote that was asked. */
  readonly quote: Quote;
  /** From the chain. */
  readonly cipher: bigint;
  /** From the chain. */
  readonly nullifier: bigint;
  /** From the calldata of the answer. */
  readonly proof: ProofWords;
  readonly transaction?: Hex | undefined;
};

/**
 * Makes a receipt of an answered question. Whoever gets it can open the answer.
 *
 * @param parameters Opening, quote, and what the chain shows.
 * @throws FatalError `RECEIPT_QUERY` when they do not belong together; `ANSWER_UNREADABLE`.
 */
export function createReceipt({ question, quote, ...answered }: CreateReceiptParameters): Receipt {
  const { chainId, market, provider, asker, verifier, nonce, person, statement, k } = question;
  const query = queryOfQuestion(question);
  if (query !== quote.query || !isAddressEqual(verifier, quote.verifier) || !isAddressEqual(provider, quote.provider)) {
    throw refused("QUERY", "quote and question do not belong together");
  }
  openCipher(answered.cipher, k, query);
  return {
    version: 1,
    chainId,
    market,
    provider,
    dataset: quote.dataset,
    asker,
    verifier,
    verifierCodeHash: quote.verifierCodeHash,
    circuit: encodeStatement(statement).circuit,
    nonce,
    subjectRef: subjectRefOf(subjectIdOf(question.subjectKey, person), question.subjectNonce),
    person,
    statement,
    k,
    root: quote.root,
    ...answered,
  };
}

/**
 * Reads a receipt.
 *
 * @param json Parsed JSON from anywhere.
 * @throws FatalError `RECEIPT_INVALID`.
 */
export function parseReceipt(json: unknown): Receipt {
  return parseWith(receiptSchema, json, "RECEIPT_INVALID", "The receipt is malformed");
}

/**
 * Writes a receipt.
 *
 * @param receipt Receipt.
 * @returns What `JSON.stringify` takes and {@link parseReceipt} reads.
 */
export function receiptToJson(receipt: Receipt): unknown {
  return toJson(receipt);
}

/**
 * The query that a receipt is about.
 *
 * @param receipt Receipt.
 */
export function queryOfReceipt(receipt: Receipt): bigint {
  const { topic, params } = encodeStatement(receipt.statement);
  return queryOf({
    context: contextOf(receipt),
    subjectRef: assertField(receipt.subjectRef, "The subject reference"),
    person: receipt.person,
    topic,
    params,
    keyHash: keyHashOf(receipt.k),
  });
}

/**
 * What an asker signs (EIP-191) to show that a receipt is its own, and was not copied from somebody it was shown to.
 *
 * @param receipt Receipt.
 * @param text Fresh words of the relying party.
 */
export function challengeMessage(receipt: Receipt, text: string): string {
  return `I asked query ${queryOfReceipt(receipt)} in the market ${receipt.market} on chain ${receipt.chainId}.\nChallenge: ${text}`;
}

/** A statement that a receipt may be about, on any day. */
export type ExpectedStatement = Statement extends infer S ? (S extends Statement ? Omit<S, "asOf"> : never) : never;

/** What a relying party accepts. */
export type VerifyReceiptParameters = {
  /** Reads the chain; without it the result is not anchored. */
  readonly client?: Client | undefined;
  /** The query market that is trusted. */
  readonly market: Address;
  readonly chainId: number;
  /** Domain providers that are trusted. */
  readonly providers: readonly Address[];
  /** Code hashes of the verifiers that are trusted, by circuit. */
  readonly verifiers: KnownVerifiers;
  /** What it must say; anything that says something unless given. */
  readonly statement?: ExpectedStatement | undefined;
  /** From `personOf` over the papers that were shown; anybody unless given. */
  readonly person?: bigint | undefined;
  /** How old the day of the statement may be, seconds; 30 days unless given. */
  readonly maxAge?: number | undefined;
  /** Fresh words of the relying party, with the asker's signature over {@link challengeMessage}. */
  readonly challenge?: { readonly text: string; readonly signature: Hex } | undefined;
  /** Unix s. */
  readonly now: number;
  /** Verification keys in place of those for development. */
  readonly verificationKeys?: Readonly<Partial<Record<Circuit, VerificationKey>>> | undefined;
};

/** What a receipt shows. */
export type VerifiedReceipt = {
  readonly ok: true;
  /** Whether the chain confirmed it. If not, words say so. */
  readonly anchored: boolean;
  readonly answer: boolean;
  /** In plain words, with what is not known. */
  readonly words: string;
  readonly statement: Statement;
  /** 0 for a record of nobody's papers. */
  readonly person: bigint;
  readonly query: bigint;
  /** Whether the asker showed that the receipt is its own. */
  readonly askerPresent: boolean;
  /** When the provider published the root, and when it was superseded (0 if it is current), unix s; only if anchored. */
  readonly root?: { readonly publishedAt: number; readonly supersededAt: number } | undefined;
};

const DEFAULT_MAX_AGE_S = 30 * 86_400;
/** Clocks differ; a statement may be about today in another time zone. */
const CLOCK_TOLERANCE_S = 86_400;

/**
 * Verifies a receipt against what a relying party accepts.
 *
 * @param receipt From {@link parseReceipt}.
 * @param parameters What is accepted, and a client for the chain.
 * @throws FatalError `RECEIPT_MARKET`, `_PROVIDER`, `_VERIFIER`, `_STATEMENT`, `_VACUOUS`, `_PERSON`, `_STALE`, `_QUERY`,
 *   `_ANSWER`, `_PROOF`, `_CHALLENGE`, and from the chain `_UNANSWERED`, `_CIPHER`, `_NULLIFIER`, `_DATASET`, `_ROOT`,
 *   `_CODE`: each says what does not fit. Errors of the client come as they are.
 */
export async function verifyReceipt(receipt: Receipt, parameters: VerifyReceiptParameters): Promise<VerifiedReceipt> {
  checkAccepted(receipt, parameters);
  const query = queryOfReceipt(receipt);
  const answer = openOrRefuse(receipt, query);
  const signals: Signals = [receipt.cipher, receipt.nullifier, receipt.root, query];
  const key = parameters.verificationKeys?.[receipt.circuit];
  if (!(await verifyProof(receipt.circuit, receipt.proof, signals, key))) {
    throw refused("PROOF", "its proof does not verify");
  }
  await checkChallenge(receipt, parameters);
  const root =
    parameters.client === undefined ? undefined : await checkChain(receipt, query, parameters.client, parameters);
  const askerPresent = parameters.challenge !== undefined;
  return {
    ok: true,
    anchored: root !== undefined,
    answer,
    words: wordsOf(receipt, answer, root !== undefined, askerPresent),
    statement: receipt.statement,
    person: receipt.person,
    query,
    askerPresent,
    root,
  };
}

/** What the relying party accepts, without computing anything. */
function checkAccepted(receipt: Receipt, parameters: VerifyReceiptParameters): void {
  const { statement, circuit } = receipt;
  if (receipt.chainId !== parameters.chainId || !isAddressEqual(receipt.market, parameters.market)) {
    throw refused("MARKET", `it is of market ${receipt.market} on chain ${receipt.chainId}`);
  }
  if (!parameters.providers.some((provider) => isAddressEqual(provider, receipt.provider))) {
    throw refused("PROVIDER", `provider ${receipt.provider} is not trusted`);
  }
  const codeHash = receipt.verifierCodeHash.toLowerCase();
  if (!parameters.verifiers[circuit].some((known) => known.toLowerCase() === codeHash)) {
    throw refused("VERIFIER", `the verifier's code is not known for ${circuit}`);
  }
  const encoded = encodeStatement(statement);
  if (encoded.circuit !== circuit) throw refused("VERIFIER", `its statement is none of ${circuit}`);
  try {
    checkNotVacuous(statement);
  } catch (cause) {
    if (!isQuorateError(cause, "STATEMENT_VACUOUS")) throw cause;
    throw refused("VACUOUS", cause.message, cause);
  }
  if (parameters.statement !== undefined) {
    const expected = encodeStatement({ ...parameters.statement, asOf: statement.asOf } as Statement);
    if (expected.topic !== encoded.topic || expected.params !== encoded.params) {
      throw refused("STATEMENT", `it says something else: ${describeStatement(statement)}`);
    }
  }
  if (parameters.person !== undefined && parameters.person !== receipt.person) {
    throw refused("PERSON", "it is about another person than the papers");
  }
  const age = parameters.now - statement.asOf;
  if (age > (parameters.maxAge ?? DEFAULT_MAX_AGE_S)) {
    throw refused("STALE", `it is about ${dateOf(statement.asOf)}, which is too long ago`);
  }
  if (age < -CLOCK_TOLERANCE_S) throw refused("STALE", `it is about ${dateOf(statement.asOf)}, which has not come`);
}

function openOrRefuse({ cipher, k }: Receipt, query: bigint): boolean {
  try {
    return openCipher(cipher, k, query);
  } catch (cause) {
    throw refused("ANSWER", "its answer does not open: a part of the question was changed", cause);
  }
}

async function checkChallenge(receipt: Receipt, { challenge, client }: VerifyReceiptParameters): Promise<void> {
  if (challenge === undefined) return;
  const message = challengeMessage(receipt, challenge.text);
  const { signature } = challenge;
  // With a chain, accounts that are contracts can sign as well.
  const valid =
    client === undefined
      ? await verifyMessage({ address: receipt.asker, message, signature }).catch(() => false)
      : await verifyMessageOnChain(client, { address: receipt.asker, message, signature });
  if (!valid) throw refused("CHALLENGE", "the asker has not signed the challenge: whoever shows it may have copied it");
}

async function checkChain(
  receipt: Receipt,
  query: bigint,
  client: Client,
  { chainId }: VerifyReceiptParameters,
): Promise<NonNullable<VerifiedReceipt["root"]>> {
  const { market, provider, dataset, root, verifier, nullifier } = receipt;
  const contract = { address: market, abi: queryMarketAbi } as const;
  if ((await getChainId(client)) !== chainId) throw refused("MARKET", "the client reads another chain");
  const [question, used, registered, published, code] = await Promise.all([
    readContract(client, { ...contract, functionName: "questionOf", args: [provider, query] }),
    readContract(client, { ...contract, functionName: "isUsed", args: [provider, nullifier] }),
    readContract(client, { ...contract, functionName: "datasetOf", args: [dataset] }),
    readContract(client, { ...contract, functionName: "rootOf", args: [dataset, root] }),
    getCode(client, { address: verifier }),
  ]);
  const [status, , cipher] = question;
  if (status !== QuestionStatus.Answered) throw refused("UNANSWERED", "the chain knows no answer to its question");
  if (cipher !== receipt.cipher) throw refused("CIPHER", "the chain has another answer");
  if (!used) throw refused("NULLIFIER", "its proof is not the one that was paid for");
  const [owner] = registered;
  if (!isAddressEqual(owner, provider)) throw refused("DATASET", "its dataset is not the provider's");
  const [publishedAt, supersededAt, revoked] = published;
  if (publishedAt === 0) throw refused("ROOT", "the provider never published the data that it is proved from");
  if (revoked) throw refused("ROOT", "the provider revoked the data that it is proved from");
  if (keccak256(code ?? "0x") !== receipt.verifierCodeHash.toLowerCase()) {
    throw refused("CODE", "the verifier has other code than it says");
  }
  return { publishedAt, supersededAt };
}

function wordsOf(receipt: Receipt, answer: boolean, anchored: boolean, askerPresent: boolean): string {
  const parts = [
    `As registered by ${receipt.provider}, it is ${answer ? "true" : "false"} that ${describeStatement(receipt.statement)}.`,
    receipt.person === 0n ? "No person's papers belong to it." : "",
    anchored
      ? ""
      : "Unanchored: the chain was not asked whether the provider published this data and gave this answer.",
    askerPresent ? "" : "Whoever shows it may have copied it.",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function refused(code: string, why: string, cause?: unknown): FatalError {
  return new FatalError(`RECEIPT_${code}`, `The receipt is refused: ${why.replace(/\.$/, "")}.`, {
    cause,
    docsPath: "protocol/queries.md#receipt",
  });
}
