import type { Package } from "@quorate/core";
import type { RunResult } from "@quorate/sandbox";
import { askWorker } from "./askWorker.ts";

/** How a run in the browser ended: as a provider would see it, or here alone. */
export type TriedRun = RunResult | { readonly kind: "out-of-time" } | { readonly kind: "stopped" };

/**
 * Runs a package with the providers' engine, off the page's thread: a program cannot reach the page, and ends with its worker.
 *
 * @param pkg - Manifest and files; its wall time limits the run.
 * @param signal - Ends the run.
 * @throws FatalError `WORKER_FAILED`.
 */
export async function run(pkg: Package, signal: AbortSignal): Promise<TriedRun> {
  const worker = new Worker(new URL("./run.worker.ts", import.meta.url), { type: "module", name: "run" });
  const timeout = AbortSignal.timeout(pkg.manifest.limits.wallTimeMs);
  try {
    return await askWorker<Package, RunResult>(worker, pkg, { signal: AbortSignal.any([signal, timeout]) });
  } catch (error) {
    if (signal.aborted) return { kind: "stopped" };
    if (timeout.aborted) return { kind: "out-of-time" };
    throw error;
  }
}
