import assert from "node:assert/strict";
import { test } from "node:test";
import { jobMarketAbi } from "@quorate/abi";
import { isQuorateError } from "@quorate/core";
import { encodeAbiParameters, encodeEventTopics, type Hex, keccak256, toHex } from "viem";
import { decodeMarketLog, marketEvents } from "./decode.ts";
import type { RawLog } from "./types.ts";

const jobId: Hex = `0x${"07".repeat(32)}`;
const commitment: Hex = `0x${"09".repeat(32)}`;

function logOf(topics: Hex[], data: Hex): RawLog {
  return {
    address: "0x1111111111111111111111111111111111111111",
    topics,
    data,
    blockNumber: 5,
    blockHash: `0x${"05".repeat(32)}`,
    transactionHash: `0x${"06".repeat(32)}`,
    transactionIndex: 0,
    logIndex: 3,
  };
}

const topics = encodeEventTopics({ abi: jobMarketAbi, eventName: "CommitmentPlaced", args: { jobId } }) as Hex[];
const data = encodeAbiParameters([{ type: "uint8" }, { type: "bytes32" }], [2, commitment]);

test("a log of the market becomes an event with typed arguments and keeps its log", () => {
  const log = logOf(topics, data);
  const event = decodeMarketLog(log);
  assert.ok(event?.name === "CommitmentPlaced");
  assert.deepEqual(event.args, { jobId, place: 2, commitment });
  assert.equal(event.log, log);
});

test("an event that this version does not know is passed over, among known ones too", () => {
  const unknown = logOf([keccak256(toHex("Later(uint256)"))], "0x");
  assert.equal(decodeMarketLog(unknown), undefined);
  assert.equal(decodeMarketLog(logOf([], "0x")), undefined);
  const block = { number: 5, hash: jobId, parentHash: jobId, timestamp: 1, logs: [unknown, logOf(topics, data)] };
  assert.deepEqual(
    marketEvents([block]).map(({ name }) => name),
    ["CommitmentPlaced"],
  );
});

test("a known event with data that does not fit is an error by name", () => {
  assert.throws(
    () => decodeMarketLog(logOf(topics, "0x01")),
    (error) => isQuorateError(error, "LOG_UNKNOWN"),
  );
});
