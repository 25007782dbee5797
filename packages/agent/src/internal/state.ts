import type {
  Address,
  CarriedCommitment,
  Hex,
  JobFacts,
  MarketDomain,
  Opening,
  Outcome,
  PlacedCommitment,
  ReportCode,
  Request,
  Requirements,
} from "@quorate/core";
import { foldJobEvent } from "@quorate/core";
import type { ChainFact, OfferRecord, TransactionDuty } from "./journal-entry.ts";
import type { Reason } from "./judge-request.ts";

/** A block as far as decisions need it. */
export type BlockRef = {
  readonly number: number;
  /** Unix s. The only time that decisions read. */
  readonly timestamp: number;
};

/** How far the chain may be trusted for what. All three are blocks of the chain that the follower delivers. */
export type Horizons = {
  /** Newest block. */
  readonly head: BlockRef;
  /** Newest block with the policy's confirmations; absent while the chain is shorter. */
  readonly confirmed?: BlockRef;
  /** Newest block that is final by the policy on as many endpoints as it asks. */
  readonly final?: BlockRef;
};

/** A vote without its salt: the reducer never sees secrets. */
export type VoteRecord = {
  readonly outcome: Outcome;
  readonly resultHash: Hex;
  readonly commitment: Hex;
  readonly reportCode?: ReportCode;
  readonly detail?: string;
  readonly at: number;
};

/** The last transaction of a duty. */
export type TransactionRecord = {
  readonly attempt: number;
  readonly key: string;
  readonly state: "pending" | "mined" | "reverted" | "abandoned";
  /** Unix s of the last change. */
  readonly at: number;
};

/** The set of commitments that the agent signed. */
export type SetRecord = {
  /** By place, zero for places that are no members. */
  readonly commitments: readonly Hex[];
  readonly at: number;
};

/** A member's signature over a set. */
export type SignedSet = { readonly place: number; readonly commitments: readonly Hex[]; readonly signature: Hex };

/** Messages of other places that relays brought; not journaled, relays have them again after a restart. */
export type PeerMessages = {
  /** Signatures checked; the first of a place stands. `seenAt` in chain time. */
  readonly commitments: Readonly<Record<number, CarriedCommitment & { readonly seenAt: number }>>;
  /** Commitments for a set, which nobody can carry; the first of a place stands. */
  readonly setCommitments: Readonly<Record<number, PlacedCommitment & { readonly seenAt: number }>>;
  /** Signatures over sets that were checked, in the order of coming; a member may have signed more than one. */
  readonly sets: Readonly<Record<number, readonly (SignedSet & { readonly seenAt: number })[]>>;
  /** Openings that match the place's commitment on chain, or in the set that this agent signed. */
  readonly openings: Readonly<Record<number, Opening & { readonly seenAt: number }>>;
};

/** Everything the agent knows about one job. */
export type JobState = {
  readonly jobId: Hex;
  readonly request?: Request;
  readonly requirements?: Requirements;
  readonly offer?: OfferRecord & { readonly at: number };
  readonly offerPublishedAt?: number;
  /** In the order of the chain. */
  readonly chain: readonly ChainFact[];
  readonly panel?: { readonly stays: boolean; readonly reasons: readonly Reason[]; readonly at: number };
  readonly vote?: VoteRecord;
  readonly commitmentPublishedAt?: number;
  readonly setCommitmentPublishedAt?: number;
  readonly set?: SetRecord;
  readonly setSignaturePublishedAt?: number;
  readonly transactions: Readonly<Partial<Record<TransactionDuty, TransactionRecord>>>;
  readonly openingPublishedAt?: number;
  readonly deliveredAt?: number;
  readonly redeliveries: number;
  /** Chain time of the last upload. */
  readonly lastUploadAt?: number;
  /** Time in the requester's message that asks for the result again; cleared by the upload. */
  readonly redeliveryAskedAt?: number;
  /** Time in the last such message that was served. */
  readonly servedAskedAt?: number;
  readonly keysDeletedAt?: number;
  readonly peers: PeerMessages;
};

/** The agent's whole state: a fold of the journal, the horizons and what relays said. */
export type AgentState = {
  readonly horizons?: Horizons;
  readonly jobs: ReadonlyMap<Hex, JobState>;
};

/** The part of the configuration that decisions depend on. */
export type ReducerSettings = {
  readonly provider: Address;
  readonly domain: MarketDomain;
  readonly carrying: { readonly mode: "rotate" | "never"; readonly patienceSeconds: number };
  readonly retentionSeconds: number;
};

/** State before the first message. */
export const emptyState: AgentState = { jobs: new Map() };

/** Nothing from relays. */
export const noPeers: PeerMessages = { commitments: {}, setCommitments: {}, sets: {}, openings: {} };

/**
 * State of a job before its first entry.
 *
 * @param jobId Job.
 */
export function emptyJob(jobId: Hex): JobState {
  return { jobId, chain: [], transactions: {}, redeliveries: 0, peers: noPeers };
}

const folds = new WeakMap<readonly ChainFact[], Map<number, JobFacts | undefined>>();

/**
 * Facts of a job on the chain up to a block.
 *
 * @param job Job.
 * @param upTo Number of the last block that counts; everything when absent.
 * @returns Undefined when the job was not open then.
 */
export function factsOf(job: Pick<JobState, "chain">, upTo: number = Number.MAX_SAFE_INTEGER): JobFacts | undefined {
  const counted = job.chain.filter(({ block }) => block.number <= upTo);
  const known = folds.get(job.chain) ?? new Map<number, JobFacts | undefined>();
  folds.set(job.chain, known);
  if (!known.has(counted.length)) {
    const facts = counted.reduce<JobFacts | undefined>((before, { event }) => foldJobEvent(before, event), undefined);
    known.set(counted.length, facts);
  }
  return known.get(counted.length);
}

/**
 * Place of a provider on a panel.
 *
 * @param facts Facts of an open job.
 * @param provider Account of the provider.
 * @returns Undefined when it has none.
 */
export function placeOf(facts: JobFacts, provider: Address): number | undefined {
  const own = provider.toLowerCase();
  const place = facts.terms.places.findIndex((candidate) => candidate.provider.toLowerCase() === own);
  return place < 0 ? undefined : place;
}
