import type { Hex, JobEvent, Offer, Outcome, ReportCode, Request, Requirements } from "@quorate/core";
import type { Reason } from "./judge-request.ts";

/** A call that the agent may send for a job. */
export type TransactionDuty =
  | "decline"
  | "commit"
  | "carry-commitments"
  | "promote"
  | "reveal"
  | "carry-openings"
  | "reveal-set"
  | "settle";

/** Events of a job that only explain and are not journaled. */
export type ExplainingEventName = "CommitmentSkipped" | "OpeningSkipped" | "CallbackCalled";

/** Events of a job that change its facts. */
export type FactEventName = Exclude<JobEvent["eventName"], ExplainingEventName>;

/** An event of a job with its position on the chain. */
export type ChainFact = {
  readonly block: { readonly number: number; readonly hash: Hex };
  /** Position within the block. */
  readonly logIndex: number;
  readonly transactionHash: Hex;
  readonly event: Extract<JobEvent, { readonly eventName: FactEventName }>;
};

/** What was offered. */
export type OfferRecord = Omit<Offer, "jobId" | "provider">;

type EntryOf<Kind extends string, Body> = Body & {
  readonly kind: Kind;
  readonly jobId: Hex;
  /** Timestamp of the newest block when the entry was made, unix s. */
  readonly at: number;
};

/** One line of the journal: something that is durable and that the agent never forgets or does twice. */
export type JournalEntry =
  /** The terms of an offer and the seed of its key; durable before anything is signed. */
  | EntryOf<
      "offer-fixed",
      { readonly request: Request; readonly requirements: Requirements; readonly offer: OfferRecord }
    >
  /** At least one relay has the offer. */
  | EntryOf<"offer-published", object>
  /** An event of the job, with the block that carries it. */
  | EntryOf<"chain-fact", { readonly fact: ChainFact }>
  /** Blocks above `toBlock` are not on the chain any more. */
  | EntryOf<"chain-rolled-back", { readonly toBlock: number }>
  /** The panel was judged, once. */
  | EntryOf<"panel-judged", { readonly stays: boolean; readonly reasons: readonly Reason[] }>
  /** The vote guard holds a vote. `reportCode` and `detail` are for people; all reports are one vote. */
  | EntryOf<
      "vote-fixed",
      {
        readonly outcome: Outcome;
        readonly resultHash: Hex;
        readonly commitment: Hex;
        readonly reportCode?: ReportCode;
        readonly detail?: string;
        readonly usage?: { readonly fuel: number; readonly elapsedMs: number; readonly outputBytes: number };
      }
    >
  /** At least one relay has the signed commitment. */
  | EntryOf<"commitment-published", object>
  /** At least one relay has the commitment for a set. */
  | EntryOf<"set-commitment-published", object>
  /** The vote guard holds the set of commitments that the agent votes by; `commitments` by place, zero for no member. */
  | EntryOf<"set-fixed", { readonly commitments: readonly Hex[] }>
  /** At least one relay has the signature over the set. */
  | EntryOf<"set-signature-published", object>
  /** The outbox holds a transaction; written together with it. */
  | EntryOf<
      "transaction-handed-over",
      { readonly duty: TransactionDuty; readonly attempt: number; readonly key: string }
    >
  /** The outbox finished with it. */
  | EntryOf<
      "transaction-ended",
      {
        readonly duty: TransactionDuty;
        readonly attempt: number;
        readonly result: "mined" | "reverted" | "abandoned";
        readonly gasUsed?: bigint;
        readonly reason?: string;
      }
    >
  /** At least one relay has the opening. */
  | EntryOf<"opening-published", object>
  /** At least one relay has the sealed result and the message that names it. */
  | EntryOf<"result-delivered", { readonly bytes: number }>
  /** The sealed result was uploaded again because the requester asked; `askedAt` is the time in its message. */
  | EntryOf<"result-redelivered", { readonly askedAt: number }>
  /** The seed of the offer's key is gone. */
  | EntryOf<"keys-deleted", object>
  /** Nothing is left to do; the result, if there was one, is gone. */
  | EntryOf<"job-closed", { readonly why: CloseReason }>;

/** Why a job needs nothing more. */
export type CloseReason = "offer-expired" | "not-chosen" | "settled";

/** Kind of a journal entry. */
export type EntryKind = JournalEntry["kind"];

/** Keys of a record that the compiler checks to be complete: a member that is missing or too many does not compile. */
function every<Name extends string>(names: Readonly<Record<Name, true>>): readonly Name[] {
  return Object.keys(names) as Name[];
}

/** Every event that changes facts. */
export const factEvents: readonly FactEventName[] = every<FactEventName>({
  JobOpened: true,
  CommitmentPlaced: true,
  CommitmentSetPlaced: true,
  SeatDeclined: true,
  SparePromoted: true,
  CommitmentOpened: true,
  JobSettled: true,
});

/** Every transaction duty. */
export const duties: readonly TransactionDuty[] = every<TransactionDuty>({
  decline: true,
  commit: true,
  "carry-commitments": true,
  promote: true,
  reveal: true,
  "carry-openings": true,
  "reveal-set": true,
  settle: true,
});

const entryKinds: readonly EntryKind[] = every<EntryKind>({
  "offer-fixed": true,
  "offer-published": true,
  "chain-fact": true,
  "chain-rolled-back": true,
  "panel-judged": true,
  "vote-fixed": true,
  "commitment-published": true,
  "set-commitment-published": true,
  "set-fixed": true,
  "set-signature-published": true,
  "transaction-handed-over": true,
  "transaction-ended": true,
  "opening-published": true,
  "result-delivered": true,
  "result-redelivered": true,
  "keys-deleted": true,
  "job-closed": true,
});

/**
 * The closed list of journal steps. A step is a kind of entry, with the event for facts of the chain and the duty for
 * transactions. The kill test walks this list: a step without a kill test fails it.
 */
export const journalSteps: readonly string[] = entryKinds.flatMap((kind) => {
  if (kind === "chain-fact") return factEvents.map((name) => `${kind}/${name}`);
  if (kind === "transaction-handed-over" || kind === "transaction-ended")
    return duties.map((duty) => `${kind}/${duty}`);
  return [kind];
});

/**
 * The step of {@link journalSteps} that an entry belongs to.
 *
 * @param entry Entry of the journal.
 */
export function stepOf(entry: JournalEntry): string {
  switch (entry.kind) {
    case "chain-fact":
      return `${entry.kind}/${entry.fact.event.eventName}`;
    case "transaction-handed-over":
    case "transaction-ended":
      return `${entry.kind}/${entry.duty}`;
    case "offer-fixed":
    case "offer-published":
    case "chain-rolled-back":
    case "panel-judged":
    case "vote-fixed":
    case "commitment-published":
    case "set-commitment-published":
    case "set-fixed":
    case "set-signature-published":
    case "opening-published":
    case "result-delivered":
    case "result-redelivered":
    case "keys-deleted":
    case "job-closed":
      return entry.kind;
    default:
      return entry satisfies never;
  }
}

/**
 * Writes an entry as JSON; amounts become `{"$bigint": "…"}`.
 *
 * @param entry Entry of the journal.
 */
export function encodeEntry(entry: JournalEntry): string {
  return JSON.stringify(entry, (_, value: unknown) =>
    typeof value === "bigint" ? { $bigint: value.toString() } : value,
  );
}

/**
 * Reads what {@link encodeEntry} wrote.
 *
 * @param text JSON of one entry.
 */
export function decodeEntry(text: string): JournalEntry {
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === "object" && value !== null && "$bigint" in value ? BigInt(value.$bigint as string) : value,
  ) as JournalEntry;
}
