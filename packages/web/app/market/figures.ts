import { escrowOf, Flag, type JobFacts, JobStatus } from "@quorate/core";
import type { Address } from "viem";
import type { MarketModel } from "./model.ts";

/** What the market did so far, counted from its events. */
export type MarketFigures = {
  readonly jobs: {
    readonly opened: number;
    readonly open: number;
    readonly accepted: number;
    readonly inconclusive: number;
  };
  readonly questions: {
    readonly asked: number;
    readonly pending: number;
    readonly answered: number;
    readonly expired: number;
  };
};

/**
 * Counts jobs and questions.
 *
 * @param model - The market.
 */
export function figuresOf({ jobs, questions }: Pick<MarketModel, "jobs" | "questions">): MarketFigures {
  const all = [...jobs.values()];
  const settled = all.flatMap(({ facts }) => facts.settled ?? []);
  const accepted = settled.filter(({ status }) => status === JobStatus.Accepted).length;
  const ends = [...questions.values()].map(({ end }) => end?.kind);
  const answered = ends.filter((kind) => kind === "answered").length;
  const expired = ends.filter((kind) => kind === "expired").length;
  return {
    jobs: {
      opened: all.length,
      open: all.length - settled.length,
      accepted,
      inconclusive: settled.length - accepted,
    },
    questions: { asked: ends.length, pending: ends.length - answered - expired, answered, expired },
  };
}

/** Money of one token in the market, base units. */
export type MoneyFigures = {
  /** To places of settled jobs, and to those who carried settlements. */
  readonly paidForJobs: bigint;
  readonly paidForAnswers: bigint;
  /** Of open jobs and pending questions. */
  readonly inEscrow: bigint;
  /** Of the same. */
  readonly inBonds: bigint;
};

/**
 * Adds up the money of one token.
 *
 * @param model - The market.
 * @param token - Its address.
 */
export function moneyOf({ jobs, questions }: Pick<MarketModel, "jobs" | "questions">, token: Address): MoneyFigures {
  const key = token.toLowerCase();
  let paidForJobs = 0n;
  let paidForAnswers = 0n;
  let inEscrow = 0n;
  let inBonds = 0n;
  for (const { facts } of jobs.values()) {
    if (facts.terms.token.toLowerCase() !== key) continue;
    if (facts.settled === undefined) {
      inEscrow += escrowOf(facts.terms);
      inBonds += facts.terms.bond * BigInt(lockedPlaces(facts));
    } else paidForJobs += paidIn(facts);
  }
  for (const { quote, end } of questions.values()) {
    if (quote.token.toLowerCase() !== key) continue;
    if (end === undefined) {
      inEscrow += quote.price;
      inBonds += quote.bond;
    } else if (end.kind === "answered") paidForAnswers += quote.price;
  }
  return { paidForJobs, paidForAnswers, inEscrow, inBonds };
}

/** What a settled job paid to its places and its carrier, base units. */
export function paidIn({ settled, terms }: JobFacts): bigint {
  if (settled === undefined) return 0n;
  return settled.results.reduce((sum, { paid }) => sum + paid, terms.carrierFee);
}

/** Places whose bond an open job still locks: a decline frees it at once, but in jobs whose votes come as a set. */
function lockedPlaces({ terms, declined }: JobFacts): number {
  const keepsDeclined = (terms.flags & Flag.SetVotes) !== 0;
  return keepsDeclined ? terms.places.length : terms.places.length - declined.length;
}

/** A span of time that a chart counts in. */
export type Bucket = {
  /** Seconds. */
  readonly size: number;
  /** One of them, in words. */
  readonly name: string;
};

const buckets: readonly Bucket[] = [
  { size: 60, name: "minute" },
  { size: 300, name: "5 minutes" },
  { size: 900, name: "15 minutes" },
  { size: 3_600, name: "hour" },
  { size: 21_600, name: "6 hours" },
  { size: 86_400, name: "day" },
  { size: 604_800, name: "week" },
  { size: 2_592_000, name: "30 days" },
];
const MOST_BUCKETS = 36;

/**
 * The finest bucket that divides a span into few enough bars.
 *
 * @param from - Unix s.
 * @param to - Unix s.
 */
export function bucketFor(from: number, to: number): Bucket {
  const span = Math.max(0, to - from);
  return buckets.find(({ size }) => span / size <= MOST_BUCKETS) ?? (buckets.at(-1) as Bucket);
}

/** One bar's piece of a chart over time. */
export type Counted<Series extends string> = {
  /** Start of the bucket, unix s. */
  readonly at: number;
  readonly series: Series;
  readonly value: number;
};

/**
 * Adds up events by bucket and series; empty buckets are left out.
 *
 * @param events - Time (unix s), series, and what each adds.
 * @param size - Of the bucket, seconds.
 */
export function countBy<Series extends string>(
  events: readonly { readonly at: number; readonly series: Series; readonly value: number }[],
  size: number,
): readonly Counted<Series>[] {
  const sums = new Map<string, Counted<Series>>();
  for (const { at, series, value } of events) {
    const start = Math.floor(at / size) * size;
    const key = `${start}/${series}`;
    sums.set(key, { at: start, series, value: (sums.get(key)?.value ?? 0) + value });
  }
  return [...sums.values()].sort((a, b) => a.at - b.at);
}

/** How a job stands for a chart. */
export type JobOutcome = "accepted" | "inconclusive" | "open";

/**
 * Jobs by the time of their opening and how they came out.
 *
 * @param model - The market.
 */
export function jobOutcomes({ jobs }: Pick<MarketModel, "jobs">): { at: number; series: JobOutcome; value: number }[] {
  return [...jobs.values()].map(({ facts }) => ({ at: facts.openedAt, series: outcomeOf(facts), value: 1 }));
}

function outcomeOf({ settled }: JobFacts): JobOutcome {
  if (settled === undefined) return "open";
  return settled.status === JobStatus.Accepted ? "accepted" : "inconclusive";
}

/**
 * Payments in one token, in display units: charts draw numbers.
 *
 * @param model - The market.
 * @param token - Its address.
 * @param decimals - Its digits.
 */
export function payments(
  { jobs, questions }: Pick<MarketModel, "jobs" | "questions">,
  token: Address,
  decimals: number,
): { at: number; series: "jobs" | "answers"; value: number }[] {
  const key = token.toLowerCase();
  const unit = 10 ** decimals;
  const forJobs = [...jobs.values()].flatMap(({ facts }) =>
    facts.settled === undefined || facts.terms.token.toLowerCase() !== key
      ? []
      : [{ at: facts.settled.settledAt, series: "jobs" as const, value: Number(paidIn(facts)) / unit }],
  );
  const forAnswers = [...questions.values()].flatMap(({ quote, end }) =>
    end?.kind !== "answered" || quote.token.toLowerCase() !== key
      ? []
      : [{ at: end.at, series: "answers" as const, value: Number(quote.price) / unit }],
  );
  return [...forJobs, ...forAnswers];
}
