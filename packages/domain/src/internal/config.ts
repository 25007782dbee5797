import { type Address, FatalError } from "@quorate/core";
import { type Profile, profileSchema } from "@quorate/wire";
import { getAddress } from "viem";
import { z } from "zod";

/** What the provider sells with one verifier of a dataset. One price for all: it tells nothing about the answer. */
export type DomainOfferConfig = {
  /** Id or name. */
  readonly dataset: string;
  readonly circuit: "sealed-answer" | "scorecard";
  readonly verifier: Address;
  readonly token: Address;
  /** Base units. */
  readonly price: bigint;
  /** Base units; the asker gets it when there is no answer in time. */
  readonly bond: bigint;
  /** Seconds from asking to the deadline. */
  readonly window: number;
};

/** What an agent grants. */
export type DomainLimits = {
  /** One-time keys in force, of everybody together. */
  readonly openKeys: number;
  /** One-time keys in force that one source address asked for. */
  readonly openKeysPerSource: number;
  /** Quotes of one asker that may still be asked. */
  readonly openQuotesPerAsker: number;
  /** Quotes of one asker in a day. */
  readonly quotesPerAskerPerDay: number;
  /** Requests of one source address in a minute that make the agent work. */
  readonly writesPerMinute: number;
  /** Reads of one source address in a minute. */
  readonly readsPerMinute: number;
  /** Questions and subjects' messages that are worked on at once. */
  readonly concurrentRequests: number;
  readonly connections: number;
  readonly connectionsPerSource: number;
};

/** Where a domain provider's agent lives and what it does. */
export type DomainConfig = {
  /** EIP-155 chain id. */
  readonly chainId: number;
  /** Address of the `QueryMarket` contract. */
  readonly market: Address;
  /** First block that may concern this provider. Counts at the first start only. */
  readonly fromBlock: number;
  /** Account that holds bond and datasets. */
  readonly provider: Address;
  /** JSON-RPC endpoints, preferred first. */
  readonly rpcUrls: readonly string[];
  /** Folder of the state. One agent a folder. */
  readonly dataDir: string;
  /** Keystore v3 file of the agent's key, or of the provider's own; not needed when an account is given as a port. */
  readonly keystore?: { readonly file: string; readonly passphrase: string } | undefined;
  /** Name shown to clients. */
  readonly name: string;
  /** Profile that the provider's key signed for this market; clients show its name as the provider's own word. */
  readonly profile?: Profile | undefined;
  /** Where askers and subjects reach it; put a proxy with TLS in front. Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Number of reverse proxies in front: how many entries of `X-Forwarded-For` are believed. */
  readonly trustProxy: number;
  /** Health, readiness and metrics over HTTP; absent: no server. */
  readonly health?: { readonly host: string; readonly port: number } | undefined;
  /** Time between polls of the chain, milliseconds. */
  readonly pollIntervalMs: number;
  /** When an event counts. An answer that is sent for a question which is taken back was given for nothing. */
  readonly finality: { readonly confirmations: number; readonly agreement?: number | undefined };
  readonly gas: { readonly maxFeePerGasWei: bigint };
  readonly offers: readonly DomainOfferConfig[];
  /** How long a quote can be asked, seconds. */
  readonly quoteLifeS: number;
  /** How long a one-time key waits for its question, seconds: a subject may want a day to consent. */
  readonly keyLifeS: number;
  /** Whom the agent serves. Addresses of `deny` are refused whatever the mode is. */
  readonly askers: {
    readonly mode: "any" | "listed";
    readonly allow: readonly Address[];
    readonly deny: readonly Address[];
  };
  readonly limits: DomainLimits;
  /** Time between publications of roots when something changed, seconds; 0 publishes at once. */
  readonly publish: { readonly everyS: number };
  readonly answer: {
    /** Answers that wait together go in one transaction. */
    readonly batch: boolean;
    /** Time before the deadline in which a failure is final and the question is given up, seconds. */
    readonly reserveS: number;
  };
  /** Refusals are sent at multiples of this time after the request, milliseconds, so that they tell nothing by when. */
  readonly refusalMs: number;
  readonly prover: {
    readonly artifactsDir?: string | undefined;
    /** Program that proves instead of snarkjs. */
    readonly executable?: string | undefined;
  };
};

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "an address is 0x and 40 hexadecimal digits")
  .transform((value): Address => getAddress(value.toLowerCase()));
const url = z.url({ protocol: /^https?$/, error: "expected an http or https URL" });
const amount = z
  .union([
    z
      .string()
      .regex(/^(0|[1-9][0-9]{0,28})$/, "expected an amount in base units, as a decimal string")
      .transform((text) => BigInt(text)),
    z.bigint().nonnegative(),
  ])
  .refine((value) => value < 1n << 96n, "does not fit into 96 bits");
const count = z.int().min(1).max(1_000_000_000);
const port = z.int().min(0).max(65_535);
const host = z.string().min(1).max(255).default("127.0.0.1");

/** Limits of an agent that its operator did not tune. */
export const defaultDomainLimits: DomainLimits = {
  openKeys: 10_000,
  openKeysPerSource: 1_000,
  openQuotesPerAsker: 100,
  quotesPerAskerPerDay: 1_000,
  writesPerMinute: 120,
  readsPerMinute: 1_200,
  concurrentRequests: 32,
  connections: 2_048,
  connectionsPerSource: 256,
};

const limitsSchema = z
  .strictObject(Object.fromEntries(Object.keys(defaultDomainLimits).map((name) => [name, count.optional()])))
  .transform((given): DomainLimits => ({ ...defaultDomainLimits, ...(given as Partial<DomainLimits>) }));

/** Schema of the agent's configuration. Unknown members are refused. */
export const domainConfigSchema: z.ZodType<DomainConfig, unknown> = z.strictObject({
  chainId: z.int().positive(),
  market: address,
  fromBlock: z.int().min(0).default(0),
  provider: address,
  rpcUrls: z.array(url).min(1).max(10),
  dataDir: z.string().min(1),
  keystore: z.strictObject({ file: z.string().min(1), passphrase: z.string() }).optional(),
  name: z
    .string()
    .regex(/^[\x20-\x7e]{1,80}$/, "expected 1 to 80 printable ASCII characters")
    .default("quorate-domain"),
  profile: profileSchema.optional(),
  listen: z.strictObject({ host, port: port.default(7_500) }).default({ host: "127.0.0.1", port: 7_500 }),
  trustProxy: z.int().min(0).max(8).default(0),
  health: z.strictObject({ host, port }).optional(),
  pollIntervalMs: z.int().min(50).max(600_000).default(1_000),
  finality: z
    .strictObject({
      confirmations: z.int().min(0).max(4_096).default(12),
      agreement: z.int().min(1).max(10).optional(),
    })
    .default({ confirmations: 12 }),
  gas: z
    .strictObject({ maxFeePerGasWei: amount.default(200_000_000_000n) })
    .default({ maxFeePerGasWei: 200_000_000_000n }),
  offers: z
    .array(
      z.strictObject({
        dataset: z.string().min(1).max(100),
        circuit: z.enum(["sealed-answer", "scorecard"]),
        verifier: address,
        token: address,
        price: amount,
        bond: amount,
        window: z
          .int()
          .min(1)
          .max(2 ** 32 - 1),
      }),
    )
    .max(64)
    .default([]),
  quoteLifeS: z.int().min(30).max(86_400).default(600),
  keyLifeS: z
    .int()
    .min(60)
    .max(30 * 86_400)
    .default(86_400),
  askers: z
    .strictObject({
      mode: z.enum(["any", "listed"]).default("any"),
      allow: z.array(address).max(100_000).default([]),
      deny: z.array(address).max(100_000).default([]),
    })
    .default({ mode: "any", allow: [], deny: [] }),
  limits: limitsSchema.default(defaultDomainLimits),
  publish: z
    .strictObject({
      everyS: z
        .int()
        .min(0)
        .max(30 * 86_400)
        .default(60),
    })
    .default({ everyS: 60 }),
  answer: z
    .strictObject({
      batch: z.boolean().default(false),
      reserveS: z.int().min(1).max(86_400).default(30),
    })
    .default({ batch: false, reserveS: 30 }),
  refusalMs: z.int().min(0).max(60_000).default(1_000),
  prover: z
    .strictObject({ artifactsDir: z.string().min(1).optional(), executable: z.string().min(1).optional() })
    .default({}),
});

/**
 * Checks a configuration and fills in defaults.
 *
 * @param input What the operator wrote.
 * @throws FatalError `DOMAIN_CONFIG` naming every setting that is wrong.
 */
export function parseDomainConfig(input: unknown): DomainConfig {
  const parsed = domainConfigSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "configuration"}: ${message}`);
  throw domainConfigError(`${issues.join("; ")}.`);
}

/**
 * A configuration that cannot work.
 *
 * @param message Why, and what to do.
 */
export function domainConfigError(message: string): FatalError {
  return new FatalError("DOMAIN_CONFIG", `The domain agent's configuration cannot work. ${message}`, {
    docsPath: "guides/domain.md",
  });
}
