/**
 * Waits, unless aborted first.
 *
 * @param ms - milliseconds
 * @param signal - rejects with its reason when aborted
 */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * One signal for the caller's abort and a time limit.
 *
 * @param signal - the caller's, if any
 * @param timeoutMs - milliseconds, if there is a limit
 * @returns a signal that aborts with the first of both
 */
export function limitSignal(signal: AbortSignal | undefined, timeoutMs: number): AbortSignal {
  const limit = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? limit : AbortSignal.any([signal, limit]);
}
