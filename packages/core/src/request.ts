import { type Hex, hashTypedData, isAddress } from "viem";
import { isAmount } from "./amounts.ts";
import { FatalError } from "./errors.ts";
import { Flag, MAX_CALLBACK_GAS, MAX_PLACES, type Request, ZERO_ADDRESS, ZERO_HASH } from "./job.ts";
import { type MarketDomain, requestTypes, typedDomain } from "./typed-data.ts";

/** Windows that a market accepts, constants of its constructor. Seconds. */
export type WindowLimits = {
  readonly minWindow: number;
  readonly maxWindow: number;
};

/** Windows of a market on a real chain: 5 minutes to 7 days. */
export const defaultWindowLimits: WindowLimits = { minWindow: 300, maxWindow: 604_800 };

/** Largest call-out fee: half of the price. Ten thousandths. */
export const MAX_CALLOUT_BPS = 5_000;

/** Largest standby fee: the price. Ten thousandths. */
export const MAX_STANDBY_BPS = 10_000;

/** All flags that exist. */
const KNOWN_FLAGS: number = Flag.AcceptProbation | Flag.SetVotes;

/**
 * Job id of a request: its EIP-712 digest.
 *
 * @param request The request.
 * @param domain Market that would open it.
 */
export function jobIdOf(request: Request, domain: MarketDomain): Hex {
  return hashTypedData({
    domain: typedDomain(domain),
    types: requestTypes,
    primaryType: "Request",
    message: request,
  });
}

/**
 * Least quorum that decides among `seats`: a strict majority.
 *
 * @param seats n.
 */
export function leastQuorum(seats: number): number {
  return Math.floor(seats / 2) + 1;
}

function refuse(code: string, message: string, details: Record<string, string | number>): never {
  throw new FatalError(`INVALID_REQUEST_${code}`, message, { docsPath: "protocol/lifecycle.md#actions", details });
}

function isUnsigned(value: number, bits: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < 2 ** bits;
}

/**
 * Refuses everything in a request that `open` would refuse whatever the offers and the time are.
 *
 * @param request The request.
 * @param limits Windows of the market.
 * @throws FatalError `INVALID_REQUEST_*` naming the first field that is wrong.
 */
export function checkRequest(request: Request, limits: WindowLimits = defaultWindowLimits): void {
  checkParties(request);
  checkHashes(request);
  checkPanel(request);
  checkMoney(request);
  checkTimes(request, limits);
  checkExtras(request);
}

function checkParties({ requester, token }: Request): void {
  if (!isAddress(requester, { strict: false }) || requester === ZERO_ADDRESS) {
    refuse("REQUESTER", "The requester is no account. Name the account that pays.", { requester });
  }
  if (!isAddress(token, { strict: false }) || token === ZERO_ADDRESS) {
    refuse("TOKEN", "The token is no contract address. Name the ERC-20 token of the amounts.", { token });
  }
}

function checkHashes(request: Request): void {
  for (const field of ["packageHash", "contentHash", "requirementsHash"] as const) {
    if (!/^0x[0-9a-f]{64}$/i.test(request[field])) {
      refuse("HASH", `${field} is not 32 bytes of hex.`, { field });
    }
  }
  if (!/^0x[0-9a-f]{64}$/i.test(request.encryptionKey) || request.encryptionKey === ZERO_HASH) {
    refuse("ENCRYPTION_KEY", "The encryption key is not a non-zero X25519 key of 32 bytes. Generate one.", {
      encryptionKey: request.encryptionKey,
    });
  }
}

function checkPanel({ seats, quorum, spares, shadows }: Request): void {
  const counts = { seats, quorum, spares, shadows };
  for (const [field, value] of Object.entries(counts)) {
    if (!isUnsigned(value, 8)) refuse("PANEL", `${field} is ${value}, not a count up to 255.`, counts);
  }
  if (quorum < 2 || quorum > seats || 2 * quorum <= seats) {
    refuse(
      "QUORUM",
      `A quorum of ${quorum} of ${seats} seats does not decide: take at least 2, more than half, at most all.`,
      counts,
    );
  }
  if (seats + spares + shadows > MAX_PLACES) {
    refuse("PLACES", `${seats + spares + shadows} places are more than ${MAX_PLACES}.`, counts);
  }
}

function checkMoney({ priceCeiling, bond, carrierFee, calloutBps, standbyBps }: Request): void {
  for (const [field, amount] of Object.entries({ priceCeiling, bond, carrierFee })) {
    if (!isAmount(amount)) refuse("AMOUNT", `${field} does not fit the ledger's uint96.`, { field });
  }
  if (!isUnsigned(calloutBps, 16) || calloutBps > MAX_CALLOUT_BPS) {
    refuse("CALLOUT", `calloutBps is ${calloutBps}; at most ${MAX_CALLOUT_BPS}.`, { calloutBps });
  }
  if (!isUnsigned(standbyBps, 16) || standbyBps > MAX_STANDBY_BPS) {
    refuse("STANDBY", `standbyBps is ${standbyBps}; at most ${MAX_STANDBY_BPS}.`, { standbyBps });
  }
}

function checkTimes({ commitWindow, revealWindow, expiry }: Request, { minWindow, maxWindow }: WindowLimits): void {
  for (const [field, seconds] of Object.entries({ commitWindow, revealWindow })) {
    if (!isUnsigned(seconds, 32) || seconds < minWindow || seconds > maxWindow) {
      refuse("WINDOW", `${field} is ${seconds} s; this market takes ${minWindow} to ${maxWindow} s.`, {
        field,
        seconds,
        minWindow,
        maxWindow,
      });
    }
  }
  if (!isUnsigned(expiry, 40)) refuse("EXPIRY", `expiry ${expiry} is no Unix time in seconds.`, { expiry });
}

function checkExtras({ flags, callback, callbackGas, nonce }: Request): void {
  if (!isUnsigned(flags, 32) || (flags & ~KNOWN_FLAGS) !== 0) {
    refuse("FLAGS", `flags ${flags} has bits that no market knows.`, { flags });
  }
  const mostGas = callback === ZERO_ADDRESS ? 0 : MAX_CALLBACK_GAS;
  if (!isUnsigned(callbackGas, 32) || callbackGas > mostGas) {
    refuse("CALLBACK", `callbackGas is ${callbackGas}; at most ${mostGas} for this callback.`, {
      callback,
      callbackGas,
    });
  }
  if (nonce < 0n || nonce >= 1n << 256n) refuse("NONCE", "nonce does not fit 256 bits.", {});
}
