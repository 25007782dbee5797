// What anybody runs to see which code lies at an address, against a node with the market on it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { deployMarket, localWindows } from "@quorate/devnet";
import type { Hex } from "viem";
import { root } from "../../../scripts/lib/workspace.ts";
import { type Anvil, startAnvil } from "../chain/anvil.ts";

const NOBODY = "0x00000000000000000000000000000000000000ff";

let anvil: Anvil;
let folder: string;
let market: Hex;

before(async () => {
  anvil = await startAnvil();
  await anvil.rpc("evm_setAutomine", true);
  folder = mkdtempSync(join(tmpdir(), "quorate-bytecode-"));
  market = (await deployMarket(anvil.url, folder)).market;
});

after(async () => {
  await anvil?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the script as a person does; it must not block this process, which keeps no node waiting. */
function verify(address: string): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve) => {
    const args = [join(root, "scripts", "verify-bytecode.ts"), "--rpc", anvil.url, "--address", address];
    const child = execFile(process.execPath, args, { cwd: root }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
    );
  });
}

describe("the code at an address", () => {
  test("is named as that of the build, with its windows", async () => {
    const { code, text } = await verify(market);
    assert.equal(code, 0, text);
    assert.match(text, new RegExp(`${market} is JobMarket, with the immutables`));
    const words = [...text.matchAll(/^ {2}(0x[0-9a-f]+)$/gm)].map(([, word = "0x"]) => BigInt(word));
    for (const value of [localWindows.min, localWindows.max, 31_337, market])
      assert.ok(words.includes(BigInt(value)), `${value} is among the immutables`);
  });

  test("is refused with one byte changed, although it still runs", async () => {
    const code = await anvil.public.getCode({ address: market });
    assert.ok(code !== undefined);
    const tampered = `${code.slice(0, -2)}${code.endsWith("00") ? "01" : "00"}`;
    await anvil.rpc("anvil_setCode", NOBODY, tampered);
    const other = await verify(NOBODY);
    assert.equal(other.code, 1, other.text);
    assert.match(other.text, /is neither JobMarket nor QueryMarket of this build/);
    // The same place with the true code: the byte alone made the difference.
    await anvil.rpc("anvil_setCode", NOBODY, code);
    assert.equal((await verify(NOBODY)).code, 0);
  });

  test("is missed where there is none", async () => {
    const { code, text } = await verify("0x00000000000000000000000000000000000000fe");
    assert.notEqual(code, 0);
    assert.match(text, /there is no code at 0x/);
  });
});
