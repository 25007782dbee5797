import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import {
  type Address,
  datasetIdOf,
  FatalError,
  type Hex,
  isQuorateError,
  silentLogger,
  systemClock,
  unixSeconds,
} from "@quorate/core";
import { definitionHash, type Papers, parseDatasetDefinition } from "@quorate/proofs";
import { type KeyAccount, type Outbox, type OutboxResult, parsePolicy } from "@quorate/service";
import { createPublicClient, http } from "viem";
import { type AdminOrder, callAdmin } from "./admin.ts";
import { createChainReader, isNobody, marketCalls } from "./chain-reader.ts";
import { parseDomainConfig } from "./config.ts";
import { bindIdentity, type Dataset, type Identity, openState, readDatasets, type State } from "./context.ts";
import { type ImportMapping, importMappingSchema } from "./import/mapping.ts";
import type { ImportSource } from "./import/rows.ts";
import type { ImportMode, ImportReport } from "./import/run.ts";
import {
  type AuditLogEntry,
  auditOf,
  importInto,
  type RegisteredSubject,
  registerIn,
  type StateSummary,
  summaryOf,
} from "./operations.ts";
import { createPublications, type Publication } from "./publications.ts";
import { createRecords } from "./records.ts";
import { accountOf, createDomainOutbox, type RunDomainPorts } from "./run-domain.ts";

/**
 * A state, and the key that opens it. While the agent runs, it does what is asked itself: importing, registering, reading the
 * audit log and the summary. Everything else needs it stopped.
 */
export type StateAccess = {
  /** Folder of the state. */
  readonly dataDir: string;
  /** The agent's key. */
  readonly account: KeyAccount;
};

async function withOwnState<T>({ dataDir, account }: StateAccess, work: (state: State) => T | Promise<T>): Promise<T> {
  const state = openState(dataDir, account);
  try {
    return await work(state);
  } finally {
    state.close();
  }
}

/** Works on the state, or lets the agent that holds it do so. */
async function withState<T>(
  access: StateAccess,
  order: AdminOrder,
  parts: unknown,
  work: (state: State) => T | Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await withOwnState(access, work);
  } catch (error) {
    if (!isQuorateError(error, "ALREADY_RUNNING")) throw error;
    return (await callAdmin(access, order, parts, error, signal)) as T;
  }
}

/** Settings of {@link initDomain}. */
export type InitDomainOptions = StateAccess &
  Identity & {
    /** Parsed JSON of the dataset's definition. */
    readonly definition: unknown;
  };

/**
 * Makes the state of a domain provider with a dataset, or adds a dataset to it. The provider registers the dataset on chain
 * by its definition's hash.
 *
 * @param options State, identity, definition.
 * @throws FatalError `DATASET_INVALID`, `DOMAIN_MISMATCH`, `ALREADY_RUNNING`, `STATE_KEY_WRONG`.
 */
export async function initDomain(
  options: InitDomainOptions,
): Promise<{ readonly dataset: Hex; readonly definitionHash: Hex }> {
  const definition = parseDatasetDefinition(options.definition);
  const hash = definitionHash(definition);
  const dataset = datasetIdOf(options.provider, hash);
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  return withOwnState(options, ({ db }) => {
    bindIdentity(db, options);
    db.prepare("INSERT INTO dataset (dataset, definition) VALUES (?, ?) ON CONFLICT DO NOTHING").run(
      dataset,
      JSON.stringify(definition),
    );
    return { dataset, definitionHash: hash };
  });
}

/** Settings of {@link importRecords}. */
export type ImportRecordsOptions = StateAccess & {
  /** Id or name; may be left out when there is one only. */
  readonly dataset?: string | undefined;
  readonly source: ImportSource;
  /** Parsed JSON of the mapping, or the text of its file, which may have comments. */
  readonly mapping: unknown;
  /** `add` by default. */
  readonly mode?: ImportMode | undefined;
};

/**
 * Imports records, all or nothing. They can be asked about once their subject has enrolled and a root was published.
 *
 * @param options State, source, mapping.
 * @param signal Ends it; nothing is imported then.
 * @throws ImportError `IMPORT_REFUSED` naming rows and rules; FatalError `MAPPING_INVALID`, `SOURCE_UNREADABLE`,
 *   `DATASET_UNKNOWN`, `ALREADY_RUNNING`.
 */
export async function importRecords(
  options: ImportRecordsOptions,
  signal: AbortSignal = new AbortController().signal,
): Promise<ImportReport> {
  const { dataset, source, mode = "add" } = options;
  const order = { dataset, source: absolute(source), mapping: parseImportMapping(options.mapping), mode };
  return withState(options, "import", order, (state) => importInto(state, order, signal), signal);
}

/** A running agent has another working directory. */
function absolute(source: ImportSource): ImportSource {
  return source.format === "postgres" ? source : { ...source, path: resolve(source.path) };
}

/**
 * Reads a mapping.
 *
 * @param input Parsed JSON, or text of a file.
 * @throws FatalError `MAPPING_INVALID`; for text `POLICY_INVALID`, naming lines.
 */
export function parseImportMapping(input: unknown): ImportMapping {
  if (typeof input === "string") return parsePolicy(input, "the mapping", importMappingSchema);
  const parsed = importMappingSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "mapping"}: ${message}`);
  throw new FatalError("MAPPING_INVALID", `The mapping cannot be used: ${issues.join("; ")}.`, {
    docsPath: "guides/domain.md#import",
  });
}

/** Settings of {@link registerSubject}. */
export type RegisterSubjectOptions = StateAccess & {
  /** By which the provider knows the subject, as in the records. */
  readonly reference: string;
  /** Papers that the provider has seen. */
  readonly papers?: Papers | undefined;
  /** How long the code is good, seconds; a week by default. */
  readonly codeLifeS?: number | undefined;
};

const WEEK_S = 7 * 86_400;

/**
 * Registers a subject and gives out the code with which it enrols. Called again it gives another code, with which a subject
 * that lost its key enrols anew; its budgets go on where they are.
 *
 * @param options State, subject.
 * @throws FatalError `PAPERS_DIFFER`, `PAPERS_INVALID`, `ALREADY_RUNNING`.
 */
export async function registerSubject(options: RegisterSubjectOptions): Promise<RegisteredSubject> {
  const { reference, papers, codeLifeS = WEEK_S } = options;
  const order = { reference, papers, codeLifeS };
  return withState(options, "register", order, (state) => registerIn(state, order));
}

/**
 * Reads the audit log, newest first.
 *
 * @param options State; one subject only, or from a time on (unix s).
 */
export async function auditLog(
  options: StateAccess & {
    readonly reference?: string | undefined;
    readonly since?: number | undefined;
    readonly limit?: number | undefined;
  },
): Promise<readonly AuditLogEntry[]> {
  const { reference, since = 0, limit = 10_000 } = options;
  const order = { reference, since, limit };
  return withState(options, "audit", order, (state) => auditOf(state, order));
}

/**
 * Tells what a state holds.
 *
 * @param access State.
 */
export async function domainStatus(access: StateAccess): Promise<StateSummary> {
  return withState(access, "status", {}, summaryOf);
}

/** A root that {@link publishOnce} made. */
export type PublishedRoot = {
  readonly dataset: Hex;
  readonly root: bigint;
  /** Leaves that changed. */
  readonly changes: number;
  readonly transaction?: Hex | undefined;
};

/**
 * Publishes a root for every dataset that changed, and waits until they are mined. For a provider whose agent does not run;
 * a running agent publishes by itself.
 *
 * @param input Configuration of the agent.
 * @param signal Ends the wait; what was handed over is sent by the next start.
 * @param ports Stand-ins.
 * @throws FatalError `DATASET_NOT_REGISTERED`, `PUBLICATION_FAILED`, `DOMAIN_CONFIG`, `ALREADY_RUNNING`.
 */
export async function publishOnce(
  input: unknown,
  signal: AbortSignal,
  ports: Pick<RunDomainPorts, "account" | "logger" | "clock"> = {},
): Promise<readonly PublishedRoot[]> {
  const config = parseDomainConfig(input);
  const { logger = silentLogger, clock = systemClock } = ports;
  const account = ports.account ?? (await accountOf(config));
  const { chainId, market, provider } = config;
  return withOwnState({ dataDir: config.dataDir, account }, async (state) => {
    bindIdentity(state.db, { chainId, market, provider });
    const datasets = readDatasets(state.db);
    const records = createRecords(state);
    const publications = createPublications(state, datasets, records, logger);
    const clients = config.rpcUrls.map((url) => createPublicClient({ transport: http(url) }));
    const reader = createChainReader(clients, { chainId, market });
    const outbox = createDomainOutbox(config, state.db, clients, account, { clock, logger });
    const stop = new AbortController();
    const running = outbox.run(AbortSignal.any([signal, stop.signal]));
    try {
      const made: PublishedRoot[] = [];
      for (const dataset of datasets) {
        await demandRegistered(reader, dataset, provider);
        const send = (key: string, root: bigint): void =>
          void outbox.enqueue({ key, ...marketCalls.publishRoot(market, dataset.dataset, root), simulate: true });
        await finishEarlier(dataset, publications, outbox, send, signal, clock.now());
        const publication = publications.publish(dataset.id, unixSeconds(clock), send);
        if (publication === undefined) continue;
        const { item } = await mined(outbox, publication, dataset, signal);
        // What the chain says is for the follower of the agent's next start; until then the time of the machine stands.
        publications.published(dataset.id, publication.root, unixSeconds(clock));
        const { root, changes } = publication;
        made.push({ dataset: dataset.dataset, root, changes, transaction: item.minedHash });
      }
      return made;
    } finally {
      stop.abort(new Error("done"));
      await running;
    }
  });
}

type Publishing = ReturnType<typeof createPublications>;

/** A publication that an earlier call, or a killed agent, left behind. */
async function finishEarlier(
  dataset: Dataset,
  publications: Publishing,
  outbox: Outbox,
  send: (key: string, root: bigint) => void,
  signal: AbortSignal,
  nowMs: number,
): Promise<void> {
  const last = publications.last(dataset.id);
  if (last === undefined || last.publishedAt !== undefined) return;
  const status = outbox.status(last.outboxKey)?.status;
  if (status === "abandoned" || status === "reverted") publications.sendAgain(dataset.id, send);
  await mined(outbox, publications.last(dataset.id) ?? last, dataset, signal);
  publications.published(dataset.id, last.root, Math.floor(nowMs / 1000));
}

async function mined(
  outbox: Outbox,
  { outboxKey }: Publication,
  { definition }: Dataset,
  signal: AbortSignal,
): Promise<OutboxResult> {
  const result = await outbox.wait(outboxKey, signal);
  if (result.status === "mined") return result;
  throw new FatalError(
    "PUBLICATION_FAILED",
    `The root of "${definition.name}" was not published: ${result.reason?.errorName ?? result.reason?.message ?? result.status}. The key must be the provider's or the dataset's publisher.`,
    { docsPath: "guides/domain.md" },
  );
}

async function demandRegistered(
  reader: Pick<ReturnType<typeof createChainReader>, "dataset">,
  { dataset, definition }: Dataset,
  provider: Address,
): Promise<void> {
  const { provider: registered } = await reader.dataset(dataset);
  if (!isNobody(registered)) return;
  throw new FatalError(
    "DATASET_NOT_REGISTERED",
    `The dataset "${definition.name}" (${dataset}) is not registered on chain. ${provider} registers it, with the definition's hash and the agent as publisher.`,
    { docsPath: "guides/domain.md" },
  );
}
