// The verifier for keys of a ceremony is the one for development without its guard.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readConfig } from "../../scripts/circuits/config.ts";
import { root } from "../../scripts/lib/workspace.ts";

const run = (script: string, ...argv: readonly string[]) =>
  spawnSync(process.execPath, [join(root, script), ...argv], { cwd: root, encoding: "utf8" });

for (const { name, verifier } of readConfig().instances) {
  test(`a proving key of ${name} gives the contract of contracts/generated, open to every chain`, () => {
    const { zkey = "" } =
      (JSON.parse(run("scripts/circuits.ts").stdout) as Record<string, { readonly zkey: string }>)[name] ?? {};
    const { stdout, status } = run("scripts/verifier.ts", name, zkey);
    assert.equal(status, 0);
    const development = readFileSync(join(root, `contracts/generated/${verifier}.sol`), "utf8");
    const guard = / {4}\/\/\/ @notice The keys are for development[\s\S]*?\n {4}}\n\n/;
    assert.match(development, guard);
    const expected = development
      .replace(guard, "")
      .replace("scripts/circuits.ts", "scripts/verifier.ts")
      .replace(" under keys for development: anybody can forge them.", ".");
    assert.equal(stdout, expected);
    assert.equal(stdout.includes("chainid != "), false);
  });
}

test("an unknown circuit is refused", () => {
  const { status, stderr } = run("scripts/verifier.ts", "sealed", "none.zkey");
  assert.equal(status, 64);
  assert.match(stderr, /sealed-answer, scorecard/);
});
