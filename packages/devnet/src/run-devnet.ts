import { join } from "node:path";
import type { Address } from "@quorate/core";
import { startLocalMarket } from "./market.ts";
import { createNarrator } from "./narrator.ts";
import type { Casualty } from "./processes.ts";
import type { QuerySide } from "./queries/query-side.ts";
import type { QueriesSummary } from "./queries/run-query-stories.ts";
import { runStories, type StoriesSummary } from "./run-stories.ts";
import { startWebSide, type WebSide } from "./web-side.ts";

/** What the stories of jobs and questions came to. */
export type DevnetSummary = StoriesSummary & Partial<QueriesSummary>;

/** How the local market is run. */
export type RunDevnetOptions = {
  /** Folder of everything it makes. */
  readonly folder: string;
  /** Port of the chain; relays, domain providers and the web app take the next five. */
  readonly port: number;
  /** Milliseconds between blocks. */
  readonly blockTimeMs: number;
  /** Ends when the stories are told. */
  readonly once: boolean;
  /** Whether the stories are told at all. */
  readonly withStories: boolean;
  /** Where the narrative goes. */
  readonly out: NodeJS.WritableStream & { isTTY?: boolean };
};

/**
 * Starts a local market, tells the stories on it, and keeps it up until the signal aborts, or ends with the stories when
 * `once`. Every process is ended in every case.
 *
 * @param options - Folder, port, block time, what to do.
 * @param signal - Ctrl-C.
 * @returns The summary of the stories; undefined without stories.
 * @throws What {@link startLocalMarket} and {@link runStories} throw.
 */
export async function runDevnet(options: RunDevnetOptions, signal: AbortSignal): Promise<DevnetSummary | undefined> {
  const { out } = options;
  let nameOf = (account: Address): string => account;
  const narrator = createNarrator(out, (account) => nameOf(account));
  const began = performance.now();
  // The spoilt answers belong to the stories: who runs jobs of its own meets honest organizations.
  const market = await startLocalMarket({
    ...options,
    isEverybodyHonest: !options.withStories,
    signal,
    onStep: narrator.step,
  });
  let side: QuerySide | undefined;
  let web: WebSide | undefined;
  try {
    nameOf = market.nameOf;
    narrator.step(
      `the market is up after ${((performance.now() - began) / 1000).toFixed(1)} s: two relays, ${market.providers.length} organizations, one requester, each a process of its own`,
    );
    let summary: DevnetSummary | undefined = options.withStories
      ? await runStories(market, narrator, signal)
      : undefined;
    const queries = await loadQueries();
    if (queries === undefined) {
      narrator.step("questions are left out: the packages @quorate/domain and @quorate/proofs are not installed");
    } else {
      narrator.say("");
      const onStep = (text: string): void => {
        signal.throwIfAborted();
        narrator.step(text);
      };
      side = await queries.startQuerySide(market, options.port + FIRST_DOMAIN_PORT, onStep);
      if (summary !== undefined) {
        const players = await queries.startQueryPlayers(market, side, onStep);
        summary = { ...summary, ...(await queries.runQueryStories({ ...side, ...players }, narrator, signal)) };
      }
    }
    if (!options.once) {
      narrator.say("");
      const served = await startWebSide(market, side, options.port + WEB_PORT);
      if (typeof served === "string") narrator.step(`the web app is left out: ${served}`);
      else web = served;
      narrator.step("the market stays up; Ctrl-C ends it and every process");
      narrator.say(`  chain        ${market.rpc} (chain id ${market.deployment.chainId})`);
      narrator.say(`  market       ${market.deployment.market}`);
      narrator.say(`  test dollar  ${market.deployment.token}`);
      for (const { url } of market.relays) narrator.say(`  relay        ${url}`);
      for (const { name, url } of Object.values(side?.providers ?? {})) {
        narrator.say(`  domain       ${url} (${name})`);
      }
      for (const { name, code, file } of side?.visitors ?? []) {
        narrator.say(`  enrolment    ${code} for ${name}, whose papers are in ${file}`);
      }
      if (web !== undefined) narrator.say(`  web app      ${web.url}`);
      narrator.say(`  logs         ${join(market.folder, "logs")}`);
      narrator.say(
        `  go on with   npx quorate --home ${market.requester.home} --passphrase-file ${join(market.requester.home, "passphrase")} account show`,
      );
      await stayUp(
        () => [...market.casualties(), ...(side?.casualties() ?? []), ...(web?.casualties() ?? [])],
        signal,
        narrator.say,
      );
    }
    return summary;
  } finally {
    narrator.step("ending every process");
    await web?.stop();
    await side?.stop();
    await market.stop();
  }
}

/** The chain has the first port, two relays the next ones. */
const FIRST_DOMAIN_PORT = 3;
/** After the domain providers. */
const WEB_PORT = 5;

/** The side of questions, whose packages are under the GPL and need not be installed. */
async function loadQueries(): Promise<typeof import("./queries/index.ts") | undefined> {
  try {
    return await import("./queries/index.ts");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

const LOOK_MS = 2_000;

/** Waits for the signal, and says when a process ends by itself meanwhile. */
async function stayUp(
  casualties: () => readonly Casualty[],
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  const told = new Set<string>();
  while (!signal.aborted) {
    for (const { name, log } of casualties()) {
      if (told.has(name)) continue;
      told.add(name);
      say(`  the process of ${name} has ended by itself; the end of its log:\n${log}`);
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS);
      signal.addEventListener(
        "abort",
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }
}
