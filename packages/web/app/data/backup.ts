import { FatalError } from "@quorate/core";
import { decodeJobRecord } from "@quorate/sdk";
import { decodeQueryRecord, decodeSubjectState } from "@quorate/sdk/queries";
import { type Database, notify, openDatabase, unavailable } from "./db.ts";

/** Stores whose loss costs something. */
export const backedUp = ["jobs", "queries", "subjects"] as const;

/** One of {@link backedUp}. */
export type BackedUp = (typeof backedUp)[number];

/** Records of this browser by store and key, as text of the SDK. */
export type Records = Readonly<Record<BackedUp, Readonly<Record<string, string>>>>;

const FORMAT = "quorate-backup";
const VERSION = 1;
/** As OWASP advises for PBKDF2 with SHA-256. */
const ITERATIONS = 600_000;
const MOST_ITERATIONS = 10_000_000;
/** Shorter passphrases are guessed. */
export const LEAST_PASSPHRASE = 10;

const decoders: Readonly<Record<BackedUp, (text: string) => unknown>> = {
  jobs: decodeJobRecord,
  queries: decodeQueryRecord,
  subjects: decodeSubjectState,
};

/** Reads everything that a backup holds. */
export async function readRecords(): Promise<Records> {
  const database = await openDatabase();
  const read = async (store: BackedUp): Promise<Record<string, string>> => {
    const transaction = database.transaction(store);
    const [keys, values] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
    return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? ""]));
  };
  return { jobs: await read("jobs"), queries: await read("queries"), subjects: await read("subjects") };
}

/** Ids of entries that cannot be read, by store. */
export function damagedRecords(records: Records): Readonly<Record<BackedUp, readonly string[]>> {
  const damaged = (store: BackedUp): string[] =>
    Object.entries(records[store]).flatMap(([key, text]) => (isReadable(store, text) ? [] : [key]));
  return { jobs: damaged("jobs"), queries: damaged("queries"), subjects: damaged("subjects") };
}

function isReadable(store: BackedUp, text: string): boolean {
  try {
    decoders[store](text);
    return true;
  } catch {
    return false;
  }
}

async function keyOf(passphrase: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(passphrase.normalize("NFKC"));
  const material = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveKey"]);
  const derivation = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return await crypto.subtle.deriveKey(derivation, material, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}

/**
 * Encrypts records into the text of a file: PBKDF2 with SHA-256, then AES-GCM with 256 bits; the header is authenticated.
 *
 * @param records - What to keep.
 * @param passphrase - At least {@link LEAST_PASSPHRASE} characters.
 * @throws FatalError `PASSPHRASE_TOO_SHORT`.
 */
export async function exportBackup(records: Records, passphrase: string): Promise<string> {
  if (passphrase.length < LEAST_PASSPHRASE) {
    throw new FatalError(
      "PASSPHRASE_TOO_SHORT",
      `A passphrase of ${passphrase.length} characters is guessed too soon. Take ${LEAST_PASSPHRASE} or more; several words are best.`,
    );
  }
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const header = {
    format: FORMAT,
    version: VERSION,
    kdf: "PBKDF2-SHA-256",
    iterations: ITERATIONS,
    cipher: "AES-256-GCM",
  };
  const key = await keyOf(passphrase, salt, ITERATIONS);
  const plain = new TextEncoder().encode(JSON.stringify(records));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: aad(header) }, key, plain);
  return `${JSON.stringify({ ...header, salt: toBase64(salt), iv: toBase64(iv), data: toBase64(new Uint8Array(sealed)) })}\n`;
}

/**
 * Opens what {@link exportBackup} wrote.
 *
 * @param text - Of the file.
 * @param passphrase - The one that it was encrypted with.
 * @throws FatalError `BACKUP_UNREADABLE` for other files and versions, `BACKUP_PASSPHRASE_WRONG`.
 */
export async function openBackup(text: string, passphrase: string): Promise<Records> {
  const { salt, iv, data, ...header } = readFile(text);
  const key = await keyOf(passphrase, salt, header.iterations);
  let plain: ArrayBuffer;
  try {
    plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: aad(header) }, key, data);
  } catch (cause) {
    throw new FatalError(
      "BACKUP_PASSPHRASE_WRONG",
      "The backup does not open: the passphrase is another one, or the file was changed. Type it again, mind capital letters and spaces.",
      { cause },
    );
  }
  const records = JSON.parse(new TextDecoder().decode(plain)) as Partial<Records>;
  return { jobs: records.jobs ?? {}, queries: records.queries ?? {}, subjects: records.subjects ?? {} };
}

type Header = {
  readonly format: string;
  readonly version: number;
  readonly kdf: string;
  readonly iterations: number;
  readonly cipher: string;
};
type Sealed = Header & Readonly<Record<"salt" | "iv" | "data", Uint8Array<ArrayBuffer>>>;

function aad({ format, version, kdf, iterations, cipher }: Header): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode([format, version, kdf, iterations, cipher].join("/"));
}

function readFile(text: string): Sealed {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw unreadable("it is no file of this app", cause);
  }
  if (json === null || typeof json !== "object" || json.format !== FORMAT)
    throw unreadable("it is no file of this app");
  if (json.version !== VERSION || json.kdf !== "PBKDF2-SHA-256" || json.cipher !== "AES-256-GCM")
    throw unreadable(`its version ${String(json.version)} belongs to another version of the app`);
  const { iterations } = json;
  if (
    typeof iterations !== "number" ||
    !Number.isSafeInteger(iterations) ||
    iterations < 1 ||
    iterations > MOST_ITERATIONS
  )
    throw unreadable("its settings make no sense");
  try {
    return {
      format: FORMAT,
      version: VERSION,
      kdf: json.kdf,
      cipher: json.cipher,
      iterations,
      salt: fromBase64(json.salt as string),
      iv: fromBase64(json.iv as string),
      data: fromBase64(json.data as string),
    };
  } catch (cause) {
    throw unreadable("a part of it is missing", cause);
  }
}

function unreadable(why: string, cause?: unknown): FatalError {
  return new FatalError(
    "BACKUP_UNREADABLE",
    `The backup cannot be read: ${why}. Choose the file that this app exported.`,
    {
      cause,
    },
  );
}

/** What a backup would change here. */
export type ImportPlan = {
  readonly add: readonly ImportEntry[];
  /** The same is here already. */
  readonly same: readonly ImportEntry[];
  /** Here is another state of the same record; nothing is replaced unless somebody chooses it. */
  readonly differs: readonly ImportEntry[];
  /** Cannot be read, and is left out. */
  readonly damaged: readonly ImportEntry[];
};

/** One record of a backup. */
export type ImportEntry = { readonly store: BackedUp; readonly key: string; readonly text: string };

/**
 * Compares a backup with what is here.
 *
 * @param backup - Opened.
 * @param here - Of this browser.
 */
export function planImport(backup: Records, here: Records): ImportPlan {
  const plan = {
    add: [] as ImportEntry[],
    same: [] as ImportEntry[],
    differs: [] as ImportEntry[],
    damaged: [] as ImportEntry[],
  };
  for (const store of backedUp) {
    for (const [key, text] of Object.entries(backup[store])) {
      const entry = { store, key, text };
      const present = here[store][key];
      if (typeof text !== "string" || !isReadable(store, text)) plan.damaged.push(entry);
      else if (present === undefined) plan.add.push(entry);
      else if (present === text) plan.same.push(entry);
      else plan.differs.push(entry);
    }
  }
  return plan;
}

/**
 * Writes records of a backup, all or none, durable when the promise resolves.
 *
 * @param entries - Those that were chosen.
 * @throws FatalError `STORAGE_UNAVAILABLE`.
 */
export async function importRecords(entries: readonly ImportEntry[]): Promise<void> {
  const database: Database = await openDatabase();
  try {
    const transaction = database.transaction([...backedUp], "readwrite", { durability: "strict" });
    await Promise.all(entries.map(({ store, key, text }) => transaction.objectStore(store).put(text, key)));
    await transaction.done;
  } catch (cause) {
    throw unavailable(cause);
  }
  for (const { store, key } of entries) notify(store, key);
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
