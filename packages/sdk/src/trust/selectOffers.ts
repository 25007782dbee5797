import { type PlaceRole, type Request, Role, type SignedOffer } from "@quorate/core";
import { type Address, concat, type Hex, keccak256 } from "viem";
import type { OfferJudgement } from "./judgeOffer.ts";
import type { TrustPolicy } from "./policy.ts";

/** An offer with the policy's judgement. */
export type JudgedOffer = {
  readonly offer: SignedOffer;
  readonly judgement: OfferJudgement;
};

/** An offer that got a place. */
export type ChosenOffer = {
  readonly offer: SignedOffer;
  readonly role: PlaceRole;
  readonly reasons: readonly string[];
};

/** An offer that got none. */
export type UnchosenOffer = {
  readonly offer: SignedOffer;
  /** Plain words: refused by the policy, or passed over and for whom. */
  readonly reasons: readonly string[];
};

/** The panel that the requester would open. */
export type Selection = {
  /** In the order of places: seats, spares, shadows. */
  readonly chosen: readonly ChosenOffer[];
  /** Spares among them. */
  readonly spares: number;
  readonly refused: readonly UnchosenOffer[];
  /** True when every seat is filled: the job can be opened. */
  readonly complete: boolean;
  /** What is missing, in plain words; empty when nothing is. */
  readonly missing: readonly string[];
};

/**
 * Picks seats, spares and shadows. Deterministic: the same offers in any order give the same panel. Trusted offers are
 * ranked by whether they may be seated, by price, then by standing on the allow list, then by a hash of job and provider that nobody can steer cheaply.
 *
 * @param params Job, request, policy, judged offers.
 * @returns The panel, and a reason for every offer.
 */
export function selectOffers(params: {
  readonly jobId: Hex;
  readonly request: Request;
  readonly policy: Pick<TrustPolicy, "onePlacePerOrganization">;
  readonly offers: readonly JudgedOffer[];
}): Selection {
  const { request, jobId } = params;
  const refused: UnchosenOffer[] = [];
  const ranked = params.offers
    .filter(({ offer, judgement }) => {
      if (!judgement.accepted) refused.push({ offer, reasons: judgement.reasons });
      return judgement.accepted;
    })
    .sort((a, b) => compareOffers(a, b, jobId));
  const { kept, passedOver } = onePlaceEach(ranked, params.policy.onePlacePerOrganization);
  refused.push(...passedOver);

  const { seats, spares, shadows } = assign(kept, request);
  const placed = new Set([...seats, ...spares, ...shadows]);
  for (const candidate of kept) {
    if (!placed.has(candidate)) {
      refused.push({ offer: candidate.offer, reasons: ["trusted, but every place it accepts went to a better offer"] });
    }
  }
  const missing: string[] = [];
  if (seats.length < request.seats) {
    missing.push(
      `${seats.length} of ${request.seats} seats can be filled; wait for more offers, or widen the trust policy`,
    );
  }
  if (spares.length < request.spares) missing.push(`${spares.length} of ${request.spares} spares can be filled`);
  if (shadows.length < request.shadows) missing.push(`${shadows.length} of ${request.shadows} shadows can be filled`);
  return {
    chosen: [
      ...seats.map((candidate) => choose(candidate, "seat")),
      ...spares.map((candidate) => choose(candidate, "spare")),
      ...shadows.map((candidate) => choose(candidate, "shadow")),
    ],
    spares: spares.length,
    refused,
    complete: seats.length === request.seats,
    missing,
  };
}

function choose({ offer, judgement }: JudgedOffer, role: PlaceRole): ChosenOffer {
  return { offer, role, reasons: [...judgement.reasons, `${role} at price ${offer.price}`] };
}

function compareOffers(a: JudgedOffer, b: JudgedOffer, jobId: Hex): number {
  const seatA = (a.judgement.roles & Role.Seat) !== 0;
  const seatB = (b.judgement.roles & Role.Seat) !== 0;
  // Otherwise an organization's cheaper shadow would push its seat out.
  if (seatA !== seatB) return seatA ? -1 : 1;
  if (a.offer.price !== b.offer.price) return a.offer.price < b.offer.price ? -1 : 1;
  if (a.judgement.onAllowList !== b.judgement.onAllowList) return a.judgement.onAllowList ? -1 : 1;
  const tieA = tieOf(jobId, a.offer.provider);
  const tieB = tieOf(jobId, b.offer.provider);
  if (tieA !== tieB) return tieA < tieB ? -1 : 1;
  // Two offers of one provider: the later one is what it wants now.
  if (a.offer.expiry !== b.offer.expiry) return b.offer.expiry - a.offer.expiry;
  return a.offer.signature < b.offer.signature ? -1 : Number(a.offer.signature > b.offer.signature);
}

function tieOf(jobId: Hex, provider: Address): Hex {
  return keccak256(concat([jobId, provider]));
}

function onePlaceEach(
  ranked: readonly JudgedOffer[],
  perOrganization: boolean,
): { kept: JudgedOffer[]; passedOver: UnchosenOffer[] } {
  const taken = new Set<string>();
  const kept: JudgedOffer[] = [];
  const passedOver: UnchosenOffer[] = [];
  for (const candidate of ranked) {
    const provider = `provider ${candidate.offer.provider.toLowerCase()}`;
    const organization = `organization ${candidate.judgement.organization}`;
    if (taken.has(provider)) {
      passedOver.push({ offer: candidate.offer, reasons: ["another offer of the same provider was preferred"] });
    } else if (perOrganization && taken.has(organization)) {
      passedOver.push({
        offer: candidate.offer,
        reasons: [
          `another offer of the organization ${candidate.judgement.organization} was preferred; one place each`,
        ],
      });
    } else {
      taken.add(provider).add(organization);
      kept.push(candidate);
    }
  }
  return { kept, passedOver };
}

function assign(
  ranked: readonly JudgedOffer[],
  request: Request,
): { seats: JudgedOffer[]; spares: JudgedOffer[]; shadows: JudgedOffer[] } {
  const accepts = (candidate: JudgedOffer, role: number): boolean => (candidate.judgement.roles & role) !== 0;
  const free = new Set(ranked);
  const take = (role: number, count: number): JudgedOffer[] => {
    const taken = [...free].filter((candidate) => accepts(candidate, role)).slice(0, count);
    for (const candidate of taken) free.delete(candidate);
    return taken;
  };
  const seats = take(Role.Seat, request.seats);
  const spares = take(Role.Spare, request.spares);
  // An offer that only takes a seat may still be free while a seated one would also be a spare: let them change places.
  while (spares.length < request.spares) {
    const newcomer = [...free].find((candidate) => accepts(candidate, Role.Seat));
    const index = seats.findLastIndex((candidate) => accepts(candidate, Role.Spare));
    const mover = seats[index];
    if (newcomer === undefined || mover === undefined) break;
    seats.splice(index, 1);
    seats.push(newcomer);
    spares.push(mover);
    free.delete(newcomer);
  }
  // A shadow is the way back for a provider that may not be seated: those come first, whatever others would do it for.
  const wayBack = [...free].filter((candidate) => accepts(candidate, Role.Shadow) && !accepts(candidate, Role.Seat));
  const shadows = wayBack.slice(0, request.shadows);
  for (const candidate of shadows) free.delete(candidate);
  shadows.push(...take(Role.Shadow, request.shadows - shadows.length));
  return { seats, spares, shadows };
}
