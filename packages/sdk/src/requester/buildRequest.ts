import {
  type Address,
  checkRequest,
  defaultWindowLimits,
  Flag,
  leastQuorum,
  type Request,
  shareOf,
  type WindowLimits,
  ZERO_ADDRESS,
} from "@quorate/core";
import { bytesToBigInt, type Hex } from "viem";
import type { PreparedPackage } from "./makePackage.ts";

const DEFAULT_CALLBACK_GAS = 200_000;

/** What a requester decides about a job; everything but token and price has a default. */
export type JobWishes = {
  /** ERC-20 token of every amount. */
  readonly token: Address;
  /** Highest price per place, base units. */
  readonly priceCeiling: bigint;
  /** What each provider locks, base units. Default: the price ceiling. */
  readonly bond?: bigint;
  /** For the account whose call settles, base units. Default: a twentieth of the price ceiling. */
  readonly carrierFee?: bigint;
  /** Default 3. */
  readonly seats?: number;
  /** Default: the least majority of the seats. */
  readonly quorum?: number;
  /** Default 1. */
  readonly spares?: number;
  /** Default 0. */
  readonly shadows?: number;
  /** Call-out fee, ten thousandths of the price. Default 1000. */
  readonly calloutBps?: number;
  /** Standby fee of an unused spare, ten thousandths of its price. Default 500. */
  readonly standbyBps?: number;
  /** Seconds. Default 3600. */
  readonly commitWindow?: number;
  /** Seconds. Default 3600. */
  readonly revealWindow?: number;
  /** Seats and spares may be on probation. Default false. */
  readonly acceptProbation?: boolean;
  /** Seats may vote by a set that all of them signed, which saves two transactions. Default false. */
  readonly setVotes?: boolean;
  /** Contract that the market tells of the settlement. Default: none. */
  readonly callback?: Address;
  /** Gas that the callback gets, at most 1000000. Default: 200000 with a callback. */
  readonly callbackGas?: number;
  /** How long offers are collected before `open` must come, seconds. Default 3600. */
  readonly offerWindow?: number;
};

/** Parameters of {@link buildRequest}. */
export type BuildRequestParameters = {
  readonly wishes: JobWishes;
  /** Account that pays and opens. */
  readonly requester: Address;
  readonly prepared: Pick<PreparedPackage, "encrypted" | "contentHash" | "requirementsHash">;
  /** Public half of a key pair made for this job. */
  readonly encryptionKey: Hex;
  /** Time of the chain, unix s. */
  readonly now: number;
  /** Default: 32 random bytes. */
  readonly nonce?: bigint;
  /** Windows that the market accepts. Default: those of a real chain. */
  readonly windowLimits?: WindowLimits;
};

/**
 * Fills in the request for a package and checks it by the rules of `open`.
 *
 * @param parameters Wishes, package, keys, time.
 * @returns The request; its EIP-712 digest is the job id.
 * @throws FatalError `INVALID_REQUEST_…` naming the field.
 */
export function buildRequest(parameters: BuildRequestParameters): Request {
  const { wishes, prepared } = parameters;
  const seats = wishes.seats ?? 3;
  const request: Request = {
    requester: parameters.requester,
    token: wishes.token,
    packageHash: prepared.encrypted.root,
    contentHash: prepared.contentHash,
    requirementsHash: prepared.requirementsHash,
    encryptionKey: parameters.encryptionKey,
    priceCeiling: wishes.priceCeiling,
    bond: wishes.bond ?? wishes.priceCeiling,
    carrierFee: wishes.carrierFee ?? wishes.priceCeiling / 20n,
    seats,
    quorum: wishes.quorum ?? leastQuorum(seats),
    spares: wishes.spares ?? 1,
    shadows: wishes.shadows ?? 0,
    calloutBps: wishes.calloutBps ?? 1_000,
    standbyBps: wishes.standbyBps ?? 500,
    commitWindow: wishes.commitWindow ?? 3_600,
    revealWindow: wishes.revealWindow ?? 3_600,
    flags:
      (wishes.acceptProbation === true ? Flag.AcceptProbation : 0) + (wishes.setVotes === true ? Flag.SetVotes : 0),
    callback: wishes.callback ?? ZERO_ADDRESS,
    callbackGas: wishes.callbackGas ?? (wishes.callback === undefined ? 0 : DEFAULT_CALLBACK_GAS),
    expiry: parameters.now + (wishes.offerWindow ?? 3_600),
    nonce: parameters.nonce ?? bytesToBigInt(crypto.getRandomValues(new Uint8Array(32))),
  };
  checkRequest(request, parameters.windowLimits ?? defaultWindowLimits);
  return request;
}

/**
 * The most that a request can ever escrow: every place at the price ceiling, all spares and shadows opened.
 *
 * @param request The request.
 * @returns Base units.
 */
export function escrowBoundOf(request: Request): bigint {
  const { priceCeiling, seats, spares, shadows, standbyBps, carrierFee } = request;
  return BigInt(seats + shadows) * priceCeiling + BigInt(spares) * shareOf(priceCeiling, standbyBps) + carrierFee;
}
