import { FatalError } from "@quorate/core";
import { deriveSubjectSecret, type TypedDataSigner } from "@quorate/proofs";
import { createSubject, type SubjectClient } from "@quorate/sdk/queries";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { type Address, type Hex, isAddressEqual } from "viem";
import { subjectStore } from "../data/queryStores.ts";
import { useSetting } from "../data/settings.ts";
import { knownVerifiers } from "./asker.ts";
import { useDomains } from "./names.tsx";
import { useSession } from "./SessionProvider.tsx";

/** Secrets of subjects that were unlocked on this page, by account and provider; they end with it. */
const secrets = new Map<string, Uint8Array>();
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A domain provider as a subject knows it. */
export type SubjectDomain = {
  readonly provider: Address;
  /** Base URL of its agent. */
  readonly url: string;
};

/** A subject's client for one provider. */
export type SubjectAtProvider = {
  /** Undefined until {@link unlock} was called on this page. */
  readonly subject: SubjectClient | undefined;
  /**
   * Derives the subject's key from the wallet, which signs the same words twice.
   *
   * @throws FatalError `WALLET_MISSING`, `WALLET_NOT_DETERMINISTIC`.
   */
  readonly unlock: () => Promise<void>;
};

/**
 * The connected account as a subject at a provider.
 *
 * @param domain - Provider; nothing can be unlocked while it is undefined.
 * @param dataset - Default: the provider's only dataset.
 */
export function useSubject(domain: SubjectDomain | undefined, dataset?: Hex): SubjectAtProvider {
  const { questions, account, network } = useSession();
  const key = `${account?.address ?? ""}/${domain?.provider ?? ""}`.toLowerCase();
  const secret = useSyncExternalStore(subscribe, () => secrets.get(key));
  const provider = domain?.provider;
  const url = domain?.url;
  const subject = useMemo(() => {
    if (secret === undefined || questions === undefined || provider === undefined || url === undefined) return;
    return createSubject({
      client: questions,
      secret,
      provider,
      providerUrl: url,
      dataset,
      store: subjectStore,
      verifiers: knownVerifiers(network),
    });
  }, [secret, questions, provider, url, dataset, network]);
  const wallet = questions?.wallet;
  const unlock = useCallback(async () => {
    if (wallet?.account === undefined || provider === undefined) {
      throw new FatalError(
        "WALLET_MISSING",
        "Your key for this provider follows from a signature of your wallet. Connect it on this network first.",
      );
    }
    secrets.set(key, await deriveSubjectSecret(wallet as unknown as TypedDataSigner, provider));
    for (const listener of listeners) listener();
  }, [wallet, provider, key]);
  return { subject, unlock };
}

/** Domain providers that a person may have records at. */
export function useSubjectDomains(): {
  readonly domains: readonly SubjectDomain[];
  /** A provider of the configuration has not said yet who it is. */
  readonly isWaiting: boolean;
  /** Remembers a provider by the address and URL that the person trusts. */
  readonly remember: (domain: SubjectDomain) => Promise<void>;
} {
  const { networkKey } = useSession();
  const configured = useDomains();
  const own = useSetting<readonly SubjectDomain[]>(`subject/${networkKey}`);
  const domains = useMemo(() => {
    const added = own.value ?? [];
    const listed = configured.flatMap(({ url, info }) =>
      info === undefined ? [] : [{ provider: info.provider, url }],
    );
    return [...added, ...listed.filter(({ provider }) => !added.some((one) => isAddressEqual(one.provider, provider)))];
  }, [own.value, configured]);
  return {
    domains,
    isWaiting: !own.isLoaded || configured.some(({ info, error }) => info === undefined && error === null),
    remember: (domain) =>
      own.write([...(own.value ?? []).filter((one) => !isAddressEqual(one.provider, domain.provider)), domain]),
  };
}
