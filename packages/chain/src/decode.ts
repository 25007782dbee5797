import { jobMarketAbi } from "@quorate/abi";
import { FatalError } from "@quorate/core";
import { type DecodeEventLogReturnType, decodeEventLog, type Hex } from "viem";
import type { FollowedBlock, RawLog } from "./types.ts";

type EventName = Extract<(typeof jobMarketAbi)[number], { type: "event" }>["name"];

/** An event of the market with typed arguments and the log that it came in; a union over all events, told apart by `name`. */
export type MarketEvent = {
  [Name in EventName]: {
    readonly name: Name;
    readonly args: DecodeEventLogReturnType<typeof jobMarketAbi, Name, Hex[], Hex, true>["args"];
    readonly log: RawLog;
  };
}[EventName];

const known = new Set<string>(jobMarketAbi.flatMap((item) => (item.type === "event" ? [item.name] : [])));

/**
 * Decodes a log of the market.
 *
 * @param log Log as followed; the caller has filtered by the market's address.
 * @returns The event, or `undefined` for an event that this version of the ABI does not know.
 * @throws `LOG_UNKNOWN` when topics and data do not fit the event that the first topic names.
 */
export function decodeMarketLog(log: RawLog): MarketEvent | undefined {
  try {
    const { eventName, args } = decodeEventLog({
      abi: jobMarketAbi,
      data: log.data,
      topics: log.topics as [Hex, ...Hex[]],
      strict: true,
    });
    return known.has(eventName) ? ({ name: eventName, args, log } as unknown as MarketEvent) : undefined;
  } catch (error) {
    if ((error as Error).name === "AbiEventSignatureNotFoundError" || log.topics.length === 0) return undefined;
    throw new FatalError(
      "LOG_UNKNOWN",
      `Log ${log.logIndex} of block ${log.blockNumber} does not fit the market's events. Check that the address is a market of this version.`,
      { cause: error, details: { blockNumber: log.blockNumber, logIndex: log.logIndex } },
    );
  }
}

/**
 * The market's events in followed blocks, in order.
 *
 * @param blocks Blocks of a batch.
 * @throws `LOG_UNKNOWN`.
 */
export function marketEvents(blocks: readonly FollowedBlock[]): MarketEvent[] {
  return blocks.flatMap((block) =>
    block.logs.flatMap((log) => {
      const event = decodeMarketLog(log);
      return event === undefined ? [] : [event];
    }),
  );
}
