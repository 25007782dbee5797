import type { JobFacts } from "./facts.ts";
import { JobStatus, type Terms } from "./job.ts";

/** Facts that decide the status. */
export type StatusFacts = Pick<
  JobFacts,
  "openedAt" | "committed" | "declined" | "promotions" | "lastCommitAt" | "lastDeclineAt" | "bySet"
> & {
  readonly terms: Pick<Terms, "seats" | "spares" | "commitWindow" | "revealWindow">;
  readonly settled?: Pick<NonNullable<JobFacts["settled"]>, "status">;
};

/** Status of a job at a moment, with everything a party needs to decide what to do next. */
export type StatusView = {
  readonly status: JobStatus;
  /** R: from here on openings count and nothing returns to Committing. Unix s. */
  readonly revealAt: number;
  /** `R + revealWindow`: from here on anybody settles. Unix s. */
  readonly revealDeadline: number;
  /** Place index of the present occupant, by seat. */
  readonly occupants: readonly number[];
  /** Commit deadline of the present occupant, by seat. Unix s. */
  readonly deadlines: readonly number[];
  /** Seats whose occupant declined or is late, lowest first. */
  readonly vacant: readonly number[];
  /** Places of spares that can still be promoted, lowest first. */
  readonly sparesLeft: readonly number[];
};

/**
 * Status of a job, by the rules S0–S4 and R0–R3 of docs/protocol/lifecycle.md.
 *
 * Equals the contract's `statusOf`; of a settled job the contract keeps no times, this still tells them.
 * R is computed from facts alone: as long as no new fact lands, the status only moves forward with the clock.
 *
 * @param facts Facts of the job; `undefined` gives `None`.
 * @param now Timestamp of the block, unix s.
 */
export function statusAt(facts: StatusFacts | undefined, now: number): StatusView {
  if (facts === undefined) {
    return {
      status: JobStatus.None,
      revealAt: 0,
      revealDeadline: 0,
      occupants: [],
      deadlines: [],
      vacant: [],
      sparesLeft: [],
    };
  }
  const { occupants, deadlines } = panelOf(facts);
  const sparesLeft = facts.bySet ? [] : sparesLeftOf(facts);
  const vacant = occupants.flatMap((place, seat) => {
    if (facts.bySet || facts.committed.includes(place)) return [];
    return facts.declined.includes(place) || now >= (deadlines[seat] as number) ? [seat] : [];
  });
  const revealAt = revealStart(facts, occupants, deadlines, sparesLeft.length);
  const revealDeadline = revealAt + facts.terms.revealWindow;
  return {
    status: facts.settled?.status ?? openStatus(now, revealAt, revealDeadline),
    revealAt,
    revealDeadline,
    occupants,
    deadlines,
    vacant,
    sparesLeft,
  };
}

/**
 * Present occupant and its commit deadline, by seat.
 *
 * @param facts Facts of the job.
 */
export function panelOf(facts: Pick<StatusFacts, "openedAt" | "promotions" | "terms">): {
  readonly occupants: readonly number[];
  readonly deadlines: readonly number[];
} {
  const { seats, commitWindow } = facts.terms;
  const occupants = Array.from({ length: seats }, (_, seat) => seat);
  const deadlines = occupants.map(() => facts.openedAt + commitWindow);
  for (const { spare, seat, promotedAt } of facts.promotions) {
    occupants[seat] = spare;
    deadlines[seat] = promotedAt + commitWindow;
  }
  return { occupants, deadlines };
}

/**
 * Unix s before which a promotion must land, while seats are vacant and spares are left.
 *
 * @param facts Facts of the job.
 */
export function promotionDeadline(facts: Pick<StatusFacts, "openedAt" | "promotions" | "terms">): number {
  return Math.max(...panelOf(facts).deadlines) + Math.floor(facts.terms.commitWindow / 2);
}

/**
 * Unix s before which a place may decline: a quarter of its window, from `openedAt`, or from its promotion.
 *
 * @param facts Facts of the job.
 * @param place Index of the place.
 */
export function declineDeadline(facts: Pick<StatusFacts, "openedAt" | "promotions" | "terms">, place: number): number {
  const promotion = facts.promotions.find(({ spare }) => spare === place);
  return (promotion?.promotedAt ?? facts.openedAt) + Math.floor(facts.terms.commitWindow / 4);
}

function sparesLeftOf({ terms, promotions, declined }: StatusFacts): number[] {
  const used = new Set(promotions.map(({ spare }) => spare));
  return Array.from({ length: terms.spares }, (_, index) => terms.seats + index).filter(
    (place) => !used.has(place) && !declined.includes(place),
  );
}

function revealStart(
  facts: StatusFacts,
  occupants: readonly number[],
  deadlines: readonly number[],
  sparesLeft: number,
): number {
  const { committed, declined, lastCommitAt, lastDeclineAt, terms } = facts;
  // R0, R1
  if (facts.bySet || occupants.every((place) => committed.includes(place))) return lastCommitAt;
  // R2
  if (sparesLeft === 0) {
    const undecided = deadlines.filter((_, seat) => {
      const place = occupants[seat] as number;
      return !committed.includes(place) && !declined.includes(place);
    });
    return Math.max(lastDeclineAt, lastCommitAt, ...undecided);
  }
  // R3
  return Math.max(...deadlines) + Math.floor(terms.commitWindow / 2);
}

function openStatus(now: number, revealAt: number, revealDeadline: number): JobStatus {
  if (now < revealAt) return JobStatus.Committing;
  return now < revealDeadline ? JobStatus.Revealing : JobStatus.Settleable;
}

/**
 * Tells whether a status is final.
 *
 * @param status Status of a job.
 */
export function isSettled(status: JobStatus): boolean {
  return status === JobStatus.Accepted || status === JobStatus.Inconclusive;
}
