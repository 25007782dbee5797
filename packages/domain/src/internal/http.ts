import { createHmac, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { FatalError, isQuorateError, type Logger } from "@quorate/core";
import {
  DOMAIN_DOCS_PATH,
  type DomainErrorCode,
  type DomainInfo,
  domainError,
  domainErrors,
  domainInfoSchema,
  domainRoutes,
  type KeyRequest,
  keyRequestSchema,
  MAX_DOMAIN_BODY_BYTES,
  type QuestionMessage,
  questionMessageSchema,
  type SealedReply,
  type SignedQuestionKey,
  type SignedQuote,
  type SubjectAction,
  type SubjectMessage,
  signedQuestionKeySchema,
  signedQuoteSchema,
  subjectMessageSchema,
} from "@quorate/wire";
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import helmet from "helmet";
import { z } from "zod";
import type { DomainConfig } from "./config.ts";

/** What the HTTP interface passes requests to. */
export type HttpPorts = {
  readonly config: Pick<DomainConfig, "trustProxy" | "limits" | "refusalMs">;
  info(): DomainInfo;
  key(request: KeyRequest, source: string): Promise<SignedQuestionKey>;
  question(message: QuestionMessage): Promise<SignedQuote>;
  subject(action: SubjectAction, message: SubjectMessage): Promise<SealedReply>;
  readonly logger: Logger;
  /** Time of an answered request, for metrics; the route is a pattern. */
  readonly onRequest?: ((route: string, status: number, seconds: number) => void) | undefined;
};

/** Code of every refusal. */
const REFUSED: DomainErrorCode = "CANNOT_ANSWER";

/** Seconds after which a client may try again, by code. */
const RETRY_AFTER_S: Partial<Record<DomainErrorCode, number>> = {
  RATE_LIMITED: 60,
  TOO_MANY_KEYS: 600,
  DOMAIN_BUSY: 5,
};

/**
 * Builds the HTTP interface of a domain provider.
 *
 * @param ports What answers.
 */
export function createDomainApp(ports: HttpPorts): Express {
  const { config, logger } = ports;
  const sourceOf = createSourceOf();
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.set("query parser", "simple");
  app.set("case sensitive routing", true);
  app.set("trust proxy", config.trustProxy);
  app.use(helmet({ crossOriginResourcePolicy: { policy: "cross-origin" } }));
  app.use(crossOrigin);
  app.use(measure(ports));
  app.use(limitRates(config.limits, sourceOf));

  const body = express.raw({ type: "application/json", limit: MAX_DOMAIN_BODY_BYTES, inflate: false });
  const busy = limitConcurrency(config.limits.concurrentRequests);
  const refusals = createRefusals(config.refusalMs);
  const post = <T>(
    path: string,
    schema: z.ZodType<T>,
    handle: (message: T, req: Request) => Promise<unknown>,
  ): void => {
    app
      .route(path)
      .post(busy, body, async (req, res) => {
        const arrivedAt = performance.now();
        const message = parseBody(schema, req.body);
        let answer: unknown;
        try {
          answer = await handle(message, req);
        } catch (error) {
          if (isQuorateError(error, REFUSED)) await refusals.wait(arrivedAt);
          throw error;
        }
        res.set("Cache-Control", "no-store").json(answer);
      })
      .all(methodNotAllowed("POST"));
  };

  app
    .route(domainRoutes.getInfo.path)
    .get((_req, res) => void res.set("Cache-Control", "no-store").json(z.encode(domainInfoSchema, ports.info())))
    .all(methodNotAllowed("GET"));
  post(domainRoutes.postKey.path, keyRequestSchema, async (request, req) =>
    z.encode(signedQuestionKeySchema, await ports.key(request, sourceOf(req))),
  );
  post(domainRoutes.postQuestion.path, questionMessageSchema, async (message) =>
    z.encode(signedQuoteSchema, await ports.question(message)),
  );
  for (const [action, { path }] of [
    ["enrol", domainRoutes.postEnrol],
    ["records", domainRoutes.postRecords],
    ["audit", domainRoutes.postAudit],
  ] as const)
    post(path, subjectMessageSchema, (message) => ports.subject(action, message));

  app.use(notFound);
  app.use(errorHandler(logger));
  return app;
}

/**
 * Refusals leave at multiples of a fixed time after the request came. How long it took to find the reason is the reason's
 * secret: a record that does not exist is found faster than one that has ended.
 */
function createRefusals(quantumMs: number): { wait(arrivedAt: number): Promise<void> } {
  return {
    async wait(arrivedAt) {
      if (quantumMs === 0) return;
      const elapsed = performance.now() - arrivedAt;
      const restMs = Math.ceil(elapsed / quantumMs) * quantumMs - elapsed;
      await new Promise((resolve) => setTimeout(resolve, restMs));
    },
  };
}

function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  if (!Buffer.isBuffer(body))
    throw domainError("UNSUPPORTED_MEDIA_TYPE", "Send a JSON body with Content-Type: application/json.");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw domainError("MALFORMED_JSON", "The body is not JSON in UTF-8.", cause);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw domainError("INVALID_MESSAGE", `The message does not have the expected shape: ${issues.join("; ")}.`);
}

/** Pseudonyms of addresses, other ones after each start; IPv6 counts by /56, since a subscriber has that many. */
function createSourceOf(): (req: Request) => string {
  const secret = randomBytes(32);
  return (req) =>
    createHmac("sha256", secret)
      .update(ipKeyGenerator(req.ip ?? "0.0.0.0"))
      .digest("hex")
      .slice(0, 24);
}

/** Any page may speak with the provider: nothing here depends on cookies or on who asks. */
const crossOrigin: RequestHandler = (req, res, next) => {
  res.set({ "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After, Content-Length" });
  if (req.method !== "OPTIONS") return next();
  res.set({
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Accept",
    "Access-Control-Max-Age": "86400",
  });
  res.status(204).end();
};

function measure({ onRequest }: HttpPorts): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    res.once("finish", () => {
      const route: unknown = req.route?.path;
      const label = typeof route === "string" ? `${req.method} ${route}` : "none";
      onRequest?.(label, res.statusCode, (performance.now() - startedAt) / 1000);
    });
    next();
  };
}

function limitRates(limits: DomainConfig["limits"], sourceOf: (req: Request) => string): RequestHandler {
  const limiter = (limit: number): RequestHandler =>
    rateLimit({
      windowMs: 60_000,
      limit,
      standardHeaders: "draft-7",
      legacyHeaders: false,
      keyGenerator: sourceOf,
      handler: (_req, res) => {
        sendError(res, "RATE_LIMITED", `More than ${limit} requests of this sort in a minute. Slow down.`);
      },
      validate: { trustProxy: false, xForwardedForHeader: false, keyGeneratorIpFallback: false },
    });
  const [writes, reads] = [limiter(limits.writesPerMinute), limiter(limits.readsPerMinute)];
  return (req, res, next) => (req.method === "GET" || req.method === "HEAD" ? reads : writes)(req, res, next);
}

function limitConcurrency(most: number): RequestHandler {
  let running = 0;
  return (_req, res, next) => {
    if (running >= most) return sendError(res, "DOMAIN_BUSY", "The agent works on as many requests as it can.");
    running += 1;
    res.once("close", () => {
      running -= 1;
    });
    next();
  };
}

function sendError(res: Response, code: DomainErrorCode, message: string): void {
  const retryAfterS = RETRY_AFTER_S[code];
  if (retryAfterS !== undefined && !res.hasHeader("retry-after")) res.set("Retry-After", String(retryAfterS));
  res
    .status(domainErrors[code].status)
    .set("Cache-Control", "no-store")
    .json({ error: { code, message, docs: DOMAIN_DOCS_PATH } });
}

const notFound: RequestHandler = (req, res) => {
  sendError(res, "NOT_FOUND", `There is nothing at ${req.path.slice(0, 120)}. The routes are in the documentation.`);
};

function methodNotAllowed(allowed: string): RequestHandler {
  return (req, res) => {
    res.set("Allow", allowed);
    sendError(res, "METHOD_NOT_ALLOWED", `${req.method} is not possible here, ${allowed} is.`);
  };
}

/** Errors of Express and its body parsers by their `type`. */
const PARSER_ERRORS: Record<string, readonly [DomainErrorCode, string]> = {
  "entity.too.large": ["PAYLOAD_TOO_LARGE", `The body is larger than ${MAX_DOMAIN_BODY_BYTES} bytes.`],
  "encoding.unsupported": ["UNSUPPORTED_MEDIA_TYPE", "Compressed bodies are not accepted. Send it as it is."],
  "request.aborted": ["MALFORMED_URL", "The request ended before its body did."],
  "request.size.invalid": ["MALFORMED_URL", "The body is not as long as the request said."],
};

function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, _next) => {
    if (res.headersSent) {
      res.destroy();
      return;
    }
    if (isQuorateError(error) && Object.hasOwn(domainErrors, error.code))
      return sendError(res, error.code as DomainErrorCode, error.message);
    const { type, status } = (typeof error === "object" && error !== null ? error : {}) as {
      type?: string;
      status?: number;
    };
    const known = type === undefined || !Object.hasOwn(PARSER_ERRORS, type) ? undefined : PARSER_ERRORS[type];
    if (known !== undefined) return sendError(res, ...known);
    if (error instanceof URIError || status === 400)
      return sendError(res, "MALFORMED_URL", "The request's path or framing is malformed.");
    logger.error("request_failed", { method: req.method, path: req.path, error });
    sendError(res, "INTERNAL", "The agent failed. Try again.");
  };
}

/** An HTTP server that listens. */
export type ListeningServer = { readonly url: string; close(): Promise<void> };

/** How long open requests may still take when the server closes, milliseconds. */
const CLOSE_MS = 5_000;

/**
 * Serves an app, hardened against clients that send drop by drop and peers that take every connection.
 *
 * @param app The app.
 * @param config Address and limits.
 * @throws FatalError `PORT_IN_USE`, `CANNOT_LISTEN`.
 */
export async function listen(
  app: Express,
  { listen: { host, port }, limits, trustProxy }: Pick<DomainConfig, "listen" | "limits" | "trustProxy">,
): Promise<ListeningServer> {
  const server = createServer({ maxHeaderSize: 8_192, connectionsCheckingInterval: 2_000 }, app);
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.keepAliveTimeout = 20_000;
  server.maxHeadersCount = 64;
  server.maxRequestsPerSocket = 10_000;
  server.maxConnections = limits.connections;
  server.setTimeout(90_000, (socket: Socket) => socket.destroy());
  if (trustProxy === 0) limitConnections(server, limits.connectionsPerSource);
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
        : `The domain agent cannot listen on ${host}:${port}: ${(cause as Error).message}.`,
      { cause, docsPath: DOMAIN_DOCS_PATH },
    );
  }
  const taken = (server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${taken}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const idle = setInterval(() => server.closeIdleConnections(), 20);
      const force = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      await closed;
      clearInterval(idle);
      clearTimeout(force);
    },
  };
}

function limitConnections(server: Server, most: number): void {
  const perPeer = new Map<string, number>();
  server.on("connection", (socket) => {
    const peer = ipKeyGenerator(socket.remoteAddress ?? "0.0.0.0");
    const held = (perPeer.get(peer) ?? 0) + 1;
    if (held > most) {
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
