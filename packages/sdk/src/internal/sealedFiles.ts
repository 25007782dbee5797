import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { FatalError } from "@quorate/core";
import type { Hex } from "viem";
import { z } from "zod";

/** Settings of {@link sealedFiles}. */
export type SealedFilesOptions = {
  /** Folder of the store; created with mode 0700. One file a record, mode 0600. */
  readonly directory: string;
  /** Encrypts every record: AES-256-GCM under a scrypt key (N = 2^15, r = 8, p = 1). Without it files are plain JSON. */
  readonly passphrase?: string | undefined;
  /** What a record is about, for errors. */
  readonly what: "job" | "query" | "subject";
};

/** Texts of a folder by id, durable once `put` resolves. */
export type SealedFiles = {
  put(id: Hex, text: string): Promise<void>;
  get(id: Hex): Promise<string | undefined>;
  ids(): Promise<readonly Hex[]>;
  delete(id: Hex): Promise<void>;
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
 * Files of a folder, one a record. Every write goes to a temporary file that is synced and renamed, then the folder is synced:
 * after a crash the old record or the new one is there, never half of one.
 *
 * @param options Folder, passphrase, noun.
 * @returns The store; its methods throw KEY_STORE_DAMAGED, KEY_STORE_LOCKED (a record needs a passphrase), and
 * KEY_STORE_PASSPHRASE_WRONG.
 */
export function sealedFiles(options: SealedFilesOptions): SealedFiles {
  const { directory, passphrase, what } = options;
  const keys = new Map<string, Promise<Buffer>>();
  let lastSalt: string | undefined;

  const fileOf = (id: Hex): string => {
    const name = `${id.toLowerCase()}.json`;
    // The id becomes part of a path: nothing but 32 bytes of hex may.
    if (!FILE.test(name)) {
      throw what === "job"
        ? new FatalError("JOB_ID_INVALID", "A job id is 0x and 64 hex digits.")
        : new FatalError("QUERY_ID_INVALID", "The id of a query is 0x and 64 hex digits.");
    }
    return name;
  };

  const keyFor = (salt: string): Promise<Buffer> => {
    let key = keys.get(salt);
    if (key === undefined) {
      key = deriveKey(passphrase ?? "", Buffer.from(salt, "base64"));
      keys.set(salt, key);
    }
    // A key derivation costs a tenth of a second: what is written next shares it with what was read.
    lastSalt = salt;
    return key;
  };

  return {
    async put(id, text) {
      const name = fileOf(id);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      if (passphrase === undefined) {
        await writeDurably(directory, name, text);
        return;
      }
      const salt = lastSalt ?? randomBytes(16).toString("base64");
      await writeDurably(directory, name, sealText(text, id, salt, await keyFor(salt)));
    },
    async get(id) {
      let text: string;
      try {
        text = await readFile(join(directory, fileOf(id)), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
      return unseal(text, id, what, passphrase === undefined ? undefined : keyFor);
    },
    async ids() {
      let names: string[];
      try {
        names = await readdir(directory);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
      }
      return names.flatMap((name) => (FILE.exec(name)?.[1] as Hex | undefined) ?? []);
    },
    async delete(id) {
      await rm(join(directory, fileOf(id)), { force: true });
      await syncDirectory(directory).catch(() => undefined);
    },
  };
}

function deriveKey(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFKC"), salt, 32, SCRYPT, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function sealText(text: string, id: Hex, salt: string, key: Buffer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(id.toLowerCase()));
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
  id: Hex,
  what: string,
  keyFor: ((salt: string) => Promise<Buffer>) | undefined,
): Promise<string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new FatalError("KEY_STORE_DAMAGED", `The record of ${what} ${id} is not JSON. Restore it from a backup.`);
  }
  const sealed = sealedSchema.safeParse(json);
  if (!sealed.success) {
    if (keyFor === undefined) return text;
    throw new FatalError(
      "KEY_STORE_DAMAGED",
      `The record of ${what} ${id} is not encrypted, and this store has a passphrase: somebody else may have written it. Restore it from a backup.`,
    );
  }
  if (keyFor === undefined) {
    throw new FatalError(
      "KEY_STORE_LOCKED",
      `The record of ${what} ${id} is encrypted. Give the key store's passphrase.`,
    );
  }
  const { salt, nonce, tag, ciphertext } = sealed.data;
  try {
    const decipher = createDecipheriv("aes-256-gcm", await keyFor(salt), Buffer.from(nonce, "base64"), {
      authTagLength: 16,
    })
      .setAAD(Buffer.from(id.toLowerCase()))
      .setAuthTag(Buffer.from(tag, "base64"));
    return Buffer.concat([decipher.update(Buffer.from(ciphertext, "base64")), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new FatalError(
      "KEY_STORE_PASSPHRASE_WRONG",
      `The record of ${what} ${id} does not open with this passphrase, or it was changed. Check the passphrase, else restore a backup.`,
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
