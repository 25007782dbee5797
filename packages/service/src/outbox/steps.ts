import type { OutboxStep } from "./types.ts";

/**
 * Every step after which the outbox may die and must still end with exactly one effect; the kill tests run over this list.
 * `broadcast-sent` is the only one at which the world knows more than the disk.
 */
export const outboxSteps: readonly OutboxStep[] = [
  "intent-stored",
  "nonce-stored",
  "raw-stored",
  "broadcast-sent",
  "broadcast-stored",
  "receipt-stored",
  "outcome-stored",
];
