import { BaseError, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import { toContractError } from "../errors.ts";
import { getBlockHead } from "./head.ts";

/** A log as the node gives it. */
export type FoundLog = {
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
};

/**
 * The log of the market with these topics, looked for from the newest block backwards: people mostly look for recent ones. For
 * a single question; what is acted on over time is followed instead.
 *
 * @param client Market client.
 * @param topics Selector of the event, then indexed values.
 * @param fromBlock First block that can carry it.
 * @returns The first log of the newest range that has one, or undefined.
 * @throws RetryableError `NODE_UNREACHABLE`, `NODE_REFUSED`.
 */
export async function findLog(
  client: MarketClient,
  topics: readonly Hex[],
  fromBlock: number,
): Promise<FoundLog | undefined> {
  let to = (await getBlockHead(client)).number;
  let range = to - fromBlock + 1;
  while (to >= fromBlock) {
    const from = Math.max(fromBlock, to - range + 1);
    try {
      const logs = await client.public.request({
        method: "eth_getLogs",
        params: [
          {
            address: client.market,
            topics: [...topics],
            fromBlock: `0x${from.toString(16)}`,
            toBlock: `0x${to.toString(16)}`,
          },
        ],
      });
      const log = logs[0];
      if (log !== undefined) {
        return {
          topics: log.topics,
          data: log.data,
          blockNumber: Number(log.blockNumber),
          blockHash: log.blockHash as Hex,
          transactionHash: log.transactionHash as Hex,
        };
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
