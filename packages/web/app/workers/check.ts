import { FatalError } from "@quorate/core";
import type { CheckedReceipt, CheckReceiptOptions, CheckStep } from "../../src/receipt-check/index.ts";

/** What the worker says. */
export type CheckMessage =
  | { readonly kind: "step"; readonly step: CheckStep }
  | { readonly kind: "done"; readonly checked: CheckedReceipt }
  | { readonly kind: "failed"; readonly message: string };

/**
 * Checks a receipt off the page's thread, in a worker that ends with it.
 *
 * @param given - JSON text, or parsed.
 * @param options - As of `checkReceipt`.
 * @param signal - Ends the worker.
 * @throws FatalError `WORKER_FAILED`; the signal's reason.
 */
export async function checkInWorker(
  given: unknown,
  { onStep, ...options }: CheckReceiptOptions,
  signal?: AbortSignal,
): Promise<CheckedReceipt> {
  signal?.throwIfAborted();
  const worker = new Worker(new URL("./check.worker.ts", import.meta.url), { type: "module" });
  const failed = (why: string): FatalError =>
    new FatalError("WORKER_FAILED", `This browser ended the check: ${why}. Try again, with other tabs closed.`);
  try {
    return await new Promise<CheckedReceipt>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.addEventListener("error", ({ message }) => reject(failed(message || "its worker did not start")));
      worker.addEventListener("message", ({ data }: MessageEvent<CheckMessage>) => {
        if (data.kind === "step") onStep?.(data.step);
        else if (data.kind === "done") resolve(data.checked);
        else reject(failed(data.message));
      });
      worker.postMessage({ given, options });
    });
  } finally {
    worker.terminate();
  }
}
