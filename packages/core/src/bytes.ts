import { bytesToHex, type Hex, hexToBytes } from "viem";
import { FatalError } from "./errors.ts";

/** Length of every key, hash and salt. */
export const KEY_BYTES = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * UTF-8 bytes of a text.
 *
 * @param text Well-formed text; lone surrogates become U+FFFD.
 */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * Text of UTF-8 bytes.
 *
 * @param bytes Bytes from anywhere.
 * @throws TypeError when they are no UTF-8.
 */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/**
 * Joins byte strings.
 *
 * @param parts In order.
 */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Compares byte strings that are no secret.
 *
 * @param a One.
 * @param b Other.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * An unsigned integer as big-endian bytes.
 *
 * @param value At least 0 and within `length` bytes.
 * @param length Number of bytes.
 */
export function bigEndian(value: number | bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = BigInt(value);
  for (let index = length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  if (rest !== 0n) throw new RangeError(`${value} does not fit ${length} bytes`);
  return bytes;
}

/**
 * Checks that a key, hash or salt has 32 bytes.
 *
 * @param value Bytes or hex.
 * @param name What it is, for the message; the value itself is never shown.
 * @throws FatalError `INVALID_KEY`.
 */
export function key32(value: Uint8Array | Hex, name: string): Uint8Array {
  const bytes = typeof value === "string" ? (/^0x[0-9a-f]{64}$/i.test(value) ? hexToBytes(value) : undefined) : value;
  if (bytes === undefined || bytes.length !== KEY_BYTES) {
    throw new FatalError("INVALID_KEY", `${name} is not ${KEY_BYTES} bytes. Check where it was read from.`);
  }
  return bytes;
}

/**
 * Bytes as lower-case hex with `0x` in front.
 *
 * @param bytes Any bytes.
 */
export function hex(bytes: Uint8Array): Hex {
  return bytesToHex(bytes);
}
