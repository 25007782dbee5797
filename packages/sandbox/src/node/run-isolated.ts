import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { type Clock, decodePackage, type Package, ReportCode, type RunLimits, systemClock } from "@quorate/core";
import { NO_USAGE, PAGE_BYTES } from "../internal/engine.ts";
import { isKnownEngine } from "../internal/engines.ts";
import { decodeResult, encodeInput, frameLength, MAX_HEADER_BYTES, PREFIX_BYTES, READY } from "../internal/frames.ts";
import type { RunResult } from "../result.ts";
import { publishResult } from "../run-package.ts";
import { childEntry, commandFor, findTool, type Isolation, type ProcessLimits, requireIsolation } from "./isolation.ts";
import { peakMemory } from "./peak-memory.ts";

/** The operator's own ceilings for one run. */
export type HostLimits = Omit<RunLimits, "fuel">;

/** Options of {@link runIsolated}. */
export type IsolatedRunOptions = {
  /** Mode; a run never falls back to a weaker one. */
  readonly isolation: Isolation;
  /** Ends the process; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Ceilings of this host. A package that asks more is reported, not run. */
  readonly limits?: Partial<HostLimits>;
  readonly clock?: Clock;
};

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Kept of the child's standard error for the operator, bytes. */
const STDERR_BYTES = 2_048;
/** Longest time for the engine to load, before the program's own time begins. */
const START_TIMEOUT_MS = 20_000;
/**
 * Writable memory that Node maps before any program, most of it never touched (567 MiB measured, of it 45 MiB
 * resident), with room for the heap and the compiler.
 */
const BASE_DATA_BYTES = 1_024 * 2 ** 20;
/** The package is held as received, instrumented and compiled. */
const DATA_PER_PACKAGE_BYTE = 12;
const HEAP_MEBIBYTES = 256;
/** Descriptors that stay open belong to the engine; no further one can be had. */
const NO_FURTHER_DESCRIPTORS = 3;

/**
 * Runs a package in a process of its own and ends that process on every overrun.
 *
 * What the engine counts is a computed answer; what only this host observes, wall time, the end of its memory, a process
 * that dies, is a report.
 *
 * @param pkg Package, or its encoding from anywhere.
 * @param options Mode, signal, ceilings.
 * @throws FatalError `PACKAGE_MALFORMED` for bytes that are no package; `ISOLATION_UNAVAILABLE` naming what is missing;
 * the signal's reason.
 */
export async function runIsolated(pkg: Package | Uint8Array, options: IsolatedRunOptions): Promise<RunResult> {
  return runInChild(pkg, options, childEntry);
}

/**
 * {@link runIsolated} with a child of the caller's choice, for tests of what a child may do that its program has taken
 * over.
 *
 * @param entryFor Script and arguments of the child, by engine.
 */
export async function runInChild(
  pkg: Package | Uint8Array,
  options: IsolatedRunOptions,
  entryFor: (engine: string) => readonly string[],
): Promise<RunResult> {
  const { isolation, signal, clock = systemClock } = options;
  signal?.throwIfAborted();
  const decoded = pkg instanceof Uint8Array ? decodePackage(pkg) : pkg;
  await requireIsolation(isolation);
  signal?.throwIfAborted();
  const startedAt = clock.now();
  const report = (code: ReportCode, detail: string): RunResult => ({
    kind: "report",
    code,
    detail,
    usage: { ...NO_USAGE, elapsedMs: clock.now() - startedAt },
  });
  const { engine, limits } = decoded.manifest;
  if (!isKnownEngine(engine)) {
    return report(ReportCode.EngineUnavailable, `The engine ${engine.name} ${engine.version} is not installed here.`);
  }
  for (const name of ["memoryBytes", "outputBytes", "wallTimeMs"] as const) {
    const ceiling = options.limits?.[name];
    if (ceiling !== undefined && limits[name] > ceiling) {
      return report(
        ReportCode.RequirementsExceeded,
        `The package asks ${name} of ${limits[name]}; this host gives at most ${ceiling}.`,
      );
    }
  }
  const packageBytes = [...decoded.files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  const command = commandFor(isolation, entryFor(engine.name), {
    dataBytes: BASE_DATA_BYTES + limits.memoryBytes + 3 * limits.outputBytes + DATA_PER_PACKAGE_BYTE * packageBytes,
    // Twice the wall time: the compiler's threads count too.
    cpuSeconds: Math.ceil((limits.wallTimeMs + START_TIMEOUT_MS) / 500),
    memoryPages: Math.max(256, Math.ceil(limits.memoryBytes / PAGE_BYTES)),
    heapMebibytes: HEAP_MEBIBYTES,
  } satisfies ProcessLimits);
  const child = spawn(command.file, command.args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: {},
    cwd: "/",
    // A group of its own, so that nothing the child might start outlives it.
    detached: true,
  });
  const run = new ChildRun(child, decoded, isolation === "process" ? findTool("prlimit") : undefined);
  return run.wait(signal, (ending) => {
    const elapsedMs = clock.now() - startedAt;
    switch (ending.kind) {
      case "result": {
        try {
          const result = decodeResult(ending.bytes, limits.outputBytes);
          const { peakProcessBytes } = ending;
          return publishResult(result, {
            elapsedMs,
            ...(peakProcessBytes === undefined ? {} : { peakProcessBytes }),
          });
        } catch {
          return report(ReportCode.HostFailure, "The process answered with something that is no result.");
        }
      }
      case "wallTime":
        return report(ReportCode.WallTime, `The run took longer than its ${limits.wallTimeMs} ms.`);
      case "died":
        return report(ReportCode.HostFailure, `The process ended without an answer: ${ending.detail}.`);
      default:
        return ending satisfies never;
    }
  });
}

type Ending =
  | { readonly kind: "result"; readonly bytes: Uint8Array; readonly peakProcessBytes: number | undefined }
  | { readonly kind: "wallTime" }
  | { readonly kind: "died"; readonly detail: string };

/** One child from its start to its end. */
class ChildRun {
  readonly #child: Child;
  readonly #pkg: Package;
  readonly #prlimit: string | undefined;
  readonly #chunks: Uint8Array[] = [];
  #received = 0;
  #expected: number | undefined;
  #stderr = "";
  #ready = false;
  #ending: Ending | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Ends with the tool that lowers the child's limits, which must not outlive the run either. */
  #lowering: Promise<boolean> = Promise.resolve(true);

  constructor(child: Child, pkg: Package, prlimit: string | undefined) {
    this.#child = child;
    this.#pkg = pkg;
    this.#prlimit = prlimit;
  }

  wait(signal: AbortSignal | undefined, finish: (ending: Ending) => RunResult): Promise<RunResult> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const abort = (): void => this.#kill();
      signal?.addEventListener("abort", abort, { once: true });
      this.#timer = setTimeout(() => this.#end({ kind: "died", detail: "it did not start in time" }), START_TIMEOUT_MS);
      child.stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
      child.stderr.on("data", (chunk: Buffer) => {
        this.#stderr = (this.#stderr + chunk.toString("latin1")).slice(-STDERR_BYTES);
      });
      // A child that dies early closes its input; how it ended tells more than the broken pipe.
      child.stdin.on("error", () => {});
      child.on("error", (error) => this.#end({ kind: "died", detail: error.message }));
      child.on("close", async (code, killedBy) => {
        clearTimeout(this.#timer);
        await this.#lowering;
        signal?.removeEventListener("abort", abort);
        if (signal?.aborted === true) {
          reject(signal.reason);
          return;
        }
        const why = killedBy === null ? `exit code ${code}` : `signal ${killedBy}`;
        const words = this.#stderr.replaceAll(/[^\x20-\x7e]+/g, " ").trim();
        const detail = words === "" ? why : `${why}; it said: ${words.slice(-400)}`;
        resolve(finish(this.#ending ?? { kind: "died", detail }));
      });
      if (signal?.aborted === true) abort();
    });
  }

  #receive(chunk: Buffer): void {
    let rest: Uint8Array = chunk;
    if (!this.#ready) {
      if (chunk[0] !== READY) {
        this.#end({ kind: "died", detail: "it answered before it was asked" });
        return;
      }
      this.#ready = true;
      rest = chunk.subarray(1);
      void this.#begin();
    }
    this.#received += rest.length;
    // A flood is cut off here, whatever the engine inside thinks of its limits.
    if (this.#received > this.#pkg.manifest.limits.outputBytes + MAX_HEADER_BYTES + PREFIX_BYTES) {
      this.#end({ kind: "died", detail: "it answered with more than it may" });
    } else if (rest.length > 0) {
      this.#chunks.push(rest);
      this.#finishIfWhole();
    }
  }

  /** Once the answer is whole the child is of no more use; on its own it would wait for its compiler's threads. */
  #finishIfWhole(): void {
    if (this.#expected === undefined && this.#received >= PREFIX_BYTES) {
      this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks));
      this.#expected = frameLength(this.#chunks[0] as Uint8Array);
    }
    if (this.#expected !== undefined && this.#received >= this.#expected) {
      const peakProcessBytes = peakMemory(this.#child.pid ?? 0);
      this.#end({ kind: "result", bytes: Buffer.concat(this.#chunks), peakProcessBytes });
    }
  }

  /** Takes the right to open anything, then hands over the package; the program's time begins. */
  async #begin(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#prlimit !== undefined) this.#lowering = this.#lowerLimits(this.#prlimit);
    const lowered = await this.#lowering;
    // Nobody can lower the limits of a process that is gone: how it went tells more.
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#ending !== undefined) return;
    if (!lowered) {
      this.#end({ kind: "died", detail: "its right to open descriptors could not be taken" });
      return;
    }
    const { wallTimeMs } = this.#pkg.manifest.limits;
    this.#timer = setTimeout(() => this.#end({ kind: "wallTime" }), Math.min(wallTimeMs, 2 ** 31 - 1));
    for (const part of encodeInput(this.#pkg)) this.#child.stdin.write(part);
    this.#child.stdin.end();
  }

  #lowerLimits(prlimit: string): Promise<boolean> {
    const args = [
      "--pid",
      String(this.#child.pid),
      `--nofile=${NO_FURTHER_DESCRIPTORS}:${NO_FURTHER_DESCRIPTORS}`,
      "--nproc=0:0",
    ];
    const tool = spawn(prlimit, args, { stdio: "ignore", env: {} });
    return new Promise((resolve) => {
      tool.on("error", () => resolve(false));
      tool.on("close", (code) => resolve(code === 0));
    });
  }

  /** Decides how the run ended and ends the child; the first decision stands. */
  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#kill();
  }

  #kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      this.#child.kill("SIGKILL");
    }
  }
}
