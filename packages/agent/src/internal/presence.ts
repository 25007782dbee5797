import { type Clock, type Logger, type MarketDomain, unixSeconds } from "@quorate/core";
import { type EnvelopeSigner, type Profile, type RelayClient, signPresence, signProfile } from "@quorate/wire";
import type { AgentConfig } from "./config.ts";
import { pause } from "./pause.ts";
import type { Policy } from "./policy.ts";

/** A sign of life is given this often and counts three times as long. Local time: relays live by it. */
const PRESENCE_MS = 600_000;
const RETRY_MS = 15_000;
const PROFILE_LIFETIME_S = 30 * 86_400;

/**
 * Shows the provider on relays: its profile, and a sign of life again and again. Nothing depends on it but being found.
 *
 * @param input Profile or what to sign, ports.
 * @param signal Ends it.
 */
export async function showPresence(
  input: {
    readonly profile: NonNullable<AgentConfig["profile"]>;
    readonly config: Pick<AgentConfig, "provider" | "relays">;
    readonly policy: Policy;
    readonly engines: Profile["body"]["engines"];
    readonly signer: EnvelopeSigner;
    readonly domain: MarketDomain;
    readonly relays: RelayClient;
    readonly clock: Clock;
    readonly logger: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { relays, logger, signer, domain, clock } = input;
  while (!signal.aborted) {
    let waitMs = PRESENCE_MS;
    try {
      const now = unixSeconds(clock);
      await relays.putProfile(await profileOf(input, now), { signal });
      const expiry = now + Math.ceil((3 * PRESENCE_MS) / 1000);
      const presence = await signPresence({ provider: input.config.provider, createdAt: now, expiry }, signer, domain);
      await relays.putPresence(presence, { signal });
    } catch (error) {
      if (signal.aborted) return;
      logger.warn("presence_not_shown", { error });
      waitMs = RETRY_MS;
    }
    await pause(waitMs, signal).catch(() => {});
  }
}

async function profileOf(input: Parameters<typeof showPresence>[0], now: number): Promise<Profile> {
  const { profile, config, policy, signer, domain, engines } = input;
  if ("signature" in profile) return profile;
  const prices = Object.entries(policy.tokens).map(([token, { prices }]) => ({
    token: token as `0x${string}`,
    from: prices.base,
  }));
  const body = { ...profile, agents: [], engines, endpoints: config.relays, prices };
  return signProfile({ body, createdAt: now, expiry: now + PROFILE_LIFETIME_S }, signer, domain);
}
