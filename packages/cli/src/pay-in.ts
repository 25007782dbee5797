import { type Address, type Hex, isQuorateError } from "@quorate/core";
import { approveToken, deposit, depositWithPermit, type MarketClient } from "@quorate/sdk";
import type { Token } from "./token.ts";

/**
 * Moves tokens from the wallet into the market: in one transaction where the token has permits, else after an approval of
 * exactly this amount.
 *
 * @param client - Market client that signs.
 * @param token - Token.
 * @param amount - Base units.
 * @param account - Account that is credited; the payer when undefined.
 * @param signal - Ends the wait.
 * @returns Hash of the deposit.
 */
export async function depositTokens(
  client: MarketClient,
  token: Token,
  amount: bigint,
  account: Address | undefined,
  signal: AbortSignal,
): Promise<Hex> {
  const parameters = { token: token.address, amount, signal, ...(account === undefined ? {} : { account }) };
  try {
    return (await depositWithPermit(client, parameters)).hash;
  } catch (error) {
    if (!isQuorateError(error, "PERMIT_UNSUPPORTED")) throw error;
  }
  await approveToken(client, { token: token.address, amount, signal });
  return (await deposit(client, parameters)).hash;
}
