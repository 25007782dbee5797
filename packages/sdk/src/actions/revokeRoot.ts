import { queryMarketAbi } from "@quorate/abi";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link revokeRoot}. */
export type RevokeRootParameters = WriteOptions & {
  /** Id of the dataset. */
  readonly dataset: Hex;
  /** A published root. */
  readonly root: bigint;
};

/** What {@link revokeRoot} returns. */
export type RevokeRootReturnType = WriteResult;

/** What {@link revokeRoot} throws: the contract's refusal, or an error with one of these codes. */
export type RevokeRootErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link revokeRoot} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the query market.
 */
export function encodeRevokeRoot(parameters: Encodable<RevokeRootParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: queryMarketAbi,
      functionName: "revokeRoot",
      args: [parameters.dataset, parameters.root],
    }),
    value: 0n,
  };
}

/**
 * Revokes a root: it can no longer be asked. Questions already asked stay answerable. Sent by the dataset's provider or publisher.
 *
 * @param client Client of the query market, with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link RevokeRootErrorType}.
 */
export function revokeRoot(client: MarketClient, parameters: RevokeRootParameters): Promise<RevokeRootReturnType> {
  return sendCall(client, encodeRevokeRoot({ ...parameters, market: client.market }), parameters);
}
