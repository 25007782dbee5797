import { FatalError } from "@quorate/core";
import type { SealedConsent } from "@quorate/sdk/queries";
import { type Hex, numberToHex } from "viem";
import { z } from "zod";
import { readShared } from "../../lib/share.ts";

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
  query: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/)
    .transform((text) => text as Hex),
  consent: z.base64().min(1),
  notAfter: z.int().nonnegative(),
});

/**
 * Where a consent lies for the asker when both use the same browser.
 *
 * @param query - Query.
 */
export function consentSetting(query: Hex): string {
  return `consent/${query.toLowerCase()}`;
}

/**
 * A consent in the form that travels.
 *
 * @param given - From the subject's client.
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
 * @param text - JSON as the subject's page gives it.
 * @param query - Query that it must be for.
 * @throws FatalError `CONSENT_FILE_INVALID`, `CONSENT_FILE_OTHER_QUERY`.
 */
export function readConsentFile(text: string, query: Hex): ConsentFile {
  const parsed = consentSchema.safeParse(readShared(text, "a consent"));
  if (!parsed.success) {
    throw new FatalError(
      "CONSENT_FILE_INVALID",
      "This is not a consent. The subject's page shows it after a yes, as text to copy or as a file.",
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
