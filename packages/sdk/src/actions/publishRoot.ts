import { queryMarketAbi } from "@quorate/abi";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link publishRoot}. */
export type PublishRootParameters = WriteOptions & {
  /** Id of the dataset. */
  readonly dataset: Hex;
  /** Root of the tree of records, below the field modulus. */
  readonly root: bigint;
};

/** What {@link publishRoot} returns. */
export type PublishRootReturnType = WriteResult;

/** What {@link publishRoot} throws: the contract's refusal, or an error with one of these codes. */
export type PublishRootErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link publishRoot} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the query market.
 */
export function encodePublishRoot(parameters: Encodable<PublishRootParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: queryMarketAbi,
      functionName: "publishRoot",
      args: [parameters.dataset, parameters.root],
    }),
    value: 0n,
  };
}

/**
 * Publishes a root of a dataset; the one before can be asked for the dataset's grace. Sent by its provider or publisher.
 *
 * @param client Client of the query market, with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link PublishRootErrorType}.
 */
export function publishRoot(client: MarketClient, parameters: PublishRootParameters): Promise<PublishRootReturnType> {
  return sendCall(client, encodePublishRoot({ ...parameters, market: client.market }), parameters);
}
