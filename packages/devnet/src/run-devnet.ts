import { join } from "node:path";
import type { Address } from "@quorate/core";
import { startLocalMarket } from "./market.ts";
import { createNarrator } from "./narrator.ts";
import { runStories, type StoriesSummary } from "./run-stories.ts";

/** How the local market is run. */
export type RunDevnetOptions = {
  /** Folder of everything it makes. */
  readonly folder: string;
  /** Port of the chain; the relays take the next two. */
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
export async function runDevnet(options: RunDevnetOptions, signal: AbortSignal): Promise<StoriesSummary | undefined> {
  const { out } = options;
  let nameOf = (account: Address): string => account;
  const narrator = createNarrator(out, (account) => nameOf(account));
  const began = performance.now();
  const market = await startLocalMarket({ ...options, signal, onStep: narrator.step });
  try {
    nameOf = market.nameOf;
    narrator.step(
      `the market is up after ${((performance.now() - began) / 1000).toFixed(1)} s: two relays, ${market.providers.length} organizations, one requester, each a process of its own`,
    );
    const summary = options.withStories ? await runStories(market, narrator, signal) : undefined;
    if (!options.once) {
      narrator.say("");
      narrator.step("the market stays up; Ctrl-C ends it and every process");
      narrator.say(`  chain        ${market.rpc} (chain id ${market.deployment.chainId})`);
      narrator.say(`  market       ${market.deployment.market}`);
      narrator.say(`  test dollar  ${market.deployment.token}`);
      for (const { url } of market.relays) narrator.say(`  relay        ${url}`);
      narrator.say(`  logs         ${join(market.folder, "logs")}`);
      narrator.say(
        `  go on with   npx quorate --home ${market.requester.home} --passphrase-file ${join(market.requester.home, "passphrase")} account show`,
      );
      await stayUp(market.casualties, signal, narrator.say);
    }
    return summary;
  } finally {
    narrator.step("ending every process");
    await market.stop();
  }
}

const LOOK_MS = 2_000;

/** Waits for the signal, and says when a process ends by itself meanwhile. */
async function stayUp(
  casualties: () => readonly { name: string; log: string }[],
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
