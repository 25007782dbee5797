import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { isQuorateError } from "@quorate/core";
import { Wallet } from "ethers";
import { type Hex, verifyTypedData } from "viem";
import { keyAccountFrom } from "./account.ts";
import { createKeystore, loadKeystore } from "./keystore.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-keys-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const key: Hex = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
const scrypt = { N: 1024 };
const hasCode = (code: string) => (error: unknown) => isQuorateError(error, code);

test("a key file is version 3, for its owner only, opens with the passphrase and in other tools", async () => {
  const { file, address } = await createKeystore(directory, { passphrase: "correct horse", privateKey: key, scrypt });
  assert.equal(address, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((JSON.parse(readFileSync(file, "utf8")) as { version: number }).version, 3);
  assert.equal((await Wallet.fromEncryptedJson(readFileSync(file, "utf8"), "correct horse")).privateKey, key);
  const account = await loadKeystore(file, "correct horse");
  assert.equal(account.address, address);
  const typed = {
    domain: { name: "Quorate" },
    types: { T: [{ name: "v", type: "uint8" }] },
    primaryType: "T",
    message: { v: 1 },
  } as const;
  assert.equal(await verifyTypedData({ ...typed, address, signature: await account.signTypedData(typed) }), true);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith(".tmp")),
    [],
  );
});

test("a key file is never replaced", async () => {
  const { file } = await createKeystore(directory, { passphrase: "a", name: "once.json", scrypt });
  const before = readFileSync(file, "utf8");
  await assert.rejects(
    createKeystore(directory, { passphrase: "b", name: "once.json", scrypt }),
    hasCode("FILE_EXISTS"),
  );
  assert.equal(readFileSync(file, "utf8"), before);
});

test("what cannot be opened has a name, and no error shows the passphrase", async () => {
  const { file } = await createKeystore(directory, { passphrase: "open sesame", name: "bad.json", scrypt });
  const wrong = await loadKeystore(file, "swordfish").catch((error: unknown) => error);
  assert.ok(isQuorateError(wrong, "PASSPHRASE_WRONG"));
  assert.doesNotMatch(inspect(wrong, { depth: 10 }), /swordfish/);
  chmodSync(file, 0o644);
  await assert.rejects(loadKeystore(file, "open sesame"), hasCode("KEYSTORE_OPEN_TO_OTHERS"));
  await assert.rejects(loadKeystore(join(directory, "none.json"), "x"), hasCode("KEYSTORE_MISSING"));
  const broken = join(directory, "broken.json");
  writeFileSync(broken, '{"version":3}', { mode: 0o600 });
  await assert.rejects(loadKeystore(broken, "x"), hasCode("KEYSTORE_INVALID"));
  await assert.rejects(createKeystore(directory, { passphrase: "" }), hasCode("PASSPHRASE_EMPTY"));
});

test("derived secrets are stable, differ by purpose and key, and the account shows no private key", () => {
  const account = keyAccountFrom(key);
  const other = keyAccountFrom("0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a");
  assert.deepEqual(account.deriveSecret("salts"), keyAccountFrom(key).deriveSecret("salts"));
  assert.equal(account.deriveSecret("salts").length, 32);
  assert.notDeepEqual(account.deriveSecret("salts"), account.deriveSecret("offers"));
  assert.notDeepEqual(account.deriveSecret("salts"), other.deriveSecret("salts"));
  assert.doesNotMatch(inspect(account, { depth: 10, showHidden: true }), /59c6995e998f97a5/);
});
