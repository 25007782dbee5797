import type { Package } from "@quorate/core";
import type { RunResult } from "@quorate/sandbox";

/** Runs a package; the shape of the sandbox's `runPackage`. */
export type PackageRunner = (pkg: Package, options?: { readonly signal?: AbortSignal }) => Promise<RunResult>;

/**
 * Runs a package here with the engine that providers use: a function that fails at home fails n times for money elsewhere.
 *
 * The engine is loaded on first use, so that programs that never preview do not carry it.
 *
 * @param pkg Manifest and files.
 * @param options Signal; another runner, for example one in a process of its own.
 * @returns What an honest provider would vote.
 */
export async function previewPackage(
  pkg: Package,
  options: { readonly signal?: AbortSignal; readonly run?: PackageRunner } = {},
): Promise<RunResult> {
  const run: PackageRunner = options.run ?? (await import("@quorate/sandbox")).runPackage;
  return run(pkg, options.signal === undefined ? {} : { signal: options.signal });
}
