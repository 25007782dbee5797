import type { BlockSource } from "@quorate/chain";
import type { Clock, Hex, Logger } from "@quorate/core";
import type { Policy } from "./policy.ts";
import type { BlockRef, Horizons } from "./state.ts";

/** A delivered block. */
export type DeliveredBlock = BlockRef & { readonly hash: Hex };

/** Keeps the three horizons from the follower's blocks and the endpoints' answers. */
export type HorizonKeeper = {
  /** Takes blocks that the follower delivered, after a rollback if there was one. */
  deliver(blocks: readonly DeliveredBlock[], rollbackTo?: number): void;
  /** The present horizons, or undefined before the first block. */
  current(): Horizons | undefined;
  /**
   * Asks the endpoints how far the chain is final.
   *
   * @returns True when the final horizon moved.
   */
  refreshFinal(signal: AbortSignal): Promise<boolean>;
  /** Local time at which the newest block arrived, milliseconds since the epoch; for health only. */
  lastBlockAt(): number | undefined;
};

/** Blocks kept: more than the deepest finality of the policy. */
const KEPT = 2048;

/**
 * @param input Policy, one source per endpoint, blocks delivered before the start.
 */
export function createHorizonKeeper(input: {
  readonly policy: Pick<Policy, "confirmations" | "finality">;
  readonly sources: readonly BlockSource[];
  readonly delivered: readonly DeliveredBlock[];
  readonly clock: Clock;
  readonly logger: Logger;
}): HorizonKeeper {
  const { policy, sources, clock, logger } = input;
  let ring: DeliveredBlock[] = input.delivered.slice(-KEPT);
  let final: DeliveredBlock | undefined;
  let arrivedAt: number | undefined;

  const byNumber = (number: number): DeliveredBlock | undefined => {
    const first = ring[0];
    return first === undefined ? undefined : ring[number - first.number];
  };

  /** Highest block that one endpoint shows as final, at most `head`. */
  const finalOf = async (
    source: BlockSource,
    head: number,
    signal: AbortSignal,
  ): Promise<DeliveredBlock | undefined> => {
    let number: number;
    if (policy.finality.mode === "finalized") {
      const finalized = await source.finalized?.(signal);
      if (finalized === undefined) return undefined;
      number = Math.min(finalized.number, head);
    } else {
      const latest = await source.latest(signal);
      number = Math.min(latest.number, head) - policy.finality.depth;
    }
    const delivered = byNumber(number);
    if (delivered === undefined) return undefined;
    const shown = await source.header(number, signal);
    return shown?.hash === delivered.hash ? delivered : undefined;
  };

  return {
    deliver(blocks, rollbackTo) {
      if (rollbackTo !== undefined) {
        ring = ring.filter(({ number }) => number <= rollbackTo);
        if (final !== undefined && final.number > rollbackTo) {
          logger.error("finality_violated", { final: final.number, rolledBackTo: rollbackTo });
          final = undefined;
        }
      }
      ring = [...ring, ...blocks].slice(-KEPT);
      if (blocks.length > 0) arrivedAt = clock.now();
    },
    current() {
      const head = ring.at(-1);
      if (head === undefined) return undefined;
      const confirmed = byNumber(head.number - policy.confirmations);
      return {
        head: refOf(head),
        ...(confirmed === undefined ? {} : { confirmed: refOf(confirmed) }),
        ...(final === undefined ? {} : { final: refOf(final) }),
      };
    },
    async refreshFinal(signal) {
      const head = ring.at(-1);
      if (head === undefined) return false;
      const answers = await Promise.allSettled(sources.map((source) => finalOf(source, head.number, signal)));
      const blocks = answers
        .flatMap((answer) => (answer.status === "fulfilled" && answer.value !== undefined ? [answer.value] : []))
        .sort((a, b) => b.number - a.number);
      // The lowest of the `endpoints` highest: that many endpoints show it, or a block above it, as final.
      const agreed = blocks[policy.finality.endpoints - 1];
      // The follower may have rolled back while the endpoints answered.
      if (agreed === undefined || byNumber(agreed.number)?.hash !== agreed.hash) return false;
      if (final !== undefined && agreed.number <= final.number) return false;
      final = agreed;
      return true;
    },
    lastBlockAt: () => arrivedAt,
  };
}

function refOf({ number, timestamp }: DeliveredBlock): BlockRef {
  return { number, timestamp };
}
