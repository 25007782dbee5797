/** Plain values that explain an error to programs. Never holds a secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** Optional parts of a {@link QuorateError}. */
export type QuorateErrorOptions = {
  /** What was thrown below. */
  readonly cause?: unknown;
  /** Page under `docs/` that helps, for example `protocol/lifecycle.md#actions`. */
  readonly docsPath?: string | undefined;
  /** Values for programs; never a secret. */
  readonly details?: ErrorDetails | undefined;
};

/**
 * Root of all errors of the project.
 *
 * The code is stable and meant for programs; the message says what happened, why, and what to do.
 */
export class QuorateError extends Error {
  /** Stable code in SCREAMING_SNAKE. */
  readonly code: string;
  /** Page under `docs/` that helps. */
  readonly docsPath: string | undefined;
  /** Values for programs. */
  readonly details: ErrorDetails | undefined;

  constructor(code: string, message: string, options: QuorateErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.docsPath = options.docsPath;
    this.details = options.details;
  }
}

/** The same call may succeed later without any change: a lost connection, a busy endpoint. */
export class RetryableError extends QuorateError {}

/** Trying again cannot help: malformed input, a broken rule. */
export class FatalError extends QuorateError {}

/**
 * Tells whether a value is a {@link QuorateError}, with a given code if one is named.
 *
 * @param value Anything, for example what a `catch` received.
 * @param code Code to compare with; any code when absent.
 */
export function isQuorateError(value: unknown, code?: string): value is QuorateError {
  return value instanceof QuorateError && (code === undefined || value.code === code);
}
