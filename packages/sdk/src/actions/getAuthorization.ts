import { jobMarketAbi } from "@quorate/abi";
import type { Address } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link getAuthorization}. */
export type GetAuthorizationParameters = {
  readonly provider: Address;
  readonly agent: Address;
  /** Token of the jobs. */
  readonly token: Address;
};

/** What {@link getAuthorization} returns; zeros when there is none. */
export type GetAuthorizationReturnType = {
  /** Base units. */
  readonly maxBondPerSeat: bigint;
  /** Seconds. */
  readonly minCommitWindow: number;
  /** Unix s; in force before. */
  readonly validUntil: number;
};

/** What {@link getAuthorization} throws. */
export type GetAuthorizationErrorType = ReadErrorType;

/**
 * Reads what a provider lets an agent do.
 *
 * @param client Market client.
 * @param parameters Provider, agent, token.
 * @throws A {@link GetAuthorizationErrorType}.
 */
export async function getAuthorization(
  client: MarketClient,
  parameters: GetAuthorizationParameters,
): Promise<GetAuthorizationReturnType> {
  const { provider, agent, token } = parameters;
  const [maxBondPerSeat, minCommitWindow, validUntil] = await read(
    client.public.readContract({
      address: client.market,
      abi: jobMarketAbi,
      functionName: "authorizationOf",
      args: [provider, agent, token],
    }),
  );
  return { maxBondPerSeat, minCommitWindow, validUntil };
}
