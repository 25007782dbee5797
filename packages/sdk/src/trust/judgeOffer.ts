import { Flag, type OfferFault, type Request, Role, type SignedOffer } from "@quorate/core";
import { isAddressEqual } from "viem";
import type { ProviderHistory } from "./history.ts";
import type { TrustPolicy } from "./policy.ts";

/** What is known about an offer beside its own fields. */
export type OfferFacts = {
  readonly request: Request;
  /** What the chain refuses about it at this moment. */
  readonly faults: readonly (keyof typeof OfferFault)[];
  readonly onProbation: boolean;
  readonly history: ProviderHistory;
  /** Unix s. */
  readonly now: number;
};

/** Verdict of the trust policy over one offer, with every reason in plain words. */
export type OfferJudgement = {
  readonly accepted: boolean;
  /** Why; at least one. */
  readonly reasons: readonly string[];
  /** Bits of `Role` that the requester gives this provider, zero when refused. */
  readonly roles: number;
  /** Organization that counts for "one place per organization". */
  readonly organization: string;
  readonly onAllowList: boolean;
};

const faultReasons: Readonly<Record<keyof typeof OfferFault, string>> = {
  BadSignature: "its signature is neither by the provider nor by an agent of the provider",
  Expired: "it has expired",
  PriceAboveCeiling: "its price is above the request's ceiling",
  RoleNotAccepted: "it accepts no role that the job has",
  DuplicateProvider: "its provider has offered already; one provider takes one place",
  ProviderIsRequester: "its provider is the requester",
  BondExceedsFree: "the provider's free balance does not cover the bond",
  OnProbation: "the provider is on probation, which this request does not accept for seats",
  BondBeyondAgent: "the bond is above what the provider lets this agent offer",
  WindowBeyondAgent: "the commit window is shorter than the provider lets this agent accept",
  AgentExpired: "the agent's authorization has expired",
  ZeroKey: "it has no encryption key",
};

/**
 * What a fault of an offer means, in plain words.
 *
 * @param fault Name of the fault.
 */
export function offerFaultReason(fault: keyof typeof OfferFault): string {
  return faultReasons[fault];
}

/**
 * Judges one offer by the trust policy.
 *
 * @param policy The requester's policy.
 * @param offer The offer, its seal open.
 * @param facts What chain and history say about it.
 * @returns Whether it may be seated, in which roles, and every reason.
 */
export function judgeOffer(policy: TrustPolicy, offer: SignedOffer, facts: OfferFacts): OfferJudgement {
  const trusted = policy.allow.find(({ provider }) => isAddressEqual(provider, offer.provider));
  const denied = policy.deny.find(({ provider }) => isAddressEqual(provider, offer.provider));
  const against: string[] = [];
  const inFavour: string[] = [];

  // A provider on probation can still be a shadow, so this fault narrows the roles instead of refusing the offer.
  for (const fault of facts.faults) if (fault !== "OnProbation") against.push(faultReasons[fault]);
  if (offer.expiry <= facts.now && !facts.faults.includes("Expired")) against.push(faultReasons.Expired);

  if (denied !== undefined)
    against.push(`the provider is on the deny list${denied.reason ? `: ${denied.reason}` : ""}`);
  if (policy.highestPrice !== undefined && offer.price > policy.highestPrice) {
    against.push(`its price ${offer.price} is above the policy's highest price ${policy.highestPrice}`);
  }
  if (policy.leastBond !== undefined && facts.request.bond < policy.leastBond) {
    against.push(`the request's bond ${facts.request.bond} is below the policy's least bond ${policy.leastBond}`);
  }

  if (trusted !== undefined) inFavour.push("the provider is on the allow list");
  else judgeStranger(policy, facts.history, inFavour, against);

  const roles = rolesOf(offer, facts);
  if (roles === 0) {
    against.push(
      facts.onProbation && (offer.roles & (Role.Seat | Role.Spare)) !== 0
        ? faultReasons.OnProbation
        : faultReasons.RoleNotAccepted,
    );
  } else if (facts.onProbation && roles === Role.Shadow) {
    inFavour.push("the provider is on probation: as a shadow only, its vote weighs nothing");
  }
  const accepted = against.length === 0;
  return {
    accepted,
    reasons: accepted ? inFavour : against,
    roles: accepted ? roles : 0,
    organization: trusted?.organization ?? offer.provider.toLowerCase(),
    onAllowList: trusted !== undefined,
  };
}

function rolesOf(offer: SignedOffer, { request, onProbation }: OfferFacts): number {
  const wanted = Role.Seat | (request.spares > 0 ? Role.Spare : 0) | (request.shadows > 0 ? Role.Shadow : 0);
  const allowed = onProbation && (request.flags & Flag.AcceptProbation) === 0 ? Role.Shadow : wanted;
  return offer.roles & wanted & allowed;
}

function judgeStranger(policy: TrustPolicy, history: ProviderHistory, inFavour: string[], against: string[]): void {
  switch (policy.accept) {
    case "anyone":
      inFavour.push("the policy accepts anyone who is not denied");
      return;
    case "allow-list":
      against.push("the provider is not on the allow list");
      return;
    case "history": {
      const { leastAligned, mostFaults, mostMissedShare } = policy.history;
      const missedShare = history.jobs === 0 ? 0 : history.missed / history.jobs;
      if (history.aligned < leastAligned) {
        against.push(`it aligned in ${history.aligned} jobs that count, ${leastAligned} are asked for`);
      }
      if (history.faults > mostFaults) against.push(`it was at fault in ${history.faults} jobs that count`);
      if (missedShare > mostMissedShare) {
        against.push(`it was late or declined in ${history.missed} of ${history.jobs} jobs that count`);
      }
      if (against.length === 0) inFavour.push(`it aligned in ${history.aligned} of ${history.jobs} jobs that count`);
      return;
    }
    default:
      policy.accept satisfies never;
  }
}
