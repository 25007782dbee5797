import { FailureCause, type Package, ReportCode } from "@quorate/core";
import { type EngineResult, NO_USAGE } from "./internal/engine.ts";
import { runEngine } from "./internal/run-engine.ts";
import type { RunOptions, RunResult } from "./result.ts";

/**
 * Runs a package in this process. For programs of strangers on a server, `runIsolated` of `@quorate/sandbox/node` puts
 * a process around it; here the engine alone stands between program and host, and only fuel ends an endless program.
 *
 * @param pkg Manifest and files, as `decodePackage` gives them.
 * @param options Signal.
 * @returns How the run ended. It rejects with nothing but the signal's reason.
 */
export async function runPackage(pkg: Package, options: RunOptions = {}): Promise<RunResult> {
  const startedAt = performance.now();
  options.signal?.throwIfAborted();
  let result: EngineResult;
  try {
    result = await runEngine(pkg);
  } catch (error) {
    const detail = `The host could not go on with the run: ${error instanceof Error ? error.message : "unknown"}.`;
    result = { kind: "report", code: "HostFailure", detail, usage: NO_USAGE };
  }
  options.signal?.throwIfAborted();
  return publishResult(result, { elapsedMs: performance.now() - startedAt });
}

/**
 * Turns the engine's names into codes of the protocol.
 *
 * @param result From the engine.
 * @param measured What the host measured.
 */
export function publishResult(
  result: EngineResult,
  measured: { readonly elapsedMs: number; readonly peakProcessBytes?: number },
): RunResult {
  const usage = { ...result.usage, ...measured };
  switch (result.kind) {
    case "ok":
      return { ...result, usage };
    case "failed":
      return { ...result, cause: FailureCause[result.cause], usage };
    case "report":
      return { ...result, code: ReportCode[result.code], usage };
    default:
      return result satisfies never;
  }
}
