import { type Address, FatalError, isQuorateError, type QuorateError } from "@quorate/core";
import { isAddressEqual } from "viem";
import { z } from "zod";
import { exchangeBytes, parseJson } from "./client/transport.ts";
import { address, describeIssues, uint } from "./internal/primitives.ts";
import type { Profile } from "./profile.ts";

/** Path of the document by which a site names its providers (RFC 8615). */
export const WELL_KNOWN_PATH = "/.well-known/quorate.json";

/** Largest document that is read, bytes. */
const MAX_DOCUMENT_BYTES = 65_536;

/** The document at {@link WELL_KNOWN_PATH}. Keys that a reader does not know are ignored. */
export type ProofDocument = {
  readonly version: 1;
  /** Providers that belong to the organization behind the site; on every chain, or on one. */
  readonly providers: readonly { readonly address: Address; readonly chainId?: number | undefined }[];
};

/** Schema of a {@link ProofDocument}. */
export const proofDocumentSchema: z.ZodType<ProofDocument, unknown> = z.object({
  version: z.literal(1),
  providers: z.array(z.object({ address, chainId: uint(53).optional() })).max(256),
});

/** How to check a profile's URL. */
export type VerifyProfileUrlOptions = {
  readonly fetch?: typeof fetch | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Chain on which the provider is met; documents may name providers for one chain only. */
  readonly chainId: number;
  /** Accept http and addresses of the own machine or network: for local markets only. Default false. */
  readonly allowLocal?: boolean | undefined;
};

/** What came of the check. */
export type ProfileUrlVerdict =
  | { readonly proved: true; readonly origin: string }
  | { readonly proved: false; readonly error: QuorateError };

/**
 * Checks that the site in a profile names the profile's provider: `/.well-known/quorate.json` at its origin.
 * A signature binds the profile to the provider, this binds the provider to a name that people know.
 *
 * @param profile Verified profile.
 * @param options Ports.
 * @returns Why it is not proved in `error`: `PROFILE_URL_MISSING`, `PROFILE_URL_REFUSED` (not https, or a local address),
 * `PROFILE_URL_UNREADABLE` (may pass), `PROFILE_URL_NOT_NAMED` (the document does not name the provider)
 * @throws Only the signal's reason, when the caller aborts
 */
export async function verifyProfileUrl(
  profile: Pick<Profile, "provider" | "body">,
  options: VerifyProfileUrlOptions,
): Promise<ProfileUrlVerdict> {
  const { url: text } = profile.body;
  if (text === undefined) return refused("PROFILE_URL_MISSING", "The profile names no site.");
  const url = new URL(text);
  if (!options.allowLocal && (url.protocol !== "https:" || url.port !== "" || isLocalName(url.hostname))) {
    return refused("PROFILE_URL_REFUSED", `${url.origin} is not a public https site on the usual port.`);
  }
  const target = new URL(WELL_KNOWN_PATH, url.origin).href;
  let json: unknown;
  try {
    const bytes = await exchangeBytes(options.fetch ?? ((input, init) => globalThis.fetch(input, init)), {
      url: target,
      method: "GET",
      headers: { accept: "application/json" },
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? 10_000,
      maxBytes: MAX_DOCUMENT_BYTES,
    });
    json = parseJson(bytes, target);
  } catch (cause) {
    if (!isQuorateError(cause)) throw cause;
    return refused("PROFILE_URL_UNREADABLE", `${target} cannot be read: ${cause.message}`, cause);
  }
  const document = proofDocumentSchema.safeParse(json);
  if (!document.success) {
    return refused("PROFILE_URL_UNREADABLE", `${target} is no proof document: ${describeIssues(document.error)}.`);
  }
  const isNamed = document.data.providers.some(
    (entry) =>
      isAddressEqual(entry.address, profile.provider) &&
      (entry.chainId === undefined || entry.chainId === options.chainId),
  );
  if (isNamed) return { proved: true, origin: url.origin };
  return refused("PROFILE_URL_NOT_NAMED", `${target} does not name ${profile.provider} on chain ${options.chainId}.`);
}

function refused(code: string, message: string, cause?: unknown): ProfileUrlVerdict {
  return { proved: false, error: new FatalError(code, message, { cause }) };
}

/**
 * Names that a stranger's profile must not make a reader call: IP literals, and names that resolve inside a network.
 * A public name that resolves to a private address is caught where the connection is made, by the operator's firewall.
 */
function isLocalName(hostname: string): boolean {
  if (hostname.startsWith("[") || /^[0-9.]+$/.test(hostname) || !hostname.includes(".")) return true;
  return /\.(local|localhost|internal|lan|home|corp|intranet|home\.arpa)\.?$/i.test(hostname);
}
