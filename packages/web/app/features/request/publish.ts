import type { Manifest } from "@quorate/core";
import { deriveJobKeys, type JobRecord, type JobWishes, type PublishVia, type Requester } from "@quorate/sdk";
import { bytesToBigInt, hexToBytes } from "viem";
import { jobStore } from "../../data/stores.ts";
import { pack } from "../../workers/pack.ts";

/** What is packed. */
export type Parts = { readonly manifest: Manifest; readonly files: ReadonlyMap<string, Uint8Array> };

/** A nonce that no other job has. */
export function freshNonce(): bigint {
  return bytesToBigInt(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * The record of the job with a nonce, if its request was made.
 *
 * @param nonce - Decimal.
 */
export async function findByNonce(nonce: string): Promise<JobRecord | undefined> {
  return (await jobStore.list()).find(({ request }) => request.nonce.toString() === nonce);
}

/**
 * Packs program and data in a worker, stores the job's keys, uploads and publishes. What it leaves when it ends early is found by
 * its nonce, and published by {@link publishAgain}.
 *
 * @param input - Requester, parts, terms; secret where keys are derived; what is told of each step.
 * @returns Id of the published job.
 * @throws What `requestJob` throws.
 */
export async function publish(input: {
  readonly requester: Requester;
  readonly parts: Parts;
  readonly wishes: JobWishes;
  readonly nonce: bigint;
  readonly via: PublishVia;
  readonly label: string;
  readonly secret: Uint8Array | undefined;
  readonly domain: { readonly chainId: number; readonly market: `0x${string}` };
  readonly onStep: (step: "packing" | "publishing") => void;
}): Promise<`0x${string}`> {
  const { requester, parts, nonce, via, secret, onStep } = input;
  onStep("packing");
  const packageKey = secret === undefined ? undefined : (await deriveJobKeys(secret, nonce, input.domain)).packageKey;
  const prepared = await pack({ ...parts, ...(packageKey === undefined ? {} : { packageKey }) });
  onStep("publishing");
  const { jobId } = await requester.requestJob({
    prepared,
    wishes: input.wishes,
    nonce,
    via,
    ...(input.label === "" ? {} : { label: input.label.slice(0, 200) }),
  });
  return jobId;
}

/**
 * Publishes a job whose keys are stored: under its own key the same files give the same package.
 *
 * @param input - Requester, parts, the job's record.
 * @throws FatalError `PACKAGE_DIFFERS` when the files are others; what `continueRequest` throws.
 */
export async function publishAgain(input: {
  readonly requester: Requester;
  readonly parts: Parts;
  readonly record: JobRecord;
  readonly via: PublishVia;
  readonly onStep: (step: "packing" | "publishing") => void;
}): Promise<`0x${string}`> {
  const { requester, parts, record, via, onStep } = input;
  onStep("packing");
  const prepared = await pack({ ...parts, packageKey: hexToBytes(record.packageKey) });
  onStep("publishing");
  const { jobId } = await requester.continueRequest(record.jobId, { prepared, via });
  return jobId;
}
