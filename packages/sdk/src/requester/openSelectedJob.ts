import { escrowOf, FatalError, isQuorateError, type PlaceRole, RetryableError, termsOf } from "@quorate/core";
import { erc20Abi, type Hex } from "viem";
import { encodeApproveToken } from "../actions/approveToken.ts";
import { checkOffers } from "../actions/checkOffers.ts";
import { encodeDeposit, requireTokens } from "../actions/deposit.ts";
import { getAccount } from "../actions/getAccount.ts";
import { getJob } from "../actions/getJob.ts";
import { encodeOpenJob } from "../actions/openJob.ts";
import { encodeOpenJobWithPermit } from "../actions/openJobWithPermit.ts";
import { type Permit, signPermit } from "../actions/signPermit.ts";
import { read } from "../internal/read.ts";
import {
  accountOf,
  awaitReceipt,
  broadcast,
  type EncodedCall,
  findReceipt,
  sendCall,
  type WriteOptions,
  type WriteResult,
} from "../internal/sendCall.ts";
import { offerFaultReason } from "../trust/judgeOffer.ts";
import type { Selection } from "../trust/selectOffers.ts";
import { explain, type RequesterContext, requireRecord } from "./context.ts";
import type { JobRecord, SentTransaction, StoredSelection } from "./record.ts";
import { sealKeyWraps } from "./sealKeyWraps.ts";

/** Options of {@link openSelectedJob}. */
export type OpenSelectedJobOptions = {
  /** Stops between steps; what was sent stays sent, and the next call goes on from there. */
  readonly signal?: AbortSignal;
  /**
   * How a missing balance is paid in: `permit` in the transaction that opens, `deposit` before it, `auto` by permit where
   * token and wallet can, `none` not at all. Default `auto`.
   */
  readonly funding?: "auto" | "permit" | "deposit" | "none";
  /** For each receipt, milliseconds. Default 180,000. */
  readonly timeoutMs?: number;
  /**
   * Set after looking at the wallet's history, when a wallet never answered whether it sent: says that nothing is pending.
   * Default false.
   */
  readonly nothingIsPending?: boolean;
};

/** A job that is open. */
export type OpenedJob = {
  readonly jobId: Hex;
  /** Transaction that opened it, when this store sent it. */
  readonly hash?: Hex;
  /** Base units. */
  readonly escrow: bigint;
  /** True when it was open already, or an earlier transaction was found again. */
  readonly resumed: boolean;
};

/**
 * Opens a job with the selected panel. Looks at the chain before it sends anything, stores every transaction before its
 * broadcast, and goes on from whatever an earlier call left: a job is paid once, wherever a process dies.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @param selection The panel; the stored one when absent.
 * @param options Signal, funding, time limit.
 * @throws FatalError `SELECTION_INCOMPLETE`, `SELECTION_MISSING`, `OFFERS_REFUSED` (select again), and everything that
 * `openJob` and `deposit` throw; RetryableError `TRANSACTION_UNKNOWN`, `PACKAGE_NOT_ON_RELAYS`, `FUNDS_MISSING`
 */
export async function openSelectedJob(
  context: RequesterContext,
  jobId: Hex,
  selection?: Selection,
  options: OpenSelectedJobOptions = {},
): Promise<OpenedJob> {
  let record = await requireRecord(context, jobId);
  options.signal?.throwIfAborted();
  const earlier = await finishEarlier(context, record, options);
  if (earlier !== undefined) return earlier;
  record = await requireRecord(context, jobId);

  record = await storeSelection(context, record, selection);
  const panel = record.selection as StoredSelection;
  await requirePackage(context, record, options.signal);
  await requireGoodOffers(context, record, panel);
  options.signal?.throwIfAborted();

  const escrow = escrowOf(termsOf(record.request, panel.spares, panel.offers));
  const call = await fund(context, record, panel, escrow, options);
  try {
    const { hash } = await sendStored(context, jobId, "open", call, options);
    return { jobId, hash, escrow, resumed: false };
  } catch (error) {
    // Somebody with the same key store, or this process before it died, was faster: the job is open, and paid once.
    if (isQuorateError(error, "JOB_ALREADY_OPENED")) return { jobId, escrow, resumed: true };
    throw error;
  }
}

/** Whether the job is open already, or an earlier transaction may still open it. */
async function finishEarlier(
  context: RequesterContext,
  record: JobRecord,
  options: OpenSelectedJobOptions,
): Promise<OpenedJob | undefined> {
  const { client, logger } = context;
  const { jobId } = record;
  const opened = async (hash: Hex | undefined): Promise<OpenedJob> => ({
    jobId,
    ...(hash === undefined ? {} : { hash }),
    escrow: storedEscrow(record),
    resumed: true,
  });
  const sent = record.transactions.findLast(({ purpose }) => purpose === "open");
  if ((await getJob(client, { jobId })).phase !== "none") return opened(sent?.hash);

  // The newest first: an earlier one with the same nonce can no longer be mined once a later one is.
  for (const transaction of [...record.transactions].reverse()) {
    const fate = await fateOf(context, transaction);
    if (fate === "dead" || fate === "mined") continue;
    logger.info("open.resume", { jobId, hash: transaction.hash, purpose: transaction.purpose });
    if (transaction.raw !== undefined) await broadcast(client, transaction.raw, transaction.hash);
    try {
      await awaitReceipt(client, transaction.hash, writeOptions(context, options));
    } catch (error) {
      // Reverted or replaced: it has no effect, and a new attempt is safe.
      if (!isQuorateError(error, "TRANSACTION_UNKNOWN")) {
        logger.warn("open.earlier-failed", { jobId, ...explain(error) });
        continue;
      }
      throw error;
    }
    if (transaction.purpose === "open") return opened(transaction.hash);
  }
  if (record.askedWalletAt !== undefined && options.nothingIsPending !== true) {
    throw new RetryableError(
      "TRANSACTION_UNKNOWN",
      "A wallet was asked to send for this job and its answer never came. Look at its history: wait for what is pending there, or say `nothingIsPending`.",
      { details: { jobId } },
    );
  }
  return undefined;
}

/** What became of a transaction: `dead` can never be mined, because another one took its nonce. */
async function fateOf(context: RequesterContext, transaction: SentTransaction): Promise<"mined" | "dead" | "possible"> {
  const { client } = context;
  if ((await findReceipt(client, transaction.hash)) !== undefined) return "mined";
  if (transaction.nonce === undefined) return "possible";
  const mined = await read(client.public.getTransactionCount({ address: transaction.from, blockTag: "latest" }));
  if (mined <= transaction.nonce) return "possible";
  // Mined between the two questions?
  return (await findReceipt(client, transaction.hash)) === undefined ? "dead" : "mined";
}

function storedEscrow({ request, selection }: JobRecord): bigint {
  return selection === undefined ? 0n : escrowOf(termsOf(request, selection.spares, selection.offers));
}

/** Fixes the panel with its key wraps, before anything is sent: sealing is random, and a repeated `open` should be the same call. */
async function storeSelection(
  context: RequesterContext,
  record: JobRecord,
  selection: Selection | undefined,
): Promise<JobRecord> {
  if (selection === undefined) {
    if (record.selection !== undefined) return record;
    throw new FatalError(
      "SELECTION_MISSING",
      `No panel was selected for job ${record.jobId} yet. Collect offers, select, and open with the selection.`,
    );
  }
  if (!selection.complete) {
    throw new FatalError("SELECTION_INCOMPLETE", `The job cannot be opened yet: ${selection.missing.join("; ")}.`);
  }
  const stored = record.selection;
  const chosen = selection.chosen.map(({ offer }) => offer);
  const isSame =
    stored !== undefined &&
    stored.spares === selection.spares &&
    stored.offers.length === chosen.length &&
    stored.offers.every((offer, place) => offer.signature === chosen[place]?.signature);
  if (isSame) return record;
  const offers = await sealKeyWraps({
    jobId: record.jobId,
    packageKey: record.packageKey,
    offers: chosen,
    domain: context.domain,
  });
  const next: JobRecord = {
    ...record,
    selection: {
      spares: selection.spares,
      offers,
      reasons: selection.chosen.map(({ role, reasons }): { role: PlaceRole; reasons: readonly string[] } => ({
        role,
        reasons,
      })),
    },
  };
  await context.keyStore.put(next);
  return next;
}

/** A package that nobody can fetch ends in reports, for call-out fees. */
async function requirePackage(context: RequesterContext, record: JobRecord, signal?: AbortSignal): Promise<void> {
  try {
    await context.relays.getBlock(record.packageCid, signal === undefined ? {} : { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RetryableError(
      "PACKAGE_NOT_ON_RELAYS",
      `No relay gives the package of job ${record.jobId}, so no provider could run it. Upload it again with \`requestJob\`, then open; nothing was paid.`,
      { cause, details: { cid: record.packageCid } },
    );
  }
}

async function requireGoodOffers(
  context: RequesterContext,
  { request }: JobRecord,
  { spares, offers }: StoredSelection,
): Promise<void> {
  const bad = await checkOffers(context.client, { request, spares, offers });
  if (bad.length === 0) return;
  const words = bad.map(
    ({ place, fault }) => `${offers[place]?.provider} (place ${place}): ${offerFaultReason(fault)}`,
  );
  throw new FatalError(
    "OFFERS_REFUSED",
    `The market would refuse ${bad.length} of ${offers.length} offers now. ${words.join("; ")}. Select again without them; nothing was paid.`,
    {
      details: {
        providers: bad.map(({ place }) => offers[place]?.provider ?? "").join(","),
        faults: bad.map(({ fault }) => fault).join(","),
      },
    },
  );
}

/** Makes sure that the account can pay, and gives the call that opens. */
async function fund(
  context: RequesterContext,
  record: JobRecord,
  panel: StoredSelection,
  escrow: bigint,
  options: OpenSelectedJobOptions,
): Promise<EncodedCall> {
  const { client } = context;
  const { request, jobId } = record;
  const market = client.market;
  const open = { market, request, spares: panel.spares, offers: panel.offers };
  const { free } = await getAccount(client, { token: request.token, account: request.requester });
  const amount = escrow > free ? escrow - free : 0n;
  if (amount === 0n) return encodeOpenJob(open);
  const funding = options.funding ?? "auto";
  if (funding === "none") {
    throw new RetryableError(
      "FUNDS_MISSING",
      `The escrow is ${escrow} base units and the account's free balance ${free}. Deposit ${amount} first.`,
      { details: { escrow: escrow.toString(), free: free.toString(), missing: amount.toString() } },
    );
  }
  await requireTokens(client, { token: request.token, payer: accountOf(client).address, amount });
  if (funding !== "deposit") {
    const permit = await permitFor(context, request.token, amount, funding === "auto");
    if (permit !== undefined) return encodeOpenJobWithPermit({ ...open, amount, permit });
  }
  const allowance = await read(
    client.public.readContract({
      address: request.token,
      abi: erc20Abi,
      functionName: "allowance",
      args: [request.requester, market],
    }),
  );
  if (allowance < amount) {
    await sendStored(context, jobId, "approve", encodeApproveToken({ market, token: request.token, amount }), options);
  }
  // The balance decides whether the deposit is still missing, so a lost answer is never paid again.
  const deposit = encodeDeposit({ market, token: request.token, account: request.requester, amount });
  await sendStored(context, jobId, "deposit", deposit, options);
  return encodeOpenJob(open);
}

async function permitFor(
  context: RequesterContext,
  token: Hex,
  value: bigint,
  mayFail: boolean,
): Promise<Permit | undefined> {
  try {
    return await signPermit(context.client, { token, value });
  } catch (error) {
    if (mayFail && isQuorateError(error, "PERMIT_UNSUPPORTED")) return undefined;
    throw error;
  }
}

function writeOptions(context: RequesterContext, options: OpenSelectedJobOptions): WriteOptions {
  return {
    confirmations: context.confirmations,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
}

/** Sends a call; what is known of its transaction is durable before the broadcast. */
async function sendStored(
  context: RequesterContext,
  jobId: Hex,
  purpose: SentTransaction["purpose"],
  call: EncodedCall,
  options: OpenSelectedJobOptions,
): Promise<WriteResult> {
  const { client, keyStore, clock } = context;
  const account = accountOf(client);
  const append = async (transaction: SentTransaction): Promise<void> => {
    const { askedWalletAt: _answered, ...record } = await requireRecord(context, jobId);
    await keyStore.put({ ...record, transactions: [...record.transactions, transaction] });
  };
  if (account.type !== "local") {
    await keyStore.put({ ...(await requireRecord(context, jobId)), askedWalletAt: clock.now() });
  }
  try {
    const result = await sendCall(client, call, {
      ...writeOptions(context, options),
      onSigned: ({ hash, raw, nonce, from }) => append({ purpose, hash, raw, nonce, from, sentAt: clock.now() }),
      onSent: (hash) =>
        account.type === "local" ? undefined : append({ purpose, hash, from: account.address, sentAt: clock.now() }),
    });
    return result;
  } catch (error) {
    if (account.type !== "local" && !isQuorateError(error, "TRANSACTION_UNKNOWN")) {
      const { askedWalletAt: _answered, ...record } = await requireRecord(context, jobId);
      await keyStore.put(record);
    }
    throw error;
  }
}
