import { queryMarketAbi } from "@quorate/abi";
import { type Address, encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link registerDataset}. */
export type RegisterDatasetParameters = WriteOptions & {
  /** Hash of the dataset's definition; with the sender it makes the dataset's id. */
  readonly definition: Hex;
  /** Seconds that a superseded root may still be asked. */
  readonly grace: number;
  /** Hot key that may publish and revoke roots beside the provider; zero for none. */
  readonly publisher: Address;
};

/** What {@link registerDataset} returns. */
export type RegisterDatasetReturnType = WriteResult;

/** What {@link registerDataset} throws: the contract's refusal, or an error with one of these codes. */
export type RegisterDatasetErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link registerDataset} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the query market.
 */
export function encodeRegisterDataset(parameters: Encodable<RegisterDatasetParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: queryMarketAbi,
      functionName: "registerDataset",
      args: [parameters.definition, parameters.grace, parameters.publisher],
    }),
    value: 0n,
  };
}

/**
 * Registers a dataset of the client's account, once for ever; its first root is published by `publishRoot`.
 *
 * @param client Client of the query market, with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link RegisterDatasetErrorType}.
 */
export function registerDataset(
  client: MarketClient,
  parameters: RegisterDatasetParameters,
): Promise<RegisterDatasetReturnType> {
  return sendCall(client, encodeRegisterDataset({ ...parameters, market: client.market }), parameters);
}
