import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { FatalError, type Hex } from "@quorate/core";
import type { KnownVerifiers } from "@quorate/proofs";
import { fileQueryStore } from "@quorate/sdk/node";
import type { Asker, FetchedDataset } from "@quorate/sdk/queries";
import { createDomainClient } from "@quorate/wire";
import { keccak256 } from "viem";
import type { Network } from "./config.ts";
import { type Context, queryMarketOf } from "./context.ts";
import { matchId } from "./ids.ts";

/** Chains where the verifiers under the development keys are taken: nobody's money is there. */
const LOCAL_CHAINS: readonly number[] = [1_337, 31_337];

/**
 * The packages of zero-knowledge queries, which are under the GPL and an installation of their own.
 *
 * @throws FatalError `QUERIES_NOT_INSTALLED`
 */
export async function loadQueries(): Promise<{
  readonly proofs: typeof import("@quorate/proofs");
  readonly sdk: typeof import("@quorate/sdk/queries");
}> {
  try {
    const [proofs, sdk] = await Promise.all([import("@quorate/proofs"), import("@quorate/sdk/queries")]);
    return { proofs, sdk };
  } catch (error) {
    throw notInstalled(error, "@quorate/proofs");
  }
}

/**
 * What is thrown when an optional package is missing; anything else passes.
 *
 * @param error - Of an import.
 * @param name - The package.
 */
export function notInstalled(error: unknown, name: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") return error;
  return new FatalError(
    "QUERIES_NOT_INSTALLED",
    `Zero-knowledge queries need the package ${name}, which is under the GPL and installed by itself: npm install ${name}.`,
    { cause: error },
  );
}

/**
 * Code hashes of the verifiers that are taken: on local chains those under the development keys, besides those of the network's
 * settings.
 *
 * @param network - Network.
 */
export async function verifiersOf(network: Network): Promise<KnownVerifiers> {
  const given = network.verifiers ?? {};
  const development: Record<string, readonly Hex[]> = {};
  if (LOCAL_CHAINS.includes(network.chainId)) {
    const artifacts = await import("@quorate/abi/artifacts");
    development["sealed-answer"] = [keccak256(artifacts.sealedAnswerVerifierArtifact.deployedBytecode)];
    development.scorecard = [keccak256(artifacts.scorecardVerifierArtifact.deployedBytecode)];
  }
  const of = (circuit: string): readonly Hex[] => [...(development[circuit] ?? []), ...(given[circuit] ?? [])];
  return { "sealed-answer": of("sealed-answer"), scorecard: of("scorecard") };
}

/**
 * Folder of the queries that the chosen key asked; its records open with the key's passphrase.
 *
 * @param context - Of the command.
 */
export function queryFolder(context: Context): string {
  return join(context.home, "queries", context.address().toLowerCase());
}

/**
 * The asker's client of a state folder.
 *
 * @param context - Of the command.
 * @param options - Whether the chosen key signs.
 */
export async function askerOf(context: Context, options: { readonly signs: boolean }): Promise<Asker> {
  const { network } = context.network();
  const { sdk } = await loadQueries();
  const client = options.signs ? await context.querySigner() : await context.queryReader();
  return sdk.createAsker({
    client,
    store: fileQueryStore({ directory: queryFolder(context), passphrase: await context.passphrase() }),
    verifiers: await verifiersOf(network),
    confirmations: network.confirmations,
    logger: context.logger,
  });
}

/**
 * The query of the chosen key that a person means.
 *
 * @param context - Of the command.
 * @param text - A whole id or the beginning of one.
 * @throws FatalError `USAGE_QUERY`, `QUERY_UNKNOWN`, `QUERY_AMBIGUOUS`
 */
export function findQueryId(context: Context, text: string): Hex {
  const match = matchId(idsIn(queryFolder(context)), text);
  switch (match.kind) {
    case "found":
      return match.id;
    case "malformed":
      throw new FatalError(
        "USAGE_QUERY",
        `"${text}" is not the id of a query. Write 0x and 64 hex digits, or at least the first 4 digits of one.`,
      );
    case "unknown":
      throw new FatalError(
        "QUERY_UNKNOWN",
        `No query of this key begins with ${match.prefix}. Check the id; quorate query status shows yours.`,
      );
    case "ambiguous":
      throw new FatalError(
        "QUERY_AMBIGUOUS",
        `${match.ids.length} queries begin with ${match.prefix}: ${match.ids.join(", ")}. Name more digits.`,
      );
    default:
      return match satisfies never;
  }
}

function idsIn(folder: string): Hex[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => (/^0x[0-9a-f]{64}\.json$/.test(name) ? [name.slice(0, 66) as Hex] : []));
}

/**
 * A dataset of a domain provider, whose definition hashes to its id.
 *
 * @param context - Of the command.
 * @param url - Base URL of the provider's agent.
 * @param dataset - Id; the only one when undefined.
 * @throws What `fetchDataset` throws.
 */
export async function datasetAt(context: Context, url: string, dataset: string | undefined): Promise<FetchedDataset> {
  const { sdk } = await loadQueries();
  const { network } = context.network();
  const domain = { chainId: network.chainId, market: queryMarketOf(context) };
  return sdk.fetchDataset(createDomainClient({ url, signal: context.signal }), { domain, dataset });
}
