import { jobMarketAbi } from "@quorate/abi";
import {
  equalBytes,
  FatalError,
  generateEncryptionKeyPair,
  jobIdOf,
  type Request,
  type WindowLimits,
} from "@quorate/core";
import { type Address, bytesToHex, type Hex, hexToBytes, isAddressEqual } from "viem";
import { getBlockHead } from "../internal/head.ts";
import { read } from "../internal/read.ts";
import { accountOf } from "../internal/sendCall.ts";
import { buildRequest, escrowBoundOf, type JobWishes } from "./buildRequest.ts";
import { type RequesterContext, requireRecord } from "./context.ts";
import { deriveJobKeys } from "./deriveJobKeys.ts";
import { makePackage, type PreparedPackage } from "./makePackage.ts";
import { type PublishVia, publishRequest, uploadPackage } from "./publish.ts";
import type { JobRecord } from "./record.ts";

/** Parameters of {@link requestJob}. */
export type RequestJobParameters = {
  /** From `makePackage`. */
  readonly prepared: PreparedPackage;
  readonly wishes: JobWishes;
  /** How providers learn of it. Default `relays`. */
  readonly via?: PublishVia;
  /** For people; stays in the key store. */
  readonly label?: string;
  /** Default: 32 random bytes. */
  readonly nonce?: bigint;
};

/** A job that providers can offer for. */
export type RequestedJob = {
  readonly jobId: Hex;
  readonly request: Request;
  /** The most that opening can escrow, base units. */
  readonly escrowBound: bigint;
  readonly record: JobRecord;
};

/**
 * Requests a job: makes its keys and stores them durably, uploads the encrypted package, publishes the request. Nothing leaves
 * the machine before its keys are stored.
 *
 * @param context The requester's context.
 * @param parameters Package, wishes, way.
 * @param options Signal; secret that keys are derived from.
 * @returns The job, ready for `collectOffers`.
 * @throws FatalError `INVALID_REQUEST_…`, `JOB_KNOWN`, `NONCE_USED` (derived keys only); RetryableError `PACKAGE_NOT_STORED`, `REQUEST_NOT_PUBLISHED`, `RELAY_PUBLISH_FAILED`:
 * call `continueRequest` with the same package.
 */
export async function requestJob(
  context: RequesterContext,
  parameters: RequestJobParameters,
  options: { readonly signal?: AbortSignal; readonly secret?: Uint8Array | undefined } = {},
): Promise<RequestedJob> {
  const { client, clock, keyStore, domain } = context;
  const requester = accountOf(client).address;
  const [head, windowLimits] = await Promise.all([getBlockHead(client), readWindowLimits(context)]);
  const nonce = parameters.nonce ?? BigInt(bytesToHex(crypto.getRandomValues(new Uint8Array(32))));
  let prepared = parameters.prepared;
  let encryption = generateEncryptionKeyPair();
  if (options.secret !== undefined) {
    await refuseUsedNonce(context, requester, nonce);
    const keys = await deriveJobKeys(options.secret, nonce, domain);
    encryption = keys.encryption;
    // Whoever derived the key for this nonce beforehand has encrypted under it already, where it does not hold up a page.
    if (!equalBytes(prepared.packageKey, keys.packageKey)) {
      prepared = makePackage({ ...prepared.package, packageKey: keys.packageKey });
    }
  }
  const request = buildRequest({
    wishes: parameters.wishes,
    requester,
    prepared,
    encryptionKey: encryption.publicKey,
    now: head.timestamp,
    nonce,
    windowLimits,
  });
  const jobId = jobIdOf(request, domain);
  if ((await keyStore.get(jobId)) !== undefined) {
    throw new FatalError("JOB_KNOWN", `Job ${jobId} is in the key store already. Resume it, or choose another nonce.`);
  }
  const record: JobRecord = {
    version: 1,
    jobId,
    chainId: domain.chainId,
    market: domain.market,
    request,
    requirements: prepared.requirements,
    packageCid: prepared.encrypted.cid,
    packageKey: bytesToHex(prepared.packageKey),
    encryptionPrivateKey: encryption.privateKey,
    ...(parameters.label === undefined ? {} : { label: parameters.label }),
    createdAt: clock.now(),
    createdAtBlock: head.number,
    transactions: [],
  };
  await keyStore.put(record);
  return continueRequest(context, jobId, { ...parameters, prepared }, options.signal);
}

/**
 * Uploads and publishes what `requestJob` had stored when it was interrupted. May be repeated.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @param parameters The same manifest and files, under whatever key; way.
 * @param signal Stops between steps.
 * @throws FatalError `PACKAGE_DIFFERS`; what `uploadPackage` and `publishRequest` throw.
 */
export async function continueRequest(
  context: RequesterContext,
  jobId: Hex,
  parameters: Pick<RequestJobParameters, "prepared" | "via">,
  signal?: AbortSignal,
): Promise<RequestedJob> {
  const record = await requireRecord(context, jobId);
  const packageKey = hexToBytes(record.packageKey);
  const { prepared } = parameters;
  // After a restart only the files are left: under the stored key they give the same blocks again.
  const { encrypted } = equalBytes(prepared.packageKey, packageKey)
    ? prepared
    : makePackage({ ...prepared.package, packageKey });
  if (encrypted.cid !== record.packageCid) {
    throw new FatalError(
      "PACKAGE_DIFFERS",
      `Job ${jobId} was requested for another package. Make it from the same manifest and files.`,
    );
  }
  await uploadPackage(context, encrypted.blocks, signal);
  await publishRequest(context, record, {
    via: parameters.via ?? "relays",
    ...(signal === undefined ? {} : { signal }),
  });
  const published: JobRecord = { ...record, publishedAt: context.clock.now() };
  await context.keyStore.put(published);
  return { jobId, request: record.request, escrowBound: escrowBoundOf(record.request), record: published };
}

/** Derived keys depend on the nonce: a second package under the same one would be encrypted under the same key. */
async function refuseUsedNonce(context: RequesterContext, requester: Address, nonce: bigint): Promise<void> {
  const { chainId, market } = context.domain;
  const used = (await context.keyStore.list()).some(
    (record) =>
      record.chainId === chainId &&
      isAddressEqual(record.market, market) &&
      isAddressEqual(record.request.requester, requester) &&
      record.request.nonce === nonce,
  );
  if (used) {
    throw new FatalError(
      "NONCE_USED",
      `A job with nonce ${nonce} was requested before. Leave the nonce out to get a random one.`,
    );
  }
}

async function readWindowLimits({ client }: RequesterContext): Promise<WindowLimits> {
  const contract = { address: client.market, abi: jobMarketAbi } as const;
  const [minWindow, maxWindow] = await read(
    Promise.all([
      client.public.readContract({ ...contract, functionName: "minWindow" }),
      client.public.readContract({ ...contract, functionName: "maxWindow" }),
    ]),
  );
  return { minWindow, maxWindow };
}
