import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, FatalError } from "@quorate/core";
import { getAddress } from "viem";
import { z } from "zod";

/** Folder of the key files. */
export function keyFolder(home: string): string {
  return join(home, "keys");
}

/** Path of a key file by its name. */
export function keyFile(home: string, name: string): string {
  return join(keyFolder(home), `${name}.json`);
}

/** Names of the key files of a state folder, sorted. */
export function keyNames(home: string): string[] {
  const folder = keyFolder(home);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
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
