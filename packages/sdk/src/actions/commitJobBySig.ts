import { jobMarketAbi } from "@quorate/abi";
import type { CarriedCommitment, Terms } from "@quorate/core";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link commitJobBySig}. */
export type CommitJobBySigParameters = WriteOptions & {
  /** Job. */
  readonly jobId: Hex;
  /** As `open` fixed them. */
  readonly terms: Terms;
  /** Any number of different places. */
  readonly commitments: readonly CarriedCommitment[];
};

/** What {@link commitJobBySig} returns. */
export type CommitJobBySigReturnType = WriteResult;

/** What {@link commitJobBySig} throws: the contract's refusal, or an error with one of these codes. */
export type CommitJobBySigErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link commitJobBySig} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeCommitJobBySig(parameters: Encodable<CommitJobBySigParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "commitBySig",
      args: [parameters.jobId, parameters.terms, parameters.commitments],
    }),
    value: 0n,
  };
}

/**
 * Carries commitments that providers or their agents signed. Items that are invalid, late or done already are skipped with an event.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link CommitJobBySigErrorType}.
 */
export function commitJobBySig(
  client: MarketClient,
  parameters: CommitJobBySigParameters,
): Promise<CommitJobBySigReturnType> {
  return sendCall(client, encodeCommitJobBySig({ ...parameters, market: client.market }), parameters);
}
