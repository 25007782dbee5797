import type { EnvelopeKind } from "../bodies.ts";

/**
 * Whether a message belongs to the topic of requests and names its market in its body, instead of to the topic of a job.
 *
 * @param envelope Message, or anything with its kind.
 */
export function belongsToRequests<E extends { readonly kind: EnvelopeKind }>(
  envelope: E,
): envelope is Extract<E, { readonly kind: "request" | "requirements" }> {
  return envelope.kind === "request" || envelope.kind === "requirements";
}
