import { jobMarketAbi } from "@quorate/abi";
import type { Request, SignedOffer } from "@quorate/core";
import { encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link openJob}. */
export type OpenJobParameters = WriteOptions & {
  /** Its digest is the job id; its requester must be the client's account. */
  readonly request: Request;
  /** Spares among `offers`, at most `request.spares`. */
  readonly spares: number;
  /** Seats first, then spares, then shadows; with key wraps. */
  readonly offers: readonly SignedOffer[];
};

/** What {@link openJob} returns. */
export type OpenJobReturnType = WriteResult;

/** What {@link openJob} throws: the contract's refusal, or an error with one of these codes. */
export type OpenJobErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link openJob} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeOpenJob(parameters: Encodable<OpenJobParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "open",
      args: [parameters.request, parameters.spares, parameters.offers],
    }),
    value: 0n,
  };
}

/**
 * Opens a job: verifies every offer, escrows the requester's money, locks the providers' bonds. A job id opens once for ever.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link OpenJobErrorType}: BadOffers: `details.badOffers` names place and cause of each.
 */
export function openJob(client: MarketClient, parameters: OpenJobParameters): Promise<OpenJobReturnType> {
  return sendCall(client, encodeOpenJob({ ...parameters, market: client.market }), parameters);
}
