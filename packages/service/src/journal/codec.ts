import { FatalError } from "@quorate/core";

/** JSON has no bigint and no bytes: both are wrapped under this key, and a real key of this name is wrapped too. */
const tag = "$q";

function wrap(value: unknown): unknown {
  if (typeof value === "bigint") return { [tag]: "n", v: value.toString() };
  if (value instanceof Uint8Array) return { [tag]: "b", v: Buffer.from(value).toString("base64") };
  if (value instanceof Map) return { [tag]: "m", v: [...value].map(([key, item]) => [wrap(key), wrap(item)]) };
  if (value instanceof Set) return { [tag]: "s", v: [...value].map(wrap) };
  if (Array.isArray(value)) return value.map(wrap);
  if (typeof value === "number" && !Number.isFinite(value)) throw unstorable(String(value));
  if (typeof value === "function" || typeof value === "symbol") throw unstorable(typeof value);
  if (typeof value !== "object" || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw unstorable((value as object).constructor.name);
  const plain = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wrap(item)]));
  return tag in plain ? { [tag]: "o", v: Object.entries(plain) } : plain;
}

function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap);
  if (typeof value !== "object" || value === null) return value;
  const { [tag]: kind, v } = value as { [tag]?: unknown; v?: unknown };
  switch (kind) {
    case undefined:
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrap(item)]));
    case "n":
      return BigInt(v as string);
    case "b":
      return new Uint8Array(Buffer.from(v as string, "base64"));
    case "m":
      return new Map((v as [unknown, unknown][]).map(([key, item]) => [unwrap(key), unwrap(item)]));
    case "s":
      return new Set((v as unknown[]).map(unwrap));
    case "o":
      return Object.fromEntries((v as [string, unknown][]).map(([key, item]) => [key, unwrap(item)]));
    default:
      throw new FatalError(
        "STATE_CORRUPT",
        `Stored state has a value of unknown kind ${String(kind)}. Use the program that wrote it.`,
      );
  }
}

function unstorable(what: string): FatalError {
  return new FatalError(
    "STATE_UNSTORABLE",
    `A ${what} cannot be stored. Store plain data: objects, arrays, strings, finite numbers, bigint, bytes, Map, Set.`,
  );
}

/**
 * Writes plain data as text; unlike JSON also bigint, `Uint8Array`, `Map` and `Set`. `undefined` fields are left out.
 *
 * @param value Plain data, nested as deep as need be.
 * @returns JSON.
 * @throws `STATE_UNSTORABLE` for class instances, functions, NaN and infinities.
 */
export function encodeState(value: unknown): string {
  return JSON.stringify(wrap(value)) ?? "null";
}

/**
 * Reads what {@link encodeState} wrote.
 *
 * @param text JSON.
 * @returns The data, equal to what was written.
 * @throws `STATE_CORRUPT`.
 */
export function decodeState(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new FatalError("STATE_CORRUPT", "Stored state is not readable. Restore a backup.", { cause: error });
  }
  return unwrap(parsed);
}
