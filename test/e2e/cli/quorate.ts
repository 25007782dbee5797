// The real command line in child processes, as a person or a script starts it.
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { until } from "@quorate/testkit";

const binary = fileURLToPath(new URL("../../../packages/cli/bin/quorate.mjs", import.meta.url));

/** Longest time for one command: the machine may be busy with much else. */
const COMMAND_MS = 120_000;

/** How a command is started. */
export type CliOptions = {
  /** State folder; `--home`. */
  readonly home?: string;
  /** Environment besides PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
};

/** How a command ended. */
export type Ended = { readonly code: number; readonly stdout: Buffer; readonly stderr: string };

/** A command that runs. */
export type Running = {
  readonly child: ChildProcessWithoutNullStreams;
  stderr(): string;
  stdout(): string;
  /** Waits for text on either stream. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  ended(): Promise<Ended>;
};

/** Starts a command and does not wait for it. */
export function startCommand(args: readonly string[], { home, env = {}, stdin = "", cwd }: CliOptions = {}): Running {
  const all = home === undefined ? args : ["--home", home, ...args];
  const child = spawn(process.execPath, [binary, ...all], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["pipe", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  // A command that needs no input may have ended before it is written.
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const stdout = (): string => Buffer.concat(out).toString("utf8");
  const stderr = (): string => Buffer.concat(err).toString("utf8");
  const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_MS * 2);
  const end = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === null && signal !== "SIGKILL")
        reject(new Error(`quorate ${args.join(" ")} died of ${signal}: ${stderr()}`));
      else resolve({ code: code ?? 137, stdout: Buffer.concat(out), stderr: stderr() });
    });
  });
  end.catch(() => {});
  return {
    child,
    stdout,
    stderr,
    async says(pattern) {
      const seen = await until(
        () => {
          // Asked first: what was written before the end is complete only then.
          const hasEnded = child.exitCode !== null || child.signalCode !== null;
          const found = pattern.exec(stderr()) ?? pattern.exec(stdout());
          return found !== null || hasEnded ? { found } : undefined;
        },
        { timeoutMs: COMMAND_MS, what: `${pattern} of quorate ${args.join(" ")}` },
      );
      assert.ok(seen.found, `quorate ${args.join(" ")} ended without ${pattern}: ${stdout()}${stderr()}`);
      return seen.found;
    },
    ended: () => end,
  };
}

/** Runs a command to its end. */
export function quorate(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  return startCommand(args, options).ended();
}

/** Parses exactly one JSON line. */
export function oneLine({ stdout, stderr }: Ended): unknown {
  const text = stdout.toString("utf8");
  assert.equal(text.split("\n").length, 2, `one line on standard output, not: ${text}\nstandard error: ${stderr}`);
  return JSON.parse(text);
}

/** Runs a command with `--json` that has to end well, and gives what its one line says. */
export async function ok(args: readonly string[], options: CliOptions = {}): Promise<Record<string, unknown>> {
  const ended = await quorate([...args, "--json"], options);
  assert.equal(ended.code, 0, `quorate ${args.join(" ")}: ${ended.stdout.toString("utf8")}${ended.stderr}`);
  return oneLine(ended) as Record<string, unknown>;
}

/** Runs a command with `--json` that has to fail with a code, both in JSON and in words. */
export async function fails(
  args: readonly string[],
  expected: { readonly code: string; readonly exit: number },
  options: CliOptions = {},
): Promise<{ readonly message: string; readonly details?: Record<string, unknown> }> {
  const ended = await quorate([...args, "--json"], options);
  const line = oneLine(ended) as { error?: { code: string; message: string; details?: Record<string, unknown> } };
  assert.equal(line.error?.code, expected.code, `quorate ${args.join(" ")}: ${JSON.stringify(line)}`);
  assert.equal(ended.code, expected.exit, JSON.stringify(line));
  assert.doesNotMatch(ended.stderr, /\n\s+at /, "no stack is shown");
  return line.error;
}
