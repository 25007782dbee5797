import { FatalError, isQuorateError, QuorateError, RetryableError } from "@quorate/core";

/** What a worker of one task posts when it is done. */
export type WorkerAnswer<Result> =
  | { readonly kind: "done"; readonly result: Result }
  | { readonly kind: "failed"; readonly error: WorkerFailure };

/** An error on its way out of a worker: classes do not survive the way, codes do. */
export type WorkerFailure = {
  readonly code: string | undefined;
  readonly message: string;
  readonly isRetryable: boolean;
  readonly details?: QuorateError["details"];
};

/**
 * An error as a worker posts it.
 *
 * @param error - What was thrown.
 */
export function failureOf(error: unknown): WorkerFailure {
  return {
    code: isQuorateError(error) ? error.code : undefined,
    message: error instanceof Error ? error.message : String(error),
    isRetryable: error instanceof RetryableError,
    ...(error instanceof QuorateError && error.details !== undefined ? { details: error.details } : {}),
  };
}

/**
 * Serves one task in a worker: takes the first message, posts the answer.
 *
 * @param task - Computes the result; moves what it lists instead of copying it.
 */
export function serveTask<Input, Result>(
  task: (input: Input) => Promise<{ readonly result: Result; readonly move?: readonly Transferable[] }>,
): void {
  const scope = self as unknown as {
    addEventListener(
      type: "message",
      listener: (event: MessageEvent<Input>) => void,
      options: { readonly once: true },
    ): void;
    postMessage(answer: WorkerAnswer<Result>, move: readonly Transferable[]): void;
  };
  scope.addEventListener(
    "message",
    ({ data }) => {
      task(data).then(
        ({ result, move }) => scope.postMessage({ kind: "done", result }, move ?? []),
        (error: unknown) => scope.postMessage({ kind: "failed", error: failureOf(error) }, []),
      );
    },
    { once: true },
  );
}

/**
 * Has a worker do one task, and ends it, whatever happens.
 *
 * @param worker - Fresh worker that calls {@link serveTask}.
 * @param input - Copied to the worker.
 * @param options - Signal that ends the worker.
 * @throws What the task threw, as a QuorateError where it was one; the signal's reason; FatalError `WORKER_FAILED` when the worker
 * could not run.
 */
export async function askWorker<Input, Result>(
  worker: Worker,
  input: Input,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Result> {
  const { signal } = options;
  try {
    signal?.throwIfAborted();
    return await new Promise<Result>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.addEventListener("message", ({ data }: MessageEvent<WorkerAnswer<Result>>) => {
        if (data.kind === "done") resolve(data.result);
        else reject(errorOf(data.error));
      });
      worker.addEventListener("error", (event) => {
        reject(
          new FatalError(
            "WORKER_FAILED",
            `This browser could not do the work in the background: ${event.message || "its file was not loaded"}. Load the page again.`,
          ),
        );
      });
      worker.postMessage(input);
    });
  } finally {
    worker.terminate();
  }
}

function errorOf({ code, message, isRetryable, details }: WorkerFailure): Error {
  if (code === undefined) return new Error(message);
  const options = details === undefined ? {} : { details };
  return isRetryable ? new RetryableError(code, message, options) : new FatalError(code, message, options);
}
