/** A relay of the local market as a process of its own. Argument: file with its settings as JSON. */
import { readFileSync } from "node:fs";
import { parseRelayConfig, startRelay } from "@quorate/relay";
import { createLogger, runService } from "@quorate/service";

const config = parseRelayConfig(JSON.parse(readFileSync(process.argv[2] as string, "utf8")));
process.exitCode = await runService(
  async (signal) => {
    const relay = await startRelay({ ...config, logger: createLogger({ level: "info", stream: process.stdout }) });
    console.log(`listening ${relay.url}`);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await relay.close();
  },
  { logger: createLogger({ level: "info", stream: process.stdout }), exit: (code) => process.exit(code) },
);
