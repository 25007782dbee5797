import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { FatalError } from "@quorate/core";
import { parseTrustPolicy, type TrustPolicy } from "@quorate/sdk";
import { withCode } from "./exit-codes.ts";

/** Where the trust policy of a state folder is. */
export function trustFile(home: string): string {
  return join(home, "trust.json");
}

/**
 * Reads the trust policy; an absent file is the default, which trusts nobody who is not named.
 *
 * @param home - State folder.
 * @throws FatalError `TRUST_POLICY_INVALID` naming the fields that are wrong.
 */
export function readTrust(home: string): TrustPolicy {
  const file = trustFile(home);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return parseTrustPolicy({ version: 1 });
    throw withCode(error, file);
  }
  try {
    return parseTrustPolicy(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new FatalError("TRUST_POLICY_INVALID", `${file} is not JSON. Repair it, or move it away to begin anew.`, {
        cause: error,
      });
    }
    throw error;
  }
}

/**
 * Writes the trust policy, whole or not at all.
 *
 * @param home - State folder.
 * @param policy - What is written.
 */
export function writeTrust(home: string, policy: TrustPolicy): void {
  const file = trustFile(home);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  const text = JSON.stringify(
    policy,
    (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value),
    2,
  );
  writeFileSync(temporary, `${text}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}
