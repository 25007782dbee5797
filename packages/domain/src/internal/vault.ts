import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { FatalError } from "@quorate/core";
import { decodeState, encodeState, type KeyAccount } from "@quorate/service";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** Encrypts what lies on the disk: AES-256-GCM, a fresh nonce each time, bound to what and where it is. */
export type Vault = {
  /**
   * Encrypts plain data.
   *
   * @param context What it is and whose, such as `record/12`: it opens nowhere else.
   * @param value Plain data, as the journal takes it.
   * @param key Key of its own, 32 bytes; that of the state when absent.
   */
  seal(context: string, value: unknown, key?: Uint8Array): Uint8Array;
  /**
   * Opens what {@link Vault.seal} made.
   *
   * @throws FatalError `STATE_CORRUPT` when it is damaged, or of another context or key.
   */
  open<T>(context: string, sealed: Uint8Array, key?: Uint8Array): T;
  /**
   * Name under which something is found again without showing it: a keyed hash.
   *
   * @param kind What it names.
   * @param text The secret name.
   */
  tag(kind: string, text: string): Uint8Array;
};

function sealBytes(key: KeyObject | Uint8Array, context: string, plaintext: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function openBytes(key: KeyObject | Uint8Array, context: string, sealed: Uint8Array): Uint8Array {
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(end));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
}

/**
 * Opens the vault of a database, or makes it. The key of the data is random and lies in the database, wrapped under a key
 * that follows from the account: who has the database alone reads nothing.
 *
 * @param db Database with a table `meta (name, value)`.
 * @param account The agent's key.
 * @throws FatalError `STATE_KEY_WRONG` when the database belongs to another account.
 */
export function openVault(db: DatabaseSync, account: Pick<KeyAccount, "deriveSecret" | "address">): Vault {
  const wrapping = account.deriveSecret("domain-data");
  const stored = db.prepare("SELECT value FROM meta WHERE name = 'data-key'").get()?.value as Uint8Array | undefined;
  const root = stored === undefined ? randomBytes(KEY_BYTES) : unwrap(wrapping, stored, account.address);
  if (stored === undefined)
    db.prepare("INSERT INTO meta (name, value) VALUES ('data-key', ?)").run(sealBytes(wrapping, "data-key", root));
  // Node makes a key of bytes anew at each use, which takes longer than to encrypt a record.
  const derive = (info: string): KeyObject => {
    const bytes = hkdfSync("sha256", root, new Uint8Array(0), `quorate/domain/${info}/v1`, KEY_BYTES);
    return createSecretKey(new Uint8Array(bytes));
  };
  const dataKey = derive("data");
  const tagKey = derive("tags");
  return {
    seal: (context, value, key: KeyObject | Uint8Array = dataKey) =>
      sealBytes(key, context, Buffer.from(encodeState(value))),
    open: <T>(context: string, sealed: Uint8Array, key: KeyObject | Uint8Array = dataKey): T => {
      let plaintext: Uint8Array;
      try {
        plaintext = openBytes(key, context, sealed);
      } catch (cause) {
        throw new FatalError(
          "STATE_CORRUPT",
          `What is stored as ${context} does not open: it is damaged or was moved. Restore a backup.`,
          { cause },
        );
      }
      return decodeState(Buffer.from(plaintext).toString("utf8")) as T;
    },
    tag: (kind, text) => createHmac("sha256", tagKey).update(`${kind}\0${text}`).digest(),
  };
}

function unwrap(wrapping: Uint8Array, stored: Uint8Array, address: string): Uint8Array {
  try {
    return openBytes(wrapping, "data-key", stored);
  } catch (cause) {
    throw new FatalError(
      "STATE_KEY_WRONG",
      `The data was not encrypted for ${address}. Use the keystore with which the state was made.`,
      { cause },
    );
  }
}
