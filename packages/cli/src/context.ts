import { type Address, FatalError, type Logger, RetryableError, systemClock } from "@quorate/core";
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
import { exclusively } from "./exclusive.ts";
import { Interrupted } from "./exit-codes.ts";
import { keyAddress, keyFile, keyFolder, keyNames } from "./key-files.ts";
import { createOutput, type Output } from "./output.ts";
import { type PassphraseSources, readPassphrase } from "./passphrase.ts";

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
  /** Client of the network's query market that can only read. */
  queryReader(): Promise<MarketClient>;
  /** Client of the network's query market that signs with the chosen account. */
  querySigner(): Promise<MarketClient & { readonly account: KeyAccount }>;
  /** Opens a key file of the state folder. */
  account(name?: string): Promise<KeyAccount>;
  /** Passphrase of the chosen key; asked once. */
  passphrase(): Promise<string>;
  /** Address of the chosen key; needs no passphrase. */
  address(): Address;
  /** Runs what sends transactions, one command of the state folder at a time. */
  sending<T>(body: () => Promise<T>): Promise<T>;
  /** Relay client of the chosen network. */
  relays(): RelayClient;
};

const outputs = new WeakMap<Command, (json: boolean) => Output>();

/**
 * Says where the commands of a program write; to the streams of the process unless told.
 *
 * @param program - Root command.
 * @param output - Makes the output for a mode.
 */
export function writeTo(program: Command, output: (json: boolean) => Output): void {
  outputs.set(program, output);
}

function outputOf(command: Command, json: boolean): Output {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return (outputs.get(root) ?? processOutput)(json);
}

/** Two signals within this time are one key press: npx and the launcher pass on what the terminal sent already. */
const SAME_PRESS_MS = 500;

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
    let stoppedAt = 0;
    const stop = (): void => {
      if (!controller.signal.aborted) {
        stoppedAt = performance.now();
        controller.abort(new DOMException("Stopped.", "AbortError"));
      } else if (performance.now() - stoppedAt > SAME_PRESS_MS) {
        process.exit(130);
      }
    };
    // Nobody reads any more, as after `| head -1`: there is nothing left to work for.
    const onClosed = (error: NodeJS.ErrnoException): void => {
      if (error.code === "EPIPE" && !controller.signal.aborted) {
        controller.abort(new DOMException("Nobody reads.", "AbortError"));
      }
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    process.stdout.on("error", onClosed);
    try {
      const options = command.optsWithGlobals<GlobalOptions>();
      const context = createContext(options, outputOf(command, options.json), controller.signal);
      await body(context, ...(parameters.slice(0, -1) as unknown as Arguments));
    } catch (error) {
      if (!controller.signal.aborted || error instanceof Interrupted) throw error;
      throw new Interrupted("Stopped. Run the same command again to go on.");
    } finally {
      process.removeListener("SIGINT", stop);
      process.removeListener("SIGTERM", stop);
      process.stdout.removeListener("error", onClosed);
    }
  };
}

function createContext(options: GlobalOptions, output: Output, signal: AbortSignal): Context {
  const home = homeFolder(options.home, process.env);
  const config = readConfig(home);
  const logger = createLogger({
    level: "warn",
    stream: process.stderr,
    format: process.stderr.isTTY && !options.json ? "pretty" : "json",
  });
  const accounts = new Map<string, Promise<KeyAccount>>();
  const passphrases = new Map<string, Promise<string>>();
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
    async queryReader() {
      return { ...(await context.reader()), market: queryMarketOf(context) };
    },
    async querySigner() {
      const market = queryMarketOf(context);
      return { ...(await context.signer()), market };
    },
    passphrase: () => passphraseFor(chooseAccount(config, home, options.account)),
    address: () => keyAddress(home, chooseAccount(config, home, options.account)),
    sending: (body) =>
      exclusively(home, { signal, onWait: () => output.step("waiting for another command that is sending") }, body),
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
    return loadKeystore(keyFile(home, name), await passphraseFor(name));
  }

  function passphraseFor(name: string): Promise<string> {
    const known = passphrases.get(name) ?? passphraseOf(context, `Passphrase of ${name}: `);
    passphrases.set(name, known);
    return known;
  }
}

/**
 * The query market of the chosen network.
 *
 * @param context - Of the command.
 * @throws FatalError `CONFIG_NO_QUERY_MARKET`
 */
export function queryMarketOf(context: Pick<Context, "network">): Address {
  const { name, network } = context.network();
  if (network.queryMarket !== undefined) return network.queryMarket;
  throw new FatalError(
    "CONFIG_NO_QUERY_MARKET",
    `Network "${name}" has no query market. Name it: quorate network add ${name} --query-market ADDRESS.`,
  );
}

/**
 * The output of this process.
 *
 * @param json - `--json`.
 */
export function processOutput(json: boolean): Output {
  return createOutput({ json, stdout: process.stdout, stderr: process.stderr, colours: !process.env.NO_COLOR });
}

function passphraseSources({ options }: Pick<Context, "options">): PassphraseSources {
  return {
    file: options.passphraseFile,
    variable: process.env.QUORATE_PASSPHRASE,
    terminal: process.stdin.isTTY ? { input: process.stdin, output: process.stderr as NodeJS.WriteStream } : undefined,
  };
}

/**
 * The passphrase that opens a key file.
 *
 * @param context - Of the command.
 * @param prompt - What a terminal shows.
 */
export function passphraseOf(context: Pick<Context, "options" | "signal">, prompt: string): Promise<string> {
  return readPassphrase(passphraseSources(context), prompt, context.signal);
}

/**
 * The passphrase of a key file that is made; asked twice on a terminal.
 *
 * @param context - Of the command.
 * @param name - Name of the key.
 * @throws FatalError `USAGE_PASSPHRASES_DIFFER`
 */
export async function newPassphrase(context: Pick<Context, "options" | "signal">, name: string): Promise<string> {
  const sources = passphraseSources(context);
  const first = await readPassphrase(sources, `New passphrase of ${name}: `, context.signal);
  if (sources.file !== undefined || sources.variable || sources.terminal === undefined) return first;
  if (first !== (await readPassphrase(sources, "Again: ", context.signal))) {
    throw new FatalError("USAGE_PASSPHRASES_DIFFER", "The two passphrases differ. Nothing was written; try again.");
  }
  return first;
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

/**
 * A node client whose chain is the one that was configured.
 *
 * @param network - Endpoints and chain id.
 * @throws RetryableError `NODE_UNREACHABLE`; FatalError `CONFIG_WRONG_CHAIN`
 */
async function connect(network: Network): Promise<PublicClient> {
  const client = createPublicClient({
    chain: chainOf(network),
    transport: transportOf(network),
    pollingInterval: 1_000,
  }) as PublicClient;
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
