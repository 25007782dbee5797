import { jobMarketAbi } from "@quorate/abi";
import { type Address, encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link withdraw}. */
export type WithdrawParameters = WriteOptions & {
  /** ERC-20 token. */
  readonly token: Address;
  /** Who receives it. */
  readonly to: Address;
  /** Base units. */
  readonly amount: bigint;
};

/** What {@link withdraw} returns. */
export type WithdrawReturnType = WriteResult;

/** What {@link withdraw} throws: the contract's refusal, or an error with one of these codes. */
export type WithdrawErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link withdraw} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeWithdraw(parameters: Encodable<WithdrawParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "withdraw",
      args: [parameters.token, parameters.to, parameters.amount],
    }),
    value: 0n,
  };
}

/**
 * Takes free balance out of the market.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link WithdrawErrorType}.
 */
export function withdraw(client: MarketClient, parameters: WithdrawParameters): Promise<WithdrawReturnType> {
  return sendCall(client, encodeWithdraw({ ...parameters, market: client.market }), parameters);
}
