// What core says about every call before it is sent: the error it fails with, and every balance afterwards.
import {
  declineDeadline,
  escrowOf,
  type Hex,
  isSettled,
  type JobFacts,
  JobStatus,
  type Opening,
  onProbation,
  roleOfPlace,
  type Settlement,
  type Standing,
  settlementOf,
  standingAfter,
  statusAt,
  unknownStanding,
  Verdict,
} from "@quorate/core";
import type { Balance } from "./market.ts";

/** `CommitmentFault` of contracts/types/Job.sol. */
export const CommitmentFault = {
  NoSuchPlace: 0,
  NotSeated: 1,
  Declined: 2,
  AlreadyCommitted: 3,
  Late: 4,
  ZeroCommitment: 5,
  BadSignature: 6,
} as const;

/** `OpeningFault` of contracts/types/Job.sol. */
export const OpeningFault = { NoSuchPlace: 0, NotCommitted: 1, AlreadyOpened: 2, WrongOpening: 3 } as const;

/** Why a place cannot commit now (A3); `undefined` when it can. */
export function commitFault(facts: JobFacts, place: number, now: number): number | undefined {
  if (place >= facts.terms.places.length) return CommitmentFault.NoSuchPlace;
  if (facts.committed.includes(place)) return CommitmentFault.AlreadyCommitted;
  if (facts.declined.includes(place)) return CommitmentFault.Declined;
  const promotion = facts.promotions.find(({ spare }) => spare === place);
  switch (roleOfPlace(facts.terms, place)) {
    case "shadow":
      return statusAt(facts, now).status === JobStatus.Committing ? undefined : CommitmentFault.Late;
    case "spare":
      if (promotion === undefined) return CommitmentFault.NotSeated;
      return now < promotion.promotedAt + facts.terms.commitWindow ? undefined : CommitmentFault.Late;
    case "seat":
      return now < facts.openedAt + facts.terms.commitWindow ? undefined : CommitmentFault.Late;
  }
}

/** The error of a decline by the provider of the place (A5). */
export function declineError(facts: JobFacts, place: number, now: number): string | undefined {
  if (facts.settled !== undefined) return "JobNotOpen";
  if (facts.committed.includes(place)) return "AlreadyCommitted";
  if (facts.declined.includes(place)) return "AlreadyDeclined";
  return now < declineDeadline(facts, place) ? undefined : "TooLateToDecline";
}

/** The error of a promotion (A6). */
export function promoteError(facts: JobFacts, now: number): string | undefined {
  if (facts.settled !== undefined) return "JobNotOpen";
  const { status, vacant, sparesLeft } = statusAt(facts, now);
  if (status !== JobStatus.Committing) return "WrongStatus";
  return vacant.length === 0 || sparesLeft.length === 0 ? "NothingToPromote" : undefined;
}

/** The error of a call that needs a status (A7, A8). */
export function statusError(facts: JobFacts, now: number, required: JobStatus): string | undefined {
  if (facts.settled !== undefined) return "JobNotOpen";
  return statusAt(facts, now).status === required ? undefined : "WrongStatus";
}

/** Why an opening is skipped; `undefined` when it counts. */
export function openingFault(
  facts: JobFacts,
  opened: ReadonlySet<number>,
  { place }: Opening,
  isRight: boolean,
): number | undefined {
  if (place >= facts.terms.places.length) return OpeningFault.NoSuchPlace;
  if (!facts.committed.includes(place)) return OpeningFault.NotCommitted;
  if (opened.has(place)) return OpeningFault.AlreadyOpened;
  return isRight ? undefined : OpeningFault.WrongOpening;
}

/** Every balance and standing as core predicts them. */
export class Model {
  readonly balances: Map<string, Balance> = new Map<string, Balance>();
  readonly standings: Map<string, Standing> = new Map<string, Standing>();
  burnt = 0n;
  quarantine = 0n;
  /** Of open jobs. */
  escrow = 0n;

  constructor(accounts: Readonly<Record<string, Balance>>) {
    for (const [owner, balance] of Object.entries(accounts)) this.balances.set(owner.toLowerCase(), { ...balance });
  }

  balance(owner: string): Balance {
    const found = this.balances.get(owner.toLowerCase()) ?? { free: 0n, locked: 0n };
    this.balances.set(owner.toLowerCase(), found);
    return found;
  }

  standing(owner: string): Standing {
    return this.standings.get(owner.toLowerCase()) ?? unknownStanding;
  }

  open({ terms }: JobFacts): void {
    this.balance(terms.requester).free -= escrowOf(terms);
    this.escrow += escrowOf(terms);
    for (const { provider } of terms.places) {
      this.balance(provider).free -= terms.bond;
      this.balance(provider).locked += terms.bond;
    }
  }

  decline({ terms }: JobFacts, place: number): void {
    this.unlock((terms.places[place] as { provider: Hex }).provider, terms.bond);
  }

  settle(facts: JobFacts, carrier: string, now: number): Settlement {
    const { terms } = facts;
    const settlement = settlementOf(facts);
    const { results, refunded, burnt, carrierFee, quarantined, forfeited } = settlement;
    this.balance(terms.requester).free += refunded;
    this.balance(carrier).free += carrierFee;
    this.burnt += burnt;
    this.escrow -= escrowOf(terms);
    this.quarantine += BigInt(quarantined.length) * terms.bond;
    for (const [place, { provider }] of terms.places.entries()) {
      const verdict = results[place]?.verdict ?? Verdict.None;
      if (quarantined.includes(place) || forfeited.includes(place)) this.balance(provider).locked -= terms.bond;
      else if (verdict !== Verdict.Declined) this.unlock(provider, terms.bond);
      this.balance(provider).free += results[place]?.paid ?? 0n;
      const { standing } = standingAfter(this.standing(provider), { verdict, openedAt: facts.openedAt, now });
      this.standings.set(provider.toLowerCase(), standing);
    }
    return settlement;
  }

  onProbation(owner: string, now: number): boolean {
    return onProbation(this.standing(owner), now);
  }

  private unlock(owner: string, bond: bigint): void {
    this.balance(owner).locked -= bond;
    this.balance(owner).free += bond;
  }
}

/** Whether a job is over. */
export function isOver(facts: JobFacts): boolean {
  return facts.settled !== undefined && isSettled(facts.settled.status);
}
