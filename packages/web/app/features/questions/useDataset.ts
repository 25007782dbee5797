import { type FetchedDataset, fetchDataset } from "@quorate/sdk/queries";
import { createDomainClient } from "@quorate/wire";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import type { Address, Hex } from "viem";
import { useSession } from "../../connection/index.ts";

const TIMEOUT_MS = 10_000;

/**
 * A provider's dataset, its definition held against its id.
 *
 * @param url - Of the provider's agent; nothing is asked while it is empty.
 * @param dataset - Default: the provider's only dataset.
 */
export function useDataset(url: string, dataset?: Hex): UseQueryResult<FetchedDataset> {
  const { network, networkKey } = useSession();
  const { chainId, queryMarket } = network;
  return useQuery({
    queryKey: ["dataset", networkKey, url, dataset],
    enabled: url !== "" && queryMarket !== undefined,
    retry: false,
    queryFn: async ({ signal }) =>
      fetchDataset(createDomainClient({ url, signal, timeoutMs: TIMEOUT_MS }), {
        domain: { chainId, market: queryMarket as Address },
        dataset,
      }),
  });
}
