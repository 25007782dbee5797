import { jobMarketAbi } from "@quorate/abi";
import { type Address, encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link claimQuarantine}. */
export type ClaimQuarantineParameters = WriteOptions & {
  /** Whose bond it is. */
  readonly provider: Address;
  /** ERC-20 token. */
  readonly token: Address;
  /** Number of the probation. */
  readonly number: number;
};

/** What {@link claimQuarantine} returns. */
export type ClaimQuarantineReturnType = WriteResult;

/** What {@link claimQuarantine} throws: the contract's refusal, or an error with one of these codes. */
export type ClaimQuarantineErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link claimQuarantine} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeClaimQuarantine(parameters: Encodable<ClaimQuarantineParameters>): EncodedCall {
  return {
    to: parameters.market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "claimQuarantine",
      args: [parameters.provider, parameters.token, parameters.number],
    }),
    value: 0n,
  };
}

/**
 * Moves a quarantined bond once its probation has ended: back to the provider, or burnt. Anyone may.
 *
 * @param client Market client with a wallet.
 * @param parameters What to send, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link ClaimQuarantineErrorType}.
 */
export function claimQuarantine(
  client: MarketClient,
  parameters: ClaimQuarantineParameters,
): Promise<ClaimQuarantineReturnType> {
  return sendCall(client, encodeClaimQuarantine({ ...parameters, market: client.market }), parameters);
}
