import { parseSubjectCard, type SubjectCard } from "@quorate/sdk/queries";
import { readShared } from "../../lib/share.ts";

/**
 * Reads the card that somebody hands to those who may ask about it.
 *
 * @param text - JSON, a link, or its last part.
 * @param site - The query market of this network; a card for another one is refused.
 * @throws FatalError `SUBJECT_CARD_INVALID`, `SUBJECT_CARD_OTHER_MARKET`.
 */
export function readCard(text: string, site: Pick<SubjectCard, "chainId" | "market">): SubjectCard {
  return parseSubjectCard(readShared(text, "a card"), site);
}
