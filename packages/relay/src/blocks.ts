import { randomBytes } from "node:crypto";
import { createReadStream, type ReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { verifyBlockAsync } from "@quorate/core";
import { relayError } from "@quorate/wire";
import type { RelayLimits } from "./config.ts";
import { usageReader } from "./messages.ts";

/** Blocks of a relay. */
export type BlockStore = {
  /**
   * Stores a block. Resolves once bytes and record are on disk. An upload of a block that is there makes it live longer.
   * @returns True when it was not there before
   * @throws QuorateError `BLOCK_MISMATCH`, `SOURCE_QUOTA_EXCEEDED`, `RELAY_FULL`
   */
  put(cid: string, bytes: Uint8Array, source: string, nowS: number): Promise<boolean>;
  /** Size of a block that is there and has not expired. */
  size(cid: string, nowS: number): number | undefined;
  /** Bytes of a block for which `size` answered. */
  read(cid: string): ReadStream;
  /** Removes what has expired, at most so many; returns how many were removed. */
  removeExpired(nowS: number, most: number): Promise<number>;
  /** Blocks and their bytes. */
  totals(): { items: number; bytes: number };
};

type Row = { cid: string; size: number; source: string; expires_at: number };

/**
 * Opens the blocks of a relay, after clearing what a kill left behind: files without a record (never acknowledged) and
 * records without a file.
 *
 * A block is written to a temporary file, flushed, renamed, its folder flushed, and only then recorded: what was
 * acknowledged is whole.
 *
 * @param db Database with the tables of `schema.ts`.
 * @param dir Folder of the blocks.
 * @param limits Quotas.
 */
export async function openBlocks(db: DatabaseSync, dir: string, limits: RelayLimits): Promise<BlockStore> {
  const temporary = join(dir, "tmp");
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  await sweep(db, dir);

  const select = db.prepare("SELECT cid, size, source, expires_at FROM blocks WHERE cid = ?");
  const insert = db.prepare("INSERT INTO blocks (cid, size, source, expires_at) VALUES (?, ?, ?, ?)");
  const prolong = db.prepare("UPDATE blocks SET expires_at = max(expires_at, ?) WHERE cid = ?");
  const remove = db.prepare("DELETE FROM blocks WHERE cid = ?");
  const expired = db.prepare("SELECT cid FROM blocks WHERE expires_at <= ? ORDER BY expires_at LIMIT ?");
  const usage = usageReader(db);
  const exclusively = createLocks();
  /** Bytes that are being written and not yet counted by the database. */
  const pending = { total: 0, bySource: new Map<string, number>() };

  function reserve(source: string, size: number): () => void {
    const share = Math.floor((limits.blockBytes * limits.sourceShare) / 100);
    const ofSource = pending.bySource.get(source) ?? 0;
    if (usage(`bi/${source}`).bytes + ofSource + size > share) {
      throw relayError(
        "SOURCE_QUOTA_EXCEEDED",
        `Your address fills its share of the relay's blocks (${share} bytes). Wait for blocks to expire, or use other relays.`,
      );
    }
    if (usage("b").bytes + pending.total + size > limits.blockBytes) {
      throw relayError("RELAY_FULL", "The relay has no room for further blocks. Use other relays.");
    }
    pending.total += size;
    pending.bySource.set(source, ofSource + size);
    return () => {
      pending.total -= size;
      const rest = (pending.bySource.get(source) ?? 0) - size;
      if (rest > 0) pending.bySource.set(source, rest);
      else pending.bySource.delete(source);
    };
  }

  async function isWhole(cid: string): Promise<boolean> {
    try {
      return await verifyBlockAsync(cid, await readFile(fileOf(dir, cid)));
    } catch {
      return false;
    }
  }

  return {
    put: async (cid, bytes, source, nowS) => {
      if (!(await verifyBlockAsync(cid, bytes))) {
        throw relayError("BLOCK_MISMATCH", `The bytes do not hash to ${cid}. Upload the block that the CID names.`);
      }
      return exclusively(cid, async () => {
        const expiresAt = nowS + limits.blockLifetimeS;
        if (select.get(cid) !== undefined) {
          // the disk may have spoiled it since: an upload heals it
          if (!(await isWhole(cid))) await writeDurably(temporary, fileOf(dir, cid), bytes);
          prolong.run(expiresAt, cid);
          return false;
        }
        const release = reserve(source, bytes.byteLength);
        try {
          await writeDurably(temporary, fileOf(dir, cid), bytes);
          insert.run(cid, bytes.byteLength, source, expiresAt);
        } finally {
          release();
        }
        return true;
      });
    },
    size: (cid, nowS) => {
      const row = select.get(cid) as Row | undefined;
      return row !== undefined && row.expires_at > nowS ? row.size : undefined;
    },
    read: (cid) => createReadStream(fileOf(dir, cid)),
    removeExpired: async (nowS, most) => {
      const rows = expired.all(nowS, most) as Pick<Row, "cid">[];
      let removed = 0;
      for (const { cid } of rows) {
        await exclusively(cid, async () => {
          const row = select.get(cid) as Row | undefined;
          if (row === undefined || row.expires_at > nowS) return;
          // the record goes first: a kill in between leaves a file without record, which the next start clears
          remove.run(cid);
          await rm(fileOf(dir, cid), { force: true });
          removed++;
        });
      }
      return removed;
    },
    totals: () => usage("b"),
  };
}

/** Two characters near the end of a CID spread blocks over 1,024 folders, as IPFS stores do. */
function fileOf(dir: string, cid: string): string {
  return join(dir, cid.slice(-3, -1), cid);
}

async function writeDurably(temporary: string, file: string, bytes: Uint8Array): Promise<void> {
  const draft = join(temporary, randomBytes(12).toString("hex"));
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const folder = join(file, "..");
    const made = await mkdir(folder, { recursive: true });
    await rename(draft, file);
    await syncFolder(folder);
    if (made !== undefined) await syncFolder(join(folder, ".."));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function sweep(db: DatabaseSync, dir: string): Promise<void> {
  const recorded = new Set((db.prepare("SELECT cid FROM blocks").all() as Pick<Row, "cid">[]).map(({ cid }) => cid));
  const found = new Set<string>();
  for (const folder of await readdir(dir, { withFileTypes: true })) {
    if (!folder.isDirectory() || !/^[a-z2-7]{2}$/.test(folder.name)) continue;
    for (const name of await readdir(join(dir, folder.name))) {
      if (recorded.has(name) && fileOf(dir, name) === join(dir, folder.name, name)) found.add(name);
      else await rm(join(dir, folder.name, name), { force: true });
    }
  }
  const remove = db.prepare("DELETE FROM blocks WHERE cid = ?");
  for (const cid of recorded) if (!found.has(cid)) remove.run(cid);
}

/** Runs tasks on the same CID one after the other. */
function createLocks(): <T>(cid: string, task: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return async (cid, task) => {
    const before = tails.get(cid) ?? Promise.resolve();
    const run = before.then(task, task);
    tails.set(cid, run);
    try {
      return await run;
    } finally {
      if (tails.get(cid) === run) tails.delete(cid);
    }
  };
}
