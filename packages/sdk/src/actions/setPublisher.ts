import { queryMarketAbi } from "@quorate/abi";
import { type Address, encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link setPublisher}. */
export type SetPublisherParameters = WriteOptions & {
  /** Id of the dataset. */
  readonly dataset: Hex;
  /** Hot key that may publish and revoke roots; zero for none. */
  readonly publisher: Address;
};

/** What {@link setPublisher} returns. */
export type SetPublisherReturnType = WriteResult;

/** What {@link setPublisher} throws: the contract's refusal, or an error with one of these codes. */
export type SetPublisherErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link setPublisher} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the query market.
 */
export function encodeSetPublisher(parameters: Encodable<SetPublisherParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: queryMarketAbi,
      functionName: "setPublisher",
      args: [parameters.dataset, parameters.publisher],
    }),
    value: 0n,
  };
}

/**
 * Names another key that may publish and revoke roots of a dataset. Sent by its provider.
 *
 * @param client Client of the query market, with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link SetPublisherErrorType}.
 */
export function setPublisher(
  client: MarketClient,
  parameters: SetPublisherParameters,
): Promise<SetPublisherReturnType> {
  return sendCall(client, encodeSetPublisher({ ...parameters, market: client.market }), parameters);
}
