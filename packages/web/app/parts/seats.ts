import { type JobFacts, JobStatus, Outcome, type PlaceRole, roleOfPlace, Verdict } from "@quorate/core";
import { jobViewOf, type SeatState } from "@quorate/sdk";
import type { Address } from "viem";
import type { MarketJob, MarketModel } from "../market/index.ts";

/** One place that a provider had, or has, in a job. */
export type ProviderSeat = {
  readonly job: MarketJob;
  readonly place: number;
  readonly role: PlaceRole;
};

/** What the chain shows of one provider. */
export type ProviderRecord = {
  readonly provider: Address;
  /** In the order of opening. */
  readonly seats: readonly ProviderSeat[];
  /** Places of jobs that are not settled. */
  readonly open: number;
  readonly aligned: number;
  readonly faults: number;
  readonly late: number;
  readonly declined: number;
  /** Compensation of settled jobs by token (lower case), base units. */
  readonly earned: ReadonlyMap<string, bigint>;
};

/**
 * Everybody who ever had a place, with all places; by lower-case address.
 *
 * @param model - The market.
 */
export function providersOf({ jobs }: Pick<MarketModel, "jobs">): ReadonlyMap<string, ProviderRecord> {
  const records = new Map<string, ProviderRecord>();
  for (const job of jobs.values()) {
    job.facts.terms.places.forEach(({ provider }, place) => {
      const key = provider.toLowerCase();
      records.set(key, withSeat(records.get(key) ?? emptyRecord(provider), job, place));
    });
  }
  return records;
}

/**
 * A provider without a place.
 *
 * @param provider - Its account.
 */
export function emptyRecord(provider: Address): ProviderRecord {
  return { provider, seats: [], open: 0, aligned: 0, faults: 0, late: 0, declined: 0, earned: new Map() };
}

function withSeat(record: ProviderRecord, job: MarketJob, place: number): ProviderRecord {
  const { terms, settled } = job.facts;
  const seats = [...record.seats, { job, place, role: roleOfPlace(terms, place) }];
  const result = settled?.results[place];
  if (result === undefined) return { ...record, seats, open: record.open + 1 };
  const token = terms.token.toLowerCase();
  const earned = new Map(record.earned);
  if (result.paid > 0n) earned.set(token, (earned.get(token) ?? 0n) + result.paid);
  const add = (verdict: Verdict): number => (result.verdict === verdict ? 1 : 0);
  return {
    ...record,
    seats,
    aligned: record.aligned + add(Verdict.Aligned),
    faults: record.faults + add(Verdict.Fault),
    late: record.late + add(Verdict.Late),
    declined: record.declined + add(Verdict.Declined),
    earned,
  };
}

/** What became of the bond of a place. */
export type BondEnd = "locked" | "returned" | "quarantined" | "burnt";

/** How a place ended, or stands, in words. */
export type SeatEnd = {
  readonly title: string;
  readonly tone: "good" | "bad" | "warn" | "info" | "neutral";
  /** Why it was or was not paid. */
  readonly why: string;
  readonly bond: BondEnd;
  /** Base units; zero while the job is open. */
  readonly paid: bigint;
};

const openWords: Readonly<Record<SeatState, readonly [title: string, why: string]>> = {
  waiting: ["Computing", "It has to commit to an answer before its deadline."],
  standby: ["Standing by", "A spare: it computes when a seat falls vacant, else it earns the standby fee."],
  committed: ["Committed", "Its answer is fixed and not yet open."],
  declined: ["Declined", "It declined in time and is not paid."],
  late: ["Late", "It did not commit before its deadline."],
  replaced: ["Replaced", "A spare took its seat."],
  opened: ["Opened", "Its answer is open; the money moves with the settlement."],
  released: ["Released", "A shadow that computed nothing. It owes nothing."],
};

/**
 * How a place ended and why it was or was not paid, by the rows M1 to M12 of the lifecycle.
 *
 * @param facts - The job.
 * @param place - Index of the place.
 * @param now - Unix s, of the chain; for jobs that are open.
 */
export function seatEndOf(facts: JobFacts, place: number, now: number): SeatEnd {
  const { settled, openings, terms } = facts;
  const result = settled?.results[place];
  if (settled === undefined || result === undefined) {
    const state = openStateOf(facts, place, now);
    const [title, why] = openWords[state];
    const isFree = state === "declined";
    return { title, why, tone: state === "late" ? "warn" : "info", bond: isFree ? "returned" : "locked", paid: 0n };
  }
  const { verdict, paid } = result;
  const opening = openings.find((item) => item.place === place);
  const isReport = opening?.outcome === Outcome.Report;
  switch (verdict) {
    case Verdict.Aligned:
      return {
        title: "Aligned",
        tone: "good",
        why: "Its answer is the accepted one: it gets its whole price.",
        bond: "returned",
        paid,
      };
    case Verdict.Reported:
      return {
        title: "Reported",
        tone: paid > 0n ? "info" : "neutral",
        why: !isReport
          ? "What it opened was no valid answer, so it is not paid."
          : paid > 0n
            ? "It reported that the job cannot be computed, and the panel agreed: it gets the call-out fee."
            : settled.status === JobStatus.Accepted
              ? "It reported that the job cannot be computed, others computed it: it is not paid."
              : "It reported that the job cannot be computed, and no answer reached the quorum: it is not paid.",
        bond: "returned",
        paid,
      };
    case Verdict.Overruled:
      return {
        title: "Overruled",
        tone: "neutral",
        why: "It computed an answer, but the panel agreed that the job cannot be computed: it gets the call-out fee.",
        bond: "returned",
        paid,
      };
    case Verdict.Undecided:
      return {
        title: "Undecided",
        tone: "neutral",
        why: "No answer reached the quorum: everybody who computed gets the call-out fee.",
        bond: "returned",
        paid,
      };
    case Verdict.Dissent:
      return {
        title: "Dissent",
        tone: "warn",
        why: "Its answer differs from the accepted one in a job without bonds: it is not paid.",
        bond: "returned",
        paid,
      };
    case Verdict.Fault:
      return {
        title: "Fault",
        tone: "bad",
        why: "Its answer differs from the one that more than half of the seats computed: it is not paid, its bond goes to quarantine and its probation begins.",
        bond: "quarantined",
        paid,
      };
    case Verdict.Declined:
      return {
        title: "Declined",
        tone: "neutral",
        why: "It declined in time: nothing is owed.",
        bond: "returned",
        paid,
      };
    case Verdict.Late: {
      const nobodyOpened = openings.length === 0;
      const hadCommitted = facts.committed.includes(place);
      const what = hadCommitted ? "It committed and did not open in time" : "It did not commit in time";
      return {
        title: "Late",
        tone: "bad",
        why: nobodyOpened
          ? `${what}, as did everybody else: it is not paid, and no bond is burnt when nobody opened anything.`
          : `${what}: it is not paid and its bond is burnt, so that nobody gains by it.`,
        bond: nobodyOpened || terms.bond === 0n ? "returned" : "burnt",
        paid,
      };
    }
    case Verdict.Standby:
      return {
        title: "Stood by",
        tone: "good",
        why: "A spare that was not needed: it gets the standby fee.",
        bond: "returned",
        paid,
      };
    case Verdict.None:
      return { title: "No part", tone: "neutral", why: "A shadow that computed nothing.", bond: "returned", paid };
    default:
      return verdict satisfies never;
  }
}

function openStateOf(facts: JobFacts, place: number, now: number): SeatState {
  const { panel } = jobViewOf({
    jobId: facts.jobId,
    facts,
    head: { number: 0, timestamp: now },
    messages: { offers: 0, commitments: [], openings: [], deliveries: [] },
    help: [],
  });
  return panel[place]?.state ?? "waiting";
}

/** What became of a bond, for people. */
export const bondWords: Readonly<Record<BondEnd, string>> = {
  locked: "locked",
  returned: "returned",
  quarantined: "in quarantine",
  burnt: "burnt",
};

/**
 * Bonds that open jobs lock, by token (lower case), base units.
 *
 * @param record - The provider.
 * @param now - Unix s, of the chain.
 */
export function lockedBonds(record: ProviderRecord, now: number): ReadonlyMap<string, bigint> {
  const locked = new Map<string, bigint>();
  for (const { job, place } of record.seats) {
    if (job.facts.settled !== undefined) continue;
    if (seatEndOf(job.facts, place, now).bond !== "locked") continue;
    const token = job.facts.terms.token.toLowerCase();
    locked.set(token, (locked.get(token) ?? 0n) + job.facts.terms.bond);
  }
  return locked;
}

/** Earned for something that was settled or answered. */
export type Income = {
  /** Unix s. */
  readonly at: number;
  readonly series: "jobs" | "answers" | "carrying";
  readonly token: Address;
  /** Base units. */
  readonly amount: bigint;
};

/**
 * Everything that a provider earned: for its places, its answers, and for settlements that it or its agents carried.
 *
 * @param model - The market.
 * @param record - The provider.
 * @param agents - Accounts that act for it, by its signed profile.
 */
export function incomeOf(
  model: Pick<MarketModel, "jobs" | "questions">,
  record: ProviderRecord,
  agents: readonly Address[],
): readonly Income[] {
  const own = new Set([record.provider, ...agents].map((address) => address.toLowerCase()));
  const income: Income[] = [];
  for (const { job, place } of record.seats) {
    const { settled, terms } = job.facts;
    const paid = settled?.results[place]?.paid ?? 0n;
    if (settled !== undefined && paid > 0n)
      income.push({ at: settled.settledAt, series: "jobs", token: terms.token, amount: paid });
  }
  for (const { facts } of model.jobs.values()) {
    const { settled, terms } = facts;
    if (settled !== undefined && terms.carrierFee > 0n && own.has(settled.carrier.toLowerCase()))
      income.push({ at: settled.settledAt, series: "carrying", token: terms.token, amount: terms.carrierFee });
  }
  for (const { provider, quote, end } of model.questions.values()) {
    if (end?.kind === "answered" && own.has(provider.toLowerCase()))
      income.push({ at: end.at, series: "answers", token: quote.token, amount: quote.price });
  }
  return income.sort((a, b) => a.at - b.at);
}
