import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { keyAccountFrom } from "@quorate/service";
import { assertCode, testHash } from "@quorate/testkit";
import { migrations } from "./schema.ts";
import { openVault, type Vault } from "./vault.ts";

const account = keyAccountFrom(testHash(1));

function database(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  for (const script of migrations) db.exec(script);
  return db;
}

describe("a vault", () => {
  it("opens what it sealed, after a restart too, and never seals alike twice", () => {
    const db = database();
    const value = { income: 5_200_000n, names: ["Ada"], bytes: new Uint8Array([1, 2]) };
    const sealed = openVault(db, account).seal("record/1", value);
    const again: Vault = openVault(db, account);
    assert.deepEqual(again.open("record/1", sealed), value);
    assert.notDeepEqual(again.seal("record/1", value), sealed);
  });

  it("refuses what was altered, cut or moved to another place", async () => {
    const vault = openVault(database(), account);
    const sealed = vault.seal("record/1", "secret");
    await assertCode(() => vault.open("record/2", sealed), "STATE_CORRUPT");
    await assertCode(() => vault.open("record/1", sealed, new Uint8Array(32)), "STATE_CORRUPT");
    for (let at = 0; at < sealed.length; at += 1) {
      const altered = Uint8Array.from(sealed, (byte, n) => (n === at ? byte ^ 1 : byte));
      await assertCode(() => vault.open("record/1", altered), "STATE_CORRUPT");
    }
    for (const length of [0, 11, 12, 27, sealed.length - 1])
      await assertCode(() => vault.open("record/1", sealed.subarray(0, length)), "STATE_CORRUPT");
  });

  it("names things by hashes that only its key makes", () => {
    const vault = openVault(database(), account);
    assert.deepEqual(vault.tag("code", "A"), vault.tag("code", "A"));
    assert.notDeepEqual(vault.tag("code", "A"), vault.tag("reference", "A"));
    assert.notDeepEqual(vault.tag("code", "A"), openVault(database(), account).tag("code", "A"));
  });
});
