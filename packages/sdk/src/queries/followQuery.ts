import { FatalError, QuestionStatus, quoteDigest, RetryableError } from "@quorate/core";
import { describeStatement, parseStatement } from "@quorate/proofs";
import type { Hex } from "viem";
import { readQuestion } from "../actions/readQuestion.ts";
import { getBlockHead } from "../internal/head.ts";
import { delay } from "../internal/wait.ts";
import { notAsked, quoteOf } from "./askQuery.ts";
import { type AskerContext, requireQuery } from "./context.ts";
import type { QueryRecord } from "./record.ts";

/**
 * Where a query stands. Before it is asked: `prepared` waits for consent, `sent` means that it is unknown whether the provider
 * got the question, `refused`, `quoted`, `asking` (a transaction may be under way), `lapsed` (nothing was paid). On chain:
 * `pending`, `overdue` (price and bond can be taken back), `answered`, `expired`.
 */
export type QueryStage =
  | "prepared"
  | "sent"
  | "refused"
  | "quoted"
  | "asking"
  | "lapsed"
  | "pending"
  | "overdue"
  | "answered"
  | "expired";

/** A query as its asker sees it. */
export type QueryView = {
  readonly queryId: Hex;
  readonly stage: QueryStage;
  /** What was asked, in words. */
  readonly statement: string;
  readonly provider: Hex;
  readonly dataset: Hex;
  readonly label?: string;
  /** Unix ms. */
  readonly createdAt: number;
  /** Id of the question on chain, once there is a quote. */
  readonly questionId?: Hex;
  /** Base units, once there is a quote. */
  readonly price?: bigint;
  /** Base units, once there is a quote. */
  readonly bond?: bigint;
  /** Unix s: end of the quote before it is asked, of the provider's time while it is pending. */
  readonly deadline?: number;
};

/**
 * Where a query stands, by record and chain.
 *
 * @param context The asker's context.
 * @param record Record of the query.
 * @throws RetryableError `NODE_UNREACHABLE`, `NODE_REFUSED`.
 */
export async function viewQuery(context: AskerContext, record: QueryRecord): Promise<QueryView> {
  const { client } = context;
  const { queryId, provider, dataset, label, createdAt, quote } = record;
  const base = {
    queryId,
    statement: describeStatement(parseStatement(record.statement)),
    provider,
    dataset,
    createdAt,
    ...(label === undefined ? {} : { label }),
  };
  if (quote === undefined) {
    const stage = record.refusedAt !== undefined ? "refused" : record.message !== undefined ? "sent" : "prepared";
    if (stage === "refused") return { ...base, stage };
    const { timestamp } = await getBlockHead(client);
    const deadline = record.key.key.expiry;
    return { ...base, stage: deadline <= timestamp ? "lapsed" : stage, deadline };
  }
  const { price, bond, expiry } = quote.quote;
  const quoted = { ...base, questionId: quoteDigest(quote.quote, context.domain), price, bond };
  const head = await getBlockHead(client);
  const { status, deadline } = await readQuestion(client, {
    ...quote.quote,
    blockNumber: settledBlock(context, record, head.number),
  });
  switch (status) {
    case QuestionStatus.Answered:
      return { ...quoted, stage: "answered" };
    case QuestionStatus.Expired:
      return { ...quoted, stage: "expired" };
    case QuestionStatus.Pending:
      return { ...quoted, stage: head.timestamp > deadline ? "overdue" : "pending", deadline };
    case QuestionStatus.None: {
      const waiting = { ...quoted, deadline: expiry };
      // Not deep enough yet, or nowhere: a quote that has expired cannot be asked any more, whatever is under way.
      const isAsked = (await readQuestion(client, quote.quote)).status !== QuestionStatus.None;
      if (isAsked) return { ...waiting, stage: "asking" };
      if (expiry <= head.timestamp) return { ...waiting, stage: "lapsed" };
      const mayBeUnderWay =
        record.askedWalletAt !== undefined || record.transactions.some((sent) => sent.purpose === "ask");
      return { ...waiting, stage: mayBeUnderWay ? "asking" : "quoted" };
    }
    default:
      return status satisfies never;
  }
}

/** The newest block that counts: deep enough, and never before the query existed. */
function settledBlock({ confirmations }: AskerContext, record: QueryRecord, head: number): bigint {
  return BigInt(Math.max(Math.min(record.createdAtBlock, head), head - confirmations + 1));
}

/** Options of {@link waitForQuery}. */
export type WaitForQueryOptions = {
  readonly signal?: AbortSignal;
  /** Told whenever the view changed. */
  readonly onChange?: (view: QueryView) => void;
};

/**
 * Waits until a query that was asked is answered, expired, or overdue.
 *
 * @param context The asker's context.
 * @param queryId Query.
 * @param options Signal, listener.
 * @returns The last view; `answered`, `expired` or `overdue`.
 * @throws FatalError `QUERY_NOT_ASKED`; the signal's reason. A node out of reach is waited for.
 */
export async function waitForQuery(
  context: AskerContext,
  queryId: Hex,
  options: WaitForQueryOptions = {},
): Promise<QueryView> {
  const { signal } = options;
  const record = await requireQuery(context, queryId);
  if (record.quote === undefined) throw notAsked(queryId);
  let last: string | undefined;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const view = await viewQuery(context, record);
      if (view.stage !== last) options.onChange?.(view);
      last = view.stage;
      if (view.stage === "answered" || view.stage === "expired" || view.stage === "overdue") return view;
      if (view.stage === "quoted" || view.stage === "lapsed") throw notAsked(queryId);
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      context.logger.warn("query.wait", { queryId, code: error.code });
    }
    await delay(context.pollIntervalMs, signal);
  }
}

/**
 * The quote of a query that is answered, as deep as the asker's confirmations ask.
 *
 * @param context The asker's context.
 * @param record Record of the query.
 * @returns The cipher on chain.
 * @throws FatalError `QUERY_NOT_ASKED`, `QUERY_EXPIRED`; RetryableError `QUERY_PENDING`
 */
export async function requireAnswered(context: AskerContext, record: QueryRecord): Promise<bigint> {
  const { client } = context;
  const { queryId } = record;
  const { quote } = quoteOf(record);
  const head = await getBlockHead(client);
  const blockNumber = settledBlock(context, record, head.number);
  const { status, cipher } = await readQuestion(client, { ...quote, blockNumber });
  if (status === QuestionStatus.Answered) return cipher;
  if (status === QuestionStatus.None) throw notAsked(queryId);
  if (status === QuestionStatus.Pending) {
    throw new RetryableError("QUERY_PENDING", `Query ${queryId} is not answered yet. Wait for the provider's proof.`);
  }
  throw new FatalError(
    "QUERY_EXPIRED",
    `Query ${queryId} was never answered. Its price and the provider's bond are in the asker's account of the query market.`,
  );
}
