import { jobMarketAbi, queryMarketAbi } from "@quorate/abi";
import { JobStatus, type Request, Verdict } from "@quorate/core";
import { buildPlaces, buildRequest, testAddress, testHash } from "@quorate/testkit";
import { type Abi, type Address, encodeAbiParameters, encodeEventTopics, type Hex } from "viem";
import type { StoredLog } from "../data/log.ts";

/** Contracts of the tests. */
export const markets: { readonly market: Address; readonly queryMarket: Address } = {
  market: testAddress(0x100),
  queryMarket: testAddress(0x200),
};

/** Beginning of time in the tests, unix s. */
export const BEGIN = 1_790_000_000;

function logOf(address: Address, abi: Abi, name: string, args: Record<string, unknown>, block: number): StoredLog {
  const item = abi.find((entry) => entry.type === "event" && entry.name === name);
  if (item?.type !== "event") throw new TypeError(`no event ${name}`);
  const body = item.inputs.filter(({ indexed }) => indexed !== true);
  return {
    address,
    topics: encodeEventTopics({ abi, eventName: name, args }) as Hex[],
    data: encodeAbiParameters(
      body,
      body.map((input) => args[input.name ?? ""]),
    ),
    blockNumber: block,
    blockHash: testHash(block),
    transactionHash: testHash(0x7000 + block),
    transactionIndex: 0,
    logIndex: 0,
    timestamp: BEGIN + block * 10,
  };
}

/** A log of the job market at a block; each block is 10 s after the one before. */
export function jobLog(name: string, args: Record<string, unknown>, block: number): StoredLog {
  return logOf(markets.market, jobMarketAbi as Abi, name, args, block);
}

/** A log of the query market at a block. */
export function queryLog(name: string, args: Record<string, unknown>, block: number): StoredLog {
  return logOf(markets.queryMarket, queryMarketAbi as Abi, name, args, block);
}

/** The opening of a job of three seats at providers 0x1000 and after. */
export function opened(jobId: Hex, block: number, changes: Partial<Request> = {}): StoredLog {
  const request = buildRequest(changes);
  const places = buildPlaces(request.seats + request.spares);
  return jobLog(
    "JobOpened",
    {
      jobId,
      requester: request.requester,
      request,
      spares: request.spares,
      places,
      keyWraps: places.map(() => "0x"),
    },
    block,
  );
}

/** A settlement in which the places come out as told. */
export function settled(
  jobId: Hex,
  block: number,
  results: readonly { readonly verdict: Verdict; readonly paid: bigint }[],
  isAccepted = true,
): StoredLog {
  return jobLog(
    "JobSettled",
    {
      jobId,
      status: isAccepted ? JobStatus.Accepted : JobStatus.Inconclusive,
      outcome: isAccepted ? 1 : 0,
      resultHash: testHash(isAccepted ? 0x42 : 0),
      carrier: testAddress(0x1000),
      refunded: 0n,
      burnt: 0n,
      results,
    },
    block,
  );
}

/** Everybody aligned, for its price. */
export const allAligned: readonly { readonly verdict: Verdict; readonly paid: bigint }[] = buildPlaces(3).map(
  ({ price }) => ({ verdict: Verdict.Aligned, paid: price }),
);
