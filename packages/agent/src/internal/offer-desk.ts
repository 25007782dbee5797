import {
  checkRequest,
  type Hex,
  hashRequirements,
  isQuorateError,
  jobIdOf,
  type Logger,
  type MarketDomain,
  type Request,
  type Requirements,
} from "@quorate/core";
import type { Reason, RequestJudgement } from "./judge-request.ts";

/** A judgement of a request by {@link OfferDesk.wouldTake}. */
export type WouldTake = { readonly takes: boolean; readonly price?: bigint; readonly reasons: readonly Reason[] };

/** Sees requests, judges each once, and again while what spoke against it may pass. */
export type OfferDesk = {
  /** A request with its requirements document, as relays bring it. */
  see(request: Request, requirements: Requirements): void;
  /** A request as the chain announces it: without its requirements document, which a message brings. */
  seeAnnounced(request: Request): void;
  /** A requirements document, of a request that the chain announces or announced; anybody may send it. */
  seeRequirements(requirements: Requirements): void;
  /** What the agent would do with a request now. Nothing is promised. */
  wouldTake(request: Request, requirements: Requirements, signal: AbortSignal): Promise<WouldTake>;
  /** Why requests were refused lately. */
  refusals(): ReadonlyMap<Hex, readonly Reason[]>;
  /** Works until aborted. */
  run(signal: AbortSignal): Promise<void>;
};

/** Reasons that may pass while a request lives. */
const passing: ReadonlySet<string> = new Set([
  "BOND_NOT_COVERED",
  "TOO_MANY_OFFERS",
  "REQUESTER_UNFUNDED",
  "GAS_RESERVE",
  "AGENT_NOT_AUTHORIZED",
  "FACTS_UNAVAILABLE",
]);

/** Requests remembered; strangers write them for free, so nothing may grow with them. */
const REMEMBERED = 2000;

/** Refused requests that are looked at again. A flood of them pushes out the oldest, never a request that is new. */
const WAITING = 256;

type Seen = { readonly request: Request; readonly requirements: Requirements };

/**
 * @param input `judgePolicy` gives the reasons that no fact of the chain can remove, before anybody is asked for facts;
 *   `judge` collects facts and applies the policy; `offer` fixes the offer durably; `isKnown` tells whether the journal
 *   has the job; `now` is chain time; `tick` resolves when there is reason to look at refused ones again.
 */
export function createOfferDesk(input: {
  readonly domain: MarketDomain;
  readonly judgePolicy: (request: Request, requirements: Requirements) => readonly Reason[] | undefined;
  readonly judge: (request: Request, requirements: Requirements, signal: AbortSignal) => Promise<RequestJudgement>;
  readonly offer: (
    jobId: Hex,
    request: Request,
    requirements: Requirements,
    judgement: Extract<RequestJudgement, { takes: true }>,
  ) => void;
  readonly isKnown: (jobId: Hex) => boolean;
  readonly now: () => number;
  readonly tick: (signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
}): OfferDesk {
  const { domain, judge, logger } = input;
  const seen = new Map<Hex, true>();
  const refused = new Map<Hex, readonly Reason[]>();
  const documents = new Map<Hex, Requirements>();
  const announced = new Map<Hex, Request>();
  /** Not judged yet. */
  const queue = new Map<Hex, Seen>();
  /** Judged and refused, for reasons that may pass. */
  const waiting = new Map<Hex, Seen>();
  let wake = (): void => {};

  const refuse = (jobId: Hex, reasons: readonly Reason[]): void => {
    if (!refused.has(jobId)) logger.info("request_refused", { jobId, reasons });
    remember(refused, jobId, reasons);
  };

  const consider = async (
    jobId: Hex,
    request: Request,
    requirements: Requirements,
    signal: AbortSignal,
  ): Promise<void> => {
    if (input.isKnown(jobId)) return;
    const invalid = staticReason(request, requirements);
    const hopeless = invalid === undefined ? input.judgePolicy(request, requirements) : [invalid];
    if (hopeless !== undefined) return refuse(jobId, hopeless);
    let judgement: RequestJudgement;
    try {
      judgement = await judge(request, requirements, signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn("request_not_judged", { jobId, error });
      judgement = { takes: false, reasons: [{ code: "FACTS_UNAVAILABLE", message: "the chain could not be read" }] };
    }
    if (judgement.takes) {
      refused.delete(jobId);
      if (!input.isKnown(jobId)) input.offer(jobId, request, requirements, judgement);
      return;
    }
    refuse(jobId, judgement.reasons);
    const mayPass = judgement.reasons.every(({ code }) => passing.has(code)) && request.expiry > input.now();
    if (mayPass) remember(waiting, jobId, { request, requirements }, WAITING);
  };

  /** Keeps a document, for what was announced with its hash or will be; returns the hash. */
  const keep = (requirements: Requirements): Hex => {
    const hash = hashRequirements(requirements);
    remember(documents, hash, requirements);
    for (const [jobId, found] of announced) {
      if (found.requirementsHash.toLowerCase() !== hash) continue;
      announced.delete(jobId);
      enqueue(found, requirements);
    }
    return hash;
  };

  const enqueue = (request: Request, requirements: Requirements): void => {
    const jobId = jobIdOf(request, domain);
    if (seen.has(jobId) || input.isKnown(jobId) || queue.size >= REMEMBERED) return;
    remember(seen, jobId, true);
    queue.set(jobId, { request, requirements });
    wake();
  };

  /** Judges what is new. One after the other: each offer changes what the next one may promise. */
  const drain = async (signal: AbortSignal): Promise<void> => {
    for (const [jobId, { request, requirements }] of queue) {
      if (signal.aborted) return;
      queue.delete(jobId);
      await consider(jobId, request, requirements, signal);
    }
  };

  return {
    see(request, requirements) {
      if (request.requirementsHash.toLowerCase() === keep(requirements)) enqueue(request, requirements);
    },
    seeRequirements: (requirements) => void keep(requirements),
    seeAnnounced(request) {
      const requirements = documents.get(request.requirementsHash.toLowerCase() as Hex);
      if (requirements !== undefined) enqueue(request, requirements);
      else remember(announced, jobIdOf(request, domain), request);
    },
    async wouldTake(request, requirements, signal) {
      const invalid = staticReason(request, requirements);
      if (invalid !== undefined) return { takes: false, reasons: [invalid] };
      const judgement = await judge(request, requirements, signal);
      return judgement.takes
        ? { takes: true, price: judgement.price, reasons: judgement.reasons }
        : { takes: false, reasons: judgement.reasons };
    },
    refusals: () => refused,
    async run(signal) {
      while (!signal.aborted) {
        await drain(signal);
        const stop = new AbortController();
        const woken = new Promise<boolean>((resolve) => {
          wake = () => resolve(false);
        });
        const ticked = input.tick(AbortSignal.any([signal, stop.signal])).then(
          () => true,
          () => false,
        );
        const isTime = queue.size === 0 && (await Promise.race([woken, ticked]));
        stop.abort();
        if (!isTime) continue;
        for (const [jobId, { request, requirements }] of [...waiting]) {
          // What is new goes first, however much there is to look at again; and it may push this one out.
          await drain(signal);
          if (signal.aborted) return;
          if (waiting.delete(jobId)) await consider(jobId, request, requirements, signal);
        }
      }
    },
  };
}

/**
 * What `open` would refuse whatever happens, or a document that is not the one of the request.
 *
 * @param request Request to look at.
 * @param requirements Document that came with it.
 * @returns Undefined when nothing is wrong with them.
 */
export function staticReason(request: Request, requirements: Requirements): Reason | undefined {
  if (hashRequirements(requirements) !== request.requirementsHash.toLowerCase())
    return { code: "REQUIREMENTS_MISMATCH", message: "the requirements are not those whose hash the request carries" };
  try {
    // The market's own windows are narrower or equal; the policy's windows are judged with reasons of their own.
    checkRequest(request, { minWindow: 1, maxWindow: 604_800 });
    return undefined;
  } catch (error) {
    if (isQuorateError(error)) return { code: error.code, message: error.message };
    throw error;
  }
}

function remember<K, V>(map: Map<K, V>, key: K, value: V, most: number = REMEMBERED): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) for (const oldest of [...map.keys()].slice(0, map.size - most)) map.delete(oldest);
}
