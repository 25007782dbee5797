import { jobMarketAbi } from "@quorate/abi";
import type { Terms } from "@quorate/core";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link settleJob}. */
export type SettleJobParameters = WriteOptions & {
  /** Job. */
  readonly jobId: Hex;
  /** As `open` fixed them. */
  readonly terms: Terms;
};

/** What {@link settleJob} returns. */
export type SettleJobReturnType = WriteResult;

/** What {@link settleJob} throws: the contract's refusal, or an error with one of these codes. */
export type SettleJobErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link settleJob} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeSettleJob(parameters: Encodable<SettleJobParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({ abi: jobMarketAbi, functionName: "settle", args: [parameters.jobId, parameters.terms] }),
    value: 0n,
  };
}

/**
 * Settles a job whose reveal window is over and earns its carrier fee. Anyone may.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link SettleJobErrorType}.
 */
export function settleJob(client: MarketClient, parameters: SettleJobParameters): Promise<SettleJobReturnType> {
  return sendCall(client, encodeSettleJob({ ...parameters, market: client.market }), parameters);
}
