/**
 * A domain provider's agent as a process of its own, as an operator runs it. Arguments: a JSON file with the configuration,
 * and a step at which it dies, or nothing. The key is in the environment. Prints `ready <url> <health url>` when it answers requests, and
 * its logs as JSON lines.
 */
import { readFileSync } from "node:fs";
import type { Hex } from "@quorate/core";
import { runDomain } from "@quorate/domain";
import { createLogger, keyAccountFrom } from "@quorate/service";

const [file = "", deadly = ""] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort(new Error("SIGTERM")));

await runDomain(JSON.parse(readFileSync(file, "utf8")), stop.signal, {
  account: keyAccountFrom(process.env.AGENT_KEY as Hex),
  logger: createLogger({ level: "info" }),
  onReady: ({ url, healthUrl }) => console.log(`ready ${url} ${healthUrl}`),
  onStep: (step) => {
    if (step === deadly) process.kill(process.pid, "SIGKILL");
  },
});
