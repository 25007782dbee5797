import { createFollower, type FollowedBlock, marketEvents, memoryStore } from "@quorate/chain";
import { foldJobEvent, isJobEventName, type JobEvent, type JobFacts } from "@quorate/core";
import type { Hex } from "viem";
import { Pulse } from "../internal/pulse.ts";
import type { RequesterContext } from "./context.ts";

/** Where a job stands on the canonical chain at one block. */
export type JobUpdate = {
  /** Absent before the job is open, and again after a reorganisation took its opening back. */
  readonly facts: JobFacts | undefined;
  readonly head: { readonly number: number; readonly timestamp: number };
  /** Whether the settlement is as deep as the requester's confirmations ask. */
  readonly settlementIsFinal: boolean;
};

type PlacedEvent = { readonly block: number; readonly event: JobEvent };

/**
 * Follows one job on the canonical chain. Every update is computed from the events themselves, so a reorganisation is just
 * another update. Updates that come while the consumer is busy are merged.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @param fromBlock No event of the job lies before it.
 * @param signal Ends the iteration.
 * @throws What the follower throws: `CHAIN_RESET`, `CHAIN_MISMATCH`, `REORG_TOO_DEEP`.
 */
export async function* followJob(
  context: RequesterContext,
  jobId: Hex,
  fromBlock: number,
  signal: AbortSignal,
): AsyncGenerator<JobUpdate, void, undefined> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const pulse = new Pulse();
  let events: PlacedEvent[] = [];
  let head: JobUpdate["head"] | undefined;
  let finalTo = -1;
  const follower = createFollower<undefined>({
    sources: context.sources,
    store: memoryStore(),
    filter: { address: context.domain.market, topics: [null, jobId] },
    chainId: context.domain.chainId,
    fromBlock,
    // The receipt's own block is the first confirmation; the follower counts the blocks behind it.
    confirmations: Math.max(0, context.confirmations - 1),
    pollIntervalMs: context.pollIntervalMs,
    clock: context.clock,
    logger: context.logger,
    onBatch: (batch) => {
      const { rollback } = batch;
      if (rollback !== undefined) events = events.filter(({ block }) => block <= rollback.toBlock);
      for (const block of batch.blocks) events.push(...eventsOf(block));
      finalTo = batch.finalTo;
      // Until it has caught up, the facts are a past state and would show as the present one.
      if (batch.caughtUp) {
        head = { number: batch.head.number, timestamp: batch.head.timestamp };
        pulse.fire();
      }
    },
  });
  let failure: { readonly error: unknown } | undefined;
  const running = follower.run(controller.signal).catch((error: unknown) => {
    if (!controller.signal.aborted) failure = { error };
    pulse.fire();
  });
  try {
    while (await pulse.wait(controller.signal)) {
      if (failure !== undefined) throw (failure as { error: unknown }).error;
      if (head === undefined) continue;
      const settledIn = events.find(({ event }) => event.eventName === "JobSettled")?.block;
      yield {
        facts: events.reduce<JobFacts | undefined>((facts, { event }) => foldJobEvent(facts, event), undefined),
        head,
        settlementIsFinal: settledIn !== undefined && settledIn <= finalTo,
      };
    }
  } finally {
    signal.removeEventListener("abort", stop);
    controller.abort();
    await running;
  }
}

/**
 * Events of jobs in a block, as `foldJobEvent` takes them.
 *
 * @param block Followed block.
 */
export function eventsOf(block: FollowedBlock): PlacedEvent[] {
  return marketEvents([block]).flatMap(({ name, args }) => {
    if (!isJobEventName(name)) return [];
    const event = { eventName: name, args, timestamp: block.timestamp } as unknown as JobEvent;
    return [{ block: block.number, event }];
  });
}
