import { FatalError, type QuorateError, RetryableError } from "@quorate/core";

/**
 * Every error that a domain provider answers with: its HTTP status, and whether the same call may succeed later.
 * Whatever depends on a record, a subject or a policy is `CANNOT_ANSWER`, so that a refusal tells nothing.
 */
export const domainErrors = {
  MALFORMED_JSON: { status: 400, retryable: false },
  MALFORMED_URL: { status: 400, retryable: false },
  INVALID_MESSAGE: { status: 400, retryable: false },
  CANNOT_ANSWER: { status: 403, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  UNKNOWN_DATASET: { status: 404, retryable: false },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false },
  NOT_ACCEPTABLE: { status: 406, retryable: false },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false },
  RATE_LIMITED: { status: 429, retryable: true },
  TOO_MANY_KEYS: { status: 429, retryable: true },
  INTERNAL: { status: 500, retryable: true },
  DOMAIN_BUSY: { status: 503, retryable: true },
} as const;

/** Code of an error that a domain provider answers with. */
export type DomainErrorCode = keyof typeof domainErrors;

/** Page that explains the codes. */
export const DOMAIN_DOCS_PATH = "guides/domain.md";

/**
 * An error of the domain provider's protocol as the class that fits its code.
 *
 * @param code Code of {@link domainErrors}.
 * @param message What happened and what to do.
 * @param cause What was thrown below.
 */
export function domainError(code: DomainErrorCode, message: string, cause?: unknown): QuorateError {
  const { retryable, status } = domainErrors[code];
  const Class = retryable ? RetryableError : FatalError;
  return new Class(code, message, { cause, docsPath: DOMAIN_DOCS_PATH, details: { status } });
}
