// Facts of a job, its status, and what they come to: rows S0 to S4, R0 to R3 and M1 to M12 of lifecycle.md.
import type { Hex, PlacedCommitment, Request, Terms } from "@quorate/core";
import { Verdict } from "./standing.ts";
import { type Address, ZERO_HASH } from "./types.ts";

/** The order of the contract's enum. */
export const Status = { None: 0, Committing: 1, Revealing: 2, Settleable: 3, Accepted: 4, Inconclusive: 5 } as const;
export type Status = (typeof Status)[keyof typeof Status];
/** What is recorded about a job. */
export const Phase = { None: 0, Open: 1, Accepted: 2, Inconclusive: 3 } as const;

/** Flags of a request. */
export const Flag = { AcceptProbation: 1, SetVotes: 2 } as const;

/** What a vote is. */
export const Class = { Ok: 0, Failed: 1, Report: 2, Malformed: 3 } as const;
export type Class = (typeof Class)[keyof typeof Class];

/** A spare that holds a seat. */
export type Promotion = { readonly spare: number; readonly seat: number; readonly promotedAt: number };

/** What was opened. */
export type Vote = { readonly class: Class; readonly resultHash: Hex };

/** A set that was placed. */
export type PlacedSet = {
  /** R0. */
  readonly revealAt: number;
  /** Members that declined, or committed to something else on chain: they have committed, and can open nothing. */
  readonly voided: ReadonlySet<number>;
};

/** How a job ended. */
export type Settled = {
  readonly status: typeof Status.Accepted | typeof Status.Inconclusive;
  readonly outcome: number;
  readonly resultHash: Hex;
  /** Equal weighted votes of a majority, zero without. */
  readonly agreeing: number;
  readonly callbackPending: boolean;
};

/** A job that was opened. */
export type Job = {
  readonly jobId: Hex;
  readonly request: Request;
  readonly terms: Terms;
  readonly termsHash: Hex;
  readonly openedAt: number;
  /** Those that stand, in the order of the chain. */
  readonly commitments: readonly PlacedCommitment[];
  readonly lastCommitAt: number;
  readonly lastDeclineAt: number;
  readonly declined: ReadonlySet<number>;
  /** Those in force, in their order. */
  readonly promotions: readonly Promotion[];
  /** All that ever were: the view keeps them. */
  readonly history: readonly Promotion[];
  readonly openings: ReadonlyMap<number, Vote>;
  readonly set: PlacedSet | undefined;
  readonly settled: Settled | undefined;
};

/** What a place is for. */
export type Role = "seat" | "spare" | "shadow";

/** Seats, then spares, then shadows. */
export function roleOf({ seats, spares }: Pick<Terms, "seats" | "spares">, place: number): Role {
  if (place < seats) return "seat";
  return place < seats + spares ? "spare" : "shadow";
}

/** Places that have committed: those with a commitment that stands, and members of a set that can open nothing. */
export function committedPlaces({ commitments, set }: Job): number[] {
  return [...commitments.map(({ place }) => place), ...(set?.voided ?? [])];
}

/** Whether a place has committed. */
export function hasCommitted(job: Job, place: number): boolean {
  return committedPlaces(job).includes(place);
}

/** The place that holds each seat: its own, or the spare last promoted to it. */
export function occupants({ terms, promotions }: Job): number[] {
  const holding = Array.from({ length: terms.seats }, (_, seat) => seat);
  for (const { spare, seat } of promotions) holding[seat] = spare;
  return holding;
}

/** From when on the present window of a place runs. */
export function windowStart({ openedAt, promotions }: Job, place: number): number {
  return promotions.find(({ spare }) => spare === place)?.promotedAt ?? openedAt;
}

/** A place has to commit before. */
export function deadlineOf(job: Job, place: number): number {
  return windowStart(job, place) + job.terms.commitWindow;
}

/** Seats whose occupant declined, or has not committed at its deadline. */
export function vacantSeats(job: Job, now: number): number[] {
  return occupants(job).flatMap((place, seat) =>
    !hasCommitted(job, place) && (job.declined.has(place) || now >= deadlineOf(job, place)) ? [seat] : [],
  );
}

/** Spares that are neither used nor declined. */
export function sparesLeft({ terms, promotions, declined }: Job): number[] {
  return terms.places.flatMap((_, place) =>
    roleOf(terms, place) === "spare" && !declined.has(place) && !promotions.some(({ spare }) => spare === place)
      ? [place]
      : [],
  );
}

/** R. */
export function revealAt(job: Job): number {
  if (job.set !== undefined) return job.set.revealAt; // R0
  const holding = occupants(job);
  if (holding.every((place) => hasCommitted(job, place))) return job.lastCommitAt; // R1
  if (sparesLeft(job).length === 0) {
    // R2
    const undecided = holding.filter((place) => !hasCommitted(job, place) && !job.declined.has(place));
    return Math.max(job.lastDeclineAt, job.lastCommitAt, ...undecided.map((place) => deadlineOf(job, place)));
  }
  // R3
  return Math.max(...holding.map((place) => deadlineOf(job, place))) + Math.floor(job.terms.commitWindow / 2);
}

/** S0 to S4. */
export function statusAt(job: Job | undefined, now: number): Status {
  if (job === undefined) return Status.None;
  if (job.settled !== undefined) return job.settled.status;
  const start = revealAt(job);
  if (now < start) return Status.Committing;
  return now < start + job.terms.revealWindow ? Status.Revealing : Status.Settleable;
}

/** What is recorded. */
export function phaseOf(job: Job | undefined): number {
  if (job === undefined) return Phase.None;
  if (job.settled === undefined) return Phase.Open;
  return job.settled.status === Status.Accepted ? Phase.Accepted : Phase.Inconclusive;
}

/** How an opening counts. */
export function classOf(outcome: number, resultHash: Hex): Class {
  if (resultHash === ZERO_HASH) return outcome === 3 ? Class.Report : Class.Malformed;
  if (outcome === 1) return Class.Ok;
  return outcome === 2 ? Class.Failed : Class.Malformed;
}

/** `amount × bps / 10000`, rounded down. */
export function shareOf(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / 10_000n;
}

/** What the requester pays at `open`. */
export function escrowOf(terms: Terms): bigint {
  const priced = (role: Role): bigint[] =>
    terms.places.flatMap(({ price }, place) => (roleOf(terms, place) === role ? [price] : []));
  const highest = [...priced("seat"), ...priced("spare")].reduce((most, price) => (price > most ? price : most), 0n);
  const standby = priced("spare").reduce((sum, price) => sum + shareOf(price, terms.standbyBps), 0n);
  const shadows = priced("shadow").reduce((sum, price) => sum + price, 0n);
  return BigInt(terms.seats) * highest + shadows + standby + terms.carrierFee;
}

/** What becomes of the bond of a place. */
export type BondFate = "returned" | "returned before" | "quarantined" | "burnt";

/** How one place came out. */
export type PlaceOutcome = {
  readonly provider: Address;
  readonly verdict: Verdict;
  readonly paid: bigint;
  readonly bond: BondFate;
};

/** What a settlement comes to. */
export type Settlement = Omit<Settled, "callbackPending"> & { readonly places: readonly PlaceOutcome[] };

/** M1 to M12. */
export function settlementOf(job: Job): Settlement {
  const { terms, openings } = job;
  const weighted = occupants(job).flatMap((place) => openings.get(place) ?? []);
  const equal = (vote: Vote): number =>
    weighted.filter((other) => other.class === vote.class && other.resultHash === vote.resultHash).length;
  const majority = weighted.find((vote) => vote.class !== Class.Malformed && 2 * equal(vote) > terms.seats);
  const agreeing = majority === undefined ? 0 : equal(majority);
  const accepted = agreeing >= terms.quorum ? majority : undefined;
  const isComputed = (vote: Vote | undefined): boolean => vote?.class === Class.Ok || vote?.class === Class.Failed;

  const hasSets = (terms.flags & Flag.SetVotes) !== 0;

  const judge = (place: number, price: bigint): { verdict: Verdict; paid: bigint; bond: BondFate } => {
    const callout = shareOf(price, terms.calloutBps);
    const vote = openings.get(place);
    if (vote === undefined) {
      if (job.declined.has(place))
        return { verdict: Verdict.Declined, paid: 0n, bond: hasSets ? "returned" : "returned before" }; // M9
      const role = roleOf(terms, place);
      const isPromoted = job.promotions.some(({ spare }) => spare === place);
      if (role === "spare" && !isPromoted) {
        return { verdict: Verdict.Standby, paid: shareOf(price, terms.standbyBps), bond: "returned" }; // M11
      }
      if (role === "shadow" && !hasCommitted(job, place)) return { verdict: Verdict.None, paid: 0n, bond: "returned" }; // M12
      return { verdict: Verdict.Late, paid: 0n, bond: openings.size > 0 ? "burnt" : "returned" }; // M10
    }
    if (vote.class === Class.Malformed) return { verdict: Verdict.Reported, paid: 0n, bond: "returned" }; // M8
    if (vote.class === Class.Report) {
      const paid = accepted?.class === Class.Report ? callout : 0n; // M2, else M4, M8
      return { verdict: Verdict.Reported, paid, bond: "returned" };
    }
    const agrees = vote.class === majority?.class && vote.resultHash === majority.resultHash;
    if (isComputed(majority) && !agrees && terms.bond > 0n) {
      return { verdict: Verdict.Fault, paid: 0n, bond: "quarantined" }; // M5
    }
    if (isComputed(accepted)) {
      return agrees
        ? { verdict: Verdict.Aligned, paid: price, bond: "returned" } // M1
        : { verdict: Verdict.Dissent, paid: 0n, bond: "returned" }; // M6
    }
    if (accepted !== undefined) return { verdict: Verdict.Overruled, paid: callout, bond: "returned" }; // M3
    return { verdict: Verdict.Undecided, paid: callout, bond: "returned" }; // M7
  };

  return {
    status: accepted === undefined ? Status.Inconclusive : Status.Accepted,
    outcome: accepted === undefined ? 0 : accepted.class + 1,
    resultHash: accepted?.resultHash ?? ZERO_HASH,
    agreeing,
    places: terms.places.map(({ provider, price }, place) => ({
      provider: provider.toLowerCase() as Address,
      ...judge(place, price),
    })),
  };
}
