import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Address, FatalError, type Hex, type Request, type Requirements } from "@quorate/core";
import { supports } from "@quorate/sandbox";
import { createRelayClient } from "@quorate/wire";
import { createPublicClient, http } from "viem";
import { createChainReader } from "./chain-reader.ts";
import { type Explanation, explainJob } from "./explain.ts";
import { decodeEntry } from "./journal-entry.ts";
import { judgeRequest } from "./judge-request.ts";
import { staticReason, type WouldTake } from "./offer-desk.ts";
import { parseConfig } from "./read-config.ts";
import { collectRequestFacts } from "./request-facts.ts";
import { emptyState } from "./state.ts";

/** A job in an agent's journal. */
export type KnownJob = {
  readonly jobId: Hex;
  /** Last step of the journal, see `journalSteps`. */
  readonly lastStep: string;
  /** False when nothing is left to do. */
  readonly isOpen: boolean;
};

/**
 * The story of a job from the journal of an agent, which may be running: nothing is locked or changed.
 *
 * @param dataDir Folder of the agent.
 * @param provider Account that the agent works for.
 * @param jobId Job.
 * @returns Undefined when the journal does not know the job.
 * @throws FatalError `JOURNAL_MISSING` when no agent ever ran on the folder.
 */
export function readExplanation(dataDir: string, provider: Address, jobId: Hex): Explanation | undefined {
  return withJournal(dataDir, (db) => {
    const rows = db.prepare("SELECT body FROM journal WHERE job_id = ? ORDER BY seq").all(jobId.toLowerCase());
    return explainJob(
      provider,
      rows.map(({ body }) => decodeEntry(body as string)),
    );
  });
}

/**
 * Jobs in the journal of an agent, which may be running, newest first.
 *
 * @param dataDir Folder of the agent.
 * @param limit Most jobs.
 * @throws FatalError `JOURNAL_MISSING` when no agent ever ran on the folder.
 */
export function listKnownJobs(dataDir: string, limit = 100): readonly KnownJob[] {
  return withJournal(dataDir, (db) =>
    db
      .prepare(`
        SELECT job_id, step, EXISTS (SELECT 1 FROM open_job WHERE open_job.job_id = journal.job_id) AS is_open
        FROM journal WHERE seq IN (SELECT max(seq) FROM journal GROUP BY job_id) ORDER BY seq DESC LIMIT ?`)
      .all(limit)
      .map((row) => ({ jobId: row.job_id as Hex, lastStep: row.step as string, isOpen: row.is_open === 1 })),
  );
}

function withJournal<R>(dataDir: string, read: (db: DatabaseSync) => R): R {
  const file = join(dataDir, "agent.db");
  if (!existsSync(file))
    throw new FatalError(
      "JOURNAL_MISSING",
      `There is no journal in ${dataDir}. Check the folder, or start the agent once.`,
    );
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

/**
 * What an agent with this configuration would do with a request, asked of chain and relays once, without the agent.
 * Offers that a running agent has out are not counted.
 *
 * @param config Configuration, as `runAgent` takes it.
 * @param account Address of the agent's key, or the provider's own.
 * @param asked The request with its requirements document.
 * @param signal Ends the asking.
 * @throws FatalError `AGENT_CONFIG`; `POLICY_INVALID`, `POLICY_MISSING` for the policy's file.
 */
export async function judgeOnce(
  config: unknown,
  account: Address,
  { request, requirements }: { readonly request: Request; readonly requirements: Requirements },
  signal: AbortSignal,
): Promise<WouldTake> {
  const { chainId, market, provider, rpcUrls, relays, policy } = await parseConfig(config);
  const invalid = staticReason(request, requirements);
  if (invalid !== undefined) return { takes: false, reasons: [invalid] };
  const domain = { chainId, market };
  const clients = rpcUrls.map((url) => createPublicClient({ transport: http(url) }));
  const block = await (clients[0] as (typeof clients)[number]).getBlock();
  const facts = await collectRequestFacts({
    request,
    requirements,
    state: emptyState,
    now: Number(block.timestamp),
    provider,
    account,
    domain,
    reader: createChainReader(clients, domain),
    relays: createRelayClient({ urls: relays, domain, signal }),
    sandbox: { supports },
    signal,
  });
  const judgement = judgeRequest(policy, request, requirements, facts);
  return judgement.takes
    ? { takes: true, price: judgement.price, reasons: judgement.reasons }
    : { takes: false, reasons: judgement.reasons };
}
