import { queryMarketAbi } from "@quorate/abi";
import type { Address } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link readQueryRecord}. */
export type ReadQueryRecordParameters = {
  readonly provider: Address;
};

/** What {@link readQueryRecord} returns. */
export type ReadQueryRecordReturnType = {
  /** Questions that were answered in time. */
  readonly answered: number;
  /** Questions that expired. */
  readonly expired: number;
};

/** What {@link readQueryRecord} throws. */
export type ReadQueryRecordErrorType = ReadErrorType;

/**
 * Reads how often a domain provider answered, and how often it did not.
 *
 * @param client Client of the query market.
 * @param parameters What to read.
 * @throws A {@link ReadQueryRecordErrorType}.
 */
export async function readQueryRecord(
  client: MarketClient,
  parameters: ReadQueryRecordParameters,
): Promise<ReadQueryRecordReturnType> {
  const [answered, expired] = await read(
    client.public.readContract({
      address: client.market,
      abi: queryMarketAbi,
      functionName: "recordOf",
      args: [parameters.provider],
    }),
  );
  return { answered, expired };
}
