// Commands that need no chain, run in this process with state folders of their own.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { testAddress, testHash } from "@quorate/testkit";
import { createOutput } from "./output.ts";
import { run } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate commands "));
after(() => rmSync(folder, { recursive: true, force: true }));
const home = join(folder, "home");
const network = { chainId: 31_337, rpc: ["http://127.0.0.1:9"], market: testAddress(1), token: testAddress(2) };

async function call(argv: readonly string[], state = home): Promise<{ code: number; value: Record<string, unknown> }> {
  let out = "";
  const sink = { write: (text: string | Uint8Array) => (out += String(text)) };
  const code = await run(["--home", state, "--json", ...argv], () =>
    createOutput({ json: true, stdout: sink, stderr: { write: () => true } }),
  );
  return { code, value: out === "" ? {} : (JSON.parse(out) as Record<string, unknown>) };
}

mkdirSync(home);
const networks = { a: network, queries: { ...network, queryMarket: testAddress(9) } };
writeFileSync(join(home, "config.json"), JSON.stringify({ version: 1, network: "a", networks }));
const program = join(folder, "program.js");
writeFileSync(program, "export default () => 1");
const card = join(folder, "card.json");
writeFileSync(card, JSON.stringify({ version: 1 }));
const keyed = join(folder, "keyed");
mkdirSync(join(keyed, "keys"), { recursive: true });
writeFileSync(join(keyed, "keys", "someone.json"), JSON.stringify({ address: testAddress(7) }));

const refused: readonly [string, string, number, readonly string[]][] = [
  ["a network without endpoints", "USAGE_NETWORK", 2, ["network", "add", "half", "--chain-id", "7"]],
  ["a network named like a path", "USAGE_NETWORK", 2, ["network", "add", "../x", "--rpc", "http://127.0.0.1:9"]],
  ["a chain id that is no number", "USAGE_NETWORK", 2, ["network", "add", "a", "--chain-id", "one"]],
  ["an endpoint that does not answer", "NODE_UNREACHABLE", 3, ["network", "add", "b", "--rpc", "http://127.0.0.1:9"]],
  ["an unknown network", "CONFIG_UNKNOWN_NETWORK", 2, ["network", "use", "none"]],
  [
    "an unknown network of a command",
    "CONFIG_UNKNOWN_NETWORK",
    2,
    ["account", "show", testAddress(5), "--network", "none"],
  ],
  ["an unknown key", "CONFIG_UNKNOWN_ACCOUNT", 2, ["account", "use", "nobody"]],
  ["a command that signs without a key", "CONFIG_NO_ACCOUNT", 2, ["account", "show"]],
  ["an address that is none", "USAGE_ADDRESS", 2, ["account", "show", "0x12"]],
  ["a token that is no address", "USAGE_ADDRESS", 2, ["account", "show", testAddress(5), "--token", "dollars"]],
  ["a node that does not answer", "NODE_UNREACHABLE", 3, ["account", "show", testAddress(5)]],
  ["a probation that is no number", "USAGE_NUMBER", 2, ["account", "claim", "first"]],
  ["a key named like a path", "USAGE_KEY_NAME", 2, ["account", "new", "../key"]],
  ["a trust that does not exist", "USAGE_TRUST", 2, ["trust", "accept", "everybody"]],
  ["a provider that is no address", "USAGE_ADDRESS", 2, ["trust", "allow", "Ember Grid"]],
  ["an organization without a name", "USAGE_TEXT", 2, ["trust", "allow", testAddress(5), "--organization", ""]],
  ["a program that is missing", "USAGE_FILE", 2, ["job", "preview", join(folder, "none.js")]],
  ["a program that is a folder", "USAGE_FILE", 2, ["job", "preview", folder]],
  ["a limit that is no size", "USAGE_SIZE", 2, ["job", "preview", program, "--memory", "lots"]],
  ["a way that does not exist", "USAGE_VIA", 2, ["job", "request", program, "--price", "1", "--via", "post"]],
  ["a label of 201 letters", "USAGE_LABEL", 2, ["job", "request", program, "--price", "1", "--label", "a".repeat(201)]],
  [
    "a callback that is no address",
    "USAGE_ADDRESS",
    2,
    ["job", "request", program, "--price", "1", "--callback", "shop"],
  ],
  ["gas for no callback", "USAGE_CALLBACK", 2, ["job", "request", program, "--price", "1", "--callback-gas", "9"]],
  ["a run in a script without a word on money", "USAGE_CONFIRM", 2, ["job", "run", program, "--price", "1"]],
  ["a job id that is none", "USAGE_JOB", 2, ["job", "watch", "0xzz"]],
  ["a beginning that no job has", "JOB_UNKNOWN", 4, ["job", "offers", "0xffffffff"]],
  ["a wait that is no duration", "USAGE_DURATION", 2, ["job", "result", testHash(1), "--wait", "long"]],
  ["a market that does not exist", "USAGE_MARKET", 2, ["account", "deposit", "1", "--market", "fish"]],
  ["a verifier without a hash", "USAGE_NETWORK", 2, ["network", "add", "a", "--verifier", "sealed-answer"]],
  ["a query without a provider", "USAGE_QUERY", 2, ["query", "ask", "--attribute", "income"]],
  [
    "a name of 201 letters",
    "USAGE_LABEL",
    2,
    ["query", "ask", "--url", "http://127.0.0.1:9", "--subject", card, "--asker-name", "a".repeat(201)],
  ],
  [
    "a card that is none",
    "USAGE_CARD",
    2,
    ["query", "ask", "--network", "queries", "--url", "http://127.0.0.1:9", "--subject", card],
  ],
  ["a query id that is none", "USAGE_QUERY", 2, ["query", "ask", "0xzz", "--home", keyed]],
  ["a query of a key that has none", "QUERY_UNKNOWN", 4, ["query", "answer", "0x12345678", "--home", keyed]],
  ["a consent request that is none", "CONSENT_REQUEST_INVALID", 2, ["subject", "consent", card]],
  ["a consent request that is missing", "USAGE_FILE", 2, ["subject", "consent", join(folder, "none.json")]],
  ["papers with a part missing", "USAGE_PAPERS", 2, ["subject", "enrol", "CODE-CODE", "--name", "Ada"]],
  ["a domain provider by its URL alone", "USAGE_DOMAIN", 2, ["subject", "card", "--url", "http://127.0.0.1:9"]],
  ["a domain provider that this key never met", "USAGE_DOMAIN", 2, ["subject", "record", "--home", keyed]],
  ["a receipt that is none", "RECEIPT_INVALID", 2, ["query", "verify", card, "--provider", testAddress(5)]],
  ["a domain provider before init", "CONFIG_NO_DOMAIN", 2, ["domain", "start"]],
  ["records before init", "CONFIG_NO_DOMAIN", 2, ["domain", "import", program, "--mapping", card]],
  ["records of a strange format", "USAGE_FORMAT", 2, ["domain", "import", "x", "--mapping", card, "--format", "xls"]],
  ["a definition that is none", "DATASET_INVALID", 2, ["domain", "init", card, "--name", "Payroll"]],
  ["an audit since no day", "USAGE_DATE", 2, ["domain", "audit", "--since", "yesterday"]],
  ["a provider before init", "CONFIG_NO_PROVIDER", 2, ["provider", "status"]],
  ["an explanation before init", "CONFIG_NO_PROVIDER", 2, ["provider", "explain", testHash(1)]],
  ["a port beyond the last", "USAGE_NUMBER", 2, ["relay", "start", "--port", "65536"]],
  ["relay settings that are missing", "CONFIG_INVALID", 2, ["relay", "start", "--config", join(folder, "none.json")]],
  ["relay settings that are no object", "CONFIG_INVALID", 2, ["relay", "start", "--config", program]],
  ["blocks faster than a second", "USAGE_NUMBER", 2, ["devnet", "start", "--block-time", "10"]],
  ["a backup of nothing", "STATE_MISSING", 2, ["backup", join(folder, "copy"), "--home", join(folder, "nothing")]],
  ["a restore of something else", "BACKUP_INVALID", 2, ["restore", home, "--home", join(folder, "new")]],
];

for (const [what, code, exit, argv] of refused) {
  test(`${what} ends with ${code} and ${exit}`, async () => {
    const { code: found, value } = await call(argv);
    assert.deepEqual([(value.error as { code: string } | undefined)?.code, found], [code, exit], JSON.stringify(value));
  });
}

test("a state folder full of garbage is refused file by file", async () => {
  const garbage = mkdtempSync(join(folder, "garbage-"));
  for (const name of ["config.json", "trust.json"]) writeFileSync(join(garbage, name), "\u0000\u0001garbage");
  assert.equal(((await call(["network", "list"], garbage)).value.error as { code: string }).code, "CONFIG_INVALID");
  writeFileSync(join(garbage, "config.json"), JSON.stringify({ version: 1, networks: { a: network } }));
  assert.equal(((await call(["trust", "show"], garbage)).value.error as { code: string }).code, "TRUST_POLICY_INVALID");
  for (const name of ["keys", "jobs", "provider"]) writeFileSync(join(garbage, name), "a file, no folder");
  const listed = await call(["account", "list"], garbage);
  assert.deepEqual([(listed.value.error as { code: string }).code, listed.code], ["FILE_UNUSABLE", 2]);
  const jobs = await call(["job", "list"], garbage);
  assert.deepEqual([(jobs.value.error as { code: string }).code, jobs.code], ["FILE_UNUSABLE", 2]);
});

test("a state folder that is a file is refused", async () => {
  const { code, value } = await call(["network", "use", "a"], program);
  assert.deepEqual([(value.error as { code: string }).code, code], ["CONFIG_INVALID", 2]);
});

test("a network keeps its query market and the verifiers that a person compared", async () => {
  const hash = `0x${"ab".repeat(32)}`;
  const other = `0x${"CD".repeat(32)}`;
  const options = ["--query-market", testAddress(9), "--verifier", `scorecard=${hash}`, `scorecard=${other}`];
  const { value } = await call(["network", "add", "a", ...options]);
  assert.equal(value.queryMarket, testAddress(9));
  assert.deepEqual(value.verifiers, { scorecard: [hash, other.toLowerCase()] });
  const again = (await call(["network", "add", "a", "--confirmations", "3"])).value;
  assert.deepEqual([again.queryMarket, again.verifiers], [value.queryMarket, value.verifiers]);
});

test("settings are kept: the default network, and whom to trust", async () => {
  assert.deepEqual((await call(["network", "use", "a"])).value, { network: "a" });
  const added = await call(["network", "add", "a", "--confirmations", "5", "--relay", "http://127.0.0.1:1"]);
  assert.equal(added.value.confirmations, 5);
  assert.deepEqual(added.value.relays, ["http://127.0.0.1:1"]);
  assert.equal(added.value.chainId, 31_337);
  await call(["trust", "allow", testAddress(5).toLowerCase(), "--organization", "Five"]);
  await call(["trust", "deny", testAddress(6), "--reason", "late"]);
  await call(["trust", "accept", "anyone"]);
  const { value } = await call(["trust", "show"]);
  assert.equal(value.accept, "anyone");
  assert.deepEqual(value.allow, [{ provider: testAddress(5), organization: "Five" }]);
  await call(["trust", "deny", testAddress(5)]);
  await call(["trust", "forget", testAddress(6)]);
  const later = (await call(["trust", "show"])).value;
  assert.deepEqual([later.allow, later.deny], [[], [{ provider: testAddress(5) }]]);
});

test("a folder that cannot be written is refused by name", async () => {
  const closed = mkdtempSync(join(folder, "closed-"));
  chmodSync(closed, 0o500);
  const { code, value } = await call(["trust", "accept", "anyone"], closed);
  chmodSync(closed, 0o700);
  // The superuser may write everywhere.
  if (process.getuid?.() === 0) assert.equal(code, 0);
  else assert.deepEqual([(value.error as { code: string }).code, code], ["FILE_UNUSABLE", 2]);
});
