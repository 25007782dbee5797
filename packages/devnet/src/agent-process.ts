/**
 * An organization's agent as a process of its own: the shipped agent on a configuration file. Arguments: that file, and how
 * many runs the wrapper around the sandbox spoils (0 for an honest organization: then there is no wrapper).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runAgent } from "@quorate/agent";
import { supports } from "@quorate/sandbox";
import { runIsolated } from "@quorate/sandbox/node";
import { createLogger, runService } from "@quorate/service";
import { corruptSandbox } from "./corrupt-sandbox.ts";
import type { LocalAgentConfig } from "./market.ts";

const [file = "", corruptRuns = "0"] = process.argv.slice(2);
const config = JSON.parse(readFileSync(file, "utf8")) as LocalAgentConfig;
const logger = createLogger({ level: "info", stream: process.stdout });
const spoilt = Number(corruptRuns);

process.exitCode = await runService(
  (signal) =>
    runAgent(config, signal, {
      logger,
      onReady: (_agent, { healthUrl }) => console.log(`ready ${healthUrl ?? ""}`),
      ...(spoilt === 0
        ? {}
        : {
            sandbox: corruptSandbox(
              { supports, run: (pkg, options) => runIsolated(pkg, { isolation: config.isolation, ...options }) },
              spoilt,
              join(config.dataDir, "spoilt-runs"),
            ),
          }),
    }),
  { logger, exit: (code) => process.exit(code) },
);
