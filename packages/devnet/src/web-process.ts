/** The web app of the local market as a process of its own. Argument: file with its port and configuration as JSON. */
import { readFileSync } from "node:fs";
import { createLogger, runService } from "@quorate/service";
import { parseSiteConfig, startWeb } from "@quorate/web";

const { port, config } = JSON.parse(readFileSync(process.argv[2] as string, "utf8")) as {
  readonly port: number;
  readonly config: unknown;
};
process.exitCode = await runService(
  async (signal) => {
    const web = await startWeb({ port, config: parseSiteConfig(config) });
    console.log(`listening ${web.url}`);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await web.stop();
  },
  { logger: createLogger({ level: "info", stream: process.stdout }), exit: (code) => process.exit(code) },
);
