import { createDomainClient, type DomainInfo, type ProfileRecord } from "@quorate/wire";
import { useQueries, useQuery } from "@tanstack/react-query";
import { BadgeCheck } from "lucide-react";
import { createContext, type ReactNode, use, useMemo } from "react";
import type { Address } from "viem";
import { shortHex } from "../lib/format.ts";
import { useMarket } from "../market/index.ts";
import { routes } from "../routes.ts";
import { CopyButton } from "../ui/index.ts";
import styles from "./names.module.css";
import { useSession } from "./SessionProvider.tsx";
import { signedNameOf } from "./signedName.ts";

const REFRESH_MS = 15_000;

/** A domain provider as this browser found it. */
export type KnownDomain = {
  readonly url: string;
  /** What it says about itself; undefined while it does not answer. */
  readonly info: DomainInfo | undefined;
  /** Its name by a profile that its account signed; undefined where it has none that counts. */
  readonly signedName: string | undefined;
  readonly error: unknown;
};

/** Asks a domain provider what it is, and whether its account says the same. */
async function askDomain(url: string, signal: AbortSignal): Promise<Pick<KnownDomain, "info" | "signedName">> {
  const info = await createDomainClient({ url, signal, timeoutMs: 10_000 }).info();
  return { info, signedName: await signedNameOf(info, Date.now() / 1_000) };
}

/** Profiles of providers that relays list, each verified; by lower-case address. */
export function useProfiles(): {
  readonly profiles: ReadonlyMap<string, ProfileRecord>;
  readonly isLoaded: boolean;
  readonly error: unknown;
} {
  const { relays, networkKey } = useSession();
  const query = useQuery({
    queryKey: ["profiles", networkKey],
    queryFn: ({ signal }) => relays.listProfiles({ signal }),
    refetchInterval: REFRESH_MS,
  });
  const profiles = useMemo(
    () => new Map((query.data ?? []).map((record) => [record.profile.provider.toLowerCase(), record])),
    [query.data],
  );
  return { profiles, isLoaded: query.isFetched, error: query.error };
}

/** Domain providers of the network's configuration, asked for what they sell. */
export function useDomains(): readonly KnownDomain[] {
  const { network, networkKey } = useSession();
  return useQueries({
    queries: network.domains.map((url) => ({
      queryKey: ["domain", networkKey, url],
      queryFn: ({ signal }: { signal: AbortSignal }) => askDomain(url, signal),
      refetchInterval: REFRESH_MS,
    })),
    combine: (results) =>
      results.map(({ data, error }, index) => {
        // What an info says of another chain or market is not about this one.
        const isHere =
          data?.info?.chainId === network.chainId &&
          data.info.market.toLowerCase() === network.queryMarket?.toLowerCase();
        return {
          url: network.domains[index] ?? "",
          info: isHere ? data.info : undefined,
          signedName: isHere ? data.signedName : undefined,
          error,
        };
      }),
  });
}

/** What an address is called, and by whose word. */
export type AddressLabel = {
  readonly name: string | undefined;
  /** `signed`: the account signed a profile with this name. `claimed`: its agent says so. */
  readonly proof: "signed" | "claimed" | "own" | "known" | undefined;
};

type Names = (address: Address) => AddressLabel;

const NamesContext = createContext<Names | undefined>(undefined);

/** Gathers names once for everything below: a page shows hundreds of addresses. */
export function NamesProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const { account, network } = useSession();
  const { profiles } = useProfiles();
  const domains = useDomains();
  const names = useMemo((): Names => {
    const known = new Map<string, AddressLabel>();
    for (const { info, signedName } of domains) {
      if (info === undefined) continue;
      const label: AddressLabel =
        signedName === undefined ? { name: info.name, proof: "claimed" } : { name: signedName, proof: "signed" };
      known.set(info.provider.toLowerCase(), label);
    }
    for (const [provider, { profile }] of profiles) {
      known.set(provider, { name: profile.body.name, proof: "signed" });
    }
    for (const { address, symbol } of network.tokens)
      known.set(address.toLowerCase(), { name: symbol, proof: "known" });
    known.set(network.market.toLowerCase(), { name: "Job market", proof: "known" });
    if (network.queryMarket !== undefined)
      known.set(network.queryMarket.toLowerCase(), { name: "Query market", proof: "known" });
    if (account !== undefined) known.set(account.address.toLowerCase(), { name: "You", proof: "own" });
    return (address) => known.get(address.toLowerCase()) ?? { name: undefined, proof: undefined };
  }, [profiles, domains, account, network]);
  return <NamesContext value={names}>{children}</NamesContext>;
}

/** Names of addresses on this network. */
export function useNames(): Names {
  const names = use(NamesContext);
  if (names === undefined) throw new TypeError("useNames needs a NamesProvider above");
  return names;
}

const proofWords = {
  signed: "The account signed a profile with this name.",
  claimed: "The provider's agent gives this name; the account did not sign it.",
  own: "The connected account.",
  known: "From the configuration of this app.",
} as const;

/** An account by its name, or its short form; with the address to copy. */
export function AddressName({
  address,
  isLinked = true,
}: {
  readonly address: Address;
  /** Leads to the provider's page, where the account has a profile. */
  readonly isLinked?: boolean;
}): ReactNode {
  const { name, proof } = useNames()(address);
  const { model } = useMarket();
  const isProvider =
    proof === "signed" ||
    proof === "claimed" ||
    [...model.datasets.values()].some(({ provider }) => provider.toLowerCase() === address.toLowerCase());
  const text = name ?? shortHex(address);
  return (
    <span className={styles.name}>
      {isLinked && isProvider ? <a href={routes.provider(address)}>{text}</a> : <span>{text}</span>}
      {proof === "signed" ? (
        <BadgeCheck size={15} role="img" aria-label="signed profile" className={styles.proof} />
      ) : undefined}
      {name === undefined ? undefined : (
        <code className="soft small" title={proof === undefined ? address : `${address}. ${proofWords[proof]}`}>
          {shortHex(address)}
        </code>
      )}
      <CopyButton text={address} label={`Copy address ${shortHex(address)}`} />
    </span>
  );
}
