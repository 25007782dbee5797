import type { Address, Clock, Logger, MarketDomain } from "@quorate/core";
import type { Request } from "express";
import type { BlockStore } from "../blocks.ts";
import type { RelayConfig } from "../config.ts";
import type { MessageStore } from "../messages.ts";
import type { RelayMetrics } from "../metrics.ts";
import type { ProfileStore } from "../profiles.ts";
import type { Streams } from "../streams.ts";

/** What the routes of a relay share. */
export type RelayContext = {
  readonly config: RelayConfig;
  readonly version: string;
  readonly messages: MessageStore;
  readonly profiles: ProfileStore;
  readonly blocks: BlockStore;
  readonly streams: Streams;
  readonly metrics: RelayMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Pseudonym of the network that a request came from; addresses themselves are never stored. */
  sourceOf(req: Request): string;
  /** Whether the operator knows an account. */
  isTrusted(account: Address): boolean;
  /** Markets in the order of the configuration. */
  readonly markets: readonly MarketDomain[];
};
