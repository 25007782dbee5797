import { FatalError, isQuorateError, RetryableError } from "@quorate/core";

/** Exit codes of the command line; stable, documented in `docs/guides/cli.md`. */
export const ExitCode = {
  /** Done. */
  Ok: 0,
  /** Something nobody foresaw: a defect. */
  Unexpected: 1,
  /** The command line, a file or a value is not usable. */
  Usage: 2,
  /** Chain, relay or file busy or out of reach: the same command may succeed later. */
  Retryable: 3,
  /** Refused by a rule: the contract, a policy, missing funds. */
  Refused: 4,
  /** The job has no result to give: inconclusive, failed, not delivered. */
  NoResult: 5,
  /** Stopped by Ctrl-C; what was begun goes on without this process. */
  Interrupted: 130,
} as const;
/** Value of {@link ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const noResult: ReadonlySet<string> = new Set([
  "JOB_INCONCLUSIVE",
  "JOB_FAILED",
  "RESULT_NOT_DELIVERED",
  "RESULT_MISMATCH",
]);

/**
 * The exit code that an error ends with.
 *
 * @param error - Whatever a command threw.
 * @returns One of {@link ExitCode}.
 */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Error && error.name === "AbortError") return ExitCode.Interrupted;
  if (!isQuorateError(error)) return ExitCode.Unexpected;
  if (noResult.has(error.code)) return ExitCode.NoResult;
  if (error.code.startsWith("USAGE_") || error.code.startsWith("INVALID_") || error.code.startsWith("CONFIG_")) {
    return ExitCode.Usage;
  }
  if (error instanceof RetryableError) return ExitCode.Retryable;
  if (error instanceof FatalError) return ExitCode.Refused;
  return ExitCode.Unexpected;
}
