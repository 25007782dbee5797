import type { JobRecord } from "@quorate/sdk";
import type { MarketJob } from "../../../market/index.ts";

/** What a job's page shows. */
export type JobStage =
  /** Not known yet. */
  | "reading"
  /** Neither this browser nor the market knows it. */
  | "unknown"
  /** The market knows it, but its events lie before what this browser has read. */
  | "unread"
  /** The record of this browser is for another market. */
  | "elsewhere"
  | "drafted"
  | "published"
  | "opening"
  | "open"
  | "settled";

/** What the contract has stored of a job. */
export type ChainPhase = "none" | "open" | "accepted" | "inconclusive";

/**
 * Where a job stands, from this browser's record, the index and the contract; as `resume` of the SDK.
 *
 * @param known - What is known; undefined parts are still being read.
 */
export function stageOf(known: {
  readonly record: JobRecord | undefined;
  readonly isRecordRead: boolean;
  readonly job: Pick<MarketJob, "facts"> | undefined;
  readonly phase: ChainPhase | undefined;
  readonly chainId: number;
  readonly market: string;
}): JobStage {
  const { record, job, phase } = known;
  if (!known.isRecordRead) return "reading";
  if (
    record !== undefined &&
    (record.chainId !== known.chainId || record.market.toLowerCase() !== known.market.toLowerCase())
  ) {
    return "elsewhere";
  }
  if (job !== undefined) return job.facts.settled === undefined ? "open" : "settled";
  switch (phase) {
    case undefined:
      return "reading";
    case "open":
      return record === undefined ? "unread" : "open";
    case "accepted":
    case "inconclusive":
      return record === undefined ? "unread" : "settled";
    case "none":
      break;
    default:
      phase satisfies never;
  }
  if (record === undefined) return "unknown";
  if (record.transactions.length > 0 || record.askedWalletAt !== undefined) return "opening";
  return record.publishedAt === undefined ? "drafted" : "published";
}

/** A step of the opening, as the record tells it. */
export type OpeningStep = {
  readonly id: "allow" | "send" | "confirm";
  readonly state: "done" | "current" | "ahead" | "failed";
};

/**
 * Where an opening stands: from what was stored before each thing left the browser, so that it survives a reload.
 *
 * @param state - Record; whether a call is under way on this page; whether the market has the job.
 */
export function openingSteps(state: {
  readonly record: Pick<JobRecord, "transactions" | "askedWalletAt">;
  readonly isOpen: boolean;
  readonly hasFailed: boolean;
}): readonly OpeningStep[] {
  const { record, isOpen, hasFailed } = state;
  const isSent = record.transactions.some(({ purpose }) => purpose === "open");
  // A deposit before the opening is the permission, too: only then the wallet is asked for the opening itself.
  const paysFirst = record.transactions.some(({ purpose }) => purpose !== "open");
  const isAsked = record.askedWalletAt !== undefined;
  const isAllowed = isSent || (isAsked && !paysFirst);
  const current = hasFailed ? "failed" : "current";
  if (isOpen) return steps("done", "done", "done");
  if (isSent) return steps("done", "done", current);
  if (isAllowed) return steps("done", current, "ahead");
  return steps(current, "ahead", "ahead");
}

function steps(
  allow: OpeningStep["state"],
  send: OpeningStep["state"],
  confirm: OpeningStep["state"],
): readonly OpeningStep[] {
  return [
    { id: "allow", state: allow },
    { id: "send", state: send },
    { id: "confirm", state: confirm },
  ];
}
