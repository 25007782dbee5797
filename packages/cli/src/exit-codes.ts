import { FatalError, isQuorateError, QuorateError, RetryableError } from "@quorate/core";

/** Exit codes of the command line; stable, documented in `docs/guides/cli.md`. */
export const ExitCode = {
  /** Done. */
  Ok: 0,
  /** Something nobody foresaw: a defect. */
  Unexpected: 1,
  /** The command line, a file, a setting or a passphrase is not usable. */
  Usage: 2,
  /** Chain, relay or state busy or out of reach, or too early: the same command may succeed later. */
  Retryable: 3,
  /** Refused by a rule: the contract, a policy, missing funds. */
  Refused: 4,
  /** The job or query has no result to give: inconclusive, failed, not delivered, never answered. */
  NoResult: 5,
  /** Stopped by Ctrl-C; what was begun goes on without this process. */
  Interrupted: 130,
} as const;
/** Value of {@link ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const noResult: ReadonlySet<string> = new Set([
  "JOB_INCONCLUSIVE",
  "JOB_FAILED",
  "JOB_REPORTED",
  "RESULT_NOT_DELIVERED",
  "RESULT_MISMATCH",
  "QUERY_EXPIRED",
]);

/** Codes of other packages about what a person wrote or keeps in files. */
const usage: ReadonlySet<string> = new Set([
  "AGENT_CONFIG",
  "BACKUP_INVALID",
  "CONSENT_REQUEST_INVALID",
  "DATASET_INVALID",
  "DOMAIN_CONFIG",
  "PAPERS_INVALID",
  "QUERIES_NOT_INSTALLED",
  "RECEIPT_INVALID",
  "STATEMENT_INVALID",
  "STATEMENT_VACUOUS",
  "VALUE_INVALID",
  "PASSPHRASE_EMPTY",
  "PASSPHRASE_WRONG",
  "POLICY_INVALID",
  "RELAY_CONFIG_INVALID",
  "STATE_MISSING",
  "TRUST_POLICY_INVALID",
]);

const usagePrefix = /^(USAGE|INVALID|CONFIG|FILE|KEYSTORE|KEY_STORE|MANIFEST|PACKAGE_(TOO|MALFORMED))_?/;

/** Busy or too early, whatever class its package gave it. */
const retryable: ReadonlySet<string> = new Set(["ALREADY_RUNNING", "DEVNET_RUNNING", "PORT_IN_USE"]);

/**
 * The exit code that an error ends with.
 *
 * @param error - Whatever a command threw.
 * @returns One of {@link ExitCode}.
 */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isQuorateError(error)) return ExitCode.Unexpected;
  const { code } = error;
  if (code === "INTERRUPTED") return ExitCode.Interrupted;
  if (noResult.has(code)) return ExitCode.NoResult;
  if (usage.has(code) || usagePrefix.test(code)) return ExitCode.Usage;
  return error instanceof RetryableError || retryable.has(code) ? ExitCode.Retryable : ExitCode.Refused;
}

/** A command that was stopped from outside. */
export class Interrupted extends QuorateError {
  /**
   * @param message - What goes on without the command, and how to come back.
   * @param next - Command that comes back, when there is one.
   */
  constructor(message: string, next?: string) {
    super("INTERRUPTED", message, next === undefined ? {} : { details: { next } });
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EPERM: "it is not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left",
  EDQUOT: "the disk quota is used up",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOENT: "it does not exist",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its links go round in circles",
};

/**
 * An error with a code: what the file system throws gets one here, whatever already has one passes.
 *
 * @param error - Whatever a command threw.
 * @param file - What was used, where the system does not say so itself.
 * @returns The error to show.
 */
export function withCode(error: unknown, file?: string): unknown {
  if (isQuorateError(error) || !(error instanceof Error)) return error;
  const { code = "", path = file, syscall } = error as NodeJS.ErrnoException;
  if (path === undefined || syscall === undefined || !/^E[A-Z]+$/.test(code)) return error;
  return new FatalError(
    "FILE_UNUSABLE",
    `${path} cannot be used: ${reasons[code] ?? code} (${syscall}). Check path, permissions and disk, or name another folder with --home.`,
    { cause: error, details: { path } },
  );
}
