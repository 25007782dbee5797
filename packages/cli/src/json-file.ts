import { readFileSync } from "node:fs";
import { FatalError, isQuorateError } from "@quorate/core";

/** As much JSON as a person's file may hold, bytes. */
const MAX_JSON_BYTES = 4 * 1_048_576;

/**
 * Reads a text file that a person named.
 *
 * @param path - Path; `-` is standard input.
 * @param what - What it holds, for the error.
 * @throws FatalError `USAGE_FILE`
 */
export function readTextFile(path: string, what: string): string {
  try {
    const bytes = readFileSync(path === "-" ? 0 : path);
    if (bytes.length > MAX_JSON_BYTES) {
      throw new FatalError("USAGE_FILE", `${path} is too large for a ${what}. Check the path.`);
    }
    return bytes.toString("utf8");
  } catch (error) {
    if (isQuorateError(error)) throw error;
    throw new FatalError("USAGE_FILE", `${path} cannot be read, a ${what} is expected. Check path and permissions.`, {
      cause: error,
    });
  }
}

/**
 * Reads a JSON file that a person named.
 *
 * @param path - Path; `-` is standard input.
 * @param what - What it holds, for the error.
 * @throws FatalError `USAGE_FILE`
 */
export function readJsonFile(path: string, what: string): unknown {
  const text = readTextFile(path, what);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FatalError("USAGE_FILE", `${path} is not JSON, a ${what} is expected. Check path and text.`, {
      cause: error,
    });
  }
}
