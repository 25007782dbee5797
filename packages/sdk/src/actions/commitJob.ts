import { jobMarketAbi } from "@quorate/abi";
import type { Terms } from "@quorate/core";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link commitJob}. */
export type CommitJobParameters = WriteOptions & {
  /** Job. */
  readonly jobId: Hex;
  /** As `open` fixed them. */
  readonly terms: Terms;
  /** Index of the provider's place. */
  readonly place: number;
  /** `commitmentOf(vote)`: durable before it is sent. */
  readonly commitment: Hex;
};

/** What {@link commitJob} returns. */
export type CommitJobReturnType = WriteResult;

/** What {@link commitJob} throws: the contract's refusal, or an error with one of these codes. */
export type CommitJobErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link commitJob} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeCommitJob(parameters: Encodable<CommitJobParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "commit",
      args: [parameters.jobId, parameters.terms, parameters.place, parameters.commitment],
    }),
    value: 0n,
  };
}

/**
 * Commits the vote of a seat, by its provider or the provider's agent.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link CommitJobErrorType}.
 */
export function commitJob(client: MarketClient, parameters: CommitJobParameters): Promise<CommitJobReturnType> {
  return sendCall(client, encodeCommitJob({ ...parameters, market: client.market }), parameters);
}
