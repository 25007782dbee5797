import { type Clock, type Hex, isQuorateError, type Logger, type MarketDomain, unixSeconds } from "@quorate/core";
import type { Envelope } from "../envelope.ts";
import type { Cursor } from "../pages.ts";
import { type CheckedMessage, checkPage, readPage, type VerifiedMessages } from "./topic.ts";
import { backoffMs, sleep } from "./transport.ts";
import type { RelayCursors, SubscribeOptions, Subscription } from "./types.ts";

/** What a subscription needs of its client. */
export type SubscriptionContext = {
  readonly urls: readonly string[];
  readonly domain: MarketDomain;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly waitMs: number;
  /** Shared with whatever else the client reads. */
  readonly verified: VerifiedMessages;
};

/** Digests remembered per relay. A flood at one relay forgets what came from that relay only. */
const MAX_REMEMBERED = 20_000;

/** An answer faster than this, with nothing in it, did not wait as it was asked. Milliseconds. */
const INSTANT_MS = 250;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** New messages of one relay, waiting to be taken. */
type Batch = {
  readonly relay: number;
  readonly messages: readonly CheckedMessage[];
  readonly cursor: Cursor;
  readonly taken: () => void;
};

class Memory {
  readonly #digests = new Set<Hex>();

  has(digest: Hex): boolean {
    return this.#digests.has(digest);
  }

  add(digest: Hex): void {
    this.#digests.add(digest);
    if (this.#digests.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#digests) {
      this.#digests.delete(oldest);
      break;
    }
  }
}

/**
 * Follows a topic on all relays. Each relay has a reader of its own that holds at most one page until it is taken, so that
 * a relay that floods, hangs or lies slows only itself.
 *
 * @param context Relays and ports.
 * @param topic Topic.
 * @param options Signal and starting point.
 */
export function createSubscription(
  context: SubscriptionContext,
  topic: Hex,
  options: SubscribeOptions = {},
): Subscription {
  const cursors = new Map<string, Cursor>();
  for (const url of context.urls) {
    const cursor = options.after?.[url];
    if (cursor !== undefined) cursors.set(url, cursor);
  }
  let started = false;
  return {
    cursors: (): RelayCursors => Object.fromEntries(cursors),
    [Symbol.asyncIterator]: () => {
      if (started) throw new TypeError("a subscription is iterated once; call subscribe again");
      started = true;
      return follow(context, topic, options.signal, cursors);
    },
  };
}

async function* follow(
  context: SubscriptionContext,
  topic: Hex,
  signal: AbortSignal | undefined,
  cursors: Map<string, Cursor>,
): AsyncGenerator<Envelope, void, undefined> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  const outer = [signal, context.signal].filter((one) => one !== undefined);
  for (const one of outer) {
    if (one.aborted) return;
    one.addEventListener("abort", onAbort, { once: true });
  }
  const delivered = context.urls.map(() => new Memory());
  const yielded = context.urls.map(() => new Memory());
  const batches: Batch[] = [];
  let wake = (): void => {};
  stop.signal.addEventListener("abort", () => wake(), { once: true });
  const readers = context.urls.map((url, relay) =>
    readRelay(context, url, topic, cursors.get(url), delivered[relay] as Memory, stop.signal, (offered) => {
      return new Promise<void>((taken) => {
        batches.push({ relay, ...offered, taken });
        wake();
      });
    }),
  );
  // a reader returns only when it is stopped; anything else is a defect that must not pass unseen
  let defect: unknown;
  for (const reader of readers) {
    reader.catch((error: unknown) => {
      defect = error;
      wake();
    });
  }
  try {
    while (!stop.signal.aborted) {
      if (defect !== undefined) throw defect;
      const batch = batches.shift();
      if (batch === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (stop.signal.aborted || batches.length > 0 || defect !== undefined) resolve();
        });
        continue;
      }
      for (const { digest, envelope } of batch.messages) {
        if (yielded.some((memory) => memory.has(digest))) continue;
        yielded[batch.relay]?.add(digest);
        yield envelope;
        if (stop.signal.aborted) return;
      }
      cursors.set(context.urls[batch.relay] as string, batch.cursor);
      batch.taken();
    }
  } finally {
    stop.abort();
    for (const one of outer) one.removeEventListener("abort", onAbort);
    for (const batch of batches) batch.taken();
  }
}

async function readRelay(
  context: SubscriptionContext,
  url: string,
  topic: Hex,
  start: Cursor | undefined,
  own: Memory,
  signal: AbortSignal,
  offer: (batch: { messages: readonly CheckedMessage[]; cursor: Cursor }) => Promise<void>,
): Promise<void> {
  const logger = context.logger.child({ relay: url });
  let cursor = start;
  let fruitless = 0;
  while (!signal.aborted) {
    try {
      const startedAt = performance.now();
      const page = await readPage({
        fetch: context.fetch,
        url,
        topic,
        after: cursor,
        waitMs: context.waitMs,
        timeoutMs: context.timeoutMs,
        signal,
      });
      const nowS = unixSeconds(context.clock);
      const { messages, lies } = await checkPage(page, topic, context.domain, nowS, context.verified);
      const fresh = messages.filter(({ digest }) => !own.has(digest));
      for (const { digest } of fresh) own.add(digest);
      if (lies > 0) logger.warn("relay_lied", { topic, messages: lies });
      const moved = page.cursor !== cursor;
      cursor = page.cursor;
      if (fresh.length > 0 || moved) await offer({ messages: fresh, cursor });
      const waited = page.messages.length === 0 && performance.now() - startedAt >= INSTANT_MS;
      if (lies > 0) fruitless++;
      else if (waited || fresh.length > 0) fruitless = 0;
      // a page of nothing but messages for others: go on, at a pace that an endless row of them cannot turn into a load
      else fruitless = moved ? 1 : fruitless + 1;
    } catch (error) {
      if (signal.aborted) return;
      if (!isQuorateError(error)) throw error;
      fruitless++;
      if (fruitless === 1) logger.warn("relay_failed", { topic, code: error.code, message: error.message });
    }
    if (fruitless > 0) {
      try {
        await sleep(backoffMs(fruitless, FIRST_PAUSE_MS, LONGEST_PAUSE_MS), signal);
      } catch {
        return;
      }
    }
  }
}
