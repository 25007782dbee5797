import type { Address, MarketDomain } from "@quorate/core";
import { isAddressEqual } from "viem";
import { assertFresh } from "../envelope.ts";
import { MAX_CLOCK_SKEW_S, MAX_PAGE_PROFILES, MAX_PRESENCE_LIFETIME_S, MAX_PROFILE_BYTES } from "../limits.ts";
import { profilePageSchema } from "../pages.ts";
import { type ProfileRecord, profileRecordSchema, verifyPresence, verifyProfile } from "../profile.ts";
import { routes, routeUrl } from "../routes.ts";
import { badResponse, exchangeBytes, parseJson } from "./transport.ts";

/** Room for a profile, its sign of life and their frame, bytes. */
const MAX_RECORD_BYTES = MAX_PROFILE_BYTES + 2_048;

/** Most profiles that are read at one relay. */
const MAX_LIST_PROFILES = 5_000;

/** How to ask one relay for profiles. */
export type ProfileRequest = {
  readonly fetch: typeof fetch;
  readonly url: string;
  readonly domain: MarketDomain;
  /** Reader's time, unix s. */
  readonly nowS: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
};

async function getJson(request: ProfileRequest, url: string, maxBytes: number): Promise<unknown> {
  const { fetch: fetch_, timeoutMs, signal } = request;
  const headers = { accept: "application/json" };
  return parseJson(await exchangeBytes(fetch_, { url, method: "GET", headers, signal, timeoutMs, maxBytes }), url);
}

/** The parts of a record that stand, or undefined when its profile does not. */
async function checkRecord(json: unknown, request: ProfileRequest): Promise<ProfileRecord | undefined> {
  const parsed = profileRecordSchema.safeParse(json);
  if (!parsed.success) return undefined;
  const { profile, presence } = parsed.data;
  const { nowS, domain } = request;
  if (profile.expiry <= nowS || profile.createdAt > nowS + MAX_CLOCK_SKEW_S) return undefined;
  if (!(await verifyProfile(profile, domain))) return undefined;
  if (presence === undefined || !isFresh(presence, nowS)) return { profile };
  return (await verifyPresence(presence, profile, domain)) ? { profile, presence } : { profile };
}

function isFresh(presence: { createdAt: number; expiry: number }, nowS: number): boolean {
  try {
    // when a provider was last seen is worth knowing after its sign of life has run out, too
    assertFresh({ ...presence, expiry: Math.max(presence.expiry, nowS + 1) }, nowS, Number.POSITIVE_INFINITY);
    return presence.expiry - presence.createdAt <= MAX_PRESENCE_LIFETIME_S;
  } catch {
    return false;
  }
}

/**
 * Reads every profile of one relay.
 *
 * @param request Relay and ports.
 * @returns Records that stand; others are left out.
 */
export async function readProfiles(request: ProfileRequest): Promise<readonly ProfileRecord[]> {
  const records: ProfileRecord[] = [];
  let after: Address | undefined;
  let read = 0;
  do {
    const url = routeUrl(request.url, routes.getProfiles, {}, { after });
    const json = await getJson(request, url, MAX_PAGE_PROFILES * MAX_RECORD_BYTES);
    const page = profilePageSchema.safeParse(json);
    if (!page.success) throw badResponse(url, "it is no page of profiles", page.error);
    for (const [index, item] of page.data.profiles.entries()) {
      if (index % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 0));
      const record = await checkRecord(item, request);
      if (record !== undefined) records.push(record);
    }
    read += page.data.profiles.length;
    const { next } = page.data;
    // pages go upwards; one that does not would be asked for again and again
    if (next === undefined || page.data.profiles.length === 0) break;
    if (after !== undefined && next.toLowerCase() <= after.toLowerCase()) break;
    after = next;
  } while (read < MAX_LIST_PROFILES);
  return records;
}

/**
 * Reads one provider's profile at one relay.
 *
 * @param request Relay and ports.
 * @param provider Provider.
 * @throws QuorateError `PROFILE_NOT_FOUND` as the relay says, or `RELAY_BAD_RESPONSE`
 */
export async function readProfile(request: ProfileRequest, provider: Address): Promise<ProfileRecord> {
  const url = routeUrl(request.url, routes.getProfile, { provider });
  const record = await checkRecord(await getJson(request, url, MAX_RECORD_BYTES), request);
  if (record === undefined || !isAddressEqual(record.profile.provider, provider)) {
    throw badResponse(url, "it is no valid profile of this provider");
  }
  return record;
}

/**
 * Newest profile and newest fitting sign of life of each provider.
 *
 * @param lists Records that stand, by relay.
 * @param domain Market.
 * @returns Ordered by provider.
 */
export async function newestRecords(
  lists: readonly (readonly ProfileRecord[])[],
  domain: MarketDomain,
): Promise<readonly ProfileRecord[]> {
  const byProvider = new Map<string, ProfileRecord[]>();
  for (const record of lists.flat()) {
    const key = record.profile.provider.toLowerCase();
    byProvider.set(key, [...(byProvider.get(key) ?? []), record]);
  }
  const newest: ProfileRecord[] = [];
  for (const [, records] of [...byProvider].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [{ profile }] = records.sort((a, b) => b.profile.createdAt - a.profile.createdAt) as [ProfileRecord];
    const presences = records.flatMap(({ presence }) => presence ?? []).sort((a, b) => b.createdAt - a.createdAt);
    // a sign of life by a key that the newest profile no longer names does not count
    let presence: ProfileRecord["presence"];
    for (const candidate of presences) {
      if (!(await verifyPresence(candidate, profile, domain))) continue;
      presence = candidate;
      break;
    }
    newest.push(presence === undefined ? { profile } : { profile, presence });
  }
  return newest;
}
