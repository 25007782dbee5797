import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { FatalError } from "@quorate/core";
import { lockState } from "./open.ts";

/** What a backup holds; kept in it as `backup.json`. */
export type BackupManifest = {
  readonly version: 1;
  /** ISO time. */
  readonly createdAt: string;
  /** SHA-256 of each file, by path relative to the directory. */
  readonly files: Readonly<Record<string, string>>;
};

const manifestName = "backup.json";
/** Files that belong to a moment of a running process, not to the state. */
const transient = /\.(lock|db-wal|db-shm|db-journal|tmp)$|\.lock-journal$/;

async function filesOf(directory: string, prefix = ""): Promise<string[]> {
  const entries = await readdir(join(directory, prefix), { withFileTypes: true });
  const lists = await Promise.all(
    entries.map(async (entry) => {
      const path = join(prefix, entry.name);
      if (entry.isDirectory()) return await filesOf(directory, path);
      return entry.isFile() && !transient.test(entry.name) ? [path] : [];
    }),
  );
  return lists.flat().sort();
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Locks every database of a directory for the time of `work`. */
async function locked<R>(directory: string, work: () => Promise<R>): Promise<R> {
  const locks: DatabaseSync[] = [];
  try {
    for (const file of await filesOf(directory)) {
      if (file.endsWith(".db")) locks.push(lockState(join(directory, file)));
    }
    return await work();
  } finally {
    for (const lock of locks) lock.close();
  }
}

/**
 * Copies a state directory: databases through SQLite's backup, so that what is still in the write-ahead log comes along;
 * all else byte by byte, with its mode.
 *
 * @param directory State directory of a service that does not run.
 * @param target New directory; appears complete or not at all.
 * @throws `ALREADY_RUNNING` while a process uses a database in it; `FILE_EXISTS`; `STATE_MISSING`.
 */
export async function backupState(directory: string, target: string): Promise<BackupManifest> {
  await demandDirectory(directory);
  return await intoPlace(
    target,
    async (temporary) =>
      await locked(directory, async () => {
        const files: Record<string, string> = {};
        for (const file of await filesOf(directory)) {
          const to = join(temporary, file);
          await mkdir(dirname(to), { recursive: true, mode: 0o700 });
          if (file.endsWith(".db")) await copyDatabase(join(directory, file), to);
          else await copyFile(join(directory, file), to);
          await chmod(to, (await stat(join(directory, file))).mode & 0o700);
          await sync(to);
          files[file] = await sha256(to);
        }
        const manifest: BackupManifest = { version: 1, createdAt: new Date().toISOString(), files };
        await writeFile(join(temporary, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
        return manifest;
      }),
  );
}

async function copyDatabase(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from);
  try {
    await backup(source, to);
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(to);
  try {
    const { integrity_check: verdict } = copy.prepare("PRAGMA integrity_check").get() ?? {};
    if (verdict !== "ok")
      throw new FatalError("STATE_CORRUPT", `${from} is damaged (${String(verdict)}). Use an earlier backup.`, {
        details: { file: from },
      });
    // One file without a log beside it.
    copy.exec("PRAGMA journal_mode = DELETE");
  } finally {
    copy.close();
  }
}

/**
 * Brings a backup back. The outbox finds out from the chain what happened since; votes fixed since the backup are not in
 * it, so a service must not act on jobs that were open at the time of the backup before it has read the chain.
 *
 * @param source Directory that {@link backupState} made.
 * @param directory State directory; must not exist, or be empty.
 * @throws `BACKUP_INVALID` when a file is missing, damaged or unexpected; `FILE_EXISTS`; `STATE_MISSING`.
 */
export async function restoreState(source: string, directory: string): Promise<BackupManifest> {
  await demandDirectory(source);
  const manifest = await readManifest(source);
  const found = (await filesOf(source)).filter((file) => file !== manifestName);
  const unexpected = found.find((file) => manifest.files[file] === undefined);
  if (unexpected !== undefined) throw invalid(source, `${unexpected} is not part of it`);
  return await intoPlace(directory, async (temporary) => {
    for (const [file, hash] of Object.entries(manifest.files)) {
      if (!found.includes(file)) throw invalid(source, `${file} is missing`);
      const to = join(temporary, file);
      await mkdir(dirname(to), { recursive: true, mode: 0o700 });
      await copyFile(join(source, file), to);
      await chmod(to, (await stat(join(source, file))).mode & 0o700);
      await sync(to);
      if ((await sha256(to)) !== hash) throw invalid(source, `${file} is damaged`);
    }
    return manifest;
  });
}

async function readManifest(source: string): Promise<BackupManifest> {
  let manifest: BackupManifest;
  try {
    manifest = JSON.parse(await readFile(join(source, manifestName), "utf8")) as BackupManifest;
  } catch (error) {
    throw invalid(source, `${manifestName} cannot be read`, error);
  }
  if (manifest.version !== 1 || typeof manifest.files !== "object" || manifest.files === null)
    throw invalid(source, `${manifestName} is of another version`);
  return manifest;
}

/** Builds a directory beside its place and moves it there when complete. */
async function intoPlace<R>(target: string, build: (temporary: string) => Promise<R>): Promise<R> {
  const place = resolve(target);
  const existing = await readdir(place).catch((error: { code?: string }) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (existing.length > 0)
    throw new FatalError(
      "FILE_EXISTS",
      `${place} is not empty and is not replaced. Choose another place, or move it away.`,
      { details: { path: place } },
    );
  const temporary = join(dirname(place), `.${basename(place)}.${process.pid}.tmp`);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  try {
    const result = await build(temporary);
    await rename(temporary, place);
    if (process.platform !== "win32") await sync(dirname(place));
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function demandDirectory(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw new FatalError("STATE_MISSING", `There is no directory ${path}. Check the path.`, { details: { path } });
}

function invalid(source: string, what: string, cause?: unknown): FatalError {
  return new FatalError("BACKUP_INVALID", `${source} is no complete backup: ${what}. Use another one.`, {
    cause,
    details: { path: source },
  });
}
