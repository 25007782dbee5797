import type { Hex } from "viem";
import { shareOf } from "./amounts.ts";
import type { RevealedOpening } from "./facts.ts";
import { JobStatus, Outcome, type PlaceResult, type Terms, Verdict, ZERO_HASH } from "./job.ts";
import { panelOf, type StatusFacts } from "./status.ts";
import { escrowOf, roleOfPlace } from "./terms.ts";

/** Facts that decide money and verdicts. */
export type SettlementFacts = Pick<StatusFacts, "openedAt" | "committed" | "declined" | "promotions"> & {
  readonly terms: Terms;
  readonly openings: readonly RevealedOpening[];
};

/** How a job settles. */
export type Settlement = {
  /** Accepted or Inconclusive. */
  readonly status: JobStatus;
  /** Accepted outcome, zero if inconclusive. */
  readonly outcome: number;
  /** Accepted result hash, zero for reports and without decision. */
  readonly resultHash: Hex;
  /** By place. */
  readonly results: readonly PlaceResult[];
  /** Places whose bond goes to quarantine. */
  readonly quarantined: readonly number[];
  /** Places whose bond is burnt for lateness; empty when nobody opened anything. */
  readonly forfeited: readonly number[];
  /** Credited to the requester: what is not paid of the escrow. Base units. */
  readonly refunded: bigint;
  /** Late bonds: no account gains by the penalty of another. Base units. */
  readonly burnt: bigint;
  /** Credited to the account whose call settles. Base units. */
  readonly carrierFee: bigint;
};

/** Class of an opening: two computed answers are compared, reports are one vote, the rest is no vote. */
export type OpeningClass = "ok" | "failed" | "report" | "malformed";

/**
 * Class of an opening.
 *
 * @param opening Outcome and result hash as they were revealed.
 */
export function classOfOpening({ outcome, resultHash }: Pick<RevealedOpening, "outcome" | "resultHash">): OpeningClass {
  const isZero = resultHash === ZERO_HASH;
  if (outcome === Outcome.Ok && !isZero) return "ok";
  if (outcome === Outcome.Failed && !isZero) return "failed";
  if (outcome === Outcome.Report && isZero) return "report";
  return "malformed";
}

/** One answer and how many weighted seats gave it. */
export type VoteCount = {
  readonly outcome: number;
  readonly resultHash: Hex;
  readonly votes: number;
};

/**
 * Counts the openings of weighted seats; equal answers are one entry, malformed openings none.
 *
 * @param facts Facts of the job.
 * @returns Most votes first.
 */
export function tallyOf(facts: Pick<SettlementFacts, "openedAt" | "promotions" | "terms" | "openings">): VoteCount[] {
  const { occupants } = panelOf(facts);
  const counts = new Map<string, { outcome: number; resultHash: Hex; votes: number }>();
  for (const { place, outcome, resultHash } of facts.openings) {
    if (!occupants.includes(place) || classOfOpening({ outcome, resultHash }) === "malformed") continue;
    const key = answerKey(outcome, resultHash);
    const count = counts.get(key) ?? { outcome, resultHash, votes: 0 };
    count.votes += 1;
    counts.set(key, count);
  }
  return [...counts.values()].sort((a, b) => b.votes - a.votes);
}

/**
 * Verdicts and money of a job, by the rows M1–M12 of docs/protocol/lifecycle.md. Says how the job would settle with the
 * facts as they are; whether it may settle is {@link statusAt}'s business.
 *
 * @param facts Facts of the job.
 */
export function settlementOf(facts: SettlementFacts): Settlement {
  const { terms } = facts;
  const tally = tallyOf(facts);
  const leading = tally[0];
  const accepted = leading !== undefined && leading.votes >= terms.quorum ? leading : undefined;
  // More than half of all seats gave this computed answer: the only one that another computed answer can be held against.
  const majority = tally.find(({ outcome, votes }) => outcome !== Outcome.Report && 2 * votes > terms.seats);

  const verdicts = terms.places.map((_, place) => verdictOf(place, facts, accepted, majority));
  const results = verdicts.map(
    (verdict, place): PlaceResult => ({ verdict, paid: compensation(verdict, place, facts, accepted) }),
  );

  const forfeited = facts.openings.length === 0 ? [] : placesWith(verdicts, Verdict.Late);
  const paid = results.reduce((sum, result) => sum + result.paid, 0n);
  return {
    status: accepted === undefined ? JobStatus.Inconclusive : JobStatus.Accepted,
    outcome: accepted?.outcome ?? 0,
    resultHash: accepted?.resultHash ?? ZERO_HASH,
    results,
    quarantined: placesWith(verdicts, Verdict.Fault),
    forfeited,
    refunded: escrowOf(terms) - paid - terms.carrierFee,
    burnt: BigInt(forfeited.length) * terms.bond,
    carrierFee: terms.carrierFee,
  };
}

function verdictOf(
  place: number,
  facts: SettlementFacts,
  accepted: VoteCount | undefined,
  majority: VoteCount | undefined,
): Verdict {
  if (facts.declined.includes(place)) return Verdict.Declined; // M9
  if (!facts.committed.includes(place)) return verdictWithoutCommitment(place, facts);
  const opening = facts.openings.find((candidate) => candidate.place === place);
  if (opening === undefined) return Verdict.Late; // M10
  const openingClass = classOfOpening(opening);
  if (openingClass === "malformed" || openingClass === "report") return Verdict.Reported; // M2, M4, M8
  if (accepted !== undefined && isSameAnswer(opening, accepted)) return Verdict.Aligned; // M1
  if (facts.terms.bond > 0n && majority !== undefined && !isSameAnswer(opening, majority)) return Verdict.Fault; // M5
  if (accepted === undefined) return Verdict.Undecided; // M7
  return accepted.outcome === Outcome.Report ? Verdict.Overruled : Verdict.Dissent; // M3, M6
}

function verdictWithoutCommitment(place: number, { terms, promotions }: SettlementFacts): Verdict {
  const role = roleOfPlace(terms, place);
  if (role === "shadow") return Verdict.None; // M12
  if (role === "spare" && !promotions.some(({ spare }) => spare === place)) return Verdict.Standby; // M11
  return Verdict.Late; // M10
}

function compensation(
  verdict: Verdict,
  place: number,
  { terms, openings }: SettlementFacts,
  accepted: VoteCount | undefined,
): bigint {
  const { price } = terms.places[place] as Terms["places"][number];
  switch (verdict) {
    case Verdict.Aligned:
      return price;
    case Verdict.Overruled:
    case Verdict.Undecided:
      return shareOf(price, terms.calloutBps);
    case Verdict.Reported: {
      // Only a report that agrees with accepted reports is called out; a malformed opening never is.
      const opening = openings.find((candidate) => candidate.place === place);
      const agrees = opening !== undefined && accepted !== undefined && isSameAnswer(opening, accepted);
      return agrees ? shareOf(price, terms.calloutBps) : 0n;
    }
    case Verdict.Standby:
      return shareOf(price, terms.standbyBps);
    default:
      return 0n;
  }
}

function placesWith(verdicts: readonly Verdict[], verdict: Verdict): number[] {
  return verdicts.flatMap((candidate, place) => (candidate === verdict ? [place] : []));
}

function isSameAnswer(
  a: Pick<VoteCount, "outcome" | "resultHash">,
  b: Pick<VoteCount, "outcome" | "resultHash">,
): boolean {
  return answerKey(a.outcome, a.resultHash) === answerKey(b.outcome, b.resultHash);
}

function answerKey(outcome: number, resultHash: Hex): string {
  return `${outcome}:${resultHash.toLowerCase()}`;
}
