import type { Address } from "@quorate/core";
import { type Profile, profileSchema } from "@quorate/wire";
import { z } from "zod";
import { type Policy, policySchema } from "./policy.ts";

/** Where an agent lives and whom it talks to. Plain JSON; what it decides is in the {@link Policy}. */
export type AgentConfig = {
  /** EIP-155 chain id. */
  readonly chainId: number;
  /** Address of the `JobMarket` contract. */
  readonly market: Address;
  /** First block that may concern this provider; 0 reads the chain from its beginning. Counts at the first start only. */
  readonly fromBlock: number;
  /** Account that holds bond and standing. */
  readonly provider: Address;
  /** JSON-RPC endpoints, preferred first. At least as many as `policy.finality.endpoints`. */
  readonly rpcUrls: readonly string[];
  /** Base URLs of relays; several, since any of them may drop messages. */
  readonly relays: readonly string[];
  /** Folder of journal, votes and outbox. One agent a folder. */
  readonly dataDir: string;
  /** Keystore v3 file of the agent's key, or of the provider's own; not needed when an account is given as a port. */
  readonly keystore?: { readonly file: string; readonly passphrase: string } | undefined;
  /** The policy, or the path of its file. */
  readonly policy: Policy | string;
  /** Health, readiness and metrics over HTTP; absent: no server. Port 0 takes a free one. */
  readonly health?: { readonly host: string; readonly port: number } | undefined;
  /** How programs are kept apart from this machine. */
  readonly isolation: "process" | "bubblewrap";
  /** Time between polls of the chain, milliseconds. */
  readonly pollIntervalMs: number;
  /** What relays show of this provider: a profile that the provider signed, or, with the provider's own key, what to sign. */
  readonly profile?: Profile | { readonly name: string; readonly url?: string | undefined } | undefined;
};

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "an address is 0x and 40 hexadecimal digits")
  .transform((value): Address => value as Address);
const url = z.url({ protocol: /^https?$/, error: "expected an http or https URL" });

/** Schema of the agent's configuration. Unknown members are refused. */
export const agentConfigSchema: z.ZodType<AgentConfig> = z.strictObject({
  chainId: z.int().positive(),
  market: address,
  fromBlock: z.int().min(0).default(0),
  provider: address,
  rpcUrls: z.array(url).min(1).max(10),
  relays: z.array(url).min(1).max(16),
  dataDir: z.string().min(1),
  keystore: z.strictObject({ file: z.string().min(1), passphrase: z.string() }).optional(),
  policy: z.union([z.string().min(1), policySchema]),
  health: z.strictObject({ host: z.string().default("127.0.0.1"), port: z.int().min(0).max(65_535) }).optional(),
  isolation: z.enum(["process", "bubblewrap"]).default("process"),
  pollIntervalMs: z.int().min(50).max(600_000).default(1000),
  profile: z
    .union([profileSchema, z.strictObject({ name: z.string().min(1).max(80), url: url.optional() })])
    .optional(),
});
