import type { Address } from "@quorate/core";
import { z } from "zod";

/** Prices of one token, base units. Each part is rounded up. */
export type Prices = {
  /** Price of taking a place at all. */
  readonly base: bigint;
  /** Per million units of fuel that the requirements allow. */
  readonly perMegafuel: bigint;
  /** Per MiB of memory that the requirements allow. */
  readonly perMebibyteMemory: bigint;
  /** Per MiB of output that the requirements allow. */
  readonly perMebibyteOutput: bigint;
  /** Per second of wall time that the requirements allow. */
  readonly perSecond: bigint;
  /** Per MiB of package. The size is read from the package's root block, or taken as `limits.packageBytes` while no relay has it. */
  readonly perMebibytePackage: bigint;
};

/** What a provider takes in one token. */
export type TokenPolicy = {
  readonly prices: Prices;
  /** Bonds that this provider is ready to lock for one place, base units. */
  readonly bond: { readonly least: bigint; readonly most: bigint };
};

/**
 * Everything a provider decides beforehand. Every section has a default but the tokens, the requesters served and the
 * version: an agent must be told for whom it works and for how much.
 * An annotated example is in `docs/guides/agent-policy.md`.
 */
export type Policy = {
  readonly version: 1;
  /** By lower-case address. */
  readonly tokens: Readonly<Record<Address, TokenPolicy>>;
  /** `allow` serves the accounts under `allow` only; `any` serves everybody that `deny` does not name. */
  readonly requesters: {
    readonly mode: "allow" | "any";
    readonly allow: readonly Address[];
    readonly deny: readonly Address[];
  };
  /** Least call-out share of the price, ten thousandths (0..5000). */
  readonly leastCalloutBps: number;
  readonly windows: {
    readonly leastCommitSeconds: number;
    readonly longestCommitSeconds: number;
    readonly leastRevealSeconds: number;
    readonly longestRevealSeconds: number;
    /** Longest time a bond may stay locked if everybody else is as slow as the rules allow. */
    readonly longestLockSeconds: number;
  };
  readonly panel: {
    /** Organizations that this provider knows, with the provider accounts of each. */
    readonly known: readonly { readonly organization: string; readonly providers: readonly Address[] }[];
    /** `no-veto` declines a panel on which unknown providers could block an agreement together; `accept` does not look. */
    readonly unknown: "no-veto" | "accept";
    /** A panel with one of these providers is declined. */
    readonly deny: readonly Address[];
    /** A panel without all of these providers is declined. */
    readonly require: readonly Address[];
  };
  /** Engines offered; absent: everything the sandbox has. */
  readonly engines?: readonly { readonly name: string; readonly version: string }[] | undefined;
  readonly limits: {
    readonly fuel: number;
    readonly memoryBytes: number;
    readonly outputBytes: number;
    readonly wallTimeMs: number;
    /** Largest encrypted package that is fetched. */
    readonly packageBytes: number;
  };
  /** Programs that run at the same time. */
  readonly maxConcurrentJobs: number;
  /** Offers out at the same time. */
  readonly maxLiveOffers: number;
  readonly offer: {
    readonly lifetimeSeconds: number;
    readonly roles: readonly ("seat" | "spare" | "shadow")[];
  };
  readonly carrying: {
    /** `rotate`: bring the panel's messages to the chain when it is this place's turn; `never`: only one's own. */
    readonly mode: "rotate" | "never";
    /** How long the next place waits for the one before it. */
    readonly patienceSeconds: number;
  };
  /** How long a result is kept, and uploaded again when asked, after settlement. */
  readonly retentionSeconds: number;
  /** Blocks on top before an opened job or a commitment is acted on. */
  readonly confirmations: number;
  readonly finality: {
    /** `depth`: so many blocks on top; `finalized`: the chain's own finalized block. */
    readonly mode: "depth" | "finalized";
    readonly depth: number;
    /** RPC endpoints that must show the same block before an opening leaves. 1 must be written down, and fits a local chain only. */
    readonly endpoints: number;
  };
  readonly gas: {
    /** Gas kept for the commit, reveal and settle of each offer and each open job. */
    readonly perJob: number;
    /** Wei that must stay in the agent's account besides. */
    readonly reserveWei: bigint;
    /** Highest fee per gas, in wei, that a transaction of this agent pays. */
    readonly maxFeePerGasWei: bigint;
  };
  readonly treasury: {
    /** Claim quarantined bonds once their probation ended. */
    readonly claimQuarantine: boolean;
    /** Withdrawals of free balance above a sum. They need the provider's own key: an agent can never withdraw. */
    readonly sweep: readonly { readonly token: Address; readonly above: bigint; readonly to: Address }[];
  };
};

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "an address is 0x and 40 hexadecimal digits")
  .transform((value): Address => value.toLowerCase() as Address);

/** Base units as a decimal string: JSON numbers lose digits beyond 2^53. A policy that was parsed before passes unchanged. */
const amount = z
  .union([z.string().regex(/^\d{1,29}$/, "an amount is a decimal string in base units"), z.bigint().nonnegative()])
  .transform((value): bigint => BigInt(value));

const seconds = (most: number) => z.number().int().min(1).max(most);
const DAY = 86_400;

const token = z.strictObject({
  prices: z.strictObject({
    base: amount,
    perMegafuel: amount.default(0n),
    perMebibyteMemory: amount.default(0n),
    perMebibyteOutput: amount.default(0n),
    perSecond: amount.default(0n),
    perMebibytePackage: amount.default(0n),
  }),
  bond: z.strictObject({ least: amount.default(0n), most: amount }),
});

const windows = z.strictObject({
  leastCommitSeconds: seconds(60 * DAY).default(300),
  longestCommitSeconds: seconds(60 * DAY).default(DAY),
  leastRevealSeconds: seconds(60 * DAY).default(300),
  longestRevealSeconds: seconds(60 * DAY).default(DAY),
  longestLockSeconds: seconds(60 * DAY).default(7 * DAY),
});

const panel = z.strictObject({
  known: z
    .array(z.strictObject({ organization: z.string().min(1).max(100), providers: z.array(address).min(1) }))
    .default([]),
  unknown: z.enum(["no-veto", "accept"]).default("no-veto"),
  deny: z.array(address).default([]),
  require: z.array(address).default([]),
});

const limits = z.strictObject({
  fuel: z.number().int().positive().default(1_000_000_000_000),
  memoryBytes: z.number().int().positive().default(1_073_741_824),
  outputBytes: z.number().int().positive().default(67_108_864),
  wallTimeMs: z.number().int().positive().default(120_000),
  packageBytes: z.number().int().positive().default(268_435_456),
});

/** Schema of the policy file: amounts are decimal strings, unknown members are refused. */
export const policySchema: z.ZodType<Policy> = z
  .strictObject({
    version: z.literal(1),
    tokens: z.record(address, token).refine((tokens) => Object.keys(tokens).length > 0, "name at least one token"),
    requesters: z.strictObject({
      mode: z.enum(["allow", "any"]),
      allow: z.array(address).default([]),
      deny: z.array(address).default([]),
    }),
    leastCalloutBps: z.number().int().min(0).max(5000).default(1000),
    windows: windows.prefault({}),
    panel: panel.prefault({}),
    engines: z.array(z.strictObject({ name: z.string().min(1), version: z.string().min(1) })).optional(),
    limits: limits.prefault({}),
    maxConcurrentJobs: z.number().int().min(1).max(256).default(2),
    maxLiveOffers: z.number().int().min(1).max(10_000).default(16),
    offer: z
      .strictObject({
        lifetimeSeconds: seconds(DAY).default(600),
        roles: z
          .array(z.enum(["seat", "spare", "shadow"]))
          .min(1)
          .default(["seat", "spare", "shadow"]),
      })
      .prefault({}),
    carrying: z
      .strictObject({
        mode: z.enum(["rotate", "never"]).default("rotate"),
        patienceSeconds: seconds(3600).default(30),
      })
      .prefault({}),
    retentionSeconds: seconds(60 * DAY).default(7 * DAY),
    confirmations: z.number().int().min(0).max(1000).default(3),
    finality: z
      .strictObject({
        mode: z.enum(["depth", "finalized"]).default("depth"),
        depth: z.number().int().min(0).max(1000).default(12),
        endpoints: z.number().int().min(1).max(10).default(2),
      })
      .prefault({}),
    gas: z
      .strictObject({
        perJob: z.number().int().positive().default(600_000),
        reserveWei: amount.default(0n),
        maxFeePerGasWei: amount.default(200_000_000_000n),
      })
      .prefault({}),
    treasury: z
      .strictObject({
        claimQuarantine: z.boolean().default(true),
        sweep: z.array(z.strictObject({ token: address, above: amount, to: address })).default([]),
      })
      .prefault({}),
  })
  .superRefine((policy, context) => {
    const refuse = (path: string[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    const { windows } = policy;
    if (windows.leastCommitSeconds > windows.longestCommitSeconds)
      refuse(["windows"], "leastCommitSeconds is above longestCommitSeconds");
    if (windows.leastRevealSeconds > windows.longestRevealSeconds)
      refuse(["windows"], "leastRevealSeconds is above longestRevealSeconds");
    for (const [name, { bond }] of Object.entries(policy.tokens)) {
      if (bond.least > bond.most) refuse(["tokens", name, "bond"], "least is above most");
    }
    if (policy.requesters.mode === "allow" && policy.requesters.allow.length === 0)
      refuse(["requesters", "allow"], "mode is allow and nobody is allowed");
    const both = policy.panel.require.find((provider) => policy.panel.deny.includes(provider));
    if (both !== undefined) refuse(["panel"], `${both} is both required and denied`);
    if (policy.finality.mode === "depth" && policy.finality.depth < policy.confirmations)
      refuse(["finality", "depth"], "finality is less deep than confirmations");
  });
