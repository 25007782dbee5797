import { FatalError } from "@quorate/core";
import { type Address, getAddress, isAddress } from "viem";
import { z } from "zod";

const address: z.ZodType<Address, string> = z
  .string()
  .refine((text) => isAddress(text, { strict: false }), "expected a 20-byte hex address")
  .transform((text) => getAddress(text)) as unknown as z.ZodType<Address, string>;

const amount: z.ZodType<bigint, string | bigint> = z
  .union([z.bigint().nonnegative(), z.string().regex(/^(0|[1-9][0-9]*)$/, "expected base units as a decimal string")])
  .transform((value) => BigInt(value)) as unknown as z.ZodType<bigint, string | bigint>;

const name = z.string().min(1).max(120);

/** A provider that the requester knows. */
export type TrustedProvider = {
  readonly provider: Address;
  /** Organization behind it; accounts of one organization share one place of a job. */
  readonly organization?: string | undefined;
  /** Why, for the people who keep the file. */
  readonly note?: string | undefined;
};

/** A provider that is never taken. */
export type DeniedProvider = {
  readonly provider: Address;
  /** Shown when its offer is refused. */
  readonly reason?: string | undefined;
};

/** What a provider that is not on the allow list must have shown. */
export type HistoryRule = {
  /** Aligned answers in counted jobs. */
  readonly leastAligned: number;
  /** Most faults in counted jobs. */
  readonly mostFaults: number;
  /** Most of its places in counted jobs that were late or declined, 0 to 1. */
  readonly mostMissedShare: number;
  /** Co-panelists of the requester's allow list that make a stranger's job count. */
  readonly leastKnownCoPanelists: number;
  /** Further requesters whose jobs count; the requester's own always do. */
  readonly knownRequesters: readonly Address[];
};

/** How many organizations a job needs. */
export type ReplicationRule = {
  /** Chance of an accepted answer that is asked for, below 1. */
  readonly target: number;
  readonly leastSeats: number;
  readonly mostSeats: number;
  readonly mostSpares: number;
};

/** Whom a requester trusts with its data and with a vote. Kept in a file. */
export type TrustPolicy = {
  readonly version: 1;
  /** Who may be seated: `allow-list` only those named, `history` also those whose history passes, `anyone` all but those denied. */
  readonly accept: "allow-list" | "history" | "anyone";
  readonly allow: readonly TrustedProvider[];
  readonly deny: readonly DeniedProvider[];
  readonly history: HistoryRule;
  readonly onePlacePerOrganization: boolean;
  /** Least bond per place that makes an answer worth anything, base units of the job's token. */
  readonly leastBond?: bigint | undefined;
  /** Highest price per place, base units of the job's token. */
  readonly highestPrice?: bigint | undefined;
  readonly replication: ReplicationRule;
};

const historySchema = z.strictObject({
  leastAligned: z.int().min(0).default(3),
  mostFaults: z.int().min(0).default(0),
  mostMissedShare: z.number().min(0).max(1).default(0.2),
  leastKnownCoPanelists: z.int().min(1).default(2),
  knownRequesters: z.array(address).default([]),
});

const replicationSchema = z.strictObject({
  target: z.number().gt(0).lt(1).default(0.99),
  leastSeats: z.int().min(2).max(16).default(2),
  mostSeats: z.int().min(2).max(16).default(7),
  mostSpares: z.int().min(0).max(14).default(3),
});

/** Schema of a trust policy file. Every field but `version` has a default; the default trusts nobody who is not named. */
export const TrustPolicy: z.ZodType<TrustPolicy, unknown> = z
  .strictObject({
    version: z.literal(1),
    accept: z.enum(["allow-list", "history", "anyone"]).default("allow-list"),
    allow: z
      .array(z.strictObject({ provider: address, organization: name.optional(), note: name.optional() }))
      .default([]),
    deny: z.array(z.strictObject({ provider: address, reason: name.optional() })).default([]),
    history: historySchema.prefault({}),
    onePlacePerOrganization: z.boolean().default(true),
    leastBond: amount.optional(),
    highestPrice: amount.optional(),
    replication: replicationSchema.prefault({}),
  })
  .refine((policy) => policy.replication.leastSeats <= policy.replication.mostSeats, {
    path: ["replication"],
    message: "leastSeats is more than mostSeats",
  });

/**
 * Reads a trust policy from parsed JSON.
 *
 * @param json Anything, for example the content of the file.
 * @throws FatalError `TRUST_POLICY_INVALID` naming every field that is wrong.
 */
export function parseTrustPolicy(json: unknown): TrustPolicy {
  const result = TrustPolicy.safeParse(json);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 8)
    .map((issue) => `${issue.path.length === 0 ? "the file" : issue.path.map(String).join(".")}: ${issue.message}`)
    .join("; ");
  throw new FatalError("TRUST_POLICY_INVALID", `The trust policy cannot be used. ${issues}.`, {
    cause: result.error,
    docsPath: "guides/sdk.md#trust",
  });
}
