import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

test("the main entry bundles for browsers: nothing of Node, snarkjs or circomlibjs is in it", async () => {
  const result = await build({
    entryPoints: [fileURLToPath(new URL("./index.ts", import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: "browser",
    format: "esm",
    logLevel: "silent",
  });
  const inputs = Object.keys(result.metafile.inputs);
  assert.ok(inputs.some((name) => name.endsWith("proofs/src/verify.ts")));
  const foreign = inputs.filter((name) =>
    /^node:|node_modules\/(snarkjs|circomlibjs|circom_runtime|ffjavascript)\/|proofs\/src\/prover\//.test(name),
  );
  assert.deepEqual(foreign, []);
});
