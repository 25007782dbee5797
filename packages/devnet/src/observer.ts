import { jobMarketAbi } from "@quorate/abi";
import {
  type Address,
  escrowOf,
  foldJobEvent,
  type Hex,
  isJobEventName,
  type JobEvent,
  type JobFacts,
  JobStatus,
  nameOf,
  roleOfPlace,
  Verdict,
} from "@quorate/core";
import { type PublicClient, parseEventLogs } from "viem";

/** One transaction that touched a job. */
export type JobTransaction = {
  readonly hash: Hex;
  readonly from: Address;
  readonly block: number;
  readonly gasUsed: bigint;
  /** Names of the market's events that it emitted for the job. */
  readonly events: readonly string[];
};

/** Everything that the chain shows of one job. */
export type ObservedJob = {
  readonly facts: JobFacts;
  readonly transactions: readonly JobTransaction[];
};

/**
 * Reads what the chain shows of every job, as a stranger with a node would: from events alone.
 *
 * @param client - Any node.
 * @param market - The market.
 * @param fromBlock - Block of the deployment.
 * @returns Jobs in the order of their opening.
 */
export async function observeJobs(client: PublicClient, market: Address, fromBlock: number): Promise<ObservedJob[]> {
  const logs = await client.getLogs({ address: market, fromBlock: BigInt(fromBlock), toBlock: "latest" });
  const times = new Map<bigint, number>();
  const facts = new Map<Hex, JobFacts>();
  const events = new Map<Hex, Map<Hex, { from: Address; block: number; gasUsed: bigint; events: string[] }>>();
  for (const log of parseEventLogs({ abi: jobMarketAbi, logs })) {
    const jobId = "jobId" in log.args ? (log.args.jobId as Hex) : undefined;
    if (jobId === undefined || log.eventName === "JobAnnounced") continue;
    if (!times.has(log.blockNumber)) {
      const block = await client.getBlock({ blockNumber: log.blockNumber });
      times.set(log.blockNumber, Number(block.timestamp));
    }
    if (isJobEventName(log.eventName)) {
      const event = {
        eventName: log.eventName,
        args: log.args,
        timestamp: times.get(log.blockNumber),
      } as unknown as JobEvent;
      facts.set(jobId, foldJobEvent(facts.get(jobId), event));
    }
    const transactions = events.get(jobId) ?? new Map();
    events.set(jobId, transactions);
    const known = transactions.get(log.transactionHash);
    if (known !== undefined) {
      known.events.push(log.eventName);
    } else {
      const receipt = await client.getTransactionReceipt({ hash: log.transactionHash });
      transactions.set(log.transactionHash, {
        from: receipt.from,
        block: Number(receipt.blockNumber),
        gasUsed: receipt.gasUsed,
        events: [log.eventName],
      });
    }
  }
  return [...facts].map(([jobId, job]) => ({
    facts: job,
    transactions: [...(events.get(jobId) ?? [])].map(([hash, rest]) => ({ hash, ...rest })),
  }));
}

/** One job in the summary that `--json` prints. Amounts are decimal strings in base units. */
export type JobSummary = {
  readonly name: string;
  readonly jobId: Hex;
  readonly status: string;
  readonly outcome: string;
  readonly resultHash: Hex;
  readonly seats: readonly {
    readonly provider: Address;
    readonly role: string;
    readonly status: string;
    readonly paid: string;
  }[];
  readonly transactions: number;
  readonly gas: number;
  readonly blocks: number;
};

const outcomeNames = ["None", "Ok", "Failed", "Report"] as const;

/**
 * The summary of a job as the chain shows it.
 *
 * @param name - Name of the story.
 * @param job - The job.
 */
export function summarizeJob(name: string, { facts, transactions }: ObservedJob): JobSummary {
  const blocks = transactions.map(({ block }) => block);
  return {
    name,
    jobId: facts.jobId,
    status: facts.settled === undefined ? "Open" : nameOf(JobStatus, facts.settled.status),
    outcome: outcomeNames[facts.settled?.outcome ?? 0] ?? "None",
    resultHash: facts.settled?.resultHash ?? `0x${"00".repeat(32)}`,
    seats: facts.terms.places.map(({ provider }, place) => {
      const result = facts.settled?.results[place];
      return {
        provider,
        role: roleOfPlace(facts.terms, place),
        status: result === undefined ? "Open" : nameOf(Verdict, result.verdict),
        paid: (result?.paid ?? 0n).toString(),
      };
    }),
    transactions: transactions.length,
    gas: Number(transactions.reduce((sum, { gasUsed }) => sum + gasUsed, 0n)),
    blocks: Math.max(...blocks) - Math.min(...blocks) + 1,
  };
}

/** Where the money of a settled job went, in base units; `escrow + lateBonds == paid + carrierFee + refunded + burnt`. */
export type MoneyFlow = {
  readonly escrow: bigint;
  readonly lateBonds: bigint;
  readonly quarantined: bigint;
  readonly paid: bigint;
  readonly carrierFee: bigint;
  readonly refunded: bigint;
  readonly burnt: bigint;
};

/**
 * Follows every unit of a settled job.
 *
 * @param facts - A settled job.
 * @returns Where the escrow and the forfeited bonds came from and went.
 */
export function moneyOf(facts: JobFacts & { readonly settled: NonNullable<JobFacts["settled"]> }): MoneyFlow {
  const { terms, settled, openings } = facts;
  const count = (verdict: number): bigint =>
    BigInt(settled.results.filter((result) => result.verdict === verdict).length);
  const lateBonds = openings.length === 0 ? 0n : count(Verdict.Late) * terms.bond;
  return {
    escrow: escrowOf(terms),
    lateBonds,
    quarantined: count(Verdict.Fault) * terms.bond,
    paid: settled.results.reduce((sum, { paid }) => sum + paid, 0n),
    carrierFee: terms.carrierFee,
    refunded: settled.refunded,
    burnt: settled.burnt,
  };
}
