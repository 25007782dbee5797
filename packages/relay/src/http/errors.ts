import { isQuorateError, type Logger } from "@quorate/core";
import { RELAY_DOCS_PATH, type RelayErrorBody, type RelayErrorCode, relayError, relayErrors } from "@quorate/wire";
import type { ErrorRequestHandler, RequestHandler, Response } from "express";

/** Seconds after which a client may try again, by code. */
const RETRY_AFTER_S: Partial<Record<RelayErrorCode, number>> = {
  RATE_LIMITED: 60,
  TOO_MANY_STREAMS: 15,
  RELAY_BUSY: 2,
  SENDER_QUOTA_EXCEEDED: 600,
  SOURCE_QUOTA_EXCEEDED: 600,
  TOPIC_FULL: 600,
  RELAY_FULL: 3_600,
};

/**
 * Answers with an error in the one shape that clients know.
 *
 * @param res Response that has not begun.
 * @param code Stable code; gives the status.
 * @param message What happened and what to do.
 */
export function sendError(res: Response, code: RelayErrorCode, message: string): void {
  const body: RelayErrorBody = { error: { code, message, docs: RELAY_DOCS_PATH } };
  const retryAfterS = RETRY_AFTER_S[code];
  if (retryAfterS !== undefined && !res.hasHeader("retry-after")) res.set("Retry-After", String(retryAfterS));
  res.status(relayErrors[code].status).set("Cache-Control", "no-store").json(body);
}

/** Answers what no route took. */
export const notFound: RequestHandler = (req, res) => {
  sendError(res, "NOT_FOUND", `There is nothing at ${req.path.slice(0, 120)}. The routes are in the documentation.`);
};

/**
 * Answers a route that exists with another method.
 *
 * @param allowed Methods of the route.
 */
export function methodNotAllowed(allowed: string): RequestHandler {
  return (req, res) => {
    res.set("Allow", allowed);
    sendError(res, "METHOD_NOT_ALLOWED", `${req.method} is not possible here, ${allowed} is.`);
  };
}

/** Errors of Express and its body parsers by their `type`. */
const PARSER_ERRORS: Record<string, readonly [RelayErrorCode, string]> = {
  "entity.too.large": ["PAYLOAD_TOO_LARGE", "The body is larger than this route accepts."],
  "encoding.unsupported": ["UNSUPPORTED_MEDIA_TYPE", "Compressed bodies are not accepted. Send it as it is."],
  "request.aborted": ["MALFORMED_URL", "The request ended before its body did."],
  "request.size.invalid": ["MALFORMED_URL", "The body is not as long as the request said."],
};

/**
 * Turns whatever a handler threw into an answer; what was not expected is logged and answered without its message.
 *
 * @param logger Where unexpected errors go.
 */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, _next) => {
    if (res.headersSent) {
      res.destroy();
      return;
    }
    if (isQuorateError(error) && Object.hasOwn(relayErrors, error.code)) {
      return sendError(res, error.code as RelayErrorCode, error.message);
    }
    const { type, status } = (typeof error === "object" && error !== null ? error : {}) as {
      type?: string;
      status?: number;
    };
    const known = type === undefined || !Object.hasOwn(PARSER_ERRORS, type) ? undefined : PARSER_ERRORS[type];
    if (known !== undefined) return sendError(res, ...known);
    if (error instanceof URIError || status === 400) {
      return sendError(res, "MALFORMED_URL", "The request's path or framing is malformed.");
    }
    logger.error("request_failed", { method: req.method, path: req.path, error });
    sendError(res, "INTERNAL", "The relay failed. Try again, or use other relays.");
  };
}

/**
 * Parses a JSON body that was read as bytes: UTF-8 only, as JSON demands (RFC 8259).
 *
 * @param body What the body parser left: bytes, or nothing when the content type did not fit.
 * @throws FatalError `UNSUPPORTED_MEDIA_TYPE`, `MALFORMED_JSON`
 */
export function jsonOf(body: unknown): unknown {
  if (!Buffer.isBuffer(body)) {
    throw relayError("UNSUPPORTED_MEDIA_TYPE", "Send a JSON body with Content-Type: application/json.");
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw relayError("MALFORMED_JSON", "The body is not JSON in UTF-8.", cause);
  }
}
