import { join } from "node:path";
import { viemBlockSource } from "@quorate/chain";
import { FatalError, type Hex } from "@quorate/core";
import { buildHistory, createRequester, type Requester, type RequesterKeyStore, readJobs } from "@quorate/sdk";
import { fileKeyStore } from "@quorate/sdk/node";
import type { Context } from "./context.ts";
import { readTrust } from "./trust-file.ts";

/** Where the keys and the progress of requested jobs are kept. */
export function jobStore(home: string): RequesterKeyStore {
  return fileKeyStore({ directory: join(home, "jobs") });
}

/**
 * The requester's client of a state folder.
 *
 * @param context - Of the command.
 * @param options - Whether the chosen key signs; reading needs none.
 */
export async function requesterOf(context: Context, options: { readonly signs: boolean }): Promise<Requester> {
  const { network } = context.network();
  const policy = readTrust(context.home);
  const sources = network.rpc.map((url) => viemBlockSource(url));
  const signer = options.signs ? await context.signer() : undefined;
  // Only who chooses a panel asks what is known of the providers.
  const history =
    signer === undefined || policy.accept !== "history"
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
          signer.account.address,
        );
  return createRequester({
    client: signer ?? (await context.reader()),
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
 * The job that a person means: a whole id, or the beginning of one in the state folder.
 *
 * @param home - State folder.
 * @param text - `0x` and hex digits.
 * @throws FatalError `USAGE_JOB` when it is no id, `JOB_UNKNOWN` when nothing or more than one job begins like that.
 */
export async function findJobId(home: string, text: string): Promise<Hex> {
  if (/^0x[0-9a-f]{64}$/i.test(text)) return text.toLowerCase() as Hex;
  if (!/^(0x)?[0-9a-f]{4,64}$/i.test(text)) {
    throw new FatalError(
      "USAGE_JOB",
      `"${text}" is not a job id: 0x and 64 hex digits, or at least the first 4 of a job of this state folder.`,
    );
  }
  const prefix = (text.startsWith("0x") ? text : `0x${text}`).toLowerCase();
  const found = (await jobStore(home).list()).filter(({ jobId }) => jobId.startsWith(prefix));
  if (found.length !== 1) {
    throw new FatalError(
      "JOB_UNKNOWN",
      `${found.length === 0 ? "No job" : `${found.length} jobs`} of this state folder begin with ${prefix}. Name more digits; quorate job list shows them.`,
    );
  }
  return (found[0] as { jobId: Hex }).jobId;
}
