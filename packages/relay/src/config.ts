import { FatalError, type MarketDomain } from "@quorate/core";
import { MAX_MESSAGE_LIFETIME_S } from "@quorate/wire";
import { type Address, getAddress } from "viem";
import { z } from "zod";

/** What a relay grants. Counts are of live things: what has expired no longer counts. */
export type RelayLimits = {
  /** Messages of all topics together. */
  readonly messages: number;
  /** Bytes of all messages together, as JSON. */
  readonly messageBytes: number;
  /** Requests, which share one topic, and as many requirements of announced ones. */
  readonly requests: number;
  /** Offers of one job. */
  readonly offersPerTopic: number;
  /** Commitments, messages about sets, openings, deliveries and redeliveries of one job, each kind for itself. */
  readonly othersPerTopic: number;
  /** Messages of one sender. */
  readonly messagesPerSender: number;
  /** Bytes of one sender's messages. */
  readonly bytesPerSender: number;
  /** Messages of one kind that one sender has in one job's topic. */
  readonly perSenderAndTopic: number;
  /** Requests of one sender, and as many requirements of announced ones. */
  readonly requestsPerSender: number;
  /** Longest life of a message, seconds. */
  readonly messageLifetimeS: number;
  /** Profiles. */
  readonly profiles: number;
  /** Bytes of all blocks together. */
  readonly blockBytes: number;
  /** How long a block is kept after its last upload, seconds. */
  readonly blockLifetimeS: number;
  /** Uploads that are held in memory at once. */
  readonly concurrentUploads: number;
  /** Share of every one of these totals that one source address may fill, percent. */
  readonly sourceShare: number;
  /** Share that senders outside `trustedSenders` may fill together, percent; counts when the list is not empty. */
  readonly strangerShare: number;
  /** Long polls and event streams at once. */
  readonly streams: number;
  /** Long polls and event streams of one source address at once. */
  readonly streamsPerSource: number;
  /** Longest life of an event stream, seconds; readers come back with their last event id. */
  readonly streamLifetimeS: number;
  /** Connections at once. */
  readonly connections: number;
  /** Connections of one peer address at once; does not count behind a proxy. */
  readonly connectionsPerSource: number;
  /** Messages and profiles that one source address may post in a minute. */
  readonly writesPerMinute: number;
  /** Blocks that one source address may upload in a minute. */
  readonly uploadsPerMinute: number;
  /** Reads of one source address in a minute. */
  readonly readsPerMinute: number;
};

/** Limits of a relay that its operator did not tune: fit for one small machine. */
export const defaultLimits: RelayLimits = {
  messages: 200_000,
  messageBytes: 512 * 1024 ** 2,
  requests: 20_000,
  offersPerTopic: 256,
  othersPerTopic: 128,
  messagesPerSender: 2_000,
  bytesPerSender: 16 * 1024 ** 2,
  perSenderAndTopic: 16,
  requestsPerSender: 64,
  messageLifetimeS: MAX_MESSAGE_LIFETIME_S,
  profiles: 10_000,
  blockBytes: 10 * 1024 ** 3,
  blockLifetimeS: 30 * 86_400,
  concurrentUploads: 32,
  sourceShare: 25,
  strangerShare: 50,
  streams: 2_000,
  streamsPerSource: 128,
  streamLifetimeS: 3_600,
  connections: 4_096,
  connectionsPerSource: 512,
  writesPerMinute: 1_200,
  uploadsPerMinute: 600,
  readsPerMinute: 6_000,
};

/** Settings of a relay. */
export type RelayConfig = {
  /** Address to listen on. */
  readonly host: string;
  /** Port; 0 takes a free one. */
  readonly port: number;
  /** Folder of the database and the blocks; made when missing. */
  readonly dataDir: string;
  /** Name shown to clients. */
  readonly name: string;
  /** Markets whose messages are accepted. */
  readonly markets: readonly MarketDomain[];
  /** Number of reverse proxies in front: how many entries of `X-Forwarded-For` are believed. */
  readonly trustProxy: number;
  /** Senders and providers that the operator knows: room is kept free for them. */
  readonly trustedSenders: readonly Address[];
  readonly limits: RelayLimits;
};

/** Settings as an operator writes them; everything but `dataDir` and `markets` has a default. */
export type RelayConfigInput = Partial<Omit<RelayConfig, "limits">> &
  Pick<RelayConfig, "dataDir" | "markets"> & { readonly limits?: Partial<RelayLimits> | undefined };

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "expected a 20-byte hex address")
  .transform((text) => getAddress(text));

const count = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const percent = z.int().min(1).max(100);

const limitsSchema = z
  .strictObject({
    ...Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, count.optional()])),
    sourceShare: percent.optional(),
    strangerShare: percent.optional(),
    messageLifetimeS: count.max(MAX_MESSAGE_LIFETIME_S).optional(),
  })
  .transform((given): RelayLimits => ({ ...defaultLimits, ...(given as Partial<RelayLimits>) }));

/** Schema of a relay's settings: checks what an operator wrote and fills in defaults. */
export const relayConfigSchema: z.ZodType<RelayConfig, unknown> = z.strictObject({
  host: z.string().min(1).max(255).default("127.0.0.1"),
  port: z.int().min(0).max(65_535).default(7_400),
  dataDir: z.string().min(1),
  name: z
    .string()
    .regex(/^[\x20-\x7e]{1,80}$/, "expected 1 to 80 printable ASCII characters")
    .default("quorate-relay"),
  markets: z
    .array(z.strictObject({ chainId: count, market: address }))
    .min(1)
    .max(16),
  trustProxy: z.int().min(0).max(8).default(0),
  trustedSenders: z.array(address).max(10_000).default([]),
  limits: limitsSchema.default(defaultLimits),
});

/**
 * Checks settings and fills in defaults.
 *
 * @param input What the operator wrote.
 * @throws FatalError `RELAY_CONFIG_INVALID` naming every setting that is wrong
 */
export function parseRelayConfig(input: unknown): RelayConfig {
  const parsed = relayConfigSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "config"}: ${message}`).join("; ");
  throw new FatalError("RELAY_CONFIG_INVALID", `The settings of the relay cannot be used: ${issues}.`, {
    docsPath: "guides/relay.md",
  });
}
