import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FatalError } from "@quorate/core";
import express from "express";
import helmet from "helmet";
import type { SiteConfig } from "../config.ts";
import { contentPolicy, headerOnly } from "./policy.ts";

/** Folder of the built files: any static host can serve it, with a `config.json` put into it. */
export const siteFolder: string = fileURLToPath(new URL("../../site", import.meta.url));

/** How the app is served. */
export type WebOptions = {
  readonly host?: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** What the app reads as `config.json`. */
  readonly config: SiteConfig;
  /** Built files; those of this package unless told. */
  readonly folder?: string;
};

/** The app being served. */
export type RunningWeb = {
  readonly url: string;
  stop(): Promise<void>;
};

/**
 * Serves the built app with its configuration and headers. Addresses of pages are fragments, so that every path but those of files
 * is unknown.
 *
 * @param options - Port, configuration.
 * @throws FatalError `WEB_NOT_BUILT` when the files are missing, `PORT_IN_USE`.
 */
export async function startWeb({
  host = "127.0.0.1",
  port,
  config,
  folder = siteFolder,
}: WebOptions): Promise<RunningWeb> {
  if (!existsSync(join(folder, "index.html"))) {
    throw new FatalError("WEB_NOT_BUILT", `${folder} holds no built web app. Build it: npm run build -w @quorate/web.`);
  }
  const app = express();
  app.disable("x-powered-by");
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: Object.fromEntries(
          Object.entries({ ...contentPolicy, ...headerOnly }).map(([name, sources]) => [name, [...sources]]),
        ),
      },
      referrerPolicy: { policy: "no-referrer" },
      // The app is served on loopback without TLS too; a host with TLS adds it.
      strictTransportSecurity: false,
      crossOriginEmbedderPolicy: false,
    }),
  );
  app.get("/config.json", (_, response) => {
    response.set("Cache-Control", "no-store").json(config);
  });
  app.use(
    express.static(folder, {
      index: "index.html",
      redirect: false,
      setHeaders(response, path) {
        // Names of built files change with their content; the page that names them is asked for each time.
        const isNamedByContent = path.startsWith(join(folder, "assets"));
        response.setHeader("Cache-Control", isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache");
      },
    }),
  );
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new FatalError("PORT_IN_USE", `Port ${port} of ${host} is taken. Name another one.`, { cause: error })
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound}/`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
