import { queryMarketAbi } from "@quorate/abi";
import type { Address, Hex } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link readDataset}. */
export type ReadDatasetParameters = {
  /** Id of the dataset. */
  readonly dataset: Hex;
};

/** What {@link readDataset} returns. */
export type ReadDatasetReturnType = {
  /** Zero when the dataset is not registered. */
  readonly provider: Address;
  /** Seconds that a superseded root may still be asked. */
  readonly grace: number;
  /** Zero when only the provider publishes. */
  readonly publisher: Address;
  /** The newest root; zero before the first. */
  readonly root: bigint;
};

/** What {@link readDataset} throws. */
export type ReadDatasetErrorType = ReadErrorType;

/**
 * Reads who provides a dataset, and its newest root.
 *
 * @param client Client of the query market.
 * @param parameters What to read.
 * @throws A {@link ReadDatasetErrorType}.
 */
export async function readDataset(
  client: MarketClient,
  parameters: ReadDatasetParameters,
): Promise<ReadDatasetReturnType> {
  const [provider, grace, publisher, root] = await read(
    client.public.readContract({
      address: client.market,
      abi: queryMarketAbi,
      functionName: "datasetOf",
      args: [parameters.dataset],
    }),
  );
  return { provider, grace, publisher, root };
}
