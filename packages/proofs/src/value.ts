import { FatalError } from "@quorate/core";
import type { AttributeDefinition } from "./dataset.ts";

/** Values are below it. */
export const VALUE_LIMIT: bigint = 1n << 64n;
/** What is added to signed values, so that the circuit sees no sign. */
export const SIGN_SHIFT: bigint = 1n << 63n;

/** A decimal as an integer of units of `10^-scale`. */
export type Decimal = {
  readonly digits: bigint;
  /** Decimal places, 0 or more. */
  readonly scale: number;
};

/**
 * Reads a decimal such as `-12.50`: digits, at most one point, no exponent, no separators.
 *
 * @param text From anywhere.
 * @returns The number, without the zeros at its end; undefined if it is none.
 */
export function parseDecimal(text: string): Decimal | undefined {
  const match = text.length <= 80 ? /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?$/.exec(text) : null;
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  const kept = fraction.replace(/0+$/, "");
  const digits = BigInt(whole + kept);
  return { digits: sign === "-" ? -digits : digits, scale: kept.length };
}

/**
 * Number of a value in the circuits: times `10^scale`, plus `2^63` if the attribute is signed.
 *
 * @param decimal For example `52000.50`, or with its unit `52000.50 EUR`.
 * @param definition What it is.
 * @returns Below `2^64`.
 * @throws FatalError `VALUE_INVALID` when it is no plain decimal, has another unit, would lose digits or does not fit.
 */
export function encodeValue(decimal: string, definition: AttributeDefinition): bigint {
  const [number = "", ...rest] = decimal.split(" ");
  const unit = rest.join(" ");
  const refuse = (why: string): never => {
    throw new FatalError("VALUE_INVALID", `The value of ${quoted(definition)} ${why}.`, {
      docsPath: "protocol/queries.md#what-numbers-mean",
      details: { attribute: definition.name },
    });
  };
  if (rest.length > 0 && unit !== definition.unit) {
    return refuse(`is given in "${unit}", the attribute is in ${definition.unit === "" ? "no unit" : definition.unit}`);
  }
  const parsed = parseDecimal(number);
  if (parsed === undefined) return refuse("is no plain decimal: write digits and at most one point, as 52000.50");
  const { digits, scale } = parsed;
  if (scale > definition.scale) {
    return refuse(`has ${scale} decimal places and the attribute keeps ${definition.scale}: digits would be lost`);
  }
  const scaled = digits * 10n ** BigInt(definition.scale - scale);
  if (!definition.signed && scaled < 0n) return refuse("is negative, and the attribute has no negative values");
  const value = definition.signed ? scaled + SIGN_SHIFT : scaled;
  if (value < 0n || value >= VALUE_LIMIT) return refuse("does not fit into 64 bits");
  return value;
}

/**
 * The decimal of an encoded value, without zeros at its end.
 *
 * @param value From {@link encodeValue}, below `2^64`.
 * @param definition What it is.
 * @throws FatalError `VALUE_INVALID` when it is out of range.
 */
export function decodeValue(value: bigint, definition: AttributeDefinition): string {
  if (value < 0n || value >= VALUE_LIMIT) {
    throw new FatalError("VALUE_INVALID", `The value of ${quoted(definition)} does not fit into 64 bits.`);
  }
  return formatDecimal({ digits: definition.signed ? value - SIGN_SHIFT : value, scale: definition.scale });
}

/**
 * Writes a decimal without zeros at its end.
 *
 * @param decimal Number.
 * @param separator Between groups of three digits before the point; none unless given.
 */
export function formatDecimal({ digits, scale }: Decimal, separator = ""): string {
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, "0");
  const whole = text.slice(0, text.length - scale).replace(/\B(?=(\d{3})+$)/g, separator);
  const fraction = text.slice(text.length - scale).replace(/0+$/, "");
  return `${digits < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

function quoted({ name }: AttributeDefinition): string {
  return `"${name}"`;
}
