import { FatalError } from "./errors.ts";

/** Deepest nesting that is serialized. */
const MAX_DEPTH = 64;

/**
 * Serializes a value so that equal values give equal bytes: members sorted by UTF-16 code units, no white space, numbers
 * and strings as ECMAScript writes them. Members that are `undefined` are left out, as `JSON.stringify` does.
 *
 * @param value Null, boolean, finite number, well-formed string, array or plain object of these.
 * @throws FatalError `NOT_CANONICAL_JSON` for anything else.
 * @see RFC 8785
 */
export function canonicalJson(value: unknown): string {
  return serialize(value, 0);
}

function serialize(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) return refuse(`is nested deeper than ${MAX_DEPTH}`);
  if (value === null || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number")
    return Number.isFinite(value) ? JSON.stringify(value) : refuse("holds no finite number");
  if (typeof value === "string") return value.isWellFormed() ? JSON.stringify(value) : refuse("holds a lone surrogate");
  if (Array.isArray(value)) return `[${value.map((item) => serialize(item, depth + 1)).join(",")}]`;
  if (typeof value !== "object" || !isPlain(value)) return refuse(`holds a ${typeof value}`);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${serialize(name, depth)}:${serialize(member, depth + 1)}`);
  return `{${members.join(",")}}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refuse(why: string): never {
  throw new FatalError("NOT_CANONICAL_JSON", `The value ${why}. Give plain JSON values; write bigints as strings.`);
}
