import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, FatalError } from "@quorate/core";
import { getAddress } from "viem";
import { z } from "zod";

/** What a key may be called. */
const KEY_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/**
 * Folder of the key files.
 *
 * @param home - State folder.
 */
export function keyFolder(home: string): string {
  return join(home, "keys");
}

/**
 * Path of a key file by its name.
 *
 * @param home - State folder.
 * @param name - Name of the key.
 */
export function keyFile(home: string, name: string): string {
  return join(keyFolder(home), `${name}.json`);
}

/**
 * Names of the key files of a state folder, sorted.
 *
 * @param home - State folder.
 */
export function keyNames(home: string): string[] {
  const folder = keyFolder(home);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => KEY_NAME.test(file.slice(0, -5)) && file.endsWith(".json"))
    .map((file) => file.slice(0, -5))
    .sort();
}

const openPart = z.object({ address: z.string().regex(/^(0x)?[0-9a-fA-F]{40}$/) });

/**
 * Address of a key file, read from its open part: no passphrase is needed.
 *
 * @param home - State folder.
 * @param name - Name of the key.
 * @throws FatalError `KEYSTORE_INVALID` when the file is no keystore v3 with an address.
 */
export function keyAddress(home: string, name: string): Address {
  const file = keyFile(home, name);
  try {
    const { address } = openPart.parse(JSON.parse(readFileSync(file, "utf8")));
    return getAddress(address.startsWith("0x") ? address : `0x${address}`);
  } catch (error) {
    throw new FatalError(
      "KEYSTORE_INVALID",
      `${file} is not a keystore v3 file that names its address. Restore it from a backup.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * The path of a key file that is to be made.
 *
 * @param home - State folder.
 * @param name - Name of the key.
 * @throws FatalError `USAGE_KEY_NAME`, `USAGE_KEY_EXISTS`: a key is never overwritten.
 */
export function newKeyFile(home: string, name: string): string {
  if (!KEY_NAME.test(name)) {
    throw new FatalError(
      "USAGE_KEY_NAME",
      `"${name}" cannot name a key. Use up to 32 small letters, digits and dashes.`,
    );
  }
  const file = keyFile(home, name);
  if (existsSync(file)) {
    throw new FatalError(
      "USAGE_KEY_EXISTS",
      `There is a key "${name}" already and it is not overwritten. Choose another name, or move ${file} away.`,
    );
  }
  return file;
}
