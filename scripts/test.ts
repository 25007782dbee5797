// `npm test`: runs the steps of scripts/test/steps.ts side by side, prints what came of them, and ends with the line
// `N passed, N failed`. Exit code 0 only if nothing failed.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureDebianPackages, thisMachine } from "./test/debian.ts";
import { endAll, runStep, type StepResult } from "./test/run-step.ts";
import { schedule, selectSteps } from "./test/schedule.ts";
import { listSteps } from "./test/steps.ts";

const USAGE = `usage: npm test -- [options]

  --only <step>   run this step and those it needs; may be repeated; a prefix names all that begin with it
  --fast          run the steps of \`npm run check\`
  --list          print the steps and end
  --json          print one line of JSON last on standard output, everything else on standard error
  --slowest <n>   how many of the slowest tests to name (10)
  --help          print this`;

const SLOW_MS = 1_000;

function duration(ms: number): string {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: [] },
      fast: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      slowest: { type: "string", default: "10" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const print = values.json ? console.error : console.log;
  const all = listSteps();
  if (values.list) {
    for (const step of all) console.log(`${step.name}${step.fast === true ? " (fast)" : ""}`);
    return 0;
  }
  const steps = selectSteps(all, { only: values.only, fast: values.fast });
  if (!values.fast) {
    const line = ensureDebianPackages(thisMachine, print);
    if (line !== undefined) {
      console.error(
        `The tests need Debian packages that this account may not install. Run this, then npm test again:\n  ${line}`,
      );
      return 1;
    }
  }

  const scratch = mkdtempSync(join(tmpdir(), "quorate-test-"));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) {
    process.once(signal, () => {
      endAll();
      rmSync(scratch, { recursive: true, force: true });
      console.error(`${signal}: ended before all steps were done`);
      process.exit(130);
    });
  }
  process.once("exit", endAll);
  const started = performance.now();
  // Two at least: steps wait for processes as much as they compute.
  const cores = Math.max(2, availableParallelism());
  print(`${steps.length} steps, ${cores} at a time`);
  let results: readonly StepResult[];
  try {
    results = await schedule(steps, cores, async (step) => {
      const result = await runStep(step, scratch);
      const sum = `${result.passed.length} passed${result.failures.length > 0 ? `, ${result.failures.length} failed` : ""}`;
      print(
        `${result.failures.length === 0 ? "✔" : "✘"} ${step.name.padEnd(18)} ${sum.padEnd(24)} ${duration(result.ms)}`,
      );
      return result;
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }

  const tests = results.flatMap((result) => [...result.passed, ...result.failures]);
  const slow = tests
    .filter(({ ms }) => ms >= SLOW_MS)
    .sort((a, b) => b.ms - a.ms)
    .slice(0, Number(values.slowest));
  if (slow.length > 0) print("\nSlowest");
  for (const { ms, name, file } of slow) print(`  ${duration(ms).padStart(8)}  ${name}  (${file})`);
  for (const result of results) {
    for (const { name, file, detail } of result.failures) print(`\n✘ ${result.step}: ${name}\n  ${file}\n${detail}`);
  }
  const passed = results.reduce((sum, result) => sum + result.passed.length, 0);
  const failed = results.reduce((sum, result) => sum + result.failures.length, 0);
  const ms = performance.now() - started;
  print(`\n${duration(ms)}`);
  if (values.json) {
    const list = results.map(({ step, ms, passed, failures }) => ({
      step,
      ms: Math.round(ms),
      passed: passed.length,
      failed: failures.length,
    }));
    console.error(`${passed} passed, ${failed} failed`);
    console.log(JSON.stringify({ passed, failed, ms: Math.round(ms), steps: list }));
  } else console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

process.exitCode = await main();
