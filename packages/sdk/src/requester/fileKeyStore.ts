import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { FatalError } from "@quorate/core";
import type { Hex } from "viem";
import { z } from "zod";
import { type RequesterKeyStore, sortRecords } from "./keyStore.ts";
import { decodeJobRecord, encodeJobRecord, type JobRecord } from "./record.ts";

/** Settings of {@link fileKeyStore}. */
export type FileKeyStoreOptions = {
  /** Folder of the store; created with mode 0700. One file a job, mode 0600. */
  readonly directory: string;
  /** Encrypts every record: AES-256-GCM under a scrypt key (N = 2^15, r = 8, p = 1). Without it files are plain JSON. */
  readonly passphrase?: string;
};

const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const;
const FILE = /^(0x[0-9a-f]{64})\.json$/;

const base64 = z.base64();
const sealedSchema = z.strictObject({
  version: z.literal(1),
  cipher: z.literal("aes-256-gcm"),
  kdf: z.literal("scrypt"),
  salt: base64,
  nonce: base64,
  tag: base64,
  ciphertext: base64,
});

/**
 * A key store of files. Every write goes to a temporary file that is synced and renamed, then the folder is synced: after a
 * crash the old record or the new one is there, never half of one.
 *
 * @param options Folder and passphrase.
 * @returns The store; its methods throw KEY_STORE_DAMAGED, KEY_STORE_LOCKED (a record needs a passphrase), and
 * KEY_STORE_PASSPHRASE_WRONG.
 */
export function fileKeyStore(options: FileKeyStoreOptions): RequesterKeyStore {
  const { directory, passphrase } = options;
  const keys = new Map<string, Promise<Buffer>>();
  let ownSalt: string | undefined;

  const keyFor = (salt: string): Promise<Buffer> => {
    let key = keys.get(salt);
    if (key === undefined) {
      key = deriveKey(passphrase ?? "", Buffer.from(salt, "base64"));
      keys.set(salt, key);
    }
    return key;
  };

  const read = async (jobId: Hex): Promise<JobRecord | undefined> => {
    let text: string;
    try {
      text = await readFile(join(directory, fileOf(jobId)), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    const record = decodeJobRecord(await unseal(text, jobId, passphrase === undefined ? undefined : keyFor));
    if (record.jobId !== jobId) {
      throw new FatalError(
        "KEY_STORE_DAMAGED",
        `The file of job ${jobId} holds another job's record. Restore it from a backup.`,
      );
    }
    return record;
  };

  return {
    async put(record) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      let text = encodeJobRecord(record);
      if (passphrase !== undefined) {
        // One salt a session: a key derivation per record would cost a tenth of a second each.
        ownSalt ??= randomBytes(16).toString("base64");
        text = sealText(text, record.jobId, ownSalt, await keyFor(ownSalt));
      }
      await writeDurably(directory, fileOf(record.jobId), text);
    },
    get: read,
    async list() {
      let names: string[];
      try {
        names = await readdir(directory);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
      }
      const records: JobRecord[] = [];
      for (const name of names) {
        const jobId = FILE.exec(name)?.[1] as Hex | undefined;
        const record = jobId === undefined ? undefined : await read(jobId);
        if (record !== undefined) records.push(record);
      }
      return sortRecords(records);
    },
    async delete(jobId) {
      await rm(join(directory, fileOf(jobId)), { force: true });
      await syncDirectory(directory).catch(() => undefined);
    },
  };
}

function fileOf(jobId: Hex): string {
  const name = `${jobId.toLowerCase()}.json`;
  // The job id becomes part of a path: nothing but 32 bytes of hex may.
  if (!FILE.test(name)) throw new FatalError("JOB_ID_INVALID", "A job id is 0x and 64 hex digits.");
  return name;
}

function deriveKey(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFKC"), salt, 32, SCRYPT, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function sealText(text: string, jobId: Hex, salt: string, key: Buffer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(jobId.toLowerCase()));
  const ciphertext = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return JSON.stringify({
    version: 1,
    cipher: "aes-256-gcm",
    kdf: "scrypt",
    salt,
    nonce: nonce.toString("base64"),
    tag: cipher.getAuthTag().toString("base64"),
    ciphertext: ciphertext.toString("base64"),
  });
}

async function unseal(
  text: string,
  jobId: Hex,
  keyFor: ((salt: string) => Promise<Buffer>) | undefined,
): Promise<string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new FatalError("KEY_STORE_DAMAGED", `The record of job ${jobId} is not JSON. Restore it from a backup.`);
  }
  const sealed = sealedSchema.safeParse(json);
  if (!sealed.success) {
    if (keyFor === undefined) return text;
    throw new FatalError(
      "KEY_STORE_DAMAGED",
      `The record of job ${jobId} is not encrypted, and this store has a passphrase: somebody else may have written it. Restore it from a backup.`,
    );
  }
  if (keyFor === undefined) {
    throw new FatalError(
      "KEY_STORE_LOCKED",
      `The record of job ${jobId} is encrypted. Give the key store's passphrase.`,
    );
  }
  const { salt, nonce, tag, ciphertext } = sealed.data;
  try {
    const decipher = createDecipheriv("aes-256-gcm", await keyFor(salt), Buffer.from(nonce, "base64"), {
      authTagLength: 16,
    })
      .setAAD(Buffer.from(jobId.toLowerCase()))
      .setAuthTag(Buffer.from(tag, "base64"));
    return Buffer.concat([decipher.update(Buffer.from(ciphertext, "base64")), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new FatalError(
      "KEY_STORE_PASSPHRASE_WRONG",
      `The record of job ${jobId} does not open with this passphrase, or it was changed. Check the passphrase, else restore a backup.`,
      { cause },
    );
  }
}

async function writeDurably(directory: string, name: string, text: string): Promise<void> {
  const temporary = join(directory, `.${name}.${randomBytes(6).toString("hex")}.tmp`);
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text, "utf8");
    await file.sync();
    await file.close();
    // A permissive umask cannot widen 0600, a strange file system can.
    await chmod(temporary, 0o600);
    await rename(temporary, join(directory, name));
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(directory);
}

async function syncDirectory(directory: string): Promise<void> {
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
