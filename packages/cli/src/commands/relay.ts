import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { FatalError } from "@quorate/core";
import { createLogger } from "@quorate/service";
import { Command } from "commander";
import { action } from "../context.ts";
import { parseWhole } from "../units.ts";

type RelayOptions = {
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly config?: string;
};

/** `quorate relay`: a mailbox and block store that anybody may run. */
export function relayCommand(): Command {
  const command = new Command("relay").description("an untrusted mailbox and block store that anybody may run");
  command
    .command("start")
    .description("run a relay for the network's market until Ctrl-C")
    .option("--host <address>", "address to listen on")
    .option("--port <number>", "port; 0 takes a free one")
    .option("--data <folder>", "folder of messages and blocks (default: relay in the state folder)")
    .option("--config <file>", "settings as JSON; options win over it")
    .action(
      action(async (context, options: RelayOptions) => {
        const { home, output, signal } = context;
        // Loaded when needed: other commands need no HTTP server.
        const { parseRelayConfig, startRelay } = await import("@quorate/relay");
        const given: Record<string, unknown> = options.config === undefined ? {} : readSettings(options.config);
        if (given.markets === undefined) {
          const { network } = context.network();
          given.markets = [{ chainId: network.chainId, market: network.market }];
        }
        given.dataDir = resolve(options.data ?? (given.dataDir as string | undefined) ?? join(home, "relay"));
        if (options.host !== undefined) given.host = options.host;
        if (options.port !== undefined) given.port = parseWhole(options.port, "--port", 0, 65_535);
        const logger = createLogger({ level: "info", stream: process.stderr });
        const relay = await startRelay({ ...parseRelayConfig(given), logger });
        output.result({ url: relay.url }, [`Relay at ${relay.url}. Ctrl-C ends it.`]);
        if (!signal.aborted) {
          await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
        }
        await relay.close();
      }),
    );
  return command;
}

function readSettings(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new TypeError("it is no JSON object");
    return value as Record<string, unknown>;
  } catch (error) {
    throw new FatalError("CONFIG_INVALID", `${file} cannot be read as JSON. Check the path and the text.`, {
      cause: error,
    });
  }
}
