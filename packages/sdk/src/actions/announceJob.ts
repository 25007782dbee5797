import { jobMarketAbi } from "@quorate/abi";
import type { Request } from "@quorate/core";
import { encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link announceJob}. */
export type AnnounceJobParameters = WriteOptions & {
  /** What is asked for; its requester must be the client's account. */
  readonly request: Request;
};

/** What {@link announceJob} returns. */
export type AnnounceJobReturnType = WriteResult;

/** What {@link announceJob} throws: the contract's refusal, or an error with one of these codes. */
export type AnnounceJobErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link announceJob} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeAnnounceJob(parameters: Encodable<AnnounceJobParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({ abi: jobMarketAbi, functionName: "announce", args: [parameters.request] }),
    value: 0n,
  };
}

/**
 * Publishes a request as an event. Providers read its requirements from a relay, by their hash. Costs gas, changes nothing, binds nobody.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link AnnounceJobErrorType}.
 */
export function announceJob(client: MarketClient, parameters: AnnounceJobParameters): Promise<AnnounceJobReturnType> {
  return sendCall(client, encodeAnnounceJob({ ...parameters, market: client.market }), parameters);
}
