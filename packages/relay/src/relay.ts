import { createHmac, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Clock, FatalError, type Logger, silentLogger, systemClock, unixSeconds } from "@quorate/core";
import { openDatabase } from "@quorate/service";
import { ipKeyGenerator } from "express-rate-limit";
import { openBlocks } from "./blocks.ts";
import { parseRelayConfig, type RelayConfigInput } from "./config.ts";
import { createApp } from "./http/app.ts";
import type { RelayContext } from "./http/context.ts";
import { openMessages } from "./messages.ts";
import { createRelayMetrics } from "./metrics.ts";
import { openProfiles } from "./profiles.ts";
import { migrations } from "./schema.ts";
import { createStreams } from "./streams.ts";

/** Version that a relay tells its clients. */
const VERSION = "0.1.0";

/** Pause between collections of what has expired, milliseconds. */
const COLLECT_EVERY_MS = 60_000;

/** Expired things that one collection removes of each sort: it must not hold up requests. */
const COLLECT_MOST = 1_000;

/** How long open requests may still take when a relay closes, milliseconds. */
const CLOSE_MS = 5_000;

/** A relay that runs. */
export type RunningRelay = {
  /** Base URL with the port that was taken. */
  readonly url: string;
  /** Answers what waits, ends every connection and closes the database. Safe to call twice. */
  close(): Promise<void>;
  /** Removes what has expired; the relay does so by itself every minute. */
  collect(): Promise<{ messages: number; blocks: number; profiles: number }>;
};

/** Settings and ports of {@link startRelay}. */
export type StartRelayOptions = RelayConfigInput & {
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
};

/**
 * Starts a relay: opens or makes its folder, clears what a kill left behind, and listens.
 *
 * @param options Settings as in {@link RelayConfigInput}, clock and logger.
 * @throws FatalError `RELAY_CONFIG_INVALID`; `PORT_IN_USE` or `CANNOT_LISTEN`; `ALREADY_RUNNING` when another relay uses
 * the folder
 */
export async function startRelay(options: StartRelayOptions): Promise<RunningRelay> {
  const { clock = systemClock, logger = silentLogger, ...input } = options;
  const config = parseRelayConfig(input);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const db = openDatabase(join(config.dataDir, "relay.sqlite"), { migrations: [...migrations] });
  try {
    return await listen(db, config, clock, logger);
  } catch (error) {
    db.close();
    throw error;
  }
}

async function listen(
  db: DatabaseSync,
  config: RelayContext["config"],
  clock: Clock,
  logger: Logger,
): Promise<RunningRelay> {
  const limits = { ...config.limits, keepsRoom: config.trustedSenders.length > 0 };
  const streams = createStreams(limits);
  const messages = openMessages(db, limits, (topics) => streams.ring(topics));
  const profiles = openProfiles(db, limits);
  const blocks = await openBlocks(db, join(config.dataDir, "blocks"), limits);
  const metrics = createRelayMetrics(() => {
    const [ofMessages, ofBlocks] = [messages.totals(), blocks.totals()];
    return {
      messages: ofMessages.items,
      messageBytes: ofMessages.bytes,
      blocks: ofBlocks.items,
      blockBytes: ofBlocks.bytes,
      profiles: profiles.total(),
      streams: streams.size,
    };
  });
  const trusted = new Set(config.trustedSenders.map((account) => account.toLowerCase()));
  const context: RelayContext = {
    config,
    version: VERSION,
    messages,
    profiles,
    blocks,
    streams,
    metrics,
    clock,
    logger,
    markets: config.markets,
    sourceOf: createSourceOf(readSecret(db)),
    isTrusted: (account) => trusted.has(account.toLowerCase()),
  };

  const app = createApp(context, () => !streams.closed);
  const server = createServer({ maxHeaderSize: 8_192, connectionsCheckingInterval: 2_000 }, app);
  harden(server, config);
  const { port } = await bind(server, config.host, config.port);
  const url = `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`;

  async function collect(): Promise<{ messages: number; blocks: number; profiles: number }> {
    const nowS = unixSeconds(clock);
    return {
      messages: messages.removeExpired(nowS, COLLECT_MOST),
      blocks: await blocks.removeExpired(nowS, COLLECT_MOST),
      profiles: profiles.removeExpired(nowS),
    };
  }
  let collecting: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    collecting = collecting.then(collect).catch((error: unknown) => logger.error("collect_failed", { error }));
  }, COLLECT_EVERY_MS);
  timer.unref();

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    clearInterval(timer);
    streams.close();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // connections fall idle one by one as their last answers go out
    const idle = setInterval(() => server.closeIdleConnections(), 20);
    const force = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(force);
    await collecting;
    db.close();
    logger.info("relay_closed", { url });
  }
  logger.info("relay_listening", { url, markets: config.markets.length, dataDir: config.dataDir });
  return {
    url,
    collect,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Against clients that send or read drop by drop, and against one peer that takes every connection. */
function harden(server: Server, config: RelayContext["config"]): void {
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.keepAliveTimeout = 20_000;
  server.maxHeadersCount = 64;
  server.maxRequestsPerSocket = 10_000;
  server.maxConnections = config.limits.connections;
  // no byte in either direction for so long ends a connection; long polls are shorter, event streams send comments
  server.setTimeout(60_000, (socket: Socket) => socket.destroy());
  if (config.trustProxy > 0) return;
  const perPeer = new Map<string, number>();
  server.on("connection", (socket) => {
    const peer = ipKeyGenerator(socket.remoteAddress ?? "0.0.0.0");
    const held = (perPeer.get(peer) ?? 0) + 1;
    if (held > config.limits.connectionsPerSource) {
      socket.destroy();
      return;
    }
    perPeer.set(peer, held);
    socket.once("close", () => {
      const rest = (perPeer.get(peer) ?? 1) - 1;
      if (rest > 0) perPeer.set(peer, rest);
      else perPeer.delete(peer);
    });
  });
}

async function bind(server: Server, host: string, port: number): Promise<AddressInfo> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new FatalError(
      isTaken ? "PORT_IN_USE" : "CANNOT_LISTEN",
      isTaken
        ? `Port ${port} of ${host} is taken. Choose another port, or stop what listens there.`
        : `The relay cannot listen on ${host}:${port}: ${(cause as Error).message}.`,
      { cause, docsPath: "guides/relay.md" },
    );
  }
  return server.address() as AddressInfo;
}

/** Key of the pseudonyms of addresses; made once, kept with the data. */
function readSecret(db: DatabaseSync): string {
  db.prepare("INSERT INTO meta (name, value) VALUES ('secret', ?) ON CONFLICT DO NOTHING").run(
    randomBytes(32).toString("hex"),
  );
  return (db.prepare("SELECT value FROM meta WHERE name = 'secret'").get() as { value: string }).value;
}

/** IPv6 counts by /56, since a subscriber has that many addresses. */
function createSourceOf(secret: string): RelayContext["sourceOf"] {
  return (req) =>
    createHmac("sha256", secret)
      .update(ipKeyGenerator(req.ip ?? "0.0.0.0"))
      .digest("hex")
      .slice(0, 24);
}

/**
 * Runs a relay until the signal aborts.
 *
 * @param options As {@link startRelay}.
 * @param signal Ends the relay.
 * @param onListening Called with the URL once requests are accepted.
 */
export async function runRelay(
  options: StartRelayOptions,
  signal: AbortSignal,
  onListening?: (url: string) => void,
): Promise<void> {
  const relay = await startRelay(options);
  onListening?.(relay.url);
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }
  await relay.close();
}
