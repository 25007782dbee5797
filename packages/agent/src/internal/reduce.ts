import type { CarriedCommitment, Hex, Opening, PlacedCommitment } from "@quorate/core";
import { type Effect, wantedEffects } from "./effects.ts";
import type { ChainFact, JournalEntry } from "./journal-entry.ts";
import { isSameSet } from "./set-voting.ts";
import {
  type AgentState,
  emptyJob,
  type Horizons,
  type JobState,
  noPeers,
  type ReducerSettings,
  type SignedSet,
} from "./state.ts";

/** Everything that can happen to the agent. */
export type Message =
  /** A line of the journal: durable before it is reduced. */
  | { readonly type: "journaled"; readonly entry: JournalEntry }
  /** The chain moved. */
  | { readonly type: "chain"; readonly horizons: Horizons }
  /** A relay brought a commitment whose signature was checked. */
  | { readonly type: "peer-commitment"; readonly jobId: Hex; readonly commitment: CarriedCommitment }
  /** A relay brought what a place would vote by in a set; its sender was checked. */
  | { readonly type: "peer-set-commitment"; readonly jobId: Hex; readonly commitment: PlacedCommitment }
  /** A relay brought a member's signature over a set; it was checked. */
  | { readonly type: "peer-set"; readonly jobId: Hex; readonly signed: SignedSet }
  /** A relay brought an opening that matches its place's commitment on chain or in the set that this agent signed. */
  | { readonly type: "peer-opening"; readonly jobId: Hex; readonly opening: Opening }
  /** The requester asked for the result again, at the time in its message. */
  | { readonly type: "redelivery-asked"; readonly jobId: Hex; readonly askedAt: number };

/**
 * One step of the agent: pure, so that every order of messages, crash and rollback can be tried.
 *
 * The effects are all that the new state wants done, each with a stable key. The runtime starts those that do not run
 * yet and cancels those that are not wanted any more; completing one appends to the journal, which ends the want.
 *
 * @param state State before.
 * @param message What happened.
 * @param settings Provider, market, carrying, retention.
 */
export function reduce(
  state: AgentState,
  message: Message,
  settings: ReducerSettings,
): { readonly state: AgentState; readonly effects: readonly Effect[] } {
  const next = applyMessage(state, message);
  return { state: next, effects: wantedEffects(next, settings) };
}

/**
 * The state after a message, without its effects: what replaying a journal needs.
 *
 * @param state State before.
 * @param message What happened.
 */
export function applyMessage(state: AgentState, message: Message): AgentState {
  const now = state.horizons?.head.timestamp ?? 0;
  switch (message.type) {
    case "journaled": {
      const { entry } = message;
      if (entry.kind === "job-closed") return withoutJob(state, entry.jobId);
      return updateJob(state, entry.jobId, (job) => applyEntry(job ?? emptyJob(entry.jobId), entry));
    }
    case "chain":
      return { ...state, horizons: message.horizons };
    case "peer-commitment":
      return updateJob(state, message.jobId, (job) => {
        const { commitment } = message;
        if (job === undefined || job.peers.commitments[commitment.place] !== undefined) return job;
        const commitments = { ...job.peers.commitments, [commitment.place]: { ...commitment, seenAt: now } };
        return { ...job, peers: { ...job.peers, commitments } };
      });
    case "peer-set-commitment":
      return updateJob(state, message.jobId, (job) => {
        const { commitment } = message;
        if (job === undefined || job.peers.setCommitments[commitment.place] !== undefined) return job;
        const setCommitments = { ...job.peers.setCommitments, [commitment.place]: { ...commitment, seenAt: now } };
        return { ...job, peers: { ...job.peers, setCommitments } };
      });
    case "peer-set":
      return updateJob(state, message.jobId, (job) => {
        const { signed } = message;
        const before = job?.peers.sets[signed.place] ?? [];
        const isKnown = before.some(({ commitments }) => isSameSet(commitments, signed.commitments));
        if (job === undefined || isKnown || before.length >= MAX_SETS_PER_PLACE) return job;
        const sets = { ...job.peers.sets, [signed.place]: [...before, { ...signed, seenAt: now }] };
        return { ...job, peers: { ...job.peers, sets } };
      });
    case "peer-opening":
      return updateJob(state, message.jobId, (job) => {
        const { opening } = message;
        if (job === undefined || job.peers.openings[opening.place] !== undefined) return job;
        return {
          ...job,
          peers: { ...job.peers, openings: { ...job.peers.openings, [opening.place]: { ...opening, seenAt: now } } },
        };
      });
    case "redelivery-asked":
      return updateJob(state, message.jobId, (job) => {
        if (job === undefined || job.redeliveryAskedAt !== undefined) return job;
        return message.askedAt <= (job.servedAskedAt ?? 0) ? job : { ...job, redeliveryAskedAt: message.askedAt };
      });
    default:
      return message satisfies never;
  }
}

/** Honest members sign one. */
const MAX_SETS_PER_PLACE = 4;

function updateJob(
  state: AgentState,
  jobId: Hex,
  update: (job: JobState | undefined) => JobState | undefined,
): AgentState {
  const before = state.jobs.get(jobId);
  const after = update(before);
  if (after === before || after === undefined) return state;
  return { ...state, jobs: new Map(state.jobs).set(jobId, after) };
}

/** A closed job wants nothing any more: the journal keeps its story, memory does not. */
function withoutJob(state: AgentState, jobId: Hex): AgentState {
  const jobs = new Map(state.jobs);
  return jobs.delete(jobId) ? { ...state, jobs } : state;
}

/** Entries are facts: applying one twice changes nothing. */
function applyEntry(job: JobState, entry: Exclude<JournalEntry, { kind: "job-closed" }>): JobState {
  const { at } = entry;
  switch (entry.kind) {
    case "offer-fixed":
      return job.offer !== undefined
        ? job
        : { ...job, request: entry.request, requirements: entry.requirements, offer: { ...entry.offer, at } };
    case "offer-published":
      return { ...job, offerPublishedAt: at };
    case "chain-fact":
      return { ...job, chain: insertFact(job.chain, entry.fact) };
    case "chain-rolled-back":
      return rollBack(job, entry.toBlock);
    case "panel-judged":
      return { ...job, panel: { stays: entry.stays, reasons: entry.reasons, at } };
    case "vote-fixed": {
      if (job.vote !== undefined) return job;
      const { outcome, resultHash, commitment, reportCode, detail } = entry;
      return {
        ...job,
        vote: {
          outcome,
          resultHash,
          commitment,
          ...(reportCode === undefined ? {} : { reportCode }),
          ...(detail === undefined ? {} : { detail }),
          at,
        },
      };
    }
    case "commitment-published":
      return { ...job, commitmentPublishedAt: at };
    case "set-commitment-published":
      return { ...job, setCommitmentPublishedAt: at };
    case "set-fixed":
      return job.set === undefined ? { ...job, set: { commitments: entry.commitments, at } } : job;
    case "set-signature-published":
      return { ...job, setSignaturePublishedAt: at };
    case "transaction-handed-over": {
      const { duty, attempt, key } = entry;
      return { ...job, transactions: { ...job.transactions, [duty]: { attempt, key, state: "pending", at } } };
    }
    case "transaction-ended": {
      const { duty, attempt, result } = entry;
      const record = job.transactions[duty];
      if (record === undefined || record.attempt !== attempt) return job;
      return { ...job, transactions: { ...job.transactions, [duty]: { ...record, state: result, at } } };
    }
    case "opening-published":
      return { ...job, openingPublishedAt: at };
    case "result-delivered":
      return { ...job, deliveredAt: at, lastUploadAt: at };
    case "result-redelivered": {
      const { redeliveryAskedAt: _, ...rest } = job;
      return { ...rest, redeliveries: job.redeliveries + 1, lastUploadAt: at, servedAskedAt: entry.askedAt };
    }
    case "keys-deleted":
      return { ...job, keysDeletedAt: at };
    default:
      return entry satisfies never;
  }
}

function insertFact(chain: readonly ChainFact[], fact: ChainFact): readonly ChainFact[] {
  const { eventName } = fact.event;
  const isKnown = chain.some(({ block, logIndex }) => block.hash === fact.block.hash && logIndex === fact.logIndex);
  // History without its beginning cannot be judged: the opening comes first or nothing does.
  if (isKnown || (chain.length === 0 && eventName !== "JobOpened")) return chain;
  return [...chain, fact].sort((a, b) => a.block.number - b.block.number || a.logIndex - b.logIndex);
}

/**
 * Facts go with their blocks; what the agent did itself stays true, above all its vote. When the opening itself is gone,
 * the job may come back with another panel: that one is judged anew, and messages that name a place are published anew.
 */
function rollBack(job: JobState, toBlock: number): JobState {
  const chain = job.chain.filter(({ block }) => block.number <= toBlock);
  if (chain.length === job.chain.length) return job;
  if (chain.length > 0) return { ...job, chain };
  const {
    panel: _panel,
    commitmentPublishedAt: _commitment,
    setCommitmentPublishedAt: _setCommitment,
    setSignaturePublishedAt: _signature,
    openingPublishedAt: _opening,
    ...rest
  } = job;
  return { ...rest, chain, peers: noPeers };
}
