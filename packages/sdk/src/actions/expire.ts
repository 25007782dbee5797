import { queryMarketAbi } from "@quorate/abi";
import type { Quote } from "@quorate/core";
import { encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link expire}. */
export type ExpireParameters = WriteOptions & {
  /** As it was asked. */
  readonly quote: Quote;
};

/** What {@link expire} returns. */
export type ExpireReturnType = WriteResult;

/** What {@link expire} throws: the contract's refusal, or an error with one of these codes. */
export type ExpireErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link expire} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the query market.
 */
export function encodeExpire(parameters: Encodable<ExpireParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: queryMarketAbi,
      functionName: "expire",
      args: [parameters.quote],
    }),
    value: 0n,
  };
}

/**
 * Ends a question without an answer: price and bond go to the asker. By anybody after the deadline, by the provider at any time.
 *
 * @param client Client of the query market, with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link ExpireErrorType}.
 */
export function expire(client: MarketClient, parameters: ExpireParameters): Promise<ExpireReturnType> {
  return sendCall(client, encodeExpire({ ...parameters, market: client.market }), parameters);
}
