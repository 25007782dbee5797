import { type Address, FatalError, type Hex } from "@quorate/core";
import { z } from "zod";

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "an address is 0x and 40 hex digits")
  .transform((value) => value as Address);
const codeHash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "a code hash is 0x and 64 hex digits")
  .transform((value) => value.toLowerCase() as Hex);
const httpUrl = z.url({ protocol: /^https?$/, message: "a URL begins with http:// or https://" });

/** A token that amounts are shown in. What the configuration does not name is read from the token's contract. */
export type TokenConfig = {
  readonly address: Address;
  readonly symbol: string;
  /** Digits after the point of the display unit. */
  readonly decimals: number;
};

/** One market as a browser reaches it. */
export type NetworkConfig = {
  /** For people. */
  readonly name: string;
  readonly chainId: number;
  /** JSON-RPC endpoints, preferred first. */
  readonly rpc: readonly string[];
  /** Address of the JobMarket. */
  readonly market: Address;
  /** Address of the QueryMarket, where questions are asked; none if absent. */
  readonly queryMarket?: Address | undefined;
  /** Code hashes of verifiers that are taken besides those that this version knows, by circuit. */
  readonly verifiers?: Readonly<Record<string, readonly Hex[]>> | undefined;
  /** The first one is what forms begin with. */
  readonly tokens: readonly TokenConfig[];
  readonly relays: readonly string[];
  /** Base URLs of domain providers' agents. */
  readonly domains: readonly string[];
  /** Block from which events are read: the block of the deployment. */
  readonly fromBlock: number;
  /** Blocks after which an event counts, its own included. */
  readonly confirmations: number;
  /** Newest blocks that a first visit reads by itself, header by header. */
  readonly firstVisitBlocks: number;
  /** JSON-RPC endpoint that answers `eth_getLogs` for long ranges; what happened before is read there. None if absent. */
  readonly index?: string | undefined;
};

/** Schema of {@link NetworkConfig}. */
export const networkSchema: z.ZodType<NetworkConfig, unknown> = z.strictObject({
  name: z.string().min(1).max(60),
  chainId: z.int().positive(),
  rpc: z.array(httpUrl).min(1).max(8),
  market: address,
  queryMarket: address.optional(),
  verifiers: z.record(z.string().regex(/^[a-z0-9-]{1,64}$/), z.array(codeHash)).optional(),
  tokens: z
    .array(z.strictObject({ address, symbol: z.string().min(1).max(12), decimals: z.int().min(0).max(36) }))
    .min(1)
    .max(32),
  relays: z.array(httpUrl).max(16).default([]),
  domains: z.array(httpUrl).max(32).default([]),
  fromBlock: z.int().nonnegative().default(0),
  confirmations: z.int().min(1).max(1_000).default(2),
  firstVisitBlocks: z.int().min(1).max(10_000_000).default(20_000),
  index: httpUrl.optional(),
});

/** The file `config.json` beside the app. */
export type SiteConfig = {
  readonly version: 1;
  /** The first one is what a new visitor sees. */
  readonly networks: readonly NetworkConfig[];
};

const siteSchema: z.ZodType<SiteConfig, unknown> = z.strictObject({
  version: z.literal(1),
  networks: z.array(networkSchema).min(1).max(32),
});

/**
 * Reads the configuration of a site.
 *
 * @param json - Parsed JSON from anywhere.
 * @throws FatalError `SITE_CONFIG_INVALID` naming every field that is wrong.
 */
export function parseSiteConfig(json: unknown): SiteConfig {
  const parsed = siteSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error);
}

/**
 * Reads the settings of one network.
 *
 * @param json - Parsed JSON from anywhere.
 * @throws FatalError `SITE_CONFIG_INVALID` naming every field that is wrong.
 */
export function parseNetwork(json: unknown): NetworkConfig {
  const parsed = networkSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error);
}

function invalid(cause: z.ZodError): FatalError {
  return new FatalError(
    "SITE_CONFIG_INVALID",
    `The configuration of the web app cannot be used:\n${z.prettifyError(cause)}\nCorrect these fields.`,
    { cause, docsPath: "web.md#configuration" },
  );
}

/** Chains that live on one machine: burner wallets and test tokens are offered there, and nowhere else. */
const LOCAL_CHAINS: readonly number[] = [1_337, 31_337];

/**
 * Tells whether a chain is a local one, where nobody's money is.
 *
 * @param chainId - EIP-155 chain id.
 */
export function isLocalChain(chainId: number): boolean {
  return LOCAL_CHAINS.includes(chainId);
}
