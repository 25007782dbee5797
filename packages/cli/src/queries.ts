import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, FatalError, type Hex, isQuorateError } from "@quorate/core";
import type { AttributeStatement, DatasetDefinition, KnownVerifiers, Papers, Statement } from "@quorate/proofs";
import { fileQueryStore, fileSubjectStore } from "@quorate/sdk/node";
import type { Asker, FetchedDataset, SubjectClient } from "@quorate/sdk/queries";
import { createDomainClient } from "@quorate/wire";
import type { Command } from "commander";
import { keccak256 } from "viem";
import { z } from "zod";
import type { Network } from "./config.ts";
import { type Context, queryMarketOf } from "./context.ts";
import { matchId } from "./ids.ts";
import { writeWhole } from "./provider-files.ts";

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

/** Options that name a statement. */
export type StatementOptions = {
  readonly attribute?: string;
  readonly atLeast?: string;
  readonly atMost?: string;
  readonly lessThan?: string;
  readonly greaterThan?: string;
  readonly equal?: string;
  readonly notEqual?: string;
  readonly between?: readonly string[];
  readonly outside?: readonly string[];
  readonly statement?: string;
  readonly asOf?: string;
};

/**
 * Adds the options that name a statement.
 *
 * @param command - Command.
 */
export function withStatementOptions(command: Command): Command {
  return command
    .option("--attribute <name>", "attribute of the dataset that the statement is about")
    .option("--at-least <value>", "the attribute is at least this, in its unit")
    .option("--at-most <value>", "the attribute is at most this")
    .option("--less-than <value>", "the attribute is less than this")
    .option("--greater-than <value>", "the attribute is greater than this")
    .option("--equal <value>", "the attribute is exactly this")
    .option("--not-equal <value>", "the attribute is not this")
    .option("--between <values...>", "the attribute lies between two values, both included")
    .option("--outside <values...>", "the attribute lies outside of two values")
    .option("--statement <file>", "statement as JSON, for scorecards")
    .option("--as-of <date>", "day that the statement is about, YYYY-MM-DD or unix seconds (default: now)");
}

const relations = {
  atLeast: "at-least",
  atMost: "at-most",
  lessThan: "less-than",
  greaterThan: "greater-than",
  equal: "equal",
  notEqual: "not-equal",
  between: "between",
  outside: "outside",
} as const;

/**
 * The statement that options name, with the definitions of a dataset.
 *
 * @param options - As typed.
 * @param definition - Of the dataset.
 * @param proofs - Package of proofs.
 * @param now - Unix s.
 * @throws FatalError `USAGE_STATEMENT`, `STATEMENT_INVALID`, `VALUE_INVALID`
 */
export function statementOf(
  options: StatementOptions,
  definition: DatasetDefinition,
  proofs: typeof import("@quorate/proofs"),
  now: number,
): Statement {
  const asOf = options.asOf === undefined ? now : parseDay(options.asOf);
  const named = (Object.keys(relations) as (keyof typeof relations)[]).filter((name) => options[name] !== undefined);
  if (options.statement !== undefined) {
    if (named.length > 0 || options.attribute !== undefined) {
      throw misstated("--statement stands alone: leave out --attribute and the relation");
    }
    return proofs.parseStatement(completeStatement(readJsonFile(options.statement, "statement"), definition, asOf));
  }
  const [relation, ...others] = named;
  if (options.attribute === undefined || relation === undefined || others.length > 0) {
    throw misstated('name --attribute and one relation, for example: --attribute "yearly income" --at-least 100000');
  }
  const attribute = byName(definition.attributes, options.attribute, "attribute");
  const values = options[relation];
  if (relation === "between" || relation === "outside") {
    const [low, high, ...more] = values as readonly string[];
    if (low === undefined || high === undefined || more.length > 0) {
      throw misstated(`--${relation} takes two values, the lower one first`);
    }
    return proofs.parseStatement({ kind: "attribute", attribute, relation, low, high, asOf });
  }
  const value = values as string;
  const statement = { kind: "attribute", attribute, relation: relations[relation], value, asOf };
  return proofs.parseStatement(statement as AttributeStatement);
}

/** A file may name attribute or scorecard by its name, and leave out the day. */
function completeStatement(json: unknown, definition: DatasetDefinition, asOf: number): unknown {
  if (typeof json !== "object" || json === null) return json;
  const statement: Record<string, unknown> = { asOf, ...json };
  if (typeof statement.scorecard === "string") {
    statement.scorecard = byName(definition.scorecards, statement.scorecard, "scorecard");
  }
  if (typeof statement.attribute === "string") {
    statement.attribute = byName(definition.attributes, statement.attribute, "attribute");
  }
  return statement;
}

function byName<T extends { readonly name: string }>(items: readonly T[], name: string, what: string): T {
  const [found, ...others] = items.filter((item) => item.name === name);
  if (found !== undefined && others.length === 0) return found;
  const known = items.map((item) => `"${item.name}"`).join(", ") || "none";
  throw misstated(
    found === undefined
      ? `the dataset has no ${what} "${name}"; it has: ${known}`
      : `the dataset has ${others.length + 1} ${what}s called "${name}"; write the statement as a file with the full definition`,
  );
}

function misstated(why: string): FatalError {
  return new FatalError("USAGE_STATEMENT", `The statement is not clear: ${why}.`);
}

function parseDay(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms)) throw misstated(`--as-of ${text} is neither YYYY-MM-DD nor unix seconds`);
  return ms / 1_000;
}

/** Options that name a person's papers. */
export type PapersOptions = {
  readonly name?: string;
  readonly birthDate?: string;
  readonly document?: string;
};

/**
 * Adds the options that name papers.
 *
 * @param command - Command.
 */
export function withPapersOptions(command: Command): Command {
  return command
    .option("--name <text>", "name as on the papers")
    .option("--birth-date <date>", "birth date, YYYY-MM-DD")
    .option("--document <number>", "number of the document");
}

/**
 * The papers that options name.
 *
 * @param options - As typed.
 * @returns Undefined when none is named.
 * @throws FatalError `USAGE_PAPERS` when a part is missing.
 */
export function papersOf({ name, birthDate, document }: PapersOptions): Papers | undefined {
  if (name === undefined && birthDate === undefined && document === undefined) return undefined;
  if (name === undefined || birthDate === undefined || document === undefined) {
    throw new FatalError(
      "USAGE_PAPERS",
      "Papers are a name, a birth date and a document number. Give all of the three.",
    );
  }
  return { name, birthDate, documentNumber: document };
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

/** A domain provider that the subject of a state folder deals with. */
export type KnownDomain = {
  readonly provider: Address;
  readonly url: string;
  /** Default: the provider's only dataset. */
  readonly dataset?: string | undefined;
};

const domainsSchema = z.strictObject({
  version: z.literal(1),
  providers: z.array(
    z.strictObject({
      provider: z
        .string()
        .regex(/^0x[0-9a-fA-F]{40}$/)
        .transform((text) => text as Address),
      url: z.url({ protocol: /^https?$/ }),
      dataset: z
        .string()
        .regex(/^0x[0-9a-f]{64}$/)
        .optional(),
    }),
  ),
});

function subjectFolder(context: Context): string {
  return join(context.home, "subject", context.address().toLowerCase());
}

/**
 * The domain providers that the chosen key has dealt with as a subject.
 *
 * @param context - Of the command.
 * @throws FatalError `CONFIG_INVALID`
 */
export function knownDomains(context: Context): readonly KnownDomain[] {
  const file = join(subjectFolder(context), "providers.json");
  if (!existsSync(file)) return [];
  try {
    return domainsSchema.parse(JSON.parse(readFileSync(file, "utf8"))).providers;
  } catch (error) {
    throw new FatalError("CONFIG_INVALID", `${file} is not usable. Repair it, or name provider and URL again.`, {
      cause: error,
    });
  }
}

/**
 * Remembers a domain provider.
 *
 * @param context - Of the command.
 * @param domain - Provider and URL, in place of an earlier entry of the same provider.
 */
export function rememberDomain(context: Context, domain: KnownDomain): void {
  const others = knownDomains(context).filter(
    ({ provider }) => provider.toLowerCase() !== domain.provider.toLowerCase(),
  );
  const text = `${JSON.stringify({ version: 1, providers: [...others, domain] }, null, 2)}\n`;
  writeWhole(join(subjectFolder(context), "providers.json"), text);
}

/**
 * The domain provider that a person means.
 *
 * @param context - Of the command.
 * @param provider - Address; the only known one when undefined.
 * @throws FatalError `USAGE_DOMAIN`
 */
export function chooseDomain(context: Context, provider: string | undefined): KnownDomain {
  const known = knownDomains(context);
  const [found, ...others] = known.filter(
    (domain) => provider === undefined || domain.provider.toLowerCase() === provider.toLowerCase(),
  );
  if (found !== undefined && others.length === 0) return found;
  throw new FatalError(
    "USAGE_DOMAIN",
    found === undefined
      ? "This key has dealt with no such domain provider. Name it once with its address and URL: quorate subject card --provider 0x… --url https://…"
      : `This key deals with ${known.length} domain providers: ${known.map((domain) => domain.provider).join(", ")}. Name one with --provider.`,
  );
}

/**
 * The client of the chosen key as a subject at a domain provider; its secret follows from a signature of the key.
 *
 * @param context - Of the command.
 * @param domain - Provider.
 */
export async function subjectOf(context: Context, domain: KnownDomain): Promise<SubjectClient> {
  const { network } = context.network();
  const { proofs, sdk } = await loadQueries();
  const account = await context.account();
  return sdk.createSubject({
    client: await context.queryReader(),
    secret: await proofs.deriveSubjectSecret(account, domain.provider),
    provider: domain.provider,
    providerUrl: domain.url,
    dataset: domain.dataset as Hex | undefined,
    store: fileSubjectStore({ directory: subjectFolder(context), passphrase: await context.passphrase() }),
    verifiers: await verifiersOf(network),
    signal: context.signal,
  });
}

/** As much JSON as a person's file may hold, bytes. */
const MAX_JSON_BYTES = 4 * 1_048_576;

/**
 * Reads a JSON file that a person named.
 *
 * @param path - Path; `-` is standard input.
 * @param what - What it holds, for the error.
 * @throws FatalError `USAGE_FILE`
 */
export function readJsonFile(path: string, what: string): unknown {
  try {
    const text = readFileSync(path === "-" ? 0 : path);
    if (text.length > MAX_JSON_BYTES) {
      throw new FatalError("USAGE_FILE", `${path} is too large for a ${what}. Check the path.`);
    }
    return JSON.parse(text.toString("utf8"));
  } catch (error) {
    if (isQuorateError(error)) throw error;
    throw new FatalError("USAGE_FILE", `${path} cannot be read as JSON, a ${what} is expected. Check path and text.`, {
      cause: error,
    });
  }
}
