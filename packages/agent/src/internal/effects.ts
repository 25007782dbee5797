import {
  type CarriedCommitment,
  classOfOpening,
  commitmentOf,
  declineDeadline,
  type Hex,
  type JobFacts,
  JobStatus,
  type Opening,
  Outcome,
  type PlacedCommitment,
  promotionDeadline,
  roleOfPlace,
  type StatusView,
  statusAt,
  type Terms,
} from "@quorate/core";
import type { CloseReason, TransactionDuty } from "./journal-entry.ts";
import { holdsSet, restraintUntil, setVoting } from "./set-voting.ts";
import { type AgentState, factsOf, type Horizons, type JobState, placeOf, type ReducerSettings } from "./state.ts";
import { isTurn, shadowPatience, transact, type View } from "./view.ts";

/** A call to the market. Own signatures, openings and salts are added where it is built; nobody else has them. */
export type MarketCall = { readonly terms: Terms } & (
  | { readonly name: "decline"; readonly place: number }
  | { readonly name: "commit"; readonly place: number }
  | { readonly name: "commitBySig"; readonly others: readonly CarriedCommitment[]; readonly ownPlace?: number }
  | { readonly name: "promote" }
  | {
      readonly name: "reveal";
      readonly commitments: readonly PlacedCommitment[];
      readonly others: readonly Opening[];
      readonly ownPlace?: number;
    }
  | {
      readonly name: "revealSet";
      readonly landed: readonly PlacedCommitment[];
      /** By place, zero for no member. */
      readonly commitments: readonly Hex[];
      /** Of other members. */
      readonly openings: readonly Opening[];
      /** Of all other members. */
      readonly signatures: readonly { readonly place: number; readonly signature: Hex }[];
      readonly ownPlace: number;
      /** Whether the own opening was shown already. */
      readonly opensOwn: boolean;
    }
  | { readonly name: "settle" }
);

type EffectOf<Type extends string, Body = object> = Body & {
  readonly type: Type;
  readonly jobId: Hex;
  /** Equal keys are one effect: it runs once at a time and again until the journal says that it is done. */
  readonly key: string;
};

/** Something that the state wants done outside. */
export type Effect =
  /** Sign the offer that was fixed and publish it. */
  | EffectOf<"publish-offer", { readonly validUntil: number }>
  /** Judge the panel of an opened job. */
  | EffectOf<"judge-panel", { readonly place: number }>
  /** Read the job's messages from relays for as long as this is wanted. */
  | EffectOf<"follow-messages">
  /** Get a computed answer; any failure becomes a report. */
  | EffectOf<"answer", { readonly place: number; readonly seen: readonly Hex[] }>
  /** Time is nearly up without an answer: report. */
  | EffectOf<"report", { readonly place: number; readonly seen: readonly Hex[] }>
  /** Sign the commitment and publish it. */
  | EffectOf<"publish-commitment", { readonly place: number; readonly validUntil: number }>
  /** Publish the bare commitment, for a set. */
  | EffectOf<"publish-set-commitment", { readonly place: number; readonly validUntil: number }>
  /** Make a set the one that this agent votes by. */
  | EffectOf<"fix-set", { readonly commitments: readonly Hex[] }>
  /** Sign the set that was fixed and publish the signature. */
  | EffectOf<"publish-set-signature", { readonly place: number; readonly validUntil: number }>
  /** Hand a call to the outbox. */
  | EffectOf<
      "transact",
      {
        readonly duty: TransactionDuty;
        readonly attempt: number;
        readonly validUntil: number;
        readonly call: MarketCall;
      }
    >
  /** Wait for the end of a call that the outbox has. */
  | EffectOf<
      "watch-transaction",
      { readonly duty: TransactionDuty; readonly attempt: number; readonly transactionKey: string }
    >
  /** Publish the opening: revealing is final, or all members have signed the set. */
  | EffectOf<"publish-opening", { readonly place: number; readonly validUntil: number }>
  /** Seal the result to the requester, upload it and name it. */
  | EffectOf<"deliver", { readonly place: number; readonly askedAt?: number }>
  /** Delete the seed of the offer's key. */
  | EffectOf<"delete-keys">
  /** Delete the result and forget the job. */
  | EffectOf<"close", { readonly why: CloseReason }>;

/**
 * From this share of its window on, a place that has no answer reports: late is worse than unknown, and the commitment
 * still has to reach the chain.
 *
 * @param startedAt Unix s at which the window began.
 * @param commitWindow Seconds.
 * @returns Unix s.
 */
export function reportTime(startedAt: number, commitWindow: number): number {
  return startedAt + Math.floor((commitWindow * 3) / 4);
}

/**
 * Everything that a state wants done.
 *
 * @param state The agent's state.
 * @param settings Provider, market, carrying, retention.
 * @returns Effects with distinct keys.
 */
export function wantedEffects(state: AgentState, settings: ReducerSettings): readonly Effect[] {
  const { horizons } = state;
  if (horizons === undefined) return [];
  return [...state.jobs.values()].flatMap((job) => [
    ...watchedTransactions(job),
    ...jobEffects(job, horizons, settings),
  ]);
}

function watchedTransactions(job: JobState): Effect[] {
  return Object.entries(job.transactions)
    .filter(([, record]) => record.state === "pending")
    .map(([duty, { attempt, key }]) => ({
      type: "watch-transaction",
      jobId: job.jobId,
      key: `${job.jobId}/watch/${key}`,
      duty: duty as TransactionDuty,
      attempt,
      transactionKey: key,
    }));
}

function jobEffects(job: JobState, horizons: Horizons, settings: ReducerSettings): Effect[] {
  const { jobId } = job;
  const now = horizons.head.timestamp;
  const facts = factsOf(job);
  if (facts === undefined) return unopened(job, horizons);

  const own = placeOf(facts, settings.provider);
  const final = at(job, horizons.final);
  if (own === undefined)
    return final === undefined ? [] : [{ type: "close", jobId, key: `${jobId}/close`, why: "not-chosen" }];

  const confirmed = at(job, horizons.confirmed);
  const view: View = {
    job,
    settings,
    now,
    facts,
    status: statusAt(facts, now),
    terms: facts.terms,
    own,
    ...(confirmed === undefined ? {} : { confirmed }),
    ...(final === undefined ? {} : { final }),
  };
  return [...seated(view), ...committing(view), ...setVoting(view), ...revealing(view), ...afterwards(view)];
}

function at(job: JobState, block: Horizons["final"]): View["final"] {
  if (block === undefined) return undefined;
  const facts = factsOf(job, block.number);
  return facts === undefined ? undefined : { facts, status: statusAt(facts, block.timestamp) };
}

/** An offer that nobody opened yet. */
function unopened(job: JobState, horizons: Horizons): Effect[] {
  const { jobId, offer } = job;
  // Rolled back and unknown before: nothing to do, and nothing to close until it is final that it is gone.
  const expiry = offer?.expiry ?? 0;
  if (horizons.final !== undefined && horizons.final.timestamp >= expiry)
    return [{ type: "close", jobId, key: `${jobId}/close`, why: "offer-expired" }];
  if (offer === undefined || job.offerPublishedAt !== undefined || horizons.head.timestamp >= expiry) return [];
  return [{ type: "publish-offer", jobId, key: `${jobId}/publish-offer`, validUntil: expiry }];
}

/** From the opening on: messages, panel, decline. */
function seated(view: View): Effect[] {
  const { job, facts, status, own, now, confirmed } = view;
  const { jobId } = job;
  const effects: Effect[] = [];
  if (facts.settled === undefined) effects.push({ type: "follow-messages", jobId, key: `${jobId}/messages` });
  if (confirmed === undefined || placeOf(confirmed.facts, view.settings.provider) !== own) return effects;
  if (job.panel === undefined) effects.push({ type: "judge-panel", jobId, key: `${jobId}/judge-panel`, place: own });
  if (
    canDecline(view) &&
    status.status === JobStatus.Committing &&
    job.vote === undefined &&
    now < declineDeadline(facts, own)
  )
    effects.push(
      ...transact(view, "decline", declineDeadline(facts, own), { name: "decline", place: own, terms: view.terms }),
    );
  return effects;
}

function canDecline({ job, facts, own }: View): boolean {
  if (job.panel?.stays !== false || facts.declined.includes(own) || facts.committed.includes(own)) return false;
  return activeWindow(facts, own) !== undefined || roleOfPlace(facts.terms, own) === "spare";
}

/** The commit window of a place, if its vote is wanted: an unused spare waits, a displaced seat is out. */
function activeWindow(
  facts: JobFacts,
  place: number,
): { readonly startedAt: number; readonly deadline: number } | undefined {
  const { commitWindow } = facts.terms;
  const role = roleOfPlace(facts.terms, place);
  const promotion = facts.promotions.find(({ spare }) => spare === place);
  if (role === "spare" && promotion === undefined) return undefined;
  if (role === "seat" && facts.promotions.some(({ seat }) => seat === place)) return undefined;
  const startedAt = promotion?.promotedAt ?? facts.openedAt;
  return { startedAt, deadline: startedAt + commitWindow };
}

/** Answer, commit, carry, promote. */
function committing(view: View): Effect[] {
  return [...answering(view), ...ownCommitment(view), ...carriedCommitments(view), ...promotion(view)];
}

function answering(view: View): Effect[] {
  const { job, facts, status, own, now, confirmed } = view;
  const { jobId } = job;
  if (job.vote !== undefined || confirmed === undefined || job.panel === undefined || facts.declined.includes(own))
    return [];
  const seen = ownCommitments(view);
  // A vote of ours is on chain and not in the journal: the journal is older than the vote. Find the answer again.
  if (facts.committed.includes(own)) {
    const isOpen = status.status === JobStatus.Committing || status.status === JobStatus.Revealing;
    return isOpen ? [{ type: "answer", jobId, key: `${jobId}/answer`, place: own, seen }] : [];
  }
  const window = activeWindow(confirmed.facts, own);
  const current = activeWindow(facts, own);
  if (window === undefined || current === undefined || status.status !== JobStatus.Committing) return [];
  if (now >= current.deadline) return [];
  if (now >= reportTime(current.startedAt, facts.terms.commitWindow))
    return [{ type: "report", jobId, key: `${jobId}/report`, place: own, seen }];
  if (canDecline(view) && now < declineDeadline(facts, own)) return [];
  // Without an offer in the journal there is no key, and perhaps another computer that has it: leave it the time.
  if (job.offer === undefined) return [];
  return [{ type: "answer", jobId, key: `${jobId}/answer`, place: own, seen }];
}

function ownCommitments({ facts, job, own }: View): Hex[] {
  const placed = facts.commitments.filter(({ place }) => place === own).map(({ commitment }) => commitment);
  const carried = job.peers.commitments[own]?.commitment;
  const signed = (job.peers.sets[own] ?? []).flatMap(({ commitments }) => commitments[own] ?? []);
  const shared = job.peers.setCommitments[own]?.commitment;
  return [...placed, ...[carried, shared].filter((found) => found !== undefined), ...signed];
}

function ownCommitment(view: View): Effect[] {
  const { job, facts, status, own, now, terms } = view;
  const { jobId, vote } = job;
  if (vote === undefined || status.status !== JobStatus.Committing) return [];
  if (facts.committed.includes(own) || facts.declined.includes(own)) return [];
  const window = activeWindow(facts, own);
  if (window === undefined || now >= window.deadline) return [];
  const validUntil = window.deadline;
  const effects: Effect[] = [];
  if (job.commitmentPublishedAt === undefined && now >= restraintUntil(view))
    effects.push({ type: "publish-commitment", jobId, key: `${jobId}/publish-commitment`, place: own, validUntil });
  if (now >= Math.max(ownCommitTime(view, vote.at, window), restraintUntil(view)))
    effects.push(...transact(view, "commit", validUntil, { name: "commit", place: own, terms }));
  return effects;
}

/**
 * When a place stops waiting for a carrier: at half of what remained when its vote was fixed. A shadow never waits,
 * because nobody waits for it; nor does a vote that came late.
 */
function ownCommitTime(
  { terms, own }: View,
  votedAt: number,
  { startedAt, deadline }: { readonly startedAt: number; readonly deadline: number },
): number {
  const since = Math.max(votedAt, startedAt);
  if (roleOfPlace(terms, own) === "shadow" || since >= reportTime(startedAt, terms.commitWindow)) return since;
  return since + Math.floor((deadline - since) / 2);
}

function carriedCommitments(view: View): Effect[] {
  const { job, facts, status, own, now, terms, confirmed } = view;
  if (confirmed === undefined || status.status !== JobStatus.Committing) return [];
  if (now < restraintUntil(view)) return [];
  const missing = status.occupants.filter((place) => !facts.committed.includes(place));
  const available = missing.map((place) => availableCommitment(view, place));
  if (missing.length === 0 || available.some((found) => found === undefined)) return [];
  if (missing.some((place) => isSpent(view, place))) return [];
  const complete = Math.max(facts.openedAt, ...available.map((found) => found?.seenAt ?? 0));
  const since = complete + shadowPatience(view, job.peers.commitments);
  if (!isTurn(view, "commitments", weightedAndWilling(view), since)) return [];
  // Shadows first: once the last seat has committed, revealing has begun and a shadow would be late.
  const shadows = Object.values(job.peers.commitments).filter(
    ({ place }) =>
      roleOfPlace(terms, place) === "shadow" &&
      !facts.committed.includes(place) &&
      !facts.declined.includes(place) &&
      !isSpent(view, place),
  );
  const others = [
    ...shadows,
    ...available.filter((found) => found !== undefined && "signature" in found),
  ] as CarriedCommitment[];
  if (others.length === 0 && !missing.includes(own)) return [];
  const deadline = Math.min(...missing.map((place) => status.deadlines[status.occupants.indexOf(place)] ?? 0));
  if (now >= deadline) return [];
  return transact(view, "carry-commitments", deadline, {
    name: "commitBySig",
    others: others
      .filter(({ place }) => place !== own)
      .map(({ place, commitment, signature }) => ({ place, commitment, signature })),
    ...(missing.includes(own) ? { ownPlace: own } : {}),
    terms,
  });
}

/**
 * Whether a mined call of this agent has carried a place's commitment without effect: its agent's authorization has ended, say.
 * Carrying it again would burn gas at that place's will.
 */
function isSpent({ job }: View, place: number): boolean {
  const last = job.transactions["carry-commitments"];
  const carried = job.peers.commitments[place];
  return last?.state === "mined" && carried !== undefined && carried.seenAt <= last.at;
}

function availableCommitment(
  { job, own }: View,
  place: number,
): (Partial<CarriedCommitment> & { readonly seenAt: number }) | undefined {
  if (place === own) return job.vote === undefined ? undefined : { seenAt: job.vote.at };
  return job.peers.commitments[place];
}

function promotion(view: View): Effect[] {
  const { facts, status, now, terms, confirmed } = view;
  if (confirmed === undefined || confirmed.status.status !== JobStatus.Committing) return [];
  const isPossible = ({ vacant, sparesLeft }: StatusView): boolean => vacant.length > 0 && sparesLeft.length > 0;
  const deadline = promotionDeadline(facts);
  if (status.status !== JobStatus.Committing || now >= deadline) return [];
  if (!isPossible(status) || !isPossible(confirmed.status)) return [];
  const since = Math.min(
    ...status.vacant.map((seat) =>
      facts.declined.includes(status.occupants[seat] as number)
        ? facts.lastDeclineAt
        : (status.deadlines[seat] as number),
    ),
  );
  // The set gives promoted spares their place back.
  if (holdsSet(view) || !isTurn(view, "promotion", everybodyWilling(view), since)) return [];
  return transact(view, "promote", deadline, { name: "promote", terms });
}

/** Openings: only when revealing is final. */
function revealing(view: View): Effect[] {
  const { job, facts, status, own, now, terms, final } = view;
  const { jobId, vote } = job;
  if (facts.settled !== undefined || final === undefined || !isAfterCommitting(final.status)) return [];
  if (status.status === JobStatus.Settleable) return settling(view);
  if (status.status !== JobStatus.Revealing) return [];

  const effects: Effect[] = [];
  const placed = final.facts.commitments.find(({ place }) => place === own);
  const canOpen = vote !== undefined && placed?.commitment === vote.commitment && !isOpened(facts, own);
  const validUntil = status.revealDeadline;
  if (canOpen && job.openingPublishedAt === undefined)
    effects.push({ type: "publish-opening", jobId, key: `${jobId}/publish-opening`, place: own, validUntil });

  const waiting = facts.commitments.filter(({ place }) => !isOpened(facts, place));
  const others = waiting.flatMap(({ place, commitment }) => peerOpening(view, place, commitment));
  const call: MarketCall = {
    name: "reveal",
    commitments: facts.commitments,
    others: others.map(({ place, outcome, resultHash, salt }) => ({ place, outcome, resultHash, salt })),
    ...(canOpen ? { ownPlace: own } : {}),
    terms,
  };
  const isComplete = others.length + (canOpen ? 1 : 0) === waiting.length && waiting.length > 0;
  const since = Math.max(status.revealAt, ...others.map(({ seenAt }) => seenAt));
  if (isComplete && isTurn(view, "openings", committedPlaces(facts), since))
    effects.push(...transact(view, "carry-openings", validUntil, call));
  if (canOpen && now >= status.revealAt + Math.floor(terms.revealWindow / 2))
    effects.push(...transact(view, "reveal", validUntil, call));
  return effects;
}

function peerOpening(
  { job, facts, settings, own }: View,
  place: number,
  commitment: Hex,
): (Opening & { readonly seenAt: number })[] {
  const opening = job.peers.openings[place];
  if (place === own || opening === undefined) return [];
  // Commitments may have changed with a rollback since the opening was checked.
  const { provider } = facts.terms.places[place] as Terms["places"][number];
  const { outcome, resultHash, salt } = opening;
  const opens = commitmentOf({ jobId: job.jobId, provider, outcome, resultHash, salt }, settings.domain) === commitment;
  return opens ? [opening] : [];
}

function settling(view: View): Effect[] {
  const { status, terms, facts } = view;
  if (!isTurn(view, "settlement", everybodyWilling(view), status.revealDeadline)) return [];
  // Never of no use before somebody settled: the market refuses a second one.
  return transact(view, "settle", status.revealDeadline + 30 * 86_400, { name: "settle", terms: facts.terms ?? terms });
}

/** Delivery, keys, end. */
function afterwards(view: View): Effect[] {
  const { job, final, own, now, settings } = view;
  const { jobId } = job;
  if (final === undefined) return [];
  const effects: Effect[] = [];
  const delivers = mayDeliver(view);
  if (delivers && job.deliveredAt === undefined)
    effects.push({ type: "deliver", jobId, key: `${jobId}/deliver`, place: own });
  const settled = final.facts.settled;
  if (settled === undefined) return effects;

  if (job.keysDeletedAt === undefined) effects.push({ type: "delete-keys", jobId, key: `${jobId}/delete-keys` });
  const isRetained = delivers && now < settled.settledAt + settings.retentionSeconds;
  if (isRetained) {
    const asked = job.redeliveryAskedAt;
    if (
      asked !== undefined &&
      job.deliveredAt !== undefined &&
      now >= (job.lastUploadAt ?? 0) + REDELIVERY_PAUSE_SECONDS
    )
      effects.push({
        type: "deliver",
        jobId,
        key: `${jobId}/redeliver/${job.redeliveries}`,
        place: own,
        askedAt: asked,
      });
  } else if (job.keysDeletedAt !== undefined && (job.deliveredAt !== undefined || !delivers) && !isSending(job)) {
    effects.push({ type: "close", jobId, key: `${jobId}/close`, why: "settled" });
  }
  return effects;
}

/** Least time between two uploads of one result: a requester may ask as often as it likes. */
export const REDELIVERY_PAUSE_SECONDS = 10;

/** A result leaves only when `q` equal computed openings of weighted seats, with its own equal to them, are final. */
function mayDeliver({ job, final, own }: View): boolean {
  if (final === undefined || job.vote === undefined || job.vote.outcome === Outcome.Report) return false;
  const { facts, status } = final;
  const mine = facts.openings.find(({ place }) => place === own);
  if (mine === undefined || mine.resultHash !== job.vote.resultHash || mine.outcome !== job.vote.outcome) return false;
  const openingClass = classOfOpening(mine);
  if (openingClass !== "ok" && openingClass !== "failed") return false;
  const equal = facts.openings.filter(
    ({ place, outcome, resultHash }) =>
      status.occupants.includes(place) && outcome === mine.outcome && resultHash === mine.resultHash,
  );
  return equal.length >= facts.terms.quorum;
}

/** A job is not closed before its last transaction ended: the journal tells what each of them cost. */
function isSending({ transactions }: JobState): boolean {
  return Object.values(transactions).some(({ state }) => state === "pending");
}

function isAfterCommitting({ status }: StatusView): boolean {
  return status !== JobStatus.None && status !== JobStatus.Committing;
}

function isOpened(facts: JobFacts, place: number): boolean {
  return facts.openings.some((opening) => opening.place === place);
}

function committedPlaces(facts: JobFacts): readonly number[] {
  return facts.committed;
}

function weightedAndWilling({ status, facts }: View): readonly number[] {
  return status.occupants.filter((place) => !facts.declined.includes(place));
}

function everybodyWilling({ facts }: View): readonly number[] {
  return facts.terms.places.map((_, place) => place).filter((place) => !facts.declined.includes(place));
}
