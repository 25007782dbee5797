import { queryMarketAbi } from "@quorate/abi";
import type { Hex } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link readRoot}. */
export type ReadRootParameters = {
  /** Id of the dataset. */
  readonly dataset: Hex;
  readonly root: bigint;
};

/** What {@link readRoot} returns. */
export type ReadRootReturnType = {
  /** Unix s; zero when it was never published. */
  readonly publishedAt: number;
  /** Unix s; zero while it is the newest. */
  readonly supersededAt: number;
  readonly revoked: boolean;
  /** Whether a question may name it now. */
  readonly askable: boolean;
};

/** What {@link readRoot} throws. */
export type ReadRootErrorType = ReadErrorType;

/**
 * Reads when a root of a dataset was published, and whether it can be asked.
 *
 * @param client Client of the query market.
 * @param parameters What to read.
 * @throws A {@link ReadRootErrorType}.
 */
export async function readRoot(client: MarketClient, parameters: ReadRootParameters): Promise<ReadRootReturnType> {
  const [publishedAt, supersededAt, revoked, askable] = await read(
    client.public.readContract({
      address: client.market,
      abi: queryMarketAbi,
      functionName: "rootOf",
      args: [parameters.dataset, parameters.root],
    }),
  );
  return { publishedAt, supersededAt, revoked, askable };
}
