import { type Address, encodeAbiParameters, type Hex, hashTypedData, keccak256 } from "viem";
import { type MarketDomain, questionKeyTypes, quoteTypes, sealedQuestionTypes, typedDomain } from "./typed-data.ts";

/** What a domain provider signs: it will answer this query for this price. The struct of `contracts/types/Question.sol`. */
export type Quote = {
  /** Who may ask, and pays. */
  readonly asker: Address;
  readonly provider: Address;
  /** Commitment to asker, subject, statement and answer key, below the field modulus. */
  readonly query: bigint;
  readonly dataset: Hex;
  /** Root of the tree that the answer is proved from. */
  readonly root: bigint;
  readonly verifier: Address;
  /** `EXTCODEHASH` of the verifier. */
  readonly verifierCodeHash: Hex;
  readonly token: Address;
  /** Base units. */
  readonly price: bigint;
  /** Base units; goes to the asker when there is no answer in time. */
  readonly bond: bigint;
  /** Seconds from asking to the deadline of the answer. */
  readonly window: number;
  /** The quote can be asked until this time, unix s. */
  readonly expiry: number;
};

/** A one-time key of a domain provider for one asker, or for a subject when `asker` is zero. */
export type QuestionKey = {
  readonly provider: Address;
  readonly asker: Address;
  readonly dataset: Hex;
  /** X25519. */
  readonly encryptionKey: Hex;
  /** Unix s. */
  readonly expiry: number;
};

/** What an asker signs with a sealed question. */
export type SealedQuestion = {
  readonly asker: Address;
  readonly dataset: Hex;
  /** The one-time key that it is sealed to. */
  readonly encryptionKey: Hex;
  /** keccak256 of the sealed bytes. */
  readonly sealedHash: Hex;
};

/** State of a question on chain, as the enum of `contracts/types/Question.sol`. */
export const QuestionStatus = { None: 0, Pending: 1, Answered: 2, Expired: 3 } as const;
/** Value of {@link QuestionStatus}. */
export type QuestionStatus = (typeof QuestionStatus)[keyof typeof QuestionStatus];

/**
 * Digest that a provider or its agent signs to quote; the id of the question that is asked with it.
 *
 * @param quote Quote.
 * @param domain Query market that it is for.
 */
export function quoteDigest(quote: Quote, domain: MarketDomain): Hex {
  return hashTypedData({ domain: typedDomain(domain), types: quoteTypes, primaryType: "Quote", message: quote });
}

/**
 * Digest that a provider or its agent signs for a one-time key.
 *
 * @param key One-time key.
 * @param domain Query market that it is for.
 */
export function questionKeyDigest(key: QuestionKey, domain: MarketDomain): Hex {
  return hashTypedData({
    domain: typedDomain(domain),
    types: questionKeyTypes,
    primaryType: "QuestionKey",
    message: key,
  });
}

/**
 * Digest that an asker signs with a sealed question.
 *
 * @param question Asker, dataset, one-time key, hash of what is sealed.
 * @param domain Query market that it is for.
 */
export function sealedQuestionDigest(question: SealedQuestion, domain: MarketDomain): Hex {
  return hashTypedData({
    domain: typedDomain(domain),
    types: sealedQuestionTypes,
    primaryType: "SealedQuestion",
    message: question,
  });
}

/**
 * Id of a dataset: bound to its provider, so that nobody can register the dataset of another.
 *
 * @param provider Domain provider.
 * @param definition Hash of the dataset's definition.
 */
export function datasetIdOf(provider: Address, definition: Hex): Hex {
  return keccak256(encodeAbiParameters([{ type: "address" }, { type: "bytes32" }], [provider, definition]));
}
