import { FatalError } from "@quorate/core";
import { z } from "zod";
import { badResponse, exchangeBytes, parseJson } from "../client/transport.ts";
import { describeIssues } from "../internal/primitives.ts";
import { type Route, routeUrl } from "../routes.ts";
import { MAX_DOMAIN_ANSWER_BYTES } from "./limits.ts";
import {
  type DomainInfo,
  domainInfoSchema,
  type KeyRequest,
  keyRequestSchema,
  type QuestionMessage,
  questionMessageSchema,
  type SealedReply,
  type SignedQuestionKey,
  type SignedQuote,
  type SubjectAction,
  type SubjectMessage,
  sealedReplySchema,
  signedQuestionKeySchema,
  signedQuoteSchema,
  subjectMessageSchema,
} from "./messages.ts";
import { domainRoutes } from "./routes.ts";

/** Settings of {@link createDomainClient}. */
export type DomainClientOptions = {
  /** Base URL of the domain provider's agent. */
  readonly url: string;
  readonly fetch?: typeof fetch | undefined;
  /** Ends every call. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for a whole call, default 30,000. */
  readonly timeoutMs?: number | undefined;
};

/**
 * Client of one domain provider, which is not trusted: time and size of every answer are bounded, shapes are checked;
 * signatures and what they are worth on chain are the caller's to check. Every call may reject with `DOMAIN_UNREACHABLE`,
 * `DOMAIN_TIMEOUT`, `DOMAIN_BAD_RESPONSE`, `DOMAIN_RESPONSE_TOO_LARGE` or a code of `domainErrors`.
 */
export type DomainClient = {
  readonly url: string;
  /** What the provider says about itself. */
  info(): Promise<DomainInfo>;
  /** A fresh one-time key for one question, or for one subject's message when `asker` is zero. */
  questionKey(request: KeyRequest): Promise<SignedQuestionKey>;
  /**
   * Sends a sealed question and gets a quote. A lost answer may be asked for again with the same message.
   * @throws FatalError `CANNOT_ANSWER`, whatever the reason is
   */
  question(message: QuestionMessage): Promise<SignedQuote>;
  /**
   * Sends a subject's sealed message.
   * @throws FatalError `CANNOT_ANSWER` when the provider does not know the subject
   */
  subject(action: SubjectAction, message: SubjectMessage): Promise<SealedReply>;
};

const subjectRoutes: Readonly<Record<SubjectAction, Route>> = {
  enrol: domainRoutes.postEnrol,
  records: domainRoutes.postRecords,
  audit: domainRoutes.postAudit,
};

/**
 * Makes a client of a domain provider.
 *
 * @param options URL and ports.
 * @throws FatalError `INVALID_DOMAIN_URL` when the URL is no http or https URL.
 */
export function createDomainClient(options: DomainClientOptions): DomainClient {
  const base = URL.canParse(options.url) ? new URL(options.url) : undefined;
  if (base === undefined || (base.protocol !== "https:" && base.protocol !== "http:") || base.username !== "") {
    throw new FatalError(
      "INVALID_DOMAIN_URL",
      "The URL of a domain provider is an http or https URL without credentials. Correct it.",
    );
  }
  const { timeoutMs = 30_000, signal, fetch: fetch_ = (input, init) => globalThis.fetch(input, init) } = options;

  async function call<T>(route: Route, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    const url = routeUrl(options.url, route);
    const bytes = await exchangeBytes(fetch_, {
      party: "domain",
      url,
      method: route.method,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      timeoutMs,
      maxBytes: MAX_DOMAIN_ANSWER_BYTES,
    });
    const parsed = schema.safeParse(parseJson(bytes, url, "domain"));
    if (parsed.success) return parsed.data;
    throw badResponse(url, describeIssues(parsed.error), undefined, "domain");
  }

  return {
    url: options.url,
    info: () => call(domainRoutes.getInfo, domainInfoSchema),
    questionKey: async (request) => {
      const url = routeUrl(options.url, domainRoutes.postKey);
      const answer = await call(domainRoutes.postKey, signedQuestionKeySchema, z.encode(keyRequestSchema, request));
      if (answer.key.dataset !== request.dataset.toLowerCase() || answer.key.asker !== request.asker)
        throw badResponse(url, "the key is for another dataset or asker", undefined, "domain");
      return answer;
    },
    question: (message) => call(domainRoutes.postQuestion, signedQuoteSchema, z.encode(questionMessageSchema, message)),
    subject: (action, message) =>
      call(subjectRoutes[action], sealedReplySchema, z.encode(subjectMessageSchema, message)),
  };
}
