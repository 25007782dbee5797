import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalMarket } from "./market.ts";
import { DECIMALS } from "./organizations.ts";
import { type Actor, type Casualty, casualtiesOf, siblingModule, startActor, waitForServer } from "./processes.ts";
import type { QuerySide } from "./queries/query-side.ts";

/** The web app that is served. */
export type WebSide = {
  readonly url: string;
  casualties(): readonly Casualty[];
  stop(): Promise<void>;
};

const START_TIMEOUT_MS = 60_000;

/**
 * Serves the web app for a running market, configured for its chain, relays and domain providers.
 *
 * @param market - The market.
 * @param side - Its side of questions, where there is one.
 * @param port - Port to serve on.
 * @returns What is served; why it is not, in words, when the package of the app is missing or not built.
 * @throws FatalError `ACTOR_NOT_READY`, `PORT_IN_USE`.
 */
export async function startWebSide(
  market: LocalMarket,
  side: QuerySide | undefined,
  port: number,
): Promise<WebSide | string> {
  const missing = await whyMissing();
  if (missing !== undefined) return missing;
  const { deployment, folder, relays, rpc } = market;
  const config = {
    version: 1,
    networks: [
      {
        name: "Local market",
        chainId: deployment.chainId,
        rpc: [rpc],
        market: deployment.market,
        ...(side === undefined ? {} : { queryMarket: side.site.market, verifiers: side.site.verifiers }),
        tokens: [{ address: deployment.token, symbol: "tUSD", decimals: DECIMALS }],
        relays: relays.map(({ url }) => url),
        domains: Object.values(side?.providers ?? {}).map(({ url }) => url),
        fromBlock: deployment.fromBlock,
        confirmations: 1,
      },
    ],
  };
  const file = join(folder, "web.json");
  writeFileSync(file, `${JSON.stringify({ port, config }, null, 2)}\n`, { mode: 0o600 });
  const actors: Actor[] = [
    startActor({
      name: "web",
      main: siblingModule("web-process"),
      args: [file],
      logFile: join(folder, "logs", "web.log"),
    }),
  ];
  const stop = async (): Promise<void> => {
    await Promise.all(actors.map((actor) => actor.stop()));
  };
  try {
    const [actor] = actors as [Actor];
    const url = await waitForServer(actor, "listening ", port, START_TIMEOUT_MS);
    return { url, casualties: () => casualtiesOf(actors), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function whyMissing(): Promise<string | undefined> {
  try {
    const { siteFolder } = await import("@quorate/web");
    return existsSync(join(siteFolder, "index.html")) ? undefined : `it is not built: ${siteFolder} is empty`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND")
      return "the package @quorate/web is not installed";
    throw error;
  }
}
