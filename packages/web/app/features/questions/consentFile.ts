import type { Hex } from "@quorate/core";
import { type ConsentFile, parseConsentFile } from "@quorate/sdk/queries";
import { readShared } from "../../lib/share.ts";

/**
 * Where a consent lies for the asker when both use the same browser.
 *
 * @param query - Query.
 */
export function consentSetting(query: Hex): string {
  return `consent/${query.toLowerCase()}`;
}

/**
 * Reads a consent that came back.
 *
 * @param text - JSON as the subject's page gives it.
 * @param query - Query that it must be for.
 * @throws FatalError `CONSENT_FILE_INVALID`, `CONSENT_FILE_OTHER_QUERY`.
 */
export function readConsentFile(text: string, query: Hex): ConsentFile {
  return parseConsentFile(readShared(text, "a consent"), query);
}
