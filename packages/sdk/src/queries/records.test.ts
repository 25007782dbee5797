import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertCode, testAddress, testHash } from "@quorate/testkit";
import { build } from "esbuild";
import { getAddress } from "viem";
import { fileQueryStore } from "./fileQueryStore.ts";
import { fileSubjectStore } from "./fileSubjectStore.ts";
import { decodeQueryRecord, encodeQueryRecord, type QueryRecord } from "./record.ts";
import { memoryQueryStore, type QueryStore } from "./store.ts";
import { memorySubjectStore, type SubjectState, type SubjectStore, subjectStateId } from "./subjectStore.ts";

const SECRET = 0x5ec4e75ec4e75ec4e7n;
const address = (index: number): `0x${string}` => getAddress(testAddress(index));

function recordOf(id: number, changes: Partial<QueryRecord> = {}): QueryRecord {
  const [asker, provider, verifier, token] = [1, 2, 3, 4].map(address) as [never, never, never, never];
  return {
    version: 1,
    queryId: testHash(id),
    chainId: 31_337,
    market: address(9),
    asker,
    provider,
    providerUrl: "https://payroll.example",
    dataset: testHash(7),
    definition: { version: 1, name: "Payroll" },
    statement: { kind: "attribute", asOf: 5 },
    offer: {
      circuit: "sealed-answer",
      verifier,
      verifierCodeHash: testHash(8),
      token,
      price: 2n ** 90n,
      bond: 3n,
      window: 600,
    },
    root: 2n ** 250n,
    nonce: 1n,
    subjectKey: [5n, 6n],
    subjectNonce: 2n,
    person: 3n,
    k: SECRET,
    key: {
      key: { provider, asker, dataset: testHash(7), encryptionKey: testHash(6), expiry: 99 },
      signature: `0x${"11".repeat(65)}`,
    },
    createdAt: 1_000 + id,
    createdAtBlock: 7,
    transactions: [{ purpose: "ask", hash: testHash(9), raw: "0x02", nonce: 3, from: asker, sentAt: 5 }],
    quote: {
      quote: {
        asker,
        provider,
        query: BigInt(testHash(id)),
        dataset: testHash(7),
        root: 2n ** 250n,
        verifier,
        verifierCodeHash: testHash(8),
        token,
        price: 2n,
        bond: 3n,
        window: 600,
        expiry: 77,
      },
      signature: `0x${"22".repeat(65)}`,
    },
    found: { cipher: 1n, nullifier: 2n, proof: [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n], transaction: testHash(11) },
    ...changes,
  };
}

const stateOf = (): SubjectState => {
  const of = { chainId: 31_337, market: address(9), provider: address(2), subjectKey: [5n, 6n] as const };
  return {
    version: 1,
    stateId: subjectStateId(of),
    ...of,
    persons: { [testHash(7)]: 12n },
    seen: [{ dataset: testHash(7), topic: 3n, values: [10_234_550n], validFrom: 1, validUntil: 9, budget: 5 }],
    consents: [
      {
        query: 4n,
        dataset: testHash(7),
        asker: address(1),
        statement: { kind: "attribute" },
        validFrom: 1,
        notAfter: 8,
        givenAt: 6,
      },
    ],
  };
};

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "quorate-queries-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, "store");
}

const stores: readonly [string, (t: TestContext) => Promise<[QueryStore, SubjectStore]>][] = [
  ["memory", async () => [memoryQueryStore(), memorySubjectStore()]],
  [
    "files",
    async (t) => {
      const directory = await folder(t);
      return [fileQueryStore({ directory }), fileSubjectStore({ directory })];
    },
  ],
  [
    "encrypted files",
    async (t) => {
      const options = { directory: await folder(t), passphrase: "correct horse" };
      return [fileQueryStore(options), fileSubjectStore({ ...options, directory: join(options.directory, "subject") })];
    },
  ],
];
for (const [name, open] of stores) {
  test(`a store of ${name} gives back what was put, the oldest first, and forgets for good`, async (t) => {
    const [queries, subjects] = await open(t);
    assert.equal(await queries.get(testHash(1)), undefined);
    await queries.put(recordOf(2));
    await queries.put(recordOf(1));
    assert.deepEqual(await queries.get(testHash(1)), recordOf(1));
    assert.equal(await subjects.get(stateOf().stateId), undefined);
    await queries.put(recordOf(1, { refusedAt: 9 }));
    assert.deepEqual(
      (await queries.list()).map(({ queryId, refusedAt }) => [queryId, refusedAt]),
      [
        [testHash(1), 9],
        [testHash(2), undefined],
      ],
    );
    await queries.delete(testHash(1));
    assert.equal(await queries.get(testHash(1)), undefined);
    await subjects.put(stateOf());
    assert.deepEqual(await subjects.get(stateOf().stateId), stateOf());
  });
}

test("an encrypted record shows nothing, is for its owner only, and is nobody else's", async (t) => {
  const directory = await folder(t);
  const store = fileQueryStore({ directory, passphrase: "correct horse" });
  await store.put(recordOf(1));
  const path = join(directory, `${testHash(1)}.json`);
  const text = await readFile(path, "utf8");
  assert.doesNotMatch(text, new RegExp(`${SECRET}|payroll|attribute`));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(directory), [`${testHash(1)}.json`], "no temporary file is left");
  await writeFile(join(directory, `${testHash(2)}.json`), text);
  await assertCode(store.get(testHash(2)), "KEY_STORE_PASSPHRASE_WRONG");
  await assertCode(store.get("0x../../etc/passwd"), "QUERY_ID_INVALID");
});

test("a damaged record is refused by the names of its fields, never with their values", async () => {
  const json = JSON.parse(encodeQueryRecord(recordOf(1))) as Record<string, unknown>;
  const error = await assertCode(
    () => decodeQueryRecord(JSON.stringify({ ...json, k: `${SECRET}x` })),
    "KEY_STORE_DAMAGED",
  );
  assert.match(error.message, /: k\./);
  assert.doesNotMatch(error.message, new RegExp(String(SECRET)));
  await assertCode(() => decodeQueryRecord("{"), "KEY_STORE_DAMAGED");
  await assertCode(() => decodeQueryRecord(JSON.stringify({ ...json, more: 1 })), "KEY_STORE_DAMAGED");
});

test("the entry for queries bundles for browsers, and the main entry holds nothing of the package of proofs", async () => {
  const inputsOf = async (entry: string): Promise<string[]> => {
    const { metafile } = await build({
      entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
      bundle: true,
      write: false,
      metafile: true,
      platform: "browser",
      format: "esm",
      splitting: true,
      outdir: "unused",
      logLevel: "silent",
    });
    return Object.keys(metafile.inputs);
  };
  const queries = await inputsOf("./index.ts");
  assert.ok(queries.some((name) => name.endsWith("createAsker.ts")));
  assert.ok(queries.some((name) => name.includes("packages/proofs/")));
  assert.deepEqual(
    queries.filter((name) => name.startsWith("node:") || name.endsWith("sealedFiles.ts")),
    [],
  );
  assert.deepEqual(
    (await inputsOf("../index.ts")).filter((name) => name.includes("packages/proofs/")),
    [],
  );
});
