import { type JobFacts, JobStatus, Outcome, statusAt } from "@quorate/core";

/** Where a job stands, in words. */
export type JobStage = {
  readonly status: JobStatus;
  readonly title: string;
  readonly tone: "info" | "good" | "warn" | "neutral";
  /** Unix s until which something may happen; absent when nothing is waited for. */
  readonly until?: number;
  /** What is waited for until then. */
  readonly waitsFor?: string;
};

/**
 * Where a job stands at a moment of the chain.
 *
 * @param facts - What happened.
 * @param now - Unix s, of the chain.
 */
export function stageOf(facts: JobFacts, now: number): JobStage {
  const { status, revealAt, revealDeadline } = statusAt(facts, now);
  switch (status) {
    case JobStatus.Committing:
      return { status, title: "Computing", tone: "info", until: revealAt, waitsFor: "for the panel to commit" };
    case JobStatus.Revealing:
      return {
        status,
        title: "Opening",
        tone: "info",
        until: revealDeadline,
        waitsFor: "for the answers to be opened",
      };
    case JobStatus.Settleable:
      return { status, title: "To be settled", tone: "warn" };
    case JobStatus.Accepted:
      return { status, title: acceptedWords(facts), tone: "good" };
    case JobStatus.Inconclusive:
      return { status, title: "Inconclusive", tone: "warn" };
    case JobStatus.None:
      return { status, title: "Not open", tone: "neutral" };
    default:
      return status satisfies never;
  }
}

function acceptedWords({ settled }: JobFacts): string {
  if (settled?.outcome === Outcome.Failed) return "Accepted: it failed";
  return settled?.outcome === Outcome.Report ? "Accepted: not computed" : "Accepted";
}
