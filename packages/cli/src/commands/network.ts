import { FatalError } from "@quorate/core";
import { Command } from "commander";
import { z } from "zod";
import { networkSchema, writeConfig } from "../config.ts";
import { action } from "../context.ts";

/** `quorate network`: which chain, market and relays the commands work on. */
export function networkCommand(): Command {
  const command = new Command("network").description("chains, markets and relays that commands work on");

  command
    .command("add <name>")
    .description("add a network, or change the named settings of a known one")
    .option("--rpc <url...>", "JSON-RPC endpoints")
    .option("--chain-id <id>", "chain id")
    .option("--market <address>", "address of the JobMarket")
    .option("--token <address>", "token that amounts mean when none is named")
    .option("--relay <url...>", "relays")
    .option("--from-block <number>", "block of the deployment")
    .option("--confirmations <number>", "blocks after which an event is acted on")
    .action(
      action(async ({ config, home, output }, name: string, options: Record<string, string | string[] | undefined>) => {
        const known = config.networks[name];
        const given = {
          rpc: options.rpc,
          chainId: numeric(options.chainId),
          market: options.market,
          token: options.token,
          relays: options.relay,
          fromBlock: numeric(options.fromBlock),
          confirmations: numeric(options.confirmations),
        };
        const merged = {
          ...known,
          ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
        };
        const parsed = networkSchema.safeParse(merged);
        if (!parsed.success) {
          throw new FatalError(
            "USAGE_NETWORK",
            `The network is not complete:\n${z.prettifyError(parsed.error)}\nGive these options.`,
          );
        }
        const networks = { ...config.networks, [name]: parsed.data };
        writeConfig(home, { ...config, networks, network: config.network ?? name });
        output.result({ name, ...parsed.data }, [
          `Network ${name}: market ${parsed.data.market} on chain ${parsed.data.chainId}.`,
        ]);
      }),
    );

  command
    .command("use <name>")
    .description("make a network the default")
    .action(
      action(async ({ config, home, output }, name: string) => {
        if (config.networks[name] === undefined) {
          throw new FatalError(
            "CONFIG_UNKNOWN_NETWORK",
            `There is no network "${name}". Known: ${Object.keys(config.networks).join(", ") || "none"}.`,
          );
        }
        writeConfig(home, { ...config, network: name });
        output.result({ network: name }, [`Commands now work on ${name}.`]);
      }),
    );

  command
    .command("list")
    .description("list the networks")
    .action(
      action(async ({ config, output }) => {
        output.result(
          { default: config.network, networks: config.networks },
          Object.entries(config.networks).map(
            ([name, { chainId, market, relays }]) =>
              `${name === config.network ? "*" : " "} ${name}  chain ${chainId}  market ${market}  ${relays.length} relays`,
          ),
        );
      }),
    );

  return command;
}

function numeric(value: string | string[] | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
