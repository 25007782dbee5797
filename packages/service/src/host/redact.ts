import { QuorateError } from "@quorate/core";

/** Names of fields whose values never reach a log; compared without case, `-` and `_`. */
const secretNames =
  /^(.*(privatekey|secret|passphrase|password|mnemonic|apikey|credential|keywrap|salts?|packagekey|contentkey|resultkey|leafkey|seed|seedphrase)|authorization|cookie|pass|pwd|raw|rawtransaction|plaintext|opening|preimage)$/;
const hidden = "[redacted]";
const deepest = 8;

/**
 * The host of a URL: enough to know an endpoint, without the path and query in which providers put API keys.
 *
 * @param url Any string; what is no URL is returned as it is.
 */
export function endpointName(url: string): string {
  try {
    return new URL(url).host || url;
  } catch {
    return url;
  }
}

function withoutUrls(text: string): string {
  return text.replace(/\b(https?|wss?):\/\/[^\s"'<>]+/gi, (url, scheme: string) => {
    try {
      const parsed = new URL(url);
      const bare = parsed.pathname === "/" && parsed.search === "" && parsed.username === "";
      return bare ? url : `${scheme}://${parsed.host}/…`;
    } catch {
      return hidden;
    }
  });
}

/**
 * Makes a value fit for a log: secrets by field name replaced, credentials in URLs cut, bigint as decimal text, bytes as
 * their length, errors with code and causes, no cycles.
 *
 * @param value Anything.
 */
export function redact(value: unknown): unknown {
  return clean(value, 0, new Set());
}

function clean(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value === "string") return withoutUrls(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "function" || typeof value === "symbol") return `[${typeof value}]`;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (value instanceof Date) return value.toISOString();
  if (above.has(value) || depth >= deepest) return "[…]";
  above.add(value);
  try {
    if (value instanceof Error) return cleanError(value, depth, above);
    if (value instanceof Map)
      return clean(Object.fromEntries([...value].map(([key, item]) => [String(key), item])), depth, above);
    if (value instanceof Set) return clean([...value], depth, above);
    if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1, above));
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name,
        secretNames.test(name.toLowerCase().replace(/[-_]/g, "")) && item !== undefined
          ? hidden
          : clean(item, depth + 1, above),
      ]),
    );
  } finally {
    above.delete(value);
  }
}

function cleanError(error: Error, depth: number, above: Set<object>): unknown {
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    // viem appends request bodies to its messages, raw transactions among them; the first line says what happened.
    message: withoutUrls(error instanceof QuorateError ? error.message : (error.message.split("\n")[0] ?? "")),
    ...(error instanceof QuorateError && error.details !== undefined
      ? { details: clean(error.details, depth + 1, above) }
      : {}),
    ...(error.cause === undefined ? {} : { cause: clean(error.cause, depth + 1, above) }),
  };
}
