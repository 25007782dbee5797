import type { Address } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import { encodeAuthorizeAgent } from "./authorizeAgent.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link revokeAgent}. */
export type RevokeAgentParameters = WriteOptions & {
  /** Hot key that may no longer sign. */
  readonly agent: Address;
  /** Token that it was authorized for. */
  readonly token: Address;
};

/** What {@link revokeAgent} returns. */
export type RevokeAgentReturnType = WriteResult;

/** What {@link revokeAgent} throws. */
export type RevokeAgentErrorType = ContractRefused | { readonly code: WriteErrorCode };

/**
 * The call that {@link revokeAgent} sends, for another sender.
 *
 * @param parameters As of the action, with the address of the market.
 */
export function encodeRevokeAgent(parameters: Encodable<RevokeAgentParameters>): EncodedCall {
  const { market, agent, token } = parameters;
  return encodeAuthorizeAgent({ market, agent, token, maxBondPerSeat: 0n, minCommitWindow: 0, validUntil: 0 });
}

/**
 * Ends an agent's authorization. Offers and commitments that it signed count no longer; places that are open already stay
 * open, and their provider itself can serve them.
 *
 * @param client Market client with the provider's wallet.
 * @param parameters Agent and token, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link RevokeAgentErrorType}.
 */
export function revokeAgent(client: MarketClient, parameters: RevokeAgentParameters): Promise<RevokeAgentReturnType> {
  return sendCall(client, encodeRevokeAgent({ ...parameters, market: client.market }), parameters);
}
