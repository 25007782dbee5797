import { type Address, encodeFunctionData, erc20Abi } from "viem";
import type { MarketClient } from "../client.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link approveToken}. */
export type ApproveTokenParameters = WriteOptions & {
  /** ERC-20 token. */
  readonly token: Address;
  /** Base units that the market may take; say no more than the next deposit needs. */
  readonly amount: bigint;
};

/** What {@link approveToken} returns. */
export type ApproveTokenReturnType = WriteResult;

/** What {@link approveToken} throws. */
export type ApproveTokenErrorType = { readonly code: WriteErrorCode };

/**
 * The call that {@link approveToken} sends, for another sender. It goes to the token, not to the market.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeApproveToken(parameters: Encodable<ApproveTokenParameters>): EncodedCall {
  return {
    to: parameters.token,
    data: encodeFunctionData({ abi: erc20Abi, functionName: "approve", args: [parameters.market, parameters.amount] }),
    value: 0n,
  };
}

/**
 * Lets the market take tokens of the client's account: what `deposit` needs where the token has no permits.
 *
 * @param client Market client with a wallet.
 * @param parameters Token and amount, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws An {@link ApproveTokenErrorType}.
 */
export function approveToken(
  client: MarketClient,
  parameters: ApproveTokenParameters,
): Promise<ApproveTokenReturnType> {
  return sendCall(client, encodeApproveToken({ ...parameters, market: client.market }), parameters);
}
