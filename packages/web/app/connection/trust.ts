import { buildHistory, parseTrustPolicy, type TrustedHistory, type TrustPolicy } from "@quorate/sdk";
import { useMemo } from "react";
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { exclusively } from "../data/db.ts";
import { readSetting, useSetting } from "../data/settings.ts";
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
  const key = `trust/${networkKey}`;
  const stored = useSetting<unknown>(key);
  const policy = useMemo(() => readPolicy(stored.value), [stored.value]);
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
  // From what is stored now, one change at a time: two presses in a row, or two tabs, must not undo each other.
  const change = async (edit: (current: TrustPolicy) => TrustPolicy): Promise<void> => {
    await exclusively(key, async () => save(edit(readPolicy(await readSetting(key)))));
  };
  return {
    isLoaded: stored.isLoaded,
    policy,
    history,
    save,
    allow: (provider, organization) =>
      change((current) => {
        const next = without(current, provider);
        const entry = { provider, ...(organization === undefined ? {} : { organization }) };
        return { ...next, allow: [...next.allow, entry] };
      }),
    forget: (provider) => change((current) => without(current, provider)),
    deny: (provider, reason) =>
      change((current) => {
        const next = without(current, provider);
        return { ...next, deny: [...next.deny, { provider, ...(reason === undefined ? {} : { reason }) }] };
      }),
  };
}

function readPolicy(stored: unknown): TrustPolicy {
  try {
    return stored === undefined ? strictest : parseTrustPolicy(stored);
  } catch {
    // Written by another version of the app: nobody is trusted rather than somebody by accident.
    return strictest;
  }
}

function without(policy: TrustPolicy, provider: Address): TrustPolicy {
  return {
    ...policy,
    allow: policy.allow.filter((entry) => !isAddressEqual(entry.provider, provider)),
    deny: policy.deny.filter((entry) => !isAddressEqual(entry.provider, provider)),
  };
}
