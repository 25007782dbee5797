import { FatalError } from "@quorate/core";
import { getAddress, isAddress } from "viem";
import { z } from "zod";
import { FIELD_MODULUS } from "../field.ts";

/** An address in any spelling that passes its checksum; with the checksum afterwards. */
export const address: z.ZodType<`0x${string}`> = z
  .string()
  .refine((text) => isAddress(text), "is no address")
  .transform((text) => getAddress(text));

/** 32 bytes as hex. */
export const hash32: z.ZodType<`0x${string}`> = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "is not 32 bytes of hex")
  .transform((text) => text.toLowerCase() as `0x${string}`);

/** A field element as decimal digits. */
export const fieldElement: z.ZodType<bigint> = decimalBelow(FIELD_MODULUS, "the field's modulus");

/** A coordinate of a curve point over BN254's base field, or any number of 256 bits, as decimal digits. */
export const word: z.ZodType<bigint> = decimalBelow(1n << 256n, "2^256");

/**
 * A non-negative integer as decimal digits.
 *
 * @param limit The number is below it.
 * @param name Of the limit.
 */
export function decimalBelow(limit: bigint, name: string): z.ZodType<bigint> {
  return z
    .string()
    .regex(/^(0|[1-9][0-9]{0,77})$/, "is no non-negative integer in decimal digits")
    .transform(BigInt)
    .refine((value) => value < limit, `is not below ${name}`);
}

/** Unix seconds of at most 40 bits. */
export const unixTime: z.ZodType<number> = z
  .int()
  .min(0)
  .max(2 ** 40 - 1);

/**
 * Parses a value from outside.
 *
 * @param schema What it must be.
 * @param value From anywhere; bigints are read as their decimal digits.
 * @param code Of the error.
 * @param what Begin of the message, as `The consent is malformed`.
 * @throws FatalError with the given code, naming the members that are wrong, never their values.
 */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, code: string, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => {
    return path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`;
  });
  throw new FatalError(code, `${what}: ${issues.slice(0, 5).join("; ")}.`, {
    cause: result.error,
    docsPath: "protocol/queries.md",
  });
}

/**
 * Turns bigints into decimal strings, all the way down.
 *
 * @param value Plain data.
 * @returns What `JSON.stringify` takes.
 */
export function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toJson(member)]));
}
