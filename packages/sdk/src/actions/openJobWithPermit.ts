import { jobMarketAbi } from "@quorate/abi";
import { type Address, encodeFunctionData } from "viem";
import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import { encodeDepositWithPermit } from "./depositWithPermit.ts";
import { encodeOpenJob, type OpenJobParameters } from "./openJob.ts";
import { type Permit, signPermit } from "./signPermit.ts";
import type { Encodable, WriteErrorCode, WriteResult } from "./types.ts";

/** Parameters of {@link openJobWithPermit}. */
export type OpenJobWithPermitParameters = OpenJobParameters & {
  /** Base units to pay into the requester's account in the same transaction. */
  readonly amount: bigint;
  /** A permit signed before; default: one is signed now, good for an hour. */
  readonly permit?: Permit;
};

/** What {@link openJobWithPermit} returns. */
export type OpenJobWithPermitReturnType = WriteResult;

/** What {@link openJobWithPermit} throws. */
export type OpenJobWithPermitErrorType = ContractRefused | { readonly code: WriteErrorCode | "PERMIT_UNSUPPORTED" };

/**
 * The call that {@link openJobWithPermit} sends, for another sender.
 *
 * @param parameters As of the action, with the market's address and a permit by the requester.
 */
export function encodeOpenJobWithPermit(
  parameters: Encodable<OpenJobWithPermitParameters> & { readonly permit: Permit },
): EncodedCall {
  const { market, request, amount, permit } = parameters;
  const token: Address = request.token;
  const calls = [
    encodeDepositWithPermit({ market, token, account: request.requester, amount, permit }).data,
    encodeOpenJob(parameters).data,
  ];
  return {
    to: market,
    data: encodeFunctionData({ abi: jobMarketAbi, functionName: "multicall", args: [calls] }),
    value: 0n,
  };
}

/**
 * Funds and opens a job in one transaction: both happen or neither.
 *
 * @param client Market client with the requester's wallet.
 * @param parameters As of `openJob`, with the amount to pay in.
 * @returns Hash and receipt of the mined transaction.
 * @throws An {@link OpenJobWithPermitErrorType}.
 */
export async function openJobWithPermit(
  client: MarketClient,
  parameters: OpenJobWithPermitParameters,
): Promise<OpenJobWithPermitReturnType> {
  const { amount, request } = parameters;
  const permit = parameters.permit ?? (await signPermit(client, { token: request.token, value: amount }));
  return sendCall(client, encodeOpenJobWithPermit({ ...parameters, permit, market: client.market }), parameters);
}
