import { buildHistory, parseTrustPolicy, type TrustedHistory, type TrustPolicy } from "@quorate/sdk";
import { useMemo } from "react";
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { useSetting } from "../data/settings.ts";
import { useMarket } from "../market/index.ts";
import { useSession } from "./SessionProvider.tsx";

/** The trust policy of this browser for one network, and how it is changed. */
export type Trust = {
  readonly isLoaded: boolean;
  readonly policy: TrustPolicy;
  /** What is known of providers by jobs that count. */
  readonly history: TrustedHistory;
  /** Replaces the policy; refuses one that cannot be used. */
  readonly save: (policy: unknown) => Promise<void>;
  /** Puts a provider on the allow list, and takes it off the deny list. */
  readonly allow: (provider: Address, organization?: string) => Promise<void>;
  /** Takes a provider off both lists. */
  readonly forget: (provider: Address) => Promise<void>;
  /** Puts a provider on the deny list, and takes it off the allow list. */
  readonly deny: (provider: Address, reason?: string) => Promise<void>;
};

const strictest: TrustPolicy = parseTrustPolicy({ version: 1 });

/** A policy as JSON: amounts become decimal strings. */
export function trustToJson(policy: TrustPolicy): unknown {
  return JSON.parse(
    JSON.stringify(policy, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
  );
}

/** Whom the visitor trusts on this network. */
export function useTrust(): Trust {
  const { networkKey, account } = useSession();
  const { model } = useMarket();
  const stored = useSetting<unknown>(`trust/${networkKey}`);
  const policy = useMemo(() => {
    try {
      return stored.value === undefined ? strictest : parseTrustPolicy(stored.value);
    } catch {
      // Written by another version of the app: nobody is trusted rather than somebody by accident.
      return strictest;
    }
  }, [stored.value]);
  const requester = account?.address ?? zeroAddress;
  const history = useMemo(
    () =>
      buildHistory(
        [...model.jobs.values()].map(({ facts }) => facts),
        policy,
        requester,
      ),
    [model.jobs, policy, requester],
  );
  const save = async (next: unknown): Promise<void> => {
    await stored.write(trustToJson(parseTrustPolicy(next)));
  };
  const without = (provider: Address): TrustPolicy => ({
    ...policy,
    allow: policy.allow.filter((entry) => !isAddressEqual(entry.provider, provider)),
    deny: policy.deny.filter((entry) => !isAddressEqual(entry.provider, provider)),
  });
  return {
    isLoaded: stored.isLoaded,
    policy,
    history,
    save,
    allow: async (provider, organization) => {
      const next = without(provider);
      await save({
        ...next,
        allow: [...next.allow, { provider, ...(organization === undefined ? {} : { organization }) }],
      });
    },
    forget: async (provider) => save(without(provider)),
    deny: async (provider, reason) => {
      const next = without(provider);
      await save({ ...next, deny: [...next.deny, { provider, ...(reason === undefined ? {} : { reason }) }] });
    },
  };
}
