import { jobMarketAbi } from "@quorate/abi";
import type { Terms } from "@quorate/core";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link promoteSpares}. */
export type PromoteSparesParameters = WriteOptions & {
  /** Job. */
  readonly jobId: Hex;
  /** As `open` fixed them. */
  readonly terms: Terms;
};

/** What {@link promoteSpares} returns. */
export type PromoteSparesReturnType = WriteResult;

/** What {@link promoteSpares} throws: the contract's refusal, or an error with one of these codes. */
export type PromoteSparesErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link promoteSpares} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodePromoteSpares(parameters: Encodable<PromoteSparesParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "promote",
      args: [parameters.jobId, parameters.terms],
    }),
    value: 0n,
  };
}

/**
 * Gives every vacant seat, lowest first, the lowest spare left. Anyone may.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link PromoteSparesErrorType}.
 */
export function promoteSpares(
  client: MarketClient,
  parameters: PromoteSparesParameters,
): Promise<PromoteSparesReturnType> {
  return sendCall(client, encodePromoteSpares({ ...parameters, market: client.market }), parameters);
}
