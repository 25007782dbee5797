import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertCode } from "@quorate/testkit";
import { build } from "esbuild";
import { defineReceiptElement } from "./index.ts";
import { refusalCodes, refusalWords } from "./words.ts";

const bundled = build({
  entryPoints: [fileURLToPath(new URL("./index.ts", import.meta.url))],
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  platform: "browser",
  format: "esm",
  logLevel: "silent",
});

describe("what relying parties embed", () => {
  test("bundles for browsers without Node, prover, wallet or framework", async () => {
    const { metafile } = await bundled;
    const foreign = Object.keys(metafile.inputs).filter((name) =>
      /^node:|node_modules\/(snarkjs|circomlibjs|ffjavascript|wagmi|react|react-dom|react-aria-components|express|idb)\//.test(
        name,
      ),
    );
    assert.deepEqual(foreign, []);
  });

  test("checks a receipt once it is bundled", async () => {
    const [file] = (await bundled).outputFiles;
    assert.ok(file !== undefined);
    const url = `data:text/javascript;base64,${Buffer.from(file.contents).toString("base64")}`;
    const { checkReceipt } = (await import(url)) as typeof import("./index.ts");
    const accepts = {
      chainId: 31_337,
      market: "0x00000000000000000000000000000000000000b2",
      providers: [],
      verifiers: { "sealed-answer": [], scorecard: [] },
    } as const;
    const { verdict, steps } = await checkReceipt("{}", { accepts });
    assert.deepEqual([verdict, steps[0]?.code, steps.length], ["refused", "RECEIPT_INVALID", 4]);
  });

  test("has no element outside of a browser, and says so", async () => {
    await assertCode(() => defineReceiptElement(), "ELEMENT_UNSUPPORTED");
  });

  test("has words of its own for each code of a refusal", () => {
    const catalogue = readFileSync(new URL("../../../../docs/guides/errors.md", import.meta.url), "utf8");
    const codes = new Set(catalogue.match(/RECEIPT_[A-Z]+/g));
    assert.ok(codes.size > 15);
    for (const code of codes) assert.ok(refusalCodes.includes(code), `${code} has no words`);
    assert.equal(new Set(refusalCodes.map((code) => refusalWords(code).title)).size, refusalCodes.length);
  });
});
