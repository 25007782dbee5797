// Which Node runs the project here, and what to say where none can.
import { existsSync } from "node:fs";
import { join } from "node:path";

/** A set-up that cannot go on; the message says what is wrong and what to do. */
export class SetupError extends Error {
  /**
   * @param {string} message what happened, why, what to do
   * @param {number} [exitCode] of the process, 1 unless told
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.name = "SetupError";
    this.exitCode = exitCode;
  }
}

/** Names this platform as npm's `os` and `cpu` fields do; musl is apart, since Node's builds want glibc. */
export function platformName() {
  return `${process.platform}-${process.arch}${isMusl() ? "-musl" : ""}`;
}

function isMusl() {
  if (process.platform !== "linux") return false;
  // @ts-expect-error @types/node declares getReport() as a bare object
  return process.report?.getReport().header.glibcVersionRuntime === undefined;
}

/** The running Node strips types by itself: 24, or the 22 line from 22.18. */
function runsTypeScript() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major >= 24 || (major === 22 && minor >= 18);
}

/** Platforms for which the lockfile pins a Node. */
const PINNED = ["linux-x64", "linux-arm64"];

/**
 * Refuses a platform on which nothing could run, before anything is installed.
 * @throws {SetupError} with what to do
 */
export function checkPlatform() {
  if (PINNED.includes(platformName()) || runsTypeScript()) return;
  throw new SetupError(
    `This is ${platformName()} with Node ${process.versions.node}. The install brings its own Node 24 on linux-x64 and linux-arm64 with glibc only.\n` +
      "Install Node 24 (https://nodejs.org) and run the command again with it.",
  );
}

/**
 * The Node that runs the project: the one which the lockfile pins where npm carries it, else the running one if it is new enough.
 * @param {string} root of the checkout
 * @returns {string} absolute path of the binary
 * @throws {SetupError} when there is none, with what to do
 */
export function findRuntime(root) {
  checkPlatform();
  const platform = platformName();
  const pinned = join(root, "node_modules", `node-${platform}`, "bin", "node");
  if (PINNED.includes(platform) && existsSync(pinned)) return pinned;
  if (runsTypeScript()) return process.execPath;
  throw new SetupError(
    `node_modules/node-${platform} is missing: npm was told to omit optional packages, or its download failed.\n` +
      "Check `npm config get omit`, then: rm -rf node_modules && npm ci",
  );
}

/**
 * Native parts without which nothing runs, and that npm installs for some platforms only.
 * @param {string} root of the checkout
 * @throws {SetupError} naming the part and the way to try it
 */
export function checkNativeParts(root) {
  const suffix =
    process.platform === "linux" ? (isMusl() ? "-musl" : "-gnu") : process.platform === "win32" ? "-msvc" : "";
  const edr = `@nomicfoundation/edr-${process.platform}-${process.arch}${suffix}`;
  if (existsSync(join(root, "node_modules", edr, "package.json"))) return;
  throw new SetupError(
    `The lockfile carries no build of Hardhat's engine for ${platformName()} (${edr}); the project is tested on linux-x64.\n` +
      `To try it here: npm install --no-save --ignore-scripts ${edr}@<version of @nomicfoundation/edr in package-lock.json>`,
  );
}
