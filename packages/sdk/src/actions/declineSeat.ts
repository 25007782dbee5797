import { jobMarketAbi } from "@quorate/abi";
import type { Terms } from "@quorate/core";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link declineSeat}. */
export type DeclineSeatParameters = WriteOptions & {
  /** Job. */
  readonly jobId: Hex;
  /** As `open` fixed them. */
  readonly terms: Terms;
  /** Index of the provider's place. */
  readonly place: number;
};

/** What {@link declineSeat} returns. */
export type DeclineSeatReturnType = WriteResult;

/** What {@link declineSeat} throws: the contract's refusal, or an error with one of these codes. */
export type DeclineSeatErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link declineSeat} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeDeclineSeat(parameters: Encodable<DeclineSeatParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "decline",
      args: [parameters.jobId, parameters.terms, parameters.place],
    }),
    value: 0n,
  };
}

/**
 * Declines a place in the first quarter of its window; the bond returns at once.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link DeclineSeatErrorType}.
 */
export function declineSeat(client: MarketClient, parameters: DeclineSeatParameters): Promise<DeclineSeatReturnType> {
  return sendCall(client, encodeDeclineSeat({ ...parameters, market: client.market }), parameters);
}
