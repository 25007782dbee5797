import { FailureCause, nameOf, ReportCode } from "@quorate/core";
import type { TriedRun } from "../../workers/run.ts";

/** How a run in the browser ended, for people. */
export type TryWords = {
  readonly tone: "good" | "warn" | "bad";
  readonly title: string;
  readonly text: string;
};

const causes: Readonly<Record<FailureCause, string>> = {
  [FailureCause.NonZeroExit]: "The program ended with an error",
  [FailureCause.Trap]:
    "The program did something that WebAssembly stops: a division by zero, memory out of bounds, or the like",
  [FailureCause.FuelExhausted]: "The program used up its fuel. Give it more, or less to do",
  [FailureCause.MemoryExceeded]: "The program asked for more memory than its limit. Raise the limit, or use less",
  [FailureCause.OutputExceeded]: "The program wrote more than its output limit. Raise the limit, or write less",
  [FailureCause.ProgramInvalid]: "The program cannot be loaded: it is no valid module, or uses what is not there",
};

const reports: Readonly<Partial<Record<ReportCode, string>>> = {
  [ReportCode.WallTime]: "The run took longer than its time limit",
  [ReportCode.HostFailure]: "This browser could not go on with the run",
  [ReportCode.EngineUnavailable]: "This version of the app does not have the engine that the program needs",
  [ReportCode.OutputUndeterminable]: "The result is not certain to be the same everywhere",
};

/**
 * What a run in the browser means for sending the job.
 *
 * @param run - How it ended.
 */
export function tryWords(run: TriedRun): TryWords {
  switch (run.kind) {
    case "ok":
      return {
        tone: "good",
        title: "It runs",
        text: "Providers use the same engine, so every honest one gets exactly this result.",
      };
    case "failed":
      return {
        tone: "bad",
        title: "The program failed",
        text: `${causes[run.cause] ?? nameOf(FailureCause, run.cause)}${
          run.cause === FailureCause.NonZeroExit ? ` (exit code ${run.exitCode})` : ""
        }. Every provider would see the same, and each would be paid for it.`,
      };
    case "report":
      return {
        tone: "bad",
        title: "It could not be run here",
        text: `${reports[run.code] ?? nameOf(ReportCode, run.code)}. ${run.detail} Providers that meet the same report it instead of computing.`,
      };
    case "out-of-time":
      return {
        tone: "bad",
        title: "The time limit is over",
        text: "The run was ended after its time limit. A provider whose machine is as fast as this one would report that it could not compute: raise the time limit, or give the program less to do.",
      };
    case "stopped":
      return { tone: "warn", title: "Stopped", text: "You ended the run before it was done." };
    default:
      return run satisfies never;
  }
}
