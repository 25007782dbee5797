import { FatalError } from "@quorate/core";

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
  return Number(number) * ({ s: 1, m: 60, h: 3_600, d: 86_400 }[unit] ?? 1);
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
  return Number(number) * ({ "": 1, k: 1024, M: 1024 ** 2, G: 1024 ** 3 }[unit] ?? 1);
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
    throw new FatalError("USAGE_NUMBER", `${what} "${text}" is not a whole number from ${least} to ${most}.`);
  }
  return value;
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
