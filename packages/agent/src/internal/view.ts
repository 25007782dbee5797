import { type JobFacts, roleOfPlace, type StatusView, type Terms } from "@quorate/core";
import type { Effect, MarketCall } from "./effects.ts";
import type { TransactionDuty } from "./journal-entry.ts";
import { type Duty, turnOf } from "./rotation.ts";
import type { JobState, ReducerSettings } from "./state.ts";

/** A job with what is known at the three horizons; everything below reads it. */
export type View = {
  readonly job: JobState;
  readonly settings: ReducerSettings;
  /** Timestamp of the newest block. */
  readonly now: number;
  readonly facts: JobFacts;
  readonly status: StatusView;
  readonly terms: Terms;
  readonly own: number;
  /** Facts and status with the policy's confirmations. */
  readonly confirmed?: { readonly facts: JobFacts; readonly status: StatusView };
  /** Facts and status that are final. */
  readonly final?: { readonly facts: JobFacts; readonly status: StatusView };
};

/** Attempts of one duty of one job; more would only burn gas. */
export const MAX_ATTEMPTS = 8;

/** What nobody leaves to others: its seat's time, its pay, and the set under which it shows its opening. */
const selfish: ReadonlySet<Duty> = new Set(["settlement", "promotion", "reveal-set"]);

/**
 * Whether it is this place's turn to do something for all.
 *
 * @param view The job.
 * @param duty What is to be done.
 * @param places Places that may do it.
 * @param since Unix s at which it arose.
 */
export function isTurn(
  { settings, job, own, now, terms }: View,
  duty: Duty,
  places: readonly number[],
  since: number,
): boolean {
  if (settings.carrying.mode === "never" && !selfish.has(duty)) return false;
  const shortest = Math.min(terms.commitWindow, terms.revealWindow);
  // In a short window, patience must not eat the time that the fallback needs.
  const patienceSeconds = Math.min(settings.carrying.patienceSeconds, Math.max(1, Math.floor(shortest / 16)));
  const turn = turnOf({ jobId: job.jobId, duty, places, own, since, patienceSeconds });
  return turn !== undefined && now >= turn;
}

/**
 * A transaction that is wanted, unless one is on its way or the last one ended a moment ago.
 *
 * @param view The job.
 * @param duty What it is for; each has one transaction at a time.
 * @param validUntil Unix s from which on it is of no use.
 * @param call What to send.
 */
export function transact(
  { job, now, settings }: View,
  duty: TransactionDuty,
  validUntil: number,
  call: MarketCall,
): Effect[] {
  const last = job.transactions[duty];
  if (last?.state === "pending") return [];
  const attempt = (last?.attempt ?? 0) + 1;
  if (attempt > MAX_ATTEMPTS) return [];
  // After an end the chain needs a moment to show what the call did.
  if (last !== undefined && now < last.at + Math.min(settings.carrying.patienceSeconds, (validUntil - last.at) / 8))
    return [];
  return [
    { type: "transact", jobId: job.jobId, key: `${job.jobId}/${duty}/${attempt}`, duty, attempt, validUntil, call },
  ];
}

/**
 * How long a carrier waits for shadows once it has every weighted commitment, seconds. The chain does not wait for them: a
 * shadow that needs a moment longer than the seats could never show that it agrees.
 *
 * @param view The job.
 * @param known Commitments by place.
 */
export function shadowPatience({ facts, settings, terms }: View, known: Readonly<Record<number, unknown>>): number {
  const isMissing = terms.places.some(
    (_, place) =>
      roleOfPlace(terms, place) === "shadow" &&
      !facts.committed.includes(place) &&
      !facts.declined.includes(place) &&
      known[place] === undefined,
  );
  return isMissing ? Math.min(settings.carrying.patienceSeconds, Math.floor(terms.commitWindow / 8)) : 0;
}
