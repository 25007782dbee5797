import { jobMarketAbi } from "@quorate/abi";
import type { Hex } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link verifyResult}. */
export type VerifyResultParameters = {
  readonly jobId: Hex;
  /** 32 bytes: `deriveResultKey(packageKey, jobId)`. */
  readonly resultKey: Hex;
  /** Bytes that the function returned. */
  readonly result: Hex;
};

/** What {@link verifyResult} returns. */
export type VerifyResultReturnType = boolean;

/** What {@link verifyResult} throws. */
export type VerifyResultErrorType = ReadErrorType;

/**
 * Asks the market whether bytes are the accepted result of a job whose function returned.
 *
 * Warning: the node learns key and result. `fetchResult` compares here instead.
 *
 * @param client Market client.
 * @param parameters Job, result key, result.
 * @throws A {@link VerifyResultErrorType}.
 */
export function verifyResult(
  client: MarketClient,
  parameters: VerifyResultParameters,
): Promise<VerifyResultReturnType> {
  const { jobId, resultKey, result } = parameters;
  return read(
    client.public.readContract({
      address: client.market,
      abi: jobMarketAbi,
      functionName: "verifyResult",
      args: [jobId, resultKey, result],
    }),
  );
}
