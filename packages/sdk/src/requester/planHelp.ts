import {
  type CarriedCommitment,
  Flag,
  type JobFacts,
  JobStatus,
  type Opening,
  promotionDeadline,
  roleOfPlace,
  statusAt,
} from "@quorate/core";
import type { SelfHelp } from "./context.ts";

/** Something the requester can do for a job in place of others. */
export type HelpPlan =
  | { readonly action: "carry-commitments"; readonly commitments: readonly CarriedCommitment[] }
  | { readonly action: "promote" }
  | { readonly action: "carry-openings"; readonly openings: readonly Opening[] }
  | { readonly action: "settle" };

/** Longest wait before the requester settles in place of those who earn the carrier fee, seconds. */
const MAX_SETTLE_GRACE_S = 300;

/**
 * What the requester should do now in place of others: nothing while there is time for them, something once half of the
 * window is over.
 *
 * @param input Facts, time of the chain (unix s), verified messages, mode.
 * @returns The one thing to do, or undefined.
 */
export function planHelp(input: {
  readonly facts: JobFacts;
  readonly now: number;
  readonly commitments: readonly CarriedCommitment[];
  readonly openings: readonly Opening[];
  readonly mode: SelfHelp;
}): HelpPlan | undefined {
  const { facts, now, mode } = input;
  if (mode === "off" || facts.settled !== undefined) return undefined;
  const always = mode === "always";
  const status = statusAt(facts, now);
  const { commitWindow, revealWindow } = facts.terms;
  switch (status.status) {
    case JobStatus.Committing: {
      const open = input.commitments.filter(({ place }) => canStillCommit(place, facts, status, now));
      const isDue = open.some(({ place }) => {
        const deadline = status.deadlines[status.occupants.indexOf(place)] ?? facts.openedAt + commitWindow;
        return 2 * (deadline - now) <= commitWindow;
      });
      // One that is due takes the others along: a carried commitment costs little more than none.
      // Where votes may come by a set, the first half of the window is for that.
      const isSetTime = (facts.request.flags & Flag.SetVotes) !== 0 && 2 * (now - facts.openedAt) < commitWindow;
      if (open.length > 0 && ((always && !isSetTime) || isDue))
        return { action: "carry-commitments", commitments: open };
      const until = promotionDeadline(facts);
      if (status.vacant.length === 0 || status.sparesLeft.length === 0 || now >= until) return undefined;
      const vacantSince = Math.min(...status.vacant.map((seat) => vacancyBegan(seat, facts, status)));
      return always || 2 * (now - vacantSince) >= until - vacantSince ? { action: "promote" } : undefined;
    }
    case JobStatus.Revealing: {
      const openings = input.openings.filter(({ place }) => !facts.openings.some((opening) => opening.place === place));
      const isDue = 2 * (now - status.revealAt) >= revealWindow;
      return openings.length > 0 && (always || isDue) ? { action: "carry-openings", openings } : undefined;
    }
    case JobStatus.Settleable: {
      const grace = Math.min(MAX_SETTLE_GRACE_S, Math.floor(revealWindow / 2));
      return always || now >= status.revealDeadline + grace ? { action: "settle" } : undefined;
    }
    case JobStatus.None:
    case JobStatus.Accepted:
    case JobStatus.Inconclusive:
      return undefined;
    default:
      return status.status satisfies never;
  }
}

function canStillCommit(place: number, facts: JobFacts, status: ReturnType<typeof statusAt>, now: number): boolean {
  if (facts.committed.includes(place) || facts.declined.includes(place)) return false;
  if (roleOfPlace(facts.terms, place) === "shadow") return true;
  const deadline = status.deadlines[status.occupants.indexOf(place)];
  return deadline !== undefined && now < deadline;
}

function vacancyBegan(seat: number, facts: JobFacts, status: ReturnType<typeof statusAt>): number {
  const place = status.occupants[seat] as number;
  return facts.declined.includes(place) ? facts.lastDeclineAt : (status.deadlines[seat] as number);
}
