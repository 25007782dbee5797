import { jobMarketAbi } from "@quorate/abi";
import { FatalError } from "@quorate/core";
import type { Address } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** What will become of a quarantined bond, in the order of the contract's enum. */
export const quarantineStates = ["none", "held", "returnable", "burnable"] as const;

/** Value of {@link quarantineStates}. */
export type QuarantineState = (typeof quarantineStates)[number];

/** Parameters of {@link getQuarantine}. */
export type GetQuarantineParameters = {
  readonly provider: Address;
  readonly token: Address;
  /** Number of the probation. */
  readonly number: number;
};

/** What {@link getQuarantine} returns. */
export type GetQuarantineReturnType = {
  /** Base units. */
  readonly amount: bigint;
  /** `returnable` and `burnable` can be claimed. */
  readonly state: QuarantineState;
};

/** What {@link getQuarantine} throws. */
export type GetQuarantineErrorType = ReadErrorType;

/**
 * Reads what is quarantined of a provider under a probation number.
 *
 * @param client Market client.
 * @param parameters Provider, token, number.
 * @throws A {@link GetQuarantineErrorType}.
 */
export async function getQuarantine(
  client: MarketClient,
  parameters: GetQuarantineParameters,
): Promise<GetQuarantineReturnType> {
  const { provider, token, number } = parameters;
  const [amount, index] = await read(
    client.public.readContract({
      address: client.market,
      abi: jobMarketAbi,
      functionName: "quarantineOf",
      args: [provider, token, number],
    }),
  );
  const state = quarantineStates[index];
  if (state === undefined) {
    throw new FatalError(
      "CONTRACT_ANSWER_UNKNOWN",
      `The contract gave quarantine state ${index}, which this version does not know. Update the package.`,
    );
  }
  return { amount, state };
}
