/** Agents that live in the process of the test: the other seats of a panel. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Agent, createAgent, createChainReader, policySchema, type SandboxPort } from "@quorate/agent";
import { viemBlockSource } from "@quorate/chain";
import { type Logger, silentLogger, systemClock } from "@quorate/core";
import { runPackage, supports } from "@quorate/sandbox";
import { createOutbox, openDatabase } from "@quorate/service";
import { createRelayClient, type EnvelopeKind } from "@quorate/wire";
import { createPublicClient, http, keccak256, stringToBytes } from "viem";
import type { TestMarket, TestProvider } from "./market.ts";

/** A sandbox without a process of its own, for programs that the test wrote. */
export const testSandbox: SandboxPort = { supports, run: runPackage };

/** A running agent. */
export type LocalAgent = AsyncDisposable & { readonly agent: Agent; readonly failed: Promise<never> };

let count = 0;

/**
 * Starts an agent in this process.
 *
 * @param market Market to work on.
 * @param provider Provider that it works for.
 * @param options Changes of the policy; another sandbox; a logger; messages that do not exist for it.
 */
export function startLocalAgent(
  market: TestMarket,
  provider: TestProvider,
  options: {
    policy?: Record<string, unknown>;
    sandbox?: SandboxPort;
    logger?: Logger;
    dataDir?: string;
    /** Messages that it neither sends nor reads. */
    lacks?: readonly EnvelopeKind[];
  } = {},
): LocalAgent {
  const dataDir = options.dataDir ?? join(market.dir, `local-${count++}`);
  mkdirSync(dataDir, { recursive: true });
  const { domain } = market;
  const logger = options.logger ?? silentLogger;
  const policy = policySchema.parse(market.policy(options.policy));
  const db = openDatabase(join(dataDir, "agent.db"));
  const votesDb = openDatabase(join(dataDir, "votes.db"));
  const clients = [createPublicClient({ transport: http(market.anvil.url) })];
  const stop = new AbortController();
  const relays = createRelayClient({ urls: [market.relayUrl], domain, signal: stop.signal });
  const publish: typeof relays.publish = async (envelope, publishing) =>
    options.lacks?.includes(envelope.kind) === true
      ? { accepted: [market.relayUrl], failed: [] }
      : relays.publish(envelope, publishing);
  const subscribe: typeof relays.subscribe = (topic, reading) => {
    const all = relays.subscribe(topic, reading);
    const heard = (async function* () {
      for await (const envelope of all) if (options.lacks?.includes(envelope.kind) !== true) yield envelope;
    })();
    return Object.assign(heard, { cursors: () => all.cursors() });
  };
  const agent = createAgent({
    provider: provider.account.address,
    domain,
    policy,
    signer: provider.agent,
    secret: keccak256(stringToBytes(provider.agent.address), "bytes"),
    db,
    votesDb,
    sources: [viemBlockSource(market.anvil.url)],
    fromBlock: 0,
    reader: createChainReader(clients, domain),
    relays: { ...relays, publish, subscribe },
    outbox: createOutbox({
      db,
      clients,
      account: provider.agent,
      chainId: domain.chainId,
      policy: { confirmations: policy.confirmations, maxFeeCap: policy.gas.maxFeePerGasWei, pollIntervalMs: 300 },
      logger,
    }),
    sandbox: options.sandbox ?? testSandbox,
    clock: systemClock,
    logger,
    pollIntervalMs: 300,
  });
  const running = agent.run(stop.signal);
  const failed = new Promise<never>((_, reject) => running.catch(reject));
  failed.catch(() => {});
  return {
    agent,
    failed,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("the test is over"));
      await running.catch(() => {});
      db.close();
      votesDb.close();
    },
  };
}
