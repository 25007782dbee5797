import { FatalError, isQuorateError, QuestionStatus, quoteDigest } from "@quorate/core";
import type { Hex } from "viem";
import { encodeAsk } from "../actions/ask.ts";
import { encodeExpire } from "../actions/expire.ts";
import { readQuestion } from "../actions/readQuestion.ts";
import { getBlockHead } from "../internal/head.ts";
import {
  type Funding,
  finishSent,
  type JournaledSender,
  payAndSend,
  sendJournaled,
  withProgress,
} from "../internal/journaledSend.ts";
import { type AskerContext, requireQuery } from "./context.ts";
import { quoteExpired } from "./quoteQuery.ts";
import type { QueryPurpose, QueryRecord } from "./record.ts";

/** Options of calls that send a transaction. */
export type SendQueryOptions = {
  /** Stops between steps; what was sent stays sent, and the next call goes on from there. */
  readonly signal?: AbortSignal;
  /** For each receipt, milliseconds. Default 180,000. */
  readonly timeoutMs?: number;
  /**
   * Set after looking at the wallet's history, when a wallet never answered whether it sent: says that nothing is pending.
   * Default false.
   */
  readonly nothingIsPending?: boolean;
};

/** Options of {@link askQuery}. */
export type AskQueryOptions = SendQueryOptions & {
  /**
   * How a missing balance is paid in: `permit` in the transaction that asks, `deposit` before it, `none` not at all. `auto`,
   * the default: with the question in one batch where the wallet can (EIP-5792), else by permit where token and wallet can.
   */
  readonly funding?: Funding;
};

/** A question that stands on chain. */
export type AskedQuery = {
  readonly queryId: Hex;
  /** Id of the question: the quote's digest. */
  readonly questionId: Hex;
  /** Transaction that asked, when this store sent it. */
  readonly hash?: Hex;
  /** Base units in escrow. */
  readonly price: bigint;
  /** True when it was asked already, or an earlier transaction was found again. */
  readonly resumed: boolean;
};

/**
 * Asks: escrows the price. Looks at the chain before it sends anything, stores every transaction before its broadcast, and goes
 * on from whatever an earlier call left: a query is paid once, wherever a process dies.
 *
 * @param context The asker's context.
 * @param queryId Query with a quote.
 * @param options Signal, funding, time limit.
 * @throws FatalError `QUOTE_MISSING` and everything that `ask` and `deposit` throw; RetryableError `QUOTE_EXPIRED`,
 * `TRANSACTION_UNKNOWN`, `FUNDS_MISSING`, `TOKEN_BALANCE_TOO_LOW`
 */
export async function askQuery(
  context: AskerContext,
  queryId: Hex,
  options: AskQueryOptions = {},
): Promise<AskedQuery> {
  const { client } = context;
  const record = await requireQuery(context, queryId);
  const { quote, signature } = quoteOf(record);
  const asked = (hash: Hex | undefined, resumed: boolean): AskedQuery => ({
    queryId,
    questionId: quoteDigest(quote, context.domain),
    ...(hash === undefined ? {} : { hash }),
    price: quote.price,
    resumed,
  });
  const isAsked = async (): Promise<boolean> => (await readQuestion(client, quote)).status !== QuestionStatus.None;
  const earlier = record.transactions.findLast(({ purpose }) => purpose === "ask");
  if (await isAsked()) return asked(earlier?.hash, true);
  const sender = senderOf(context, queryId, options);
  const finished = await finishSent(sender, "ask");
  if (finished !== undefined) return asked(finished.hash, true);
  if (quote.expiry <= (await getBlockHead(client)).timestamp) throw quoteExpired();
  options.signal?.throwIfAborted();
  const { token, price: needed } = quote;
  const call = encodeAsk({ market: client.market, quote, signature });
  try {
    return asked((await payAndSend(sender, "ask", { token, needed, funding: options.funding, call })).hash, false);
  } catch (error) {
    // Somebody with the same store, or this process before it died, was faster: the question is asked, and paid once.
    if (isQuorateError(error, "QUESTION_ALREADY_ASKED")) return asked(undefined, true);
    throw error;
  }
}

/** Money that came back. */
export type RefundedQuery = {
  readonly queryId: Hex;
  /** Transaction that ended the question, when this store sent it. */
  readonly hash?: Hex;
  /** Price and bond, base units, free in the asker's account. */
  readonly amount: bigint;
};

/**
 * Ends a question whose provider stayed silent: price and bond go to the asker.
 *
 * @param context The asker's context.
 * @param queryId Query that was asked.
 * @param options Signal, time limit.
 * @throws FatalError `QUOTE_MISSING`, `QUERY_NOT_ASKED`, `QUERY_ANSWERED`; what `expire` throws before the deadline
 */
export async function refundQuery(
  context: AskerContext,
  queryId: Hex,
  options: SendQueryOptions = {},
): Promise<RefundedQuery> {
  const { client } = context;
  const record = await requireQuery(context, queryId);
  const { quote } = quoteOf(record);
  const amount = quote.price + quote.bond;
  const { status } = await readQuestion(client, quote);
  if (status === QuestionStatus.None) throw notAsked(queryId);
  if (status === QuestionStatus.Answered) {
    throw new FatalError(
      "QUERY_ANSWERED",
      `Query ${queryId} is answered, so its price is the provider's. Read the answer.`,
    );
  }
  if (status === QuestionStatus.Expired) return { queryId, amount };
  const sender = senderOf(context, queryId, options);
  const finished = await finishSent(sender, "expire");
  if (finished !== undefined) return { queryId, hash: finished.hash, amount };
  const { hash } = await sendJournaled(sender, "expire", encodeExpire({ market: client.market, quote }));
  return { queryId, hash, amount };
}

/**
 * The quote of a record.
 *
 * @param record Record of a query.
 * @throws FatalError `QUOTE_MISSING`
 */
export function quoteOf(record: QueryRecord): NonNullable<QueryRecord["quote"]> {
  if (record.quote !== undefined) return record.quote;
  throw new FatalError(
    "QUOTE_MISSING",
    `There is no quote for query ${record.queryId} yet. Get one with the subject's consent first.`,
  );
}

/**
 * A query that the chain does not know.
 *
 * @param queryId Query.
 * @returns FatalError `QUERY_NOT_ASKED`
 */
export function notAsked(queryId: Hex): FatalError {
  return new FatalError("QUERY_NOT_ASKED", `Query ${queryId} was not asked on chain yet. Ask it with its quote first.`);
}

/** Sends for a query: its record keeps what was sent. */
function senderOf(context: AskerContext, queryId: Hex, options: SendQueryOptions): JournaledSender<QueryPurpose> {
  const { client, clock, logger, confirmations, store } = context;
  const { signal, timeoutMs, nothingIsPending } = options;
  return {
    client,
    clock,
    logger,
    confirmations,
    signal,
    timeoutMs,
    nothingIsPending,
    about: { queryId },
    load: () => requireQuery(context, queryId),
    save: async (progress) => store.put(withProgress(await requireQuery(context, queryId), progress)),
  };
}
