import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { quickjsPackage } from "../testing/build.ts";
import type { EngineResult } from "./engine.ts";
import { decodeInput, decodeResult, encodeInput, encodeResult, frameLength } from "./frames.ts";

const usage = { fuel: 1, memoryBytes: 2, outputBytes: 0 };

function forged(header: string, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(header);
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setUint32(0, text.length, true);
  new DataView(prefix.buffer).setUint32(4, body.length, true);
  return Buffer.concat([prefix, text, body]);
}

describe("frames between parent and child", () => {
  it("a package arrives as it was sent", () => {
    const pkg = quickjsPackage("1", { files: { a: "é", "b/c": Uint8Array.of(0, 1) }, env: { X: "y" } });
    const { manifest, files } = decodeInput(Buffer.concat(encodeInput(pkg)));
    assert.deepEqual(manifest, pkg.manifest);
    assert.deepEqual(
      [...files].map(([name, bytes]) => [name, [...bytes]]),
      [...pkg.files].map(([name, bytes]) => [name, [...bytes]]),
    );
  });

  it("each kind of result arrives as it was sent", () => {
    const output = Uint8Array.of(1, 2, 3);
    const results: EngineResult[] = [
      { kind: "ok", output, usage: { ...usage, outputBytes: 3 }, diagnostics: "d" },
      { kind: "failed", cause: "NonZeroExit", exitCode: 2 ** 32 - 1, usage, diagnostics: "" },
      { kind: "failed", cause: "Trap", exitCode: 0, usage, diagnostics: "" },
      { kind: "report", code: "HostFailure", detail: "why", usage },
    ];
    for (const result of results) {
      const bytes = Buffer.concat(encodeResult(result));
      assert.equal(frameLength(bytes), bytes.length);
      assert.deepEqual(decodeResult(bytes, 3), result);
    }
  });

  const counts = '"usage":{"fuel":0,"memoryBytes":0,"outputBytes":0}';
  for (const header of [
    "",
    "null",
    "[]",
    "7",
    '{"kind":"ok"}',
    `{"kind":"ok","diagnostics":"",${counts.replace('"outputBytes":0', '"outputBytes":9')}}`,
    `{"kind":"ok","diagnostics":7,${counts}}`,
    `{"kind":"failed","cause":"Guilty","exitCode":0,"diagnostics":"",${counts}}`,
    `{"kind":"failed","cause":"__proto__","exitCode":0,"diagnostics":"",${counts}}`,
    `{"kind":"failed","cause":"Trap","exitCode":1,"diagnostics":"",${counts}}`,
    `{"kind":"failed","cause":"NonZeroExit","exitCode":0,"diagnostics":"",${counts}}`,
    `{"kind":"failed","cause":"NonZeroExit","exitCode":4294967296,"diagnostics":"",${counts}}`,
    `{"kind":"failed","cause":"NonZeroExit","exitCode":1.5,"diagnostics":"",${counts}}`,
    `{"kind":"report","code":"PackageMismatch","detail":"",${counts}}`,
    `{"kind":"report","code":"HostFailure","detail":"","usage":{"fuel":-1,"memoryBytes":0,"outputBytes":0}}`,
    `{"kind":"__proto__",${counts}}`,
  ]) {
    it(`a child cannot answer ${header.slice(0, 60)}`, () => {
      assert.throws(() => decodeResult(forged(header), 100));
    });
  }

  it("output beyond the limit is no answer", () => {
    const result: EngineResult = {
      kind: "ok",
      output: new Uint8Array(5),
      usage: { ...usage, outputBytes: 5 },
      diagnostics: "",
    };
    const bytes = Buffer.concat(encodeResult(result));
    assert.equal(decodeResult(bytes, 5).kind, "ok");
    assert.throws(() => decodeResult(bytes, 4), /too long/);
  });

  it("any bytes are either a result or an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.string(), (bytes, text) => {
        for (const candidate of [bytes, forged(text), forged(text, bytes)]) {
          try {
            decodeResult(candidate, 10);
          } catch (error) {
            assert.ok(error instanceof Error);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
