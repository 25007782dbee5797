/**
 * A domain provider of the local market as a process of its own: the shipped domain agent on a configuration file, the only
 * argument. Tells over the process channel how long each proof took.
 */
import { readFileSync } from "node:fs";
import { runDomain } from "@quorate/domain";
import { createProver } from "@quorate/proofs/node";
import { createLogger, runService } from "@quorate/service";
import { parseSettings } from "../channel.ts";
import type { DomainEvent } from "./messages.ts";

const config = parseSettings(readFileSync(process.argv[2] as string, "utf8"));
const logger = createLogger({ level: "info", stream: process.stdout });

process.exitCode = await runService(
  async (signal) => {
    const prover = await createProver({ logger });
    await runDomain(config, signal, {
      logger,
      onReady: ({ url }) => console.log(`ready ${url}`),
      prover: {
        async prove(circuit, inputs, options) {
          const began = performance.now();
          const proved = await prover.prove(circuit, inputs, options);
          const event: DomainEvent = {
            type: "proved",
            query: proved.signals[3],
            ms: Math.round(performance.now() - began),
          };
          process.send?.(event);
          return proved;
        },
        close: () => prover.close(),
      },
    });
  },
  { logger, exit: (code) => process.exit(code) },
);
