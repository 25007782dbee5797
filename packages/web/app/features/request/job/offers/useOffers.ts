import type { JobRecord, ReceivedOffer } from "@quorate/sdk";
import { useEffect, useRef, useState } from "react";
import { useRequester, useSession } from "../../../../connection/index.ts";
import { addOffer } from "./offers.ts";

/** Collects as long as the page shows offers. A changed trust policy judges again, and asks nobody again. */
export function useOffers(record: JobRecord): {
  readonly received: readonly ReceivedOffer[];
  readonly error: unknown;
  readonly isListening: boolean;
} {
  const requester = useRequester();
  const { relays, publicClient } = useSession();
  const [received, setReceived] = useState<readonly ReceivedOffer[]>([]);
  const [error, setError] = useState<unknown>();
  const [isListening, setListening] = useState(true);
  const latest = useRef(requester);
  latest.current = requester;
  const { jobId } = record;
  // biome-ignore lint/correctness/useExhaustiveDependencies: other relays or another chain are other offers
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    setListening(true);
    const collect = async (): Promise<void> => {
      for await (const offer of latest.current.collectOffers(jobId, { signal })) {
        if (signal.aborted) return;
        setReceived((before) => addOffer(before, offer));
      }
    };
    collect()
      .catch((thrown: unknown) => {
        if (!signal.aborted) setError(thrown);
      })
      .finally(() => {
        if (!signal.aborted) setListening(false);
      });
    return () => controller.abort();
  }, [jobId, relays, publicClient]);
  return { received, error, isListening };
}
