import { encodeAbiParameters, type Hex, keccak256 } from "viem";
import { shareOf } from "./amounts.ts";
import type { Place, Request, Terms } from "./job.ts";

const termsParameter = {
  type: "tuple",
  components: [
    { name: "requester", type: "address" },
    { name: "token", type: "address" },
    { name: "bond", type: "uint96" },
    { name: "carrierFee", type: "uint96" },
    { name: "seats", type: "uint8" },
    { name: "quorum", type: "uint8" },
    { name: "spares", type: "uint8" },
    { name: "calloutBps", type: "uint16" },
    { name: "standbyBps", type: "uint16" },
    { name: "commitWindow", type: "uint32" },
    { name: "revealWindow", type: "uint32" },
    { name: "flags", type: "uint32" },
    { name: "callback", type: "address" },
    { name: "callbackGas", type: "uint32" },
    {
      name: "places",
      type: "tuple[]",
      components: [
        { name: "provider", type: "address" },
        { name: "price", type: "uint96" },
      ],
    },
  ],
} as const;

/**
 * Terms that `open` fixes for a request and its panel.
 *
 * @param request The request.
 * @param spares Number of spares opened.
 * @param places Seats, spares, shadows.
 */
export function termsOf(request: Request, spares: number, places: readonly Place[]): Terms {
  return {
    requester: request.requester,
    token: request.token,
    bond: request.bond,
    carrierFee: request.carrierFee,
    seats: request.seats,
    quorum: request.quorum,
    spares,
    calloutBps: request.calloutBps,
    standbyBps: request.standbyBps,
    commitWindow: request.commitWindow,
    revealWindow: request.revealWindow,
    flags: request.flags,
    callback: request.callback,
    callbackGas: request.callbackGas,
    places: places.map(({ provider, price }) => ({ provider, price })),
  };
}

/**
 * Hash under which the contract stores terms: `keccak256(abi.encode(terms))`.
 *
 * @param terms Terms of an open job.
 */
export function hashTerms(terms: Terms): Hex {
  return keccak256(encodeAbiParameters([termsParameter], [terms]));
}

/** What a place is for. */
export type PlaceRole = "seat" | "spare" | "shadow";

/**
 * Role of a place by its index.
 *
 * @param terms Terms of the job.
 * @param place Index of the place.
 */
export function roleOfPlace(terms: Pick<Terms, "seats" | "spares">, place: number): PlaceRole {
  if (place < terms.seats) return "seat";
  return place < terms.seats + terms.spares ? "spare" : "shadow";
}

/**
 * What the requester escrows: `n × highest price among seats and spares + Σ prices of shadows + Σ standby fees + carrier
 * fee`. Any spare may end up in any seat, so every seat is covered at the highest price.
 *
 * @param terms Terms of the job.
 * @returns Base units.
 */
export function escrowOf(terms: Terms): bigint {
  let highest = 0n;
  let sum = terms.carrierFee;
  terms.places.forEach(({ price }, place) => {
    const role = roleOfPlace(terms, place);
    if (role === "shadow") sum += price;
    else if (price > highest) highest = price;
    if (role === "spare") sum += shareOf(price, terms.standbyBps);
  });
  return sum + BigInt(terms.seats) * highest;
}
