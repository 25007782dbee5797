// Runs one step and says what came of it. Nothing here decides what a step is (steps.ts) or prints (test.ts).
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "../lib/workspace.ts";
import { FILE_FAILED, type ReportLine } from "./reporter.ts";
import type { Command, Step } from "./steps.ts";

/** A test that was run. */
export type TestResult = { readonly name: string; readonly file: string; readonly ms: number };
/** A test that failed, with everything needed to understand it. */
export type Failure = TestResult & { readonly detail: string };
/** What came of a step. */
export type StepResult = {
  readonly step: string;
  readonly ms: number;
  readonly passed: readonly TestResult[];
  readonly failures: readonly Failure[];
};

const DEFAULT_TIMEOUT_MS = 600_000;
/** One test of node:test may take this long; a hanging one then has a name. */
const TEST_TIMEOUT_MS = 240_000;
/** Of the output of a failed command or file, the end is kept. */
const KEPT_OUTPUT = 40_000;

const groups = new Set<number>();

/** Ends every process that a step started; for signals and the end of the process. */
export function endAll(): void {
  for (const group of groups) killGroup(group);
}

function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It has ended.
  }
}

type Ended = {
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly output: string;
  readonly ms: number;
};

/**
 * Runs a program to its end, in a process group of its own that is ended with it.
 *
 * @param argv program and arguments; `node` is the running Node
 * @param timeoutMs after which the group is killed
 * @returns exit code, or the reason why there is none, and the last part of its output
 */
export async function runProgram(argv: readonly string[], timeoutMs: number): Promise<Ended> {
  const started = performance.now();
  const [program = "", ...args] = argv;
  const child: ChildProcess = spawn(program === "node" ? process.execPath : program, args, {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NO_COLOR: "1",
      FORCE_COLOR: undefined,
      NODE_TEST_CONTEXT: undefined,
      // Hundreds of test files load the same modules: types are stripped and code compiled once.
      NODE_COMPILE_CACHE: join(root, ".cache", "node"),
    },
  });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-KEPT_OUTPUT);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  if (child.pid !== undefined) groups.add(child.pid);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    if (child.pid !== undefined) killGroup(child.pid);
  }, timeoutMs);
  const end = await new Promise<{ code: number | null; signal: string | null; error?: Error }>((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
    // A grandchild that outlives the program holds its output open: it is ended here, not waited for.
    child.once("exit", () => child.pid !== undefined && killGroup(child.pid));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  clearTimeout(timer);
  if (child.pid !== undefined) groups.delete(child.pid);
  const ms = performance.now() - started;
  // Some tools colour whatever NO_COLOR says.
  output = stripVTControlCharacters(output);
  const reason = timedOut
    ? `ended after its limit of ${timeoutMs / 1000} s`
    : (end.error?.message ?? (end.signal === null ? undefined : `killed by ${end.signal}`));
  return { code: end.code ?? undefined, reason, output, ms };
}

/**
 * Runs a step.
 *
 * @param step of the table
 * @param scratch a folder for its report
 * @returns its tests; a step that crashed or ran no test has a failure that says so
 */
export async function runStep(step: Step, scratch: string): Promise<StepResult> {
  const started = performance.now();
  const timeoutMs = step.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const result =
    step.work.kind === "commands"
      ? await runCommands(step.work.commands, timeoutMs)
      : await runTests(step, scratch, timeoutMs);
  const nothing = result.passed.length + result.failures.length === 0;
  const failures = nothing
    ? [{ name: "it runs tests", file: step.name, ms: 0, detail: "not one test was run" }]
    : result.failures;
  return { step: step.name, ms: performance.now() - started, passed: result.passed, failures };
}

type Outcome = { passed: TestResult[]; failures: Failure[] };

async function runCommands(commands: readonly Command[], timeoutMs: number): Promise<Outcome> {
  const outcome: Outcome = { passed: [], failures: [] };
  for (const { name, argv } of commands) {
    const { code, reason, output, ms } = await runProgram(argv, timeoutMs);
    const file = argv.map((word) => relative(root, word) || word).join(" ");
    if (code === 0 && reason === undefined) outcome.passed.push({ name, file, ms });
    else outcome.failures.push({ name, file, ms, detail: `${reason ?? `exit code ${code}`}\n${output.trim()}` });
  }
  return outcome;
}

async function runTests(step: Step, scratch: string, timeoutMs: number): Promise<Outcome> {
  const report = join(scratch, `${step.name.replaceAll(/\W/g, "-")}.jsonl`);
  const { work } = step;
  if (work.kind === "commands") throw new Error("commands have no report");
  const files = work.kind === "node-test" ? work.files.map((file) => resolve(root, file)) : undefined;
  if (files?.length === 0) return { passed: [], failures: [] };
  const argv =
    work.kind === "hardhat"
      ? ["node", join(root, "scripts/test/run-hardhat.ts"), report, ...work.task]
      : [
          "node",
          "--test",
          `--test-isolation=${work.isolation}`,
          // One process takes no number of processes.
          ...(work.isolation === "none" ? [] : ["--test-concurrency=1"]),
          `--test-timeout=${TEST_TIMEOUT_MS}`,
          `--test-reporter=${join(root, "scripts/test/reporter.ts")}`,
          `--test-reporter-destination=${report}`,
          ...(files ?? []),
        ];
  const ended = await runProgram(argv, timeoutMs);
  const lines = existsSync(report) ? parseReport(readFileSync(report, "utf8")) : [];
  return judgeReport(lines, { files, code: ended.code, reason: ended.reason, output: ended.output, step: step.name });
}

/**
 * Reads a report; a line that was cut off by a crash is left out, the missing end is noticed by {@link judgeReport}.
 *
 * @param text JSON lines
 * @returns the lines
 */
export function parseReport(text: string): readonly ReportLine[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ReportLine);
}

/** How the program that wrote a report ended. */
export type RunEnd = {
  /** Test files that had to run, absolute; undefined where the program finds them itself. */
  readonly files: readonly string[] | undefined;
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly output: string;
  readonly step: string;
};

/**
 * Counts a report. What did not pass, failed: skipped tests, files without a test, files that left early, a run without an end and
 * a bad exit code that no failed test explains.
 *
 * @param lines of the report
 * @param end of the program that wrote it
 * @returns tests that passed and failed
 */
export function judgeReport(lines: readonly ReportLine[], end: RunEnd): Outcome {
  const outcome: Outcome = { passed: [], failures: [] };
  const show = (file: string): string => (file.startsWith(root) ? relative(root, file) : file);
  const outputs = new Map<string, string>();
  const counts = new Map<string, number>();
  let ended = false;
  for (const line of lines) {
    if (line.type === "end") ended = true;
    else if (line.type === "file") counts.set(line.file, line.tests);
    else if (line.type === "output")
      outputs.set(line.file, ((outputs.get(line.file) ?? "") + line.text).slice(-KEPT_OUTPUT));
    else {
      const test = { name: line.name, file: show(line.file), ms: line.ms };
      if (line.type === "pass") outcome.passed.push(test);
      else
        outcome.failures.push({
          ...test,
          detail:
            line.type === "skip" ? "skipped: a test that is not run does not count as passed" : (line.detail ?? ""),
        });
    }
  }
  for (const file of end.files ?? []) {
    const tests = counts.get(file);
    if (tests !== undefined && tests > 0) continue;
    const detail =
      tests === 0 ? "it has no test" : "it left before its tests were done (process.exit, a crash), or has none";
    outcome.failures.push({ name: "the file runs its tests to the end", file: show(file), ms: 0, detail });
  }
  const explained = ended && end.reason === undefined && (end.code === 0 || outcome.failures.length > 0);
  if (!explained) {
    const why = end.reason ?? (ended ? `exit code ${end.code}` : `ended without a report (exit code ${end.code})`);
    outcome.failures.push({
      name: "it runs to the end",
      file: end.step,
      ms: 0,
      detail: `${why}\n${end.output.trim()}\n${outputs.get("") ?? ""}`.trimEnd(),
    });
  }
  const failed = new Set(outcome.failures.map((failure) => failure.file));
  const printed = [...outputs].filter(([file]) => failed.has(show(file)));
  for (const [file, text] of printed) {
    const last = outcome.failures.findLastIndex((failure) => failure.file === show(file));
    const failure = outcome.failures[last];
    if (failure !== undefined)
      outcome.failures[last] = {
        ...failure,
        detail: `${failure.detail}\n--- printed by ${show(file)}\n${text.trim()}`,
      };
  }
  // What files of one process print is the output of all.
  const failures = outcome.failures.map((failure) =>
    failure.detail === FILE_FAILED ? { ...failure, detail: `${failure.detail}\n${end.output.trim()}` } : failure,
  );
  return { ...outcome, failures };
}
