import { jobMarketAbi } from "@quorate/abi";
import { BaseError, getAbiItem, type Hex } from "viem";
import { toContractError } from "../errors.ts";
import { getBlockHead } from "../internal/head.ts";
import type { RequesterContext } from "./context.ts";

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
  const head = await getBlockHead(context.client);
  // The newest part first: people mostly look for recent jobs.
  let to = head.number;
  let range = to - context.fromBlock + 1;
  while (to >= context.fromBlock) {
    const from = Math.max(context.fromBlock, to - range + 1);
    try {
      const [opened] = await context.client.public.getLogs({
        address: context.client.market,
        event: getAbiItem({ abi: jobMarketAbi, name: "JobOpened" }),
        args: { jobId },
        fromBlock: BigInt(from),
        toBlock: BigInt(to),
      });
      if (opened !== undefined) return Number(opened.blockNumber);
      to = from - 1;
    } catch (error) {
      // Nodes limit ranges, each in its own words: halve until one fits.
      if (range <= 1 || !(error instanceof BaseError)) throw toContractError(error);
      range = Math.ceil(range / 2);
    }
  }
  return head.number;
}
