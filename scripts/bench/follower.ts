import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Batch, createFollower, viemBlockSource } from "@quorate/chain";
import { sqliteStore } from "@quorate/chain/sqlite";
import { createMetrics, createOutbox, keyAccountFrom, openDatabase, startHealthServer } from "@quorate/service";
import { createPublicClient, http } from "viem";
import { deploy, devKeys, emit, emitterDeployment, startAnvil } from "../../test/integration/chain/anvil.ts";

const help = `Measures the follower against a local anvil: blocks per second of a back-fill into SQLite with every header
hash recomputed, and the memory of an idle service (follower, outbox, health server).

usage: npm run bench -- follower [--blocks 4000] [--json]`;

const { values } = parseArgs({
  options: { blocks: { type: "string", default: "4000" }, json: { type: "boolean" }, help: { type: "boolean" } },
});
if (values.help === true) {
  console.log(help);
} else {
  const directory = mkdtempSync(join(tmpdir(), "quorate-bench-"));
  const anvil = await startAnvil();
  try {
    const emitter = await deploy(anvil, emitterDeployment);
    const total = Number(values.blocks);
    for (let mined = 0; mined < total; mined += 100) {
      await anvil.wallet.sendTransaction({
        to: emitter,
        data: emit(mined, mined),
        gas: 100_000n,
        account: anvil.wallet.account ?? null,
        chain: anvil.wallet.chain ?? null,
      });
      await anvil.mine(100);
    }
    const db = openDatabase(join(directory, "state.db"));
    db.exec("CREATE TABLE seen (number INTEGER PRIMARY KEY, logs INTEGER NOT NULL) STRICT");
    const insert = db.prepare("INSERT INTO seen VALUES (?, ?)");
    const follower = createFollower({
      sources: [viemBlockSource(anvil.url, { verifyHeaders: "require" })],
      store: sqliteStore(db),
      filter: { address: emitter },
      chainId: 31337,
      fromBlock: 0,
      requestTimeoutMs: 60_000,
      onBatch: (batch: Batch) => {
        for (const block of batch.blocks) if (block.logs.length > 0) insert.run(block.number, block.logs.length);
      },
    });
    const cpu = process.cpuUsage();
    const started = performance.now();
    const status = await follower.sync(AbortSignal.timeout(600_000));
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const cpuSeconds = (user + system) / 1e6;

    const abort = new AbortController();
    const account = keyAccountFrom(devKeys[1] as `0x${string}`);
    const client = createPublicClient({ transport: http(anvil.url) });
    const outbox = createOutbox({ db, clients: [client], account, chainId: 31337, policy: { maxFeeCap: 10n ** 11n } });
    const health = await startHealthServer({ port: 0, ready: {}, metrics: createMetrics({ defaults: true }) });
    const running = Promise.all([follower.run(abort.signal), outbox.run(abort.signal)]);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    globalThis.gc?.();
    const idle = process.memoryUsage();
    abort.abort();
    await running;
    await health.close();
    db.close();

    const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
    const result = {
      blocks: status.counters.blocks,
      logs: status.counters.logs,
      seconds: Number(seconds.toFixed(2)),
      blocksPerSecond: Math.round(status.counters.blocks / seconds),
      blocksPerCpuSecond: Math.round(status.counters.blocks / cpuSeconds),
      idleRssMiB: mib(idle.rss),
      idleHeapMiB: mib(idle.heapUsed),
    };
    if (values.json === true) console.log(JSON.stringify({ follower: result }));
    else console.table(result);
  } finally {
    await anvil.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
