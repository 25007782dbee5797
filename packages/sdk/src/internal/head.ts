import type { MarketClient } from "../client.ts";
import { read } from "./read.ts";

/** The newest block as far as decisions need it. */
export type BlockHead = {
  readonly number: number;
  /** Unix s: the time of the chain. */
  readonly timestamp: number;
};

/**
 * Reads number and time of the newest block.
 *
 * @param client Market client.
 * @throws RetryableError `NODE_UNREACHABLE`, `NODE_REFUSED`.
 */
export async function getBlockHead(client: MarketClient): Promise<BlockHead> {
  const block = await read(client.public.getBlock());
  return { number: Number(block.number), timestamp: Number(block.timestamp) };
}
