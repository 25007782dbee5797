import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { decodePackage, encodePackage } from "@quorate/core";
import { runPackage } from "@quorate/sandbox";
import { availableIsolations, runIsolated } from "@quorate/sandbox/node";
import { findProgram, programs } from "./index.ts";

for (const program of programs) {
  describe(`demo program ${program.name}`, () => {
    it("computes what the reference computes, alike in this process and in every isolation", async (t) => {
      const pkg = await program.build();
      const here = await runPackage(pkg);
      assert.ok(here.kind === "ok", JSON.stringify(here));
      const verdict = await program.check(here.output);
      assert.ok(verdict.ok, verdict.summary);
      t.diagnostic(verdict.summary);
      for (const isolation of await availableIsolations()) {
        const there = await runIsolated(encodePackage(pkg), { isolation });
        assert.ok(there.kind === "ok", JSON.stringify(there));
        assert.deepEqual(there.output, here.output);
        assert.equal(there.usage.fuel, here.usage.fuel);
        t.diagnostic(
          `${isolation}: ${there.usage.elapsedMs} ms, ${there.usage.fuel} fuel, ${Math.round((there.usage.peakProcessBytes ?? 0) / 2 ** 20)} MiB resident, package ${encodePackage(pkg).length} bytes`,
        );
      }
    });

    it("refuses a result with one byte changed", async () => {
      const result = await runPackage(await program.build());
      assert.ok(result.kind === "ok");
      const wrong = result.output.slice();
      const digit = wrong.findLastIndex((byte) => byte >= 0x30 && byte <= 0x38);
      wrong[digit] = (wrong[digit] as number) + 1;
      assert.equal((await program.check(wrong)).ok, false);
      assert.equal((await program.check(new Uint8Array([0xff]))).ok, false);
      assert.equal((await program.check(new Uint8Array(0))).ok, false);
    });

    it("survives its encoding", async () => {
      const pkg = await program.build();
      assert.deepEqual(decodePackage(encodePackage(pkg)).manifest, pkg.manifest);
    });
  });
}

it("the bulletin's reference is what Node's own WASI host gives", async () => {
  const { manifest, files } = await findProgram("spoken-bulletin").build();
  const folder = await mkdtemp(join(tmpdir(), "bulletin-"));
  try {
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
    const host = `
      import { readFileSync } from "node:fs";
      import { WASI } from "node:wasi";
      const wasi = new WASI({ version: "preview1", args: ${JSON.stringify([manifest.program, ...manifest.args])}, preopens: { "/data": "." } });
      const module = await WebAssembly.compile(readFileSync("flite.wasm"));
      process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
    `;
    const args = ["--no-warnings", "--input-type=module", "-e", host];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, encoding: "buffer" });
    const verdict = await findProgram("spoken-bulletin").check(new Uint8Array(stdout));
    assert.ok(verdict.ok, verdict.summary);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("an unknown name is refused with the names that there are", () => {
  assert.throws(() => findProgram("nothing"), {
    code: "UNKNOWN_PROGRAM",
    message: /stock-volatility, spoken-bulletin/,
  });
});
