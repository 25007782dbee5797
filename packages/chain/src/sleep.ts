/** Waits; resolves early, without error, when the signal is aborted. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/**
 * Waits for a time or an abort, whichever comes first; leaves no timer and no listener behind.
 *
 * @param ms Milliseconds.
 * @param signal Ends the wait early.
 */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}

/**
 * Runs something that takes a signal and gives it up after a time, whether or not it listens to the signal.
 *
 * @param timeoutMs Longest wait in milliseconds.
 * @param signal Aborts from outside.
 * @param work Receives a signal that is aborted in both cases.
 * @throws The reason of the abort, a `TimeoutError` after `timeoutMs`, or what `work` throws.
 */
export async function withTimeout<T>(
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  let stop: (() => void) | undefined;
  const given = new Promise<never>((_, reject) => {
    const fail = (reason: unknown): void => {
      own.abort(reason);
      reject(reason);
    };
    const timer = setTimeout(
      () => fail(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError")),
      timeoutMs,
    );
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
  });
  try {
    return await Promise.race([work(own.signal), given]);
  } finally {
    stop?.();
  }
}
