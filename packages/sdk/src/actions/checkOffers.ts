import { jobMarketAbi } from "@quorate/abi";
import type { Request, SignedOffer } from "@quorate/core";
import type { MarketClient } from "../client.ts";
import { offerFaultName, type RefusedOffer } from "../errors.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link checkOffers}. */
export type CheckOffersParameters = {
  readonly request: Request;
  /** Spares among `offers`. */
  readonly spares: number;
  /** Seats first, then spares, then shadows. Key wraps are not looked at. */
  readonly offers: readonly SignedOffer[];
};

/** What {@link checkOffers} returns: offers that `open` would refuse now; empty when all are good. */
export type CheckOffersReturnType = readonly RefusedOffer[];

/** What {@link checkOffers} throws: also the refusal of a request that could not be opened with any offers. */
export type CheckOffersErrorType = ReadErrorType;

/**
 * Asks the market which offers of a panel it would refuse now: signatures, expiry, price, roles, duplicates, free balances,
 * bonds, probation, limits of agents. Whether the requester can pay is not part of it.
 *
 * @param client Market client.
 * @param parameters Request and panel.
 * @throws A {@link CheckOffersErrorType}.
 */
export async function checkOffers(
  client: MarketClient,
  parameters: CheckOffersParameters,
): Promise<CheckOffersReturnType> {
  const { request, spares, offers } = parameters;
  const bad = await read(
    client.public.readContract({
      address: client.market,
      abi: jobMarketAbi,
      functionName: "checkOffers",
      args: [request, spares, offers],
    }),
  );
  return bad.map(({ place, fault }) => ({ place, fault: offerFaultName(fault) }));
}
