import { type Block, FatalError, type QuorateError, RetryableError, unixSeconds } from "@quorate/core";
import { REQUESTS_TOPIC, signEnvelope } from "@quorate/wire";
import { announceJob } from "../actions/announceJob.ts";
import type { RequesterContext } from "./context.ts";
import type { JobRecord } from "./record.ts";

/** Where the encrypted package lies. */
export type UploadReport = {
  /** Relays that hold every block. */
  readonly complete: readonly string[];
  /** Relays that lack a block, and why. */
  readonly incomplete: readonly { readonly url: string; readonly error: QuorateError }[];
};

/**
 * Uploads an encrypted package and reads its root back.
 *
 * @param context The requester's context.
 * @param blocks Root first, then the leaves.
 * @param signal Stops the upload; it can be repeated.
 * @returns Where it lies.
 * @throws RetryableError `PACKAGE_NOT_STORED` when fewer relays than asked for hold every block.
 */
export async function uploadPackage(
  context: RequesterContext,
  blocks: readonly Block[],
  signal?: AbortSignal,
): Promise<UploadReport> {
  const options = signal === undefined ? {} : { signal };
  let complete = new Set(context.relays.urls);
  const incomplete = new Map<string, QuorateError>();
  // Leaves first: a root that can be read promises leaves that can be read.
  for (const { cid, bytes } of [...blocks].reverse()) {
    const report = await context.relays.putBlock(cid, bytes, options);
    complete = new Set(report.accepted.filter((url) => complete.has(url)));
    for (const { url, error } of report.failed) if (!incomplete.has(url)) incomplete.set(url, error);
  }
  if (complete.size < context.leastRelays) {
    throw new RetryableError(
      "PACKAGE_NOT_STORED",
      `${complete.size} relays hold the whole package, ${context.leastRelays} are asked for: ${describeFailures(incomplete)}. Add relays or try again; nothing was published.`,
      { details: { found: complete.size, required: context.leastRelays } },
    );
  }
  const root = blocks[0];
  // Read back through the client, which checks the bytes: "accepted" is only a relay's word.
  if (root !== undefined) await context.relays.getBlock(root.cid, options);
  return { complete: [...complete], incomplete: [...incomplete].map(([url, error]) => ({ url, error })) };
}

function describeFailures(failures: ReadonlyMap<string, QuorateError>): string {
  return (
    [...failures].map(([url, error]) => `${new URL(url).host}: ${error.code}`).join(", ") || "no relay failed by name"
  );
}

/** How a request reaches providers. */
export type PublishVia = "relays" | "chain" | "both";

/** What became of a request. */
export type PublishReport = {
  /** Relays that took it. */
  readonly relays: readonly string[];
  /** Transaction that announced it, if any. */
  readonly announcement?: `0x${string}` | undefined;
};

/**
 * Publishes a request to providers: signed on relays, as an event on chain, or both.
 *
 * @param context The requester's context.
 * @param record Stored record of the job.
 * @param options Way, signal.
 * @returns Where it was published.
 * @throws FatalError `SIGNER_MISSING` for relays without a key that signs envelopes; RetryableError `REQUEST_NOT_PUBLISHED`.
 */
export async function publishRequest(
  context: RequesterContext,
  record: JobRecord,
  options: { readonly via: PublishVia; readonly signal?: AbortSignal },
): Promise<PublishReport> {
  const { via, signal } = options;
  let announcement: `0x${string}` | undefined;
  if (via !== "relays") {
    const sent = await announceJob(context.client, {
      request: record.request,
      ...(signal === undefined ? {} : { signal }),
    });
    announcement = sent.hash;
  }
  if (via === "chain") return { relays: [], announcement };
  if (context.signer === undefined) {
    throw new FatalError(
      "SIGNER_MISSING",
      'Relays accept messages of plain accounts only, and this wallet signs none. Publish with `via: "chain"`.',
    );
  }
  const { request, requirements, chainId, market } = record;
  const now = unixSeconds(context.clock);
  const envelope = await signEnvelope<"request">(
    {
      kind: "request",
      topic: REQUESTS_TOPIC,
      body: { request, requirements, chainId, market },
      createdAt: now,
      expiry: Math.max(request.expiry, now + 1),
    },
    context.signer,
    context.domain,
  );
  const report = await context.relays.publish(envelope, signal === undefined ? {} : { signal });
  if (report.accepted.length < context.leastRelays) {
    throw new RetryableError(
      "REQUEST_NOT_PUBLISHED",
      `${report.accepted.length} relays took the request, ${context.leastRelays} are asked for. Try again: a repeated request does no harm.`,
      { details: { found: report.accepted.length, required: context.leastRelays } },
    );
  }
  return { relays: report.accepted, announcement };
}
