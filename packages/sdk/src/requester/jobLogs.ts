import { jobMarketAbi } from "@quorate/abi";
import { decodeMarketLog, type MarketEvent } from "@quorate/chain";
import { getAbiItem, type Hex, toEventSelector } from "viem";
import { findLog } from "../internal/findLog.ts";
import { getBlockHead } from "../internal/head.ts";
import type { RequesterContext } from "./context.ts";

/** An event of a job and the block that carries it. */
export type JobLog<Name extends MarketEvent["name"]> = {
  readonly blockNumber: number;
  readonly args: Extract<MarketEvent, { name: Name }>["args"];
};

/**
 * The event of a name that a job has at most once, looked for from the newest block backwards: people mostly look for recent
 * jobs. For a single question; what is acted on over time is followed instead.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @param name Name of the event.
 * @param fromBlock First block that can carry it.
 * @returns The event, or undefined.
 * @throws RetryableError `NODE_UNREACHABLE`, `NODE_REFUSED`.
 */
export async function findJobLog<Name extends "JobOpened" | "JobSettled">(
  context: RequesterContext,
  jobId: Hex,
  name: Name,
  fromBlock: number,
): Promise<JobLog<Name> | undefined> {
  const selector = toEventSelector(getAbiItem({ abi: jobMarketAbi, name: name as "JobOpened" }));
  const log = await findLog(context.client, [selector, jobId], fromBlock);
  if (log === undefined) return undefined;
  const topics = log.topics as [Hex, ...Hex[]];
  const event = decodeMarketLog({ ...log, topics, address: context.client.market, transactionIndex: 0, logIndex: 0 });
  if (event?.name !== name) return undefined;
  return { blockNumber: log.blockNumber, args: event.args as JobLog<Name>["args"] };
}

/**
 * A block before which no event of the job lies: from the key store, else by looking for the job's opening.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @returns Block number; the newest one for a job that nobody has opened.
 * @throws RetryableError `NODE_UNREACHABLE`, `NODE_REFUSED`.
 */
export async function findJobBlock(context: RequesterContext, jobId: Hex): Promise<number> {
  const record = await context.keyStore.get(jobId);
  if (record !== undefined) return record.createdAtBlock;
  const opened = await findJobLog(context, jobId, "JobOpened", context.fromBlock);
  return opened?.blockNumber ?? (await getBlockHead(context.client)).number;
}
