import { jobMarketAbi } from "@quorate/abi";
import { FatalError, JobStatus, type Terms } from "@quorate/core";
import type { Hex } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link getJob}. */
export type GetJobParameters = {
  readonly jobId: Hex;
  /** As `open` fixed them; without them an open job has no status and times here, only facts. */
  readonly terms?: Terms;
};

/** What {@link getJob} returns: what the contract has stored about a job. Bitmaps have bit `i` for place `i`. */
export type GetJobReturnType = {
  /** What is certain without terms and clock. */
  readonly phase: "none" | "open" | "accepted" | "inconclusive";
  /** Present for every job that is not open, and for open ones when terms were given. */
  readonly status?: JobStatus;
  /** Unix s; present for open jobs when terms were given. */
  readonly revealAt?: number;
  /** Unix s; present for open jobs when terms were given. */
  readonly revealDeadline?: number;
  /** Accepted outcome, zero without one. */
  readonly outcome: number;
  /** First 27 bytes of the accepted result hash, zero without one; `JobSettled` carries all 32. */
  readonly resultHashPrefix: Hex;
  readonly committed: number;
  readonly declined: number;
  readonly opened: number;
  readonly promoted: number;
  /** Unix s. */
  readonly openedAt: number;
};

/** What {@link getJob} throws. */
export type GetJobErrorType = ReadErrorType;

const phases = ["none", "open", "accepted", "inconclusive"] as const;

/**
 * Reads a job from the contract.
 *
 * @param client Market client.
 * @param parameters Job, its terms if known.
 * @throws A {@link GetJobErrorType}: TERMS_MISMATCH for terms of another job.
 */
export async function getJob(client: MarketClient, parameters: GetJobParameters): Promise<GetJobReturnType> {
  const { jobId, terms } = parameters;
  const contract = { address: client.market, abi: jobMarketAbi } as const;
  const state = await read(client.public.readContract({ ...contract, functionName: "jobState", args: [jobId] }));
  const phase = phases[state.phase];
  if (phase === undefined) {
    throw new FatalError(
      "CONTRACT_ANSWER_UNKNOWN",
      `The contract gave phase ${state.phase}, which this version does not know. Update the package.`,
    );
  }
  const facts = {
    phase,
    outcome: state.outcome,
    resultHashPrefix: state.resultHash,
    committed: state.committed,
    declined: state.declined,
    opened: state.opened,
    promoted: state.used,
    openedAt: state.openedAt,
  };
  switch (phase) {
    case "none":
      return { ...facts, status: JobStatus.None };
    case "accepted":
      return { ...facts, status: JobStatus.Accepted };
    case "inconclusive":
      return { ...facts, status: JobStatus.Inconclusive };
    case "open": {
      if (terms === undefined) return facts;
      const [status, revealAt, revealDeadline] = await read(
        client.public.readContract({ ...contract, functionName: "statusOf", args: [jobId, terms] }),
      );
      return { ...facts, status: status as JobStatus, revealAt, revealDeadline };
    }
    default:
      return phase satisfies never;
  }
}
