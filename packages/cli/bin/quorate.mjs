#!/usr/bin/env node
// Plain JavaScript for Node 20: starts the command line with a Node that has node:sqlite (22.13 or newer), re-executing
// itself with the Node that came with the installation where the running one is older.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const installed = join(here, "..", "dist", "main.js");
const source = join(here, "..", "src", "main.ts");
const main = existsSync(source) ? source : installed;
// Node runs TypeScript without a build from 22.18 on.
const least = main === source ? [22, 18] : [22, 13];

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > least[0] || (major === least[0] && minor >= least[1]);
}

function bundledNode() {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    const binary = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** As the command line itself says it: one JSON line with --json, else words. */
function fail(code, message) {
  if (process.argv.includes("--json")) console.log(JSON.stringify({ error: { code, message } }));
  else console.error(`${code}: ${message}`);
  process.exitCode = 2;
}

if (isNewEnough(process.versions.node)) {
  // Compiled code is kept between starts: that halves the time to the first word.
  module.enableCompileCache?.();
  await import(pathToFileURL(main).href);
} else {
  const node = bundledNode();
  if (node === undefined) {
    fail(
      "NODE_TOO_OLD",
      `quorate needs Node ${least.join(".")} or newer, this is ${process.versions.node}, and no Node for ` +
        `${process.platform}-${process.arch} came with the installation. Install Node 24, or reinstall quorate without --omit=optional.`,
    );
  } else {
    const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
    // A terminal sends Ctrl-C to both, kill only to this one: everything is passed on, and the command line takes two that
    // come together for one.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.on("error", (error) =>
      fail("NODE_NOT_STARTED", `${node} could not be started: ${error.message}. Reinstall quorate, or use Node 24.`),
    );
    child.on("exit", (code, signal) => {
      process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
    });
  }
}
