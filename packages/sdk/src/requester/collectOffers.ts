import { type Hex, RetryableError, unixSeconds } from "@quorate/core";
import { getBlockHead } from "../internal/head.ts";
import { type RequesterContext, requireRecord } from "./context.ts";
import { judgeReceived, type ReceivedOffer, readOffer } from "./examineOffer.ts";

/** Options of {@link collectOffers}. */
export type CollectOffersOptions = {
  /** Ends the collection: the iteration returns. */
  readonly signal?: AbortSignal;
  /** Ends the collection after so long, milliseconds. Default: until the request expires. */
  readonly timeoutMs?: number;
};

/** Most messages of one sender that are examined: each costs calls of the chain. */
const MAX_PER_SENDER = 4;

/** Most messages of one job that are examined, beside those in the name of providers on the allow list: a flood must not hide them. */
const MAX_OF_STRANGERS = 512;

/**
 * Offers for a job as they arrive on any relay, each opened, verified and judged. Ends when the request expires, the time is
 * over, or the signal aborts.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @param options Signal, time limit.
 * @throws FatalError `JOB_UNKNOWN`; RetryableError `NODE_UNREACHABLE`.
 */
export async function* collectOffers(
  context: RequesterContext,
  jobId: Hex,
  options: CollectOffersOptions = {},
): AsyncGenerator<ReceivedOffer, void, undefined> {
  const record = await requireRecord(context, jobId);
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  options.signal?.addEventListener("abort", stop, { once: true });
  if (options.signal?.aborted) stop();
  const head = await getBlockHead(context.client);
  const leftMs = Math.max(0, (record.request.expiry - head.timestamp) * 1000);
  // setTimeout takes at most 2^31 - 1 milliseconds.
  const timer = setTimeout(stop, Math.min(leftMs, options.timeoutMs ?? Number.POSITIVE_INFINITY, 2 ** 31 - 1));
  const perSender = new Map<string, number>();
  const trusted = new Set(context.policy.allow.map(({ provider }) => provider.toLowerCase()));
  let strangers = 0;
  try {
    for await (const envelope of context.relays.subscribe(jobId, { signal: controller.signal })) {
      if (envelope.kind !== "offer") continue;
      const sender = envelope.sender.toLowerCase();
      const count = (perSender.get(sender) ?? 0) + 1;
      perSender.set(sender, count);
      if (count > MAX_PER_SENDER) continue;
      const opened = await readOffer(context, record, envelope);
      if (opened.kind === "unusable" || !trusted.has(opened.offer.provider.toLowerCase())) {
        strangers += 1;
        if (strangers === MAX_OF_STRANGERS + 1)
          context.logger.warn("offers.too-many", { jobId, examined: MAX_OF_STRANGERS });
        if (strangers > MAX_OF_STRANGERS) continue;
      }
      const received = opened.kind === "unusable" ? opened : await judgeReceived(context, record, opened);
      context.logger.info("offers.received", {
        jobId,
        sender: envelope.sender,
        accepted: received.kind === "offer" && received.judgement.accepted,
      });
      yield received;
    }
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
    controller.abort();
  }
}

/** Why there are no offers, or too few. */
export type OfferDiagnosis = {
  /** Stable code. */
  readonly code:
    | "NO_RELAY_REACHABLE"
    | "NO_PROFILES"
    | "NO_PROVIDER_ONLINE"
    | "NO_ENGINE"
    | "PRICE_TOO_LOW"
    | "REQUESTER_CANNOT_FUND"
    | "REQUEST_EXPIRED"
    | "ALL_OFFERS_REFUSED"
    | "NO_ANSWER_YET";
  /** What is wrong and what to do. */
  readonly message: string;
};

/**
 * Why a request finds no offers: every cause that can be seen from here, the most certain first.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @param received What came so far.
 * @param funds The requester's free balance and tokens, base units.
 * @param signal Stops the look-ups.
 * @returns At least one diagnosis.
 */
export async function diagnoseOffers(
  context: RequesterContext,
  jobId: Hex,
  received: readonly ReceivedOffer[],
  funds: { readonly available: bigint; readonly needed: bigint },
  signal?: AbortSignal,
): Promise<readonly OfferDiagnosis[]> {
  const { request, requirements } = await requireRecord(context, jobId);
  const found: OfferDiagnosis[] = [];
  const add = (code: OfferDiagnosis["code"], message: string): void => {
    found.push({ code, message });
  };
  const head = await getBlockHead(context.client);
  if (head.timestamp >= request.expiry) {
    add("REQUEST_EXPIRED", "The request has expired: no provider answers it any more. Request again.");
  }
  if (funds.available < funds.needed) {
    add(
      "REQUESTER_CANNOT_FUND",
      `The job can need ${funds.needed} base units and the account has ${funds.available}; providers ignore requests that could not be paid. Deposit more, or ask for less.`,
    );
  }
  const offers = received.filter((item) => item.kind === "offer");
  const refused = offers.filter(({ judgement }) => !judgement.accepted);
  if (offers.length > 0 && refused.length === offers.length) {
    const reasons = [...new Set(refused.flatMap(({ judgement }) => judgement.reasons))].join("; ");
    add("ALL_OFFERS_REFUSED", `${offers.length} offers came and the trust policy refused each: ${reasons}.`);
  }
  const options = signal === undefined ? {} : { signal };
  let records: Awaited<ReturnType<typeof context.relays.listProfiles>>;
  try {
    records = await context.relays.listProfiles(options);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof RetryableError)) throw error;
    add(
      "NO_RELAY_REACHABLE",
      `None of ${context.relays.urls.length} relays can be reached, so no offer can arrive. Check the connection, or add relays.`,
    );
    return found;
  }
  const now = unixSeconds(context.clock);
  const online = records.filter(({ presence }) => presence !== undefined && presence.expiry > now);
  const { engine } = requirements;
  const fitting = online.filter(({ profile }) =>
    profile.body.engines.some(({ name, version }) => name === engine.name && version === engine.version),
  );
  const asked = fitting.map(({ profile }) =>
    profile.body.prices?.find(({ token }) => token.toLowerCase() === request.token.toLowerCase()),
  );
  if (records.length === 0) {
    add("NO_PROFILES", "The relays know no provider. Use relays on which providers listen.");
  } else if (online.length === 0) {
    add(
      "NO_PROVIDER_ONLINE",
      `The relays know ${records.length} providers, and none of them is online now. Wait, or use other relays.`,
    );
  } else if (fitting.length === 0) {
    add(
      "NO_ENGINE",
      `${online.length} providers are online, and none runs ${engine.name} ${engine.version}. Use an engine and version that providers offer.`,
    );
  } else if (asked.every((price) => price !== undefined && price.from > request.priceCeiling)) {
    const lowest = asked.reduce(
      (least, price) => (price !== undefined && (least === undefined || price.from < least) ? price.from : least),
      undefined as bigint | undefined,
    );
    add(
      "PRICE_TOO_LOW",
      `The price ceiling ${request.priceCeiling} is below every known asking price; the lowest is ${lowest}. Raise the ceiling.`,
    );
  }
  if (found.length === 0) {
    add(
      "NO_ANSWER_YET",
      `${fitting.length} providers that fit are online and have not answered, or not enough of them. Wait, or check price, bond and windows against what they take.`,
    );
  }
  return found;
}
