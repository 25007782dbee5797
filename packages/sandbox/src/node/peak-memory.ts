import { readFileSync } from "node:fs";

/**
 * Largest resident set that a process or one below it has had.
 *
 * The process cannot say this itself: what `getrusage` gives begins with the size of the parent that it was forked from.
 *
 * @param pid Process that is still alive.
 * @returns Bytes; undefined where the system has no `/proc`.
 */
export function peakMemory(pid: number): number | undefined {
  const pending = [pid];
  let peak: number | undefined;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    try {
      const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${next}/status`, "latin1"))?.[1];
      if (kibibytes !== undefined) peak = Math.max(peak ?? 0, Number(kibibytes) * 1_024);
      const children = readFileSync(`/proc/${next}/task/${next}/children`, "latin1").split(" ");
      pending.push(...children.filter((child) => child !== "").map(Number));
    } catch {
      // It has ended meanwhile, or there is no such folder.
    }
  }
  return peak;
}
