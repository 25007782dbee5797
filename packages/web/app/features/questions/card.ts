import { FatalError } from "@quorate/core";
import { isPublicKey } from "@quorate/proofs";
import type { SubjectCard } from "@quorate/sdk/queries";
import { type Address, type Hex, isAddressEqual } from "viem";
import { z } from "zod";
import { readShared } from "../../lib/share.ts";

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text as Address);
const coordinate = z
  .string()
  .regex(/^\d{1,78}$/)
  .transform(BigInt);
const cardSchema = z.object({
  version: z.literal(1),
  chainId: z.int().positive(),
  market: address,
  provider: address,
  providerUrl: z.url({ protocol: /^https?$/ }).max(512),
  dataset: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/)
    .transform((text) => text as Hex),
  subjectKey: z.tuple([coordinate, coordinate]),
});

/**
 * Reads the card that somebody hands to those who may ask about it.
 *
 * @param text - JSON, a link, or its last part.
 * @param market - The query market of this network; a card for another one is refused.
 * @throws FatalError `SUBJECT_CARD_INVALID`, `SUBJECT_CARD_OTHER_MARKET`.
 */
export function readCard(text: string, market: { readonly chainId: number; readonly market: Address }): SubjectCard {
  const parsed = cardSchema.safeParse(readShared(text, "a card"));
  if (!parsed.success || !isPublicKey(parsed.data.subjectKey)) {
    throw new FatalError(
      "SUBJECT_CARD_INVALID",
      "This is not the card of a person. Ask for it again: it is on the page My records of whoever it is about.",
    );
  }
  const card = parsed.data;
  if (card.chainId !== market.chainId || !isAddressEqual(card.market, market.market)) {
    throw new FatalError(
      "SUBJECT_CARD_OTHER_MARKET",
      `The card is for market ${card.market} on chain ${card.chainId}; this page is on another one. Choose that network in the settings, or ask for a card of this one.`,
    );
  }
  return card;
}
