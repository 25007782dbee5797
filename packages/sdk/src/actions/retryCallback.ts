import { jobMarketAbi } from "@quorate/abi";
import type { Request } from "@quorate/core";
import { encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link retryCallback}. */
export type RetryCallbackParameters = WriteOptions & {
  /** Of the settled job whose callback failed. */
  readonly request: Request;
};

/** What {@link retryCallback} returns. */
export type RetryCallbackReturnType = WriteResult;

/** What {@link retryCallback} throws: the contract's refusal, or an error with one of these codes. */
export type RetryCallbackErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link retryCallback} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeRetryCallback(parameters: Encodable<RetryCallbackParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({ abi: jobMarketAbi, functionName: "retryCallback", args: [parameters.request] }),
    value: 0n,
  };
}

/**
 * Calls the callback of a settled job again, after it failed. Anyone may; money is not touched.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link RetryCallbackErrorType}.
 */
export function retryCallback(
  client: MarketClient,
  parameters: RetryCallbackParameters,
): Promise<RetryCallbackReturnType> {
  return sendCall(client, encodeRetryCallback({ ...parameters, market: client.market }), parameters);
}
