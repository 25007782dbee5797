import { readFileSync } from "node:fs";
import { FatalError, isQuorateError } from "@quorate/core";

/** As much JSON as a person's file may hold, bytes. */
const MAX_JSON_BYTES = 4 * 1_048_576;

/**
 * Reads a JSON file that a person named.
 *
 * @param path - Path; `-` is standard input.
 * @param what - What it holds, for the error.
 * @throws FatalError `USAGE_FILE`
 */
export function readJsonFile(path: string, what: string): unknown {
  try {
    const text = readFileSync(path === "-" ? 0 : path);
    if (text.length > MAX_JSON_BYTES) {
      throw new FatalError("USAGE_FILE", `${path} is too large for a ${what}. Check the path.`);
    }
    return JSON.parse(text.toString("utf8"));
  } catch (error) {
    if (isQuorateError(error)) throw error;
    throw new FatalError("USAGE_FILE", `${path} cannot be read as JSON, a ${what} is expected. Check path and text.`, {
      cause: error,
    });
  }
}
