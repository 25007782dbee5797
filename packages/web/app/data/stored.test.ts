import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch, FollowedBlock, RawLog, SnapshotUpdate } from "@quorate/chain";
import { isQuorateError } from "@quorate/core";
import { encodeSubjectState, type SubjectState, subjectStateId } from "@quorate/sdk/queries";
import { testAddress, testHash } from "@quorate/testkit";
import { jobLog } from "../market/testing.ts";
import {
  damagedRecords,
  exportBackup,
  importRecords,
  openBackup,
  planImport,
  type Records,
  readRecords,
} from "./backup.ts";
import { adoptHistory, followerStore, forgetIndex, historySetting, logsAbove, writeBatch } from "./followerStore.ts";
import type { StoredLog } from "./log.ts";
import { readSetting } from "./settings.ts";

const KEY = "31337-test";

function blockOf(number: number): FollowedBlock {
  const account = testAddress(number);
  const log = jobLog("Deposited", { account, token: testAddress(1), payer: account, amount: 1n }, number);
  const { timestamp, ...raw } = log;
  return { number, hash: testHash(number), parentHash: testHash(number - 1), timestamp, logs: [raw] };
}

function batchOf(numbers: readonly number[], rollbackTo?: number): Batch {
  const head = { number: numbers.at(-1) ?? 0, hash: testHash(numbers.at(-1) ?? 0), timestamp: 1 };
  const rollback =
    rollbackTo === undefined ? {} : { rollback: { toBlock: rollbackTo, toHash: testHash(rollbackTo), removed: 1 } };
  return { ...rollback, blocks: numbers.map(blockOf), head, finalTo: 0, final: false, caughtUp: true };
}

function updateOf(numbers: readonly number[], truncateAbove?: number): SnapshotUpdate {
  return {
    ...(truncateAbove === undefined
      ? { identity: { chainId: 31_337, genesisHash: testHash(0xee), fromBlock: 0 } }
      : { truncateAbove }),
    append: numbers.map((number) => ({
      number,
      hash: testHash(number),
      parentHash: testHash(number - 1),
      timestamp: 1,
    })),
    pruneBelow: 0,
  };
}

test("logs and cursor move together, roll back together, and not at all when the batch fails", async () => {
  const store = followerStore(KEY);
  await store.commit(updateOf([1, 2, 3]), (tx) => writeBatch(KEY, batchOf([1, 2, 3]), tx));
  assert.deepEqual(
    (await store.load())?.tail.map(({ number }) => number),
    [1, 2, 3],
  );
  assert.deepEqual(
    (await logsAbove(KEY, 1)).map(({ blockNumber }) => blockNumber),
    [2, 3],
  );

  const failing = store.commit(updateOf([4], 3), async (tx) => {
    await writeBatch(KEY, batchOf([4]), tx);
    throw new RangeError("the handler fails");
  });
  await assert.rejects(failing, RangeError);
  assert.deepEqual(
    (await logsAbove(KEY, -1)).map(({ blockNumber }) => blockNumber),
    [1, 2, 3],
  );
  assert.equal((await store.load())?.tail.at(-1)?.number, 3);

  await store.commit(updateOf([3, 4], 2), (tx) => writeBatch(KEY, batchOf([3, 4], 2), tx));
  assert.deepEqual(
    (await logsAbove(KEY, -1)).map(({ blockNumber }) => blockNumber),
    [1, 2, 3, 4],
  );

  await forgetIndex(KEY);
  assert.equal(await store.load(), undefined);
  assert.deepEqual(await logsAbove(KEY, -1), []);
});

test("history from an index is taken over with its cursor and its origin, or not at all, and forgotten with them", async () => {
  const store = followerStore(KEY);
  const [header] = updateOf([7]).append;
  assert.ok(header);
  const snapshot = { chainId: 31_337, genesisHash: testHash(0xee), fromBlock: 0, tail: [header] };
  const logs = [5, 6].map((block) => ({ ...(blockOf(block).logs[0] as RawLog), timestamp: block }));
  const origin = { host: "index.example", through: 7, places: 32 };
  const unreadable = { ...logs[0], timestamp: Symbol("what no database takes") } as unknown as StoredLog;
  await assert.rejects(adoptHistory(KEY, { snapshot, origin, logs: [...logs, unreadable] }));
  assert.deepEqual([await store.load(), await logsAbove(KEY, -1)], [undefined, []]);
  assert.equal(await readSetting(historySetting(KEY)), undefined);

  await adoptHistory(KEY, { snapshot, logs, origin });
  assert.deepEqual([await store.load(), await logsAbove(KEY, -1)], [snapshot, logs]);
  assert.deepEqual(await readSetting(historySetting(KEY)), origin);
  await store.commit({ append: updateOf([8]).append, pruneBelow: 0 }, (tx) => writeBatch(KEY, batchOf([8]), tx));
  assert.deepEqual(
    (await logsAbove(KEY, 5)).map(({ blockNumber }) => blockNumber),
    [6, 8],
  );

  await forgetIndex(KEY);
  assert.deepEqual([await store.load(), await logsAbove(KEY, -1)], [undefined, []]);
  assert.equal(await readSetting(historySetting(KEY)), undefined);
});

function subject(at: number): SubjectState {
  const of = { chainId: 31_337, market: testAddress(2), provider: testAddress(at), subjectKey: [1n, 2n] as const };
  return { version: 1, stateId: subjectStateId(of), ...of, persons: {}, seen: [], consents: [] };
}

function recordsOf(...states: readonly SubjectState[]): Records {
  return {
    jobs: {},
    queries: {},
    subjects: Object.fromEntries(states.map((state) => [state.stateId, encodeSubjectState(state)])),
  };
}

test("a backup opens with its passphrase alone, and names what is wrong", async () => {
  const records = recordsOf(subject(1));
  const text = await exportBackup(records, "correct horse battery");
  assert.equal(text.includes(Object.keys(records.subjects)[0] ?? ""), false, "nothing of it is readable");
  assert.deepEqual(await openBackup(text, "correct horse battery"), records);
  const is = (code: string) => (error: unknown) => isQuorateError(error, code);
  await assert.rejects(openBackup(text, "correct horse batterx"), is("BACKUP_PASSPHRASE_WRONG"));
  await assert.rejects(openBackup("{}", "correct horse battery"), is("BACKUP_UNREADABLE"));
  await assert.rejects(openBackup(text.replace('"version":1', '"version":2'), "x"), is("BACKUP_UNREADABLE"));
  await assert.rejects(exportBackup(records, "short"), is("PASSPHRASE_TOO_SHORT"));
});

test("an import adds what is new, and says what differs instead of replacing it", async () => {
  const [a, b] = [subject(1), subject(2)];
  const changed = {
    ...a,
    seen: [{ dataset: testHash(1), topic: 1n, values: [1n], validFrom: 1, validUntil: 2, budget: 1 }],
  };
  await importRecords(planImport(recordsOf(a), await readRecords()).add);
  const backup = recordsOf(changed, b);
  const broken: Records = { ...backup, jobs: { [testHash(9)]: "{}" } };
  const plan = planImport(broken, await readRecords());
  assert.deepEqual(
    [plan.add, plan.same, plan.differs, plan.damaged].map((entries) => entries.map(({ key }) => key)),
    [[b.stateId], [], [a.stateId], [testHash(9)]],
  );
  await importRecords(plan.add);
  assert.deepEqual((await readRecords()).subjects, recordsOf(a, b).subjects, "the one that differs stays as it was");
  assert.deepEqual(damagedRecords(broken).jobs, [testHash(9)]);
});
