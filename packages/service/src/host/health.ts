import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { withTimeout } from "@quorate/chain";
import { FatalError, type Logger, silentLogger } from "@quorate/core";
import type { Metrics } from "./metrics.ts";

/** What a check found. */
export type CheckResult = { readonly ok: boolean; readonly detail?: string };

/** Settings of {@link startHealthServer}. */
export type HealthOptions = {
  /** `127.0.0.1` by default; anything else shows the state of the service to the network. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Named checks of `/ready`: chain reachable, relay reachable, gas left. One that throws or takes 5 s has failed. */
  readonly ready: Readonly<Record<string, () => CheckResult | Promise<CheckResult>>>;
  readonly metrics?: Metrics;
  /** Shown by `/health`: name and version. */
  readonly info?: Readonly<Record<string, string>>;
  readonly logger?: Logger;
};

/** A running health server. */
export type HealthServer = { readonly url: string; close(): Promise<void> };

const checkTimeoutMs = 5000;

/**
 * Serves `/health` (the process lives), `/ready` (200 or 503 with every check by name) and `/metrics`.
 *
 * @param options Address, checks, metrics.
 * @throws `PORT_BUSY`.
 */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const host = options.host ?? "127.0.0.1";
  const logger = options.logger ?? silentLogger;
  const startedAt = Date.now();
  const stopped = new AbortController();

  async function check(name: string, run: () => CheckResult | Promise<CheckResult>): Promise<[string, CheckResult]> {
    try {
      return [name, await withTimeout(checkTimeoutMs, stopped.signal, async () => await run())];
    } catch (error) {
      return [name, { ok: false, detail: (error as Error).message }];
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : `${JSON.stringify(body)}\n`);
    };
    if (request.method !== "GET" && request.method !== "HEAD") return send(405, { error: "METHOD_NOT_ALLOWED" });
    switch ((request.url ?? "/").split("?")[0]) {
      case "/health":
        return send(200, { ok: true, uptimeMs: Date.now() - startedAt, ...options.info });
      case "/ready": {
        const checks = Object.fromEntries(
          await Promise.all(Object.entries(options.ready).map(([name, run]) => check(name, run))),
        );
        const ok = Object.values(checks).every((result) => result.ok);
        return send(ok ? 200 : 503, { ok, checks });
      }
      case "/metrics": {
        if (options.metrics === undefined) return send(404, { error: "NOT_FOUND" });
        const text = await options.metrics.text();
        response.writeHead(200, { "content-type": options.metrics.contentType, "cache-control": "no-store" });
        response.end(request.method === "HEAD" ? undefined : text);
        return;
      }
      default:
        return send(404, { error: "NOT_FOUND" });
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      logger.error("health.failed", { error });
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: { code?: string } & Error) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      reject(
        new FatalError(
          "PORT_BUSY",
          `Port ${options.port} of ${host} is in use. Choose another one for health and metrics.`,
          { cause: error, details: { host, port: options.port } },
        ),
      );
    });
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  logger.info("health.listening", { address: `${host}:${port}` });
  return {
    url,
    async close() {
      stopped.abort(new Error("stopped"));
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
