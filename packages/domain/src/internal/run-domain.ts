import { queryMarketAbi } from "@quorate/abi";
import { viemBlockSource } from "@quorate/chain";
import { type Clock, type Logger, silentLogger, systemClock } from "@quorate/core";
import { createProver } from "@quorate/proofs/node";
import {
  type CheckResult,
  createMetrics,
  createOutbox,
  type KeyAccount,
  loadKeystore,
  startHealthServer,
} from "@quorate/service";
import { createPublicClient, http, isAddressEqual, type PublicClient } from "viem";
import { serveAdmin } from "./admin.ts";
import type { ProverPort } from "./answerer.ts";
import { type ChainReader, createChainReader } from "./chain-reader.ts";
import { type DomainConfig, domainConfigError, parseDomainConfig } from "./config.ts";
import { openState } from "./context.ts";
import { createDomain, type Domain, type DomainStep } from "./domain.ts";
import { createDomainApp, listen } from "./http.ts";
import { registerDomainMetrics } from "./metrics.ts";
import { createMutex } from "./mutex.ts";
import {
  type AuditOrder,
  auditOf,
  type ImportOrder,
  importInto,
  type RegisterOrder,
  registerIn,
  summaryOf,
} from "./operations.ts";
import { assertProfile } from "./profile.ts";

/** What may stand in for what {@link runDomain} makes itself. */
export type RunDomainPorts = {
  /** The agent's key, or the provider's own; instead of `config.keystore`. */
  readonly account?: KeyAccount | undefined;
  /** By default proofs are made in a process of their own. */
  readonly prover?: ProverPort | undefined;
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  /** Called once, when the agent follows the chain's head and answers requests. */
  readonly onReady?:
    | ((info: { readonly url: string; readonly healthUrl?: string; readonly domain: Domain }) => void)
    | undefined;
  /** Observes steps; for tests. */
  readonly onStep?: ((step: DomainStep) => void) | undefined;
};

/** Longest time without a successful look at the chain before the agent says that it is not ready, milliseconds. */
const STALE_MS = 120_000;

/**
 * Runs a domain provider's agent until aborted.
 *
 * @param input Configuration, checked by `domainConfigSchema`.
 * @param signal Ends it; whatever was under way goes on at the next start.
 * @param ports Stand-ins.
 * @throws FatalError `DOMAIN_CONFIG`, `DOMAIN_MISMATCH`, `DATASET_UNKNOWN`, `ALREADY_RUNNING`, `STATE_KEY_WRONG`,
 *   `ARTIFACTS_MISSING`, `PORT_IN_USE`; what the follower throws, such as `CHAIN_RESET`.
 */
export async function runDomain(input: unknown, signal: AbortSignal, ports: RunDomainPorts = {}): Promise<void> {
  const config = parseDomainConfig(input);
  await assertProfile(config);
  const { logger = silentLogger, clock = systemClock } = ports;
  const account = ports.account ?? (await accountOf(config));
  const { chainId, market, provider } = config;
  const metrics = createMetrics({ defaults: true });
  const stack = new AsyncDisposableStack();
  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);
  try {
    const state = openState(config.dataDir, account);
    stack.defer(() => state.close());
    const prover = ports.prover ?? (await createProver({ ...config.prover, logger }));
    stack.defer(async () => prover.close?.());
    const clients = config.rpcUrls.map((url) => createPublicClient({ transport: http(url) }));
    const reader = createChainReader(clients, { chainId, market });
    let onCaughtUp = (): void => {};
    const caughtUp = new Promise<void>((resolve) => {
      onCaughtUp = resolve;
    });
    const domain = createDomain({
      config,
      identity: { chainId, market, provider },
      state,
      signer: account,
      reader,
      outbox: createDomainOutbox(config, state.db, clients, account, { clock, logger }),
      prover,
      sources: config.rpcUrls.map((url) => viemBlockSource(url)),
      clock,
      logger,
      onStep: ports.onStep,
      onProved: (durationMs) => meters.proved(durationMs),
      onCaughtUp,
    });
    const meters = registerDomainMetrics(metrics, () => domain.status());
    const imports = createMutex();
    const admin = await serveAdmin({
      dataDir: config.dataDir,
      account,
      handlers: {
        import: (order: ImportOrder, ended) => imports(() => importInto(state, order, ended)),
        register: (order: RegisterOrder) => registerIn(state, order),
        audit: (order: AuditOrder) => auditOf(state, order),
        status: () => summaryOf(state),
      },
      now: () => clock.now(),
      logger,
    });
    if (admin !== undefined) stack.defer(() => admin.close());
    const running = domain.run(inner);
    running.catch(() => {});
    // Nobody is served by what the chain said yesterday.
    await Promise.race([caughtUp, running]);
    if (inner.aborted) return await running;
    // A node that does not answer now will later: the agent asks it again and again.
    await domain.refresh().catch((error: unknown) => logger.warn("refresh_failed", { error }));
    const server = await listen(
      createDomainApp({
        config,
        info: () => domain.info(),
        key: (request, source) => domain.key(request, source),
        question: (message) => domain.question(message),
        subject: (action, message) => domain.subject(action, message),
        logger,
        onRequest: (route, status, seconds) => meters.request(route, status, seconds),
      }),
      config,
    );
    stack.defer(() => server.close());
    const health =
      config.health === undefined
        ? undefined
        : await startHealthServer({
            ...config.health,
            metrics,
            logger,
            info: { name: "quorate-domain" },
            ready: readyChecks(config, domain, reader, account, clock),
          });
    if (health !== undefined) stack.defer(() => health.close());
    logger.info("domain_ready", { url: server.url });
    ports.onReady?.({ url: server.url, ...(health === undefined ? {} : { healthUrl: health.url }), domain });
    await running;
  } finally {
    stop.abort(new Error("the agent stops"));
    // A process that ends does not count as a reason for Node to wait.
    const awake = setInterval(() => {}, 1_000);
    await stack.disposeAsync().finally(() => clearInterval(awake));
  }
}

/**
 * Outbox of the agent's key.
 *
 * @param config Configuration.
 * @param db Database of the state.
 * @param clients One per endpoint.
 * @param account The agent's key.
 * @param ports Clock and logger.
 */
export function createDomainOutbox(
  config: DomainConfig,
  db: Parameters<typeof createOutbox>[0]["db"],
  clients: readonly PublicClient[],
  account: KeyAccount,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): ReturnType<typeof createOutbox> {
  return createOutbox({
    db,
    clients,
    account,
    chainId: config.chainId,
    abi: queryMarketAbi,
    policy: {
      confirmations: config.finality.confirmations,
      maxFeeCap: config.gas.maxFeePerGasWei,
      pollIntervalMs: config.pollIntervalMs,
    },
    clock,
    logger,
  });
}

/**
 * Account of a configuration.
 *
 * @param config Configuration with a keystore.
 * @throws FatalError `DOMAIN_CONFIG` without one, and what `loadKeystore` throws.
 */
export async function accountOf({ keystore }: DomainConfig): Promise<KeyAccount> {
  if (keystore !== undefined) return loadKeystore(keystore.file, keystore.passphrase);
  throw domainConfigError("It has no key. Name its keystore file and passphrase.");
}

function readyChecks(
  { provider, offers }: DomainConfig,
  domain: Domain,
  reader: ChainReader,
  { address }: KeyAccount,
  clock: Clock,
): Record<string, () => CheckResult | Promise<CheckResult>> {
  const isProvider = isAddressEqual(address, provider);
  return {
    chain: () => {
      const { caughtUp, lastPollAt } = domain.status();
      return { ok: caughtUp && lastPollAt !== undefined && clock.now() - lastPollAt < STALE_MS };
    },
    datasets: () => {
      const wrong = domain
        .status()
        .datasets.filter(
          ({ chain }) => chain === undefined || (!isProvider && !isAddressEqual(chain.publisher, address)),
        );
      return {
        ok: wrong.length === 0,
        detail:
          wrong.length === 0
            ? "all registered"
            : `${wrong.map(({ name }) => name).join(", ")}: not registered, or this key may not publish`,
      };
    },
    authorization: async () => {
      if (isProvider) return { ok: true, detail: "the provider's own key" };
      for (const { token, bond, window, dataset, circuit } of offers) {
        const { maxBond, minWindow, validUntil } = await reader.authorization(provider, address, token);
        const problem =
          validUntil <= clock.now() / 1000
            ? "has ended, or was never given"
            : bond > maxBond
              ? `covers bonds up to ${maxBond}`
              : window < minWindow
                ? `covers windows from ${minWindow} s`
                : undefined;
        if (problem !== undefined)
          return { ok: false, detail: `${dataset}, ${circuit}: the provider's authorization ${problem}` };
      }
      return { ok: true, detail: "covers every offer" };
    },
    gas: async () => {
      const balance = await reader.gasBalance(address);
      return { ok: balance > 0n, detail: `${balance} wei` };
    },
  };
}
