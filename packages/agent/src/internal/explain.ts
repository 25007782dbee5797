import {
  type Address,
  JobStatus,
  Outcome,
  ReportCode,
  settlementOf,
  statusAt,
  Verdict,
  ZERO_HASH,
} from "@quorate/core";
import type { ChainFact, JournalEntry, TransactionDuty } from "./journal-entry.ts";
import { applyMessage } from "./reduce.ts";
import { type AgentState, emptyState, factsOf, type JobState, placeOf } from "./state.ts";

/** The story of a job in plain words. */
export type Explanation = {
  readonly jobId: string;
  /** One sentence: how it ended for this provider, or where it stands. */
  readonly summary: string;
  /** What happened, in order. */
  readonly lines: readonly { readonly at: number; readonly text: string }[];
};

const dutyWords: Readonly<Record<TransactionDuty, string>> = {
  decline: "decline the seat",
  commit: "commit for itself",
  "carry-commitments": "carry the panel's commitments",
  promote: "promote spares",
  reveal: "open its own vote",
  "carry-openings": "carry the panel's openings",
  "reveal-set": "bring the signed set with the panel's openings",
  settle: "settle",
};

const verdictWords: Readonly<Record<Verdict, string>> = {
  [Verdict.None]: "had no part in the result",
  [Verdict.Aligned]: "gave the accepted answer and was paid its price",
  [Verdict.Reported]: "reported instead of answering; a report earns the call-out fee only when reports were accepted",
  [Verdict.Overruled]: "answered, while the panel accepted a report: it got the call-out fee",
  [Verdict.Undecided]: "answered, but no answer reached the quorum: it got the call-out fee",
  [Verdict.Dissent]: "answered against the accepted answer; no bond was at stake",
  [Verdict.Fault]: "answered against more than half of all seats: its bond is in quarantine and its probation began",
  [Verdict.Declined]: "declined: its bond came back at once",
  [Verdict.Late]: "did not commit or open in time: its bond is forfeited unless nobody opened anything",
  [Verdict.Standby]: "was an unused spare and got the standby fee",
};

const outcomeWords: Readonly<Record<number, string>> = {
  [Outcome.Ok]: "the program returned",
  [Outcome.Failed]: "the program failed",
  [Outcome.Report]: "a report",
};

/**
 * Tells what happened in a job and why it was paid or not.
 *
 * @param provider This provider.
 * @param entries The job's journal, in order.
 */
export function explainJob(provider: Address, entries: readonly JournalEntry[]): Explanation | undefined {
  const jobId = entries[0]?.jobId;
  if (jobId === undefined) return undefined;
  let state: AgentState = emptyState;
  let job: JobState | undefined;
  let at = 0;
  const lines = entries.flatMap((entry) => {
    const before = job;
    if (entry.kind !== "job-closed") {
      state = applyMessage(state, { type: "journaled", entry });
      job = state.jobs.get(jobId);
    }
    at = entry.at;
    const text = describe(entry, provider, before);
    return text === undefined ? [] : [{ at: entry.at, text }];
  });
  const closed = entries.at(-1);
  const why = closed?.kind === "job-closed" ? closed.why : undefined;
  return { jobId, summary: job === undefined ? "nothing is known" : summarize(job, provider, at, why), lines };
}

function summarize(job: JobState, provider: Address, at: number, closed: string | undefined): string {
  const facts = factsOf(job);
  if (facts === undefined)
    return closed === "offer-expired"
      ? "The offer expired; the requester did not open the job with it. Nothing was locked, nothing is owed."
      : "An offer is out; the requester has not opened the job.";
  const own = placeOf(facts, provider);
  if (own === undefined)
    return "The requester opened the job with other providers. Nothing was locked, nothing is owed.";
  const { terms, settled } = facts;
  if (settled !== undefined) {
    const result = settled.results[own];
    if (result === undefined) return "The job is settled without a line for this place.";
    const status = settled.status === JobStatus.Accepted ? "accepted" : "inconclusive";
    const detail = job.vote?.detail === undefined ? "" : ` (${job.vote.detail})`;
    return `The job is ${status}. This provider, at place ${own}, ${verdictWords[result.verdict]}${detail}: paid ${result.paid} of a price of ${terms.places[own]?.price ?? 0n}, bond ${terms.bond}.`;
  }
  const view = statusAt(facts, at);
  const name = Object.entries(JobStatus).find(([, value]) => value === view.status)?.[0] ?? "unknown";
  const outlook = settlementOf(facts).results[own];
  const openings = `${facts.openings.length} of ${facts.committed.length} commitments are open`;
  return `The job is ${name}: ${facts.committed.length} commitments, ${openings}. Settled as it stands, this provider would get ${outlook?.paid ?? 0n}.`;
}

function describe(entry: JournalEntry, provider: Address, before: JobState | undefined): string | undefined {
  switch (entry.kind) {
    case "offer-fixed":
      return `Offered at ${entry.offer.price}, bond ${entry.request.bond}, valid until ${entry.offer.expiry}, to requester ${entry.request.requester}.`;
    case "offer-published":
      return "The sealed offer is at a relay.";
    case "chain-fact":
      return describeFact(entry.fact, provider, before);
    case "chain-rolled-back":
      return `The chain took back everything above block ${entry.toBlock}.`;
    case "panel-judged":
      return entry.stays
        ? "The panel fits the policy."
        : `The panel is against the policy: ${entry.reasons.map(({ message }) => message).join("; ")}.`;
    case "vote-fixed":
      return describeVote(entry);
    case "commitment-published":
      return "The signed commitment is at a relay.";
    case "set-commitment-published":
      return "The commitment for a set is at a relay; nobody can carry it to the chain.";
    case "set-fixed": {
      const members = entry.commitments.flatMap((commitment, place) => (commitment === ZERO_HASH ? [] : [place]));
      return `Votes by a set with places ${members.join(", ")}, and will sign no other.`;
    }
    case "set-signature-published":
      return "The signature over the set is at a relay.";
    case "transaction-handed-over":
      return `Sends a transaction to ${dutyWords[entry.duty]} (attempt ${entry.attempt}).`;
    case "transaction-ended": {
      const gas = entry.gasUsed === undefined ? "" : `, ${entry.gasUsed} gas`;
      const reason = entry.reason === undefined ? "" : `: ${entry.reason}`;
      return `The transaction to ${dutyWords[entry.duty]} was ${entry.result}${gas}${reason}.`;
    }
    case "opening-published":
      return before?.set !== undefined && factsOf(before)?.bySet === false
        ? "All members have signed the set, or revealing is final; the opening is at a relay."
        : "Revealing is final; the opening is at a relay.";
    case "result-delivered":
      return `Enough equal openings are final; the sealed result (${entry.bytes} bytes) is at a relay.`;
    case "result-redelivered":
      return "Uploaded the sealed result again, as the requester asked.";
    case "keys-deleted":
      return "Deleted the key of the offer.";
    case "job-closed":
      return "Closed; what was kept of the result is deleted.";
    default:
      return entry satisfies never;
  }
}

function describeVote(entry: Extract<JournalEntry, { kind: "vote-fixed" }>): string {
  const usage =
    entry.usage === undefined
      ? ""
      : `, ${entry.usage.fuel} fuel, ${entry.usage.elapsedMs} ms, ${entry.usage.outputBytes} bytes of output`;
  if (entry.outcome !== Outcome.Report)
    return `Voted: ${outcomeWords[entry.outcome]}, result hash ${entry.resultHash}${usage}.`;
  const code = Object.entries(ReportCode).find(([, value]) => value === entry.reportCode)?.[0] ?? "no code";
  return `Voted with a report (${code}): ${entry.detail ?? "no detail"}${usage}.`;
}

function describeFact(
  { event, block }: ChainFact,
  provider: Address,
  before: JobState | undefined,
): string | undefined {
  const facts = before === undefined ? undefined : factsOf(before);
  const own = facts === undefined ? undefined : placeOf(facts, provider);
  const who = (place: number): string => (place === own ? `place ${place} (this provider)` : `place ${place}`);
  switch (event.eventName) {
    case "JobOpened": {
      const { request, places, spares } = event.args;
      const place = places.findIndex((candidate) => candidate.provider.toLowerCase() === provider.toLowerCase());
      const role = place < 0 ? "without a place for this provider" : `this provider has place ${place}`;
      return `Opened in block ${block.number}: ${request.seats} seats, quorum ${request.quorum}, ${spares} spares; ${role}.`;
    }
    case "CommitmentPlaced":
      return `On chain: commitment of ${who(event.args.place)}.`;
    case "CommitmentSetPlaced": {
      const places = event.args.commitments.flatMap((commitment, place) => (commitment === ZERO_HASH ? [] : [place]));
      const isVoid = own !== undefined && ((event.args.voided >> own) & 1) === 1;
      const note = isVoid ? "; this provider had committed to something else on chain and has no vote" : "";
      return `On chain: a signed set, commitments of ${places.map(who).join(", ")}${note}.`;
    }
    case "SeatDeclined":
      return `On chain: ${who(event.args.place)} declined.`;
    case "SparePromoted":
      return `On chain: spare ${who(event.args.spare)} took seat ${event.args.seat}.`;
    case "CommitmentOpened":
      return `On chain: ${who(event.args.place)} opened ${outcomeWords[event.args.outcome] ?? "a malformed vote"}.`;
    case "JobSettled": {
      const result = own === undefined ? undefined : event.args.results[own];
      const accepted =
        event.args.status === JobStatus.Accepted ? `accepted ${outcomeWords[event.args.outcome]}` : "no decision";
      return `Settled by ${event.args.carrier}: ${accepted}; paid to this provider: ${result?.paid ?? 0n}.`;
    }
    default:
      return event satisfies never;
  }
}
