import { jobMarketAbi } from "@quorate/abi";
import { type Address, encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link authorizeAgent}. */
export type AuthorizeAgentParameters = WriteOptions & {
  /** Hot key that may sign offers and commitments for the client's account. It can never withdraw. */
  readonly agent: Address;
  /** Token of the jobs. */
  readonly token: Address;
  /** Highest bond per place that the agent may offer, base units. */
  readonly maxBondPerSeat: bigint;
  /** Shortest commit window that the agent may accept, seconds. */
  readonly minCommitWindow: number;
  /** Unix s at which the authorization ends. */
  readonly validUntil: number;
};

/** What {@link authorizeAgent} returns. */
export type AuthorizeAgentReturnType = WriteResult;

/** What {@link authorizeAgent} throws. */
export type AuthorizeAgentErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link authorizeAgent} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeAuthorizeAgent(parameters: Encodable<AuthorizeAgentParameters>): EncodedCall {
  const { market, agent, token, maxBondPerSeat, minCommitWindow, validUntil } = parameters;
  return {
    to: market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "authorize",
      args: [agent, token, maxBondPerSeat, minCommitWindow, validUntil],
    }),
    value: 0n,
  };
}

/**
 * Lets an agent sign offers and commitments for the client's account, within limits.
 *
 * @param client Market client with the provider's wallet.
 * @param parameters Agent and limits, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws An {@link AuthorizeAgentErrorType}.
 */
export function authorizeAgent(
  client: MarketClient,
  parameters: AuthorizeAgentParameters,
): Promise<AuthorizeAgentReturnType> {
  return sendCall(client, encodeAuthorizeAgent({ ...parameters, market: client.market }), parameters);
}
