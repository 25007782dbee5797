import { readdirSync } from "node:fs";
import { join } from "node:path";
import { viemBlockSource } from "@quorate/chain";
import { FatalError, type Hex } from "@quorate/core";
import {
  buildHistory,
  createRequester,
  type JobRecord,
  type Requester,
  type RequesterKeyStore,
  readJobs,
} from "@quorate/sdk";
import { fileKeyStore } from "@quorate/sdk/node";
import type { Context } from "./context.ts";
import { matchId } from "./ids.ts";
import { readTrust } from "./trust-file.ts";

/**
 * Where the keys and the progress of requested jobs are kept.
 *
 * @param home - State folder.
 */
export function jobStore(home: string): RequesterKeyStore {
  return fileKeyStore({ directory: join(home, "jobs") });
}

/** What a state folder holds of jobs. */
export type KeptJobs = {
  /** Oldest first. */
  readonly records: readonly JobRecord[];
  /** Ids of jobs whose file cannot be read, with the reason. */
  readonly damaged: readonly { readonly jobId: Hex; readonly reason: string }[];
};

/**
 * The jobs of a state folder. One damaged file does not hide the others.
 *
 * @param home - State folder.
 */
export async function keptJobs(home: string): Promise<KeptJobs> {
  const store = jobStore(home);
  const records: JobRecord[] = [];
  const damaged: { jobId: Hex; reason: string }[] = [];
  for (const jobId of jobIds(home)) {
    try {
      const record = await store.get(jobId);
      if (record !== undefined) records.push(record);
    } catch (error) {
      damaged.push({ jobId, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { records: records.sort((a, b) => a.createdAt - b.createdAt), damaged };
}

function jobIds(home: string): Hex[] {
  let names: string[];
  try {
    names = readdirSync(join(home, "jobs"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return names.flatMap((name) => (/^0x[0-9a-f]{64}\.json$/.test(name) ? [name.slice(0, 66) as Hex] : []));
}

/**
 * The requester's client of a state folder.
 *
 * @param context - Of the command.
 * @param options - Whether the chosen key signs; whether offers are judged, which may need the market's history.
 */
export async function requesterOf(
  context: Context,
  options: { readonly signs: boolean; readonly judges?: boolean },
): Promise<Requester> {
  const { network } = context.network();
  const policy = readTrust(context.home);
  const sources = network.rpc.map((url) => viemBlockSource(url));
  const client = options.signs ? await context.signer() : await context.reader();
  const history =
    options.judges !== true || policy.accept !== "history"
      ? undefined
      : buildHistory(
          await readJobs({
            domain: { chainId: network.chainId, market: network.market },
            sources,
            fromBlock: network.fromBlock,
            logger: context.logger,
            signal: context.signal,
          }),
          policy,
          context.address(),
        );
  return createRequester({
    client,
    relays: context.relays(),
    keyStore: jobStore(context.home),
    trustPolicy: policy,
    ...(history === undefined ? {} : { history }),
    sources,
    fromBlock: network.fromBlock,
    confirmations: network.confirmations,
    logger: context.logger,
    leastRelays: Math.min(2, network.relays.length),
  });
}

/**
 * The job that a person means: a whole id, or the beginning of one.
 *
 * @param known - Ids to choose from; a whole id need not be among them.
 * @param text - `0x` and hex digits.
 * @param where - Whose jobs these are, for the error.
 * @throws FatalError `USAGE_JOB` when it is no id, `JOB_UNKNOWN` when nothing begins like that, `JOB_AMBIGUOUS` when more than one does.
 */
export function chooseJobId(known: readonly Hex[], text: string, where: string): Hex {
  const match = matchId(known, text);
  switch (match.kind) {
    case "found":
      return match.id;
    case "malformed":
      throw new FatalError(
        "USAGE_JOB",
        `"${text}" is not a job id. Write 0x and 64 hex digits, or at least the first 4 digits of one.`,
      );
    case "unknown":
      throw new FatalError(
        "JOB_UNKNOWN",
        `No job of ${where} begins with ${match.prefix}. Check the id; quorate job list shows yours.`,
      );
    case "ambiguous":
      throw new FatalError(
        "JOB_AMBIGUOUS",
        `${match.ids.length} jobs of ${where} begin with ${match.prefix}: ${match.ids.join(", ")}. Name more digits.`,
      );
    default:
      return match satisfies never;
  }
}

/**
 * The job of a state folder that a person means.
 *
 * @param home - State folder.
 * @param text - A whole id or the beginning of one.
 * @throws What {@link chooseJobId} throws.
 */
export function findJobId(home: string, text: string): Hex {
  return chooseJobId(jobIds(home), text, "this state folder");
}
