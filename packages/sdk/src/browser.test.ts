import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

test("the main entry bundles for browsers: nothing of Node is in it", async () => {
  const result = await build({
    entryPoints: [fileURLToPath(new URL("./index.ts", import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "esm",
    splitting: true,
    outdir: "unused",
    logLevel: "silent",
  });
  const inputs = Object.keys(result.metafile.inputs);
  assert.ok(inputs.some((name) => name.endsWith("createRequester.ts")));
  assert.deepEqual(
    inputs.filter((name) => name.startsWith("node:") || name.endsWith("fileKeyStore.ts")),
    [],
  );
});
