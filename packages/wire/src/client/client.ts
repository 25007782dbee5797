import {
  type Address,
  FatalError,
  type Hex,
  isQuorateError,
  MAX_BLOCK_BYTES,
  type QuorateError,
  RetryableError,
  silentLogger,
  systemClock,
  unixSeconds,
  verifyBlockAsync,
} from "@quorate/core";
import { type Envelope, encodeEnvelope } from "../envelope.ts";
import { relayError } from "../errors.ts";
import { MAX_MESSAGE_BYTES, MAX_PROFILE_BYTES } from "../limits.ts";
import { relayInfoSchema } from "../pages.ts";
import { encodePresence, encodeProfile, type ProfileRecord } from "../profile.ts";
import { routes, routeUrl } from "../routes.ts";
import { newestRecords, readProfile, readProfiles } from "./profiles.ts";
import { createSubscription } from "./subscription.ts";
import { noneAnswered, readTopic, VerifiedMessages } from "./topic.ts";
import { asQuorateError, badResponse, exchangeBytes, parseJson, sleep, withRetries } from "./transport.ts";
import type {
  CallOptions,
  PublishReport,
  RelayClient,
  RelayClientOptions,
  RelayState,
  SubscribeOptions,
  Subscription,
} from "./types.ts";

/** Most relays of one client. */
const MAX_RELAYS = 16;

/** Pause before a further relay is asked for a block while the first is still silent, milliseconds. */
const HEDGE_MS = 1_000;

/** One relay's outcome of a call. */
type Outcome<T> = { readonly url: string; readonly value?: T; readonly error?: QuorateError };

/**
 * Client of several relays, none of which is trusted: it writes to all, reads from all, verifies everything, and bounds
 * the size and time of every answer. A relay that lies, drops, hangs or floods costs the others nothing.
 *
 * @param options Relays, market and ports.
 * @throws FatalError `INVALID_RELAY_URL` when a URL is no http or https URL, or there are none or more than 16
 */
export function createRelayClient(options: RelayClientOptions): RelayClient {
  const urls = [...new Set(options.urls.map(normalizeUrl))];
  if (urls.length === 0 || urls.length > MAX_RELAYS) {
    throw new FatalError("INVALID_RELAY_URL", `A client needs 1 to ${MAX_RELAYS} relays, ${urls.length} were named.`);
  }
  const {
    domain,
    fetch: fetch_ = (input, init) => globalThis.fetch(input, init),
    clock = systemClock,
    logger = silentLogger,
    timeoutMs = 10_000,
    attempts = 3,
    graceMs = 3_000,
    waitMs = 20_000,
  } = options;
  const verified = new VerifiedMessages();
  /** Failures in a row at each relay: blocks are asked for where things went well. */
  const failures = new Map<string, number>(urls.map((url) => [url, 0]));

  function note<T>(url: string, outcome: Outcome<T>): Outcome<T> {
    const isAnswer = outcome.error === undefined || outcome.error.details?.status === 404;
    failures.set(url, isAnswer ? 0 : (failures.get(url) ?? 0) + 1);
    return outcome;
  }

  /** Runs a call under the caller's and the client's signal. */
  async function withSignal<T>(signal: AbortSignal | undefined, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const outer = [signal, options.signal].filter((one) => one !== undefined);
    const onAbort = (event: Event): void => controller.abort((event.target as AbortSignal).reason);
    for (const one of outer) {
      one.throwIfAborted();
      one.addEventListener("abort", onAbort, { once: true });
    }
    try {
      return await call(controller.signal);
    } finally {
      for (const one of outer) one.removeEventListener("abort", onAbort);
    }
  }

  /** Asks every relay; never rejects but for an abort. */
  async function askAll<T>(
    signal: AbortSignal,
    call: (url: string) => Promise<T>,
  ): Promise<{ values: readonly T[]; errors: readonly QuorateError[]; outcomes: readonly Outcome<T>[] }> {
    const outcomes = await Promise.all(urls.map((url) => attempt(url, call)));
    signal.throwIfAborted();
    return {
      outcomes,
      values: outcomes.flatMap((outcome) => (outcome.error === undefined ? [outcome.value as T] : [])),
      errors: outcomes.flatMap(({ error }) => error ?? []),
    };
  }

  async function attempt<T>(url: string, call: (url: string) => Promise<T>): Promise<Outcome<T>> {
    try {
      return note(url, { url, value: await call(url) });
    } catch (error) {
      return note(url, { url, error: asQuorateError(error) });
    }
  }

  /** Writes to every relay; waits for the slow ones only so long once one has accepted. */
  async function writeAll(
    what: string,
    signal: AbortSignal | undefined,
    write: (url: string, signal: AbortSignal) => Promise<unknown>,
  ): Promise<PublishReport> {
    return withSignal(signal, async (inner) => {
      const settled = new Map<string, Outcome<unknown>>();
      let first = (): void => {};
      const oneAccepted = new Promise<void>((resolve) => {
        first = resolve;
      });
      const writes = urls.map(async (url) => {
        const outcome = await attempt(url, () => withRetries(attempts, inner, () => write(url, inner)));
        settled.set(url, outcome);
        if (outcome.error === undefined) first();
      });
      const grace = new AbortController();
      await Promise.race([
        Promise.all(writes),
        oneAccepted.then(() => sleep(graceMs, grace.signal)).catch(() => {}),
      ]).finally(() => grace.abort());
      inner.throwIfAborted();
      const accepted = urls.filter((url) => settled.has(url) && settled.get(url)?.error === undefined);
      const failed = urls.flatMap((url) => {
        const error = settled.has(url) ? settled.get(url)?.error : slow(url, graceMs);
        return error === undefined ? [] : [{ url, error }];
      });
      for (const { url, error } of failed) logger.warn("relay_write_failed", { relay: url, what, code: error.code });
      if (accepted.length > 0) return { accepted, failed };
      throw publishFailed(what, failed);
    });
  }

  function send(method: "POST" | "PUT", url: string, json: string, signal: AbortSignal): Promise<unknown> {
    const headers = { "content-type": "application/json", accept: "application/json" };
    return exchangeBytes(fetch_, { url, method, headers, body: json, signal, timeoutMs, maxBytes: MAX_MESSAGE_BYTES });
  }

  async function fetchBlock(url: string, cid: string, signal: AbortSignal): Promise<Uint8Array> {
    const target = routeUrl(url, routes.getBlock, { cid }, { format: "raw" });
    const bytes = await exchangeBytes(fetch_, {
      url: target,
      method: "GET",
      headers: { accept: "application/vnd.ipld.raw" },
      signal,
      timeoutMs,
      maxBytes: MAX_BLOCK_BYTES,
    });
    if (!(await verifyBlockAsync(cid, bytes))) throw badResponse(target, "its bytes are not those of the CID");
    return bytes;
  }

  return {
    urls,
    domain,

    publish: async (envelope, { signal }: CallOptions = {}) => {
      const json = JSON.stringify(encodeEnvelope(envelope));
      assertSize(json, MAX_MESSAGE_BYTES, "INVALID_MESSAGE", "message");
      return writeAll(`The ${envelope.kind} message`, signal, (url, inner) =>
        send("POST", routeUrl(url, routes.postMessage), json, inner),
      );
    },

    subscribe: (topic: Hex, subscribeOptions: SubscribeOptions = {}): Subscription =>
      createSubscription(
        { urls, domain, fetch: fetch_, clock, logger, signal: options.signal, timeoutMs, waitMs, verified },
        topic,
        subscribeOptions,
      ),

    list: (topic, { signal }: CallOptions = {}) =>
      withSignal(signal, async (inner) => {
        const { values, errors } = await askAll(inner, (url) =>
          withDeadline(inner, timeoutMs, (limited) =>
            readTopic({ fetch: fetch_, url, topic, timeoutMs, signal: limited }, domain, unixSeconds(clock), verified),
          ),
        );
        if (values.length === 0) throw noneAnswered(`The topic ${topic}`, errors);
        const merged = new Map<Hex, Envelope>(values.flatMap((found) => [...found]));
        return [...merged]
          .sort(([a, first], [b, second]) => first.createdAt - second.createdAt || (a < b ? -1 : 1))
          .map(([, envelope]) => envelope);
      }),

    putBlock: async (cid, bytes, { signal }: CallOptions = {}) => {
      if (!(await verifyBlockAsync(cid, bytes))) {
        throw relayError("BLOCK_MISMATCH", `The bytes are not the block of ${cid.slice(0, 80)}, or above 1 MiB.`);
      }
      // Read where it is sent: a page's thread copies it once, whatever the number of relays.
      const body = new Blob([new Uint8Array(bytes)]);
      return writeAll(`The block ${cid}`, signal, (url, inner) =>
        exchangeBytes(fetch_, {
          url: routeUrl(url, routes.putBlock, { cid }),
          method: "PUT",
          headers: { "content-type": "application/vnd.ipld.raw", accept: "application/json" },
          body,
          signal: inner,
          timeoutMs: 3 * timeoutMs,
          maxBytes: MAX_MESSAGE_BYTES,
        }),
      );
    },

    getBlock: (cid, { signal }: CallOptions = {}) =>
      withSignal(signal, (inner) => {
        const order = [...urls].sort((a, b) => (failures.get(a) ?? 0) - (failures.get(b) ?? 0));
        return raceInTurn(cid, order, inner, async (url, limited) => {
          const outcome = await attempt(url, () => withRetries(attempts, limited, () => fetchBlock(url, cid, limited)));
          if (outcome.error !== undefined) throw outcome.error;
          return outcome.value as Uint8Array;
        });
      }),

    putProfile: async (profile, { signal }: CallOptions = {}) => {
      const json = JSON.stringify(encodeProfile(profile));
      assertSize(json, MAX_PROFILE_BYTES, "INVALID_PROFILE", "profile");
      return writeAll("The profile", signal, (url, inner) =>
        send("PUT", routeUrl(url, routes.putProfile, { provider: profile.provider }), json, inner),
      );
    },

    putPresence: async (presence, { signal }: CallOptions = {}) => {
      const json = JSON.stringify(encodePresence(presence));
      return writeAll("The sign of life", signal, (url, inner) =>
        send("PUT", routeUrl(url, routes.putPresence, { provider: presence.provider }), json, inner),
      );
    },

    listProfiles: ({ signal }: CallOptions = {}) =>
      withSignal(signal, async (inner) => {
        const nowS = unixSeconds(clock);
        const { values, errors } = await askAll(inner, (url) =>
          withDeadline(inner, 2 * timeoutMs, (limited) =>
            readProfiles({ fetch: fetch_, url, domain, nowS, timeoutMs, signal: limited }),
          ),
        );
        if (values.length === 0) throw noneAnswered("The profiles", errors);
        return newestRecords(values, domain);
      }),

    getProfile: (provider: Address, { signal }: CallOptions = {}) =>
      withSignal(signal, async (inner) => {
        const nowS = unixSeconds(clock);
        const { values, errors } = await askAll(inner, async (url) => {
          try {
            return await withRetries(attempts, inner, () =>
              readProfile({ fetch: fetch_, url, domain, nowS, timeoutMs, signal: inner }, provider),
            );
          } catch (error) {
            if (isQuorateError(error, "PROFILE_NOT_FOUND")) return undefined;
            throw error;
          }
        });
        if (values.length === 0) throw noneAnswered(`The profile of ${provider}`, errors);
        const records = values.filter((record): record is ProfileRecord => record !== undefined);
        return (await newestRecords([records], domain))[0];
      }),

    status: ({ signal }: CallOptions = {}) =>
      withSignal(signal, async (inner) => {
        const { outcomes } = await askAll(inner, async (url) => {
          const target = routeUrl(url, routes.getInfo);
          const headers = { accept: "application/json" };
          const exchange = { url: target, method: "GET" as const, headers, signal: inner, timeoutMs, maxBytes: 65_536 };
          const info = relayInfoSchema.safeParse(parseJson(await exchangeBytes(fetch_, exchange), target));
          if (!info.success) throw badResponse(target, "it is no description of a relay", info.error);
          return info.data;
        });
        return outcomes.map(
          ({ url, value, error }): RelayState => (error === undefined ? { url, info: value } : { url, error }),
        );
      }),
  };
}

function normalizeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    (url.protocol !== "http:" && url.protocol !== "https:") ||
    url.search !== "" ||
    url.hash !== ""
  ) {
    throw new FatalError(
      "INVALID_RELAY_URL",
      `${text.slice(0, 200)} is no base URL of a relay: give http(s)://host[:port][/path].`,
    );
  }
  return url.href.replace(/\/+$/, "");
}

function assertSize(json: string, maxBytes: number, code: "INVALID_MESSAGE" | "INVALID_PROFILE", what: string): void {
  const size = new TextEncoder().encode(json).byteLength;
  if (size > maxBytes)
    throw relayError(code, `The ${what} has ${size} bytes as JSON, at most ${maxBytes} are allowed.`);
}

function slow(url: string, graceMs: number): QuorateError {
  return new RetryableError(
    "RELAY_SLOW",
    `The relay ${new URL(url).host} had not answered ${graceMs} ms after another one accepted; it may still.`,
  );
}

function publishFailed(what: string, failed: PublishReport["failed"]): QuorateError {
  const errors = failed.map(({ error }) => error);
  const Class = errors.some((error) => error instanceof RetryableError) ? RetryableError : FatalError;
  const why = errors.map((error) => error.message).join(" ");
  return new Class("RELAY_PUBLISH_FAILED", `${what} was accepted by no relay. ${why}`, {
    cause: new AggregateError(errors),
    docsPath: "guides/relay.md",
    details: { codes: errors.map((error) => error.code).join(",") },
  });
}

/** Runs a call that may take several exchanges under one deadline. */
async function withDeadline<T>(
  signal: AbortSignal,
  deadlineMs: number,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(
    () => controller.abort(new RetryableError("RELAY_TIMEOUT", `A relay did not finish within ${deadlineMs} ms.`)),
    deadlineMs,
  );
  try {
    return await call(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Asks relays one after the other, the next one as soon as the last failed or has been silent for a while. */
async function raceInTurn(
  cid: string,
  urls: readonly string[],
  signal: AbortSignal,
  fetchFrom: (url: string, signal: AbortSignal) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const losers = new AbortController();
  const onAbort = (): void => losers.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const errors: QuorateError[] = [];
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      let next = 0;
      let running = 0;
      const startNext = (): void => {
        const url = urls[next];
        if (url === undefined || losers.signal.aborted) return;
        next++;
        running++;
        const hedge = setTimeout(startNext, HEDGE_MS);
        losers.signal.addEventListener("abort", () => clearTimeout(hedge), { once: true });
        fetchFrom(url, losers.signal).then(resolve, (error: unknown) => {
          clearTimeout(hedge);
          running--;
          errors.push(asQuorateError(error));
          if (signal.aborted) return reject(signal.reason);
          if (next < urls.length) startNext();
          else if (running === 0) reject(blockUnavailable(cid, errors));
        });
      };
      startNext();
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
    losers.abort();
  }
}

function blockUnavailable(cid: string, errors: readonly QuorateError[]): QuorateError {
  if (!errors.every((error) => error.details?.status === 404)) return noneAnswered(`The block ${cid}`, errors);
  return relayError(
    "BLOCK_NOT_FOUND",
    `No relay has the block ${cid}. It may not be uploaded yet, or its time is over: ask its owner for another upload.`,
    new AggregateError(errors),
  );
}
