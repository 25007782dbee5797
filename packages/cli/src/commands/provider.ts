import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Address,
  FatalError,
  type Hex,
  jobIdOf,
  type Request,
  type Requirements,
  RetryableError,
  requirementsSchema,
} from "@quorate/core";
import { engines } from "@quorate/sandbox";
import { availableIsolations } from "@quorate/sandbox/node";
import { authorizeAgent, getAccount, getAuthorization, getStanding, revokeAgent } from "@quorate/sdk";
import { createKeystore, createLogger, loadKeystore } from "@quorate/service";
import { encodeProfile, REQUESTS_TOPIC, requestSchema, signProfile } from "@quorate/wire";
import { Command } from "commander";
import { formatEther } from "viem";
import { action, type Context, newPassphrase, passphraseOf } from "../context.ts";
import { keyAddress, keyFile, keyFolder, keyNames, newKeyFile } from "../key-files.ts";
import { depositTokens } from "../pay-in.ts";
import {
  forgetRunning,
  noteRunning,
  policyFile,
  providerFolder,
  readProvider,
  readRunning,
  writeProvider,
  writeWhole,
} from "../provider-files.ts";
import { chooseJobId } from "../requester.ts";
import { chooseToken, readToken, type Token } from "../token.ts";
import { formatDuration, parseAddress, parseDuration, parseWhole } from "../units.ts";

/** Jobs of the journal that a beginning of an id is looked up in. */
const MANY = 100_000;

/** How long a signed profile is shown, seconds. */
const PROFILE_S = 180 * 86_400;

/** `quorate provider`: an organization that runs jobs. */
export function providerCommand(): Command {
  const command = new Command("provider").description("an organization that runs jobs: keys, bonds, agent");
  command
    .command("init")
    .description("make the agent's key, a signed profile and a policy file for the chosen key as provider")
    .requiredOption("--name <text>", "name of the organization")
    .option("--url <url>", "its site, which proves the name under /.well-known/quorate.json")
    .option("--agent-key <name>", "name of the agent's key file", "agent")
    .option("--price <amount>", "asking price of a place, in the network's token", "1")
    .option("--max-bond <amount>", "highest bond per place", "100")
    .option("--health-port <port>", "port of /health, /ready and /metrics on 127.0.0.1; 0 takes a free one", "0")
    .option("--force", "write the settings again; keys and policy stay as they are")
    .action(action(init));
  command
    .command("deposit <amount>")
    .description("deposit tokens for bonds, with the provider's key")
    .option("--token <address>", "token, else the network's")
    .action(
      action(async (context, amount: string, options: { token?: string }) => {
        const token = await chooseToken(context, options.token);
        const value = token.parse(amount, "The deposit");
        requireProviderKey(context);
        const client = await context.signer();
        const hash = await context.sending(() => depositTokens(client, token, value, undefined, context.signal));
        context.output.result({ hash, amount: value }, [
          `Deposited ${token.format(value)} for bonds.`,
          `Transaction ${hash}`,
        ]);
      }),
    );
  command.addCommand(agentCommand());
  command
    .command("start")
    .description("run the agent until Ctrl-C; log lines are JSON on standard error")
    .action(action(start));
  command.command("stop").description("ask the agent that runs on this state folder to end").action(action(stop));
  command
    .command("status")
    .description("the agent's health, balances, standing")
    .option("--token <address>", "token, else the network's")
    .action(action(status));
  command
    .command("explain <job>")
    .description("what happened in a job and why it was or was not paid")
    .action(
      action(async ({ home, output }, job: string) => {
        const { provider } = readProvider(home);
        const { listKnownJobs, readExplanation } = await loadAgent();
        const data = dataFolder(home);
        const known = existsSync(join(data, "agent.db")) ? listKnownJobs(data, MANY).map(({ jobId }) => jobId) : [];
        const jobId = chooseJobId(known, job, "the agent's journal");
        const explanation = known.includes(jobId) ? readExplanation(data, provider, jobId) : undefined;
        if (explanation === undefined) {
          throw new FatalError(
            "JOB_UNKNOWN",
            `The agent's journal knows no job ${jobId}: it neither offered for it nor had a place. Check the id and the state folder.`,
          );
        }
        output.result(explanation, [
          explanation.summary,
          ...explanation.lines.map(({ at, text }) => `${new Date(at * 1_000).toISOString()}  ${text}`),
        ]);
      }),
    );
  command
    .command("would-take <request>")
    .description("what the policy says of a request: its job id on the relays, or a file with request and requirements")
    .action(action(wouldTake));
  return command;
}

function agentCommand(): Command {
  const command = new Command("agent").description("hot keys that may sign offers and commitments within limits");
  command
    .command("add [agent]")
    .description("authorize an agent: its address, or the key made by init")
    .option("--token <address>", "token, else the network's")
    .option("--max-bond <amount>", "highest bond per place", "100")
    .option("--min-window <duration>", "shortest commit window it may accept", "5m")
    .option("--valid <duration>", "for how long", "30d")
    .action(
      action(
        async (
          context,
          agent: string | undefined,
          options: { token?: string; maxBond: string; minWindow: string; valid: string },
        ) => {
          const token = await chooseToken(context, options.token);
          requireProviderKey(context);
          const address = agentAddress(context, agent);
          const lifetime = parseDuration(options.valid, "--valid");
          const minCommitWindow = parseDuration(options.minWindow, "--min-window");
          const maxBondPerSeat = token.parse(options.maxBond, "--max-bond");
          const client = await context.signer();
          const { timestamp } = await client.public.getBlock();
          const validUntil = Number(timestamp) + lifetime;
          const { hash } = await context.sending(() =>
            authorizeAgent(client, {
              agent: address,
              token: token.address,
              maxBondPerSeat,
              minCommitWindow,
              validUntil,
              signal: context.signal,
            }),
          );
          context.output.result({ hash, agent: address, validUntil }, [
            `Agent ${address} may lock at most ${token.format(maxBondPerSeat)} per place until ${new Date(validUntil * 1_000).toISOString()}.`,
            `Transaction ${hash}. The agent pays its own gas: send it some ether.`,
          ]);
        },
      ),
    );
  command
    .command("revoke [agent]")
    .description("take an agent's authorization back; what it signed counts no longer")
    .option("--token <address>", "token, else the network's")
    .action(
      action(async (context, agent: string | undefined, options: { token?: string }) => {
        const token = await chooseToken(context, options.token);
        requireProviderKey(context);
        const address = agentAddress(context, agent);
        const client = await context.signer();
        const { hash } = await context.sending(() =>
          revokeAgent(client, { agent: address, token: token.address, signal: context.signal }),
        );
        context.output.result({ hash, agent: address }, [
          `Agent ${address} is revoked for ${token.symbol}.`,
          `Transaction ${hash}`,
        ]);
      }),
    );
  return command;
}

type InitOptions = {
  readonly name: string;
  readonly url?: string;
  readonly agentKey: string;
  readonly price: string;
  readonly maxBond: string;
  readonly healthPort: string;
  readonly force?: boolean;
};

async function init(context: Context, options: InitOptions): Promise<void> {
  const { home, output } = context;
  if (existsSync(join(providerFolder(home), "provider.json")) && options.force !== true) {
    throw new FatalError(
      "USAGE_PROVIDER_EXISTS",
      `There is a provider in ${home} already. Say --force to write its settings again; keys and policy stay.`,
    );
  }
  const { network } = context.network();
  const token = await chooseToken(context, undefined);
  const provider = await context.account();
  if (!keyNames(home).includes(options.agentKey)) {
    newKeyFile(home, options.agentKey);
    const passphrase = await newPassphrase(context, options.agentKey);
    await createKeystore(keyFolder(home), { passphrase, name: `${options.agentKey}.json` });
    output.step(`made the agent's key ${options.agentKey}`);
  }
  const agent = keyAddress(home, options.agentKey);
  const price = token.parse(options.price, "--price");
  const createdAt = Math.floor(Date.now() / 1_000);
  const profile = await signProfile(
    {
      body: {
        name: options.name,
        ...(options.url === undefined ? {} : { url: options.url }),
        agents: [agent],
        engines,
        endpoints: network.relays,
        prices: [{ token: token.address, from: price }],
      },
      createdAt,
      expiry: createdAt + PROFILE_S,
    },
    provider,
    { chainId: network.chainId, market: network.market },
  );
  const [isolation] = await availableIsolations();
  if (isolation === undefined) {
    throw new FatalError(
      "ISOLATION_UNAVAILABLE",
      "This system offers no way to keep programs apart from it. Run the provider on Linux, best with bubblewrap installed.",
    );
  }
  writeProvider(home, {
    version: 1,
    provider: provider.address,
    agentKey: options.agentKey,
    isolation,
    health: { host: "127.0.0.1", port: parseWhole(options.healthPort, "--health-port", 0, 65_535) },
    profile: encodeProfile(profile),
  });
  if (!existsSync(policyFile(home)))
    writeWhole(policyFile(home), firstPolicy(token, price, token.parse(options.maxBond, "--max-bond"), network));
  output.result({ provider: provider.address, agent, isolation, policy: policyFile(home) }, [
    `Provider ${provider.address}, agent ${agent}. Programs run under ${isolation === "bubblewrap" ? "bubblewrap" : "a restricted process; install bubblewrap for the stronger wall"}.`,
    `Read and adapt the policy: ${policyFile(home)}`,
    "Next: quorate provider deposit AMOUNT; quorate provider agent add; send the agent some ether for gas; quorate provider start",
  ]);
}

/** A policy that takes whatever the price covers, and prefers safety to income; the guide explains every section. */
function firstPolicy(
  token: Token,
  price: bigint,
  maxBond: bigint,
  network: { readonly rpc: readonly string[]; readonly confirmations: number },
): string {
  const policy = {
    version: 1,
    tokens: { [token.address]: { prices: { base: price.toString() }, bond: { least: "0", most: maxBond.toString() } } },
    requesters: { mode: "any", allow: [], deny: [] },
    panel: { known: [], unknown: "no-veto", deny: [], require: [] },
    confirmations: network.confirmations,
    finality: { mode: "depth", depth: Math.max(network.confirmations, 12), endpoints: Math.min(2, network.rpc.length) },
  };
  return `${JSON.stringify(policy, null, 2)}\n`;
}

/** Loaded when needed: a requester never runs an agent. */
function loadAgent(): Promise<typeof import("@quorate/agent")> {
  return import("@quorate/agent");
}

function dataFolder(home: string): string {
  return join(providerFolder(home), "data");
}

function agentConfig(
  context: Context,
): Record<string, unknown> & { readonly provider: Address; readonly agentKey: string } {
  const { home } = context;
  const { network } = context.network();
  const { provider, agentKey, isolation, health, profile } = readProvider(home);
  return {
    agentKey,
    chainId: network.chainId,
    market: network.market,
    fromBlock: network.fromBlock,
    provider,
    rpcUrls: network.rpc,
    relays: network.relays,
    dataDir: dataFolder(home),
    isolation,
    health,
    policy: policyFile(home),
    ...(profile === undefined ? {} : { profile }),
  };
}

async function start(context: Context): Promise<void> {
  const { home, output, signal } = context;
  const { agentKey, ...config } = agentConfig(context);
  const running = readRunning(home);
  if (running !== undefined) {
    throw new FatalError(
      "ALREADY_RUNNING",
      `An agent runs on this state folder already (process ${running.pid}). Two would vote twice. Stop it: quorate provider stop.`,
    );
  }
  const account = await loadKeystore(
    keyFile(home, agentKey),
    await passphraseOf(context, `Passphrase of ${agentKey}: `),
  );
  noteRunning(home);
  try {
    const { runAgent } = await loadAgent();
    await runAgent(config, signal, {
      account,
      logger: createLogger({ level: "info", stream: process.stderr }),
      onReady: (_agent, { healthUrl }) => {
        noteRunning(home, healthUrl);
        output.result({ ready: true, pid: process.pid, healthUrl }, [
          `The agent follows the chain${healthUrl === undefined ? "" : `; health at ${healthUrl}/health`}. Ctrl-C ends it.`,
        ]);
      },
    });
  } finally {
    forgetRunning(home);
  }
  output.step("the agent has ended; open jobs wait for it: start it again before their deadlines");
}

const STOP_TIMEOUT_MS = 30_000;

async function stop({ home, output, signal }: Context): Promise<void> {
  const running = readRunning(home);
  if (running === undefined) {
    output.result({ stopped: false }, ["No agent runs on this state folder."]);
    return;
  }
  process.kill(running.pid, "SIGTERM");
  output.progress(`waiting for the agent (process ${running.pid}) to end`);
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (readRunning(home) !== undefined) {
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new RetryableError(
        "AGENT_NOT_STOPPED",
        `The agent (process ${running.pid}) has not ended after ${STOP_TIMEOUT_MS / 1_000} s. Look at its log; kill -9 is safe, it goes on where it was.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  output.result({ stopped: true, pid: running.pid }, [`The agent (process ${running.pid}) has ended.`]);
}

async function status(context: Context, options: { token?: string }): Promise<void> {
  const { home, output } = context;
  const { provider, agentKey } = readProvider(home);
  const agent = keyAddress(home, agentKey);
  const token = await chooseToken(context, options.token);
  const client = await context.reader();
  const running = readRunning(home);
  const [account, standing, authorization, ether, block, health] = await Promise.all([
    getAccount(client, { token: token.address, account: provider }),
    getStanding(client, { provider }),
    getAuthorization(client, { provider, agent, token: token.address }),
    client.public.getBalance({ address: agent }),
    client.public.getBlock(),
    running?.healthUrl === undefined ? undefined : readHealth(running.healthUrl),
  ]);
  const { listKnownJobs } = await loadAgent();
  const jobs = existsSync(join(dataFolder(home), "agent.db")) ? listKnownJobs(dataFolder(home)) : [];
  const open = jobs.filter(({ isOpen }) => isOpen);
  const left = authorization.validUntil - Number(block.timestamp);
  output.result({ provider, agent, running, health, account, standing, authorization, agentEther: ether, jobs }, [
    running === undefined
      ? "Agent     does not run"
      : `Agent     runs as process ${running.pid}${health === undefined ? "" : `; ${health}`}`,
    `Provider  ${provider}`,
    `Jobs      ${open.length} under way, ${jobs.length - open.length} done${open.map(({ jobId, lastStep }) => `\n          ${jobId}  ${lastStep}`).join("")}`,
    `Bonds     ${token.format(account.locked)} locked, ${token.format(account.free)} free`,
    `Gas       ${formatEther(ether)} ETH of agent ${agent}`,
    left > 0
      ? `Limits    at most ${token.format(authorization.maxBondPerSeat)} per place, for another ${formatDuration(left)}`
      : "Limits    the agent is not authorized: quorate provider agent add",
    `Standing  ${standing.aligned} aligned, ${standing.faults} faults, ${standing.late} late${standing.onProbation ? `; on probation number ${standing.probation}, ${standing.alignedInRow} of 3 alignments` : ""}`,
  ]);
}

async function readHealth(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(3_000) });
    return `${response.ok ? "ready" : "not ready"}: ${(await response.text()).slice(0, 400)}`;
  } catch (error) {
    return `its health server does not answer (${error instanceof Error ? error.message : String(error)})`;
  }
}

async function wouldTake(context: Context, what: string): Promise<void> {
  const { home, output, signal } = context;
  const { request, requirements } = existsSync(what) ? readRequestFile(what) : await findRequest(context, what);
  const { agentKey, ...config } = agentConfig(context);
  const { judgeOnce } = await loadAgent();
  const { takes, price, reasons } = await judgeOnce(
    config,
    keyAddress(home, agentKey),
    { request, requirements },
    signal,
  );
  const token = price === undefined ? undefined : await readToken(await context.publicClient(), request.token);
  output.result({ takes, price, reasons }, [
    takes
      ? `Would offer${price === undefined || token === undefined ? "" : ` at ${token.format(price)}`}.`
      : "Would not offer.",
    ...reasons.map(({ code, message }) => `  ${code}: ${message}`),
  ]);
}

function readRequestFile(file: string): { request: Request; requirements: Requirements } {
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as { request: unknown; requirements: unknown };
    return { request: requestSchema.parse(value.request), requirements: requirementsSchema.parse(value.requirements) };
  } catch (error) {
    throw new FatalError(
      "USAGE_REQUEST",
      `${file} holds no {"request", "requirements"} as relays carry them. Check the file.`,
      { cause: error },
    );
  }
}

async function findRequest(context: Context, job: string): Promise<{ request: Request; requirements: Requirements }> {
  const { network } = context.network();
  const domain = { chainId: network.chainId, market: network.market };
  const found = new Map<Hex, { request: Request; requirements: Requirements }>();
  for (const envelope of await context.relays().list(REQUESTS_TOPIC, { signal: context.signal })) {
    if (envelope.kind === "request") found.set(jobIdOf(envelope.body.request, domain), envelope.body);
  }
  const jobId = chooseJobId([...found.keys()], job, "the relays' requests");
  const body = found.get(jobId);
  if (body !== undefined) return { request: body.request, requirements: body.requirements };
  throw new FatalError(
    "JOB_UNKNOWN",
    `No relay holds a request with job id ${jobId}. Check the id and the network's relays; requests expire.`,
  );
}

function agentAddress({ home }: Context, agent: string | undefined): Address {
  if (agent === undefined) return keyAddress(home, readProvider(home).agentKey);
  if (keyNames(home).includes(agent)) return keyAddress(home, agent);
  return parseAddress(agent, "The agent");
}

/** Bonds and authorizations belong to the provider: another key would deposit and authorize for itself. */
function requireProviderKey(context: Context): void {
  const { provider } = readProvider(context.home);
  const address = context.address();
  if (address.toLowerCase() !== provider.toLowerCase()) {
    throw new FatalError(
      "USAGE_WRONG_KEY",
      `The chosen key is ${address}, the provider is ${provider}. Name the provider's key with --account.`,
    );
  }
}
