import { queryMarketAbi } from "@quorate/abi";
import type { Quote } from "@quorate/core";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link ask}. */
export type AskParameters = WriteOptions & {
  /** As the provider signed it; its asker must be the client's account. */
  readonly quote: Quote;
  /** Of the provider, or of an agent of it within its limits. */
  readonly signature: Hex;
};

/** What {@link ask} returns. */
export type AskReturnType = WriteResult;

/** What {@link ask} throws: the contract's refusal, or an error with one of these codes. */
export type AskErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link ask} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the query market.
 */
export function encodeAsk(parameters: Encodable<AskParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: queryMarketAbi,
      functionName: "ask",
      args: [parameters.quote, parameters.signature],
    }),
    value: 0n,
  };
}

/**
 * Asks a question: escrows the price, locks the provider's bond. A query is asked once per provider.
 *
 * @param client Client of the query market, with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link AskErrorType}.
 */
export function ask(client: MarketClient, parameters: AskParameters): Promise<AskReturnType> {
  return sendCall(client, encodeAsk({ ...parameters, market: client.market }), parameters);
}
