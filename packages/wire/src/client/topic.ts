import { type Hex, type MarketDomain, RetryableError } from "@quorate/core";
import { isAddressEqual } from "viem";
import { assertFresh, type Envelope, envelopeSchema, verifiedDigest } from "../envelope.ts";
import { belongsToRequests } from "../internal/kinds.ts";
import { MAX_MESSAGE_BYTES, MAX_MESSAGE_LIFETIME_S, MAX_PAGE_BYTES } from "../limits.ts";
import { type Cursor, type MessagePage, messagePageSchema } from "../pages.ts";
import { routes, routeUrl } from "../routes.ts";
import { badResponse, exchangeBytes, parseJson } from "./transport.ts";

/** Room for the frame around the messages of a page and for the message that passes its limit, bytes. */
const MAX_PAGE_ANSWER_BYTES = MAX_PAGE_BYTES + 2 * MAX_MESSAGE_BYTES;

/** A page as it was asked for. */
export type PageRequest = {
  readonly fetch: typeof fetch;
  readonly url: string;
  readonly topic: Hex;
  readonly after: Cursor | undefined;
  /** Milliseconds the relay may wait for a first message. */
  readonly waitMs: number;
  /** Milliseconds for the exchange apart from the wait. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/**
 * Asks one relay for the messages of a topic after a cursor.
 *
 * @param request What to ask.
 * @throws QuorateError as `exchangeBytes`; `RELAY_BAD_RESPONSE` when the answer is no page
 */
export async function readPage(request: PageRequest): Promise<MessagePage> {
  const url = routeUrl(
    request.url,
    routes.getMessages,
    { topic: request.topic },
    { after: request.after, waitMs: request.waitMs },
  );
  const bytes = await exchangeBytes(request.fetch, {
    url,
    method: "GET",
    headers: { accept: "application/json" },
    signal: request.signal,
    timeoutMs: request.waitMs + request.timeoutMs,
    maxBytes: MAX_PAGE_ANSWER_BYTES,
  });
  const page = messagePageSchema.safeParse(parseJson(bytes, url));
  if (!page.success) throw badResponse(url, "it is no page of messages", page.error);
  return page.data;
}

/** A message that passed every check. */
export type CheckedMessage = {
  readonly digest: Hex;
  readonly envelope: Envelope;
};

/** Length of the texts of verified messages that a client remembers. */
const MAX_REMEMBERED_LENGTH = 8 * 1024 * 1024;

/**
 * Messages that were verified, by their text as a relay gives it. A reader sees the same messages at every relay and each time it
 * lists a topic, and to hash one and recover its signer takes milliseconds. Whatever differs in a byte, a signature too, is another.
 */
export class VerifiedMessages {
  readonly #messages = new Map<string, CheckedMessage>();
  #length = 0;

  get(text: string): CheckedMessage | undefined {
    return this.#messages.get(text);
  }

  add(text: string, message: CheckedMessage): void {
    if (this.#messages.has(text)) return;
    this.#messages.set(text, message);
    this.#length += text.length;
    for (const oldest of this.#messages.keys()) {
      if (this.#length <= MAX_REMEMBERED_LENGTH) break;
      this.#messages.delete(oldest);
      this.#length -= oldest.length;
    }
  }
}

/** What the messages of one page came to. */
export type CheckedPage = {
  readonly messages: readonly CheckedMessage[];
  /** Messages that no honest relay holds: malformed, of another topic, wrongly signed. */
  readonly lies: number;
};

/**
 * Checks every message of a page. What an honest relay may hold and the reader cannot use (expired a moment ago, for
 * another market) is left out; what it would have refused is counted.
 *
 * @param page Page from a relay.
 * @param topic Topic that was asked for.
 * @param domain Market.
 * @param nowS Reader's time, unix s.
 * @param known Messages that need no second look; takes those that are verified here.
 */
export async function checkPage(
  page: MessagePage,
  topic: Hex,
  domain: MarketDomain,
  nowS: number,
  known: VerifiedMessages,
): Promise<CheckedPage> {
  const messages: CheckedMessage[] = [];
  let lies = 0;
  let verified = 0;
  for (const { message } of page.messages) {
    const text = JSON.stringify(message);
    const before = known.get(text);
    const envelope = before?.envelope ?? envelopeSchema.safeParse(message).data;
    if (envelope === undefined || envelope.topic !== topic.toLowerCase()) {
      lies++;
      continue;
    }
    if (isOfAnotherMarket(envelope, domain) || !isFresh(envelope, nowS)) continue;
    if (before !== undefined) {
      messages.push(before);
      continue;
    }
    // Let others run in between.
    if (++verified % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    const digest = await verifiedDigest(envelope, domain);
    if (digest === undefined) {
      lies++;
      continue;
    }
    const checked = { digest, envelope };
    known.add(text, checked);
    messages.push(checked);
  }
  return { messages, lies };
}

function isOfAnotherMarket(envelope: Envelope, domain: MarketDomain): boolean {
  if (!belongsToRequests(envelope)) return false;
  return envelope.body.chainId !== domain.chainId || !isAddressEqual(envelope.body.market, domain.market);
}

function isFresh(envelope: Envelope, nowS: number): boolean {
  try {
    assertFresh(envelope, nowS, MAX_MESSAGE_LIFETIME_S);
    return true;
  } catch {
    return false;
  }
}

/** Most messages that are read of one topic at one relay in one go. */
const MAX_LIST_MESSAGES = 5_000;

/**
 * Reads what one relay holds of a topic.
 *
 * @param request First page to ask for.
 * @param domain Market.
 * @param nowS Reader's time, unix s.
 * @param known As of {@link checkPage}.
 * @throws QuorateError when the first page fails; what came before a later failure is kept
 */
export async function readTopic(
  request: Omit<PageRequest, "after" | "waitMs">,
  domain: MarketDomain,
  nowS: number,
  known: VerifiedMessages,
): Promise<ReadonlyMap<Hex, Envelope>> {
  const found = new Map<Hex, Envelope>();
  let after: Cursor | undefined;
  let read = 0;
  do {
    let page: MessagePage;
    try {
      page = await readPage({ ...request, after, waitMs: 0 });
    } catch (error) {
      if (after === undefined || request.signal.aborted) throw error;
      break;
    }
    const before = found.size;
    const checked = await checkPage(page, request.topic, domain, nowS, known);
    for (const { digest, envelope } of checked.messages) found.set(digest, envelope);
    read += page.messages.length;
    // a relay that repeats itself for ever, or promises more and gives nothing, is left
    if (
      !page.more ||
      page.messages.length === 0 ||
      page.cursor === after ||
      (found.size === before && checked.lies > 0)
    )
      break;
    after = page.cursor;
  } while (read < MAX_LIST_MESSAGES);
  return found;
}

/**
 * Error of a call that no relay answered.
 *
 * @param what What was wanted.
 * @param errors Failure of each relay.
 */
export function noneAnswered(what: string, errors: readonly Error[]): RetryableError {
  const why = errors.map((error) => error.message).join(" ");
  return new RetryableError("RELAYS_UNREACHABLE", `${what}: no relay could be read. ${why}`, {
    cause: new AggregateError(errors),
    docsPath: "guides/relay.md",
    details: { relays: errors.length },
  });
}
