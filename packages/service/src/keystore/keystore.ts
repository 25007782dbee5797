import { randomBytes } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FatalError } from "@quorate/core";
import { type Address, bytesToHex, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type KeyAccount, keyAccountFrom } from "./account.ts";
import { writeSecretFile } from "./files.ts";

/** Settings of {@link createKeystore}. */
export type CreateKeystoreOptions = {
  readonly passphrase: string;
  /** Key to keep; a fresh random one when absent. */
  readonly privateKey?: Hex;
  /** File name without directory; `<address>.json` by default. */
  readonly name?: string;
  /** Cost of scrypt; N = 131072 by default, lower only in tests. */
  readonly scrypt?: { readonly N: number };
};

/** Loaded where a key file is: it is large, and most of what imports this package never opens one. */
const loadEthers = (): Promise<typeof import("ethers")> => import("ethers");

/**
 * Creates an encrypted key file (Web3 Secret Storage, version 3), readable by its owner only.
 *
 * @param directory Made if need be.
 * @param options Passphrase and, to import, the key.
 * @throws `FILE_EXISTS`, `PASSPHRASE_EMPTY`.
 */
export async function createKeystore(
  directory: string,
  options: CreateKeystoreOptions,
): Promise<{ file: string; address: Address }> {
  if (options.passphrase === "")
    throw new FatalError("PASSPHRASE_EMPTY", "An empty passphrase protects nothing. Choose one.");
  const privateKey = options.privateKey ?? bytesToHex(randomBytes(32));
  const { address } = privateKeyToAccount(privateKey);
  const { encryptKeystoreJson } = await loadEthers();
  const content = await encryptKeystoreJson({ address, privateKey }, options.passphrase, {
    scrypt: { N: options.scrypt?.N ?? 131_072 },
  });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = resolve(join(directory, options.name ?? `${address.toLowerCase()}.json`));
  await writeSecretFile(file, `${content}\n`);
  return { file, address };
}

/**
 * Opens a key file.
 *
 * @param file Web3 Secret Storage file of any tool.
 * @param passphrase Its passphrase.
 * @throws `KEYSTORE_MISSING`, `KEYSTORE_OPEN_TO_OTHERS`, `KEYSTORE_INVALID`, `PASSPHRASE_WRONG`.
 */
export async function loadKeystore(file: string, passphrase: string): Promise<KeyAccount> {
  let content: string;
  try {
    const { mode } = await stat(file);
    if (process.platform !== "win32" && (mode & 0o077) !== 0)
      throw new FatalError(
        "KEYSTORE_OPEN_TO_OTHERS",
        `${file} can be read by other users (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${file}`,
        { details: { file } },
      );
    content = await readFile(file, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    throw new FatalError("KEYSTORE_MISSING", `There is no key file ${file}. Check the path, or create a key.`, {
      cause: error,
      details: { file },
    });
  }
  const { decryptKeystoreJson, isKeystoreJson } = await loadEthers();
  if (!isKeystoreJson(content)) throw invalid(file);
  let privateKey: string;
  try {
    ({ privateKey } = await decryptKeystoreJson(content, passphrase));
  } catch (error) {
    // Neither message nor cause goes on: ethers attaches the passphrase's argument value to its errors.
    if (/password/i.test((error as Error).message))
      throw new FatalError("PASSPHRASE_WRONG", `The passphrase does not open ${file}.`, { details: { file } });
    throw invalid(file);
  }
  return keyAccountFrom(privateKey as Hex);
}

function invalid(file: string): FatalError {
  return new FatalError(
    "KEYSTORE_INVALID",
    `${file} is no readable key file (Web3 Secret Storage, version 3). Restore it from a copy.`,
    { details: { file } },
  );
}
