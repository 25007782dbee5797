import type { DatabaseSync } from "node:sqlite";
import type { Address, Hex, MarketDomain } from "@quorate/core";
import {
  encodePresence,
  encodeProfile,
  MAX_PAGE_PROFILES,
  type Presence,
  type Profile,
  parseWire,
  profileSchema,
  relayError,
  verifyPresence,
} from "@quorate/wire";
import { getAddress } from "viem";
import type { RelayLimits } from "./config.ts";

/** Profiles of a relay; at most one a provider, the newest. */
export type ProfileStore = {
  /**
   * Stores a verified profile. On disk on return.
   * @returns True when it was not there before
   * @throws QuorateError `OUTDATED`, `SOURCE_QUOTA_EXCEEDED`, `RELAY_FULL`
   */
  put(profile: Profile, digest: Hex, source: string, trusted: boolean): boolean;
  /**
   * Stores a sign of life of a provider whose profile is here.
   * @throws QuorateError `PROFILE_NOT_FOUND`, `BAD_SIGNATURE`, `OUTDATED`
   */
  putPresence(presence: Presence, markets: readonly MarketDomain[], nowS: number): Promise<void>;
  /** JSON of a provider's record. */
  get(provider: Address, nowS: number): string | undefined;
  /** JSON of the records behind a provider, in the order of providers. */
  page(after: Address | undefined, nowS: number): { records: readonly string[]; next: Address | undefined };
  /** Removes what has expired; returns how many were removed. */
  removeExpired(nowS: number): number;
  /** Number of profiles. */
  total(): number;
};

type Row = {
  provider: string;
  digest: string;
  created_at: number;
  profile: string;
  presence_at: number | null;
  presence: string | null;
};

/**
 * Opens the profiles of a relay.
 *
 * @param db Database with the tables of `schema.ts`.
 * @param limits Quotas; `keepsRoom` when there are trusted providers to keep room for.
 */
export function openProfiles(db: DatabaseSync, limits: RelayLimits & { readonly keepsRoom: boolean }): ProfileStore {
  const select = db.prepare("SELECT * FROM profiles WHERE provider = ?");
  const selectLive = db.prepare("SELECT * FROM profiles WHERE provider = ? AND expiry > ?");
  const selectPage = db.prepare(
    `SELECT * FROM profiles WHERE provider > ? AND expiry > ? ORDER BY provider LIMIT ${MAX_PAGE_PROFILES + 1}`,
  );
  const count = db.prepare("SELECT count(*) AS items FROM profiles");
  const countStrangers = db.prepare("SELECT count(*) AS items FROM profiles WHERE trusted = 0");
  const countSource = db.prepare("SELECT count(*) AS items FROM profiles WHERE source = ?");
  const upsert = db.prepare(
    `INSERT INTO profiles (provider, digest, created_at, expiry, source, trusted, profile) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (provider) DO UPDATE SET digest = excluded.digest, created_at = excluded.created_at,
       expiry = excluded.expiry, source = excluded.source, trusted = excluded.trusted, profile = excluded.profile`,
  );
  const dropPresence = db.prepare("UPDATE profiles SET presence = NULL, presence_at = NULL WHERE provider = ?");
  const setPresence = db.prepare("UPDATE profiles SET presence = ?, presence_at = ? WHERE provider = ?");
  const expired = db.prepare("DELETE FROM profiles WHERE expiry <= ?");

  const number = (row: unknown): number => (row as { items: number }).items;

  function admit(source: string, trusted: boolean): void {
    const share = (percent: number): number => Math.max(1, Math.floor((limits.profiles * percent) / 100));
    if (!trusted && number(countSource.get(source)) >= share(limits.sourceShare)) {
      throw relayError("SOURCE_QUOTA_EXCEEDED", "Your address has posted as many profiles as it may.");
    }
    const isFull =
      number(count.get()) >= limits.profiles ||
      (!trusted && limits.keepsRoom && number(countStrangers.get()) >= share(limits.strangerShare));
    if (isFull) throw relayError("RELAY_FULL", "The relay has no room for further profiles. Use other relays.");
  }

  const store: ProfileStore = {
    put: (profile, digest, source, trusted) => {
      const provider = profile.provider.toLowerCase();
      const known = select.get(provider) as Row | undefined;
      if (known?.digest === digest) return false;
      if (known !== undefined && known.created_at >= profile.createdAt) {
        throw relayError(
          "OUTDATED",
          `A profile of ${profile.provider} from ${known.created_at} is here; this one is from ${profile.createdAt}. Sign a new one.`,
        );
      }
      if (known === undefined) admit(source, trusted);
      const json = JSON.stringify(encodeProfile(profile));
      upsert.run(provider, digest, profile.createdAt, profile.expiry, source, trusted ? 1 : 0, json);
      const presence = known?.presence ? (JSON.parse(known.presence) as { sender: string }) : undefined;
      const speakers = [profile.provider, ...profile.body.agents].map((key) => key.toLowerCase());
      if (presence !== undefined && !speakers.includes(presence.sender)) dropPresence.run(provider);
      return true;
    },
    putPresence: async (presence, markets, nowS) => {
      const provider = presence.provider.toLowerCase();
      const row = selectLive.get(provider, nowS) as Row | undefined;
      if (row === undefined) {
        throw relayError("PROFILE_NOT_FOUND", `No profile of ${presence.provider} is here. Put the profile first.`);
      }
      const profile = parseWire(profileSchema, JSON.parse(row.profile), "INVALID_PROFILE", "The stored profile");
      const verdicts = await Promise.all(markets.map((market) => verifyPresence(presence, profile, market)));
      if (!verdicts.includes(true)) {
        throw relayError(
          "BAD_SIGNATURE",
          `The sign of life is not signed by ${presence.provider} or by an agent of its profile.`,
        );
      }
      const latest = select.get(provider) as Row | undefined;
      // the profile changed while the signature was checked: its agents may be others now
      if (latest?.digest !== row.digest) return store.putPresence(presence, markets, nowS);
      if ((latest?.presence_at ?? -1) > presence.createdAt) {
        throw relayError("OUTDATED", "A newer sign of life is here.");
      }
      setPresence.run(JSON.stringify(encodePresence(presence)), presence.createdAt, provider);
    },
    get: (provider, nowS) => {
      const row = selectLive.get(provider.toLowerCase(), nowS) as Row | undefined;
      return row && recordJson(row);
    },
    page: (after, nowS) => {
      const rows = selectPage.all(after?.toLowerCase() ?? "", nowS) as Row[];
      const shown = rows.slice(0, MAX_PAGE_PROFILES);
      const last = rows.length > shown.length ? shown.at(-1) : undefined;
      return { records: shown.map(recordJson), next: last && getAddress(last.provider) };
    },
    removeExpired: (nowS) => Number(expired.run(nowS).changes),
    total: () => number(count.get()),
  };
  return store;
}

function recordJson(row: Row): string {
  return row.presence === null ? `{"profile":${row.profile}}` : `{"profile":${row.profile},"presence":${row.presence}}`;
}
