import type { Selection } from "@quorate/sdk";
import { useState } from "react";
import type { Hex } from "viem";
import { useRequester } from "../../../connection/index.ts";
import { spending } from "../../../market/index.ts";

/** The opening of a job on this page. */
export type Opening = {
  readonly isRunning: boolean;
  readonly error: unknown;
  /** Opens with a panel; without one, goes on with what was stored. */
  readonly run: (selection?: Selection, options?: { readonly nothingIsPending?: boolean }) => Promise<void>;
};

/**
 * Opens a job: one tab at a time, from wherever an earlier attempt ended.
 *
 * @param jobId - Job.
 */
export function useOpening(jobId: Hex): Opening {
  const requester = useRequester();
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<unknown>();
  return {
    isRunning,
    error,
    async run(selection, options = {}) {
      setRunning(true);
      setError(undefined);
      try {
        await spending(jobId, () => requester.openJob(jobId, selection, options));
      } catch (thrown) {
        setError(thrown);
      } finally {
        setRunning(false);
      }
    },
  };
}
