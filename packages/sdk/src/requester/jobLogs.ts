import { jobMarketAbi } from "@quorate/abi";
import { decodeMarketLog, type MarketEvent } from "@quorate/chain";
import { BaseError, getAbiItem, type Hex, toEventSelector } from "viem";
import { toContractError } from "../errors.ts";
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
  const node = context.client.public;
  const selector = toEventSelector(getAbiItem({ abi: jobMarketAbi, name: name as "JobOpened" }));
  let to = (await getBlockHead(context.client)).number;
  let range = to - fromBlock + 1;
  while (to >= fromBlock) {
    const from = Math.max(fromBlock, to - range + 1);
    try {
      const logs = await node.request({
        method: "eth_getLogs",
        params: [
          {
            address: context.client.market,
            topics: [selector, jobId],
            fromBlock: `0x${from.toString(16)}`,
            toBlock: `0x${to.toString(16)}`,
          },
        ],
      });
      const log = logs[0];
      if (log !== undefined) {
        const { address, topics, data } = log;
        const position = { blockNumber: Number(log.blockNumber), blockHash: log.blockHash as Hex };
        const transaction = { transactionHash: log.transactionHash as Hex, transactionIndex: 0, logIndex: 0 };
        const event = decodeMarketLog({ address, topics, data, ...position, ...transaction });
        if (event?.name === name)
          return { blockNumber: position.blockNumber, args: event.args as JobLog<Name>["args"] };
      }
      to = from - 1;
    } catch (error) {
      // Nodes limit ranges, each in its own words: halve until one fits.
      if (range <= 1 || !(error instanceof BaseError)) throw toContractError(error);
      range = Math.ceil(range / 2);
    }
  }
  return undefined;
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
