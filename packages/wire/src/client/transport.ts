import { FatalError, isQuorateError, QuorateError, RetryableError } from "@quorate/core";
import { domainErrors } from "../domain/errors.ts";
import { relayErrorBodySchema, relayErrors } from "../errors.ts";

/** Whom a client talks with; errors name it. */
export type Party = "relay" | "domain";

/** One HTTP exchange with a relay or a domain provider. */
export type Exchange = {
  /** `relay` by default. */
  readonly party?: Party | undefined;
  readonly url: string;
  readonly method: "GET" | "POST" | "PUT" | "HEAD";
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Blob | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For everything, from connecting to the last byte of the answer. Milliseconds. */
  readonly timeoutMs: number;
  /** Largest answer, bytes. */
  readonly maxBytes: number;
};

/** Largest answer that is an error, bytes. */
const MAX_ERROR_BYTES = 8_192;

/** Longest `Retry-After` that is honoured, milliseconds. */
const MAX_RETRY_AFTER_MS = 30_000;

/** Party and host for messages, as "the relay example.org". */
function nameOf(party: Party | undefined, host: string): string {
  return `${party === "domain" ? "domain provider" : "relay"} ${host}`;
}

/**
 * Sends a request to a party that may lie, hang or flood, and reads its answer within bounds of size and time.
 *
 * @param fetch_ Implementation of `fetch`.
 * @param exchange The request.
 * @returns Bytes of a 2xx answer.
 * @throws QuorateError `RELAY_UNREACHABLE`, `RELAY_TIMEOUT`, `RELAY_RESPONSE_TOO_LARGE`, `RELAY_BAD_RESPONSE` (for a domain
 * provider `DOMAIN_…`), or the party's own code; the signal's reason when the caller aborts
 */
export async function exchangeBytes(fetch_: typeof fetch, exchange: Exchange): Promise<Uint8Array<ArrayBuffer>> {
  const host = new URL(exchange.url).host;
  const { party, signal, timeoutMs } = exchange;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const timeout = new RetryableError(
    party === "domain" ? "DOMAIN_TIMEOUT" : "RELAY_TIMEOUT",
    `The ${nameOf(party, host)} did not answer within ${timeoutMs} ms. It may be overloaded or gone; ${party === "domain" ? "try again" : "other relays are used"}.`,
  );
  const timer = setTimeout(() => controller.abort(timeout), timeoutMs);
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  // a fetch that ignores its signal must not hold the caller: the race does not depend on its good will
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true });
  });
  aborted.catch(() => {});
  try {
    return await Promise.race([perform(fetch_, exchange, controller.signal, host), aborted]);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (isQuorateError(error)) throw error;
    throw new RetryableError(
      party === "domain" ? "DOMAIN_UNREACHABLE" : "RELAY_UNREACHABLE",
      `The ${nameOf(party, host)} cannot be reached: ${error instanceof Error ? rootMessage(error) : String(error)}.`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    // ends the connection of an answer that was not read to its end
    controller.abort();
  }
}

async function perform(
  fetch_: typeof fetch,
  exchange: Exchange,
  signal: AbortSignal,
  host: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch_(exchange.url, {
    method: exchange.method,
    ...(exchange.headers === undefined ? {} : { headers: exchange.headers }),
    ...(exchange.body === undefined ? {} : { body: exchange.body }),
    signal,
    // a relay must not send its clients elsewhere, for example into the agent's own network
    redirect: "error",
    credentials: "omit",
    referrerPolicy: "no-referrer",
  });
  if (response.ok) return readBounded(response, exchange.maxBytes, host, exchange.party);
  throw await errorOf(response, host, exchange.party);
}

async function errorOf(response: Response, host: string, party: Party | undefined): Promise<QuorateError> {
  const { status } = response;
  let body: ReturnType<typeof relayErrorBodySchema.safeParse> | undefined;
  try {
    const bytes = await readBounded(response, MAX_ERROR_BYTES, host, party);
    body = relayErrorBodySchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    // an answer that explains nothing still has its status
  }
  const retryable = status === 408 || status === 425 || status === 429 || status >= 500;
  const retryAfterMs = Math.min(Number(response.headers.get("retry-after") ?? 0) * 1000, MAX_RETRY_AFTER_MS);
  const details = { status, host, ...(retryAfterMs > 0 ? { retryAfterMs } : {}) };
  if (body?.success !== true) {
    const Class = retryable ? RetryableError : FatalError;
    return new Class(
      party === "domain" ? "DOMAIN_BAD_RESPONSE" : "RELAY_BAD_RESPONSE",
      `The ${nameOf(party, host)} answered with status ${status} and no explanation.`,
      { details },
    );
  }
  const { code, message, docs } = body.data.error;
  const errors: Readonly<Record<string, { readonly retryable: boolean }>> =
    party === "domain" ? domainErrors : relayErrors;
  const known = Object.hasOwn(errors, code) ? errors[code] : undefined;
  const Class = (known?.retryable ?? retryable) ? RetryableError : FatalError;
  return new Class(code, `The ${nameOf(party, host)} refused: ${message}`, { details, docsPath: docs });
}

async function readBounded(
  response: Response,
  maxBytes: number,
  host: string,
  party: Party | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): FatalError =>
    new FatalError(
      party === "domain" ? "DOMAIN_RESPONSE_TOO_LARGE" : "RELAY_RESPONSE_TOO_LARGE",
      `The ${nameOf(party, host)} sent more than ${maxBytes} bytes; the answer was dropped. Leave it if it repeats.`,
      { details: { host, maxBytes } },
    );
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  if (response.body === null) return new Uint8Array();
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    // counted after decompression: a small body that unfolds is cut here as well
    if (size > maxBytes) {
      reader.cancel().catch(() => {});
      throw tooLarge();
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

function rootMessage(error: Error): string {
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}

/**
 * Parses JSON of a relay or domain provider.
 *
 * @param bytes Body of the answer.
 * @param url Address that was asked, for the message.
 * @param party Who answered.
 * @throws FatalError `RELAY_BAD_RESPONSE`, `DOMAIN_BAD_RESPONSE`
 */
export function parseJson(bytes: Uint8Array, url: string, party?: Party): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badResponse(url, "it is not JSON", cause, party);
  }
}

/**
 * Error for an answer that no honest party gives.
 *
 * @param url Address that was asked.
 * @param why What is wrong with the answer.
 * @param cause What was thrown below.
 * @param party Who answered.
 */
export function badResponse(url: string, why: string, cause?: unknown, party?: Party): FatalError {
  const { host } = new URL(url);
  return new FatalError(
    party === "domain" ? "DOMAIN_BAD_RESPONSE" : "RELAY_BAD_RESPONSE",
    `The answer of the ${nameOf(party, host)} cannot be used: ${why}.`,
    { cause, details: { host } },
  );
}

/**
 * Waits.
 *
 * @param delayMs Milliseconds.
 * @param signal Ends the wait early with its reason.
 */
export async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * Pause before a further try: doubles from `baseMs` to `maxMs`, with jitter so that clients do not come in step.
 *
 * @param failures Failures in a row, from 1.
 * @param baseMs First pause, milliseconds.
 * @param maxMs Longest pause, milliseconds.
 */
export function backoffMs(failures: number, baseMs: number, maxMs: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 20));
  return full / 2 + (Math.random() * full) / 2;
}

/**
 * Repeats a call while it fails in a way that may pass.
 *
 * @param attempts Most tries.
 * @param signal Ends the pauses.
 * @param call The call.
 */
export async function withRetries<T>(
  attempts: number,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      // an answer "not here" is an answer: asking the same relay again at once does not change it
      const final = !(error instanceof RetryableError) || error.details?.status === 404 || attempt >= attempts;
      if (final || signal?.aborted) throw error;
      const asked = error.details?.retryAfterMs;
      await sleep(Math.max(backoffMs(attempt, 200, 5_000), typeof asked === "number" ? asked : 0), signal);
    }
  }
}

/**
 * Any value that was thrown as an error of the project.
 *
 * @param error What was thrown.
 */
export function asQuorateError(error: unknown): QuorateError {
  if (error instanceof QuorateError) return error;
  return new FatalError("RELAY_CLIENT_FAILED", `The call failed: ${String(error)}`, { cause: error });
}
