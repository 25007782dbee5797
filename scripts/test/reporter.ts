// A reporter of node:test that writes one JSON line an event, for scripts/test.ts to count. Pretty text is for people; counts
// are read from here.
import { resolve } from "node:path";
import { inspect } from "node:util";

/** A line of the report. */
export type ReportLine =
  | {
      readonly type: "pass" | "fail" | "skip";
      readonly name: string;
      readonly file: string;
      readonly ms: number;
      readonly detail?: string;
    }
  /** A file ended by itself, with this many tests in it. */
  | { readonly type: "file"; readonly file: string; readonly tests: number }
  | { readonly type: "output"; readonly file: string; readonly text: string }
  /** The run ended by itself; without this line it crashed. */
  | { readonly type: "end" };

/** Said of a file that failed beside its tests. */
export const FILE_FAILED = "the process of this file failed";

type TestEvent = {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the events of node:test are a union that @types/node declares in part only
  readonly data: any;
};

/**
 * Turns the events of node:test into report lines.
 *
 * @param source events of the run
 * @returns report lines, each a JSON text with its newline
 */
export default async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const path: string[] = [];
  /** Tests by file; told at the end of a run in one process, where files do not end one by one. */
  const tests = new Map<string, number>();
  let haveEnded = false;
  for await (const { type, data } of source) {
    const line = toLine(type, data, path);
    if (line === undefined) continue;
    if (line.type === "file") haveEnded = true;
    else if (line.type === "end" && !haveEnded) {
      for (const [file, count] of tests) yield `${JSON.stringify({ type: "file", file, tests: count })}\n`;
    } else if ("name" in line) tests.set(line.file, (tests.get(line.file) ?? 0) + 1);
    yield `${JSON.stringify(line)}\n`;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function toLine(type: string, data: any, path: string[]): ReportLine | undefined {
  switch (type) {
    case "test:start":
      path.length = data.nesting;
      path.push(data.name);
      return undefined;
    case "test:pass":
    case "test:fail": {
      const name = [...path.slice(0, data.nesting), data.name].join(" > ");
      const file: string = data.file ?? data.name;
      const ms: number = data.details.duration_ms;
      // What a process says about its file as a whole has no entryFile: it passes also when the file has no test or left early.
      if (data.entryFile === undefined && data.nesting === 0 && resolve(data.name) === file) {
        return type === "test:fail" ? { type: "fail", name, file, ms, detail: FILE_FAILED } : undefined;
      }
      // A suite fails with its tests, which are counted; when it fails by itself (a hook, its body) it counts.
      if (
        data.details.type === "suite" &&
        (type === "test:pass" || data.details.error?.failureType === "subtestsFailed")
      ) {
        return undefined;
      }
      if (type === "test:fail") return { type: "fail", name, file, ms, detail: describe(data.details.error) };
      if (data.skip !== undefined || data.todo !== undefined) return { type: "skip", name, file, ms };
      return { type: "pass", name, file, ms };
    }
    case "test:summary":
      return data.file === undefined ? { type: "end" } : { type: "file", file: data.file, tests: data.counts.tests };
    case "test:stdout":
    case "test:stderr":
      return { type: "output", file: data.file, text: data.message };
    // What went wrong outside of a test (after its end, while loading) is told here.
    case "test:diagnostic":
      if (data.file !== undefined) return { type: "output", file: data.file, text: `${data.message}\n` };
      // In one process nobody knows the file; counts are told in the same way.
      return /^Error: /.test(data.message) ? { type: "output", file: "", text: `${data.message}\n` } : undefined;
    default:
      return undefined;
  }
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error && cause.stack !== undefined) {
    const { stack, ...rest } = Object.assign(Object.create(null), cause, { stack: cause.stack }) as { stack: string };
    const fields = Object.keys(rest).length > 0 ? `\n${inspect(rest, { depth: 6 })}` : "";
    return `${stack}${fields}`;
  }
  return typeof cause === "string" ? cause : inspect(cause, { depth: 6 });
}
