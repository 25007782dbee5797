import { queryMarketAbi } from "@quorate/abi";
import { encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { ProvedAnswer } from "./answer.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link answerBatch}. */
export type AnswerBatchParameters = WriteOptions & {
  /** All for one verifier. */
  readonly answers: readonly ProvedAnswer[];
};

/** What {@link answerBatch} returns. */
export type AnswerBatchReturnType = WriteResult;

/** What {@link answerBatch} throws: the contract's refusal, or an error with one of these codes. */
export type AnswerBatchErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link answerBatch} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the query market.
 */
export function encodeAnswerBatch(parameters: Encodable<AnswerBatchParameters>): EncodedCall {
  const answers = parameters.answers.map(({ quote, cipher, nullifier, proof }) => ({
    quote,
    cipher,
    nullifier,
    proof,
  }));
  return {
    to: parameters.market,
    data: encodeFunctionData({ abi: queryMarketAbi, functionName: "answerBatch", args: [answers] }),
    value: 0n,
  };
}

/**
 * Answers several questions with one verification. Those that are no longer open are skipped, with an event each.
 *
 * @param client Client of the query market, with a wallet.
 * @param parameters Answers, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws An {@link AnswerBatchErrorType}.
 */
export function answerBatch(client: MarketClient, parameters: AnswerBatchParameters): Promise<AnswerBatchReturnType> {
  return sendCall(client, encodeAnswerBatch({ ...parameters, market: client.market }), parameters);
}
