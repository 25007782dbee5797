// Runs a test task of Hardhat and writes its counts, as Hardhat returns them, in the form of scripts/test/reporter.ts.
//   node scripts/test/run-hardhat.ts <report file> <task>…
import { writeFileSync } from "node:fs";
import hre from "hardhat";
import type { ReportLine } from "./reporter.ts";

/** What Hardhat's test tasks return; the parts read here. */
type TaskResult = {
  readonly success: boolean;
  readonly value?: TaskValue;
  readonly error?: TaskValue;
};
type TaskValue = {
  readonly summary: {
    readonly failed: number;
    readonly passed: number;
    readonly skipped: number;
    readonly failureOutput?: string;
  };
  readonly suiteResults?: readonly {
    readonly id: { readonly name: string; readonly source: string };
    readonly durationNs: bigint;
    readonly testResults: readonly { readonly name: string; readonly status: string; readonly durationNs: bigint }[];
  }[];
};

const [reportFile, ...task] = process.argv.slice(2);
if (reportFile === undefined || task.length === 0) throw new Error("usage: run-hardhat.ts <report file> <task>…");

// Numbered from 1 on, a task of Hardhat returns its counts and leaves the summary to its caller.
const result = (await hre.tasks.getTask(task).run({ testSummaryIndex: 1 })) as TaskResult;
const value = result.value ?? result.error;
if (value === undefined) throw new Error(`hardhat ${task.join(" ")} returned no result`);

const lines: ReportLine[] = [];
const kinds: Record<string, "pass" | "fail" | "skip"> = { Success: "pass", Failure: "fail", Skipped: "skip" };
for (const suite of value.suiteResults ?? []) {
  for (const test of suite.testResults) {
    const type = kinds[test.status] ?? "fail";
    lines.push({
      type,
      name: `${suite.id.name} > ${test.name}`,
      file: suite.id.source,
      ms: Number(test.durationNs / 1_000n) / 1_000,
      ...(type === "fail" ? { detail: value.summary.failureOutput ?? "" } : {}),
    });
  }
}
const counted = (type: string): number => lines.filter((line) => line.type === type).length;
const { passed, failed, skipped } = value.summary;
// The list names the tests, the summary is Hardhat's own count: two witnesses of one run must agree.
if (counted("pass") !== passed || counted("fail") !== failed || counted("skip") !== skipped) {
  throw new Error(
    `Hardhat counts ${passed} passed, ${failed} failed, ${skipped} skipped, but lists ${lines.length} tests`,
  );
}
if (result.success !== (failed === 0)) throw new Error("Hardhat reports an error beside its tests; see its output");
lines.push({ type: "end" });
writeFileSync(reportFile, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
process.exitCode = failed === 0 ? 0 : 1;
