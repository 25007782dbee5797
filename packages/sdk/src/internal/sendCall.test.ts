import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode, buildTerms, testAddress, testHash } from "@quorate/testkit";
import {
  createPublicClient,
  createWalletClient,
  custom,
  type Hex,
  keccak256,
  RpcRequestError,
  UserRejectedRequestError,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { settleJob } from "../actions/settleJob.ts";
import type { MarketClient } from "../client.ts";

const account = privateKeyToAccount(testHash(7));
const market = testAddress(0x3a);
const job = { jobId: testHash(1), terms: buildTerms() };

type Handler = (params: readonly unknown[]) => unknown;

/** A node that answers by method; whatever is not named has an ordinary answer. */
function fakeNode(handlers: Record<string, Handler> = {}): {
  client: MarketClient;
  calls: { method: string; params: readonly unknown[] }[];
} {
  const calls: { method: string; params: readonly unknown[] }[] = [];
  const block = {
    number: "0x10",
    hash: testHash(16),
    parentHash: testHash(15),
    timestamp: "0x6900",
    baseFeePerGas: "0x7",
    gasLimit: "0x1c9c380",
    gasUsed: "0x0",
    transactions: [],
    uncles: [],
  };
  const ordinary: Record<string, Handler> = {
    eth_chainId: () => "0x7a69",
    eth_call: () => "0x",
    eth_estimateGas: () => "0x5208",
    eth_getTransactionCount: () => "0x3",
    eth_maxPriorityFeePerGas: () => "0x1",
    eth_gasPrice: () => "0x8",
    eth_blockNumber: () => "0x10",
    eth_getBlockByNumber: () => block,
    eth_getTransactionByHash: () => null,
    eth_getTransactionReceipt: () => null,
    eth_sendRawTransaction: ([raw]) => keccak256(raw as Hex),
  };
  const transport = custom(
    {
      async request({ method, params }: { method: string; params?: readonly unknown[] }) {
        calls.push({ method, params: params ?? [] });
        const handler = handlers[method] ?? ordinary[method];
        if (handler === undefined) throw new Error(`the fake node has no ${method}`);
        return handler(params ?? []);
      },
    },
    { retryCount: 0 },
  );
  return {
    calls,
    client: {
      public: createPublicClient({ transport, pollingInterval: 5, cacheTime: 0 }),
      wallet: createWalletClient({ account, transport }),
      chainId: 31337,
      market,
    },
  };
}

const receiptOf = (hash: Hex, status = "0x1"): Record<string, unknown> => ({
  transactionHash: hash,
  blockHash: testHash(16),
  blockNumber: "0x10",
  transactionIndex: "0x0",
  status,
  from: account.address,
  to: market,
  logs: [],
  logsBloom: `0x${"00".repeat(256)}`,
  gasUsed: "0x1",
  cumulativeGasUsed: "0x1",
  effectiveGasPrice: "0x1",
  type: "0x2",
  contractAddress: null,
});

const rpcError = (message: string, code = -32000): RpcRequestError =>
  new RpcRequestError({ body: {}, url: "fake", error: { code, message } });

const sends = (calls: readonly { method: string }[]): number =>
  calls.filter(({ method }) => method === "eth_sendRawTransaction").length;

test("a lost reply to the broadcast is no failure: the receipt decides, and nothing is sent twice", async () => {
  let sent: Hex | undefined;
  const { client, calls } = fakeNode({
    eth_sendRawTransaction: ([raw]) => {
      sent = keccak256(raw as Hex);
      throw new TypeError("socket hang up");
    },
    eth_getTransactionReceipt: () => (sent === undefined ? null : receiptOf(sent)),
  });
  const { hash, receipt } = await settleJob(client, { ...job, timeoutMs: 5_000 });
  assert.equal(hash, sent);
  assert.equal(receipt.status, "success");
  assert.equal(sends(calls), 1);
});

test("without reply and without receipt the outcome is unknown, with the hash to look for", async () => {
  const stored: Hex[] = [];
  const { client, calls } = fakeNode({
    eth_sendRawTransaction: () => {
      throw new TypeError("socket hang up");
    },
  });
  const error = await assertCode(
    settleJob(client, { ...job, timeoutMs: 200, onSigned: ({ hash }) => void stored.push(hash) }),
    "TRANSACTION_UNKNOWN",
  );
  assert.equal(error.details?.hash, stored[0]);
  assert.equal(sends(calls), 1);
});

test("a node that refuses and does not know the transaction makes it rejected", async () => {
  const { client } = fakeNode({
    eth_sendRawTransaction: () => {
      throw rpcError("nonce too low");
    },
  });
  await assertCode(settleJob(client, job), "TRANSACTION_REJECTED");
});

test("a node that refuses what it already knows is waited for", async () => {
  let sent: Hex | undefined;
  const { client } = fakeNode({
    eth_sendRawTransaction: ([raw]) => {
      sent = keccak256(raw as Hex);
      throw rpcError("already known");
    },
    eth_getTransactionByHash: ([hash]) => ({
      hash,
      nonce: "0x3",
      from: account.address,
      type: "0x2",
      chainId: "0x7a69",
    }),
    eth_getTransactionReceipt: () => (sent === undefined ? null : receiptOf(sent)),
  });
  assert.equal((await settleJob(client, { ...job, timeoutMs: 5_000 })).hash, sent);
});

test("nothing is signed for another chain", async () => {
  const { client, calls } = fakeNode({ eth_chainId: () => "0x1" });
  const error = await assertCode(settleJob(client, job), "WRONG_CHAIN");
  assert.deepEqual(error.details, { found: 1, required: 31337 });
  assert.equal(sends(calls), 0);
});

test("a call that the contract refuses is never signed", async () => {
  let signed = false;
  const onSigned = (): void => {
    signed = true;
  };
  const { client, calls } = fakeNode({
    eth_call: () => {
      throw new RpcRequestError({
        body: {},
        url: "fake",
        error: { code: 3, message: "execution reverted", data: "0xdeadbeef" },
      });
    },
  });
  await assertCode(settleJob(client, { ...job, onSigned }), "CONTRACT_ERROR_UNKNOWN");
  assert.equal(signed, false);
  assert.equal(sends(calls), 0);
});

test("the broadcast waits for the hook, and does not happen when the hook fails", async () => {
  const { client, calls } = fakeNode();
  await assert.rejects(
    settleJob(client, { ...job, onSigned: () => Promise.reject(new Error("disk full")) }),
    /disk full/,
  );
  assert.equal(sends(calls), 0);
});

test("an abort before the broadcast sends nothing", async () => {
  const { client, calls } = fakeNode();
  const controller = new AbortController();
  await assert.rejects(
    settleJob(client, { ...job, signal: controller.signal, onSigned: () => controller.abort(new Error("stop")) }),
    /stop/,
  );
  assert.equal(sends(calls), 0);
});

test("two writes at once get two nonces", async () => {
  let pending = 3;
  const sent: Hex[] = [];
  const { client } = fakeNode({
    eth_getTransactionCount: () => `0x${pending.toString(16)}`,
    eth_sendRawTransaction: ([raw]) => {
      pending += 1;
      sent.push(keccak256(raw as Hex));
      return sent.at(-1);
    },
    eth_getTransactionReceipt: ([hash]) => (sent.includes(hash as Hex) ? receiptOf(hash as Hex) : null),
  });
  const nonces: number[] = [];
  const onSigned = ({ nonce }: { nonce: number }): void => void nonces.push(nonce);
  await Promise.all([
    settleJob(client, { ...job, onSigned, timeoutMs: 5_000 }),
    settleJob(client, { ...job, onSigned, timeoutMs: 5_000 }),
  ]);
  assert.deepEqual(nonces, [3, 4]);
});

test("a mined transaction that reverted throws the contract's reason", async () => {
  let sent: Hex | undefined;
  let calls = 0;
  const { client } = fakeNode({
    eth_call: () => {
      calls += 1;
      if (calls === 1) return "0x";
      throw new RpcRequestError({
        body: {},
        url: "fake",
        error: { code: 3, message: "execution reverted", data: "0xdeadbeef" },
      });
    },
    eth_sendRawTransaction: ([raw]) => {
      sent = keccak256(raw as Hex);
      return sent;
    },
    eth_getTransactionReceipt: () => (sent === undefined ? null : receiptOf(sent, "0x0")),
  });
  const error = await assertCode(settleJob(client, { ...job, timeoutMs: 5_000 }), "CONTRACT_ERROR_UNKNOWN");
  assert.equal(error.details?.hash, sent);
});

test("a wallet that gives no answer leaves the outcome unknown; a refusal leaves nothing", async () => {
  for (const [thrown, code] of [
    [new TypeError("port closed"), "TRANSACTION_UNKNOWN"],
    [new UserRejectedRequestError(new Error("no")), "WALLET_REFUSED"],
  ] as const) {
    const { client } = fakeNode({
      eth_sendTransaction: () => {
        throw thrown;
      },
    });
    const wallet = createWalletClient({
      account: account.address,
      transport: custom(
        {
          request: async ({ method }: { method: string }) => {
            if (method === "eth_chainId") return "0x7a69";
            throw thrown;
          },
        },
        { retryCount: 0 },
      ),
    });
    await assertCode(settleJob({ ...client, wallet }, job), code);
  }
});

test("a client without wallet says so before anything else", async () => {
  const { client, calls } = fakeNode();
  const { wallet: _wallet, ...readOnly } = client;
  await assertCode(settleJob(readOnly, job), "WALLET_MISSING");
  assert.equal(calls.length, 0);
});
