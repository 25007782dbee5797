// Who may sign and act for whom: providers, their agents within limits, and accounts with code. IAgents, lifecycle.md "open".
import type { Address, Context, Hex, Signature } from "./types.ts";

/** Limits of an agent. */
export type Authorization = {
  readonly maxBondPerSeat: bigint;
  readonly minCommitWindow: number;
  readonly validUntil: number;
};

/** By `provider/agent/token`. */
export type Authorizations = Map<string, Authorization>;

/** How an account with code answers when it is asked about a signature; the order of the test contract's enum. */
export const Manner = { Honest: 0, BurnsGas: 1, ReturnsBomb: 2, Reverts: 3, ReturnsNothing: 4 } as const;

/** An account with code: accepts what its owner signed, if it is in the mood. */
export type ContractAccount = { readonly owner: Address; readonly manner: number };

/** Contract accounts by address. */
export type ContractAccounts = ReadonlyMap<Address, ContractAccount>;

/** Why a signature does not bind its provider. */
export const SignerFault = { BadSignature: 0, BondBeyondAgent: 1, WindowBeyondAgent: 2, AgentExpired: 3 } as const;

const NOTHING: Authorization = { maxBondPerSeat: 0n, minCommitWindow: 0, validUntil: 0 };

/** The limits as they were set. */
export function authorizationOf(all: Authorizations, provider: Address, agent: Address, token: Address): Authorization {
  return all.get(`${provider}/${agent}/${token}`) ?? NOTHING;
}

/**
 * Sets limits. Ones in force end now at the earliest, and ones that have ended stay ended when they did: what an agent signed for a set of
 * an open job cannot be taken back, and nobody who was no agent then becomes one.
 */
export function authorize(
  context: Context,
  market: Address,
  all: Authorizations,
  agent: Address,
  token: Address,
  limits: Authorization,
): void {
  const before = authorizationOf(all, context.sender, agent, token).validUntil;
  const isRevoked = limits.validUntil <= context.now;
  const set = { ...limits, validUntil: isRevoked ? Math.min(before, context.now) : limits.validUntil };
  all.set(`${context.sender}/${agent}/${token}`, set);
  context.emit(market, "AgentAuthorized", { provider: context.sender, agent, token, ...set });
}

/** Whether an account may act for a provider at a time: itself, or an agent in force, whatever its limits. */
export function actsFor(
  all: Authorizations,
  account: Address,
  provider: Address,
  token: Address,
  time: number,
): boolean {
  return account === provider || time < authorizationOf(all, provider, account, token).validUntil;
}

/** What a signature may bind a provider to. */
export type Binding = {
  readonly provider: Address;
  readonly token: Address;
  readonly bond: bigint;
  readonly window: number;
  readonly digest: Hex;
  readonly signature: Signature;
};

/** Why a signature does not bind its provider; undefined when it does. */
export function signerFault(
  all: Authorizations,
  accounts: ContractAccounts,
  { provider, token, bond, window, digest, signature }: Binding,
  now: number,
): number | undefined {
  const signer = signature.over === digest ? signature.by : undefined;
  if (signer === provider) return undefined;
  let fault: number = SignerFault.BadSignature;
  if (signer !== undefined) {
    const { validUntil, maxBondPerSeat, minCommitWindow } = authorizationOf(all, provider, signer, token);
    if (validUntil !== 0) {
      if (now >= validUntil) fault = SignerFault.AgentExpired;
      else if (bond > maxBondPerSeat) fault = SignerFault.BondBeyondAgent;
      else if (window < minCommitWindow) fault = SignerFault.WindowBeyondAgent;
      else return undefined;
    }
  }
  // Its account, if it has code, has the last word.
  const account = accounts.get(provider);
  if (account !== undefined && account.manner === Manner.Honest && signer === account.owner) return undefined;
  return fault;
}
