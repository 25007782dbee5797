import { relayError, routes } from "@quorate/wire";
import express, { type Express, type RequestHandler } from "express";
import { rateLimit } from "express-rate-limit";
import helmet from "helmet";
import { mountBlocks } from "./blocks.ts";
import type { RelayContext } from "./context.ts";
import { errorHandler, methodNotAllowed, notFound, sendError } from "./errors.ts";
import { mountMessages } from "./messages.ts";
import { mountProfiles } from "./profiles.ts";

/**
 * Builds the HTTP interface of a relay.
 *
 * @param context Stores and ports.
 * @param isReady Tells whether writes are accepted.
 */
export function createApp(context: RelayContext, isReady: () => boolean): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.set("query parser", "simple");
  app.set("case sensitive routing", true);
  app.set("trust proxy", context.config.trustProxy);

  app.use(helmet({ crossOriginResourcePolicy: { policy: "cross-origin" } }));
  app.use(crossOrigin);
  app.use(measure(context));
  app.use(limitRates(context));

  app
    .route(routes.getHealth.path)
    .get((_req, res) => void res.set("Cache-Control", "no-store").json({ ok: true }))
    .all(methodNotAllowed("GET"));
  app
    .route(routes.getReady.path)
    .get((_req, res) => {
      if (!isReady()) throw relayError("RELAY_BUSY", "The relay is closing.");
      res.set("Cache-Control", "no-store").json({ ok: true });
    })
    .all(methodNotAllowed("GET"));
  app
    .route(routes.getMetrics.path)
    .get(async (_req, res) => {
      const text = await context.metrics.text();
      res.set({ "Cache-Control": "no-store", "Content-Type": context.metrics.contentType }).send(text);
    })
    .all(methodNotAllowed("GET"));
  app
    .route(routes.getInfo.path)
    .get((_req, res) => {
      const { name, limits } = context.config;
      const markets = context.markets.map(({ chainId, market }) => ({ chainId, market: market.toLowerCase() }));
      res.set("Cache-Control", "no-store").json({ name, version: context.version, markets, limits });
    })
    .all(methodNotAllowed("GET"));
  mountMessages(app, context);
  mountProfiles(app, context);
  mountBlocks(app, context);

  app.use(notFound);
  app.use(errorHandler(context.logger));
  return app;
}

/** Any page may read and write: nothing here depends on cookies or on who asks. */
const crossOrigin: RequestHandler = (req, res, next) => {
  res.set({
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After, Content-Length, X-Ipfs-Path, X-Ipfs-Roots",
  });
  if (req.method !== "OPTIONS") return next();
  res.set({
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Accept, Last-Event-ID, If-None-Match",
    "Access-Control-Max-Age": "86400",
  });
  res.status(204).end();
};

function measure(context: RelayContext): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    res.once("finish", () => {
      // the route's pattern, never the path: labels must stay few
      const route: unknown = req.route?.path;
      const label = typeof route === "string" ? `${req.method} ${route}` : "none";
      context.metrics.request(label, res.statusCode, (performance.now() - startedAt) / 1000);
    });
    next();
  };
}

/** A budget a minute for each of writes, uploads and reads of one source. */
function limitRates(context: RelayContext): RequestHandler {
  const { writesPerMinute, uploadsPerMinute, readsPerMinute } = context.config.limits;
  const limiter = (limit: number): RequestHandler =>
    rateLimit({
      windowMs: 60_000,
      limit,
      standardHeaders: "draft-7",
      legacyHeaders: false,
      keyGenerator: (req) => context.sourceOf(req),
      handler: (_req, res) => {
        sendError(res, "RATE_LIMITED", `More than ${limit} requests of this sort in a minute. Slow down.`);
      },
      validate: { trustProxy: false, xForwardedForHeader: false, keyGeneratorIpFallback: false },
    });
  const [writes, uploads, reads] = [limiter(writesPerMinute), limiter(uploadsPerMinute), limiter(readsPerMinute)];
  return (req, res, next) => {
    const isRead = req.method === "GET" || req.method === "HEAD";
    const chosen = isRead ? reads : req.path.startsWith("/ipfs/") ? uploads : writes;
    return chosen(req, res, next);
  };
}
