import type { Hex } from "@quorate/core";
import { formatUnits, parseUnits } from "viem";

/** How a token's amounts are written. */
export type Unit = { readonly symbol: string; readonly decimals: number };

const wholes = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/**
 * An amount for people: thousands separated, no trailing zeros, the unit behind.
 *
 * @param amount - Base units.
 * @param unit - Token's symbol and decimals.
 */
export function formatAmount(amount: bigint, unit: Unit): string {
  return `${formatNumber(amount, unit.decimals)} ${unit.symbol}`;
}

/**
 * A number of base units in display units: thousands separated, no trailing zeros.
 *
 * @param amount - Base units.
 * @param decimals - Digits after the point.
 */
export function formatNumber(amount: bigint, decimals: number): string {
  const [whole = "0", fraction] = formatUnits(amount, decimals).split(".");
  const sign = whole.startsWith("-") ? "−" : "";
  const grouped = sign + wholes.format(BigInt(whole.replace("-", "")));
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/**
 * Reads an amount that a person typed.
 *
 * @param text - Decimal number, commas and spaces ignored.
 * @param decimals - Digits after the point that the token has.
 * @returns Base units; undefined when it is no such number or has more digits than the token.
 */
export function parseAmount(text: string, decimals: number): bigint | undefined {
  const plain = text.replace(/[,\s_]/g, "");
  if (!/^[0-9]+(\.[0-9]*)?$/.test(plain)) return undefined;
  if ((plain.split(".")[1] ?? "").length > decimals) return undefined;
  return parseUnits(plain, decimals);
}

/**
 * Short form of an address or hash: beginning and end.
 *
 * @param hex - 0x-prefixed.
 */
export function shortHex(hex: Hex): string {
  return hex.length <= 14 ? hex : `${hex.slice(0, 6)}…${hex.slice(-4)}`;
}

/**
 * A span of time in words of at most two units.
 *
 * @param seconds - Non-negative.
 */
export function formatDuration(seconds: number): string {
  const total = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  const units: readonly (readonly [string, number])[] = [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
    ["s", 1],
  ];
  let rest = total;
  for (const [name, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
    if (parts.length === 2 || (parts.length === 1 && rest === 0)) break;
  }
  return parts.length === 0 ? "0 s" : parts.join(" ");
}

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });

/**
 * A moment in the reader's time zone.
 *
 * @param time - Unix s.
 */
export function formatMoment(time: number): string {
  return moment.format(time * 1000);
}

/**
 * A day, in UTC as statements mean it.
 *
 * @param time - Unix s.
 */
export function formatDay(time: number): string {
  return day.format(time * 1000);
}

/**
 * A number of bytes for people, in units of 1,024.
 *
 * @param bytes - Count.
 */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  let value = bytes / 1024;
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[index]}`;
}

/**
 * A count with its noun.
 *
 * @param number - How many.
 * @param one - Singular.
 * @param many - Plural; the singular and an s unless told.
 */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${wholes.format(number)} ${number === 1 ? one : many}`;
}
