import { addresses } from "@quorate/abi";
import { viemBlockSource } from "@quorate/chain";
import { FatalError, RetryableError } from "@quorate/core";
import { Command } from "commander";
import { z } from "zod";
import { NETWORK_NAME, networkSchema, writeConfig } from "../config.ts";
import { action } from "../context.ts";

/** `quorate network`: which chain, market and relays the commands work on. */
export function networkCommand(): Command {
  const command = new Command("network").description("chains, markets and relays that commands work on");

  command
    .command("add <name>")
    .description("add a network, or change the named settings of a known one")
    .option("--rpc <url...>", "JSON-RPC endpoints")
    .option("--chain-id <id>", "chain id (default: what the first endpoint says)")
    .option("--market <address>", "address of the JobMarket (default: the known one of the chain)")
    .option("--query-market <address>", "address of the QueryMarket (default: the known one of the chain)")
    .option(
      "--verifier <circuit=hash...>",
      "code hashes of verifiers to take besides the known ones: compare them with the published ones first",
    )
    .option("--token <address>", "token that amounts mean when none is named")
    .option("--relay <url...>", "relays")
    .option("--from-block <number>", "block of the deployment")
    .option("--confirmations <number>", "blocks after which an event is acted on")
    .action(
      action(async ({ config, home, output, signal }, name: string, options: NetworkOptions) => {
        if (!NETWORK_NAME.test(name)) {
          throw new FatalError(
            "USAGE_NETWORK",
            `"${name}" cannot name a network. Use up to 32 small letters, digits and dashes.`,
          );
        }
        const known = config.networks[name];
        const [first] = options.rpc ?? known?.rpc ?? [];
        const chainId =
          options.chainId === undefined
            ? (known?.chainId ?? (first === undefined ? undefined : await askChainId(first, signal)))
            : Number(options.chainId);
        const deployed = chainId === undefined ? undefined : addresses[chainId];
        const given = {
          rpc: options.rpc,
          chainId,
          market: options.market ?? known?.market ?? deployed?.jobMarket,
          queryMarket: options.queryMarket ?? known?.queryMarket ?? deployed?.queryMarket,
          verifiers: options.verifier === undefined ? undefined : verifiersOf(options.verifier),
          token: options.token,
          relays: options.relay,
          fromBlock: numeric(options.fromBlock) ?? known?.fromBlock ?? deployed?.deployedAtBlock,
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
            `There is no network "${name}". Known: ${Object.keys(config.networks).join(", ") || "none"}. Choose one of them, or add it.`,
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
          Object.keys(config.networks).length === 0
            ? ["No network yet. Add one: quorate network add NAME --rpc URL --market ADDRESS --relay URL"]
            : Object.entries(config.networks).map(
                ([name, { chainId, market, relays }]) =>
                  `${name === config.network ? "*" : " "} ${name}  chain ${chainId}  market ${market}  ${relays.length} relays`,
              ),
        );
      }),
    );

  return command;
}

type NetworkOptions = {
  readonly rpc?: readonly string[];
  readonly chainId?: string;
  readonly market?: string;
  readonly queryMarket?: string;
  readonly verifier?: readonly string[];
  readonly token?: string;
  readonly relay?: readonly string[];
  readonly fromBlock?: string;
  readonly confirmations?: string;
};

/** `circuit=0x…` → code hashes by circuit; the schema says what is wrong with a hash. */
function verifiersOf(texts: readonly string[]): Record<string, string[]> {
  const verifiers: Record<string, string[]> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    const circuit = text.slice(0, Math.max(at, 0));
    verifiers[circuit] = [...(verifiers[circuit] ?? []), text.slice(at + 1)];
  }
  return verifiers;
}

function numeric(value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

async function askChainId(url: string, signal: AbortSignal): Promise<number> {
  try {
    return await viemBlockSource(url).chainId(signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new RetryableError(
      "NODE_UNREACHABLE",
      `${url} does not say which chain it serves. Check the URL and whether the node runs, or say --chain-id.`,
      { cause: error },
    );
  }
}
