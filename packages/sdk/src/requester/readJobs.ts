import { type BlockSource, createFollower, memoryStore } from "@quorate/chain";
import { type Clock, foldJobEvent, type JobFacts, type Logger, type MarketDomain } from "@quorate/core";
import type { Hex } from "viem";
import { eventsOf } from "./followJob.ts";

/** Parameters of {@link readJobs}. */
export type ReadJobsParameters = {
  readonly domain: MarketDomain;
  readonly sources: readonly BlockSource[];
  /** First block to read. Jobs opened before it are left out. */
  readonly fromBlock: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly signal?: AbortSignal;
};

/**
 * Reads all jobs of a market up to the newest block: what `buildHistory` counts.
 *
 * @param parameters Market, nodes, first block.
 * @returns Facts of each job, in the order of opening.
 * @throws What the follower throws: `CHAIN_MISMATCH`, `SOURCE_UNAVAILABLE`.
 */
export async function readJobs(parameters: ReadJobsParameters): Promise<readonly JobFacts[]> {
  const { domain, sources, fromBlock, signal, clock, logger } = parameters;
  let events: ReturnType<typeof eventsOf> = [];
  const follower = createFollower<undefined>({
    sources,
    store: memoryStore(),
    filter: { address: domain.market },
    chainId: domain.chainId,
    fromBlock,
    confirmations: 0,
    ...(clock === undefined ? {} : { clock }),
    ...(logger === undefined ? {} : { logger }),
    onBatch: ({ rollback, blocks }) => {
      if (rollback !== undefined) events = events.filter(({ block }) => block <= rollback.toBlock);
      for (const block of blocks) events.push(...eventsOf(block));
    },
  });
  await follower.sync(signal ?? new AbortController().signal);
  const jobs = new Map<Hex, JobFacts>();
  for (const { event } of events) {
    const { jobId } = event.args;
    const before = jobs.get(jobId);
    // A job that was opened before the first block cannot be understood from its later events.
    if (before === undefined && event.eventName !== "JobOpened") continue;
    jobs.set(jobId, foldJobEvent(before, event));
  }
  return [...jobs.values()];
}
