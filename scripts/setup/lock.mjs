// One set-up at a time: two `npm ci` in one folder leave a tree that neither made.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * @typedef {{ pid: number, started: string }} ProcessId a pid and, since pids are reused, when the kernel started it
 * @typedef {{ owner: ProcessId, command: string, since: string, child?: ProcessId }} LockRecord
 * @typedef {{ setChild(pid: number | undefined): void, release(): void }} Lock
 */

/**
 * @param {number} pid
 * @returns {ProcessId}
 */
export function identify(pid) {
  return { pid, started: startOf(pid) };
}

/**
 * Start time of a process from /proc, empty where there is no /proc (then the pid alone counts).
 * @param {number} pid
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the command in parentheses and may hold spaces; the start time is the 20th after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {ProcessId | undefined} process_
 * @returns {boolean} whether that very process still runs
 */
export function isAlive(process_) {
  if (process_ === undefined) return false;
  try {
    process.kill(process_.pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EPERM") return false;
  }
  return process_.started === "" || startOf(process_.pid) === process_.started;
}

/**
 * @param {string} file
 * @returns {{ text: string, record: LockRecord | undefined } | undefined}
 */
function read(file) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return { text, record: JSON.parse(text) };
  } catch {
    return { text, record: undefined };
  }
}

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Takes the lock, waiting for whoever has it. The lock of a dead process is taken over; its orphaned installer is ended first,
 * because it would go on writing into node_modules.
 * @param {string} file the lock file
 * @param {string} command what is locked for, shown to those who wait
 * @param {(line: string) => void} say
 * @returns {Promise<Lock>}
 */
export async function acquireLock(file, command, say) {
  mkdirSync(dirname(file), { recursive: true });
  const owner = identify(process.pid);
  const mine = `${file}.${process.pid}`;
  /** @type {LockRecord} */
  let record = { owner, command, since: new Date().toISOString() };
  let announced = "";
  for (;;) {
    writeFileSync(mine, `${JSON.stringify(record)}\n`);
    try {
      // A link appears whole or not at all: nobody ever reads half a lock.
      linkSync(mine, file);
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    const held = read(file);
    if (held === undefined) continue;
    if (isAlive(held.record?.owner)) {
      const text = `Waiting for "${held.record?.command}" (pid ${held.record?.owner.pid}, since ${held.record?.since}): it is setting up this folder.`;
      if (text !== announced) say(text);
      announced = text;
      await sleep(200);
      continue;
    }
    if (isAlive(held.record?.child)) await endOrphan(/** @type {ProcessId} */ (held.record?.child), say);
    takeAway(file, held.text, mine);
  }
  rmSync(mine, { force: true });
  return {
    setChild(pid) {
      const { child: _, ...rest } = record;
      record = pid === undefined ? rest : { ...rest, child: identify(pid) };
      writeFileSync(mine, `${JSON.stringify(record)}\n`);
      renameSync(mine, file);
    },
    release() {
      if (read(file)?.record?.owner.pid === owner.pid) rmSync(file, { force: true });
    },
  };
}

/**
 * Removes a stale lock, unless another waiter was faster and the file is a new lock by now.
 * @param {string} file
 * @param {string} stale its content when it was judged
 * @param {string} mine
 */
function takeAway(file, stale, mine) {
  const aside = `${mine}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return;
    throw error;
  }
  if (readFileSync(aside, "utf8") !== stale) {
    try {
      linkSync(aside, file);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
  }
  rmSync(aside, { force: true });
}

/**
 * Ends an installer whose command was killed, with its children.
 * @param {ProcessId} child leader of its process group
 * @param {(line: string) => void} say
 */
async function endOrphan(child, say) {
  say(`Ending an installer that outlived its command (pid ${child.pid}).`);
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGKILL"])) {
    try {
      process.kill(-child.pid, signal);
    } catch {
      return;
    }
    for (let waited = 0; waited < 5_000; waited += 50) {
      if (!isAlive(child)) return;
      await sleep(50);
    }
  }
}
