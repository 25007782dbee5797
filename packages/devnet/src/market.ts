import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, FatalError } from "@quorate/core";
import { engines } from "@quorate/sandbox";
import { availableIsolations, type Isolation } from "@quorate/sandbox/node";
import { authorizeAgent, depositWithPermit } from "@quorate/sdk";
import type { KeyAccount } from "@quorate/service";
import { encodeProfile, signProfile } from "@quorate/wire";
import { createPublicClient, http, type PublicClient } from "viem";
import { type Deployment, deployMarket } from "./deploy.ts";
import { createFaucet } from "./faucet.ts";
import { makeKey, marketClient } from "./keys.ts";
import { BUDGET, DEPOSIT, dollars, type Organization, organizations } from "./organizations.ts";
import {
  type Actor,
  type Casualty,
  casualtiesOf,
  type Restartable,
  siblingModule,
  startActor,
  startRestartable,
  waitForLine,
  waitForServer,
} from "./processes.ts";
import type { RequesterConfig } from "./requester-events.ts";

/** How a local market is started. */
export type LocalMarketOptions = {
  /** Folder of everything: keys, journals, logs. What an earlier market left there is removed. */
  readonly folder: string;
  /** Port of the chain; the relays take the next ones. */
  readonly port: number;
  /** Milliseconds between blocks. */
  readonly blockTimeMs: number;
  /** Puts no wrapper around any sandbox: for fault injection of other kinds. Default false. */
  readonly isEverybodyHonest?: boolean;
  /** Ends the start between its steps; what was started is stopped. */
  readonly signal?: AbortSignal;
  /** Told what is being done, in words. */
  readonly onStep: (text: string) => void;
};

/** A process with a name for people that can be killed and started again. */
export type NamedRestartable = Restartable & { readonly name: string };

/** An organization that runs. */
export type Provider = Organization &
  NamedRestartable & {
    readonly provider: Address;
    readonly agent: Address;
    readonly dataDir: string;
  };

/** A relay that runs. */
export type LocalRelay = NamedRestartable & { readonly url: string };

/** A market that runs on this machine. */
export type LocalMarket = {
  readonly folder: string;
  readonly rpc: string;
  readonly client: PublicClient;
  readonly deployment: Deployment;
  readonly relays: readonly LocalRelay[];
  readonly chain: Actor;
  readonly providers: readonly Provider[];
  readonly requester: { readonly address: Address; readonly home: string; readonly process: Actor };
  /** Name of an account, or its short form. */
  nameOf(account: Address): string;
  /** Every process that should be alive and is not, with the end of its log. */
  casualties(): readonly Casualty[];
  /** Ends every process. */
  stop(): Promise<void>;
};

const START_TIMEOUT_MS = 60_000;

/** Gas money for every key of the market. */
const ETHER = "10";

/** Validity of an agent's authorization, seconds. */
const AUTHORIZATION_S = 365 * 86_400;

/** How long a profile is shown, seconds. */
const PROFILE_S = 30 * 86_400;

/**
 * Starts a market: chain, contracts, two relays, five organizations, a requester. Every one is a process with its own key and
 * folder; they share the chain's RPC and the relays.
 *
 * @param options - Folder, port, block time.
 * @returns The running market.
 * @throws FatalError `DEVNET_RUNNING` when another market uses the folder, `PORT_IN_USE` when a port is taken,
 * `ACTOR_NOT_READY` when a process does not come up.
 */
export async function startLocalMarket(options: LocalMarketOptions): Promise<LocalMarket> {
  const { folder, port, signal } = options;
  const onStep = (text: string): void => {
    signal?.throwIfAborted();
    options.onStep(text);
  };
  claimFolder(folder, onStep);
  const actors: Actor[] = [];
  const restartable = (
    name: string,
    title: string,
    module: string,
    args: readonly string[],
    readyLine: string,
  ): NamedRestartable => ({
    name: title,
    ...startRestartable(actors, () => start(name, module, args), readyLine, START_TIMEOUT_MS),
  });
  const start = (name: string, module: string, args: readonly string[]): Actor => {
    const actor = startActor({ name, main: siblingModule(module), args, logFile: join(folder, "logs", `${name}.log`) });
    actors.push(actor);
    return actor;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(actors.map((actor) => actor.stop()));
    rmSync(join(folder, "pid"), { force: true });
  };
  try {
    onStep(`starting a chain on port ${port}, one block every ${options.blockTimeMs} ms`);
    const chain = start("chain", "chain-process", [String(port), String(options.blockTimeMs)]);
    const rpc = await waitForServer(chain, "listening ", port, START_TIMEOUT_MS);
    const client = createPublicClient({ transport: http(rpc), pollingInterval: 250 }) as PublicClient;
    onStep("deploying the contracts with Ignition");
    const deployment = await deployMarket(rpc, join(folder, "ignition"));
    writeJson(join(folder, "deployment.json"), deployment);

    onStep("starting two relays");
    const relays = await Promise.all(
      [1, 2].map(async (number) => {
        const config = {
          port: port + number,
          dataDir: join(folder, `relay-${number}`),
          name: `relay-${number}`,
          markets: [{ chainId: deployment.chainId, market: deployment.market }],
        };
        const file = join(folder, `relay-${number}.json`);
        writeJson(file, config);
        const relay = restartable(`relay-${number}`, `relay ${number}`, "relay-process", [file], "listening ");
        return { ...relay, url: await waitForServer(relay.process(), "listening ", port + number, START_TIMEOUT_MS) };
      }),
    );

    onStep("five organizations make their keys, deposit their bonds and authorize their agents");
    const faucet = createFaucet(client, deployment.token);
    const requesterHome = join(folder, "requester");
    const requesterKeys = await makeKey(requesterHome, "requester");
    const keys = await Promise.all(
      organizations.map(async (organization) => {
        const home = join(folder, organization.slug);
        return { organization, home, provider: await makeKey(home, "provider"), agent: await makeKey(home, "agent") };
      }),
    );
    await faucet.fund([
      { account: requesterKeys.address, ether: ETHER, tokens: dollars(BUDGET) },
      ...keys.flatMap(({ provider, agent }) => [
        { account: provider.address, ether: ETHER, tokens: dollars(DEPOSIT) },
        { account: agent.address, ether: ETHER },
      ]),
    ]);
    const { timestamp } = await client.getBlock();
    await Promise.all(
      keys.map(async ({ provider, agent }) => {
        const market = marketClient({ rpc, client, ...deployment, account: provider });
        await depositWithPermit(market, { token: deployment.token, amount: dollars(DEPOSIT) });
        await authorizeAgent(market, {
          agent: agent.address,
          token: deployment.token,
          maxBondPerSeat: dollars(200),
          minCommitWindow: 10,
          validUntil: Number(timestamp) + AUTHORIZATION_S,
        });
      }),
    );
    await depositWithPermit(marketClient({ rpc, client, ...deployment, account: requesterKeys }), {
      token: deployment.token,
      amount: dollars(BUDGET),
    });

    const known = keys.map(({ organization, provider }) => ({
      organization: organization.name,
      providers: [provider.address],
    }));
    const [isolation = "process"] = await availableIsolations();
    const configs = await Promise.all(
      keys.map(({ organization, home, provider, agent }) =>
        agentConfig({
          organization,
          home,
          provider,
          agent: agent.address,
          deployment,
          rpc,
          relays: relays.map(({ url }) => url),
          known,
          isolation,
        }),
      ),
    );
    const providers = keys.map(({ organization, home, provider, agent }, index): Provider => {
      const config = join(home, "agent.json");
      writeJson(config, configs[index]);
      const args = [config, String(options.isEverybodyHonest === true ? 0 : organization.corruptRuns)];
      return {
        ...organization,
        ...restartable(organization.slug, organization.name, "agent-process", args, "ready"),
        provider: provider.address,
        agent: agent.address,
        dataDir: home,
      };
    });
    await Promise.all(providers.map((provider) => waitForLine(provider.process(), "ready", START_TIMEOUT_MS)));

    onStep("starting the requester");
    const config: RequesterConfig = {
      rpc,
      chainId: deployment.chainId,
      market: deployment.market,
      token: deployment.token,
      fromBlock: deployment.fromBlock,
      relays: relays.map(({ url }) => url),
      home: requesterHome,
      passphraseFile: join(requesterHome, "passphrase"),
      organizations: Object.fromEntries(providers.map(({ slug, provider }) => [slug, provider])),
    };
    writeJson(join(folder, "requester.json"), config);
    writeJson(join(requesterHome, "trust.json"), {
      version: 1,
      allow: providers.map(({ name, provider }) => ({ provider, organization: name })),
    });
    // The layout of the command line: `quorate --home <this folder>` goes on where the stories end.
    writeJson(join(requesterHome, "config.json"), {
      version: 1,
      network: "local",
      account: "requester",
      networks: {
        local: {
          chainId: deployment.chainId,
          rpc: [rpc],
          market: deployment.market,
          token: deployment.token,
          fromBlock: deployment.fromBlock,
          relays: config.relays,
          confirmations: 1,
        },
      },
    });
    const requester = start("requester", "requester-process", [join(folder, "requester.json")]);

    const names = new Map<string, string>([
      [requesterKeys.address.toLowerCase(), "the requester"],
      [deployment.market.toLowerCase(), "the market"],
      ...providers.flatMap(({ name, provider, agent }): [string, string][] => [
        [provider.toLowerCase(), name],
        [agent.toLowerCase(), `${name}'s agent`],
      ]),
    ]);
    return {
      folder,
      rpc,
      client,
      deployment,
      relays,
      chain,
      providers,
      requester: { address: requesterKeys.address, home: requesterHome, process: requester },
      nameOf: (account) => names.get(account.toLowerCase()) ?? `${account.slice(0, 8)}…${account.slice(-4)}`,
      casualties: () => casualtiesOf(actors),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Takes the folder for this process; removes what an ended market left, refuses while one runs. */
function claimFolder(folder: string, onStep: (text: string) => void): void {
  const pidFile = join(folder, "pid");
  if (existsSync(pidFile)) {
    const pid = Number(readFileSync(pidFile, "utf8"));
    if (isAlive(pid)) {
      throw new FatalError(
        "DEVNET_RUNNING",
        `A local market runs in ${folder} already (process ${pid}). Stop it with Ctrl-C there, or name another folder and port.`,
      );
    }
  }
  if (existsSync(folder)) {
    if (!existsSync(join(folder, "logs")) && !existsSync(pidFile)) {
      throw new FatalError(
        "DEVNET_FOLDER",
        `${folder} exists and was not made by a local market; it is not touched. Name another folder.`,
      );
    }
    onStep("starting clean: what an earlier local market left is removed");
    rmSync(folder, { recursive: true, force: true });
  }
  mkdirSync(join(folder, "logs"), { recursive: true, mode: 0o700 });
  writeFileSync(pidFile, String(process.pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Settings of an organization's agent, as its operator would write them. */
export type LocalAgentConfig = Record<string, unknown> & { readonly dataDir: string; readonly isolation: Isolation };

async function agentConfig(input: {
  readonly organization: Organization;
  readonly home: string;
  readonly provider: KeyAccount;
  readonly agent: Address;
  readonly deployment: Deployment;
  readonly rpc: string;
  readonly relays: readonly string[];
  readonly known: readonly { readonly organization: string; readonly providers: readonly Address[] }[];
  readonly isolation: Isolation;
}): Promise<LocalAgentConfig> {
  const { organization, home, provider, deployment, relays } = input;
  const { chainId, market, token, fromBlock } = deployment;
  const createdAt = Math.floor(Date.now() / 1_000);
  const price = dollars(organization.price).toString();
  const profile = await signProfile(
    {
      body: {
        name: organization.name,
        agents: [input.agent],
        engines,
        endpoints: relays,
        prices: [{ token, from: dollars(organization.price) }],
      },
      createdAt,
      expiry: createdAt + PROFILE_S,
    },
    provider,
    { chainId, market },
  );
  return {
    chainId,
    market,
    fromBlock,
    provider: provider.address,
    rpcUrls: [input.rpc],
    relays,
    dataDir: join(home, "data"),
    keystore: {
      file: join(home, "keys", "agent.json"),
      passphrase: readFileSync(join(home, "passphrase"), "utf8").trim(),
    },
    health: { host: "127.0.0.1", port: 0 },
    isolation: input.isolation,
    pollIntervalMs: 500,
    profile: encodeProfile(profile),
    policy: {
      version: 1,
      tokens: { [token]: { prices: { base: price }, bond: { least: "0", most: dollars(200).toString() } } },
      requesters: { mode: "any" },
      windows: { leastCommitSeconds: 10, leastRevealSeconds: 10 },
      panel: { known: input.known, unknown: "no-veto" },
      carrying: { mode: "rotate", patienceSeconds: 8 },
      confirmations: 1,
      // One endpoint is all that a local chain has.
      finality: { mode: "depth", depth: 2, endpoints: 1 },
    },
  };
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}
