import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { isQuorateError } from "@quorate/core";
import {
  createOutbox,
  inTransaction,
  type Outbox,
  type OutboxItem,
  type OutboxOptions,
  type OutboxPolicy,
  openDatabase,
  type StateDatabase,
} from "@quorate/service";
import { type Address, createPublicClient, type Hex, http, type PublicClient, parseGwei } from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import {
  type Anvil,
  coffeeAbi,
  deploy,
  emit,
  emitterDeployment,
  localChain,
  reverterDeployment,
  startAnvil,
} from "./anvil.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";

let anvil: Anvil;
let proxy: FaultProxy;
let emitter: Address;
let reverter: Address;
let directory: string;
let db: StateDatabase;
let account: PrivateKeyAccount;
let now: number;
const policy: OutboxPolicy = {
  maxFeeCap: parseGwei("500"),
  confirmations: 2,
  bumpAfterMs: 20_000,
  rebroadcastMs: 5_000,
  requestTimeoutMs: 500,
};

before(async () => {
  anvil = await startAnvil();
  proxy = await startFaultProxy({ target: anvil.url });
  emitter = await deploy(anvil, emitterDeployment);
  reverter = await deploy(anvil, reverterDeployment);
});
after(async () => {
  await proxy.close();
  await anvil.stop();
});
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "quorate-outbox-"));
  db = openDatabase(join(directory, "state.db"));
  // A key of its own for each test: nonces begin at zero.
  account = privateKeyToAccount(generatePrivateKey());
  await anvil.rpc("anvil_setBalance", account.address, "0x56bc75e2d63100000");
  now = 1_800_000_000_000;
});
afterEach(() => {
  proxy.heal();
  db.close();
  rmSync(directory, { recursive: true, force: true });
});

const clientOf = (url: string): PublicClient =>
  createPublicClient({ chain: localChain, transport: http(url), cacheTime: 0 });

function outboxOf(extra: Partial<OutboxOptions> = {}, urls: string[] = [proxy.url]): Outbox {
  return createOutbox({
    db,
    clients: urls.map(clientOf),
    account,
    chainId: 31337,
    policy,
    abi: coffeeAbi,
    clock: { now: () => now },
    ...extra,
  });
}

/** Logs that this test's key caused, by its transactions in canonical blocks. */
async function effects(): Promise<number> {
  const logs = await anvil.public.getLogs({ address: emitter, fromBlock: 0n, toBlock: "latest" });
  const senders = await Promise.all(
    logs.map(async (log) => (await anvil.public.getTransaction({ hash: log.transactionHash as Hex })).from),
  );
  return senders.filter((sender) => sender.toLowerCase() === account.address.toLowerCase()).length;
}
const nonceOf = (): Promise<number> => anvil.public.getTransactionCount({ address: account.address });
const item = (outbox: Outbox, key: string): OutboxItem => {
  const found = outbox.status(key);
  assert.ok(found);
  return found;
};
const call = (key: string): { key: string; to: Address; data: Hex; gas: bigint } => ({
  key,
  to: emitter,
  data: emit(1, 2),
  gas: 100_000n,
});

/** Ticks and mines until the items have ended; every round is a block and a second. */
async function drive(outbox: Outbox, rounds = 12): Promise<void> {
  for (let i = 0; i < rounds && outbox.pending().length > 0; i += 1) {
    await outbox.tick();
    await anvil.mine();
    now += 1000;
  }
  await outbox.tick();
}

test("a call is mined once, confirmed, and its key stands for it for ever", async () => {
  const outbox = outboxOf();
  const first = await outbox.submit({ ...call("a"), context: { job: 7n } });
  assert.equal(first.status, "queued");
  assert.equal((await outbox.submit(call("a"))).id, first.id);
  assert.throws(
    () => outbox.enqueue({ ...call("a"), data: emit(9, 9) }),
    (error) => isQuorateError(error, "OUTBOX_KEY_CONFLICT"),
  );
  await outbox.tick();
  assert.equal(item(outbox, "a").status, "broadcast");
  await anvil.mine();
  await outbox.tick();
  assert.equal(item(outbox, "a").status, "included");
  await anvil.mine(2);
  await outbox.tick();
  assert.equal(item(outbox, "a").status, "mined");
  assert.deepEqual(item(outbox, "a").context, { job: 7n });
  assert.equal((await outbox.submit(call("a"))).status, "mined");
  await drive(outbox);
  assert.equal(await effects(), 1);
  const result = await outbox.wait("a", AbortSignal.timeout(1000));
  assert.equal(result.status, "mined");
  assert.equal(result.receipt?.transactionHash, item(outbox, "a").minedHash);
});

test("run works until aborted and wakes waiters", async () => {
  const outbox = outboxOf({
    policy: { ...policy, confirmations: 0, pollIntervalMs: 20 },
    clock: { now: () => Date.now() },
  });
  const abort = new AbortController();
  const running = outbox.run(abort.signal);
  await assert.rejects(outbox.wait("nothing", abort.signal), (error) => isQuorateError(error, "OUTBOX_UNKNOWN_KEY"));
  await outbox.submit(call("a"));
  const waiting = outbox.wait("a", AbortSignal.timeout(10_000));
  while (item(outbox, "a").status !== "broadcast") await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(outbox.wait("a", AbortSignal.abort(new Error("enough"))), /enough/);
  await anvil.mine();
  assert.equal((await waiting).status, "mined");
  abort.abort();
  await running;
});

test("several calls get consecutive nonces in the order of submission", async () => {
  const outbox = outboxOf();
  for (const key of ["a", "b", "c", "d"]) await outbox.submit(call(key));
  await drive(outbox);
  assert.deepEqual(
    ["a", "b", "c", "d"].map((key) => item(outbox, key).nonce),
    [0, 1, 2, 3],
  );
  assert.equal(await effects(), 4);
});

test("an intent commits together with what is written beside it, or not at all", () => {
  const outbox = outboxOf();
  assert.throws(() =>
    inTransaction(db, () => {
      outbox.enqueue(call("a"));
      throw new Error("journal refused");
    }),
  );
  assert.equal(outbox.status("a"), undefined);
  inTransaction(db, () => outbox.enqueue(call("a")));
  assert.equal(item(outbox, "a").status, "queued");
});

test("a lost reply means unknown: the same transaction is handed over again and takes effect once", async () => {
  const outbox = outboxOf();
  proxy.add({ do: "lose-reply", method: "eth_sendRawTransaction", times: 2 });
  await outbox.submit(call("a"));
  await outbox.tick();
  assert.equal(item(outbox, "a").status, "broadcast");
  now += 6000;
  await outbox.tick();
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.equal(item(outbox, "a").hashes.length, 1);
  assert.equal(proxy.struck.get("lose-reply"), 2);
  assert.equal(await effects(), 1);
});

test("a dropped transaction, or a node that lost its pool, gets it again", async () => {
  const outbox = outboxOf();
  await outbox.submit(call("a"));
  await outbox.tick();
  await anvil.rpc("anvil_dropTransaction", item(outbox, "a").hashes[0]);
  await anvil.mine(3);
  assert.equal(await nonceOf(), 0);
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.equal(await effects(), 1);
});

test("a reorganisation that takes the transaction back leads to one effect", async () => {
  const outbox = outboxOf();
  await outbox.submit(call("a"));
  await outbox.tick();
  await anvil.mine();
  await outbox.tick();
  assert.equal(item(outbox, "a").status, "included");
  await anvil.rpc("anvil_reorg", 1, []);
  await anvil.rpc("anvil_dropAllTransactions");
  await outbox.tick();
  assert.equal(item(outbox, "a").status, "broadcast");
  assert.equal(item(outbox, "a").minedHash, undefined);
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.equal(await effects(), 1);
});

test("a rise of the base fee leads to replacements within the cap; whichever is mined counts", async () => {
  const outbox = outboxOf();
  await outbox.submit(call("a"));
  await outbox.tick();
  await anvil.rpc("anvil_setNextBlockBaseFeePerGas", `0x${parseGwei("60").toString(16)}`);
  await anvil.mine();
  await outbox.tick();
  assert.equal(item(outbox, "a").status, "broadcast");
  now += 21_000;
  await anvil.rpc("anvil_setNextBlockBaseFeePerGas", `0x${parseGwei("60").toString(16)}`);
  await outbox.tick();
  assert.equal(item(outbox, "a").hashes.length, 2);
  await anvil.rpc("anvil_setNextBlockBaseFeePerGas", `0x${parseGwei("60").toString(16)}`);
  await anvil.mine();
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.equal(item(outbox, "a").minedHash, item(outbox, "a").hashes[1]);
  assert.equal(await effects(), 1);
});

test("an older transaction that is mined after a replacement was signed counts as well", async () => {
  const outbox = outboxOf();
  await outbox.submit(call("a"));
  await outbox.tick();
  // The replacement never arrives, the first one is mined.
  proxy.add({ do: "drop", method: "eth_sendRawTransaction" });
  now += 21_000;
  await outbox.tick();
  const { hashes } = item(outbox, "a");
  assert.equal(hashes.length, 2);
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.equal(item(outbox, "a").minedHash, hashes[0]);
  assert.equal(await effects(), 1);
});

test("above the fee cap nothing is signed, the item says why, and goes on when fees fall", async () => {
  const outbox = outboxOf({ policy: { ...policy, maxFeeCap: 1000n } });
  await outbox.submit(call("a"));
  await outbox.tick();
  assert.equal(item(outbox, "a").problem?.code, "FEE_CAP_REACHED");
  assert.equal(item(outbox, "a").hashes.length, 0);
  const generous = outboxOf();
  await drive(generous);
  assert.equal(item(generous, "a").status, "mined");
  assert.equal(item(generous, "a").problem, undefined);
});

test("a call that is of no use any more is cancelled, and the nonces after it are not blocked", async () => {
  const outbox = outboxOf();
  const { timestamp } = await anvil.public.getBlock();
  proxy.add({ do: "lose-reply", method: "eth_sendRawTransaction", times: 1 });
  await outbox.submit({ ...call("a"), validUntil: Number(timestamp) + 100 });
  await outbox.tick();
  await anvil.rpc("anvil_dropAllTransactions");
  await outbox.submit(call("b"));
  await anvil.rpc("evm_increaseTime", 200);
  await anvil.mine();
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "abandoned");
  assert.equal(item(outbox, "a").reason?.code, "EXPIRED");
  assert.equal(item(outbox, "b").status, "mined");
  assert.equal(await effects(), 1);
  await outbox.submit({ ...call("late"), validUntil: Number(timestamp) });
  await outbox.tick();
  assert.equal(item(outbox, "late").status, "abandoned");
  assert.equal(item(outbox, "late").nonce, undefined);
});

test("a call that was mined in time is mined, even if the outbox learns it after its time", async () => {
  const outbox = outboxOf();
  const { timestamp } = await anvil.public.getBlock();
  await outbox.submit({ ...call("a"), validUntil: Number(timestamp) + 100 });
  await outbox.tick();
  await anvil.mine();
  await anvil.rpc("evm_increaseTime", 500);
  await anvil.mine(3);
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.equal(item(outbox, "a").hashes.length, 1);
});

test("a reverted transaction ends with the contract's error by name", async () => {
  const outbox = outboxOf();
  await outbox.submit({ ...call("a"), to: reverter });
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "reverted");
  assert.equal(item(outbox, "a").reason?.errorName, "Coffee");
  assert.equal((await outbox.wait("a", AbortSignal.timeout(1000))).receipt?.status, "reverted");
});

test("a simulation that reverts costs nothing and names the error; an endpoint that fails is not a revert", async () => {
  const outbox = outboxOf();
  await outbox.submit({ ...call("a"), to: reverter, simulate: true });
  await outbox.submit({ key: "b", to: reverter, data: "0x01" });
  for (let i = 0; i < 4; i += 1) await outbox.tick();
  for (const key of ["a", "b"]) {
    assert.equal(item(outbox, key).status, "abandoned");
    assert.equal(item(outbox, key).reason?.code, "SIMULATION_REVERTED");
    assert.equal(item(outbox, key).reason?.errorName, "Coffee");
  }
  assert.equal(await nonceOf(), 0);
  proxy.add({ do: "drop", method: /eth_call|eth_estimateGas/, times: 8 });
  await outbox.submit({ ...call("c"), simulate: true });
  for (let i = 0; i < 9; i += 1) await outbox.tick();
  await drive(outbox);
  assert.equal(item(outbox, "c").status, "mined");
});

test("gas is estimated when it is not given", async () => {
  const outbox = outboxOf();
  await outbox.submit({ key: "a", to: emitter, data: emit(3, 4) });
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.ok((item(outbox, "a").gasUsed ?? 0n) < 30_000n);
});

test("without funds the transaction waits and says so, and goes on when they come", async () => {
  await anvil.rpc("anvil_setBalance", account.address, "0x0");
  const outbox = outboxOf();
  await outbox.submit(call("a"));
  await outbox.tick();
  assert.equal(item(outbox, "a").problem?.code, "INSUFFICIENT_FUNDS");
  await anvil.rpc("anvil_setBalance", account.address, "0x56bc75e2d63100000");
  now += 6000;
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.equal(item(outbox, "a").problem, undefined);
});

test("when another program uses the nonce the call gets a new one, after finality and by every endpoint's word", async () => {
  const outbox = outboxOf();
  proxy.add({ do: "drop", method: "eth_sendRawTransaction", times: 1 });
  await outbox.submit(call("a"));
  await outbox.tick();
  await anvil.wallet.sendTransaction({
    account,
    chain: localChain,
    to: account.address,
    value: 1n,
    nonce: 0,
    gas: 21_000n,
  });
  await anvil.mine();
  await outbox.tick();
  assert.equal(item(outbox, "a").nonce, 0);
  await anvil.mine(3);
  for (let i = 0; i < 4; i += 1) await outbox.tick();
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.equal(item(outbox, "a").nonce, 1);
  assert.equal(await effects(), 1);
});

test("an unknown pending transaction of the key is outbid", async () => {
  await anvil.wallet.sendTransaction({
    account,
    chain: localChain,
    to: account.address,
    value: 1n,
    nonce: 0,
    gas: 21_000n,
    maxFeePerGas: parseGwei("9"),
    maxPriorityFeePerGas: parseGwei("3"),
  });
  const outbox = outboxOf();
  await outbox.submit(call("a"));
  const accepted = async (): Promise<boolean> =>
    (await anvil.rpc("eth_getTransactionByHash", item(outbox, "a").hashes.at(-1))) !== null;
  for (let i = 0; i < 20 && !(item(outbox, "a").hashes.length > 0 && (await accepted())); i += 1) {
    await outbox.tick();
    now += 6000;
  }
  assert.equal(await accepted(), true);
  await drive(outbox);
  assert.equal(item(outbox, "a").status, "mined");
  assert.equal(item(outbox, "a").nonce, 0);
  assert.equal(await effects(), 1);
});

test("an outbox that starts again goes on with what is stored", async () => {
  const first = outboxOf();
  await first.submit(call("a"));
  await first.tick();
  db.close();
  db = openDatabase(join(directory, "state.db"));
  const second = outboxOf();
  assert.equal(item(second, "a").status, "broadcast");
  await drive(second);
  assert.equal(item(second, "a").status, "mined");
  assert.equal(item(second, "a").hashes.length, 1);
  assert.equal(await effects(), 1);
});

test("one endpoint that hangs and one of another chain do not stop the outbox", async () => {
  const hung = await startFaultProxy({ target: anvil.url });
  const foreign = await startFaultProxy({ target: anvil.url });
  hung.add({ do: "hang" });
  foreign.add({ do: "rewrite", method: "eth_chainId", result: () => "0x1" });
  try {
    const outbox = outboxOf({ policy: { ...policy, agreement: 1 } }, [hung.url, foreign.url, proxy.url]);
    await outbox.submit(call("a"));
    await drive(outbox);
    assert.equal(item(outbox, "a").status, "mined");
    assert.equal(foreign.seen.filter((request) => request.method === "eth_sendRawTransaction").length, 0);
  } finally {
    await hung.close();
    await foreign.close();
  }
});

test("with three endpoints one that invents a failure neither ends an item nor holds it up", async () => {
  const liar = await startFaultProxy({ target: anvil.url });
  const later = "0xffff00";
  liar.add({
    do: "rewrite",
    method: "eth_getTransactionReceipt",
    result: (_, { params: [transactionHash] }) => ({
      transactionHash,
      blockNumber: later,
      blockHash: `0x${"11".repeat(32)}`,
      status: "0x0",
      gasUsed: "0x1",
    }),
  });
  liar.add({ do: "rewrite", method: "eth_getTransactionCount", result: () => "0x9" });
  liar.add({
    do: "rewrite",
    method: "eth_getBlockByNumber",
    result: (block) => ({ ...(block as object), number: "0xffffff" }),
  });
  liar.add({ do: "refuse", method: "eth_sendRawTransaction", message: "already known" });
  try {
    const outbox = outboxOf({}, [liar.url, proxy.url, anvil.url]);
    await outbox.submit(call("a"));
    proxy.add({ do: "drop", method: "eth_getTransactionReceipt" });
    await drive(outbox, 6);
    assert.equal(item(outbox, "a").status, "included");
    proxy.heal();
    await drive(outbox);
    assert.equal(item(outbox, "a").status, "mined");
    assert.equal(item(outbox, "a").nonce, 0);
    assert.equal(await effects(), 1);
  } finally {
    await liar.close();
  }
});
