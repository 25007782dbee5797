import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { inTransaction } from "@quorate/chain/sqlite";
import { isQuorateError } from "@quorate/core";
import fc from "fast-check";
import { openDatabase } from "../database/open.ts";
import { decodeState, encodeState } from "./codec.ts";
import { createJournal, type Journal } from "./journal.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-journal-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(directory, `${files++}.db`);

type Sum = { total: bigint; count: number };
const open = (
  path: string,
  extra: object = {},
): { db: ReturnType<typeof openDatabase>; journal: Journal<Sum, bigint> } => {
  const db = openDatabase(path);
  const journal = createJournal<Sum, bigint>(db, {
    name: "sum",
    initial: { total: 0n, count: 0 },
    reduce: (state, entry) => {
      if (entry < 0n) throw new RangeError("negative");
      return { total: state.total + entry, count: state.count + 1 };
    },
    ...extra,
  });
  return { db, journal };
};

test("what was appended is there after opening again, in order", () => {
  const path = fresh();
  const first = open(path);
  first.journal.append(1n, 2n);
  assert.deepEqual(first.journal.append(3n), { total: 6n, count: 3 });
  first.db.close();
  const second = open(path);
  assert.deepEqual(second.journal.state(), { total: 6n, count: 3 });
  assert.deepEqual(
    [...second.journal.replay()].map(({ seq, entry }) => [seq, entry]),
    [
      [1, 1n],
      [2, 2n],
      [3, 3n],
    ],
  );
  assert.deepEqual(
    [...second.journal.replay(2)].map(({ entry }) => entry),
    [3n],
  );
  second.db.close();
});

test("state follows the disk: a failed reducer or an outer rollback leaves both as they were", () => {
  const { db, journal } = open(fresh());
  journal.append(5n);
  assert.throws(() => journal.append(1n, -1n), RangeError);
  assert.deepEqual(journal.state(), { total: 5n, count: 1 });
  assert.throws(() =>
    inTransaction(db, () => {
      journal.append(7n);
      assert.equal(journal.seq(), 2);
      throw new Error("the effect failed");
    }),
  );
  assert.deepEqual([journal.state().total, journal.seq(), [...journal.replay()].length], [5n, 1, 1]);
  journal.append(1n);
  assert.equal(journal.seq(), 2);
  db.close();
});

test("a snapshot spares the replay, compacting removes what it covers, another version of the reducer replays", () => {
  const path = fresh();
  const first = open(path, { snapshotEvery: 3 });
  for (let i = 1n; i <= 7n; i += 1n) first.journal.append(i);
  first.db.close();
  const replayed: bigint[] = [];
  const reduce = (state: Sum, entry: bigint): Sum => {
    replayed.push(entry);
    return { total: state.total + entry, count: state.count + 1 };
  };
  const second = open(path, { reduce });
  assert.deepEqual(replayed, [7n]);
  assert.deepEqual(second.journal.state(), { total: 28n, count: 7 });
  second.db.close();
  replayed.length = 0;
  const third = open(path, { reduce, version: 2 });
  assert.equal(replayed.length, 7);
  third.journal.snapshot();
  third.journal.compact();
  assert.deepEqual([...third.journal.replay()], []);
  third.db.close();
  const fourth = open(path, { version: 2 });
  assert.deepEqual(fourth.journal.state(), { total: 28n, count: 7 });
  fourth.journal.append(2n);
  assert.equal(fourth.journal.seq(), 8);
  fourth.db.close();
  assert.throws(
    () => open(path, { version: 3 }),
    (error) => isQuorateError(error, "STATE_CORRUPT"),
  );
});

test("a missing entry is not passed over", () => {
  const path = fresh();
  const { db, journal } = open(path);
  journal.append(1n, 2n, 3n);
  db.exec("DELETE FROM journal_entry WHERE seq = 2");
  db.close();
  assert.throws(
    () => open(path),
    (error) => isQuorateError(error, "STATE_CORRUPT"),
  );
});

test("stored data comes back as it was, with bigint, bytes, Map, Set and awkward keys", () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt(),
    fc.uint8Array(),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      leaf,
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constant("$q"), fc.constant("v")), tie("tree"), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
      fc.array(fc.tuple(fc.string(), tie("tree")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
      fc.array(leaf, { maxLength: 3 }).map((items) => new Set(items)),
    ),
  }));
  fc.assert(fc.property(tree, (value) => assert.deepEqual(decodeState(encodeState(value)), value)));
  for (const bad of [Number.NaN, () => 1, new Date(), Symbol("x")]) {
    assert.throws(
      () => encodeState({ bad }),
      (error) => isQuorateError(error, "STATE_UNSTORABLE"),
    );
  }
  assert.throws(
    () => decodeState("{"),
    (error) => isQuorateError(error, "STATE_CORRUPT"),
  );
});

test("SIGKILL at any moment loses nothing that was acknowledged, and journal and effect never part", async () => {
  const path = fresh();
  const script = fileURLToPath(new URL("../testing/journal-child.ts", import.meta.url));
  let acknowledged = 0;
  for (let round = 0; round < 8; round += 1) {
    const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    const stopAfter = 1 + round * 17;
    let lines = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      lines += chunk.toString().split("\n").length - 1;
      if (lines > stopAfter) child.kill("SIGKILL");
    });
    await once(child, "close");
    const whole = output.slice(0, output.lastIndexOf("\n")).split("\n");
    const [opened] = whole;
    assert.ok(Number(opened?.split(" ")[1]) >= acknowledged, `after ${acknowledged}: ${opened}`);
    acknowledged = Math.max(acknowledged, ...whole.slice(1).map(Number));
    const db = openDatabase(path);
    const journal = createJournal<{ last: number }, { n: number }>(db, {
      name: "kill",
      initial: { last: 0 },
      reduce: (_, entry) => ({ last: entry.n }),
    });
    assert.ok(journal.state().last >= acknowledged);
    assert.equal(db.prepare("SELECT max(n) AS n FROM effect").get()?.n, journal.state().last);
    assert.equal(db.prepare("SELECT count(*) AS n FROM effect").get()?.n, journal.state().last);
    db.close();
  }
  assert.ok(acknowledged > 100);
});
