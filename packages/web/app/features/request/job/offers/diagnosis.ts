import type { JobRecord, OfferDiagnosis } from "@quorate/sdk";
import { count } from "../../../../lib/format.ts";

/** What the words need beside the code. */
export type DiagnosisFacts = {
  readonly record: Pick<JobRecord, "request" | "requirements">;
  /** Lowest asking price of a provider that fits, base units. */
  readonly lowestAsked: bigint | undefined;
  /** Most that the job can need, base units. */
  readonly needed: bigint;
  /** Free balance and wallet together, base units. */
  readonly available: bigint | undefined;
  readonly relays: number;
  /** Offers that the policy refuses. */
  readonly refused: number;
  readonly format: (amount: bigint) => string;
};

/** Why nothing, or too little, came; and what to do. */
export type DiagnosisWords = {
  readonly code: OfferDiagnosis["code"];
  readonly title: string;
  readonly text: string;
  /** It passes by waiting. */
  readonly isWait: boolean;
};

/**
 * A diagnosis of the SDK for people: amounts in the token's unit.
 *
 * @param diagnosis - From `diagnoseOffers`.
 * @param facts - Of the job.
 */
export function diagnosisWords(diagnosis: OfferDiagnosis, facts: DiagnosisFacts): DiagnosisWords {
  const { code } = diagnosis;
  const { request, requirements } = facts.record;
  switch (code) {
    case "NO_RELAY_REACHABLE":
      return {
        code,
        title: "No relay answers",
        text: `None of ${count(facts.relays, "relay")} can be reached, so no offer can arrive. Money is not affected. Check your connection, or add relays in the settings.`,
        isWait: true,
      };
    case "NO_PROFILES":
      return {
        code,
        title: "No provider is known",
        text: "The relays of this network know no provider. Add relays on which providers listen, in the settings.",
        isWait: false,
      };
    case "NO_PROVIDER_ONLINE":
      return {
        code,
        title: "No provider is online",
        text: "Relays know providers, and none of them is online now. Wait, or come back before the request expires.",
        isWait: true,
      };
    case "NO_ENGINE":
      return {
        code,
        title: "No provider has the engine",
        text: `Providers are online, and none of them runs ${requirements.engine.name} ${requirements.engine.version}. Use a program for an engine that they offer.`,
        isWait: false,
      };
    case "PRICE_TOO_LOW":
      return {
        code,
        title: "The price is too low",
        text: `You pay at most ${facts.format(request.priceCeiling)} for a seat, and every provider that fits asks more${
          facts.lowestAsked === undefined ? "" : `: the lowest asks ${facts.format(facts.lowestAsked)}`
        }. Request again with a higher price.`,
        isWait: false,
      };
    case "REQUESTER_CANNOT_FUND":
      return {
        code,
        title: "The account cannot pay",
        text: `The job can need ${facts.format(facts.needed)}${
          facts.available === undefined ? "" : `, and the account has ${facts.format(facts.available)}`
        }. Providers ignore requests that could not be paid. Get more tokens, or request for less.`,
        isWait: false,
      };
    case "REQUEST_EXPIRED":
      return {
        code,
        title: "The request has expired",
        text: "The time for offers is over, and nothing was paid. Request again.",
        isWait: false,
      };
    case "ALL_OFFERS_REFUSED":
      return {
        code,
        title: "You trust none of them yet",
        text: `${count(facts.refused, "offer")} came, and your trust policy refuses ${facts.refused === 1 ? "it" : "each"}. Look at who they are below, and trust those that you want to give your data to.`,
        isWait: false,
      };
    case "NO_ANSWER_YET":
      return {
        code,
        title: "Waiting for answers",
        text: "Providers that fit are online and have not answered yet, or not enough of them. If it stays so: price, bond or windows may not be what they take.",
        isWait: true,
      };
    default:
      return code satisfies never;
  }
}
