import { FatalError, type QuorateError, RetryableError } from "@quorate/core";
import { z } from "zod";
import { describeIssues } from "./internal/primitives.ts";

/**
 * Every error that a relay answers with: its HTTP status, and whether the same call may succeed later.
 * Codes are stable; clients branch on them.
 */
export const relayErrors = {
  MALFORMED_JSON: { status: 400, retryable: false },
  MALFORMED_URL: { status: 400, retryable: false },
  INVALID_MESSAGE: { status: 400, retryable: false },
  INVALID_PROFILE: { status: 400, retryable: false },
  INVALID_CID: { status: 400, retryable: false },
  INVALID_QUERY: { status: 400, retryable: false },
  INVALID_TOPIC: { status: 400, retryable: false },
  BLOCK_MISMATCH: { status: 400, retryable: false },
  MESSAGE_EXPIRED: { status: 400, retryable: false },
  MESSAGE_FROM_FUTURE: { status: 400, retryable: false },
  LIFETIME_TOO_LONG: { status: 400, retryable: false },
  BAD_SIGNATURE: { status: 403, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  BLOCK_NOT_FOUND: { status: 404, retryable: true },
  PROFILE_NOT_FOUND: { status: 404, retryable: true },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false },
  NOT_ACCEPTABLE: { status: 406, retryable: false },
  OUTDATED: { status: 409, retryable: false },
  BLOCK_NOT_CACHED: { status: 412, retryable: true },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false },
  RATE_LIMITED: { status: 429, retryable: true },
  SENDER_QUOTA_EXCEEDED: { status: 429, retryable: true },
  SOURCE_QUOTA_EXCEEDED: { status: 429, retryable: true },
  TOPIC_FULL: { status: 429, retryable: true },
  TOO_MANY_STREAMS: { status: 429, retryable: true },
  INTERNAL: { status: 500, retryable: true },
  RELAY_BUSY: { status: 503, retryable: true },
  RELAY_FULL: { status: 507, retryable: true },
} as const;

/** Code of an error that a relay answers with. */
export type RelayErrorCode = keyof typeof relayErrors;

/** Body of every answer of a relay that is an error. */
export type RelayErrorBody = {
  readonly error: {
    /** A {@link RelayErrorCode}, or a code of a newer relay. */
    readonly code: string;
    /** What happened and what to do. */
    readonly message: string;
    /** Page under `docs/`. */
    readonly docs: string;
  };
};

/** Shape of {@link RelayErrorBody} as a client reads it; unknown keys are ignored. */
export const relayErrorBodySchema: z.ZodType<RelayErrorBody> = z.object({
  error: z.object({
    code: z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/),
    message: z.string().max(2000),
    docs: z.string().max(200),
  }),
});

/** Page that explains the codes. */
export const RELAY_DOCS_PATH = "guides/relay.md";

/**
 * An error of the relay protocol as the class that fits its code.
 *
 * @param code Code of {@link relayErrors}.
 * @param message What happened and what to do.
 * @param cause What was thrown below.
 */
export function relayError(code: RelayErrorCode, message: string, cause?: unknown): QuorateError {
  const Class = relayErrors[code].retryable ? RetryableError : FatalError;
  return new Class(code, message, { cause, docsPath: RELAY_DOCS_PATH, details: { status: relayErrors[code].status } });
}

/**
 * Parses a value from outside.
 *
 * @param schema Schema of what is expected.
 * @param value Parsed JSON.
 * @param code Code of the error when it does not fit.
 * @param what Subject of the error message, for example `The message`.
 * @returns The value with the types of inside: bigint amounts, checksummed addresses.
 * @throws FatalError with `code`, naming up to five places that do not fit.
 */
export function parseWire<T>(schema: z.ZodType<T>, value: unknown, code: RelayErrorCode, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw relayError(code, `${what} does not have the expected shape: ${describeIssues(result.error)}.`);
}
