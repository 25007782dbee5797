import { type Clock, type Logger, silentLogger, systemClock } from "@quorate/core";
import {
  type ConsentRequest,
  createReceipt,
  type KnownVerifiers,
  openCipher,
  parseStatement,
  type Receipt,
} from "@quorate/proofs";
import { createDomainClient, type SignedQuote } from "@quorate/wire";
import type { Hex } from "viem";
import { domainOf, type MarketClient } from "../client.ts";
import {
  type AskedQuery,
  type AskQueryOptions,
  askQuery,
  quoteOf,
  type RefundedQuery,
  refundQuery,
  type SendQueryOptions,
} from "./askQuery.ts";
import { type AskerContext, exclusively, requireQuery } from "./context.ts";
import { findAnswer } from "./findAnswer.ts";
import { type QueryView, requireAnswered, viewQuery, type WaitForQueryOptions, waitForQuery } from "./followQuery.ts";
import { consentRequestOf, type PreparedQuery, type PrepareQueryParameters, prepareQuery } from "./prepareQuery.ts";
import { quoteQuery } from "./quoteQuery.ts";
import type { QueryRecord } from "./record.ts";
import type { QueryStore } from "./store.ts";

/** Ports and settings of {@link createAsker}. */
export type AskerOptions = {
  /** Client of the query market, with the wallet of the account that asks. */
  readonly client: MarketClient;
  readonly store: QueryStore;
  /** Code hashes of verifiers by circuit; no other verifier is asked. */
  readonly verifiers: KnownVerifiers;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Blocks until an answer or receipt counts, its own included. Default 1. */
  readonly confirmations?: number;
  /** Between looks at the chain, milliseconds. Default 1,000. */
  readonly pollIntervalMs?: number;
  /** For calls of domain providers. Default: the platform's. */
  readonly fetch?: typeof fetch;
};

/** An answer that was opened. */
export type OpenedAnswer = {
  readonly queryId: Hex;
  /** Whether the statement holds for the record. */
  readonly answer: boolean;
  readonly cipher: bigint;
};

/** An asker: everything from a statement to a receipt. Each step may be repeated after any interruption. */
export type Asker = {
  /** Makes and stores a query, and the request for the subject's consent. See `prepareQuery`. */
  prepare(parameters: PrepareQueryParameters): Promise<PreparedQuery>;
  /** The request for consent again. */
  consentRequest(queryId: Hex): Promise<ConsentRequest>;
  /** Sends the sealed question; see `quoteQuery`. The consent may be left out when the question was stored before. */
  quote(queryId: Hex, consent?: string, options?: { readonly signal?: AbortSignal }): Promise<SignedQuote>;
  /** Escrows the price and asks; pays once. See `askQuery`. */
  ask(queryId: Hex, options?: AskQueryOptions): Promise<AskedQuery>;
  /** Waits until it is answered, expired or overdue. */
  wait(queryId: Hex, options?: WaitForQueryOptions): Promise<QueryView>;
  /** Opens the answer at home: the answer key goes nowhere. */
  answer(queryId: Hex): Promise<OpenedAnswer>;
  /** Takes price and bond back when the provider stayed silent. See `refundQuery`. */
  refund(queryId: Hex, options?: SendQueryOptions): Promise<RefundedQuery>;
  /** What can be shown to others. Whoever has it knows question and answer. */
  receipt(queryId: Hex): Promise<Receipt>;
  /** Where a query stands. */
  resume(queryId: Hex): Promise<QueryView>;
  /** All queries of the store, oldest first. */
  list(): Promise<readonly QueryRecord[]>;
};

/**
 * Creates an asker's client. It holds no state of its own: what it must not forget is in the store, the rest on chain.
 *
 * @param options Ports and settings.
 */
export function createAsker(options: AskerOptions): Asker {
  const context: AskerContext = {
    client: options.client,
    domain: domainOf(options.client),
    store: options.store,
    verifiers: options.verifiers,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    confirmations: options.confirmations ?? 1,
    pollIntervalMs: options.pollIntervalMs ?? 1_000,
    connect: (url, signal) => createDomainClient({ url, signal, fetch: options.fetch }),
  };
  return {
    prepare: (parameters) => prepareQuery(context, parameters),
    consentRequest: async (queryId) => consentRequestOf(await requireQuery(context, queryId)),
    quote: (queryId, consent, call = {}) =>
      exclusively(context, queryId, () => quoteQuery(context, queryId, consent, call.signal)),
    ask: (queryId, call) => exclusively(context, queryId, () => askQuery(context, queryId, call)),
    wait: (queryId, call) => waitForQuery(context, queryId, call),
    async answer(queryId) {
      const record = await requireQuery(context, queryId);
      const cipher = await requireAnswered(context, record);
      return { queryId, answer: openCipher(cipher, record.k, BigInt(queryId)), cipher };
    },
    refund: (queryId, call) => exclusively(context, queryId, () => refundQuery(context, queryId, call)),
    async receipt(queryId) {
      const record = await requireQuery(context, queryId);
      const { cipher, nullifier, proof, transaction } = await findAnswer(context, record);
      const { chainId, market, asker, provider, nonce, subjectKey, subjectNonce, person, k } = record;
      return createReceipt({
        question: {
          chainId,
          market,
          provider,
          asker,
          verifier: record.offer.verifier,
          nonce,
          subjectKey,
          subjectNonce,
          person,
          statement: parseStatement(record.statement),
          k,
        },
        quote: quoteOf(record).quote,
        cipher,
        nullifier,
        proof,
        transaction,
      });
    },
    resume: async (queryId) => viewQuery(context, await requireQuery(context, queryId)),
    list: () => context.store.list(),
  };
}
