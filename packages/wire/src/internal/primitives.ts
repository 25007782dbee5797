import { type Address, type Hex, isCid } from "@quorate/core";
import { getAddress } from "viem";
import { z } from "zod";

/** Any string on the wire that names an account; checksummed inside, lower case outside. */
export const address: z.ZodType<Address, string> = z.codec(
  z.string().regex(/^0x[0-9a-fA-F]{40}$/, "expected a 20-byte hex address"),
  z.custom<Address>((value) => typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value), "expected an address"),
  { decode: (text) => getAddress(text), encode: (value) => value.toLowerCase() },
);

function hexBytes(minBytes: number, maxBytes: number): z.ZodType<Hex, string> {
  const size = minBytes === maxBytes ? `{${minBytes}}` : `{${minBytes},${maxBytes}}`;
  const pattern = new RegExp(`^0x([0-9a-fA-F]{2})${size}$`);
  const message = `expected 0x and ${minBytes === maxBytes ? minBytes : `${minBytes} to ${maxBytes}`} bytes in hex`;
  return z.codec(
    z
      .string()
      .max(2 + 2 * maxBytes, message)
      .regex(pattern, message),
    z.custom<Hex>((value) => typeof value === "string" && pattern.test(value), message),
    { decode: (text) => text.toLowerCase() as Hex, encode: (value) => value.toLowerCase() },
  );
}

/** 32 bytes of hex, lower case on both sides. */
export const bytes32: z.ZodType<Hex, string> = hexBytes(32, 32);

/** r, s, v of an ECDSA signature. */
export const ecdsaSignature: z.ZodType<Hex, string> = hexBytes(65, 65);

/** Signature of an offer: ECDSA, or whatever an ERC-1271 account takes, up to 4 KiB. */
export const anySignature: z.ZodType<Hex, string> = hexBytes(65, 4096);

function decimal(bits: number): z.ZodType<bigint, string> {
  const max = (1n << BigInt(bits)) - 1n;
  return z.codec(
    z
      .string()
      .max(max.toString().length)
      .regex(/^(0|[1-9][0-9]*)$/, "expected a decimal number without sign or leading zeros"),
    z.bigint().nonnegative().max(max),
    { decode: (text) => BigInt(text), encode: (value) => value.toString() },
  );
}

/** Amount of a token in base units. */
export const uint96: z.ZodType<bigint, string> = decimal(96);

/** 32-byte number. */
export const uint256: z.ZodType<bigint, string> = decimal(256);

/**
 * Whole number of so many bits, at most 53.
 *
 * @param bits Width of the Solidity type.
 */
export function uint(bits: number): z.ZodType<number, number> {
  return z
    .int()
    .min(0)
    .max(2 ** bits - 1);
}

/** Unix s, as Solidity's uint40. */
export const unixTime: z.ZodType<number, number> = uint(40);

/**
 * One line of text for people: no control or bidirectional-override characters, which could fake what is around it.
 *
 * @param max Most UTF-16 units.
 */
export function line(max: number): z.ZodType<string, string> {
  return (
    z
      .string()
      .min(1)
      .max(max)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the purpose
      .regex(/^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*$/, "expected plain text")
      .refine((text) => text.isWellFormed(), "expected well-formed Unicode")
  );
}

/** Absolute http or https URL without credentials or fragment. */
export const httpUrl: z.ZodType<string, string> = z
  .string()
  .max(512)
  .refine((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) return false;
    return url.username === "" && url.password === "" && url.hash === "";
  }, "expected an http or https URL without credentials");

/** CIDv1 in base32 with SHA-256 and codec raw or dag-pb, in its one canonical spelling. */
export const cid: z.ZodType<string, string> = z
  .string()
  .max(64)
  .refine(isCid, "expected a CIDv1 (base32, raw or dag-pb, SHA-256)");

/**
 * Base64 of bytes, standard alphabet, padded.
 *
 * @param maxBytes Most bytes after decoding.
 */
export function base64(maxBytes: number): z.ZodType<string, string> {
  return z
    .string()
    .max(Math.ceil(maxBytes / 3) * 4)
    .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "expected padded base64");
}

/**
 * Where and why a value does not fit a schema, in one line.
 *
 * @param error Error of zod.
 */
export function describeIssues(error: z.core.$ZodError): string {
  const lines = error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.length === 0 ? "the value" : issue.path.map(String).join(".");
    return `${path.slice(0, 120)}: ${issue.message.slice(0, 160)}`;
  });
  const more = error.issues.length - lines.length;
  return lines.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
