import { FatalError } from "@quorate/core";
import {
  type DomainOffer,
  type JsonObject,
  type QuestionMessage,
  questionMessageSchema,
  type SignedQuestionKey,
  type SignedQuote,
  type SubjectKey,
  signedQuestionKeySchema,
  signedQuoteSchema,
} from "@quorate/wire";
import type { Address, Hex } from "viem";
import { z } from "zod";
import type { ProofWords } from "../actions/answer.ts";
import type { AskedBatch, SentTransaction } from "../internal/journaledSend.ts";
import { addressSchema, bigSchema, countSchema, hexSchema, jsonObjectSchema } from "./schemas.ts";

/** What an asker sends for a query. */
export type QueryPurpose = "approve" | "deposit" | "ask" | "expire";

/** What the chain showed of an answer. */
export type FoundAnswer = {
  readonly cipher: bigint;
  readonly nullifier: bigint;
  readonly proof: ProofWords;
  /** Transaction that answered. */
  readonly transaction: Hex;
};

/**
 * Everything that an asker needs to come back to a query: with it and the chain, nothing else has to survive.
 * Holds secrets: whoever has it reads the answer.
 */
export type QueryRecord = {
  readonly version: 1;
  /** The query as 32 bytes. */
  readonly queryId: Hex;
  readonly chainId: number;
  /** Query market. */
  readonly market: Address;
  readonly asker: Address;
  readonly provider: Address;
  /** Where the domain provider's agent listens. */
  readonly providerUrl: string;
  readonly dataset: Hex;
  /** Definition of the dataset; hashes to it together with the provider. */
  readonly definition: JsonObject;
  /** As the package of proofs writes it. */
  readonly statement: JsonObject;
  /** What the provider advertised when the query was prepared: the quote may not be worse. */
  readonly offer: DomainOffer;
  readonly root: bigint;
  readonly nonce: bigint;
  readonly subjectKey: SubjectKey;
  readonly subjectNonce: bigint;
  readonly person: bigint;
  /** Answer key; secret. */
  readonly k: bigint;
  /** One-time key that question and consent are sealed to. */
  readonly key: SignedQuestionKey;
  /** What the asker calls itself towards the subject. */
  readonly askerName?: string | undefined;
  /** For people; never leaves the store. */
  readonly label?: string | undefined;
  /** Unix ms. */
  readonly createdAt: number;
  /** Newest block when the record was made: every event of the query lies after it. */
  readonly createdAtBlock: number;
  /** The sealed question, stored before it first leaves; a lost answer is asked for again with the same bytes. */
  readonly message?: QuestionMessage | undefined;
  /** Set once the provider said that it cannot answer. Unix ms. */
  readonly refusedAt?: number | undefined;
  readonly quote?: SignedQuote | undefined;
  /** In the order of sending. */
  readonly transactions: readonly SentTransaction<QueryPurpose>[];
  /** Set while a wallet has been asked to send and has not answered. Unix ms. */
  readonly askedWalletAt?: number | undefined;
  /** Calls that the wallet was asked to send as one (EIP-5792); set together with `askedWalletAt`. */
  readonly askedBatch?: AskedBatch<QueryPurpose> | undefined;
  readonly found?: FoundAnswer | undefined;
};

const words = z.array(bigSchema).length(8) as unknown as z.ZodType<ProofWords, unknown>;

const purposeSchema = z.enum(["approve", "deposit", "ask", "expire"]);

const recordSchema = z.strictObject({
  version: z.literal(1),
  queryId: hexSchema(32),
  chainId: countSchema,
  market: addressSchema,
  asker: addressSchema,
  provider: addressSchema,
  providerUrl: z.string().min(1).max(512),
  dataset: hexSchema(32),
  definition: jsonObjectSchema,
  statement: jsonObjectSchema,
  offer: z.strictObject({
    circuit: z.string().min(1).max(64),
    verifier: addressSchema,
    verifierCodeHash: hexSchema(32),
    token: addressSchema,
    price: bigSchema,
    bond: bigSchema,
    window: countSchema,
  }),
  root: bigSchema,
  nonce: bigSchema,
  subjectKey: z.tuple([bigSchema, bigSchema]),
  subjectNonce: bigSchema,
  person: bigSchema,
  k: bigSchema,
  key: signedQuestionKeySchema,
  askerName: z.string().max(200).optional(),
  label: z.string().max(200).optional(),
  createdAt: countSchema,
  createdAtBlock: countSchema,
  message: questionMessageSchema.optional(),
  refusedAt: countSchema.optional(),
  quote: signedQuoteSchema.optional(),
  transactions: z.array(
    z.strictObject({
      purpose: purposeSchema,
      hash: hexSchema(32),
      raw: hexSchema().optional(),
      nonce: countSchema.optional(),
      from: addressSchema,
      sentAt: countSchema,
    }),
  ),
  askedWalletAt: countSchema.optional(),
  askedBatch: z.strictObject({ purpose: purposeSchema, id: z.string().max(4096) }).optional(),
  found: z
    .strictObject({ cipher: bigSchema, nullifier: bigSchema, proof: words, transaction: hexSchema(32) })
    .optional(),
});

/**
 * A record as JSON text.
 *
 * @param record The record.
 */
export function encodeQueryRecord(record: QueryRecord): string {
  return JSON.stringify(z.encode(recordSchema as unknown as z.ZodType<QueryRecord, unknown>, record));
}

/**
 * Reads a record.
 *
 * @param text What `encodeQueryRecord` wrote.
 * @throws FatalError `KEY_STORE_DAMAGED` naming the fields that are wrong, never their values.
 */
export function decodeQueryRecord(text: string): QueryRecord {
  return decodeWith(recordSchema as unknown as z.ZodType<QueryRecord, unknown>, text, "query");
}

/**
 * Reads JSON of a store by a schema.
 *
 * @param schema What it must be.
 * @param text What lies in the store.
 * @param what What the record is about, for the error.
 * @throws FatalError `KEY_STORE_DAMAGED` naming the fields that are wrong, never their values.
 */
export function decodeWith<T>(schema: z.ZodType<T, unknown>, text: string, what: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw damaged(what, "it is not JSON");
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw damaged(
    what,
    [...new Set(result.error.issues.map((issue) => issue.path.map(String).join(".") || "the record"))].join(", "),
  );
}

function damaged(what: string, why: string): FatalError {
  return new FatalError(
    "KEY_STORE_DAMAGED",
    `The record of a ${what} cannot be read: ${why}. Restore it from a backup.`,
  );
}
