import { type Request, roleOfPlace } from "@quorate/core";
import {
  historyOf,
  type JudgedOffer,
  judgeOffer,
  type OfferJudgement,
  type ReceivedOffer,
  type Selection,
  selectOffers,
  type TrustedHistory,
  type TrustPolicy,
} from "@quorate/sdk";
import type { Hex } from "viem";

/** An offer that could be read. */
export type GoodOffer = Extract<ReceivedOffer, { kind: "offer" }>;

/** A message that could not be used. */
export type UnusableOffer = Extract<ReceivedOffer, { kind: "unusable" }>;

/** What the page shows of one offer. */
export type OfferRow = {
  readonly received: GoodOffer;
  readonly judgement: OfferJudgement;
  /** Place that it would get; undefined when it gets none. */
  readonly role: "seat" | "spare" | "shadow" | undefined;
  /** Why the policy takes or refuses it, or for whom it was passed over. */
  readonly reasons: readonly string[];
  /** The policy takes it, but others got the places. */
  readonly isPassedOver: boolean;
};

/** Offers and the panel that they would give. */
export type OffersState = {
  readonly rows: readonly OfferRow[];
  readonly unusable: readonly UnusableOffer[];
  readonly selection: Selection;
  /** Received offers with the judgements of now. */
  readonly judged: readonly ReceivedOffer[];
};

const order = ["seat", "spare", "shadow"] as const;

/**
 * Judges what was received by the policy of now, and picks the panel: at once, from what was read when each offer came. The SDK
 * looks at the chain again before anything is paid.
 *
 * @param input - Job, policy, what came, time of the chain.
 */
export function offersState(input: {
  readonly jobId: Hex;
  readonly request: Request;
  readonly policy: TrustPolicy;
  readonly history: TrustedHistory;
  readonly received: readonly ReceivedOffer[];
  /** Unix s. */
  readonly now: number;
}): OffersState {
  const { jobId, request, policy, history, received, now } = input;
  const good = received.filter((item) => item.kind === "offer");
  const judged = good.map((item): JudgedOffer & GoodOffer => ({
    ...item,
    judgement: judgeOffer(policy, item.offer, {
      request,
      faults: item.faults,
      onProbation: item.facts.onProbation,
      history: historyOf(history, item.offer.provider),
      now,
    }),
  }));
  const selection = selectOffers({ jobId, request, policy, offers: judged });
  const rows = judged.map((item): OfferRow => {
    const place = selection.chosen.findIndex(({ offer }) => offer.signature === item.offer.signature);
    const role = place === -1 ? undefined : roleOfPlace({ seats: request.seats, spares: selection.spares }, place);
    const refused = selection.refused.find(({ offer }) => offer.signature === item.offer.signature);
    const isPassedOver = role === undefined && item.judgement.accepted;
    return {
      received: item,
      judgement: item.judgement,
      role,
      isPassedOver,
      reasons: isPassedOver ? (refused?.reasons ?? []) : item.judgement.reasons,
    };
  });
  return {
    rows: rows.sort(compareRows),
    unusable: received.filter((item) => item.kind === "unusable"),
    selection,
    judged,
  };
}

function compareRows(a: OfferRow, b: OfferRow): number {
  const rank = ({ role, isPassedOver }: OfferRow): number =>
    role === undefined ? order.length + Number(!isPassedOver) : order.indexOf(role);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  const [priceA, priceB] = [a.received.offer.price, b.received.offer.price];
  if (priceA !== priceB) return priceA < priceB ? -1 : 1;
  return a.received.offer.provider < b.received.offer.provider ? -1 : 1;
}

/**
 * Adds an offer to those that came; the same one twice is one.
 *
 * @param received - So far.
 * @param next - New one.
 */
export function addOffer(received: readonly ReceivedOffer[], next: ReceivedOffer): readonly ReceivedOffer[] {
  const isKnown = received.some((item) =>
    item.kind === "offer" && next.kind === "offer"
      ? item.offer.signature === next.offer.signature
      : item.kind === "unusable" &&
        next.kind === "unusable" &&
        item.sender === next.sender &&
        item.reason === next.reason,
  );
  return isKnown ? received : [...received, next];
}

/**
 * Whether two selections would open the same panel.
 *
 * @param a - One.
 * @param b - Other.
 */
export function samePanel(a: Selection, b: Selection): boolean {
  return (
    a.spares === b.spares &&
    a.chosen.length === b.chosen.length &&
    a.chosen.every(({ offer }, place) => offer.signature === b.chosen[place]?.offer.signature)
  );
}
