import type { FailureCause, ReportCode } from "@quorate/core";

/** What a run used. Everything but `elapsedMs` and `peakMemoryBytes` of the process is counted by the engine and equal on every host. */
export type Usage = {
  /** Instructions and host work counted by the engine, in units of fuel. */
  readonly fuel: number;
  /** Linear memory of the program at its end, in bytes. */
  readonly memoryBytes: number;
  /** Bytes written to standard output. */
  readonly outputBytes: number;
  /** Wall time, in milliseconds, as this host saw it. Differs from host to host: never part of a vote. */
  readonly elapsedMs: number;
  /** Largest resident set of the process, in bytes, where the run had a process of its own. */
  readonly peakProcessBytes?: number;
};

/**
 * How a run ended. `ok` and `failed` are computed answers, equal on every host that runs the named engine;
 * `report` is what only this host observed and must never be held against another's answer.
 */
export type RunResult =
  | {
      readonly kind: "ok";
      /** Everything the program wrote to standard output. */
      readonly output: Uint8Array;
      readonly usage: Usage;
      /** The end of standard error, for the requester's own diagnosis; not part of the result. */
      readonly diagnostics: string;
    }
  | {
      readonly kind: "failed";
      readonly cause: FailureCause;
      /** Exit code of the program, 0 where the cause is no exit. */
      readonly exitCode: number;
      readonly usage: Usage;
      readonly diagnostics: string;
    }
  | {
      readonly kind: "report";
      readonly code: ReportCode;
      /** What happened, in words, for the operator; never part of a vote. */
      readonly detail: string;
      readonly usage: Usage;
    };

/** Options of {@link runPackage}. */
export type RunOptions = {
  /** Aborts before the run begins and between its stages; a running program is stopped by ending its process. */
  readonly signal?: AbortSignal;
};
