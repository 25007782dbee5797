import type { BlockSource } from "@quorate/chain";
import { type Clock, FatalError, type Logger, type MarketDomain, QuorateError } from "@quorate/core";
import type { EnvelopeSigner, RelayClient } from "@quorate/wire";
import type { Hex } from "viem";
import type { MarketClient } from "../client.ts";
import type { TrustedHistory } from "../trust/history.ts";
import type { TrustPolicy } from "../trust/policy.ts";
import type { RequesterKeyStore } from "./keyStore.ts";
import type { OpenedResult, SealedResult } from "./openResult.ts";
import type { JobRecord } from "./record.ts";

/** When the requester does what is others' duty: carry commitments and openings, promote, settle. */
export type SelfHelp = "off" | "late" | "always";

/** Everything that the requester's parts work with. */
export type RequesterContext = {
  readonly client: MarketClient;
  readonly domain: MarketDomain;
  readonly relays: RelayClient;
  readonly keyStore: RequesterKeyStore;
  readonly policy: TrustPolicy;
  readonly history: TrustedHistory;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Signs relay messages; undefined for an account that relays cannot verify, such as a smart account. */
  readonly signer: EnvelopeSigner | undefined;
  /** Relays that must hold a package or message before it counts as published. */
  readonly leastRelays: number;
  readonly sources: readonly BlockSource[];
  /** No event of the market lies before this block. */
  readonly fromBlock: number;
  /** Blocks from which on an event is acted on. */
  readonly confirmations: number;
  /** Milliseconds between looks at the chain. */
  readonly pollIntervalMs: number;
  readonly selfHelp: SelfHelp;
  /** Opens and hashes a delivered result, here or elsewhere. */
  readonly openResult: (delivery: SealedResult) => Promise<OpenedResult>;
};

/**
 * The record of a job.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @throws FatalError `JOB_UNKNOWN` when the key store has none; `JOB_OF_OTHER_MARKET`.
 */
export async function requireRecord(context: RequesterContext, jobId: Hex): Promise<JobRecord> {
  const record = await context.keyStore.get(jobId);
  if (record === undefined) {
    throw new FatalError(
      "JOB_UNKNOWN",
      `The key store holds no keys of job ${jobId}. Use the key store that requested it; without its keys the result cannot be opened.`,
      { details: { jobId } },
    );
  }
  const { chainId, market } = context.domain;
  if (record.chainId !== chainId || record.market.toLowerCase() !== market.toLowerCase()) {
    throw new FatalError(
      "JOB_OF_OTHER_MARKET",
      `Job ${jobId} belongs to market ${record.market} on chain ${record.chainId}; this client is for ${market} on chain ${chainId}.`,
      { details: { jobId } },
    );
  }
  return record;
}

/**
 * Code and message of anything that was thrown.
 *
 * @param error What was thrown.
 */
export function explain(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof QuorateError) return { code: error.code, message: error.message };
  return { code: "UNEXPECTED", message: error instanceof Error ? error.message : String(error) };
}
