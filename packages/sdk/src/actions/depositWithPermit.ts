import { jobMarketAbi } from "@quorate/abi";
import { type Address, encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { accountOf, type EncodedCall, sendCall } from "../internal/sendCall.ts";
import { type Permit, signPermit } from "./signPermit.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link depositWithPermit}. */
export type DepositWithPermitParameters = WriteOptions & {
  /** ERC-20 token with ERC-2612 permits. */
  readonly token: Address;
  /** Account in the market that is credited; default the payer. */
  readonly account?: Address;
  /** Base units. */
  readonly amount: bigint;
  /** A permit signed before; default: one is signed now, good for an hour. */
  readonly permit?: Permit;
};

/** What {@link depositWithPermit} returns. */
export type DepositWithPermitReturnType = WriteResult;

/** What {@link depositWithPermit} throws. */
export type DepositWithPermitErrorType = ContractRefused | { readonly code: WriteErrorCode | "PERMIT_UNSUPPORTED" };

/**
 * The call that {@link depositWithPermit} sends, for another sender.
 *
 * @param parameters As of the action, with the market's address, the account, and a permit by the sender.
 */
export function encodeDepositWithPermit(
  parameters: Encodable<DepositWithPermitParameters> & { readonly account: Address; readonly permit: Permit },
): EncodedCall {
  const { market, token, account, amount, permit } = parameters;
  return {
    to: market,
    data: encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "depositWithPermit",
      args: [token, account, amount, permit.deadline, permit.v, permit.r, permit.s],
    }),
    value: 0n,
  };
}

/**
 * Pays tokens into an account of the market with a signature instead of an allowance transaction. A permit that somebody
 * used first does no harm.
 *
 * @param client Market client with a wallet.
 * @param parameters What to pay, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link DepositWithPermitErrorType}.
 */
export async function depositWithPermit(
  client: MarketClient,
  parameters: DepositWithPermitParameters,
): Promise<DepositWithPermitReturnType> {
  const permit = parameters.permit ?? (await signPermit(client, { token: parameters.token, value: parameters.amount }));
  const account = parameters.account ?? accountOf(client).address;
  return sendCall(
    client,
    encodeDepositWithPermit({ ...parameters, account, permit, market: client.market }),
    parameters,
  );
}
