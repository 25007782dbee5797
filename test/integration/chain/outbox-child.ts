import { inTransaction } from "@quorate/chain/sqlite";
import { createPublicClient, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
// Not through the package's index: a child that is started thirty times should load only what it needs.
import { openDatabase } from "../../../packages/service/src/database/open.ts";
import { createJournal } from "../../../packages/service/src/journal/journal.ts";
import { createOutbox } from "../../../packages/service/src/outbox/outbox.ts";

/** What a process of the kill test is to do. */
export type ChildTask = {
  readonly path: string;
  readonly url: string;
  readonly key: Hex;
  readonly calls: readonly { readonly key: string; readonly to: Hex; readonly data: Hex; readonly gas: string }[];
  /** Step at which, and at which of its occurrences, the process kills itself. */
  readonly killAt?: { readonly step: string; readonly occurrence: number };
};

/** Decides on the calls, hands them to the outbox, waits for their outcomes. The same before and after a kill. */
export async function work(task: ChildTask): Promise<string[]> {
  const db = openDatabase(task.path);
  let left = task.killAt?.occurrence ?? 0;
  const outbox = createOutbox({
    db,
    clients: [createPublicClient({ transport: http(task.url), cacheTime: 0 })],
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
  const results = await Promise.all(journal.state().map((key) => outbox.wait(key, AbortSignal.timeout(60_000))));
  abort.abort();
  await running;
  db.close();
  return results.map(({ status }) => status);
}

if (process.argv[1] === import.meta.filename) await work(JSON.parse(process.argv[2] as string) as ChildTask);
