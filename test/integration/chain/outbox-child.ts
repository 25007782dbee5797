import { createJournal, createOutbox, inTransaction, openDatabase } from "@quorate/service";
import { createPublicClient, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";

/** What the kill test tells its child; JSON in the first argument. */
export type ChildTask = {
  readonly path: string;
  readonly url: string;
  readonly key: Hex;
  readonly calls: readonly { readonly key: string; readonly to: Hex; readonly data: Hex; readonly gas: string }[];
  /** Step at which, and at which of its occurrences, the process kills itself. */
  readonly killAt?: { readonly step: string; readonly occurrence: number };
};

if (process.argv[2] !== undefined) {
  const task = JSON.parse(process.argv[2]) as ChildTask;
  const db = openDatabase(task.path);
  let left = task.killAt?.occurrence ?? 0;
  const outbox = createOutbox({
    db,
    clients: [createPublicClient({ chain: foundry, transport: http(task.url), cacheTime: 0 })],
    account: privateKeyToAccount(task.key),
    chainId: 31337,
    policy: { maxFeeCap: 10n ** 12n, confirmations: 1, pollIntervalMs: 20, rebroadcastMs: 100, bumpAfterMs: 60_000 },
    onStep: (step) => {
      if (step !== task.killAt?.step) return;
      left -= 1;
      if (left === 0) process.kill(process.pid, "SIGKILL");
    },
  });
  // The journal decides once; the intent is part of the same transaction.
  const journal = createJournal<readonly string[], string>(db, {
    name: "decisions",
    initial: [],
    reduce: (list, key) => [...list, key],
  });
  for (const call of task.calls) {
    if (journal.state().includes(call.key)) continue;
    inTransaction(db, () => {
      journal.append(call.key);
      outbox.enqueue({ ...call, gas: BigInt(call.gas) });
    });
  }
  const abort = new AbortController();
  const running = outbox.run(abort.signal);
  const results = await Promise.all(journal.state().map((key) => outbox.wait(key, AbortSignal.timeout(20_000))));
  abort.abort();
  await running;
  db.close();
  process.stdout.write(JSON.stringify(results.map(({ status }) => status)));
}
