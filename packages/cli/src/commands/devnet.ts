import { resolve } from "node:path";
import { Command } from "commander";
import { action } from "../context.ts";
import { parseWhole } from "../units.ts";

type DevnetOptions = {
  readonly port: string;
  readonly folder: string;
  readonly blockTime: string;
  readonly once?: boolean;
  readonly stories: boolean;
};

/** `quorate devnet`: a whole market on this machine. */
export function devnetCommand(): Command {
  const command = new Command("devnet").description("a whole market on this machine, for trying out and for tests");
  command
    .command("start", { isDefault: true })
    .description("start a chain with both markets and everybody on them, run jobs and questions, stay up")
    .option("--port <number>", "port of the chain; relays, domain providers and the web app take the next five", "8545")
    .option("--folder <folder>", "folder of keys, data and logs; made anew", ".quorate/devnet")
    .option("--block-time <ms>", "milliseconds between blocks", "1000")
    .option("--once", "end when jobs and questions are settled, with an error if one did not go as it had to")
    .option("--no-stories", "run no jobs and ask no questions")
    .action(
      action(async ({ output, signal }, options: DevnetOptions) => {
        const port = parseWhole(options.port, "--port", 1, 65_530);
        const blockTimeMs = parseWhole(options.blockTime, "--block-time", 1_000, 60_000);
        // Loaded when needed: a whole tool chain hangs on it.
        const { runDevnet } = await import("@quorate/devnet");
        const summary = await runDevnet(
          {
            folder: resolve(options.folder),
            port,
            blockTimeMs,
            once: options.once === true,
            withStories: options.stories,
            out: output.json ? process.stderr : process.stdout,
          },
          signal,
        );
        if (summary !== undefined && output.json) output.result(summary, []);
      }),
    );
  return command;
}
