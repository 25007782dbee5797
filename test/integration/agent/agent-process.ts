/**
 * A provider's agent as a process of its own, as an operator runs it. Arguments: a JSON file with the configuration, and
 * the agent's private key in the environment. Prints one line `ready` when it follows the chain, and its logs as JSON lines.
 */
import { readFileSync } from "node:fs";
import { runAgent } from "@quorate/agent";
import type { Hex, Logger } from "@quorate/core";
import { keyAccountFrom } from "@quorate/service";

const [file = ""] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort(new Error("SIGTERM")));

const logger = (base: Record<string, unknown>): Logger => {
  const write =
    (level: string) =>
    (event: string, fields: Record<string, unknown> = {}): void => {
      const text = JSON.stringify({ level, event, ...base, ...fields }, (_, value: unknown) => {
        if (typeof value === "bigint") return value.toString();
        return value instanceof Error ? value.stack : value;
      });
      console.error(text);
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => logger({ ...base, ...fields }),
  };
};

await runAgent(JSON.parse(readFileSync(file, "utf8")), stop.signal, {
  account: keyAccountFrom(process.env.AGENT_KEY as Hex),
  logger: logger({}),
  onReady: () => console.log("ready"),
});
