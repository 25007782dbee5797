import { type Block, FatalError, type QuorateError, RetryableError, unixSeconds } from "@quorate/core";
import { type EnvelopeDraft, type EnvelopeSigner, REQUESTS_TOPIC, signEnvelope } from "@quorate/wire";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
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
  /** Relays that took it; of an announced request its requirements. */
  readonly relays: readonly string[];
  /** Transaction that announced it, if any. */
  readonly announcement?: `0x${string}` | undefined;
};

/**
 * Publishes a request to providers: signed on relays, as an event on chain, or both. An event holds only the hash of the
 * requirements; their document goes to the relays first, where it needs no signature of the requester: it proves itself by its hash.
 *
 * @param context The requester's context.
 * @param record Stored record of the job.
 * @param options Way, signal.
 * @returns Where it was published.
 * @throws FatalError `SIGNER_MISSING` for relays without a key that signs envelopes; RetryableError `REQUEST_NOT_PUBLISHED`, before
 *   anything is sent to the chain.
 */
export async function publishRequest(
  context: RequesterContext,
  record: JobRecord,
  options: { readonly via: PublishVia; readonly signal?: AbortSignal },
): Promise<PublishReport> {
  const { request, requirements, chainId, market } = record;
  const { signer } = context;
  const rest = options.signal === undefined ? {} : { signal: options.signal };
  let relays: readonly string[];
  if (options.via === "chain") {
    const once = privateKeyToAccount(generatePrivateKey());
    relays = await send(
      context,
      request.expiry,
      once,
      { kind: "requirements", body: { requirements, chainId, market } },
      rest,
    );
  } else if (signer === undefined) {
    throw new FatalError(
      "SIGNER_MISSING",
      'Relays accept requests of plain accounts only, and this wallet signs none. Publish with `via: "chain"`.',
    );
  } else {
    relays = await send(
      context,
      request.expiry,
      signer,
      { kind: "request", body: { request, requirements, chainId, market } },
      rest,
    );
  }
  if (options.via === "relays") return { relays };
  const { hash } = await announceJob(context.client, { request, ...rest });
  return { relays, announcement: hash };
}

/** Puts a message on the topic of requests; returns the relays that took it. */
async function send(
  context: RequesterContext,
  until: number,
  signer: EnvelopeSigner,
  content: Pick<EnvelopeDraft<"request">, "kind" | "body"> | Pick<EnvelopeDraft<"requirements">, "kind" | "body">,
  options: { readonly signal?: AbortSignal },
): Promise<readonly string[]> {
  const now = unixSeconds(context.clock);
  const draft = { ...content, topic: REQUESTS_TOPIC, createdAt: now, expiry: Math.max(until, now + 1) };
  const report = await context.relays.publish(await signEnvelope(draft, signer, context.domain), options);
  if (report.accepted.length < context.leastRelays) {
    const what = content.kind === "request" ? "request" : "requirements of the request";
    throw new RetryableError(
      "REQUEST_NOT_PUBLISHED",
      `${report.accepted.length} relays took the ${what}, ${context.leastRelays} are asked for. Try again: a repeated message does no harm.`,
      { details: { found: report.accepted.length, required: context.leastRelays } },
    );
  }
  return report.accepted;
}
