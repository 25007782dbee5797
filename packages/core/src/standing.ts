import { Verdict } from "./job.ts";

/** Alignments in a row, in jobs opened after it began, that end a probation. */
export const PROBATION_ALIGNMENTS = 3;

/** Seconds without a fault that end a probation: 180 days. */
export const PROBATION_SECONDS: number = 180 * 86_400;

/** What the contract knows of a provider. */
export type Standing = {
  /** Number of the present or last probation; zero before the first. */
  readonly probation: number;
  /** Unix s; zero when there was none, or the last one was ended by alignments. */
  readonly probationSince: number;
  /** Unix s. */
  readonly lastFaultAt: number;
  /** Alignments in a row during the probation; the third ends it. */
  readonly alignedInRow: number;
};

/** Standing of a provider that nobody has seen. */
export const unknownStanding: Standing = { probation: 0, probationSince: 0, lastFaultAt: 0, alignedInRow: 0 };

/**
 * Tells whether a provider is on probation.
 *
 * @param standing Standing on chain.
 * @param now Unix s.
 */
export function onProbation(standing: Standing, now: number): boolean {
  return standing.probationSince !== 0 && now < standing.lastFaultAt + PROBATION_SECONDS;
}

/** A verdict that is about to be recorded. */
export type VerdictRecord = {
  readonly verdict: Verdict;
  /** When the job was opened, unix s. */
  readonly openedAt: number;
  /** When it settles, unix s. */
  readonly now: number;
};

/** What a verdict does to a standing. */
export type StandingChange = {
  readonly standing: Standing;
  /** Row T1–T7 of docs/protocol/lifecycle.md that applied. */
  readonly rule: "T1" | "T2" | "T3" | "T4" | "T5" | "T6" | "T7";
  /** Number of the quarantine entry that gets the bond; absent without a fault. */
  readonly entry?: number;
  /** Number of the probation whose entries are burnt when claimed. */
  readonly condemned?: number;
};

/**
 * Standing after a verdict, by the rows T1–T7 of docs/protocol/lifecycle.md.
 *
 * @param standing Standing before.
 * @param record Verdict, when its job was opened, when it settles.
 */
export function standingAfter(standing: Standing, { verdict, openedAt, now }: VerdictRecord): StandingChange {
  const probed = onProbation(standing, now);
  const isLater = openedAt > standing.probationSince;
  switch (verdict) {
    case Verdict.Aligned:
      if (!probed || !isLater) return { standing, rule: "T1" };
      return { standing: withAlignment(standing), rule: "T1" };
    case Verdict.Late:
      if (!probed || !isLater) return { standing, rule: "T2" };
      return { standing: { ...standing, alignedInRow: 0 }, rule: "T2" };
    case Verdict.Reported:
    case Verdict.Undecided:
    case Verdict.Declined:
      return { standing, rule: "T3" };
    case Verdict.Overruled:
    case Verdict.Dissent:
    case Verdict.Standby:
    case Verdict.None:
      return { standing, rule: "T4" };
    case Verdict.Fault: {
      if (probed && !isLater) {
        return { standing: { ...standing, lastFaultAt: now }, rule: "T6", entry: standing.probation };
      }
      const probation = standing.probation + 1;
      const begun = { probation, probationSince: now, lastFaultAt: now, alignedInRow: 0 };
      return probed
        ? { standing: begun, rule: "T7", entry: probation, condemned: standing.probation }
        : { standing: begun, rule: "T5", entry: probation };
    }
    default:
      return verdict satisfies never;
  }
}

function withAlignment(standing: Standing): Standing {
  const alignedInRow = standing.alignedInRow + 1;
  const ends = alignedInRow === PROBATION_ALIGNMENTS;
  return { ...standing, alignedInRow, probationSince: ends ? 0 : standing.probationSince };
}
