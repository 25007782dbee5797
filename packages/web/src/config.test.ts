import assert from "node:assert/strict";
import { test } from "node:test";
import { isQuorateError } from "@quorate/core";
import { isLocalChain, parseNetwork, parseSiteConfig } from "./config.ts";

const network = {
  name: "Local",
  chainId: 31337,
  rpc: ["http://127.0.0.1:8545"],
  market: `0x${"1".repeat(40)}`,
  tokens: [{ address: `0x${"2".repeat(40)}`, symbol: "tUSD", decimals: 6 }],
};

test("what a network may leave out is filled in", () => {
  const { relays, domains, fromBlock, confirmations, firstVisitBlocks, index, queryMarket } = parseNetwork(network);
  assert.deepEqual(
    { relays, domains, fromBlock, confirmations, firstVisitBlocks, index, queryMarket },
    {
      relays: [],
      domains: [],
      fromBlock: 0,
      confirmations: 2,
      firstVisitBlocks: 20_000,
      index: undefined,
      queryMarket: undefined,
    },
  );
});

test("every field that is wrong is named", () => {
  const wrong = { ...network, rpc: ["ftp://node"], market: "0x12", tokens: [], extra: true };
  assert.throws(
    () => parseSiteConfig({ version: 1, networks: [wrong] }),
    (error) =>
      isQuorateError(error, "SITE_CONFIG_INVALID") &&
      ["rpc[0]", "market", "tokens", "extra"].every((field) => error.message.includes(field)),
  );
  assert.throws(
    () => parseSiteConfig({ version: 2, networks: [] }),
    (error) => isQuorateError(error, "SITE_CONFIG_INVALID"),
  );
});

test("burner wallets belong to local chains alone", () => {
  assert.deepEqual([31_337, 1_337, 1, 8_453].map(isLocalChain), [true, true, false, false]);
});
