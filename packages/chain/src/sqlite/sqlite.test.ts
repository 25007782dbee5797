import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { isQuorateError } from "@quorate/core";
import { createFollower } from "../follower/follower.ts";
import { FakeChain, fakeSource, fakeTime, filter } from "../testing/fake-chain.ts";
import type { Batch } from "../types.ts";
import { afterCommit, inTransaction, onRollback, sqliteStore } from "./index.ts";

function consumerOf(db: DatabaseSync): (batch: Batch) => void {
  db.exec(
    "CREATE TABLE IF NOT EXISTS seen (number INTEGER PRIMARY KEY, hash TEXT NOT NULL, logs INTEGER NOT NULL) STRICT",
  );
  const remove = db.prepare("DELETE FROM seen WHERE number > ?");
  const add = db.prepare("INSERT INTO seen VALUES (?, ?, ?)");
  return (batch) => {
    if (batch.rollback !== undefined) remove.run(batch.rollback.toBlock);
    for (const block of batch.blocks) add.run(block.number, block.hash, block.logs.length);
  };
}

const signal = (): AbortSignal => AbortSignal.timeout(10_000);

test("cursor and effects move together, over rollbacks and failures of the consumer", async () => {
  const db = new DatabaseSync(":memory:");
  const chain = new FakeChain();
  chain.mine(1, 0, 2, 1, 0, 1, 1, 1);
  const consume = consumerOf(db);
  let fail = false;
  const make = () =>
    createFollower({
      sources: [fakeSource(chain, "a")],
      store: sqliteStore(db),
      filter,
      chainId: 31337,
      fromBlock: 0,
      confirmations: 2,
      keepHeaders: 20,
      maxRange: 3,
      ...fakeTime(),
      onBatch: (batch, tx) => {
        assert.equal(tx, db);
        consume(batch);
        if (fail) throw new RangeError("after writing");
      },
    });
  const rows = () =>
    db
      .prepare("SELECT number, hash, logs FROM seen ORDER BY number")
      .all()
      .map((row) => ({ ...row }));
  const expected = () => chain.expected(0).map(({ number, hash, logs }) => ({ number, hash, logs: logs.length }));
  await make().sync(signal());
  assert.deepEqual(rows(), expected());
  const before = rows();
  chain.reorg(3, 1, 1, 1, 1);
  fail = true;
  await assert.rejects(make().sync(signal()), RangeError);
  assert.deepEqual(rows(), before);
  fail = false;
  await make().sync(signal());
  assert.deepEqual(rows(), expected());
  assert.equal((await sqliteStore(db).load())?.tail.at(-1)?.hash, chain.tip.hash);
});

test("an asynchronous handler is refused and nothing is written", async () => {
  const db = new DatabaseSync(":memory:");
  const chain = new FakeChain();
  chain.mine(1);
  const store = sqliteStore(db);
  const follower = createFollower({
    sources: [fakeSource(chain, "a")],
    store,
    filter,
    chainId: 31337,
    fromBlock: 0,
    ...fakeTime(),
    onBatch: async () => {},
  });
  await assert.rejects(follower.sync(signal()), (error) => isQuorateError(error, "FOLLOWER_HANDLER_ASYNC"));
  assert.equal(await store.load(), undefined);
});

test("two followers in one database do not touch each other", async () => {
  const db = new DatabaseSync(":memory:");
  const chains = [new FakeChain("x"), new FakeChain("y")] as const;
  for (const [i, chain] of chains.entries()) {
    chain.mine(...Array.from({ length: 5 + i }, () => 1));
    const follower = createFollower({
      sources: [fakeSource(chain, "a")],
      store: sqliteStore(db, `chain-${i}`),
      filter,
      chainId: 31337,
      fromBlock: 0,
      keepHeaders: 4,
      confirmations: 1,
      ...fakeTime(),
      onBatch: () => {},
    });
    await follower.sync(signal());
  }
  for (const [i, chain] of chains.entries()) {
    const tail = (await sqliteStore(db, `chain-${i}`).load())?.tail;
    assert.equal(tail?.length, 4);
    assert.equal(tail?.at(-1)?.hash, chain.tip.hash);
  }
});

test("nested transactions are savepoints, and memory follows what the database does", () => {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE t (v INTEGER)");
  const put = (value: number) => db.prepare("INSERT INTO t VALUES (?)").run(value);
  const values = () =>
    db
      .prepare("SELECT v FROM t ORDER BY v")
      .all()
      .map((row) => row.v);
  const told: string[] = [];
  inTransaction(db, () => {
    put(1);
    assert.throws(() =>
      inTransaction(db, () => {
        put(2);
        onRollback(db, () => told.push("undo 2"));
        afterCommit(db, () => told.push("done 2"));
        throw new Error("inner");
      }),
    );
    inTransaction(db, () => {
      put(3);
      onRollback(db, () => told.push("undo 3"));
      afterCommit(db, () => told.push("done 3"));
    });
    assert.deepEqual(told, ["undo 2"]);
  });
  assert.deepEqual(values(), [1, 3]);
  assert.deepEqual(told, ["undo 2", "done 3"]);
  assert.throws(() =>
    inTransaction(db, () => {
      inTransaction(db, () => {
        put(4);
        onRollback(db, () => told.push("undo 4"));
      });
      throw new Error("outer");
    }),
  );
  assert.deepEqual(values(), [1, 3]);
  assert.equal(told.at(-1), "undo 4");
  assert.throws(
    () => inTransaction(db, async () => put(5)),
    (error) => isQuorateError(error, "TRANSACTION_ASYNC"),
  );
  assert.deepEqual(values(), [1, 3]);
  assert.equal(db.isTransaction, false);
});
