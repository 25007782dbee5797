import { once } from "node:events";
import type { Hex, MarketDomain } from "@quorate/core";
import { unixSeconds } from "@quorate/core";
import {
  assertFresh,
  type Cursor,
  cursorSchema,
  type Envelope,
  envelopeDigest,
  MAX_MESSAGE_BYTES,
  MAX_WAIT_MS,
  type PostedMessage,
  parseEnvelope,
  relayError,
  routes,
  verifiedDigest,
} from "@quorate/wire";
import express, { type Request, type Response, type Router } from "express";
import type { StoredPage } from "../messages.ts";
import type { RelayContext } from "./context.ts";
import { jsonOf, methodNotAllowed } from "./errors.ts";

/** Silence on an event stream after which a comment is sent, so that proxies keep it open. Milliseconds. */
const HEARTBEAT_MS = 15_000;

/** How long a reader of an event stream may leave its buffer full before it is cut. Milliseconds. */
const STALLED_MS = 30_000;

/**
 * Mounts the routes of messages.
 *
 * @param router Where to.
 * @param context Stores and ports.
 */
export function mountMessages(router: Router, context: RelayContext): void {
  const body = express.raw({ type: "application/json", limit: MAX_MESSAGE_BYTES, inflate: false });
  router
    .route(routes.postMessage.path)
    .post(body, async (req, res) => {
      const posted = await post(jsonOf(req.body), context.sourceOf(req), context);
      context.metrics.messages(posted.duplicate ? "duplicate" : "stored");
      res.status(posted.duplicate ? 200 : 201).json(posted);
    })
    .all(methodNotAllowed("POST"));
  router
    .route(routes.getMessages.path)
    .get((req, res) => longPoll(req, res, context))
    .all(methodNotAllowed("GET"));
  router
    .route(routes.streamMessages.path)
    .get((req, res) => eventStream(req, res, context))
    .all(methodNotAllowed("GET"));
}

/** Checks a message from the cheap to the dear: shape, time, whether it is here, signature, quotas. */
async function post(json: unknown, source: string, context: RelayContext): Promise<PostedMessage> {
  const envelope = parseEnvelope(json);
  assertFresh(envelope, unixSeconds(context.clock), context.config.limits.messageLifetimeS);
  for (const market of context.markets) {
    const known = context.messages.find(envelopeDigest(envelope, market));
    if (known !== undefined) return known;
  }
  const digest = await digestOfSigned(envelope, context.markets);
  if (digest === undefined) {
    throw relayError(
      "BAD_SIGNATURE",
      `The message is not signed by ${envelope.sender} for a market of this relay, or contradicts itself. ` +
        "Only ECDSA signatures of EOAs count; the markets are listed at /v1/info.",
    );
  }
  return context.messages.post({ envelope, digest, source, trusted: context.isTrusted(envelope.sender) });
}

async function digestOfSigned(envelope: Envelope, markets: readonly MarketDomain[]): Promise<Hex | undefined> {
  for (const market of markets) {
    const digest = await verifiedDigest(envelope, market);
    if (digest !== undefined) return digest;
  }
  return undefined;
}

async function longPoll(req: Request, res: Response, context: RelayContext): Promise<void> {
  const topic = topicOf(req);
  const after = cursorOf(req.query.after);
  const waitMs = waitOf(req.query.waitMs);
  let page = context.messages.page(topic, after, unixSeconds(context.clock));
  if (page.messages.length === 0 && waitMs > 0 && !context.streams.closed) {
    const leave = context.streams.enter(context.sourceOf(req));
    const gone = new AbortController();
    res.once("close", () => gone.abort());
    try {
      if (await context.streams.wait(topic, waitMs, gone.signal)) {
        page = context.messages.page(topic, after, unixSeconds(context.clock));
      }
    } finally {
      leave();
    }
    if (gone.signal.aborted) return;
  }
  res.set("Cache-Control", "no-store").type("application/json").send(pageJson(page));
}

function pageJson({ messages, cursor, more }: StoredPage): string {
  // the messages are JSON already: parsing them to print them again would double the work of every read
  const items = messages.map(({ seq, json }) => `{"seq":${seq},"message":${json}}`);
  return `{"messages":[${items.join(",")}],"cursor":${JSON.stringify(cursor)},"more":${more}}`;
}

/** Server-sent events (WHATWG HTML, section 9.2). Reads page after page, so that a slow reader costs one page of memory. */
async function eventStream(req: Request, res: Response, context: RelayContext): Promise<void> {
  const topic = topicOf(req);
  let cursor = cursorOf(req.get("last-event-id") ?? req.query.after);
  const leave = context.streams.enter(context.sourceOf(req));
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const life = setTimeout(() => gone.abort(), context.config.limits.streamLifetimeS * 1000);
  res.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" });
  res.flushHeaders();
  try {
    await write(res, "retry: 2000\n\n", gone.signal);
    while (!gone.signal.aborted && !context.streams.closed) {
      const page = context.messages.page(topic, cursor, unixSeconds(context.clock));
      const [epoch] = page.cursor.split("-") as [string];
      for (const { seq, json } of page.messages) {
        await write(
          res,
          `id: ${epoch}-${seq}\nevent: message\ndata: {"seq":${seq},"message":${json}}\n\n`,
          gone.signal,
        );
      }
      cursor = page.cursor;
      if (page.more) continue;
      const rung = await context.streams.wait(topic, HEARTBEAT_MS, gone.signal);
      if (!rung && !gone.signal.aborted && !context.streams.closed) await write(res, ": still here\n\n", gone.signal);
    }
  } catch (error) {
    if (!gone.signal.aborted) context.logger.debug("stream_cut", { topic, error });
    res.destroy();
  } finally {
    clearTimeout(life);
    leave();
    res.end();
  }
}

async function write(res: Response, text: string, signal: AbortSignal): Promise<void> {
  if (res.write(text)) return;
  await once(res, "drain", { signal: AbortSignal.any([signal, AbortSignal.timeout(STALLED_MS)]) });
}

function topicOf(req: Request): Hex {
  const { topic } = req.params;
  if (typeof topic !== "string" || !/^0x[0-9a-f]{64}$/.test(topic)) {
    throw relayError("INVALID_TOPIC", "A topic is 32 bytes in lower-case hex: a job id, or the topic of requests.");
  }
  return topic as Hex;
}

function cursorOf(value: unknown): Cursor | undefined {
  if (value === undefined) return undefined;
  const parsed = cursorSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw relayError("INVALID_QUERY", "The cursor is none of this relay. Leave it out to read from the beginning.");
}

function waitOf(value: unknown): number {
  if (value === undefined) return 0;
  const waitMs = typeof value === "string" && /^[0-9]{1,6}$/.test(value) ? Number(value) : -1;
  if (waitMs >= 0 && waitMs <= MAX_WAIT_MS) return waitMs;
  throw relayError("INVALID_QUERY", `waitMs is a whole number from 0 to ${MAX_WAIT_MS}.`);
}
