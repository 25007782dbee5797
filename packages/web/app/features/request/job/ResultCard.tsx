import { isQuorateError, JobStatus } from "@quorate/core";
import type { JobRecord, JobResult, JobView } from "@quorate/sdk";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { AddressName, useRequester, useSession } from "../../../connection/index.ts";
import { Button, Card, ErrorNote, Hash, Note, Wait } from "../../../ui/index.ts";
import { ResultView } from "./ResultView.tsx";

const DELIVERY_WAIT_MS = 20_000;

type State =
  | { readonly kind: "fetching"; readonly asks: boolean }
  | { readonly kind: "done"; readonly result: JobResult }
  | { readonly kind: "failed"; readonly error: unknown };

/** The result: fetched, decrypted here, held against the hash on chain. */
export function ResultCard({ record, view }: { readonly record: JobRecord; readonly view: JobView }): ReactNode {
  const { jobId } = record;
  const requester = useRequester();
  const { relays, account } = useSession();
  const [state, setState] = useState<State>({ kind: "fetching", asks: false });
  const latest = useRef(requester);
  latest.current = requester;
  const controller = useRef<AbortController>(undefined);
  const isInconclusive = view.status === JobStatus.Inconclusive;

  const fetchResult = (asks: boolean): void => {
    controller.current?.abort();
    const mine = new AbortController();
    controller.current = mine;
    setState({ kind: "fetching", asks });
    // Asking again is signed by the wallet: never without a press.
    const options = { redelivery: asks, timeoutMs: DELIVERY_WAIT_MS, signal: mine.signal };
    latest.current.fetchResult(jobId, options).then(
      (result) => {
        if (!mine.signal.aborted) setState({ kind: "done", result });
      },
      (error: unknown) => {
        if (!mine.signal.aborted) setState({ kind: "failed", error });
      },
    );
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: other relays may have what these did not
  useEffect(() => {
    if (isInconclusive) return;
    fetchResult(false);
    return () => controller.current?.abort();
  }, [jobId, relays, isInconclusive]);

  if (isInconclusive) return;
  return (
    <Card title="Result">
      {state.kind === "fetching" ? (
        <Wait>
          {state.asks
            ? "Asking the providers to deliver again, then fetching the result from the relays"
            : "Fetching the sealed result from the relays and opening it here"}
        </Wait>
      ) : state.kind === "done" ? (
        <div className="stack">
          <Note tone="good">
            <p>
              Opened in this browser, and equal to what the chain accepted: hash{" "}
              <Hash value={state.result.resultHash} label="result hash" />, delivered by{" "}
              <AddressName address={state.result.from} />.
            </p>
          </Note>
          <ResultView bytes={state.result.bytes} name={`result-${jobId.slice(2, 10)}`} />
        </div>
      ) : (
        <ErrorNote
          error={state.error}
          {...(isFinal(state.error) ? {} : { onRetry: () => fetchResult(false), retryLabel: "Look again" })}
        >
          {isFinal(state.error) || account === undefined ? undefined : (
            <Button isSmall onPress={() => fetchResult(true)}>
              Ask the providers to deliver again
            </Button>
          )}
        </ErrorNote>
      )}
    </Card>
  );
}

/** Looking again cannot help: the job has no result. */
function isFinal(error: unknown): boolean {
  return ["JOB_INCONCLUSIVE", "JOB_FAILED", "JOB_REPORTED"].some((code) => isQuorateError(error, code));
}
