import { jobMarketAbi } from "@quorate/abi";
import { defaultWindowLimits, type WindowLimits } from "@quorate/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Address } from "viem";
import { useProfiles, useRequester, useSession, useToken } from "../../connection/index.ts";
import { useChainTime } from "../../market/index.ts";
import type { Parts } from "./publish.ts";
import { askingPrices, type TermsContext } from "./terms.ts";

/** Everything that the terms follow. */
export function useTermsContext(token: Address, parts: Parts | undefined): TermsContext | undefined {
  const { isLocal, networkKey, publicClient, network } = useSession();
  const { symbol, decimals } = useToken(token);
  const { profiles, isLoaded } = useProfiles();
  const requester = useRequester();
  const now = useChainTime();
  const windows = useQuery({
    queryKey: ["windows", networkKey],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<WindowLimits> => {
      const contract = { address: network.market, abi: jobMarketAbi } as const;
      const [minWindow, maxWindow] = await Promise.all([
        publicClient.readContract({ ...contract, functionName: "minWindow" }),
        publicClient.readContract({ ...contract, functionName: "maxWindow" }),
      ]);
      return { minWindow, maxWindow };
    },
  });
  const minute = now === undefined ? undefined : Math.floor(now / 60) * 60;
  const limits = windows.data ?? (windows.isError ? defaultWindowLimits : undefined);
  return useMemo(() => {
    if (limits === undefined || !isLoaded || parts === undefined) return undefined;
    const plan = requester.plan();
    return {
      token,
      symbol,
      decimals,
      windows: limits,
      isLocal,
      // Without a history that counts, the plan only says that nothing is known.
      plan: plan.belowTarget ? { seats: 3, spares: 1 } : plan,
      asking: askingPrices(profiles.values(), parts.manifest.engine, token, minute ?? 0),
      wallTimeMs: parts.manifest.limits.wallTimeMs,
    };
  }, [limits, isLoaded, parts, requester, token, symbol, decimals, isLocal, profiles, minute]);
}
