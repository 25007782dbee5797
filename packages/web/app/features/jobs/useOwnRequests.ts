import type { JobRecord } from "@quorate/sdk";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useSession } from "../../connection/index.ts";
import { onChange } from "../../data/db.ts";
import { jobStore } from "../../data/stores.ts";
import { useMarket } from "../../market/index.ts";

/** Requests of this browser that are not on chain yet, newest first; follows changes of all tabs. */
export function useOwnRequests(): { readonly requests: readonly JobRecord[]; readonly error: unknown } {
  const { network } = useSession();
  const { model } = useMarket();
  const { data, error, refetch } = useQuery({ queryKey: ["job-records"], queryFn: () => jobStore.list() });
  useEffect(
    () =>
      onChange(({ store }) => {
        if (store === "jobs") void refetch();
      }),
    [refetch],
  );
  const market = network.market.toLowerCase();
  const requests = (data ?? [])
    .filter(
      (record) =>
        record.chainId === network.chainId &&
        record.market.toLowerCase() === market &&
        !model.jobs.has(record.jobId.toLowerCase() as `0x${string}`),
    )
    .reverse();
  return { requests, error };
}
