import { getJob, type JobRecord, type JobView, jobViewOf, type Requester } from "@quorate/sdk";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Hex } from "viem";
import { useRequester, useSession } from "../../../connection/index.ts";
import { exclusively, onChange } from "../../../data/db.ts";
import { jobStore } from "../../../data/stores.ts";
import { type MarketJob, useChainTime, useMarket } from "../../../market/index.ts";
import { type ChainPhase, type JobStage, stageOf } from "./stage.ts";

/** A job as its page knows it. */
export type KnownJob = {
  readonly jobId: Hex;
  readonly stage: JobStage;
  readonly record: JobRecord | undefined;
  readonly job: MarketJob | undefined;
  /** What kept the record or the chain from being read. */
  readonly error: unknown;
};

/**
 * This browser's record of a job, as it changes in any tab.
 *
 * @param jobId - Job.
 */
export function useRecord(jobId: Hex): {
  readonly isRead: boolean;
  readonly record: JobRecord | undefined;
  readonly error: unknown;
} {
  const [state, setState] = useState<{ readonly record: JobRecord | undefined; readonly error: unknown }>();
  useEffect(() => {
    let isHere = true;
    const read = (): void => {
      jobStore.get(jobId).then(
        (record) => {
          if (isHere) setState({ record, error: undefined });
        },
        (error: unknown) => {
          if (isHere) setState({ record: undefined, error });
        },
      );
    };
    read();
    const end = onChange(({ store, key }) => {
      if (store === "jobs" && key === jobId.toLowerCase()) read();
    });
    return () => {
      isHere = false;
      end();
    };
  }, [jobId]);
  return { isRead: state !== undefined, record: state?.record, error: state?.error };
}

/**
 * Everything that is known of a job here.
 *
 * @param jobId - Lower case.
 */
export function useKnownJob(jobId: Hex): KnownJob {
  const { jobs, network, networkKey } = useSession();
  const { model, head } = useMarket();
  const { isRead, record, error } = useRecord(jobId);
  const job = model.jobs.get(jobId);
  const phase = useQuery({
    queryKey: ["phase", networkKey, jobId, head?.number],
    enabled: job === undefined,
    placeholderData: (before: ChainPhase | undefined) => before,
    gcTime: 10_000,
    queryFn: async () => (await getJob(jobs, { jobId })).phase,
  });
  return {
    jobId,
    stage: stageOf({
      record,
      isRecordRead: isRead,
      job,
      phase: phase.data,
      chainId: network.chainId,
      market: network.market,
    }),
    record,
    job,
    error: error ?? (phase.data === undefined ? phase.error : undefined),
  };
}

const nothingHeard: JobView["messages"] = { offers: 0, commitments: [], openings: [], deliveries: [] };

/**
 * The job at this second of the chain's time: from the index for everybody, with messages of relays and help for its requester.
 *
 * @param known - From {@link useKnownJob}.
 * @param selfHelp - Whether to do from this wallet what others are late with.
 */
export function useJobView(
  { jobId, stage, record, job }: KnownJob,
  selfHelp: boolean,
): { readonly view: JobView | undefined; readonly error: unknown } {
  const { head } = useMarket();
  const now = useChainTime();
  const requester = useRequester();
  const isWatched = record !== undefined && (stage === "open" || (stage === "settled" && job === undefined));
  const { watched, error } = useWatch(jobId, requester, isWatched, selfHelp);
  const view = useMemo(() => {
    if (job === undefined) return watched;
    return jobViewOf({
      jobId,
      facts: job.facts,
      head: { number: head?.number ?? job.openedAtBlock, timestamp: now ?? job.facts.openedAt },
      messages: watched?.messages ?? nothingHeard,
      help: watched?.help ?? [],
    });
  }, [jobId, job, head, now, watched]);
  return { view, error };
}

function useWatch(
  jobId: Hex,
  requester: Requester,
  isWatched: boolean,
  selfHelp: boolean,
): { readonly watched: JobView | undefined; readonly error: unknown } {
  const { jobs } = useSession();
  const [watched, setWatched] = useState<JobView>();
  const [error, setError] = useState<unknown>();
  const latest = useRef(requester);
  latest.current = requester;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a changed trust policy is no reason to watch anew; a changed wallet is
  useEffect(() => {
    if (!isWatched) return;
    const controller = new AbortController();
    const { signal } = controller;
    const watch = async (): Promise<void> => {
      for await (const view of latest.current.watchJob(jobId, { signal, selfHelp: selfHelp ? "late" : "off" })) {
        setWatched(view);
      }
    };
    // Two tabs that help would send everything twice: one of them watches, the other sees the chain.
    exclusively(`watch/${jobId}`, async () => {
      if (!signal.aborted) await watch();
    }).catch((thrown: unknown) => {
      if (!signal.aborted) setError(thrown);
    });
    return () => controller.abort();
  }, [jobId, isWatched, selfHelp, jobs]);
  return { watched, error };
}
