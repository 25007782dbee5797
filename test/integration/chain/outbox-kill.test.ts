import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Address, Hex } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { outboxSteps } from "../../../packages/service/src/outbox/steps.ts";
import { type Anvil, deploy, emit, emitterDeployment, startAnvil } from "./anvil.ts";
import { type ChildTask, work } from "./outbox-child.ts";

let anvil: Anvil;
let emitter: Address;
const directory = mkdtempSync(join(tmpdir(), "quorate-kill-"));
const script = fileURLToPath(new URL("./outbox-child.ts", import.meta.url));

before(async () => {
  anvil = await startAnvil();
  emitter = await deploy(anvil, emitterDeployment);
});
after(async () => {
  await anvil.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Blocks come while the work goes on. */
async function mineUntil<T>(work: Promise<T>): Promise<T> {
  let done = false;
  const finish = (): void => {
    done = true;
  };
  void work.then(finish, finish);
  while (!done) {
    await anvil.mine();
    await Promise.race([work, new Promise((resolve) => setTimeout(resolve, 40))]);
  }
  return await work;
}

async function runAndDie(task: ChildTask): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, [script, JSON.stringify(task)], { stdio: ["ignore", "ignore", "inherit"] });
  const [, signal] = await mineUntil(once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>);
  return signal;
}

async function effectsOf(sender: Address): Promise<Hex[]> {
  const logs = await anvil.public.getLogs({ address: emitter, fromBlock: 0n, toBlock: "latest" });
  const owned = await Promise.all(
    logs.map(async (log) => ({
      log,
      from: (await anvil.public.getTransaction({ hash: log.transactionHash as Hex })).from,
    })),
  );
  return owned.filter(({ from }) => from.toLowerCase() === sender.toLowerCase()).map(({ log }) => log.topics[0] as Hex);
}

for (const [index, step] of outboxSteps.entries()) {
  for (const occurrence of [1, 2]) {
    test(`killed at ${step}, time ${occurrence}: after a restart each call has exactly one effect`, async () => {
      const key = generatePrivateKey();
      const sender = privateKeyToAddress(key);
      await anvil.rpc("anvil_setBalance", sender, "0x56bc75e2d63100000");
      const task: ChildTask = {
        path: join(directory, `${index}-${occurrence}.db`),
        url: anvil.url,
        key,
        calls: [1, 2].map((n) => ({ key: `call-${n}`, to: emitter, data: emit(n, index), gas: "100000" })),
      };
      assert.equal(await runAndDie({ ...task, killAt: { step, occurrence } }), "SIGKILL");
      // The node may have lost what it was handed.
      if (occurrence === 2) await anvil.rpc("anvil_dropAllTransactions");
      assert.deepEqual(await mineUntil(work(task)), ["mined", "mined"]);
      assert.deepEqual((await effectsOf(sender)).map(BigInt), [1n, 2n]);
    });
  }
}
