import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { assertCode, testAddress } from "@quorate/testkit";
import { type Config, chooseNetwork, homeFolder, type Network, readConfig, writeConfig } from "./config.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-config-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const network: Network = {
  chainId: 31_337,
  rpc: ["http://127.0.0.1:8545"],
  market: testAddress(1),
  fromBlock: 0,
  relays: ["http://127.0.0.1:7400"],
  confirmations: 2,
};

test("the state folder is what the option says, else the environment, else .quorate at home", () => {
  assert.equal(homeFolder("given", { QUORATE_HOME: "/env" }), resolve("given"));
  assert.equal(homeFolder(undefined, { QUORATE_HOME: "/env" }), "/env");
  assert.equal(homeFolder(undefined, { QUORATE_HOME: "" }), join(homedir(), ".quorate"));
  assert.equal(homeFolder(undefined, {}), join(homedir(), ".quorate"));
});

test("an absent file is an empty configuration, and what is written is read again", () => {
  const home = join(folder, "a", "b");
  assert.deepEqual(readConfig(home), { version: 1, networks: {} });
  const config: Config = { version: 1, network: "local", account: "me", networks: { local: network } };
  writeConfig(home, config);
  assert.deepEqual(readConfig(home), config);
  assert.equal(statSync(join(home, "config.json")).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(home), ["config.json"]);
});

for (const [name, content] of Object.entries({
  "no JSON": "{",
  "another version": '{"version":2,"networks":{}}',
  "an unknown member": '{"version":1,"networks":{},"colour":"red"}',
  "a chain id as text": `{"version":1,"networks":{"a":${JSON.stringify({ ...network, chainId: "1" })}}}`,
  "a relay that is no URL": `{"version":1,"networks":{"a":${JSON.stringify({ ...network, relays: ["ftp://x"] })}}}`,
  "a network without endpoints": `{"version":1,"networks":{"a":${JSON.stringify({ ...network, rpc: [] })}}}`,
})) {
  test(`a configuration with ${name} is refused, naming the file`, async () => {
    const home = mkdtempSync(join(folder, "bad-"));
    writeFileSync(join(home, "config.json"), content);
    const error = await assertCode(() => readConfig(home), "CONFIG_INVALID");
    assert.ok(error.message.includes(join(home, "config.json")));
  });
}

test("a configuration that is a folder is refused like one that cannot be read", async () => {
  const home = mkdtempSync(join(folder, "dir-"));
  mkdirSync(join(home, "config.json"));
  await assertCode(() => readConfig(home), "CONFIG_INVALID");
});

test("the network is the one named, else the default, else the only one", async () => {
  const one: Config = { version: 1, networks: { a: network } };
  assert.equal(chooseNetwork(one, undefined).name, "a");
  const two: Config = { version: 1, networks: { a: network, b: network } };
  assert.equal(chooseNetwork({ ...two, network: "b" }, undefined).name, "b");
  assert.equal(chooseNetwork({ ...two, network: "b" }, "a").name, "a");
  await assertCode(() => chooseNetwork(two, undefined), "CONFIG_NO_NETWORK");
  await assertCode(() => chooseNetwork({ version: 1, networks: {} }, undefined), "CONFIG_NO_NETWORK");
  await assertCode(() => chooseNetwork(two, "c"), "CONFIG_UNKNOWN_NETWORK");
});
