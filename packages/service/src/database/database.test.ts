import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isQuorateError } from "@quorate/core";
import { createJournal } from "../journal/journal.ts";
import { backupState, restoreState } from "./backup.ts";
import { openDatabase } from "./open.ts";

const root = mkdtempSync(join(tmpdir(), "quorate-database-"));
after(() => rmSync(root, { recursive: true, force: true }));
let places = 0;
const fresh = (): string => join(root, String(places++));
const hasCode = (code: string) => (error: unknown) => isQuorateError(error, code);

async function openElsewhere(path: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../testing/lock-child.ts", import.meta.url)), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, said: said.toString().trim() };
}

test("a state database is durable: WAL and full synchronization", () => {
  const db = openDatabase(join(fresh(), "deep", "state.db"));
  assert.equal(db.prepare("PRAGMA journal_mode").get()?.journal_mode, "wal");
  assert.equal(db.prepare("PRAGMA synchronous").get()?.synchronous, 2);
  db.close();
  db.close();
});

test("one process at a time; death in whatever way frees the lock; readers may look", async () => {
  const path = join(fresh(), "state.db");
  const db = openDatabase(path, { migrations: ["CREATE TABLE t (v INTEGER)"] });
  db.exec("INSERT INTO t VALUES (1)");
  assert.throws(() => openDatabase(path), hasCode("ALREADY_RUNNING"));
  assert.equal((await openElsewhere(path)).said, "ALREADY_RUNNING");
  const reader = openDatabase(path, { readOnly: true });
  assert.equal(reader.prepare("SELECT v FROM t").get()?.v, 1);
  assert.throws(() => reader.exec("INSERT INTO t VALUES (2)"), /readonly/);
  reader.close();
  assert.throws(() => openDatabase(path), hasCode("ALREADY_RUNNING"));
  db.close();
  const other = await openElsewhere(path);
  assert.equal(other.said, "opened");
  assert.throws(() => openDatabase(path), hasCode("ALREADY_RUNNING"));
  other.child.kill("SIGKILL");
  await once(other.child, "exit");
  openDatabase(path, { migrations: ["CREATE TABLE t (v INTEGER)"] }).close();
});

test("migrations run once each, all or nothing, and a newer schema is refused", () => {
  const path = join(fresh(), "state.db");
  openDatabase(path, { migrations: ["CREATE TABLE a (v)"] }).close();
  assert.throws(
    () => openDatabase(path, { migrations: ["CREATE TABLE a (v)", "CREATE TABLE b (v); CREATE TABLE a (v)"] }),
    /already exists/,
  );
  const db = openDatabase(path, { migrations: ["CREATE TABLE a (v)", "CREATE TABLE b (v)"] });
  assert.equal(db.prepare("PRAGMA user_version").get()?.user_version, 2);
  db.close();
  assert.throws(() => openDatabase(path, { migrations: ["CREATE TABLE a (v)"] }), hasCode("STATE_NEWER"));
});

test("a damaged file is named, and its lock is free again", () => {
  const path = join(fresh(), "state.db");
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "this is no database, however long the text of it may be ".repeat(40));
  assert.throws(() => openDatabase(path), hasCode("STATE_CORRUPT"));
  assert.throws(() => openDatabase(path), hasCode("STATE_CORRUPT"));
});

test("a backup brings back databases and files, and is refused while a process runs", async () => {
  const state = fresh();
  const db = openDatabase(join(state, "state.db"));
  const numbers = (handle: typeof db) =>
    createJournal<number[], number>(handle, { name: "n", initial: [], reduce: (list, n) => [...list, n] });
  numbers(db).append(1, 2, 3);
  mkdirSync(join(state, "keys"));
  writeFileSync(join(state, "keys", "a.json"), "{}", { mode: 0o600 });
  const target = fresh();
  await assert.rejects(backupState(state, target), hasCode("ALREADY_RUNNING"));
  db.close();
  const manifest = await backupState(state, target);
  assert.deepEqual(Object.keys(manifest.files), ["keys/a.json", "state.db"]);
  await assert.rejects(backupState(state, target), hasCode("FILE_EXISTS"));
  const restored = fresh();
  await restoreState(target, restored);
  const again = openDatabase(join(restored, "state.db"));
  assert.deepEqual(numbers(again).state(), [1, 2, 3]);
  again.close();
  assert.equal(statSync(join(restored, "keys", "a.json")).mode & 0o777, 0o600);
  await assert.rejects(restoreState(target, restored), hasCode("FILE_EXISTS"));
});

test("an incomplete, damaged or extended backup is refused and leaves nothing behind", async () => {
  const state = fresh();
  openDatabase(join(state, "state.db")).close();
  writeFileSync(join(state, "note.txt"), "x");
  const target = fresh();
  await backupState(state, target);
  const restored = fresh();
  const note = join(target, "note.txt");
  for (const spoil of [
    () => writeFileSync(note, "y"),
    () => rmSync(note),
    () => writeFileSync(join(target, "extra"), "z"),
    () => rmSync(join(target, "backup.json")),
  ]) {
    spoil();
    await assert.rejects(restoreState(target, restored), hasCode("BACKUP_INVALID"));
    assert.throws(() => readFileSync(restored), { code: "ENOENT" });
    writeFileSync(note, "x");
    rmSync(join(target, "extra"), { force: true });
  }
  await assert.rejects(backupState(join(root, "nowhere"), fresh()), hasCode("STATE_MISSING"));
  chmodSync(target, 0o700);
});
