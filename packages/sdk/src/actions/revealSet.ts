import { jobMarketAbi } from "@quorate/abi";
import type { Opening, PlacedCommitment, SetSignature, Terms } from "@quorate/core";
import { encodeFunctionData, type Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link revealSet}. */
export type RevealSetParameters = WriteOptions & {
  /** Job. */
  readonly jobId: Hex;
  /** As `open` fixed them, with the flag `SetVotes`. */
  readonly terms: Terms;
  /** All commitments of the job on chain in the order in which they landed; mostly none. */
  readonly landed: readonly PlacedCommitment[];
  /** By place, the commitment of each member that is not opened in this call, zero for every other; may be shorter. */
  readonly closed: readonly Hex[];
  /** Of every other member. */
  readonly openings: readonly Opening[];
  /** One a member, in the order of places: see `packSetSignature`. */
  readonly signatures: readonly SetSignature[];
};

/** What {@link revealSet} returns. */
export type RevealSetReturnType = WriteResult;

/** What {@link revealSet} throws: the contract's refusal, or an error with one of these codes. */
export type RevealSetErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link revealSet} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeRevealSet(parameters: Encodable<RevealSetParameters>): EncodedCall {
  const { jobId, terms, landed, closed, openings, signatures } = parameters;
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "revealSet",
      args: [jobId, terms, landed, closed, openings, signatures],
    }),
    value: 0n,
  };
}

/**
 * Brings the votes of a job in one call: a set of commitments that every seat signed, with openings. Settles the job when no
 * commitment is left closed.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link RevealSetErrorType}.
 */
export function revealSet(client: MarketClient, parameters: RevealSetParameters): Promise<RevealSetReturnType> {
  return sendCall(client, encodeRevealSet({ ...parameters, market: client.market }), parameters);
}
