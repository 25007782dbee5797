import {
  type Address,
  escrowOf,
  Flag,
  MAX_PLACES,
  type Request,
  type Requirements,
  Role,
  type Terms,
  ZERO_ADDRESS,
} from "@quorate/core";
import type { Policy, Prices } from "./policy.ts";

/** One reason of a judgement: a stable code for programs, a sentence with figures for people. */
export type Reason = {
  /** SCREAMING_SNAKE. */
  readonly code: string;
  /** What was found and what was required. */
  readonly message: string;
};

/** What the chain and the sandbox say at the moment a request is judged. */
export type RequestFacts = {
  /** Timestamp of the newest block, unix s. */
  readonly now: number;
  /** Account that would hold the bond. */
  readonly provider: Address;
  /** Free balance of the provider in the request's token, base units. */
  readonly free: bigint;
  /** Bonds of this agent's live offers in the same token, base units. */
  readonly promised: bigint;
  /** Number of live offers in all tokens. */
  readonly liveOffers: number;
  /** What the requester could escrow: free balance in the market plus token balance, base units. */
  readonly requesterFunds: bigint;
  /** Whether the provider is on probation. */
  readonly onProbation: boolean;
  /** Native balance of the account that sends transactions, wei. */
  readonly gasBalance: bigint;
  /** Present price of gas, wei. */
  readonly gasPrice: bigint;
  /** Jobs that are open with a place of this provider: each still needs its gas. */
  readonly openJobs: number;
  /** Gas that the callbacks of these jobs and of live offers get together. */
  readonly callbackGas: number;
  /** Authorization of the signing key, or undefined when the provider signs itself. */
  readonly authorization?: { readonly maxBond: bigint; readonly minCommitWindow: number; readonly validUntil: number };
  /** Whether the sandbox runs this engine, version and limits. */
  readonly engineSupported: boolean;
  /** Encrypted size in bytes, when a relay already has the root block. */
  readonly packageBytes?: number;
};

/** Result of judging a request. `reasons` holds what speaks against it, or, if it takes it, one line with the figures. */
export type RequestJudgement =
  | {
      readonly takes: true;
      readonly price: bigint;
      readonly roles: number;
      /** Unix s. */
      readonly expiry: number;
      readonly reasons: readonly Reason[];
    }
  | { readonly takes: false; readonly reasons: readonly Reason[] };

const MEBIBYTE = 1_048_576n;

const roleBits = { seat: Role.Seat, spare: Role.Spare, shadow: Role.Shadow } as const;

/**
 * Price of one place by the policy: base plus every resource that the requirements allow, each rounded up.
 *
 * @param prices Prices of the token, base units.
 * @param requirements What the job may use.
 * @param packageBytes Size of the encrypted package.
 * @returns Base units.
 */
export function priceOf(prices: Prices, requirements: Requirements, packageBytes: number): bigint {
  const { fuel, memoryBytes, outputBytes, wallTimeMs } = requirements.limits;
  return (
    prices.base +
    upTo(BigInt(fuel) * prices.perMegafuel, 1_000_000n) +
    upTo(BigInt(memoryBytes) * prices.perMebibyteMemory, MEBIBYTE) +
    upTo(BigInt(outputBytes) * prices.perMebibyteOutput, MEBIBYTE) +
    upTo(BigInt(wallTimeMs) * prices.perSecond, 1000n) +
    upTo(BigInt(packageBytes) * prices.perMebibytePackage, MEBIBYTE)
  );
}

/**
 * Longest time that a bond of this request can stay locked when everybody is as slow as the rules allow: each promotion
 * starts at the last moment at which it is possible.
 *
 * @param request The request.
 * @returns Seconds from `open` until anybody may settle.
 */
export function longestLock(request: Request): number {
  return Math.ceil(1.5 * request.commitWindow * (1 + request.spares)) + request.revealWindow;
}

/**
 * The most that `open` can escrow for a request: every place at the price ceiling.
 *
 * @param request The request.
 * @returns Base units.
 */
export function escrowBound(request: Request): bigint {
  const count = Math.min(MAX_PLACES, request.seats + request.spares + request.shadows);
  const places = Array.from({ length: count }, () => ({ provider: ZERO_ADDRESS, price: request.priceCeiling }));
  return escrowOf({ ...request, places } satisfies Terms & Request);
}

/**
 * Decides whether an agent offers for a request, at what price, for which roles and until when.
 *
 * The request has been checked before: its static rules hold, its job id is its digest and its requirements document
 * hashes to `requirementsHash`.
 *
 * @param policy Policy of the provider.
 * @param request Request to judge.
 * @param requirements Its requirements document.
 * @param facts What the chain and the sandbox say.
 * @returns The offer's terms, or every reason against.
 */
export function judgeRequest(
  policy: Policy,
  request: Request,
  requirements: Requirements,
  facts: RequestFacts,
): RequestJudgement {
  const reasons: Reason[] = [];
  const against = (code: string, message: string): void => {
    reasons.push({ code, message });
  };
  const requester = request.requester.toLowerCase() as Address;
  const provider = facts.provider.toLowerCase();
  const token = policy.tokens[request.token.toLowerCase() as Address];

  if (requester === provider) against("OWN_REQUEST", "the requester is this provider: nobody serves itself");
  if (policy.requesters.deny.includes(requester)) against("REQUESTER_DENIED", `requester ${requester} is denied`);
  else if (policy.requesters.mode === "allow" && !policy.requesters.allow.includes(requester))
    against("REQUESTER_NOT_ALLOWED", `requester ${requester} is not on the allow list`);

  if (request.calloutBps < policy.leastCalloutBps)
    against("CALLOUT_TOO_LOW", `call-out share is ${request.calloutBps} bps, least is ${policy.leastCalloutBps}`);
  judgeWindows(policy, request, requirements, against);
  judgeLimits(policy, requirements, facts, against);

  let price = 0n;
  if (token === undefined) against("TOKEN_NOT_ACCEPTED", `token ${request.token} is not accepted`);
  else {
    price = priceOf(token.prices, requirements, facts.packageBytes ?? policy.limits.packageBytes);
    if (price > request.priceCeiling)
      against("PRICE_ABOVE_CEILING", `price would be ${price}, the ceiling is ${request.priceCeiling}`);
    if (request.bond < token.bond.least)
      against("BOND_TOO_LOW", `bond is ${request.bond}, least is ${token.bond.least}: a careless panel costs nothing`);
    if (request.bond > token.bond.most) against("BOND_TOO_HIGH", `bond is ${request.bond}, most is ${token.bond.most}`);
  }

  if (facts.promised + request.bond > facts.free)
    against(
      "BOND_NOT_COVERED",
      `free balance is ${facts.free}, live offers already promise ${facts.promised}, this bond is ${request.bond}`,
    );
  if (facts.liveOffers >= policy.maxLiveOffers)
    against("TOO_MANY_OFFERS", `${facts.liveOffers} offers are live, most is ${policy.maxLiveOffers}`);
  const bound = escrowBound(request);
  if (facts.requesterFunds < bound)
    against("REQUESTER_UNFUNDED", `the requester holds ${facts.requesterFunds}, the escrow may be ${bound}`);

  const gasJobs = BigInt(facts.openJobs + facts.liveOffers + 1);
  // Whoever settles pays for the callback: each of these jobs may be the one.
  const callbacks = BigInt(facts.callbackGas + request.callbackGas);
  const gasNeeded =
    policy.gas.reserveWei + (gasJobs * BigInt(policy.gas.perJob) + upTo(callbacks * 64n, 63n)) * facts.gasPrice;
  if (facts.gasBalance < gasNeeded)
    against("GAS_RESERVE", `gas account holds ${facts.gasBalance} wei, commit, reveal and settle need ${gasNeeded}`);

  const expiry = Math.min(request.expiry, facts.now + policy.offer.lifetimeSeconds);
  if (request.expiry <= facts.now) against("REQUEST_EXPIRED", `the request expired at ${request.expiry}`);
  if (facts.authorization !== undefined) judgeAuthorization(request, expiry, facts, facts.authorization, against);

  const roles = rolesFor(policy, request, facts.onProbation);
  if (roles === 0)
    against("NO_ROLE", facts.onProbation ? "on probation, and the request has no shadow places" : "no role is left");

  if (reasons.length > 0) return { takes: false, reasons };
  return {
    takes: true,
    price,
    roles,
    expiry,
    reasons: [{ code: "TAKES", message: `price ${price}, bond ${request.bond}, offer valid until ${expiry}` }],
  };
}

type Against = (code: string, message: string) => void;

function judgeWindows(policy: Policy, request: Request, requirements: Requirements, against: Against): void {
  const { windows } = policy;
  const within = (name: string, found: number, least: number, longest: number): void => {
    if (found < least)
      against(`${name}_WINDOW_TOO_SHORT`, `${name.toLowerCase()} window is ${found} s, least is ${least} s`);
    if (found > longest)
      against(`${name}_WINDOW_TOO_LONG`, `${name.toLowerCase()} window is ${found} s, longest is ${longest} s`);
  };
  within("COMMIT", request.commitWindow, windows.leastCommitSeconds, windows.longestCommitSeconds);
  within("REVEAL", request.revealWindow, windows.leastRevealSeconds, windows.longestRevealSeconds);
  const lock = longestLock(request);
  if (lock > windows.longestLockSeconds)
    against("LOCK_TOO_LONG", `the bond may be locked for ${lock} s, longest is ${windows.longestLockSeconds} s`);
  // Half of the window is left for fetching the package and bringing the commitment to the chain.
  const wallSeconds = requirements.limits.wallTimeMs / 1000;
  if (wallSeconds > request.commitWindow / 2)
    against(
      "RUN_TOO_LONG",
      `a run may take ${wallSeconds} s, half of the commit window is ${request.commitWindow / 2} s`,
    );
}

function judgeLimits(policy: Policy, requirements: Requirements, facts: RequestFacts, against: Against): void {
  const { engine, limits } = requirements;
  const listed =
    policy.engines?.some(({ name, version }) => name === engine.name && version === engine.version) ?? true;
  if (!listed || !facts.engineSupported)
    against("ENGINE_NOT_OFFERED", `engine ${engine.name} ${engine.version} with these limits is not offered here`);
  const most = policy.limits;
  for (const name of ["fuel", "memoryBytes", "outputBytes", "wallTimeMs"] as const) {
    if (limits[name] > most[name]) against("LIMIT_TOO_HIGH", `${name} is ${limits[name]}, most is ${most[name]}`);
  }
  if (facts.packageBytes !== undefined && facts.packageBytes > most.packageBytes)
    against("PACKAGE_TOO_LARGE", `the package has ${facts.packageBytes} bytes, most is ${most.packageBytes}`);
}

function judgeAuthorization(
  request: Request,
  expiry: number,
  facts: RequestFacts,
  authorization: NonNullable<RequestFacts["authorization"]>,
  against: Against,
): void {
  const { maxBond, minCommitWindow, validUntil } = authorization;
  // The agent must still be able to commit and open at the end of the job that this offer may start.
  const needed = expiry + longestLock(request);
  if (validUntil <= facts.now)
    against("AGENT_NOT_AUTHORIZED", "the provider has not authorized this key for the token");
  else if (validUntil < needed)
    against("AGENT_EXPIRES", `the authorization ends at ${validUntil}, the job may last until ${needed}`);
  if (request.bond > maxBond) against("BOND_BEYOND_AGENT", `bond is ${request.bond}, the agent's limit is ${maxBond}`);
  if (request.commitWindow < minCommitWindow)
    against(
      "WINDOW_BEYOND_AGENT",
      `commit window is ${request.commitWindow} s, the agent's limit is ${minCommitWindow} s`,
    );
}

function rolesFor(policy: Policy, request: Request, onProbation: boolean): number {
  const accepted = policy.offer.roles.reduce((bits, role) => bits | roleBits[role], 0);
  let asked: number = Role.Seat;
  if (request.spares > 0) asked |= Role.Spare;
  if (request.shadows > 0) asked |= Role.Shadow;
  if (onProbation && (request.flags & Flag.AcceptProbation) === 0) asked &= Role.Shadow;
  return accepted & asked;
}

function upTo(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
