// `npm run bench`: every benchmark of scripts/bench one after the other, or the one that the first argument names.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./lib/workspace.ts";

const folder = join(root, "scripts", "bench");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3))
  .sort();

const usage = `usage: npm run bench [-- <name>] [options]

Runs one benchmark, or without a name all of them: ${names.join(", ")}. Writes nothing into git but with --write.

  --json    one line of JSON last; of several benchmarks merged into one object
  --help    print this, or with a name that benchmark's own options`;

const [first, ...rest] = process.argv.slice(2);
const named = first !== undefined && !first.startsWith("-");
if (named && !names.includes(first)) {
  console.error(`There is no benchmark "${first}".\n\n${usage}`);
  process.exitCode = 64;
} else if (named) {
  process.exitCode = (await run(first, rest, false)).code;
} else if (process.argv.includes("--help")) {
  console.log(usage);
} else {
  await runAll(process.argv.slice(2));
}

async function runAll(args: readonly string[]): Promise<void> {
  const merged: Record<string, unknown> = {};
  for (const name of names) {
    const { code, lastLine } = await run(name, args, args.includes("--json"));
    if (code !== 0) {
      console.error(`The benchmark ${name} failed with exit code ${code}.`);
      process.exitCode = 1;
      return;
    }
    if (args.includes("--json")) Object.assign(merged, JSON.parse(lastLine) as object);
  }
  if (args.includes("--json")) console.log(JSON.stringify(merged));
}

/** Runs a benchmark as a process of its own; what it prints goes on, but for the last line when that is wanted. */
function run(name: string, args: readonly string[], keepsLast: boolean): Promise<{ code: number; lastLine: string }> {
  const child = spawn(process.execPath, [join(folder, `${name}.ts`), ...args], {
    cwd: root,
    stdio: ["ignore", keepsLast ? "pipe" : "inherit", "inherit"],
  });
  let output = "";
  child.stdout?.on("data", (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      const lines = output.trimEnd().split("\n");
      const lastLine = lines.pop() ?? "";
      for (const line of lines) if (line !== "") console.log(line);
      resolve({ code: code ?? 1, lastLine });
    });
  });
}
