import {
  deriveResultKey,
  encodeFailure,
  type Failure,
  type FailureCause,
  FatalError,
  FailureCause as failureCauses,
  MAX_BLOCK_BYTES,
  Outcome,
  offerDigest,
  RetryableError,
  resultHashOf,
  sealAad,
  unixSeconds,
  Verdict,
} from "@quorate/core";
import { type DeliveryBody, type Envelope, signEnvelope } from "@quorate/wire";
import { type Address, type Hex, hexToBytes, isAddressEqual, recoverAddress } from "viem";
import { getJob } from "../actions/getJob.ts";
import { delay } from "../internal/wait.ts";
import { explain, type RequesterContext, requireRecord } from "./context.ts";
import { findJobLog } from "./jobLogs.ts";
import type { JobRecord } from "./record.ts";

/** Options of {@link fetchResult}. */
export type FetchResultOptions = {
  readonly signal?: AbortSignal;
  /** How long to wait for a delivery, milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
  /** Whether to ask for the result again when none is there. Default true. */
  readonly redelivery?: boolean;
};

/** A result that matches what the chain settled. */
export type JobResult = {
  readonly outcome: "ok";
  /** Bytes that the function returned. */
  readonly bytes: Uint8Array;
  readonly resultHash: Hex;
  /** Whose delivery it was. */
  readonly from: Address;
};

/** What is wrong with a delivery. */
export type DeliveryProblem = {
  readonly place: number;
  readonly provider: Address;
  /** `RESULT_MISMATCH`, `SEAL_DOES_NOT_OPEN`, `BLOCK_NOT_FOUND`, … */
  readonly code: string;
};

const RESULT_DELIVERY_LIFETIME_S = 7 * 86_400;
const POLL_MS = 1_000;

/** Most deliveries of one sender, and of all in one go, that are looked at: anybody can post, and each costs a download. */
const MAX_PER_SENDER = 4;
const MAX_DELIVERIES = 256;

/** Shells give 255 at most, a WASI program can give more. */
const MAX_GUESSED_EXIT_CODE = 65_535;

/** Room for HPKE and padding on top of the result: padding adds at most an eighth, and never less than this. */
const SEAL_OVERHEAD_BYTES = 64 * 1024;

/**
 * Fetches the result of an accepted job: collects deliveries from relays, opens each with the requester's key and holds it
 * against the hash that the chain settled. One good delivery by anyone is enough; every aligned provider is tried, and asked
 * to deliver again when none is there.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @param options Signal, time limit, redelivery.
 * @throws FatalError `JOB_UNKNOWN`, `JOB_INCONCLUSIVE`, `JOB_FAILED` (`details.cause`, `details.exitCode`), `JOB_REPORTED`;
 * RetryableError `JOB_NOT_SETTLED`, `RESULT_NOT_DELIVERED`, `RESULT_MISMATCH`
 */
export async function fetchResult(
  context: RequesterContext,
  jobId: Hex,
  options: FetchResultOptions = {},
): Promise<JobResult> {
  const record = await requireRecord(context, jobId);
  const { signal } = options;
  const job = await getJob(context.client, { jobId });
  if (job.phase === "none" || job.phase === "open") {
    throw new RetryableError(
      "JOB_NOT_SETTLED",
      `Job ${jobId} is ${job.phase === "none" ? "not open" : "still open"}. Its result is released once the panel's openings are settled; watch the job and come back.`,
    );
  }
  if (job.phase === "inconclusive") {
    throw new FatalError(
      "JOB_INCONCLUSIVE",
      `No answer of job ${jobId} reached the quorum. What was not paid returned to your account in the market. Look at the panel with \`watchJob\`, then request again with other providers or more seats.`,
      { docsPath: "protocol/lifecycle.md#money" },
    );
  }
  if (job.outcome === Outcome.Report) {
    throw new FatalError(
      "JOB_REPORTED",
      `The panel of job ${jobId} agreed that it could not compute. The openings on the relays say why; most often the package could not be fetched or did not match its requirements. Check it, then request again.`,
    );
  }
  const resultKey = deriveResultKey(hexToBytes(record.packageKey), jobId);
  if (job.outcome === Outcome.Failed) throw failureOf(jobId, resultKey, job.resultHashPrefix);

  const [panel, speakers] = await Promise.all([readPanel(context, record), readSpeakers(context, record)]);
  const deadline = AbortSignal.timeout(options.timeoutMs ?? 60_000);
  const limit = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const tried = new Map<string, DeliveryProblem>();
  let asked = options.redelivery === false;
  for (;;) {
    const result = await tryDeliveries(
      context,
      record,
      { panel, speakers, resultKey, hashPrefix: job.resultHashPrefix },
      tried,
      limit,
    );
    if (result !== undefined) return result;
    signal?.throwIfAborted();
    if (!asked) {
      asked = true;
      await askAgain(context, record, signal);
    }
    if (deadline.aborted)
      throw undelivered(jobId, [...tried.values()], options.redelivery !== false && context.signer !== undefined);
    await delay(POLL_MS, limit).catch(() => signal?.throwIfAborted());
  }
}

type SettledPanel = {
  /** All 32 bytes. */
  readonly resultHash: Hex;
  /** By place. */
  readonly providers: readonly Address[];
  /** By place. */
  readonly aligned: readonly boolean[];
};

type Expected = {
  readonly panel: SettledPanel | undefined;
  /** By provider in lower case, itself included: accounts that are known to send for it. */
  readonly speakers: ReadonlyMap<string, ReadonlySet<string>>;
  readonly resultKey: Uint8Array;
  readonly hashPrefix: Hex;
};

/** Goes through the deliveries that are there, those that aligned providers sent first, then what was not tried yet. */
async function tryDeliveries(
  context: RequesterContext,
  record: JobRecord,
  expected: Expected,
  tried: Map<string, DeliveryProblem>,
  signal: AbortSignal,
): Promise<JobResult | undefined> {
  let deliveries: readonly Envelope<"delivery">[];
  try {
    const envelopes = await context.relays.list(record.jobId, { signal });
    const perSender = new Map<string, number>();
    deliveries = envelopes.filter((envelope): envelope is Envelope<"delivery"> => {
      if (envelope.kind !== "delivery") return false;
      const count = (perSender.get(envelope.sender) ?? 0) + 1;
      perSender.set(envelope.sender, count);
      return count <= MAX_PER_SENDER;
    });
  } catch (error) {
    if (!signal.aborted) context.logger.warn("result.relays-failed", { jobId: record.jobId, ...explain(error) });
    return undefined;
  }
  const candidates = deliveries
    .map(({ sender, body }) => ({ body, key: JSON.stringify(body), rank: rankOf(expected, sender, body) }))
    // What the bytes said stays so; what a relay could not give may be there next time.
    .filter(({ key }) => /^(BLOCK_|RELAY|$)/.test(tried.get(key)?.code ?? ""))
    .sort((a, b) => a.rank - b.rank || Number(tried.has(a.key)) - Number(tried.has(b.key)));
  for (const { body, key } of candidates.slice(0, MAX_DELIVERIES)) {
    const { provider, place } = body;
    try {
      const sealed = await fetchDelivery(context, record, body, signal);
      const { bytes, resultHash: found } = await context.openResult({
        encryptionPrivateKey: record.encryptionPrivateKey,
        resultKey: expected.resultKey,
        aad: sealAad({ jobId: record.jobId, provider, ...context.domain }),
        sealed,
      });
      // The contract keeps 27 bytes, its event has all 32.
      const isSettled = found.startsWith(expected.hashPrefix) && found === (expected.panel?.resultHash ?? found);
      if (isSettled) return { outcome: "ok", bytes, resultHash: found, from: provider };
      tried.set(key, { place, provider, code: "RESULT_MISMATCH" });
    } catch (error) {
      if (signal.aborted) return undefined;
      tried.set(key, { place, provider, code: explain(error).code });
    }
    context.logger.warn("result.bad-delivery", { jobId: record.jobId, provider, place, code: tried.get(key)?.code });
  }
  return undefined;
}

/**
 * What an aligned provider sent comes first, then the rest of the panel, then what others say in their names, then
 * strangers: the hash decides, the order saves work, and keeps a flood from hiding what is true.
 */
function rankOf({ panel, speakers }: Expected, sender: Address, { place, provider }: DeliveryBody): number {
  const expected = panel?.providers[place];
  const isClaimed = expected !== undefined && isAddressEqual(expected, provider);
  const speaks =
    isAddressEqual(sender, provider) || speakers.get(provider.toLowerCase())?.has(sender.toLowerCase()) === true;
  if (isClaimed && speaks) return panel?.aligned[place] === true ? 0 : 1;
  return isClaimed ? 2 : 3;
}

/** Who signed the offers of the panel: the agents that deliver, as a rule. */
async function readSpeakers(
  { domain }: RequesterContext,
  { jobId, selection }: JobRecord,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const speakers = (selection?.offers ?? []).map(async (offer) => {
    const provider = offer.provider.toLowerCase();
    try {
      const signer = await recoverAddress({
        hash: offerDigest({ jobId, ...offer }, domain),
        signature: offer.signature,
      });
      return [provider, new Set([provider, signer.toLowerCase()])] as const;
    } catch {
      // An account with code signs in its own way; its agents are not known from here.
      return [provider, new Set([provider])] as const;
    }
  });
  return new Map(await Promise.all(speakers));
}

async function fetchDelivery(
  context: RequesterContext,
  record: JobRecord,
  body: DeliveryBody,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { outputBytes } = record.requirements.limits;
  const most = outputBytes + Math.ceil(outputBytes / 8) + SEAL_OVERHEAD_BYTES;
  if (body.size > most || body.cids.length > Math.ceil(most / MAX_BLOCK_BYTES) + 1) {
    throw new FatalError(
      "DELIVERY_TOO_LARGE",
      `The delivery of ${body.provider} says ${body.size} bytes; the job's output is limited to ${outputBytes}.`,
    );
  }
  const sealed = new Uint8Array(body.size);
  let offset = 0;
  for (const cid of body.cids) {
    const block = await context.relays.getBlock(cid, { signal });
    if (offset + block.length > body.size) throw wrongSize(body);
    sealed.set(block, offset);
    offset += block.length;
  }
  if (offset !== body.size) throw wrongSize(body);
  return sealed;
}

function wrongSize({ provider, size }: DeliveryBody): FatalError {
  return new FatalError(
    "DELIVERY_MALFORMED",
    `The blocks of ${provider}'s delivery do not add up to its ${size} bytes.`,
  );
}

async function askAgain(context: RequesterContext, record: JobRecord, signal: AbortSignal | undefined): Promise<void> {
  if (context.signer === undefined) return;
  const now = unixSeconds(context.clock);
  try {
    const envelope = await signEnvelope<"redelivery">(
      {
        kind: "redelivery",
        topic: record.jobId,
        body: { reason: "no delivery that matches the settled result was found" },
        createdAt: now,
        expiry: now + RESULT_DELIVERY_LIFETIME_S,
      },
      context.signer,
      context.domain,
    );
    await context.relays.publish(envelope, signal === undefined ? {} : { signal });
    context.logger.info("result.redelivery-asked", { jobId: record.jobId });
  } catch (error) {
    signal?.throwIfAborted();
    context.logger.warn("result.redelivery-failed", { jobId: record.jobId, ...explain(error) });
  }
}

function undelivered(jobId: Hex, problems: readonly DeliveryProblem[], asked: boolean): RetryableError {
  const outlook = asked ? "They were asked again and keep results for some time: come back" : "Come back";
  if (problems.length === 0) {
    return new RetryableError(
      "RESULT_NOT_DELIVERED",
      `No provider of job ${jobId} has delivered its result to the relays yet. ${outlook}, or add the relays that they use.`,
    );
  }
  const words = problems.map(({ provider, place, code }) => `${provider} (place ${place}): ${code}`).join("; ");
  const mismatch = problems.some(({ code }) => code === "RESULT_MISMATCH" || code === "SEAL_DOES_NOT_OPEN");
  return new RetryableError(
    mismatch ? "RESULT_MISMATCH" : "RESULT_NOT_DELIVERED",
    mismatch
      ? `What was delivered for job ${jobId} is not the result that the chain accepted. ${words}. ${asked ? "The other aligned providers were asked to deliver: come back" : "Come back"}, and deny these providers.`
      : `The deliveries of job ${jobId} could not be fetched. ${words}. Come back, or add relays.`,
    { details: { deliveries: problems.length } },
  );
}

/** Only the panel tells who was aligned; without it every delivery is tried in any order. */
async function readPanel(context: RequesterContext, record: JobRecord): Promise<SettledPanel | undefined> {
  const { jobId, createdAtBlock } = record;
  try {
    const [opened, settled] = await Promise.all([
      findJobLog(context, jobId, "JobOpened", createdAtBlock),
      findJobLog(context, jobId, "JobSettled", createdAtBlock),
    ]);
    if (opened === undefined || settled === undefined) return undefined;
    const { resultHash, results } = settled.args;
    const providers = opened.args.places.map(({ provider }) => provider);
    return { resultHash, providers, aligned: results.map(({ verdict }) => verdict === Verdict.Aligned) };
  } catch (error) {
    context.logger.warn("result.panel-failed", { jobId, ...explain(error) });
    return undefined;
  }
}

/**
 * The failure that a panel agreed on. It needs no delivery: there are few failures, and the requester can hash each.
 *
 * @param jobId Job.
 * @param resultKey Result key of the job.
 * @param hashPrefix First bytes of the settled hash.
 */
function failureOf(jobId: Hex, resultKey: Uint8Array, hashPrefix: Hex): FatalError {
  const failure = findFailure(resultKey, hashPrefix);
  const words =
    failure === undefined
      ? "with an exit code above 65535"
      : `${nameOf(failure.cause)}${failure.cause === failureCauses.NonZeroExit ? ` (exit code ${failure.exitCode})` : ""}`;
  return new FatalError(
    "JOB_FAILED",
    `The program of job ${jobId} failed the same way everywhere: ${words}. Run it with \`previewPackage\`, repair it, and request again.`,
    { details: failure === undefined ? {} : { cause: nameOf(failure.cause), exitCode: failure.exitCode } },
  );
}

function nameOf(cause: FailureCause): string {
  return Object.entries(failureCauses).find(([, value]) => value === cause)?.[0] ?? String(cause);
}

function findFailure(resultKey: Uint8Array, hashPrefix: Hex): Failure | undefined {
  for (const cause of Object.values(failureCauses)) {
    const isExit = cause === failureCauses.NonZeroExit;
    for (let exitCode = isExit ? 1 : 0; exitCode <= (isExit ? MAX_GUESSED_EXIT_CODE : 0); exitCode++) {
      const failure = { cause, exitCode };
      if (resultHashOf(resultKey, encodeFailure(failure)).startsWith(hashPrefix)) return failure;
    }
  }
  return undefined;
}
