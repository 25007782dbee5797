import { type Address, getAddress, type Hex, isHex } from "viem";
import { z } from "zod";

/**
 * Hex of so many bytes, of any number when absent.
 *
 * @param bytes Length.
 */
export function hexSchema(bytes?: number): z.ZodType<Hex, unknown> {
  return z.custom<Hex>(
    (value) => isHex(value, { strict: true }) && (bytes === undefined || value.length === 2 + 2 * bytes),
    bytes === undefined ? "expected hex" : `expected ${bytes} bytes of hex`,
  );
}

/** An account; checksummed inside, as written outside. */
export const addressSchema: z.ZodType<Address, string> = z.codec(
  z.string().regex(/^0x[0-9a-fA-F]{40}$/, "expected an address"),
  z.custom<Address>((value) => typeof value === "string"),
  { decode: (text) => getAddress(text), encode: (value) => value },
);

/** A number of up to 256 bits as decimal text. */
export const bigSchema: z.ZodType<bigint, string> = z.codec(
  z
    .string()
    .max(78)
    .regex(/^(0|[1-9][0-9]*)$/, "expected a decimal number"),
  z
    .bigint()
    .min(0n)
    .max(2n ** 256n - 1n),
  { decode: (text) => BigInt(text), encode: (value) => value.toString() },
);

/** A whole number that JSON keeps exactly. */
export const countSchema: z.ZodType<number, number> = z.int().min(0);

/** JSON whose shape the package of proofs knows. */
export const jsonObjectSchema: z.ZodType<Readonly<Record<string, unknown>>, unknown> = z.record(
  z.string(),
  z.unknown(),
);
