import { queryMarketAbi } from "@quorate/abi";
import type { RawLog } from "@quorate/chain";
import { FatalError } from "@quorate/core";
import { type DecodeEventLogReturnType, decodeEventLog, type Hex } from "viem";

type EventName = Extract<(typeof queryMarketAbi)[number], { type: "event" }>["name"];

/** An event of the query market with typed arguments; a union over all events, told apart by `name`. */
export type QueryMarketEvent = {
  [Name in EventName]: {
    readonly name: Name;
    readonly args: DecodeEventLogReturnType<typeof queryMarketAbi, Name, Hex[], Hex, true>["args"];
    readonly log: RawLog;
  };
}[EventName];

/**
 * Decodes a log of the query market.
 *
 * @param log Log as followed; the caller has filtered by the query market's address.
 * @returns The event, or `undefined` for an event that this version of the ABI does not know.
 * @throws FatalError `LOG_UNKNOWN` when topics and data do not fit the event that the first topic names.
 */
export function decodeQueryMarketLog(log: RawLog): QueryMarketEvent | undefined {
  try {
    const { eventName, args } = decodeEventLog({
      abi: queryMarketAbi,
      data: log.data,
      topics: log.topics as [Hex, ...Hex[]],
      strict: true,
    });
    return { name: eventName, args, log } as unknown as QueryMarketEvent;
  } catch (error) {
    if ((error as Error).name === "AbiEventSignatureNotFoundError" || log.topics.length === 0) return undefined;
    throw new FatalError(
      "LOG_UNKNOWN",
      `Log ${log.logIndex} of block ${log.blockNumber} does not fit the query market's events. Check that the address is a query market of this version.`,
      { cause: error, details: { blockNumber: log.blockNumber, logIndex: log.logIndex } },
    );
  }
}
