/** The command line as a process: see `program.ts` for what it does. */
import { processOutput } from "./context.ts";
import { ExitCode } from "./exit-codes.ts";
import { run } from "./program.ts";

// The reader of a pipe may go at any time, as `| head -1` does; that is no defect of ours. A command that runs hears of it too.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.exitCode = ExitCode.Unexpected;
  });
}
process.on("uncaughtException", (error) => {
  processOutput(process.argv.includes("--json")).failure(error);
  process.exit(ExitCode.Unexpected);
});

process.exitCode = await run(process.argv.slice(2), processOutput);
