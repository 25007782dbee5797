import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { requirementsOf } from "@quorate/core";
import { assertCode, buildManifest, buildRequest, buildSignedOffer, testAddress, testHash } from "@quorate/testkit";
import { getAddress } from "viem";
import { fileKeyStore } from "./fileKeyStore.ts";
import { memoryKeyStore, type RequesterKeyStore } from "./keyStore.ts";
import { decodeJobRecord, encodeJobRecord, type JobRecord } from "./record.ts";

const SECRET = testHash(0x5ec4e7);

function recordOf(id: number, changes: Partial<JobRecord> = {}): JobRecord {
  return {
    version: 1,
    jobId: testHash(id),
    chainId: 31337,
    market: testAddress(0x3a),
    // Addresses come back checksummed, as everywhere inside.
    request: buildRequest({
      nonce: 2n ** 255n,
      requester: getAddress(testAddress(0xa11ce)),
      token: getAddress(testAddress(0x70ce)),
    }),
    requirements: requirementsOf(buildManifest()),
    packageCid: "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
    packageKey: SECRET,
    encryptionPrivateKey: testHash(0x5ec4e8),
    createdAt: 1_000 + id,
    createdAtBlock: 7,
    selection: {
      spares: 1,
      offers: [buildSignedOffer({ price: 123n })],
      reasons: [{ role: "seat", reasons: ["because"] }],
    },
    transactions: [{ purpose: "open", hash: testHash(9), raw: "0x02", nonce: 3, from: testAddress(1), sentAt: 5 }],
    ...changes,
  };
}

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "quorate-keys-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, "store");
}

async function behaves(store: RequesterKeyStore): Promise<void> {
  assert.deepEqual(await store.list(), []);
  assert.equal(await store.get(testHash(1)), undefined);
  await store.put(recordOf(2));
  await store.put(recordOf(1));
  assert.deepEqual(await store.get(testHash(1)), recordOf(1));
  assert.deepEqual(
    (await store.list()).map(({ jobId }) => jobId),
    [testHash(1), testHash(2)],
  );
  await store.put(recordOf(1, { publishedAt: 9 }));
  assert.equal((await store.get(testHash(1)))?.publishedAt, 9);
  await store.delete(testHash(1));
  await store.delete(testHash(1));
  assert.equal(await store.get(testHash(1)), undefined);
  assert.equal((await store.list()).length, 1);
}

test("a memory store keeps, replaces, lists by age and forgets", () => behaves(memoryKeyStore()));

test("a file store keeps, replaces, lists by age and forgets", async (t) =>
  behaves(fileKeyStore({ directory: await folder(t) })));

test("an encrypted file store keeps, replaces, lists by age and forgets", async (t) =>
  behaves(fileKeyStore({ directory: await folder(t), passphrase: "correct horse" })));

test("files are for their owner only, even where they were not before, and no temporary file stays", async (t) => {
  const directory = await folder(t);
  const store = fileKeyStore({ directory });
  await store.put(recordOf(1));
  const file = join(directory, `${testHash(1)}.json`);
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await chmod(file, 0o644);
  await store.put(recordOf(1, { publishedAt: 1 }));
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(directory), [`${testHash(1)}.json`]);
});

test("with a passphrase no secret is in the file, and another session with it reads what this one wrote", async (t) => {
  const directory = await folder(t);
  await fileKeyStore({ directory, passphrase: "correct horse" }).put(recordOf(1));
  const text = await readFile(join(directory, `${testHash(1)}.json`), "utf8");
  assert.ok(!text.includes(SECRET.slice(2)) && !text.includes("packageKey"));
  const again = fileKeyStore({ directory, passphrase: "correct horse" });
  assert.deepEqual(await again.get(testHash(1)), recordOf(1));
  await again.put(recordOf(2));
  assert.equal((await fileKeyStore({ directory, passphrase: "correct horse" }).list()).length, 2);
});

test("a wrong passphrase, a missing one, and a changed file fail by name", async (t) => {
  const directory = await folder(t);
  const file = join(directory, `${testHash(1)}.json`);
  await fileKeyStore({ directory, passphrase: "correct horse" }).put(recordOf(1));
  await assertCode(fileKeyStore({ directory, passphrase: "wrong" }).get(testHash(1)), "KEY_STORE_PASSPHRASE_WRONG");
  await assertCode(fileKeyStore({ directory }).get(testHash(1)), "KEY_STORE_LOCKED");
  const sealed = JSON.parse(await readFile(file, "utf8"));
  const bytes = Buffer.from(sealed.ciphertext, "base64");
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await writeFile(file, JSON.stringify({ ...sealed, ciphertext: bytes.toString("base64") }));
  const store = fileKeyStore({ directory, passphrase: "correct horse" });
  await assertCode(store.get(testHash(1)), "KEY_STORE_PASSPHRASE_WRONG");
});

test("an encrypted record cannot be passed off as another job's", async (t) => {
  const directory = await folder(t);
  const store = fileKeyStore({ directory, passphrase: "correct horse" });
  await store.put(recordOf(1));
  const text = await readFile(join(directory, `${testHash(1)}.json`), "utf8");
  await writeFile(join(directory, `${testHash(2)}.json`), text);
  await assertCode(store.get(testHash(2)), "KEY_STORE_PASSPHRASE_WRONG");
  const plain = fileKeyStore({ directory: join(directory, "plain") });
  await plain.put(recordOf(1));
  const open = await readFile(join(directory, "plain", `${testHash(1)}.json`), "utf8");
  await writeFile(join(directory, "plain", `${testHash(2)}.json`), open);
  await assertCode(plain.get(testHash(2)), "KEY_STORE_DAMAGED");
});

test("a damaged record is refused by the names of its fields, never with their values", async () => {
  await assertCode(() => decodeJobRecord("{"), "KEY_STORE_DAMAGED");
  const json = { ...JSON.parse(encodeJobRecord(recordOf(1))), packageKey: `${SECRET}00` };
  const error = await assertCode(() => decodeJobRecord(JSON.stringify(json)), "KEY_STORE_DAMAGED");
  assert.match(error.message, /packageKey/);
  assert.ok(!error.message.includes(SECRET.slice(2)));
});

test("a job id that is no hash never becomes a path", async (t) => {
  const store = fileKeyStore({ directory: await folder(t) });
  await assertCode(store.get("0x../../etc/passwd"), "JOB_ID_INVALID");
});
