#!/usr/bin/env node
// Behind `npm start`, `npm test` and the other commands of package.json: makes the checkout runnable, then runs the command
// with the pinned Node. Plain JavaScript without dependencies, for Node 20: nothing is installed yet when it starts.
//
// Standard output belongs to the command (`npm start -- --once --json` is read by programs); set-up speaks on standard error.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "./setup/install.mjs";
import { acquireLock } from "./setup/lock.mjs";
import { findRuntime, SetupError } from "./setup/platform.mjs";
import { quietEnvironment, runCommand } from "./setup/run.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * What each command runs; `needs` is run before it, and speaks on standard error alone.
 * @type {Record<string, { entry: string, args?: string[], needs?: string[][], about: string }>}
 */
const commands = {
  start: {
    entry: "packages/cli/bin/quorate.mjs",
    args: ["devnet", "start"],
    needs: [["scripts/circuits.ts", "--artifacts"], ["scripts/web.ts"]],
    about: "bring up a local market and run the stories",
  },
  test: {
    entry: "scripts/test.ts",
    needs: [["scripts/circuits.ts", "--artifacts"]],
    about: "run every check and test",
  },
  "test:web": {
    entry: "scripts/test-web.ts",
    needs: [["scripts/circuits.ts", "--artifacts"]],
    about: "the web app in a browser; --full for the long version, --screenshots for pictures of every page",
  },
  check: {
    entry: "scripts/test.ts",
    args: ["--fast"],
    about: "types, lint, format, imports: the checks that take seconds",
  },
  format: { entry: "scripts/format.ts", about: "format and sort imports" },
  build: { entry: "scripts/pack.ts", about: "pack every package that users install" },
  bench: { entry: "scripts/bench.ts", about: "measure; the first argument names what, else everything" },
  "verify:contracts": {
    entry: "scripts/verify-contracts.ts",
    about: "everything that is held against the contracts: hours",
  },
  chaos: { entry: "scripts/chaos.ts", about: "inject faults into a running market; --full for the long version" },
};

/** @param {string[]} argv */
function usage(argv) {
  const lines = Object.entries(commands).map(([name, command]) => `  ${name.padEnd(18)}${command.about}`);
  return [
    ...(argv.length > 0 ? [`Unknown command "${argv[0]}".`, ""] : []),
    "usage: node scripts/setup.mjs <command> [arguments]",
    "",
    "Installs what is missing (once per lockfile), then runs the command with the Node version that the lockfile pins.",
    "",
    ...lines,
  ].join("\n");
}

/**
 * @param {string} name
 * @param {string[]} args
 * @returns {string[]} script and its arguments
 */
function resolveCommand(name, args) {
  const command = commands[name];
  if (command === undefined) throw new SetupError(usage([name]), 64);
  const file = join(root, command.entry);
  if (!existsSync(file)) throw new SetupError(`"${name}" needs ${command.entry}, which this checkout does not have.`);
  return [file, ...(command.args ?? []), ...args];
}

async function main() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 11)) {
    throw new SetupError(
      `Node ${process.versions.node} is too old to set this up: 20.11 or newer is needed.\n` +
        "On Debian 12 or newer: apt-get install -y nodejs npm (or https://nodejs.org). Node 24 itself then comes with the install.",
    );
  }
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === "--help" || name === "-h") {
    process.stdout.write(`${usage([])}\n`);
    return name === undefined ? 64 : 0;
  }
  if (commands[name] === undefined) throw new SetupError(usage([name]), 64);
  const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);
  const label = `npm ${name === "start" || name === "test" ? name : `run ${name}`}`;

  const lock = await acquireLock(join(root, ".cache", "setup.lock"), label, say);
  try {
    await ensureInstalled({ root, lock, say });
  } finally {
    lock.release();
  }
  const runtime = findRuntime(root);
  const script = resolveCommand(name, args);
  const env = quietEnvironment(process.env, [join(root, "node_modules", ".bin"), dirname(runtime)]);
  for (const [needed = "", ...options] of commands[name].needs ?? []) {
    const code = await runCommand({ file: runtime, args: [join(root, needed), ...options], env, say });
    if (code !== 0) return code;
  }
  return await runCommand({ file: runtime, args: script, env, say });
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
