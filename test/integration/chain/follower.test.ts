import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import {
  type Batch,
  bloomOf,
  createFollower,
  type FollowedBlock,
  type Follower,
  type FollowerOptions,
  headerHash,
  memoryStore,
  type RpcHeader,
  viemBlockSource,
} from "@quorate/chain";
import { sqliteStore } from "@quorate/chain/sqlite";
import { isQuorateError } from "@quorate/core";
import { type Address, getAddress, type Hex } from "viem";
import { type Anvil, deploy, emit, emitterDeployment, startAnvil } from "./anvil.ts";
import { emptyLogs, type FaultProxy, startFaultProxy } from "./fault-proxy.ts";

let anvil: Anvil;
let emitter: Address;
const proxies: FaultProxy[] = [];

before(async () => {
  anvil = await startAnvil();
  emitter = await deploy(anvil, emitterDeployment);
});
after(async () => {
  for (const proxy of proxies) await proxy.close();
  await anvil.stop();
});

async function proxied(): Promise<FaultProxy> {
  const proxy = await startFaultProxy({ target: anvil.url });
  proxies.push(proxy);
  return proxy;
}

async function emitNow(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    await anvil.wallet.sendTransaction({
      to: emitter,
      data: emit(i, i),
      gas: 100_000n,
      account: anvil.wallet.account ?? null,
      chain: anvil.public.chain ?? null,
    });
  }
}

/** Blocks that a consumer holds, by its own rollbacks. */
function consumer(): { blocks: FollowedBlock[]; onBatch: (batch: Batch) => void; rollbacks: number } {
  const held = {
    blocks: [] as FollowedBlock[],
    rollbacks: 0,
    onBatch(batch: Batch): void {
      const { rollback } = batch;
      if (rollback !== undefined) {
        held.rollbacks += 1;
        held.blocks = held.blocks.filter((block) => block.number <= rollback.toBlock);
      }
      for (const block of batch.blocks) {
        assert.equal(block.number, held.blocks.length);
        held.blocks.push(block);
      }
    },
  };
  return held;
}

function followerOf(
  urls: string[],
  onBatch: (batch: Batch) => void,
  extra: Partial<FollowerOptions<undefined>> = {},
): Follower {
  return createFollower<undefined>({
    sources: urls.map((url) => viemBlockSource(url)),
    store: memoryStore(),
    filter: { address: emitter },
    chainId: 31337,
    fromBlock: 0,
    confirmations: 4,
    pollIntervalMs: 10,
    maxPollIntervalMs: 100,
    requestTimeoutMs: 500,
    onBatch,
    ...extra,
  });
}

/** What an independent reading of the chain gives, by receipts of each block. */
async function truth(): Promise<{ hash: Hex; logs: string[] }[]> {
  const height = Number(await anvil.public.getBlockNumber());
  const blocks: { hash: Hex; logs: string[] }[] = [];
  for (let number = 0; number <= height; number += 1) {
    const receipts = (await anvil.rpc("eth_getBlockReceipts", `0x${number.toString(16)}`)) as {
      logs: { address: Hex; topics: Hex[]; transactionHash: Hex }[];
    }[];
    const block = await anvil.public.getBlock({ blockNumber: BigInt(number) });
    const logs = receipts.flatMap((receipt) =>
      receipt.logs
        .filter((log) => getAddress(log.address) === getAddress(emitter))
        .map((log) => `${log.transactionHash}/${log.topics[0]}`),
    );
    blocks.push({ hash: block.hash, logs });
  }
  return blocks;
}
const heldView = (blocks: FollowedBlock[]): { hash: Hex; logs: string[] }[] =>
  blocks.map(({ hash, logs }) => ({ hash, logs: logs.map((log) => `${log.transactionHash}/${log.topics[0]}`) }));
const signal = (): AbortSignal => AbortSignal.timeout(30_000);

test("anvil's header hashes and blooms are recomputed exactly", async () => {
  await emitNow(2);
  await anvil.mine();
  const block = (await anvil.rpc("eth_getBlockByNumber", "latest", false)) as RpcHeader;
  assert.equal(headerHash(block), block.hash);
  const receipts = (await anvil.rpc("eth_getBlockReceipts", "latest")) as { logs: { address: Hex; topics: Hex[] }[] }[];
  assert.equal(bloomOf(receipts.flatMap((receipt) => receipt.logs)), block.logsBloom);
  assert.notEqual(BigInt(block.logsBloom), 0n);
  assert.equal((await viemBlockSource(anvil.url, { verifyHeaders: "require" }).latest()).verified, true);
  assert.notEqual(headerHash({ ...block, timestamp: "0x1" }), block.hash);
});

test("a forged field of a header is refused once hashes can be recomputed", async () => {
  const proxy = await proxied();
  const source = viemBlockSource(proxy.url);
  await source.latest();
  proxy.add({
    do: "rewrite",
    method: "eth_getBlockByNumber",
    result: (block) => ({ ...(block as object), logsBloom: `0x${"00".repeat(256)}` }),
  });
  await assert.rejects(source.latest(), (error) => isQuorateError(error, "SOURCE_LIED"));
});

test("follows a node through reorganisations that replace and drop transactions", async () => {
  const held = consumer();
  const follower = followerOf([anvil.url], held.onBatch);
  for (let round = 0; round < 4; round += 1) {
    await emitNow(3);
    await anvil.mine(1 + round);
    await emitNow(1);
    await anvil.mine(2);
    await follower.sync(signal());
    assert.deepEqual(heldView(held.blocks), await truth());
    await anvil.rpc("anvil_reorg", 2 + round, []);
    await follower.sync(signal());
    assert.deepEqual(heldView(held.blocks), await truth());
  }
  assert.equal(held.rollbacks, 4);
});

test("behind a node that omits logs, drops, delays and rate-limits, nothing is lost and nothing is doubled", async () => {
  const proxy = await proxied();
  const held = consumer();
  const follower = followerOf([proxy.url], held.onBatch);
  proxy.add({ ...emptyLogs, chance: 0.6 });
  proxy.add({ do: "drop", chance: 0.05 });
  proxy.add({ do: "delay", ms: 5, chance: 0.1 });
  proxy.add({ do: "refuse", httpStatus: 429, chance: 0.05 });
  for (let round = 0; round < 6; round += 1) {
    await emitNow(2);
    await anvil.mine(2);
    if (round % 2 === 1) await anvil.rpc("anvil_reorg", 3, []);
    await follower.sync(signal());
  }
  proxy.heal();
  await anvil.mine();
  const status = await follower.sync(signal());
  assert.deepEqual(heldView(held.blocks), await truth());
  assert.ok((proxy.struck.get("rewrite") ?? 0) > 0);
  assert.ok(status.counters.omissions > 0);
});

test("an endpoint that hangs does not stop the follower while another answers", async () => {
  const proxy = await proxied();
  proxy.add({ do: "hang" });
  const held = consumer();
  const follower = followerOf([proxy.url, anvil.url], held.onBatch);
  const started = Date.now();
  await follower.sync(signal());
  assert.deepEqual(heldView(held.blocks), await truth());
  assert.ok(Date.now() - started < 10_000);
});

test("a local chain that was restarted is named, and the stored state is left as it was", async () => {
  const first = await startAnvil();
  const second = await startAnvil("--timestamp", "1600000000");
  const proxy = await startFaultProxy({ target: first.url });
  try {
    await first.mine(5);
    await second.mine(9);
    const db = new DatabaseSync(":memory:");
    const make = (): Follower =>
      createFollower({
        sources: [viemBlockSource(proxy.url)],
        store: sqliteStore(db),
        filter: { address: emitter },
        chainId: 31337,
        fromBlock: 0,
        pollIntervalMs: 10,
        onBatch: () => {},
      });
    const follower = make();
    await follower.sync(signal());
    const before = await sqliteStore(db).load();
    proxy.retarget(second.url);
    await assert.rejects(follower.sync(signal()), (error) => isQuorateError(error, "CHAIN_RESET"));
    await assert.rejects(make().sync(signal()), (error) => isQuorateError(error, "CHAIN_RESET"));
    assert.deepEqual(await sqliteStore(db).load(), before);
  } finally {
    await proxy.close();
    await first.stop();
    await second.stop();
  }
});
