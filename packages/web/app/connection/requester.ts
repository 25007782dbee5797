import { createRequester, type Requester } from "@quorate/sdk";
import { useMemo } from "react";
import { jobStore } from "../data/stores.ts";
import { open } from "../workers/open.ts";
import { useSession } from "./SessionProvider.tsx";
import { useSecret } from "./secret.ts";
import { useTrust } from "./trust.ts";

/** The requester's client for the connected account; without one it can read and watch, and sends nothing. */
export function useRequester(): Requester {
  const { jobs, relays, sources, network } = useSession();
  const { policy, history } = useTrust();
  const secret = useSecret();
  return useMemo(
    () =>
      createRequester({
        client: jobs,
        relays,
        sources,
        keyStore: jobStore,
        trustPolicy: policy,
        history,
        fromBlock: network.fromBlock,
        confirmations: network.confirmations,
        openResult: open,
        ...(secret === undefined ? {} : { secret }),
      }),
    [jobs, relays, sources, policy, history, network, secret],
  );
}
