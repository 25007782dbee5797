import { type Address, FatalError } from "@quorate/core";
import { getAddress, isAddress } from "viem";

/** Nothing in the market lasts longer; keeps sums of times far from where numbers lose digits. */
const LONGEST_S = 10 * 365 * 86_400;

/** More than any engine or package takes. */
const LARGEST_BYTES = 2 ** 40;

/**
 * Seconds of a duration that a person wrote: `90s`, `15m`, `2h`, `1d`.
 *
 * @param text - Number and unit.
 * @param what - Shown in the error.
 * @throws FatalError `USAGE_DURATION`
 */
export function parseDuration(text: string, what: string): number {
  const match = /^(\d+)(s|m|h|d)$/.exec(text);
  if (match === null)
    throw new FatalError(
      "USAGE_DURATION",
      `${what} "${text}" is not a duration. Write a number with s, m, h or d, for example 30m.`,
    );
  const [, number = "0", unit = "s"] = match;
  const seconds = Number(number) * ({ s: 1, m: 60, h: 3_600, d: 86_400 }[unit] ?? 1);
  if (seconds > LONGEST_S)
    throw new FatalError("USAGE_DURATION", `${what} ${text} is longer than ten years. Shorten it.`);
  return seconds;
}

/**
 * Bytes of a size that a person wrote: `512k`, `64M`, `1G`.
 *
 * @param text - Number and unit; no unit means bytes.
 * @param what - Shown in the error.
 * @throws FatalError `USAGE_SIZE`
 */
export function parseSize(text: string, what: string): number {
  const match = /^(\d+)([kMG]?)$/.exec(text);
  if (match === null)
    throw new FatalError(
      "USAGE_SIZE",
      `${what} "${text}" is not a size. Write a number with k, M or G, for example 64M.`,
    );
  const [, number = "0", unit = ""] = match;
  const bytes = Number(number) * ({ "": 1, k: 1024, M: 1024 ** 2, G: 1024 ** 3 }[unit] ?? 1);
  if (bytes < 1 || bytes > LARGEST_BYTES) {
    throw new FatalError("USAGE_SIZE", `${what} ${text} is not between 1 byte and 1024G. Choose a size between.`);
  }
  return bytes;
}

/**
 * A whole number that a person wrote.
 *
 * @param text - Digits.
 * @param what - Shown in the error.
 * @param least - Smallest allowed.
 * @param most - Largest allowed.
 * @throws FatalError `USAGE_NUMBER`
 */
export function parseWhole(text: string, what: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new FatalError(
      "USAGE_NUMBER",
      `${what} "${text}" is not a whole number from ${least} to ${most}. Write digits only.`,
    );
  }
  return value;
}

/**
 * A share that a person wrote in percent.
 *
 * @param text - Digits with at most two decimals.
 * @param what - Shown in the error.
 * @param most - Largest allowed, percent.
 * @returns Ten thousandths.
 * @throws FatalError `USAGE_PERCENT`
 */
export function parsePercent(text: string, what: string, most: number): number {
  if (!/^\d{1,3}(\.\d{1,2})?$/.test(text) || Number(text) > most) {
    throw new FatalError(
      "USAGE_PERCENT",
      `${what} "${text}" is not a percentage from 0 to ${most} with at most two decimals. Write for example 12.5.`,
    );
  }
  return Math.round(Number(text) * 100);
}

/**
 * An address that a person wrote.
 *
 * @param text - `0x` and 40 hex digits; mixed case must have the right checksum.
 * @param what - Shown in the error.
 * @returns The address with checksum.
 * @throws FatalError `USAGE_ADDRESS`
 */
export function parseAddress(text: string, what: string): Address {
  if (!isAddress(text, { strict: false })) {
    throw new FatalError("USAGE_ADDRESS", `${what} "${text}" is not an address: 0x and 40 hex digits. Check it.`);
  }
  const isOneCase = /^0x[0-9a-f]*$/.test(text) || /^0x[0-9A-F]*$/.test(text);
  if (!isOneCase && !isAddress(text)) {
    throw new FatalError(
      "USAGE_ADDRESS",
      `${what} "${text}" has a wrong checksum: a digit is mistyped. Copy the address again.`,
    );
  }
  return getAddress(text);
}

/**
 * A time span in words.
 *
 * @param seconds - Length; negative counts as zero.
 */
export function formatDuration(seconds: number): string {
  const left = Math.max(0, Math.round(seconds));
  if (left < 120) return `${left} s`;
  if (left < 7_200) return `${Math.round(left / 60)} min`;
  return left < 172_800 ? `${Math.round(left / 3_600)} h` : `${Math.round(left / 86_400)} d`;
}
