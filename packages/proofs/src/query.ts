import { FatalError } from "@quorate/core";
import { type Address, encodeAbiParameters, keccak256 } from "viem";
import { assertField, FIELD_MODULUS, hash } from "./field.ts";
import { encodeStatement, type Statement } from "./statement.ts";
import { isPublicKey, type PublicKey, subjectIdOf } from "./subject.ts";

/** Domain of consents: the first 31 bytes of `keccak256("quorate/consent/v1")`. */
export const CONSENT_TAG = 208876146933108880334822937997292221358453683056084102763631729319135506915n;

/** Bits of a question's nonce. */
export const NONCE_BITS = 128n;
/** Bits of answer keys and subject nonces. */
export const SECRET_BITS = 248n;

/** Who asks whom, where, and which contract judges the proof. */
export type QueryContext = {
  readonly chainId: number;
  /** The query market. */
  readonly market: Address;
  readonly provider: Address;
  readonly asker: Address;
  readonly verifier: Address;
  /** 128 random bits. */
  readonly nonce: bigint;
};

/** All that a query commits to, but for the answer key. */
export type OpeningWithoutKey = QueryContext & {
  readonly subjectKey: PublicKey;
  /** 248 random bits. */
  readonly subjectNonce: bigint;
  /** From `personOf`; 0 for a record of nobody's papers. */
  readonly person: bigint;
  readonly statement: Statement;
};

/** All that a query commits to: the opening of a question. */
export type Question = OpeningWithoutKey & {
  /** Answer key, 248 random bits, fresh for each question. */
  readonly k: bigint;
};

/** What a subject sees of a question: all but the answer key. */
export type BlindQuestion = OpeningWithoutKey & {
  /** Poseidon1 of the answer key. */
  readonly keyHash: bigint;
};

/**
 * Number that binds a query to chain, market, provider, asker and verifier.
 *
 * @param context Who asks whom, where.
 */
export function contextOf({ chainId, market, provider, asker, verifier, nonce }: QueryContext): bigint {
  assertBits(nonce, NONCE_BITS, "The nonce");
  const types = ["uint256", "address", "address", "address", "address", "uint256"].map((type) => ({ type }));
  const encoded = encodeAbiParameters(types, [BigInt(chainId), market, provider, asker, verifier, nonce]);
  return BigInt(keccak256(encoded)) >> 8n;
}

/**
 * Blinded name of a subject in a query.
 *
 * @param subjectId From `subjectIdOf`.
 * @param subjectNonce 248 random bits.
 */
export function subjectRefOf(subjectId: bigint, subjectNonce: bigint): bigint {
  return hash(subjectId, assertBits(subjectNonce, SECRET_BITS, "The subject nonce"));
}

/**
 * Hash of an answer key, which a query commits to.
 *
 * @param k Answer key.
 */
export function keyHashOf(k: bigint): bigint {
  return hash(assertBits(k, SECRET_BITS, "The answer key"));
}

/** Parts of a query. */
export type QueryParts = {
  /** From {@link contextOf}. */
  readonly context: bigint;
  /** From {@link subjectRefOf}. */
  readonly subjectRef: bigint;
  readonly person: bigint;
  /** Of the encoded statement. */
  readonly topic: bigint;
  /** Of the encoded statement. */
  readonly params: bigint;
  /** From {@link keyHashOf}. */
  readonly keyHash: bigint;
};

/**
 * The query that the chain sees.
 *
 * @param parts Field elements.
 */
export function queryOf({ context, subjectRef, person, topic, params, keyHash }: QueryParts): bigint {
  return hash(context, subjectRef, person, topic, params, keyHash);
}

/**
 * The query of a question.
 *
 * @param question Opening, with the answer key or with its hash.
 * @throws FatalError `SUBJECT_KEY_INVALID`, `FIELD_OVERFLOW`, `RANDOM_OUT_OF_RANGE`, and what `encodeStatement` throws.
 */
export function queryOfQuestion(question: Question | BlindQuestion): bigint {
  const { subjectKey, subjectNonce, person, statement } = question;
  if (!isPublicKey(subjectKey)) {
    throw new FatalError(
      "SUBJECT_KEY_INVALID",
      "The subject's key is no usable point of Baby Jubjub. Ask for its card.",
    );
  }
  const { topic, params } = encodeStatement(statement);
  return queryOf({
    context: contextOf(question),
    subjectRef: subjectRefOf(subjectIdOf(subjectKey, person), subjectNonce),
    person: assertField(person, "The person"),
    topic,
    params,
    keyHash: "k" in question ? keyHashOf(question.k) : assertField(question.keyHash, "The hash of the answer key"),
  });
}

/** Makes an answer key: 31 random bytes, for one question. */
export function generateAnswerKey(): bigint {
  return randomBits(SECRET_BITS);
}

/** Makes the nonce of a question: 16 random bytes. */
export function generateNonce(): bigint {
  return randomBits(NONCE_BITS);
}

/** Makes the nonce that blinds the subject of a question: 31 random bytes. */
export function generateSubjectNonce(): bigint {
  return randomBits(SECRET_BITS);
}

/**
 * What a subject signs to consent.
 *
 * @param query From {@link queryOfQuestion}.
 * @param leaf From `leafOf`.
 */
export function consentMessage(query: bigint, leaf: bigint): bigint {
  return hash(CONSENT_TAG, query, leaf);
}

/** What a nullifier is made of. */
export type NullifierParts = {
  /** Of the subject. */
  readonly nk: bigint;
  /** Attribute, or schema of a scorecard. */
  readonly nullifierTopic: bigint;
  /** Of the record, unix s. */
  readonly validFrom: number;
  /** Number of the use, from 0, below the budget. */
  readonly i: number;
};

/**
 * Nullifier of one use of a record.
 *
 * @param parts Subject's key, record, number of the use.
 */
export function nullifierOf({ nk, nullifierTopic, validFrom, i }: NullifierParts): bigint {
  return hash(nk, nullifierTopic, BigInt(validFrom), BigInt(i));
}

/**
 * Seals an answer.
 *
 * @param answer True or false.
 * @param k Answer key.
 * @param query The query that commits to the key.
 */
export function cipherOf(answer: boolean, k: bigint, query: bigint): bigint {
  return ((answer ? 1n : 0n) + hash(k, query)) % FIELD_MODULUS;
}

/**
 * Opens an answer.
 *
 * @param cipher From the chain.
 * @param k Answer key.
 * @param query The query that commits to the key.
 * @throws FatalError `ANSWER_UNREADABLE` when the key is not of this query.
 */
export function openCipher(cipher: bigint, k: bigint, query: bigint): boolean {
  const answer = (assertField(cipher, "The cipher") - hash(k, query) + FIELD_MODULUS) % FIELD_MODULUS;
  if (answer > 1n) {
    throw new FatalError(
      "ANSWER_UNREADABLE",
      "The answer does not open: key, query and cipher do not belong together.",
    );
  }
  return answer === 1n;
}

/**
 * Refuses a number that has too many bits.
 *
 * @param value Number, maybe a secret.
 * @param bits Most bits.
 * @param name For the message.
 * @throws FatalError `RANDOM_OUT_OF_RANGE`.
 */
export function assertBits(value: bigint, bits: bigint, name: string): bigint {
  if (value >= 0n && value >> bits === 0n) return value;
  throw new FatalError("RANDOM_OUT_OF_RANGE", `${name} has more than ${bits} bits. Make it with this library.`, {
    details: { name },
  });
}

function randomBits(bits: bigint): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array(Number(bits) / 8));
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
