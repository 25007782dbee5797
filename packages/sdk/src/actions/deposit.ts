import { jobMarketAbi } from "@quorate/abi";
import { RetryableError } from "@quorate/core";
import { type Address, encodeFunctionData, erc20Abi } from "viem";
import type { MarketClient } from "../client.ts";
import { type ContractRefused, toContractError } from "../errors.ts";
import { accountOf, type EncodedCall, sendCall } from "../internal/sendCall.ts";
import type { Encodable, WriteErrorCode, WriteOptions, WriteResult } from "./types.ts";

/** Parameters of {@link deposit}. */
export type DepositParameters = WriteOptions & {
  /** ERC-20 token. */
  readonly token: Address;
  /** Account in the market that is credited; default the payer. */
  readonly account?: Address;
  /** Base units. */
  readonly amount: bigint;
};

/** What {@link deposit} returns. */
export type DepositReturnType = WriteResult;

/** What {@link deposit} throws. */
export type DepositErrorType =
  | ContractRefused
  | { readonly code: WriteErrorCode | "TOKEN_BALANCE_TOO_LOW" | "TOKEN_ALLOWANCE_TOO_LOW" };

/**
 * The call that {@link deposit} sends, for another sender.
 *
 * @param parameters As of the action, with the market's address and the account.
 */
export function encodeDeposit(parameters: Encodable<DepositParameters> & { readonly account: Address }): EncodedCall {
  const { market, token, account, amount } = parameters;
  return {
    to: market,
    data: encodeFunctionData({ abi: jobMarketAbi, functionName: "deposit", args: [token, account, amount] }),
    value: 0n,
  };
}

/**
 * Pays tokens into an account of the market. The market must be allowed to take them: `approveToken`.
 *
 * @param client Market client with a wallet.
 * @param parameters What to pay, and how long to wait.
 * @returns Hash and receipt of the mined transaction.
 * @throws A {@link DepositErrorType}: TOKEN_BALANCE_TOO_LOW and TOKEN_ALLOWANCE_TOO_LOW come before anything is signed.
 */
export async function deposit(client: MarketClient, parameters: DepositParameters): Promise<DepositReturnType> {
  const { token, amount } = parameters;
  const payer = accountOf(client).address;
  const account = parameters.account ?? payer;
  await requireTokens(client, { token, payer, amount });
  let allowance: bigint;
  try {
    allowance = await client.public.readContract({
      address: token,
      abi: erc20Abi,
      functionName: "allowance",
      args: [payer, client.market],
    });
  } catch (cause) {
    throw toContractError(cause);
  }
  if (allowance < amount) {
    throw new RetryableError(
      "TOKEN_ALLOWANCE_TOO_LOW",
      `The market may take ${allowance} base units of ${token}, ${amount} are needed. Call \`approveToken\` first.`,
      { details: { found: allowance.toString(), required: amount.toString(), token } },
    );
  }
  return sendCall(client, encodeDeposit({ ...parameters, account, market: client.market }), parameters);
}

/**
 * Checks that an account holds tokens.
 *
 * @param client Market client.
 * @param parameters Token, who pays, base units.
 * @throws TOKEN_BALANCE_TOO_LOW
 */
export async function requireTokens(
  client: MarketClient,
  parameters: { readonly token: Address; readonly payer: Address; readonly amount: bigint },
): Promise<void> {
  const { token, payer, amount } = parameters;
  let balance: bigint;
  try {
    balance = await client.public.readContract({
      address: token,
      abi: erc20Abi,
      functionName: "balanceOf",
      args: [payer],
    });
  } catch (cause) {
    throw toContractError(cause);
  }
  if (balance < amount) {
    throw new RetryableError(
      "TOKEN_BALANCE_TOO_LOW",
      `${payer} holds ${balance} base units of ${token}, ${amount} are needed. Get more tokens, or ask for less: a lower price ceiling, fewer seats or spares.`,
      { details: { found: balance.toString(), required: amount.toString(), token } },
    );
  }
}
