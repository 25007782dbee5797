import { queryMarketAbi } from "@quorate/abi";
import type { Quote } from "@quorate/core";
import { encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** A Groth16 proof as the contract takes it: a (2), b (4), c (2), in the order of snarkjs' Solidity calldata. */
export type ProofWords = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

/** A proved answer to one question. */
export type ProvedAnswer = {
  /** As it was asked. */
  readonly quote: Quote;
  /** Answer under the asker's key. */
  readonly cipher: bigint;
  /** One use of the record's budget. */
  readonly nullifier: bigint;
  readonly proof: ProofWords;
};

/** Parameters of {@link answer}. */
export type AnswerParameters = WriteOptions & ProvedAnswer;

/** What {@link answer} returns. */
export type AnswerReturnType = WriteResult;

/** What {@link answer} throws: the contract's refusal, or an error with one of these codes. */
export type AnswerErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link answer} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the query market.
 */
export function encodeAnswer(parameters: Encodable<AnswerParameters>): EncodedCall {
  const { market, quote, cipher, nullifier, proof } = parameters;
  return {
    to: market,
    data: encodeFunctionData({
      abi: queryMarketAbi,
      functionName: "answer",
      args: [quote, cipher, nullifier, proof],
    }),
    value: 0n,
  };
}

/**
 * Answers a question with a proof: pays the provider of the quote, whoever sends it, and stores the cipher.
 *
 * @param client Client of the query market, with a wallet.
 * @param parameters Answer, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws An {@link AnswerErrorType}.
 */
export function answer(client: MarketClient, parameters: AnswerParameters): Promise<AnswerReturnType> {
  return sendCall(client, encodeAnswer({ ...parameters, market: client.market }), parameters);
}
