import { FatalError } from "@quorate/core";
import { useQuery } from "@tanstack/react-query";
import { type NetworkConfig, parseNetwork, parseSiteConfig } from "../../src/config.ts";
import { useSetting } from "../data/settings.ts";

/** Networks that the visitor can choose from. */
export type Networks = {
  readonly all: readonly NetworkConfig[];
  /** Keys of those that the visitor added. */
  readonly own: readonly string[];
  readonly selected: NetworkConfig;
  /** Chooses by {@link networkKey}. */
  readonly select: (key: string) => Promise<void>;
  /** Adds a network, or replaces the one with the same key. */
  readonly save: (network: NetworkConfig) => Promise<void>;
  /** Removes a network that the visitor added. */
  readonly remove: (key: string) => Promise<void>;
};

/**
 * What tells one network of this browser from another: its chain and markets.
 *
 * @param network - Settings.
 */
export function networkKey(network: Pick<NetworkConfig, "chainId" | "market" | "queryMarket">): string {
  return [network.chainId, network.market, network.queryMarket ?? ""].join("-").toLowerCase();
}

async function fetchSite(): Promise<ReturnType<typeof parseSiteConfig>> {
  let json: unknown;
  try {
    const response = await fetch(new URL("config.json", document.baseURI), { cache: "no-store" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    json = await response.json();
  } catch (cause) {
    throw new FatalError(
      "SITE_CONFIG_MISSING",
      "The file config.json beside this app cannot be read, so it does not know any market. Put one there, then load this page again.",
      { cause, docsPath: "web.md#configuration" },
    );
  }
  return parseSiteConfig(json);
}

/** Networks of the site's configuration and of this browser; undefined until both were read. */
export function useNetworks(): { readonly networks: Networks | undefined; readonly error: unknown } {
  const site = useQuery({ queryKey: ["site"], queryFn: fetchSite, staleTime: Number.POSITIVE_INFINITY, retry: 1 });
  const added = useSetting<readonly unknown[]>("networks");
  const chosen = useSetting<string>("network");
  if (site.data === undefined || !added.isLoaded || !chosen.isLoaded) return { networks: undefined, error: site.error };
  const own = (added.value ?? []).flatMap(readable);
  const ownKeys = own.map(networkKey);
  const all = [...own, ...site.data.networks.filter((network) => !ownKeys.includes(networkKey(network)))];
  const [first] = site.data.networks;
  const selected = all.find((network) => networkKey(network) === chosen.value) ?? first;
  if (selected === undefined) throw new TypeError("the schema asks for one network at least");
  return {
    error: undefined,
    networks: {
      all,
      own: ownKeys,
      selected,
      select: (key) => chosen.write(key),
      save: (network) =>
        added.write([...own.filter((other) => networkKey(other) !== networkKey(network)), parseNetwork(network)]),
      remove: (key) => added.write(own.filter((network) => networkKey(network) !== key)),
    },
  };
}

/** What an older version of the app had stored and this one does not read is left out. */
function readable(json: unknown): NetworkConfig[] {
  try {
    return [parseNetwork(json)];
  } catch {
    return [];
  }
}
