import type { DatabaseSync } from "node:sqlite";
import type { Clock, Logger, QuorateError } from "@quorate/core";
import type { Abi, Address, Hex, LocalAccount, PublicClient, TransactionReceipt } from "viem";

/** What somebody wants done on chain, exactly once. */
export type Intent = {
  /** Idempotency key: the same key with the same call is the same item, for ever. */
  readonly key: string;
  readonly to: Address;
  readonly data: Hex;
  /** Wei; zero by default. */
  readonly value?: bigint;
  /** Gas limit; estimated when absent. */
  readonly gas?: bigint;
  /** Chain time in unix seconds from which the call is of no use; the item is then abandoned unless it was mined. */
  readonly validUntil?: number;
  /** Simulate with `eth_call` before the first signature; a call that reverts on every endpoint is abandoned. */
  readonly simulate?: boolean;
  /** Anything that the submitter wants to find again; JSON. */
  readonly context?: unknown;
};

/**
 * - `queued`: intent stored;
 * - `assigned`: nonce stored;
 * - `signed`: a raw signed transaction is stored;
 * - `broadcast`: it was handed to an endpoint at least once; the reply may have been lost;
 * - `included`: a receipt was seen, not yet deep enough;
 * - `mined`, `reverted`: final with the receipt's status;
 * - `abandoned`: it never took effect and never will.
 */
export type OutboxStatus =
  | "queued"
  | "assigned"
  | "signed"
  | "broadcast"
  | "included"
  | "mined"
  | "reverted"
  | "abandoned";

/** Why an item ended without its effect, or what it is waiting for. */
export type OutboxReason = {
  /** Stable code, for example `EXPIRED`, `SIMULATION_REVERTED`, `INSUFFICIENT_FUNDS`, `FEE_CAP_REACHED`. */
  readonly code: string;
  readonly message: string;
  /** Name of the contract's custom error, when the outbox has the ABI. */
  readonly errorName?: string;
  /** Its arguments, as strings. */
  readonly args?: readonly string[];
  /** Raw revert data. */
  readonly data?: Hex;
};

/** An intent and what became of it. */
export type OutboxItem = Intent & {
  /** Order of submission. */
  readonly id: number;
  readonly status: OutboxStatus;
  readonly nonce?: number;
  /** Hashes of every transaction ever signed for the call, oldest first; any of them may be mined. */
  readonly hashes: readonly Hex[];
  readonly minedHash?: Hex;
  readonly blockNumber?: number;
  readonly gasUsed?: bigint;
  /** Final reason of `reverted` or `abandoned`. */
  readonly reason?: OutboxReason;
  /** What a waiting item waits for, when it is more than time. */
  readonly problem?: OutboxReason;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
};

/** Outcome of {@link Outbox.wait}. */
export type OutboxResult = {
  readonly status: "mined" | "reverted" | "abandoned";
  readonly item: OutboxItem;
  /** Present when the transaction was mined and an endpoint still serves the receipt. */
  readonly receipt?: TransactionReceipt;
  readonly reason?: OutboxReason;
};

/** How the outbox spends and waits. */
export type OutboxPolicy = {
  /** Highest fee per gas that is ever signed, in wei. */
  readonly maxFeeCap: bigint;
  /** Highest priority fee per gas in wei; 2 gwei by default. */
  readonly maxPriorityFee?: bigint;
  /** Blocks that must follow the including block; 12 by default. */
  readonly confirmations?: number;
  /** Age of the newest signature after which the next in line is replaced with a higher fee; 30 s by default. */
  readonly bumpAfterMs?: number;
  /** Interval of handing unmined transactions to the endpoints again; 15 s by default. */
  readonly rebroadcastMs?: number;
  /** Interval of the loop; 1 s by default. */
  readonly pollIntervalMs?: number;
  /** Longest wait for one answer of an endpoint; 10 s by default. */
  readonly requestTimeoutMs?: number;
  /** Endpoints that must agree before an outcome is final; 2 with three or more endpoints, else 1. */
  readonly agreement?: number;
};

/** A point at which the outbox has just made a decision durable or is about to act on one. */
export type OutboxStep =
  | "intent-stored"
  | "nonce-stored"
  | "raw-stored"
  | "broadcast-sent"
  | "broadcast-stored"
  | "receipt-stored"
  | "outcome-stored";

/** Ports and settings of {@link createOutbox}. */
export type OutboxOptions = {
  readonly db: DatabaseSync;
  /** One client per endpoint; at least one. */
  readonly clients: readonly PublicClient[];
  readonly account: LocalAccount;
  readonly chainId: number;
  readonly policy: OutboxPolicy;
  /** Decodes custom errors of reverted calls. */
  readonly abi?: Abi;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Observes every step, in order; used by kill tests and metrics. */
  readonly onStep?: (step: OutboxStep, item: OutboxItem) => void;
  /** Replaces waiting, for tests. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** Sends transactions of one key, each intent exactly once whatever dies in between. */
export type Outbox = {
  /** The address whose nonces this outbox assigns. Nobody else should send with this key. */
  readonly address: Address;
  /**
   * Stores an intent; durable on return, or with the surrounding `inTransaction`.
   *
   * @throws `OUTBOX_KEY_CONFLICT` when the key is taken by a different call.
   */
  enqueue(intent: Intent): OutboxItem;
  /** {@link Outbox.enqueue} for callers outside a transaction. */
  submit(intent: Intent): Promise<OutboxItem>;
  /** The item of a key, or `undefined`. */
  status(key: string): OutboxItem | undefined;
  /** Items without a final status, in order of submission. */
  pending(): OutboxItem[];
  /**
   * Waits for the final outcome. Needs {@link Outbox.run} to be running.
   *
   * @throws `OUTBOX_UNKNOWN_KEY`; the signal's reason when aborted (the item goes on).
   */
  wait(key: string, signal: AbortSignal): Promise<OutboxResult>;
  /** Works until aborted; failures of endpoints are retried, never thrown. */
  run(signal: AbortSignal): Promise<void>;
  /** One pass over all items. */
  tick(signal?: AbortSignal): Promise<void>;
  /** The last unexpected failure, for health checks. */
  lastError(): QuorateError | undefined;
};
