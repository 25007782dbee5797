import { FatalError, type Logger, RetryableError, systemClock } from "@quorate/core";
import type { MarketClient } from "@quorate/sdk";
import { createLogger, type KeyAccount, loadKeystore } from "@quorate/service";
import { createRelayClient, type RelayClient } from "@quorate/wire";
import type { Command } from "commander";
import {
  type Chain,
  createPublicClient,
  createWalletClient,
  defineChain,
  fallback,
  http,
  type PublicClient,
} from "viem";
import { type Config, chooseNetwork, homeFolder, type Network, readConfig } from "./config.ts";
import { keyFile, keyFolder, keyNames } from "./key-files.ts";
import { createOutput, type Output } from "./output.ts";
import { readPassphrase } from "./passphrase.ts";

/** Options that every command has. */
export type GlobalOptions = {
  readonly home?: string;
  readonly network?: string;
  readonly account?: string;
  readonly passphraseFile?: string;
  readonly json: boolean;
};

/** What a command works with. Everything that costs time or asks a person is made when first used. */
export type Context = {
  readonly home: string;
  readonly config: Config;
  readonly output: Output;
  readonly logger: Logger;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly options: GlobalOptions;
  /** The chosen network. */
  network(): { readonly name: string; readonly network: Network };
  /** Node client of the chosen network, once its chain id was compared with the configured one. */
  publicClient(): Promise<PublicClient>;
  /** Market client that can only read. */
  reader(): Promise<MarketClient>;
  /** Market client that signs with the chosen account. */
  signer(name?: string): Promise<MarketClient & { readonly account: KeyAccount }>;
  /** Opens a key file of the state folder. */
  account(name?: string): Promise<KeyAccount>;
  /** Relay client of the chosen network. */
  relays(): RelayClient;
};

/**
 * Wraps a command: builds its context, ties it to Ctrl-C, and leaves errors to `main`.
 *
 * @param body - The command.
 * @returns What commander calls with arguments, options and the command itself.
 */
export function action<Arguments extends readonly unknown[]>(
  body: (context: Context, ...parameters: Arguments) => Promise<void>,
): (...parameters: unknown[]) => Promise<void> {
  return async (...parameters) => {
    const command = parameters.at(-1) as Command;
    const controller = new AbortController();
    const stop = (): void => controller.abort(new DOMException("Stopped.", "AbortError"));
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    try {
      const context = createContext(command.optsWithGlobals<GlobalOptions>(), controller.signal);
      await body(context, ...(parameters.slice(0, -1) as unknown as Arguments));
    } finally {
      process.removeListener("SIGINT", stop);
      process.removeListener("SIGTERM", stop);
    }
  };
}

function createContext(options: GlobalOptions, signal: AbortSignal): Context {
  const home = homeFolder(options.home, process.env);
  const config = readConfig(home);
  const output = createOutput({ json: options.json, stdout: process.stdout, stderr: process.stderr });
  const logger = createLogger({ level: "warn", stream: process.stderr });
  const accounts = new Map<string, Promise<KeyAccount>>();
  let publicClient: Promise<PublicClient> | undefined;

  const context: Context = {
    home,
    config,
    output,
    logger,
    signal,
    options,
    network: () => chooseNetwork(config, options.network),
    publicClient() {
      publicClient ??= connect(context.network().network);
      return publicClient;
    },
    async reader() {
      const { network } = context.network();
      return { public: await context.publicClient(), chainId: network.chainId, market: network.market };
    },
    async signer(name) {
      const { network } = context.network();
      const account = await context.account(name);
      const wallet = createWalletClient({ account, chain: chainOf(network), transport: transportOf(network) });
      return { ...(await context.reader()), wallet, account };
    },
    account(name) {
      const chosen = chooseAccount(config, home, name ?? options.account);
      const opened = accounts.get(chosen) ?? openAccount(chosen);
      accounts.set(chosen, opened);
      return opened;
    },
    relays() {
      const { name, network } = context.network();
      if (network.relays.length === 0) {
        throw new FatalError(
          "CONFIG_NO_RELAY",
          `Network "${name}" has no relay. Add one: quorate network add ${name} --relay URL.`,
        );
      }
      return createRelayClient({
        urls: network.relays,
        domain: { chainId: network.chainId, market: network.market },
        clock: systemClock,
        logger,
      });
    },
  };
  return context;

  async function openAccount(name: string): Promise<KeyAccount> {
    const passphrase = await passphraseOf(context, `Passphrase of ${name}: `);
    return loadKeystore(keyFile(home, name), passphrase);
  }
}

/**
 * The passphrase that opens or closes a key file of a command.
 *
 * @param context - Of the command.
 * @param prompt - What a terminal shows.
 */
export function passphraseOf(
  { options, signal }: Pick<Context, "options" | "signal">,
  prompt: string,
): Promise<string> {
  return readPassphrase(
    {
      file: options.passphraseFile,
      variable: process.env.QUORATE_PASSPHRASE,
      terminal: process.stdin.isTTY
        ? { input: process.stdin, output: process.stderr as NodeJS.WriteStream }
        : undefined,
    },
    prompt,
    signal,
  );
}

function chooseAccount(config: Config, home: string, option: string | undefined): string {
  const names = keyNames(home);
  const name = option ?? config.account ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) {
    throw new FatalError(
      "CONFIG_NO_ACCOUNT",
      names.length === 0
        ? "There is no key yet. Make one: quorate account new NAME, or import one: quorate account import NAME."
        : `There are several keys (${names.join(", ")}). Name one with --account, or: quorate account use NAME.`,
    );
  }
  if (!names.includes(name)) {
    throw new FatalError(
      "CONFIG_UNKNOWN_ACCOUNT",
      `There is no key "${name}" in ${keyFolder(home)}. Known: ${names.join(", ") || "none"}.`,
    );
  }
  return name;
}

function chainOf(network: Network): Chain {
  return defineChain({
    id: network.chainId,
    name: `chain ${network.chainId}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: network.rpc } },
  });
}

function transportOf(network: Network): ReturnType<typeof fallback> {
  return fallback(network.rpc.map((url) => http(url, { timeout: 15_000, retryCount: 2 })));
}

async function connect(network: Network): Promise<PublicClient> {
  const client = createPublicClient({ chain: chainOf(network), transport: transportOf(network) }) as PublicClient;
  let chainId: number;
  try {
    chainId = await client.getChainId();
  } catch (error) {
    throw new RetryableError(
      "NODE_UNREACHABLE",
      `No node of ${network.rpc.join(", ")} answers. Check the URLs and whether the node runs.`,
      { cause: error },
    );
  }
  if (chainId !== network.chainId) {
    throw new FatalError(
      "CONFIG_WRONG_CHAIN",
      `${network.rpc[0]} serves chain ${chainId}, but the network is configured for chain ${network.chainId}. Repair the RPC URL or the network.`,
    );
  }
  return client;
}
