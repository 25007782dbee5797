import type { FailureCause, Manifest, ReportCode } from "@quorate/core";

/**
 * What an engine is given. The engine imports only types of `@quorate/core`, so that the process which runs strangers'
 * programs loads little code.
 */
export type EngineInput = {
  readonly manifest: Manifest;
  readonly files: ReadonlyMap<string, Uint8Array>;
};

/** Counted by the engine; equal on every host. */
export type EngineUsage = { readonly fuel: number; readonly memoryBytes: number; readonly outputBytes: number };

/** How a run ended, with names in place of codes. */
export type EngineResult =
  | { readonly kind: "ok"; readonly output: Uint8Array; readonly usage: EngineUsage; readonly diagnostics: string }
  | {
      readonly kind: "failed";
      readonly cause: keyof typeof FailureCause;
      readonly exitCode: number;
      readonly usage: EngineUsage;
      readonly diagnostics: string;
    }
  | {
      readonly kind: "report";
      readonly code: keyof typeof ReportCode;
      readonly detail: string;
      readonly usage: EngineUsage;
    };

/** Usage of a run that never began. */
export const NO_USAGE: EngineUsage = { fuel: 0, memoryBytes: 0, outputBytes: 0 };

/** Kept of standard error for the requester's diagnosis, bytes. */
export const DIAGNOSTICS_BYTES = 8_192;

/** Size of a WebAssembly page, bytes. */
export const PAGE_BYTES = 65_536;
