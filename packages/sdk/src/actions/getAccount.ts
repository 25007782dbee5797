import { jobMarketAbi } from "@quorate/abi";
import type { Address } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link getAccount}. */
export type GetAccountParameters = {
  /** ERC-20 token. */
  readonly token: Address;
  /** Whose account in the market. */
  readonly account: Address;
};

/** What {@link getAccount} returns: base units. */
export type GetAccountReturnType = {
  /** May be withdrawn, escrowed or locked at any time. */
  readonly free: bigint;
  /** Bonds of open places. */
  readonly locked: bigint;
};

/** What {@link getAccount} throws. */
export type GetAccountErrorType = ReadErrorType;

/**
 * Reads the balances of an account in the market.
 *
 * @param client Market client.
 * @param parameters Token and owner.
 * @throws A {@link GetAccountErrorType}.
 */
export async function getAccount(
  client: MarketClient,
  parameters: GetAccountParameters,
): Promise<GetAccountReturnType> {
  const [free, locked] = await read(
    client.public.readContract({
      address: client.market,
      abi: jobMarketAbi,
      functionName: "accountOf",
      args: [parameters.token, parameters.account],
    }),
  );
  return { free, locked };
}
