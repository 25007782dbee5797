import { FatalError, type Hex } from "@quorate/core";
import { isPublicKey } from "@quorate/proofs";
import { isAddressEqual, numberToHex } from "viem";
import { z } from "zod";
import type { SealedConsent, SubjectCard } from "./createSubject.ts";
import { addressSchema, bigSchema, hexSchema } from "./schemas.ts";

const cardSchema = z.object({
  version: z.literal(1),
  chainId: z.int().positive(),
  market: addressSchema,
  provider: addressSchema,
  providerUrl: z.url({ protocol: /^https?$/ }).max(512),
  dataset: hexSchema(32),
  subjectKey: z.tuple([bigSchema, bigSchema]),
});

/**
 * Reads the card that somebody hands to those who may ask about it.
 *
 * @param json Parsed JSON from anywhere, numbers as decimal text.
 * @param site Query market that the reader uses; a card of another one is refused.
 * @throws FatalError `SUBJECT_CARD_INVALID`, `SUBJECT_CARD_OTHER_MARKET`.
 */
export function parseSubjectCard(json: unknown, site: Pick<SubjectCard, "chainId" | "market">): SubjectCard {
  const parsed = cardSchema.safeParse(json);
  if (!parsed.success || !isPublicKey(parsed.data.subjectKey)) {
    throw new FatalError(
      "SUBJECT_CARD_INVALID",
      "This is not the card of a person. Ask for it again: whoever it is about finds it on the page My records, or by quorate subject card.",
      { cause: parsed.error },
    );
  }
  const card = parsed.data;
  if (card.chainId !== site.chainId || !isAddressEqual(card.market, site.market)) {
    throw new FatalError(
      "SUBJECT_CARD_OTHER_MARKET",
      `The card is for market ${card.market} on chain ${card.chainId}, not for ${site.market} on chain ${site.chainId}. Choose that network, or ask for a card of this one.`,
    );
  }
  return card;
}

/** A sealed consent as it travels from the subject to the asker, who cannot read it. */
export type ConsentFile = {
  readonly version: 1;
  readonly query: Hex;
  /** Base64. */
  readonly consent: string;
  /** Unix s. */
  readonly notAfter: number;
};

const consentSchema = z.object({
  version: z.literal(1),
  query: hexSchema(32).transform((text) => text.toLowerCase() as Hex),
  consent: z.base64().min(1),
  notAfter: z.int().nonnegative(),
});

/**
 * A consent in the form that travels.
 *
 * @param given From the subject's client.
 */
export function consentFileOf(given: SealedConsent): ConsentFile {
  return {
    version: 1,
    query: numberToHex(given.query, { size: 32 }),
    consent: given.sealed,
    notAfter: given.notAfter,
  };
}

/**
 * Reads a consent that came back.
 *
 * @param json Parsed JSON from anywhere.
 * @param query Query that it must be for.
 * @throws FatalError `CONSENT_FILE_INVALID`, `CONSENT_FILE_OTHER_QUERY`.
 */
export function parseConsentFile(json: unknown, query: Hex): ConsentFile {
  const parsed = consentSchema.safeParse(json);
  if (!parsed.success) {
    throw new FatalError(
      "CONSENT_FILE_INVALID",
      "This is not a consent. The subject's page shows it after a yes, as text to copy or as a file; quorate subject consent writes it.",
      { cause: parsed.error },
    );
  }
  if (parsed.data.query !== query.toLowerCase()) {
    throw new FatalError(
      "CONSENT_FILE_OTHER_QUERY",
      `This is the consent to another question (${parsed.data.query}). Open that question, or ask for the consent to this one.`,
    );
  }
  return parsed.data;
}
