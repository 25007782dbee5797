// Brings node_modules to the state of package-lock.json, once, and knows when that is done already.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { checkNativeParts, checkPlatform, findRuntime, platformName, SetupError } from "./platform.mjs";
import { quietEnvironment } from "./run.mjs";

/**
 * @typedef {{ version?: string, resolved?: string, integrity?: string, link?: boolean, optional?: boolean, extraneous?: boolean }} LockEntry
 * @typedef {Record<string, LockEntry>} LockEntries
 */

/** Lives in node_modules, so that whatever removes the tree removes the claim that it is whole. */
const STAMP = ".quorate-setup.json";

/**
 * @param {string} file
 * @returns {any} parsed JSON, undefined if the file is missing or broken
 */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * What the stamp of a finished install must say.
 * @param {string} root
 */
function wantedStamp(root) {
  let lockfile;
  try {
    lockfile = readFileSync(join(root, "package-lock.json"));
  } catch {
    throw new SetupError("package-lock.json is missing: this is not a whole checkout. Clone the repository again.");
  }
  return { lockfile: createHash("sha256").update(lockfile).digest("hex"), platform: platformName() };
}

/**
 * Compares the tree that npm says it has made (its hidden lockfile, written when it is done) with the lockfile and the disk.
 * @param {string} root
 * @returns {string | undefined} what is wrong, undefined if nothing
 */
export function findDefect(root) {
  /** @type {LockEntries | undefined} */
  const installed = readJson(join(root, "node_modules", ".package-lock.json"))?.packages;
  /** @type {LockEntries | undefined} */
  const wanted = readJson(join(root, "package-lock.json"))?.packages;
  if (wanted === undefined)
    throw new SetupError("package-lock.json cannot be read. Restore it: git checkout package-lock.json");
  if (installed === undefined) return "nothing is installed";
  for (const [path, entry] of Object.entries(installed)) {
    if (!existsSync(join(root, path, "package.json"))) return `${path} is missing`;
    if (entry.extraneous === true) return `${path} is not in the lockfile`;
  }
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes("node_modules/")) continue;
    const found = installed[path];
    if (found === undefined) {
      // npm leaves out the optional packages of other platforms.
      if (entry.optional === true) continue;
      return `${path} is missing`;
    }
    if (found.version !== entry.version || found.integrity !== entry.integrity || found.link !== entry.link)
      return `${path} is out of date`;
  }
  return undefined;
}

/**
 * @param {string} root
 * @returns {boolean}
 */
function isInstalled(root) {
  const stamp = readJson(join(root, "node_modules", STAMP));
  const wanted = wantedStamp(root);
  const stamped = stamp?.lockfile === wanted.lockfile && stamp?.platform === wanted.platform;
  // Without a stamp the tree may still be whole: `npm ci` by hand. Trees of another platform carry its binaries, never adopt them.
  if (findDefect(root) !== undefined || (stamp !== undefined && stamp.platform !== wanted.platform)) return false;
  if (!stamped) {
    checkNativeParts(root);
    writeStamp(root);
  }
  return true;
}

/**
 * Last step of an install; the rename makes it appear whole.
 * @param {string} root
 */
function writeStamp(root) {
  const file = join(root, "node_modules", STAMP);
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(wantedStamp(root))}\n`);
  renameSync(`${file}.${process.pid}`, file);
}

/**
 * How to call npm: the one that called us, else the one on the path.
 * @returns {{ file: string, args: string[] }}
 */
function npmCommand() {
  const script = process.env.npm_execpath;
  if (script !== undefined && /^npm(-cli)?\.c?js$/.test(basename(script)) && existsSync(script)) {
    return { file: process.execPath, args: [script] };
  }
  return { file: process.platform === "win32" ? "npm.cmd" : "npm", args: [] };
}

/**
 * Installs when something is missing, and leaves a whole tree alone without touching the network.
 * @param {{ root: string, lock: import("./lock.mjs").Lock, say: (line: string) => void }} options
 * @throws {SetupError} when npm fails or the platform lacks a native part
 */
export async function ensureInstalled({ root, lock, say }) {
  checkPlatform();
  if (!isInstalled(root)) {
    const count = Object.keys(readJson(join(root, "package-lock.json"))?.packages ?? {}).length;
    say(`Installing about ${count} packages from the lockfile (once; a minute or two)…`);
    const started = Date.now();
    await npmCi(root, lock);
    const defect = findDefect(root);
    if (defect !== undefined)
      throw new SetupError(
        `npm ci ended well, but ${defect}. Look for a setting of npm that leaves packages out: npm config list`,
      );
    checkNativeParts(root);
    findRuntime(root);
    writeStamp(root);
    say(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
  }
}

/**
 * @param {string} root
 * @param {import("./lock.mjs").Lock} lock
 */
async function npmCi(root, lock) {
  const npm = npmCommand();
  // dev and optional are named because a NODE_ENV=production or omit=optional of the user would leave a tree that cannot run.
  const flags = [
    "ci",
    "--ignore-scripts",
    "--include=dev",
    "--include=optional",
    "--prefer-offline",
    // A connection that stalls is given up and made anew, instead of after five minutes.
    "--fetch-timeout=60000",
    "--fetch-retries=4",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const env = { ...quietEnvironment(process.env, []), npm_config_update_notifier: "false" };
  // A group of its own, so that an interrupt ends npm with its children and a later command can end an orphan.
  const child = spawn(npm.file, [...npm.args, ...flags], { cwd: root, env, detached: true, stdio: ["ignore", 2, 2] });
  if (child.pid !== undefined) lock.setChild(child.pid);
  /** @type {NodeJS.Signals | undefined} */
  let interrupted;
  const onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    interrupted = signal;
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  };
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, onSignal);
  const result = await new Promise((resolve) => {
    child.once("error", (error) => resolve({ error }));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  for (const signal of signals) process.off(signal, onSignal);
  lock.setChild(undefined);
  if (interrupted !== undefined)
    throw new SetupError("Interrupted while installing; the next command starts the install again.", 130);
  if (result.error !== undefined)
    throw new SetupError(`npm could not be started (${result.error.message}). Install npm: apt-get install -y npm`);
  if (result.code !== 0) {
    throw new SetupError(
      `npm ci failed (${result.signal ?? `exit code ${result.code}`}); its words are above.\n` +
        "The first install needs the npm registry, or npm's cache; later commands work without a network. Then run the command again.",
    );
  }
}
