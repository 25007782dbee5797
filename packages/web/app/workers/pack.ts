import type { MakePackageParameters, PreparedPackage } from "@quorate/sdk";
import { askWorker } from "./askWorker.ts";

/**
 * Encodes and encrypts program and data off the page's thread. Nothing leaves the browser.
 *
 * @param parameters - Manifest, files, optionally a key.
 * @param options - Signal that ends it.
 * @throws FatalError `MANIFEST_MALFORMED`, `PACKAGE_MALFORMED`, `PACKAGE_TOO_LARGE`, `WORKER_FAILED`.
 */
export async function pack(
  parameters: MakePackageParameters,
  options: { readonly signal?: AbortSignal } = {},
): Promise<PreparedPackage> {
  const worker = new Worker(new URL("./pack.worker.ts", import.meta.url), { type: "module", name: "pack" });
  return await askWorker<MakePackageParameters, PreparedPackage>(worker, parameters, options);
}
