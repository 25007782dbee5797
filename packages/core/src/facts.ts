import type { Address, Hex } from "viem";
import { FatalError } from "./errors.ts";
import {
  JobStatus,
  type Place,
  type PlacedCommitment,
  type PlaceResult,
  type Request,
  type Terms,
  ZERO_HASH,
} from "./job.ts";
import { statusAt } from "./status.ts";
import { termsOf } from "./terms.ts";

/** A spare that took a seat. */
export type Promotion = {
  /** Place of the spare. */
  readonly spare: number;
  /** Seat that it took. */
  readonly seat: number;
  /** Unix s. */
  readonly promotedAt: number;
};

/** An opening as the contract classed it. */
export type RevealedOpening = {
  readonly place: number;
  readonly outcome: number;
  readonly resultHash: Hex;
};

/** How a job was settled. */
export type SettledFacts = {
  readonly status: JobStatus;
  /** Accepted outcome, zero if inconclusive. */
  readonly outcome: number;
  /** Accepted result hash, zero if there is none. */
  readonly resultHash: Hex;
  /** Account whose call settled. */
  readonly carrier: Address;
  /** Returned to the requester, base units. */
  readonly refunded: bigint;
  /** Base units. */
  readonly burnt: bigint;
  /** By place. */
  readonly results: readonly PlaceResult[];
  /** Unix s. */
  readonly settledAt: number;
  /** Whether the callback of the request succeeded when it was last called; absent if there is none. */
  readonly callbackSucceeded?: boolean;
};

/** Everything that decides status and money of an open job. */
export type JobFacts = {
  readonly jobId: Hex;
  readonly request: Request;
  readonly terms: Terms;
  /** By place. */
  readonly keyWraps: readonly Hex[];
  /** Unix s. */
  readonly openedAt: number;
  /** In the order of landing, those of a set in the order of places; the list that `reveal` brings. */
  readonly commitments: readonly PlacedCommitment[];
  /** Places with a commitment, in the order of landing. */
  readonly committed: readonly number[];
  /** Places that declined, in the order of declining. */
  readonly declined: readonly number[];
  /** In the order of promotion. */
  readonly promotions: readonly Promotion[];
  /** Latest commitment of a weighted seat, unix s; zero before the first. */
  readonly lastCommitAt: number;
  /** Latest decline of a seat or spare, unix s; zero before the first. Declines of shadows move nothing. */
  readonly lastDeclineAt: number;
  /** In the order of opening. */
  readonly openings: readonly RevealedOpening[];
  /** A signed set gave the commitments: nobody commits and no spare is promoted any more. */
  readonly bySet: boolean;
  /** Absent while the job is open. */
  readonly settled?: SettledFacts;
};

type EventOf<Name extends string, Args> = {
  readonly eventName: Name;
  readonly args: Args;
  /** Timestamp of the block that carries the event, unix s. */
  readonly timestamp: number;
};

/** An event of an open job as viem decodes it, with the time of its block. */
export type JobEvent =
  | EventOf<
      "JobOpened",
      {
        readonly jobId: Hex;
        readonly requester: Address;
        readonly request: Request;
        readonly spares: number;
        readonly places: readonly Place[];
        readonly keyWraps: readonly Hex[];
      }
    >
  | EventOf<"CommitmentPlaced", { readonly jobId: Hex; readonly place: number; readonly commitment: Hex }>
  | EventOf<"CommitmentSkipped", { readonly jobId: Hex; readonly place: number; readonly cause: number }>
  | EventOf<"SeatDeclined", { readonly jobId: Hex; readonly provider: Address; readonly place: number }>
  | EventOf<
      "SparePromoted",
      {
        readonly jobId: Hex;
        readonly provider: Address;
        readonly spare: number;
        readonly seat: number;
        readonly deadline: number;
      }
    >
  | EventOf<
      "CommitmentOpened",
      {
        readonly jobId: Hex;
        readonly place: number;
        readonly outcome: number;
        readonly resultHash: Hex;
        readonly salt: Hex;
      }
    >
  | EventOf<
      "CommitmentSetPlaced",
      { readonly jobId: Hex; readonly commitments: readonly Hex[]; readonly voided: number }
    >
  | EventOf<"CallbackCalled", { readonly jobId: Hex; readonly callback: Address; readonly success: boolean }>
  | EventOf<"OpeningSkipped", { readonly jobId: Hex; readonly place: number; readonly cause: number }>
  | EventOf<
      "JobSettled",
      {
        readonly jobId: Hex;
        readonly status: number;
        readonly outcome: number;
        readonly resultHash: Hex;
        readonly carrier: Address;
        readonly refunded: bigint;
        readonly burnt: bigint;
        readonly results: readonly { readonly verdict: number; readonly paid: bigint }[];
      }
    >;

const names: Readonly<Record<JobEvent["eventName"], true>> = {
  JobOpened: true,
  CommitmentPlaced: true,
  CommitmentSkipped: true,
  SeatDeclined: true,
  SparePromoted: true,
  CommitmentSetPlaced: true,
  CommitmentOpened: true,
  OpeningSkipped: true,
  JobSettled: true,
  CallbackCalled: true,
};

/**
 * Tells whether an event of the market is one that {@link foldJobEvent} takes.
 *
 * @param name Name of the event.
 */
export function isJobEventName(name: string): name is JobEvent["eventName"] {
  return Object.hasOwn(names, name);
}

/**
 * Folds one event of a job into its facts. Events come in the order of the chain, each once.
 *
 * @param facts Facts so far; `undefined` before `JobOpened`.
 * @param event Next event of this job.
 * @returns New facts; the given ones stay as they are.
 * @throws FatalError `JOB_EVENT_OUT_OF_ORDER` when the event cannot follow: the history has a gap or repeats itself.
 */
export function foldJobEvent(facts: JobFacts | undefined, event: JobEvent): JobFacts {
  if (event.eventName === "JobOpened") {
    if (facts !== undefined) return outOfOrder(event, "the job is open already");
    return {
      jobId: event.args.jobId,
      request: event.args.request,
      terms: termsOf(event.args.request, event.args.spares, event.args.places),
      keyWraps: event.args.keyWraps,
      openedAt: event.timestamp,
      commitments: [],
      committed: [],
      declined: [],
      promotions: [],
      lastCommitAt: 0,
      lastDeclineAt: 0,
      openings: [],
      bySet: false,
    };
  }
  if (facts === undefined) return outOfOrder(event, "the job has not been opened");
  if (facts.jobId !== event.args.jobId) return outOfOrder(event, "it belongs to another job");
  if (event.eventName === "CallbackCalled") {
    if (facts.settled === undefined) return outOfOrder(event, "the job is not settled");
    return { ...facts, settled: { ...facts.settled, callbackSucceeded: event.args.success } };
  }
  if (facts.settled !== undefined) return outOfOrder(event, "the job is settled");
  return foldOpenJob(facts, event);
}

function foldOpenJob(
  facts: JobFacts,
  event: Exclude<JobEvent, { eventName: "JobOpened" | "CallbackCalled" }>,
): JobFacts {
  const { timestamp } = event;
  switch (event.eventName) {
    case "CommitmentPlaced": {
      const { place, commitment } = event.args;
      if (facts.committed.includes(place)) return outOfOrder(event, `place ${place} has committed`);
      return {
        ...facts,
        commitments: [...facts.commitments, { place, commitment }],
        committed: [...facts.committed, place],
        lastCommitAt: hasWeight(facts, place) ? timestamp : facts.lastCommitAt,
      };
    }
    case "SeatDeclined": {
      const { place } = event.args;
      if (facts.declined.includes(place)) return outOfOrder(event, `place ${place} has declined`);
      return {
        ...facts,
        declined: [...facts.declined, place],
        lastDeclineAt: hasWeight(facts, place) ? timestamp : facts.lastDeclineAt,
      };
    }
    case "SparePromoted": {
      const { spare, seat } = event.args;
      if (facts.promotions.some((promotion) => promotion.spare === spare)) {
        return outOfOrder(event, `spare ${spare} was promoted`);
      }
      return { ...facts, promotions: [...facts.promotions, { spare, seat, promotedAt: timestamp }] };
    }
    case "CommitmentSetPlaced": {
      if (facts.bySet) return outOfOrder(event, "a set was placed");
      const { status, revealAt } = statusAt(facts, timestamp);
      const commitments = event.args.commitments.flatMap((commitment, place) =>
        commitment === ZERO_HASH ? [] : [{ place, commitment }],
      );
      const standing = commitments.map(({ place }) => place);
      const voided = event.args.commitments
        .map((_, place) => place)
        .filter((place) => (event.args.voided >> place) & 1);
      return {
        ...facts,
        bySet: true,
        commitments,
        committed: [...standing, ...voided].sort((a, b) => a - b),
        declined: facts.declined.filter((place) => !voided.includes(place)),
        promotions: [],
        openings: facts.openings.filter(({ place }) => standing.includes(place)),
        lastCommitAt: status === JobStatus.Committing ? timestamp : revealAt,
      };
    }
    case "CommitmentOpened": {
      const { place, outcome, resultHash } = event.args;
      if (facts.openings.some((opening) => opening.place === place)) {
        return outOfOrder(event, `place ${place} has opened`);
      }
      return { ...facts, openings: [...facts.openings, { place, outcome, resultHash }] };
    }
    case "JobSettled": {
      const { status, outcome, resultHash, carrier, refunded, burnt, results } = event.args;
      return {
        ...facts,
        settled: {
          status: status as JobStatus,
          outcome,
          resultHash,
          carrier,
          refunded,
          burnt,
          results: results as readonly PlaceResult[],
          settledAt: timestamp,
        },
      };
    }
    case "CommitmentSkipped":
    case "OpeningSkipped":
      return facts;
    default:
      return event satisfies never;
  }
}

/** Shadows decide nothing; an unused spare cannot commit. */
function hasWeight({ terms }: JobFacts, place: number): boolean {
  return place < terms.seats + terms.spares;
}

function outOfOrder(event: JobEvent, why: string): never {
  throw new FatalError(
    "JOB_EVENT_OUT_OF_ORDER",
    `${event.eventName} of job ${event.args.jobId} cannot follow: ${why}. Read the job's events again from its opening.`,
    { details: { eventName: event.eventName, jobId: event.args.jobId } },
  );
}
