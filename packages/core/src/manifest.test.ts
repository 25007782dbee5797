import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCode, buildManifest } from "@quorate/testkit";
import { keccak256 } from "viem";
import { utf8 } from "./bytes.ts";
import { hashRequirements, isSafeFileName, parseManifest, parseRequirements, requirementsOf } from "./manifest.ts";

test("a manifest is read as it was written", () => {
  const manifest = buildManifest({ args: ["-v", "ü"], env: { LANG: "C" }, stdin: "data/in.csv" });
  assert.deepEqual(parseManifest(JSON.parse(JSON.stringify(manifest))), manifest);
});

const bad: readonly [string, object][] = [
  ["another version", { version: 2 }],
  ["an unknown engine", { engine: { name: "docker", version: "1" } }],
  ["an engine version with a blank", { engine: { name: "quickjs", version: "1 " } }],
  ["an unknown member", { network: true }],
  ["no fuel", { limits: { ...buildManifest().limits, fuel: 0 } }],
  ["half a byte", { limits: { ...buildManifest().limits, memoryBytes: 1.5 } }],
  ["more memory than 32 bits", { limits: { ...buildManifest().limits, memoryBytes: 2 ** 32 + 1 } }],
  ["too much output", { limits: { ...buildManifest().limits, outputBytes: 2 ** 26 + 1 } }],
  ["a program outside", { program: "../main.js" }],
  ["an argument with NUL", { args: ["a\0b"] }],
  ["a lone surrogate", { args: ["\ud800"] }],
  ["an environment name with =", { env: { "A=B": "c" } }],
  ["no program", { program: undefined }],
];
for (const [name, changes] of bad) {
  test(`a manifest with ${name} is refused`, async () => {
    await assertCode(() => parseManifest({ ...buildManifest(), ...changes }), "MANIFEST_MALFORMED");
  });
}

test("requirements hide program, arguments and data", () => {
  const requirements = requirementsOf(buildManifest({ args: ["secret"] }));
  assert.deepEqual(Object.keys(requirements).sort(), ["engine", "limits", "version"]);
  assert.deepEqual(parseRequirements(requirements), requirements);
});

test("the requirements hash is over canonical JSON", () => {
  const { version, engine, limits } = buildManifest();
  const text =
    '{"engine":{"name":"quickjs","version":"0.32.0"},"limits":{"fuel":1000000000,"memoryBytes":33554432,"outputBytes":65536,"wallTimeMs":10000},"version":1}';
  assert.equal(hashRequirements({ limits, version, engine }), keccak256(utf8(text)));
});

test("malformed requirements are refused by name", async () => {
  await assertCode(() => parseRequirements({ version: 1 }), "REQUIREMENTS_MALFORMED");
});

test("file names are safe on every system", () => {
  for (const name of ["a", "main.js", "data/stocks-2020.csv", "_x/y.z", "A1"])
    assert.equal(isSafeFileName(name), true, name);
  for (const name of [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/../b",
    ".hidden",
    "a\\b",
    "a\0",
    "c:x",
    "ü",
    "a b",
    "-rf",
    "x".repeat(300),
  ]) {
    assert.equal(isSafeFileName(name), false, name);
  }
});
