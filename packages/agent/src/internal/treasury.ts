import type { Address, Logger, MarketDomain } from "@quorate/core";
import { encodeClaimQuarantine, encodeWithdraw } from "@quorate/sdk";
import type { Outbox } from "@quorate/service";
import type { ChainReader } from "./chain-reader.ts";
import { pause } from "./pause.ts";
import type { Policy } from "./policy.ts";
import { liveOffers } from "./request-facts.ts";
import type { AgentState } from "./state.ts";

/** Local pause between two looks, milliseconds. Nothing here is urgent. */
const LOOK_MS = 20_000;

/** Brings bonds home whose probation ended, and free balance above a sum to where the provider wants it. */
export type Treasury = {
  /** One look: hands over what is due. */
  look(): Promise<void>;
  /** Looks again and again until aborted. */
  run(signal: AbortSignal): Promise<void>;
};

/**
 * @param input Policy and ports. Sweeping needs the provider's own key as `signer`; the policy is refused at the start
 *   otherwise, see `checkPolicyForKey`.
 */
export function createTreasury(input: {
  readonly provider: Address;
  readonly domain: MarketDomain;
  readonly policy: Pick<Policy, "tokens" | "treasury">;
  readonly signer: { readonly address: Address };
  readonly reader: ChainReader;
  readonly outbox: Outbox;
  readonly logger: Logger;
  readonly state: () => AgentState;
}): Treasury {
  const { provider, domain, policy, reader, outbox, logger } = input;
  const { market } = domain;

  const claim = async (): Promise<void> => {
    const latest = await reader.probation(provider);
    for (let probation = 1; probation <= latest; probation++) {
      for (const token of Object.keys(policy.tokens) as Address[]) {
        const key = `treasury/claim/${token}/${probation}`;
        if (outbox.status(key) !== undefined || !(await reader.isReturnable(provider, token, probation))) continue;
        await outbox.submit({
          key,
          ...encodeClaimQuarantine({ market, provider, token, number: probation }),
          simulate: true,
        });
        logger.info("quarantine_claimed", { token, probation });
      }
    }
  };

  const sweep = async (): Promise<void> => {
    const isUnderWay = outbox.pending().some(({ key }) => key.startsWith("treasury/sweep/"));
    if (isUnderWay || input.signer.address.toLowerCase() !== provider.toLowerCase()) return;
    for (const { token, above, to } of policy.treasury.sweep) {
      const { promised } = liveOffers(input.state(), token);
      const amount = (await reader.free(token, provider)) - promised - above;
      if (amount <= 0n) continue;
      const block = input.state().horizons?.head.number ?? 0;
      await outbox.submit({
        key: `treasury/sweep/${token}/${block}`,
        ...encodeWithdraw({ market, token, to, amount }),
        simulate: true,
      });
      logger.info("balance_swept", { token, amount, to });
    }
  };

  const look = async (): Promise<void> => {
    if (policy.treasury.claimQuarantine) await claim();
    await sweep();
  };

  return {
    look,
    async run(signal) {
      while (!signal.aborted) {
        if (input.state().horizons !== undefined)
          await look().catch((error: unknown) => logger.warn("treasury_failed", { error }));
        await pause(LOOK_MS, signal).catch(() => {});
      }
    },
  };
}
