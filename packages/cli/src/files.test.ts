import assert from "node:assert/strict";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { assertCode, testAddress, testHash } from "@quorate/testkit";
import { type PackageOptions, packageFromFiles } from "./job-files.ts";
import { keyAddress, keyNames, newKeyFile } from "./key-files.ts";
import { forgetRunning, noteRunning, readProvider, readRunning, writeProvider } from "./provider-files.ts";
import { chooseJobId, keptJobs } from "./requester.ts";
import { makeToken } from "./token.ts";
import { readTrust, writeTrust } from "./trust-file.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate files "));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const options: PackageOptions = { fuel: "1000", memory: "64M", output: "1M", wallTime: "30s" };
const program = write("program.js", "export default () => 1");

test("a package has the program, its data by name, arguments, environment and limits", () => {
  const { manifest, files } = packageFromFiles(program, {
    ...options,
    data: [write("a.csv", "1"), `b/c.csv=${write("my data.csv", "2")}`],
    stdin: write("in.txt", "3"),
    arg: ["-v", "two words"],
    env: ["A=b=c", "EMPTY="],
  });
  assert.deepEqual([...files.keys()], ["program.js", "in.txt", "a.csv", "b/c.csv"]);
  assert.equal(manifest.engine.name, "quickjs");
  assert.deepEqual([manifest.program, manifest.stdin, manifest.args], ["program.js", "in.txt", ["-v", "two words"]]);
  assert.deepEqual(manifest.env, { A: "b=c", EMPTY: "" });
  assert.deepEqual(manifest.limits, {
    fuel: 1_000,
    memoryBytes: 67_108_864,
    outputBytes: 1_048_576,
    wallTimeMs: 30_000,
  });
});

test("the runtime follows from the extension or from what is said", async () => {
  assert.equal(packageFromFiles(write("p.wasm", "x"), options).manifest.engine.name, "wasi-p1");
  assert.equal(packageFromFiles(write("p.bin", "x"), { ...options, runtime: "wasi" }).manifest.engine.name, "wasi-p1");
  await assertCode(() => packageFromFiles(write("p.py", "x"), options), "USAGE_RUNTIME");
  await assertCode(() => packageFromFiles(program, { ...options, runtime: "python" }), "USAGE_RUNTIME");
});

test("a file whose path has an equals sign is taken as it stands when it exists", () => {
  const path = write("x=y.csv", "1");
  assert.throws(() => packageFromFiles(program, { ...options, data: [path] }), { code: "USAGE_FILE" });
  assert.deepEqual([...packageFromFiles(program, { ...options, data: [`z.csv=${path}`] }).files.keys()][1], "z.csv");
});

test("what cannot be packed is refused by name: missing, folder, twice, unfit name, too large", async () => {
  await assertCode(() => packageFromFiles(join(folder, "none.js"), options), "USAGE_FILE");
  await assertCode(() => packageFromFiles(program, { ...options, data: [folder] }), "USAGE_FILE");
  await assertCode(() => packageFromFiles(program, { ...options, data: [program] }), "USAGE_FILE");
  const spaced = await assertCode(
    () => packageFromFiles(program, { ...options, data: [write("with space.csv", "")] }),
    "USAGE_FILE",
  );
  assert.match(spaced.message, /name=/);
  await assertCode(() => packageFromFiles(program, { ...options, data: [`../up=${program}`] }), "USAGE_FILE");
  await assertCode(() => packageFromFiles(program, { ...options, env: ["=x"] }), "USAGE_ENV");
  const large = openSync(join(folder, "large.bin"), "w");
  // A hole: it takes no room on the disk, and would take all of the memory.
  ftruncateSync(large, 2 ** 40);
  closeSync(large);
  await assertCode(() => packageFromFiles(program, { ...options, data: [join(folder, "large.bin")] }), "USAGE_FILE");
});

test("key files are named by their name, and strangers' files in the folder are not taken for keys", async () => {
  const home = join(folder, "keys-home");
  assert.deepEqual(keyNames(home), []);
  mkdirSync(join(home, "keys"), { recursive: true });
  for (const name of ["b", "a", "Not A Key", ".hidden"]) writeFileSync(join(home, "keys", `${name}.json`), "{}");
  writeFileSync(join(home, "keys", "notes.txt"), "");
  assert.deepEqual(keyNames(home), ["a", "b"]);
  await assertCode(() => keyAddress(home, "a"), "KEYSTORE_INVALID");
  writeFileSync(join(home, "keys", "a.json"), JSON.stringify({ address: testAddress(7).slice(2) }));
  assert.equal(keyAddress(home, "a"), testAddress(7));
  await assertCode(() => newKeyFile(home, "a"), "USAGE_KEY_EXISTS");
  for (const name of ["", "../a", "A", "a b", "-a", "a".repeat(33)])
    await assertCode(() => newKeyFile(home, name), "USAGE_KEY_NAME");
  assert.equal(newKeyFile(home, "new-1"), join(home, "keys", "new-1.json"));
});

test("an absent trust file trusts nobody; what is written is read; garbage is refused", async () => {
  const home = join(folder, "trust-home");
  const none = readTrust(home);
  assert.deepEqual([none.accept, none.allow], ["allow-list", []]);
  writeTrust(home, { ...none, allow: [{ provider: testAddress(1), organization: "One" }], leastBond: 5n });
  const written = readTrust(home);
  assert.deepEqual(written.allow, [{ provider: testAddress(1), organization: "One" }]);
  assert.equal(written.leastBond, 5n);
  for (const text of ["nonsense", "[]", '{"version":1,"accept":"all"}']) {
    writeFileSync(join(home, "trust.json"), text);
    await assertCode(() => readTrust(home), "TRUST_POLICY_INVALID");
  }
  rmSync(join(home, "trust.json"));
  mkdirSync(join(home, "trust.json"));
  await assertCode(() => readTrust(home), "FILE_UNUSABLE");
});

test("a provider is read as it was written, and is missing or refused otherwise", async () => {
  const home = join(folder, "provider-home");
  await assertCode(() => readProvider(home), "CONFIG_NO_PROVIDER");
  const settings = {
    version: 1,
    provider: testAddress(3),
    agentKey: "agent",
    isolation: "process",
    health: { host: "127.0.0.1", port: 0 },
  } as const;
  writeProvider(home, settings);
  assert.deepEqual({ ...readProvider(home), profile: undefined }, { ...settings, profile: undefined });
  for (const text of ["{", '{"version":1}']) {
    writeFileSync(join(home, "provider", "provider.json"), text);
    await assertCode(() => readProvider(home), "CONFIG_INVALID");
  }
});

test("a running agent is known by number and start, so a note of a dead one does not hit a stranger", () => {
  const home = join(folder, "run-home");
  assert.equal(readRunning(home), undefined);
  noteRunning(home, "http://127.0.0.1:1");
  assert.deepEqual(readRunning(home), { pid: process.pid, healthUrl: "http://127.0.0.1:1" });
  const file = join(home, "provider", "run.json");
  writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: "1" }));
  assert.equal(readRunning(home), undefined);
  forgetRunning(home);
  writeFileSync(file, JSON.stringify({ pid: 2 ** 22 + 5 }));
  assert.equal(readRunning(home), undefined);
  writeFileSync(file, "garbage");
  assert.equal(readRunning(home), undefined);
  noteRunning(home);
  forgetRunning(home);
  assert.equal(readRunning(home), undefined);
});

test("a job is meant by its whole id or by a beginning that only it has", async () => {
  const [one, two] = [`0xaaaa${"1".repeat(60)}`, `0xaaaa${"2".repeat(60)}`] as const;
  const choose = (text: string): string => chooseJobId([one, two], text, "here");
  assert.equal(choose(one), one);
  assert.equal(choose(one.slice(2).toUpperCase()), one);
  assert.equal(choose("0xAAAA1"), one);
  assert.equal(choose("aaaa2"), two);
  assert.equal(choose(testHash(9)), testHash(9));
  const ambiguous = await assertCode(() => choose("aaaa"), "JOB_AMBIGUOUS");
  assert.ok(ambiguous.message.includes(one) && ambiguous.message.includes(two));
  await assertCode(() => choose("bbbb"), "JOB_UNKNOWN");
  for (const text of ["", "0x", "0xaaa", "0xzzzz", `${one}0`, "../../etc"])
    await assertCode(() => choose(text), "USAGE_JOB");
});

test("a damaged job file does not hide the others, and other files are no jobs", async () => {
  const home = join(folder, "jobs-home");
  assert.deepEqual(await keptJobs(home), { records: [], damaged: [] });
  mkdirSync(join(home, "jobs"), { recursive: true });
  writeFileSync(join(home, "jobs", `${testHash(1)}.json`), "garbage");
  writeFileSync(join(home, "jobs", "notes.txt"), "");
  const { records, damaged } = await keptJobs(home);
  assert.deepEqual(records, []);
  assert.deepEqual(
    damaged.map(({ jobId }) => jobId),
    [testHash(1)],
  );
});

test("amounts are read with the token's decimals and never rounded", async () => {
  const token = makeToken(testAddress(1), "USD", 6);
  assert.deepEqual(
    ["0", "1", "12.5", "0.000001", "007"].map((text) => token.parse(text, "The deposit")),
    [0n, 1_000_000n, 12_500_000n, 1n, 7_000_000n],
  );
  assert.equal(token.format(12_500_000n), "12.5 USD");
  for (const text of ["", "-1", "1,5", "1e3", ".5", "5.", "0x10", "1.0000001", "9".repeat(40)])
    await assertCode(() => token.parse(text, "The deposit"), "USAGE_AMOUNT");
});
