// Runs the command and leaves nothing of it behind.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter } from "node:path";

/** Two signals this close are one Ctrl-C: the terminal sends it to the whole group, and npm passes it on as well. */
const SAME_INTERRUPT_MS = 500;
/** A command that was asked to end gets this long to put its state away. */
const GRACE_MS = 20_000;
/** What a finished command left running gets this long. */
const LEFTOVER_GRACE_MS = 3_000;

/**
 * The environment of everything that is run: tools first on the path, no telemetry, no look for updates.
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} path folders to put first
 * @returns {NodeJS.ProcessEnv}
 */
export function quietEnvironment(env, path) {
  return {
    ...env,
    PATH: [...path, env.PATH ?? ""].join(delimiter),
    HARDHAT_DISABLE_TELEMETRY: "true",
    DO_NOT_TRACK: "1",
    NO_UPDATE_NOTIFIER: "1",
  };
}

/**
 * @param {number} group
 * @param {NodeJS.Signals | 0} signal
 * @returns {boolean} whether the group has a member
 */
function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/**
 * Runs a program in a process group of its own, passes signals on and ends whatever it leaves behind. The first interrupt asks the
 * group to end, the second kills it.
 * @param {{ file: string, args: string[], env: NodeJS.ProcessEnv, say: (line: string) => void }} options
 * @returns {Promise<number>} its exit code; 128 + number for a signal, as shells have it
 */
export async function runCommand({ file, args, env, say }) {
  const child = spawn(file, args, { env, stdio: "inherit", detached: true });
  const group = child.pid;
  let firstAt = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const kill = () => {
    if (group !== undefined) signalGroup(group, "SIGKILL");
  };
  const onEnd = (/** @type {NodeJS.Signals} */ signal) => {
    if (group === undefined) return;
    const now = Date.now();
    if (firstAt === 0) {
      firstAt = now;
      signalGroup(group, signal);
      timer = setTimeout(() => {
        say(`Still running ${GRACE_MS / 1000} s after ${signal}: killed.`);
        kill();
      }, GRACE_MS);
    } else if (now - firstAt > SAME_INTERRUPT_MS) {
      kill();
    }
  };
  const onStop = () => {
    if (group !== undefined) signalGroup(group, "SIGSTOP");
    process.kill(process.pid, "SIGSTOP");
  };
  const pass = (/** @type {NodeJS.Signals} */ signal) => {
    if (group !== undefined) signalGroup(group, signal);
  };
  /** @type {[NodeJS.Signals, (signal: NodeJS.Signals) => void][]} */
  const handlers = [
    ...["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"].map(
      (signal) => /** @type {[NodeJS.Signals, typeof onEnd]} */ ([signal, onEnd]),
    ),
    ["SIGTSTP", onStop],
    ["SIGCONT", pass],
    ["SIGWINCH", pass],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  try {
    const { code, signal } = await new Promise((resolve, reject) => {
      child.once("error", reject);
      // "exit", not "close": a leftover that holds the output open must not keep us.
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    if (group !== undefined) await endLeftovers(group);
    return code ?? 128 + (constants.signals[/** @type {NodeJS.Signals} */ (signal)] ?? 0);
  } finally {
    clearTimeout(timer);
    for (const [signal, handler] of handlers) process.off(signal, handler);
  }
}

/** @param {number} group */
async function endLeftovers(group) {
  if (!signalGroup(group, "SIGTERM")) return;
  for (let waited = 0; waited < LEFTOVER_GRACE_MS; waited += 50) {
    if (!signalGroup(group, 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  signalGroup(group, "SIGKILL");
}
