import { jobMarketAbi } from "@quorate/abi";
import type { Opening, PlacedCommitment, Terms } from "@quorate/core";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link revealJob}. */
export type RevealJobParameters = WriteOptions & {
  /** Job. */
  readonly jobId: Hex;
  /** As `open` fixed them. */
  readonly terms: Terms;
  /** All commitments of the job in the order in which they landed. */
  readonly commitments: readonly PlacedCommitment[];
  /** At least one. */
  readonly openings: readonly Opening[];
};

/** What {@link revealJob} returns. */
export type RevealJobReturnType = WriteResult;

/** What {@link revealJob} throws: the contract's refusal, or an error with one of these codes. */
export type RevealJobErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link revealJob} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeRevealJob(parameters: Encodable<RevealJobParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "reveal",
      args: [parameters.jobId, parameters.terms, parameters.commitments, parameters.openings],
    }),
    value: 0n,
  };
}

/**
 * Opens commitments, anybody's; settles the job with the last one. Bad openings are skipped with an event.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link RevealJobErrorType}.
 */
export function revealJob(client: MarketClient, parameters: RevealJobParameters): Promise<RevealJobReturnType> {
  return sendCall(client, encodeRevealJob({ ...parameters, market: client.market }), parameters);
}
