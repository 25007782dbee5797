import { type MarketDomain, systemClock, unixSeconds } from "@quorate/core";
import { type EnvelopeSigner, type Profile, signProfile, verifyProfile } from "@quorate/wire";
import { type Address, isAddressEqual } from "viem";
import { type DomainConfig, domainConfigError } from "./config.ts";

/**
 * Signs the profile by which clients know a domain provider's name.
 *
 * @param options Name, the agent's account, and how long the profile is good, seconds.
 * @param signer The provider's key; an EOA.
 * @param site Query market.
 * @throws FatalError `INVALID_PROFILE`.
 */
export function signDomainProfile(
  options: { readonly name: string; readonly agent: Address; readonly lifetimeS: number },
  signer: EnvelopeSigner,
  site: MarketDomain,
): Promise<Profile> {
  const { name, agent, lifetimeS } = options;
  const createdAt = unixSeconds(systemClock);
  const body = { name, agents: [agent], engines: [], endpoints: [] };
  return signProfile({ body, createdAt, expiry: createdAt + lifetimeS }, signer, site);
}

/**
 * Refuses a profile that clients would not believe. Time is not looked at: an agent whose profile expired goes on by its plain name.
 *
 * @param config Configuration of the agent.
 * @throws FatalError `DOMAIN_CONFIG`.
 */
export async function assertProfile({
  profile,
  provider,
  chainId,
  market,
}: Pick<DomainConfig, "profile" | "provider" | "chainId" | "market">): Promise<void> {
  if (profile === undefined) return;
  const isOurs = isAddressEqual(profile.provider, provider) && (await verifyProfile(profile, { chainId, market }));
  if (!isOurs) {
    throw domainConfigError(
      `profile: it is not signed by ${provider} for the market ${market} on chain ${chainId}. Sign it anew with the provider's key (quorate domain init), or leave it out.`,
    );
  }
}
