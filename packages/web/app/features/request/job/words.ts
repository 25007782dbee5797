import { type JobEvent, type JobStatus, Outcome, Role, JobStatus as statuses, Verdict } from "@quorate/core";
import type { SeatState, SeatView } from "@quorate/sdk";
import type { Tone } from "../../../ui/index.ts";

/** A few words with their tone. */
export type Word = { readonly text: string; readonly tone: Tone | "neutral" };

const seatStates: Readonly<Record<SeatState, Word>> = {
  waiting: { text: "computing", tone: "info" },
  standby: { text: "standing by", tone: "neutral" },
  committed: { text: "committed", tone: "info" },
  declined: { text: "declined", tone: "warn" },
  late: { text: "late", tone: "bad" },
  replaced: { text: "replaced", tone: "warn" },
  opened: { text: "opened", tone: "good" },
  released: { text: "released", tone: "neutral" },
};

/**
 * Where a place stands.
 *
 * @param state - From the SDK.
 */
export function seatWord(state: SeatState): Word {
  return seatStates[state];
}

/** A verdict: a word, and what it means. */
export type VerdictWord = Word & { readonly note: string };

const verdicts: Readonly<Record<Verdict, VerdictWord>> = {
  [Verdict.None]: { text: "no part", tone: "neutral", note: "took no part" },
  [Verdict.Aligned]: { text: "agreed", tone: "good", note: "gave the accepted answer" },
  [Verdict.Reported]: { text: "reported", tone: "warn", note: "said that it could not compute" },
  [Verdict.Overruled]: { text: "overruled", tone: "warn", note: "computed, but the panel agreed that it could not" },
  [Verdict.Undecided]: { text: "undecided", tone: "warn", note: "computed, but no answer reached the quorum" },
  [Verdict.Dissent]: { text: "dissented", tone: "warn", note: "gave another answer" },
  [Verdict.Fault]: { text: "fault", tone: "bad", note: "a majority contradicted its answer" },
  [Verdict.Declined]: { text: "declined", tone: "neutral", note: "gave its place back in time" },
  [Verdict.Late]: { text: "late", tone: "bad", note: "did not commit or open in time" },
  [Verdict.Standby]: { text: "stood by", tone: "neutral", note: "was not needed" },
};

/**
 * How a place came out.
 *
 * @param verdict - From the settlement.
 */
export function verdictWord(verdict: Verdict): VerdictWord {
  return verdicts[verdict];
}

/** What becomes of a bond. */
export type BondFate = "returned" | "burnt" | "quarantined";

/**
 * What became of each bond of a settled job, by place: a fault goes to quarantine, lateness is burnt unless nobody opened
 * anything.
 *
 * @param panel - Places with their verdicts.
 */
export function bondFates(panel: readonly Pick<SeatView, "verdict" | "outcome">[]): readonly BondFate[] {
  const anyOpened = panel.some(({ outcome }) => outcome !== undefined);
  return panel.map(({ verdict }) => {
    if (verdict === Verdict.Fault) return "quarantined";
    return verdict === Verdict.Late && anyOpened ? "burnt" : "returned";
  });
}

/** Bond fates for people. */
export const bondWords: Readonly<Record<BondFate, Word>> = {
  returned: { text: "bond returned", tone: "neutral" },
  burnt: { text: "bond burnt", tone: "bad" },
  quarantined: { text: "bond in quarantine", tone: "bad" },
};

/**
 * What was answered, in words.
 *
 * @param outcome - From an opening.
 */
export function outcomeWords(outcome: number): string {
  if (outcome === Outcome.Ok) return "a result";
  if (outcome === Outcome.Failed) return "the program failed";
  return outcome === Outcome.Report ? "could not compute" : "nothing that counts";
}

/**
 * Roles of an offer, in words.
 *
 * @param roles - Bits of `Role`.
 */
export function roleWords(roles: number): string {
  const names = [
    ...(roles & Role.Seat ? ["seat"] : []),
    ...(roles & Role.Spare ? ["spare"] : []),
    ...(roles & Role.Shadow ? ["shadow"] : []),
  ];
  return names.length === 0 ? "none" : names.join(", ");
}

const statusWordsBy: Readonly<Record<JobStatus, Word>> = {
  [statuses.None]: { text: "not open", tone: "neutral" },
  [statuses.Committing]: { text: "committing", tone: "info" },
  [statuses.Revealing]: { text: "revealing", tone: "info" },
  [statuses.Settleable]: { text: "waiting for its settlement", tone: "warn" },
  [statuses.Accepted]: { text: "accepted", tone: "good" },
  [statuses.Inconclusive]: { text: "inconclusive", tone: "warn" },
};

/**
 * Status of a job in a word or two.
 *
 * @param status - Of the job.
 */
export function statusWord(status: JobStatus): Word {
  return statusWordsBy[status];
}

/** An event as a line of what happened; the place it is about, where there is one. */
export type EventWords = { readonly text: string; readonly place?: number };

/**
 * An event of a job in words.
 *
 * @param event - From the index.
 */
export function eventWords(event: JobEvent): EventWords {
  switch (event.eventName) {
    case "JobOpened":
      return { text: "The job was opened and the escrow paid." };
    case "CommitmentPlaced":
      return { text: "committed to an answer.", place: event.args.place };
    case "CommitmentSkipped":
      return { text: "sent a commitment that does not count.", place: event.args.place };
    case "CommitmentSetPlaced":
      return { text: "The seats committed by one set that all of them signed." };
    case "SeatDeclined":
      return { text: "declined.", place: event.args.place };
    case "SparePromoted":
      return { text: `took seat ${event.args.seat + 1}.`, place: event.args.spare };
    case "CommitmentOpened":
      return { text: `opened its commitment: ${outcomeWords(event.args.outcome)}.`, place: event.args.place };
    case "OpeningSkipped":
      return { text: "sent an opening that does not count.", place: event.args.place };
    case "JobSettled":
      return {
        text:
          event.args.status === statuses.Accepted
            ? "The job was settled: an answer was accepted."
            : "The job was settled: no answer reached the quorum.",
      };
    case "CallbackCalled":
      return {
        text: event.args.success
          ? "The contract of the job was told."
          : "The contract of the job was told, and failed.",
      };
    default:
      return event satisfies never;
  }
}

const amountInReason = /\b(price|highest price|bond|least bond) (\d+)\b/g;

/**
 * A reason of the trust policy with amounts in the token's unit.
 *
 * @param reason - From the SDK, in base units.
 * @param format - Writes an amount.
 */
export function reasonInUnits(reason: string, format: (amount: bigint) => string): string {
  return reason.replace(amountInReason, (_, what: string, digits: string) => `${what} ${format(BigInt(digits))}`);
}

/**
 * Words as a sentence.
 *
 * @param words - Without capital and full stop.
 */
export function sentence(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}
