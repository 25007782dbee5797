import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, FatalError } from "@quorate/core";
import { z } from "zod";
import type { Context } from "./context.ts";
import { queryMarketOf } from "./context.ts";
import { writeWhole } from "./provider-files.ts";

/**
 * Folder of everything that belongs to the domain provider of a state folder.
 *
 * @param home - State folder.
 */
export function domainFolder(home: string): string {
  return join(home, "domain");
}

/** What a domain provider sells, as `domain.json` names it; amounts are decimal strings of base units. */
export type OfferSettings = {
  readonly dataset: string;
  readonly circuit: string;
  readonly verifier: string;
  readonly token: string;
  readonly price: string;
  readonly bond: string;
  readonly window: number;
};

/**
 * Settings of the domain provider, written by `domain init` and then its operator's: any setting of the agent may be added. The
 * agent checks them; chain, market, nodes and confirmations come from the network unless they are named.
 */
export type DomainSettings = Readonly<Record<string, unknown>> & {
  readonly version: 1;
  /** Account of bond and datasets. */
  readonly provider: Address;
  /** Name of the agent's key file. */
  readonly agentKey: string;
  readonly name: string;
  readonly offers: readonly OfferSettings[];
};

const settingsSchema = z.looseObject({
  version: z.literal(1),
  provider: z.string().regex(/^0x[0-9a-fA-F]{40}$/, "an address is 0x and 40 hex digits"),
  agentKey: z.string().min(1),
  name: z.string().min(1),
  offers: z.array(z.looseObject({ dataset: z.string() })),
});

function settingsFile(home: string): string {
  return join(domainFolder(home), "domain.json");
}

/**
 * Reads the domain provider's settings.
 *
 * @param home - State folder.
 * @returns Undefined before `domain init`.
 * @throws FatalError `CONFIG_INVALID` naming the fields that are wrong.
 */
export function findDomainSettings(home: string): DomainSettings | undefined {
  const file = settingsFile(home);
  if (!existsSync(file)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new FatalError("CONFIG_INVALID", `${file} is not JSON. Repair it.`, { cause: error });
  }
  const parsed = settingsSchema.safeParse(json);
  if (parsed.success) return parsed.data as unknown as DomainSettings;
  throw new FatalError(
    "CONFIG_INVALID",
    `${file} is not usable:\n${z.prettifyError(parsed.error)}\nRepair these fields.`,
  );
}

/**
 * Reads the domain provider's settings.
 *
 * @param home - State folder.
 * @throws FatalError `CONFIG_NO_DOMAIN` before `domain init`, `CONFIG_INVALID`.
 */
export function readDomainSettings(home: string): DomainSettings {
  const settings = findDomainSettings(home);
  if (settings !== undefined) return settings;
  throw new FatalError(
    "CONFIG_NO_DOMAIN",
    `There is no domain provider in ${home} yet. Make one: quorate domain init DEFINITION --name NAME.`,
  );
}

/**
 * Writes the domain provider's settings, whole or not at all.
 *
 * @param home - State folder.
 * @param settings - What is written.
 * @returns Path of the file.
 */
export function writeDomainSettings(home: string, settings: DomainSettings): string {
  writeWhole(settingsFile(home), `${JSON.stringify(settings, null, 2)}\n`);
  return settingsFile(home);
}

/**
 * Folder of the agent's data.
 *
 * @param home - State folder.
 */
export function domainData(home: string): string {
  return join(domainFolder(home), "data");
}

/**
 * The agent's configuration: the operator's settings over those of the network.
 *
 * @param context - Of the command.
 */
export function domainConfigOf(context: Context): Readonly<Record<string, unknown>> {
  const { network } = context.network();
  const { version: _version, agentKey: _agentKey, ...settings } = readDomainSettings(context.home);
  return {
    chainId: network.chainId,
    market: queryMarketOf(context),
    fromBlock: network.fromBlock,
    rpcUrls: network.rpc,
    finality: { confirmations: network.confirmations },
    ...settings,
    dataDir: domainData(context.home),
  };
}
