import type { OpenedResult, SealedResult } from "@quorate/sdk";
import { askWorker } from "./askWorker.ts";

/**
 * Opens and hashes a delivered result off the page's thread. Nothing leaves the browser.
 *
 * @param delivery - Sealed bytes and keys.
 * @throws FatalError `SEAL_DOES_NOT_OPEN`, `WORKER_FAILED`.
 */
export async function open(delivery: SealedResult): Promise<OpenedResult> {
  const worker = new Worker(new URL("./open.worker.ts", import.meta.url), { type: "module", name: "open" });
  return await askWorker<SealedResult, OpenedResult>(worker, delivery);
}
