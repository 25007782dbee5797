import { FatalError } from "@quorate/core";
import { z } from "zod";
import { fieldElement, parseWith, toJson, unixTime } from "./internal/json.ts";
import { type BlindQuestion, consentMessage, type Question, queryOfQuestion } from "./query.ts";
import { dateOf } from "./statement.ts";
import { type SubjectSignature, verifySignature } from "./subject.ts";

/** A subject's yes to one question about one record. */
export type Consent = {
  readonly query: bigint;
  readonly leaf: bigint;
  /** The provider takes it until this time, unix s. */
  readonly notAfter: number;
  readonly signature: SubjectSignature;
};

/** Schema of a consent in JSON; numbers are decimal strings. */
export const consentSchema: z.ZodType<Consent> = z.strictObject({
  query: fieldElement,
  leaf: fieldElement,
  notAfter: unixTime,
  signature: z.strictObject({ R8x: fieldElement, R8y: fieldElement, S: fieldElement }),
});

/**
 * Reads a consent.
 *
 * @param json Parsed JSON from anywhere.
 * @throws FatalError `CONSENT_INVALID`.
 */
export function parseConsent(json: unknown): Consent {
  return parseWith(consentSchema, json, "CONSENT_INVALID", "The consent is malformed");
}

/**
 * Writes a consent.
 *
 * @param consent Consent.
 * @returns What `JSON.stringify` takes and {@link parseConsent} reads.
 */
export function consentToJson(consent: Consent): unknown {
  return toJson(consent);
}

/** What {@link verifyConsent} compares. */
export type VerifyConsentParameters = {
  readonly consent: Consent;
  readonly question: Question | BlindQuestion;
  /** Unix s. */
  readonly now: number;
};

/**
 * Checks a consent by what the question says alone, before anything that depends on a record: it is for this query, not
 * over, and signed by the key that the question names. Whether it is about the right record shows in its leaf.
 *
 * @param parameters Consent, question, time.
 * @throws FatalError `CONSENT_INVALID`, `CONSENT_EXPIRED`.
 */
export function verifyConsent({ consent, question, now }: VerifyConsentParameters): void {
  const { query, leaf, notAfter, signature } = consent;
  if (query !== queryOfQuestion(question)) throw invalid("is for another question");
  if (!verifySignature(question.subjectKey, consentMessage(query, leaf), signature)) {
    throw invalid("is not signed by the subject's key");
  }
  if (notAfter < now) {
    throw new FatalError("CONSENT_EXPIRED", `The consent ended on ${dateOf(notAfter)}. Ask the subject again.`);
  }
}

function invalid(why: string): FatalError {
  return new FatalError("CONSENT_INVALID", `The consent ${why}. Ask the subject again.`, {
    docsPath: "protocol/queries.md#what-the-subjects-client-checks",
  });
}
