import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { jobMarketAbi } from "@quorate/abi";
import { viemBlockSource } from "@quorate/chain";
import { type Clock, type Logger, silentLogger, systemClock } from "@quorate/core";
import { engines, supports } from "@quorate/sandbox";
import { runIsolated } from "@quorate/sandbox/node";
import {
  createMetrics,
  createOutbox,
  type KeyAccount,
  loadKeystore,
  openDatabase,
  startHealthServer,
} from "@quorate/service";
import { createRelayClient } from "@quorate/wire";
import { createPublicClient, http } from "viem";
import { type Agent, createAgent } from "./agent.ts";
import type { SandboxPort } from "./answer.ts";
import { createChainReader } from "./chain-reader.ts";
import type { AgentConfig } from "./config.ts";
import { registerAgentMetrics } from "./metrics.ts";
import { showPresence } from "./presence.ts";
import { configError, parseConfig, type ReadConfig } from "./read-config.ts";

/** What may stand in for what {@link runAgent} makes itself. */
export type RunAgentPorts = {
  /** The agent's key, or the provider's own; instead of `config.keystore`. */
  readonly account?: KeyAccount;
  /** By default every program runs in a process of its own, isolated as `config.isolation` says. */
  readonly sandbox?: SandboxPort;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Called once, when the agent follows the chain's head. */
  readonly onReady?: (agent: Agent, info: { readonly healthUrl?: string }) => void;
};

/**
 * Runs a provider's agent until aborted.
 *
 * @param input Configuration, checked by {@link agentConfigSchema}.
 * @param signal Ends it; whatever was under way goes on at the next start.
 * @param ports Stand-ins.
 * @throws FatalError `AGENT_CONFIG` for a configuration that cannot work, `ALREADY_RUNNING` when another process uses
 *   the data folder; what the follower throws, such as `CHAIN_RESET`.
 */
export async function runAgent(input: unknown, signal: AbortSignal, ports: RunAgentPorts = {}): Promise<void> {
  const config = await parseConfig(input);
  const { logger = silentLogger, clock = systemClock } = ports;
  const account = ports.account ?? (await accountOf(config));
  checkKey(config, account);
  // Follows from the key: salts can be made again from a copy of the keystore alone.
  const secret = account.deriveSecret("agent");
  const { chainId, market, policy } = config;
  const domain = { chainId, market };

  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  // The first lock decides: two agents on one folder could vote twice.
  const votesDb = openDatabase(join(config.dataDir, "votes.db"));
  const db = openDatabase(join(config.dataDir, "agent.db"));
  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);
  try {
    const clients = config.rpcUrls.map((url) => createPublicClient({ transport: http(url) }));
    const relays = createRelayClient({ urls: config.relays, domain, clock, logger, signal: inner });
    const agent = createAgent({
      provider: config.provider,
      domain,
      policy,
      signer: account,
      secret,
      db,
      votesDb,
      sources: config.rpcUrls.map((url) => viemBlockSource(url)),
      fromBlock: config.fromBlock,
      reader: createChainReader(clients, domain),
      relays,
      outbox: createOutbox({
        db,
        clients,
        account,
        chainId,
        abi: jobMarketAbi,
        policy: {
          confirmations: policy.confirmations,
          maxFeeCap: policy.gas.maxFeePerGasWei,
          pollIntervalMs: config.pollIntervalMs,
        },
        clock,
        logger,
      }),
      sandbox: ports.sandbox ?? isolatedSandbox(config),
      clock,
      logger,
      pollIntervalMs: config.pollIntervalMs,
      onCaughtUp: () => {
        logger.info("agent_ready", { ...info });
        ports.onReady?.(agent, info);
      },
    });
    const info = await serveHealth(config, agent, { logger, clock }, inner);
    const presence =
      config.profile === undefined
        ? undefined
        : showPresence(
            { profile: config.profile, config, policy, engines, signer: account, domain, relays, clock, logger },
            inner,
          );
    await agent.run(inner);
    stop.abort();
    await presence;
  } finally {
    stop.abort();
    db.close();
    votesDb.close();
  }
}

async function accountOf({ keystore }: AgentConfig): Promise<KeyAccount> {
  if (keystore !== undefined) return loadKeystore(keystore.file, keystore.passphrase);
  throw configError("It has no key. Name its keystore file and passphrase.");
}

/** An agent can never withdraw, and never speaks for its provider: a policy that wants it needs the provider's own key. */
function checkKey({ policy, provider, profile }: ReadConfig, account: KeyAccount): void {
  if (account.address.toLowerCase() === provider.toLowerCase()) return;
  if (policy.treasury.sweep.length > 0)
    throw configError(
      "policy.treasury.sweep needs the provider's own key: an agent can never withdraw. Remove it, or start with that key.",
    );
  if (profile !== undefined && !("signature" in profile))
    throw configError(
      "An agent cannot sign the provider's profile. Sign it with the provider's key, and name the signed one.",
    );
}

function isolatedSandbox({ isolation, policy }: ReadConfig): SandboxPort {
  const { wallTimeMs, memoryBytes, outputBytes } = policy.limits;
  return {
    supports,
    run: (pkg, { signal }) => runIsolated(pkg, { isolation, signal, limits: { wallTimeMs, memoryBytes, outputBytes } }),
  };
}

/** Longest time without a new block before the agent says that it is not ready, milliseconds. */
const STALE_MS = 120_000;

async function serveHealth(
  { health }: AgentConfig,
  agent: Agent,
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
  signal: AbortSignal,
): Promise<{ readonly healthUrl?: string }> {
  if (health === undefined) return {};
  const metrics = createMetrics({ defaults: true });
  registerAgentMetrics(
    metrics,
    () => agent.status(),
    () => clock.now(),
  );
  const server = await startHealthServer({
    ...health,
    metrics,
    logger,
    info: { name: "quorate-agent" },
    ready: {
      chain: () => {
        const { caughtUp, lastBlockAt, head } = agent.status();
        const age = lastBlockAt === undefined ? undefined : clock.now() - lastBlockAt;
        const detail =
          age === undefined ? "no block yet" : `block ${head?.number ?? 0}, ${Math.round(age / 1000)} s ago`;
        return { ok: caughtUp && age !== undefined && age < STALE_MS, detail };
      },
    },
  });
  signal.addEventListener("abort", () => void server.close(), { once: true });
  return { healthUrl: server.url };
}
