import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Address, FatalError, type Hex } from "@quorate/core";
import { z } from "zod";

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "an address is 0x and 40 hex digits")
  .transform((value) => value as Address);

const codeHash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "a code hash is 0x and 64 hex digits")
  .transform((value) => value.toLowerCase() as Hex);

const httpUrl = z.url({ protocol: /^https?$/, message: "a URL begins with http:// or https://" });

/** One market as this machine reaches it. */
export type Network = {
  /** Chain id; every endpoint is checked against it. */
  readonly chainId: number;
  /** JSON-RPC endpoints; with two or more, one that lags or lies is noticed. */
  readonly rpc: readonly string[];
  /** Address of the JobMarket. */
  readonly market: Address;
  /** Address of the QueryMarket, where zero-knowledge queries are asked. */
  readonly queryMarket?: Address | undefined;
  /** Code hashes of verifiers that are taken besides those that this version knows, by circuit. */
  readonly verifiers?: Readonly<Record<string, readonly Hex[]>> | undefined;
  /** Token that amounts mean when none is named. */
  readonly token?: Address | undefined;
  /** Block from which events are read: the block of the deployment. */
  readonly fromBlock: number;
  /** Relays to write to and read from. */
  readonly relays: readonly string[];
  /** Blocks after which an event is acted on. */
  readonly confirmations: number;
};

/** Schema of {@link Network}: relays, first block and confirmations have defaults. */
export const networkSchema: z.ZodType<Network, unknown> = z.strictObject({
  chainId: z.int().positive(),
  rpc: z.array(httpUrl).min(1),
  market: address,
  queryMarket: address.optional(),
  verifiers: z.record(z.string().regex(/^[a-z0-9-]{1,64}$/), z.array(codeHash)).optional(),
  token: address.optional(),
  fromBlock: z.int().nonnegative().default(0),
  relays: z.array(httpUrl).default([]),
  confirmations: z.int().min(1).max(1_000).default(2),
});

/** The file `config.json` of the state folder. */
export type Config = {
  readonly version: 1;
  /** Name of the network that commands use. */
  readonly network?: string | undefined;
  /** Name of the key that commands sign with. */
  readonly account?: string | undefined;
  readonly networks: Readonly<Record<string, Network>>;
};

/** What a network may be called. */
export const NETWORK_NAME: RegExp = /^[a-z0-9][a-z0-9-]{0,31}$/;

const configSchema: z.ZodType<Config, unknown> = z.strictObject({
  version: z.literal(1),
  network: z.string().optional(),
  account: z.string().optional(),
  networks: z.record(z.string().regex(NETWORK_NAME), networkSchema),
});

/**
 * The folder of all state of the command line.
 *
 * @param option - `--home`.
 * @param env - Environment; `QUORATE_HOME` counts when the option is absent.
 * @returns Absolute path; `.quorate` in the user's home folder when neither names one.
 * @throws FatalError `CONFIG_NO_HOME` when there is no home folder either.
 */
export function homeFolder(option: string | undefined, env: NodeJS.ProcessEnv): string {
  const named = option ?? env.QUORATE_HOME;
  if (named) return resolve(named);
  let folder = "";
  try {
    folder = homedir();
  } catch {
    // The user has no entry in the system's list of users.
  }
  if (folder === "") {
    throw new FatalError(
      "CONFIG_NO_HOME",
      "There is no home folder to keep state in: HOME is not set. Name a folder with --home or QUORATE_HOME.",
    );
  }
  return join(folder, ".quorate");
}

/**
 * Reads `config.json`; an absent file is an empty configuration.
 *
 * @param home - State folder.
 * @throws FatalError `CONFIG_INVALID` naming the file and each field that is wrong.
 */
export function readConfig(home: string): Config {
  const file = join(home, "config.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { version: 1, networks: {} };
    throw new FatalError(
      "CONFIG_INVALID",
      `${file} cannot be read. Check its permissions, or name another folder with --home.`,
      { cause: error },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FatalError(
      "CONFIG_INVALID",
      `${file} is not JSON. Repair it, or move it away and add the network again.`,
      { cause: error },
    );
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    throw new FatalError(
      "CONFIG_INVALID",
      `${file} is not usable:\n${z.prettifyError(parsed.error)}\nRepair these fields.`,
    );
  }
  return parsed.data;
}

/**
 * Writes `config.json`: whole or not at all.
 *
 * @param home - State folder, made when missing.
 * @param config - What is written.
 */
export function writeConfig(home: string, config: Config): void {
  const file = join(home, "config.json");
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(configSchema.parse(config), null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

/**
 * The network that a command works on.
 *
 * @param config - Configuration.
 * @param option - `--network`; the configured default when absent.
 * @returns Name and settings.
 * @throws FatalError `CONFIG_NO_NETWORK` when none is configured, `CONFIG_UNKNOWN_NETWORK` when the name is unknown.
 */
export function chooseNetwork(config: Config, option: string | undefined): { name: string; network: Network } {
  const names = Object.keys(config.networks);
  const name = option ?? config.network ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) {
    throw new FatalError(
      "CONFIG_NO_NETWORK",
      names.length === 0
        ? "No network is configured. Add one: quorate network add NAME --rpc URL --market ADDRESS --relay URL. A local one: quorate devnet start."
        : `Several networks are configured (${names.join(", ")}) and none is chosen. Name one with --network, or: quorate network use NAME.`,
    );
  }
  const network = config.networks[name];
  if (network === undefined) {
    throw new FatalError(
      "CONFIG_UNKNOWN_NETWORK",
      `There is no network "${name}". Known: ${names.join(", ") || "none"}. Choose one of them, or add it: quorate network add ${name}.`,
    );
  }
  return { name, network };
}
