import { jobMarketAbi } from "@quorate/abi";
import type { Address } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link getStanding}. */
export type GetStandingParameters = {
  /** Provider's account. */
  readonly provider: Address;
};

/** What {@link getStanding} returns. Raw: jobs of one's own making count too, so never plan on the counters alone. */
export type GetStandingReturnType = {
  /** Number of the last probation, zero before the first. */
  readonly probation: number;
  /** Unix s. */
  readonly probationSince: number;
  /** Unix s. */
  readonly lastFaultAt: number;
  readonly alignedInRow: number;
  readonly aligned: number;
  readonly late: number;
  readonly reported: number;
  readonly undecided: number;
  readonly declined: number;
  readonly faults: number;
  /** At the latest block. */
  readonly onProbation: boolean;
};

/** What {@link getStanding} throws. */
export type GetStandingErrorType = ReadErrorType;

/**
 * Reads what the market recorded about a provider.
 *
 * @param client Market client.
 * @param parameters Provider.
 * @throws A {@link GetStandingErrorType}.
 */
export async function getStanding(
  client: MarketClient,
  parameters: GetStandingParameters,
): Promise<GetStandingReturnType> {
  const contract = { address: client.market, abi: jobMarketAbi, args: [parameters.provider] } as const;
  const [standing, onProbation] = await read(
    Promise.all([
      client.public.readContract({ ...contract, functionName: "standingOf" }),
      client.public.readContract({ ...contract, functionName: "onProbation" }),
    ]),
  );
  return { ...standing, onProbation };
}
