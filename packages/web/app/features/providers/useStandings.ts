import { type GetStandingReturnType, getStanding } from "@quorate/sdk";
import { useQueries, useQuery } from "@tanstack/react-query";
import type { Address } from "viem";
import { useSession } from "../../connection/index.ts";
import { useMarket } from "../../market/index.ts";

/** Standing of a provider on chain, read anew when a job settles. */
export function useStanding(provider: Address): {
  readonly standing: GetStandingReturnType | undefined;
  readonly error: unknown;
} {
  const options = useStandingQuery();
  const { data, error } = useQuery(options(provider));
  return { standing: data, error };
}

/** Standings of several providers, in their order; undefined until read. */
export function useStandings(providers: readonly Address[]): readonly (GetStandingReturnType | undefined)[] {
  const options = useStandingQuery();
  return useQueries({
    queries: providers.map(options),
    combine: (results) => results.map(({ data }) => data),
  });
}

function useStandingQuery() {
  const { jobs, networkKey } = useSession();
  const { cursor, model } = useMarket();
  const settled = [...model.jobs.values()].filter(({ facts }) => facts.settled !== undefined).length;
  return (provider: Address) => ({
    queryKey: ["standing", networkKey, provider.toLowerCase(), settled],
    enabled: cursor >= 0,
    placeholderData: (before: GetStandingReturnType | undefined) => before,
    queryFn: () => getStanding(jobs, { provider }),
  });
}
