import type { Address, Clock, Hex, Logger, MarketDomain, QuorateError } from "@quorate/core";
import type { Envelope } from "../envelope.ts";
import type { Cursor, RelayInfo } from "../pages.ts";
import type { Presence, Profile, ProfileRecord } from "../profile.ts";

/** How to reach relays. */
export type RelayClientOptions = {
  /** Base URLs, 1 to 16. Duplicates are ignored. */
  readonly urls: readonly string[];
  /** Market whose messages count; everything else is ignored. */
  readonly domain: MarketDomain;
  /** `fetch` to use; the global one by default. */
  readonly fetch?: typeof fetch | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  /** Ends everything that the client does. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time for one request, answer included; a long poll may take its wait longer. Milliseconds, default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Tries of one request before a relay counts as failed. Default 3. */
  readonly attempts?: number | undefined;
  /** Once one relay has accepted, how long the others may still take before they are reported as slow. Milliseconds, default 3,000. */
  readonly graceMs?: number | undefined;
  /** How long each long poll waits, at most {@link MAX_WAIT_MS}. Milliseconds, default 20,000. */
  readonly waitMs?: number | undefined;
};

/** What became of a write at each relay. */
export type PublishReport = {
  /** URLs of the relays that stored it. */
  readonly accepted: readonly string[];
  /** The others, and why. */
  readonly failed: readonly { readonly url: string; readonly error: QuorateError }[];
};

/** Position of a subscription at each relay, by URL. Plain JSON: store it and pass it as `after`. */
export type RelayCursors = Readonly<Record<string, Cursor>>;

/** Options of one call. */
export type CallOptions = {
  readonly signal?: AbortSignal | undefined;
};

/** Options of a subscription. */
export type SubscribeOptions = {
  /** Ends the subscription: the iteration returns. */
  readonly signal?: AbortSignal | undefined;
  /** Where to go on; from the beginning of what relays hold by default. */
  readonly after?: RelayCursors | undefined;
};

/**
 * Messages of one topic, merged over relays. May be iterated once.
 * Every message was signed by its sender for the client's market, is unexpired, and comes once.
 * After a resume a message may come again, if several relays hold it: processing has to be idempotent.
 */
export type Subscription = AsyncIterable<Envelope> & {
  /** Position behind everything that was yielded and whose next value was asked for. */
  cursors(): RelayCursors;
};

/** State of one relay as {@link RelayClient.status} saw it. */
export type RelayState = {
  readonly url: string;
  /** What it says about itself, when it answered. */
  readonly info?: RelayInfo | undefined;
  /** Why it did not. */
  readonly error?: QuorateError | undefined;
};

/** Client of several relays, none of which is trusted. */
export type RelayClient = {
  /** Base URLs in use. */
  readonly urls: readonly string[];
  /** Market whose messages count. */
  readonly domain: MarketDomain;
  /**
   * Sends a message to every relay. Succeeds when one accepts.
   * @throws QuorateError `RELAY_PUBLISH_FAILED` when none does; Retryable unless all refused it for good
   */
  publish(envelope: Envelope, options?: CallOptions): Promise<PublishReport>;
  /** Follows a topic on all relays at once, for ever. Relays that fail are tried again with growing pauses. */
  subscribe(topic: Hex, options?: SubscribeOptions): Subscription;
  /**
   * What relays hold of a topic now, oldest first.
   * @throws RetryableError `RELAYS_UNREACHABLE` when no relay answered
   */
  list(topic: Hex, options?: CallOptions): Promise<readonly Envelope[]>;
  /**
   * Uploads a block to every relay. Succeeds when one accepts.
   * @throws QuorateError `BLOCK_MISMATCH` when the bytes are not those of the CID, `RELAY_PUBLISH_FAILED`
   */
  putBlock(cid: string, bytes: Uint8Array, options?: CallOptions): Promise<PublishReport>;
  /**
   * Fetches a block from whichever relay has it; the bytes are checked against the CID.
   * @throws RetryableError `BLOCK_NOT_FOUND` when every relay says that it has none, `RELAYS_UNREACHABLE` otherwise
   */
  getBlock(cid: string, options?: CallOptions): Promise<Uint8Array>;
  /**
   * Stores a profile at every relay.
   * @throws QuorateError `RELAY_PUBLISH_FAILED`
   */
  putProfile(profile: Profile, options?: CallOptions): Promise<PublishReport>;
  /**
   * Stores a sign of life at every relay that knows the provider's profile.
   * @throws QuorateError `RELAY_PUBLISH_FAILED`
   */
  putPresence(presence: Presence, options?: CallOptions): Promise<PublishReport>;
  /**
   * Newest valid profile and sign of life of every provider that a relay knows, ordered by provider.
   * @throws RetryableError `RELAYS_UNREACHABLE` when no relay answered
   */
  listProfiles(options?: CallOptions): Promise<readonly ProfileRecord[]>;
  /**
   * Newest valid profile of one provider, or undefined.
   * @throws RetryableError `RELAYS_UNREACHABLE` when no relay answered
   */
  getProfile(provider: Address, options?: CallOptions): Promise<ProfileRecord | undefined>;
  /** Asks every relay how it is. Never throws for a relay that fails. */
  status(options?: CallOptions): Promise<readonly RelayState[]>;
};
