import {
  escrowOf,
  type JobFacts,
  JobStatus,
  type PlaceRole,
  roleOfPlace,
  type StatusView,
  statusAt,
  type Terms,
  tallyOf,
  type Verdict,
  type VoteCount,
} from "@quorate/core";
import type { Address, Hex } from "viem";

/** Where one place of the panel stands. */
export type SeatState =
  /** Has to commit before its deadline. */
  | "waiting"
  /** A spare that is not needed so far. */
  | "standby"
  | "committed"
  | "declined"
  /** Did not commit before its deadline. */
  | "late"
  /** Its seat was given to a spare. */
  | "replaced"
  | "opened"
  /** A shadow that had not committed when revealing began. */
  | "released";

/** One place of the panel. */
export type SeatView = {
  readonly place: number;
  readonly provider: Address;
  /** Base units. */
  readonly price: bigint;
  readonly role: PlaceRole;
  /** Weighted seat that it holds now. */
  readonly seat?: number;
  readonly state: SeatState;
  /** Commit deadline, unix s of the chain, for those that hold a seat. */
  readonly deadline?: number;
  /** Once opened. */
  readonly outcome?: number;
  /** Once opened. */
  readonly resultHash?: Hex;
  /** Once settled. */
  readonly verdict?: Verdict;
  /** Compensation, base units, once settled. */
  readonly paid?: bigint;
};

/** What relays hold for a job, as far as it is readable without the package. */
export type MessageView = {
  readonly offers: number;
  /** Places whose commitment lies on a relay. */
  readonly commitments: readonly number[];
  /** Places whose opening lies on a relay. */
  readonly openings: readonly number[];
  /** Places that say that they delivered. */
  readonly deliveries: readonly number[];
};

/** What the requester did, or tried, in place of others. */
export type HelpView = {
  readonly action: "carry-commitments" | "promote" | "carry-openings" | "settle";
  readonly state: "sent" | "failed";
  /** Transaction, when sent. */
  readonly hash?: Hex;
  /** Why it failed, in words. */
  readonly reason?: string;
};

/** Names of statuses for people and JSON. */
export const statusNames = ["none", "committing", "revealing", "settleable", "accepted", "inconclusive"] as const;

/** A job as its requester sees it at one block. */
export type JobView = {
  readonly jobId: Hex;
  readonly status: JobStatus;
  readonly statusName: (typeof statusNames)[number];
  /** All times are compared with this block's. */
  readonly head: { readonly number: number; readonly timestamp: number };
  readonly terms?: Terms;
  /** Unix s. */
  readonly openedAt?: number;
  /** Unix s. */
  readonly revealAt?: number;
  /** Unix s. */
  readonly revealDeadline?: number;
  readonly panel: readonly SeatView[];
  /** Seats that a spare could take. */
  readonly vacant: readonly number[];
  /** Places of spares that are left. */
  readonly sparesLeft: readonly number[];
  /** Weighted votes, most first. */
  readonly tally: readonly VoteCount[];
  readonly money: {
    /** Base units. */
    readonly escrow: bigint;
    /** Once settled, base units. */
    readonly refunded?: bigint;
    /** Once settled, base units. */
    readonly burnt?: bigint;
    /** Once settled: all compensation together, base units. */
    readonly paid?: bigint;
  };
  readonly messages: MessageView;
  /** Newest last. */
  readonly help: readonly HelpView[];
};

/**
 * Puts a job's view together from facts, time of the chain, and messages.
 *
 * @param input What is known.
 */
export function jobViewOf(input: {
  readonly jobId: Hex;
  readonly facts: JobFacts | undefined;
  readonly head: JobView["head"];
  readonly messages: MessageView;
  readonly help: readonly HelpView[];
}): JobView {
  const { jobId, facts, head, messages, help } = input;
  const status = statusAt(facts, head.timestamp);
  const common = {
    jobId,
    status: status.status,
    statusName: statusNames[status.status],
    head,
    vacant: status.vacant,
    sparesLeft: status.sparesLeft,
    messages,
    help,
  };
  if (facts === undefined) return { ...common, panel: [], tally: [], money: { escrow: 0n } };
  const { settled } = facts;
  return {
    ...common,
    terms: facts.terms,
    openedAt: facts.openedAt,
    revealAt: status.revealAt,
    revealDeadline: status.revealDeadline,
    panel: facts.terms.places.map((_, place) => seatViewOf(place, facts, status, head.timestamp)),
    tally: tallyOf(facts),
    money: {
      escrow: escrowOf(facts.terms),
      ...(settled === undefined
        ? {}
        : {
            refunded: settled.refunded,
            burnt: settled.burnt,
            paid: settled.results.reduce((sum, { paid }) => sum + paid, 0n),
          }),
    },
  };
}

function seatViewOf(place: number, facts: JobFacts, status: StatusView, now: number): SeatView {
  const { provider, price } = facts.terms.places[place] as Terms["places"][number];
  const role = roleOfPlace(facts.terms, place);
  const seat = status.occupants.indexOf(place);
  const opening = facts.openings.find((item) => item.place === place);
  const result = facts.settled?.results[place];
  const deadline = status.deadlines[seat];
  return {
    place,
    provider,
    price,
    role,
    state: seatStateOf({ place, role, seat, deadline }, facts, status, now),
    ...(seat === -1 ? {} : { seat }),
    ...(deadline === undefined ? {} : { deadline }),
    ...(opening === undefined ? {} : { outcome: opening.outcome, resultHash: opening.resultHash }),
    ...(result === undefined ? {} : { verdict: result.verdict, paid: result.paid }),
  };
}

function seatStateOf(
  at: {
    readonly place: number;
    readonly role: PlaceRole;
    readonly seat: number;
    readonly deadline: number | undefined;
  },
  facts: JobFacts,
  status: StatusView,
  now: number,
): SeatState {
  const { place, role, seat, deadline } = at;
  if (facts.declined.includes(place)) return "declined";
  if (facts.openings.some((opening) => opening.place === place)) return "opened";
  if (facts.committed.includes(place)) return "committed";
  if (role === "shadow") return status.status === JobStatus.Committing ? "waiting" : "released";
  if (seat === -1) return role === "spare" && !wasPromoted(place, facts) ? "standby" : "replaced";
  // After the settlement the clock says nothing any more: whoever has not committed by then was late.
  if (facts.settled !== undefined || (deadline !== undefined && now >= deadline)) return "late";
  return "waiting";
}

function wasPromoted(place: number, facts: JobFacts): boolean {
  return facts.promotions.some(({ spare }) => spare === place);
}

/**
 * Tells whether two views differ in anything but the block.
 *
 * @param a One.
 * @param b Other.
 */
export function sameView(a: JobView, b: JobView): boolean {
  const text = ({ head: _head, ...view }: JobView): string =>
    JSON.stringify(view, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
  return text(a) === text(b);
}
