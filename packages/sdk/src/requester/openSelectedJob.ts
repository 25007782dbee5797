import { escrowOf, FatalError, isQuorateError, type PlaceRole, RetryableError, termsOf } from "@quorate/core";
import type { Hex } from "viem";
import { checkOffers } from "../actions/checkOffers.ts";
import { getJob } from "../actions/getJob.ts";
import { encodeOpenJob } from "../actions/openJob.ts";
import { type Funding, finishSent, type JournaledSender, payAndSend, withProgress } from "../internal/journaledSend.ts";
import { offerFaultReason } from "../trust/judgeOffer.ts";
import type { Selection } from "../trust/selectOffers.ts";
import { type RequesterContext, requireRecord } from "./context.ts";
import type { JobRecord, SentTransaction, StoredSelection } from "./record.ts";
import { sealKeyWraps } from "./sealKeyWraps.ts";

/** Options of {@link openSelectedJob}. */
export type OpenSelectedJobOptions = {
  /** Stops between steps; what was sent stays sent, and the next call goes on from there. */
  readonly signal?: AbortSignal;
  /**
   * How a missing balance is paid in: `permit` in the transaction that opens, `deposit` before it, `none` not at all. `auto`,
   * the default: with the opening in one batch where the wallet can (EIP-5792), else by permit where token and wallet can.
   */
  readonly funding?: Funding;
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
  const { request } = record;
  const open = encodeOpenJob({ market: context.client.market, request, spares: panel.spares, offers: panel.offers });
  const sender = senderOf(context, jobId, options);
  const { funding } = options;
  try {
    const { hash } = await payAndSend(sender, "open", { token: request.token, needed: escrow, funding, call: open });
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
  const { client } = context;
  const { jobId } = record;
  const opened = async (hash: Hex | undefined): Promise<OpenedJob> => ({
    jobId,
    ...(hash === undefined ? {} : { hash }),
    escrow: storedEscrow(record),
    resumed: true,
  });
  const sent = record.transactions.findLast(({ purpose }) => purpose === "open");
  if ((await getJob(client, { jobId })).phase !== "none") return opened(sent?.hash);

  const found = await finishSent(senderOf(context, jobId, options), "open");
  return found === undefined ? undefined : opened(found.hash);
}

/** Sends for a job: its record keeps what was sent. */
function senderOf(
  context: RequesterContext,
  jobId: Hex,
  options: OpenSelectedJobOptions,
): JournaledSender<SentTransaction["purpose"]> {
  const { client, clock, logger, confirmations, keyStore } = context;
  const { signal, timeoutMs, nothingIsPending } = options;
  return {
    client,
    clock,
    logger,
    confirmations,
    signal,
    timeoutMs,
    nothingIsPending,
    about: { jobId },
    load: () => requireRecord(context, jobId),
    save: async (progress) => keyStore.put(withProgress(await requireRecord(context, jobId), progress)),
  };
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
