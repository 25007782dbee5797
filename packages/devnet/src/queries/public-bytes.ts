import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bytesToHex, concatHex, hexToBytes, type PublicClient } from "viem";

/** Bytes that anybody may see, and where. */
export type PublicBytes = { readonly where: string; readonly bytes: Uint8Array };

/** What must be found nowhere. */
export type Canary = {
  /** What it is, for example `income of the first applicant`. */
  readonly name: string;
  /** Numbers are searched as words and decimals, text as it is. */
  readonly value: bigint | string;
};

/** A canary that was found. */
export type Leak = { readonly canary: string; readonly form: string; readonly where: string };

/**
 * Everything that transactions brought onto a chain: inputs and logs.
 *
 * @param client - A node.
 * @param fromBlock - First block.
 */
export async function chainBytes(client: PublicClient, fromBlock: number): Promise<readonly PublicBytes[]> {
  const last = await client.getBlockNumber({ cacheTime: 0 });
  const found: PublicBytes[] = [];
  for (let blockNumber = BigInt(fromBlock); blockNumber <= last; blockNumber++) {
    const { transactions } = await client.getBlock({ blockNumber, includeTransactions: true });
    for (const { hash, input } of transactions) {
      found.push({ where: `input of transaction ${hash}`, bytes: hexToBytes(input) });
      const { logs } = await client.getTransactionReceipt({ hash });
      for (const { topics, data } of logs) {
        found.push({ where: `log of transaction ${hash}`, bytes: hexToBytes(concatHex([...topics, data])) });
      }
    }
  }
  return found;
}

/**
 * Every byte of the files in a folder.
 *
 * @param folder - For example the data folder of a relay.
 */
export function folderBytes(folder: string): readonly PublicBytes[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { where: path, bytes: new Uint8Array(readFileSync(path)) };
    });
}

/**
 * The words of what is on chain: topics and 32-byte steps of inputs (after the selector) and log data.
 *
 * @param all - From {@link chainBytes}.
 */
export function wordsOf(all: readonly PublicBytes[]): ReadonlySet<bigint> {
  const words = new Set<bigint>();
  for (const { where, bytes } of all) {
    for (let at = where.startsWith("input") ? 4 : 0; at + 32 <= bytes.length; at += 32) {
      words.add(BigInt(bytesToHex(bytes.subarray(at, at + 32))));
    }
  }
  return words;
}

/**
 * Searches canaries: numbers as words of 32 bytes, at any offset, as decimals and as hex digits; text as UTF-8, hex and base64.
 *
 * @param all - Where to look.
 * @param canaries - What to look for.
 * @returns Every canary that was found in each place, once a form.
 */
export function findLeaks(all: readonly PublicBytes[], canaries: readonly Canary[]): readonly Leak[] {
  const leaks: Leak[] = [];
  const forms = canaries.flatMap(({ name, value }) => formsOf(value).map((form) => ({ canary: name, ...form })));
  for (const { where, bytes } of all) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const { canary, form, needle, isDigits } of forms) {
      if (occurs(buffer, needle, isDigits)) leaks.push({ canary, form, where });
    }
  }
  return leaks;
}

type Form = { readonly form: string; readonly needle: Buffer; readonly isDigits: boolean };

/** Least number of characters of a text that is searched: shorter ones occur by chance. */
const LEAST_CHARACTERS = 5;

function formsOf(value: bigint | string): readonly Form[] {
  if (typeof value === "string") {
    const utf8 = Buffer.from(value, "utf8");
    return [
      { form: "text", needle: utf8, isDigits: false },
      { form: "hex", needle: Buffer.from(utf8.toString("hex")), isDigits: false },
      // The last quantum depends on what follows.
      { form: "base64", needle: Buffer.from(utf8.toString("base64").slice(0, -4)), isDigits: false },
    ].filter(({ needle }) => needle.length >= LEAST_CHARACTERS);
  }
  const digits = value.toString(16).padStart(64, "0");
  const word = { form: "word", needle: Buffer.from(digits, "hex"), isDigits: false };
  const hexWord = { form: "hex word", needle: Buffer.from(digits), isDigits: false };
  const decimal = { form: "decimal", needle: Buffer.from(value.toString()), isDigits: true };
  return decimal.needle.length >= LEAST_CHARACTERS ? [word, hexWord, decimal] : [word, hexWord];
}

function occurs(buffer: Buffer, needle: Buffer, isDigits: boolean): boolean {
  for (let at = buffer.indexOf(needle); at >= 0; at = buffer.indexOf(needle, at + 1)) {
    // A number within a longer number is another number.
    if (!isDigits || !(isDigit(buffer[at - 1]) || isDigit(buffer[at + needle.length]))) return true;
  }
  return false;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
