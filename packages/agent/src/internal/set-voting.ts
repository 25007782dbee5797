import {
  commitmentOf,
  Flag,
  type Hex,
  type JobFacts,
  JobStatus,
  type Opening,
  type PlacedCommitment,
  roleOfPlace,
  type Terms,
  ZERO_HASH,
} from "@quorate/core";
import type { Effect } from "./effects.ts";
import { dutyOrder } from "./rotation.ts";
import { placeOf, type SignedSet } from "./state.ts";
import { isTurn, shadowPatience, transact, type View } from "./view.ts";

/**
 * Whether two sets are the same.
 *
 * @param a Commitments by place.
 * @param b Commitments by place.
 */
export function isSameSet(a: readonly Hex[], b: readonly Hex[]): boolean {
  return a.length === b.length && a.every((commitment, place) => commitment === b[place]);
}

/**
 * Until when a set is signed and openings are shown under it: the rest of the window is left to bring the set to the chain,
 * or else the commitments themselves.
 *
 * @param facts Facts of the job.
 * @returns Unix s.
 */
export function setTime({ openedAt, terms }: Pick<JobFacts, "openedAt" | "terms">): number {
  return openedAt + Math.floor(terms.commitWindow / 2);
}

/**
 * Whether the panel may still agree on a set: all seats are there, and there is time.
 *
 * @param view The job.
 */
export function mayAgreeOnSet({ facts, status, now, terms }: View): boolean {
  const isWhole = !terms.places.some((_, place) => place < terms.seats && facts.declined.includes(place));
  return votesBySet(facts) && isWhole && isCommitting(status) && now < setTime(facts);
}

/**
 * Until when the agent neither gives out a signed commitment nor commits on chain. Who has all signatures of a set and the
 * openings could else carry all commitments with another one of its own, and open them, in one transaction before the set. As
 * long as one seat has not committed, revealing does not begin: each seat protects its own opening.
 *
 * @param view The job.
 * @returns Unix s; zero when nothing holds it back.
 */
export function restraintUntil(view: View): number {
  const { facts, terms } = view;
  if (!votesBySet(facts)) return 0;
  const shown = shownAt(view);
  if (shown === undefined) return mayAgreeOnSet(view) ? setTime(facts) : 0;
  return shown + Math.floor((facts.openedAt + terms.commitWindow - shown) / 2);
}

/** When the own opening was shown; an agent that was killed in between reads it from relays. */
function shownAt({ job, own }: View): number | undefined {
  return job.openingPublishedAt ?? job.peers.openings[own]?.seenAt;
}

/** Whether the opening may be shown to those who signed the set: its commitment is in no hands but its own. */
function mayShow(view: View): boolean {
  const { job, facts, own } = view;
  const { transactions, peers } = job;
  return (
    mayAgreeOnSet(view) &&
    !facts.committed.includes(own) &&
    !facts.declined.includes(own) &&
    job.commitmentPublishedAt === undefined &&
    peers.commitments[own] === undefined &&
    transactions.commit === undefined &&
    transactions["carry-commitments"] === undefined
  );
}

/**
 * Whether this agent has the signatures of all members over the set that it signed, and the set may still come.
 *
 * @param view The job.
 */
export function holdsSet(view: View): boolean {
  return view.now < view.facts.openedAt + view.terms.commitWindow && signaturesOf(view) !== undefined;
}

/**
 * Sign a set, show the opening once everybody signed, bring both to the chain.
 *
 * @param view The job.
 */
export function setVoting(view: View): Effect[] {
  const { job, facts, own, confirmed } = view;
  const { jobId, vote, set } = job;
  if (vote === undefined || !votesBySet(facts) || confirmed === undefined) return [];
  if (placeOf(confirmed.facts, view.settings.provider) !== own || roleOfPlace(view.terms, own) === "spare") return [];
  const validUntil = setTime(facts);
  const effects: Effect[] = [];
  if (job.setCommitmentPublishedAt === undefined && mayAgreeOnSet(view) && !facts.declined.includes(own))
    effects.push({
      type: "publish-set-commitment",
      jobId,
      key: `${jobId}/publish-set-commitment`,
      place: own,
      validUntil,
    });
  if (set === undefined) {
    const commitments = setToSign(view, vote.commitment);
    if (commitments !== undefined) effects.push({ type: "fix-set", jobId, key: `${jobId}/fix-set`, commitments });
    return effects;
  }
  // The job may have been opened again with another panel; then this set is nobody's.
  if (!isShaped(view.terms, set.commitments) || set.commitments[own] !== vote.commitment) return effects;
  if (job.setSignaturePublishedAt === undefined && mayAgreeOnSet(view))
    effects.push({
      type: "publish-set-signature",
      jobId,
      key: `${jobId}/publish-set-signature`,
      place: own,
      validUntil,
    });
  const signatures = signaturesOf(view);
  if (signatures === undefined) return effects;
  const completeAt = Math.max(set.at, ...signatures.map(({ seenAt }) => seenAt));
  // All who can see it have signed and are bound, and half of the window is left to say so on chain.
  if (shownAt(view) === undefined && mayShow(view))
    effects.push({ type: "publish-opening", jobId, key: `${jobId}/publish-opening`, place: own, validUntil });
  return [...effects, ...bringSet(view, set.commitments, signatures, completeAt)];
}

function bringSet(
  view: View,
  set: readonly Hex[],
  signatures: readonly (SignedSet & { readonly seenAt: number })[],
  completeAt: number,
): Effect[] {
  const { facts, status, own, now, terms, settings } = view;
  const deadline = facts.openedAt + terms.commitWindow;
  if (now >= deadline || (!isCommitting(status) && status.status !== JobStatus.Revealing)) return [];
  const shown = shownAt(view);
  const isOpen = shown !== undefined;
  // Who may still show its opening does so first: the others wait for it.
  if (!isOpen && mayShow(view)) return [];
  const members = membersOf(set);
  if (members.every((place) => placedBy(facts, place) === set[place])) return [];
  const others = members.flatMap((place) => setOpening(view, set, place));
  const isComplete = others.length + (isOpen ? 1 : 0) === members.length;
  const patience = Math.min(settings.carrying.patienceSeconds, Math.floor(terms.commitWindow / 8));
  const since = isComplete
    ? Math.max(completeAt, shown ?? 0, ...others.map(({ seenAt }) => seenAt))
    : Math.min(completeAt + patience, setTime(facts));
  if (!isTurn(view, "reveal-set", seatsOf(terms), since)) return [];
  return transact(view, "reveal-set", deadline, {
    name: "revealSet",
    landed: facts.commitments,
    commitments: set,
    openings: others.map(({ place, outcome, resultHash, salt }) => ({ place, outcome, resultHash, salt })),
    signatures: signatures.map(({ place, signature }) => ({ place, signature })),
    ownPlace: own,
    opensOwn: isOpen,
    terms,
  });
}

/** The set that this agent would sign now: the one that it signed before, one that a member proposes, or its own proposal. */
function setToSign(view: View, commitment: Hex): readonly Hex[] | undefined {
  const { job, facts, own, terms, settings } = view;
  if (!mayAgreeOnSet(view) || facts.declined.includes(own)) return undefined;
  const known = (place: number): { readonly commitment: Hex; readonly seenAt: number } | undefined => {
    if (place === own) return { commitment, seenAt: job.vote?.at ?? 0 };
    const placed = placedBy(facts, place);
    if (placed !== undefined) return { commitment: placed, seenAt: facts.lastCommitAt };
    return job.peers.setCommitments[place] ?? job.peers.commitments[place];
  };
  const seats = seatsOf(terms);
  const needed = seats.map(known);
  const placed = placedBy(facts, own);
  if (needed.includes(undefined) || (placed !== undefined && placed !== commitment)) return undefined;
  const isSound = ({ commitments }: { readonly commitments: readonly Hex[] }): boolean =>
    isShaped(terms, commitments) &&
    commitments[own] === commitment &&
    membersOf(commitments).every((place) => known(place)?.commitment === commitments[place]);

  // An older backup of this agent may not know what it signed; relays do.
  const [signed] = job.peers.sets[own] ?? [];
  if (signed !== undefined) return isSound(signed) ? signed.commitments : undefined;
  const order = dutyOrder(job.jobId, "set", seats);
  const proposals = Object.values(job.peers.sets)
    .flat()
    .filter(({ place }) => seats.includes(place))
    .sort((a, b) => a.seenAt - b.seenAt || order.indexOf(a.place) - order.indexOf(b.place));
  const proposal = proposals.find(isSound);
  if (proposal !== undefined) return proposal.commitments;
  // A proposal may name a shadow whose commitment is still on its way.
  const disputedUntil = Math.max(0, ...proposals.map(({ seenAt }) => seenAt + settings.carrying.patienceSeconds));
  const since =
    Math.max(...needed.map((found) => found?.seenAt ?? 0)) +
    shadowPatience(view, { ...job.peers.commitments, ...job.peers.setCommitments });
  if (!isTurn(view, "set", seats, Math.max(since, facts.openedAt, disputedUntil))) return undefined;
  return terms.places.map((_, place) =>
    roleOfPlace(terms, place) === "spare" || facts.declined.includes(place)
      ? ZERO_HASH
      : (known(place)?.commitment ?? ZERO_HASH),
  );
}

/** Signatures of all other members over the set that this agent signed; undefined while one is missing. */
function signaturesOf({ job, own }: View): readonly (SignedSet & { readonly seenAt: number })[] | undefined {
  const { set, peers } = job;
  if (set === undefined || (set.commitments[own] ?? ZERO_HASH) === ZERO_HASH) return undefined;
  const found = membersOf(set.commitments)
    .filter((place) => place !== own)
    .map((place) => peers.sets[place]?.find(({ commitments }) => isSameSet(commitments, set.commitments)));
  return found.every((signed) => signed !== undefined) ? found : undefined;
}

function setOpening(
  { job, own, settings, terms }: View,
  set: readonly Hex[],
  place: number,
): (Opening & { readonly seenAt: number })[] {
  const opening = job.peers.openings[place];
  const provider = terms.places[place]?.provider;
  if (place === own || opening === undefined || provider === undefined) return [];
  const { outcome, resultHash, salt } = opening;
  const commitment = commitmentOf({ jobId: job.jobId, provider, outcome, resultHash, salt }, settings.domain);
  return commitment === set[place] ? [opening] : [];
}

/**
 * Whether commitments by place can be a set of a panel: every seat is a member, no spare is.
 *
 * @param terms Terms of the job.
 * @param commitments By place, zero for no member.
 */
export function isShaped(terms: Terms, commitments: readonly Hex[]): boolean {
  if (commitments.length !== terms.places.length) return false;
  return commitments.every((commitment, place) => {
    const role = roleOfPlace(terms, place);
    return role === "shadow" || (commitment === ZERO_HASH) === (role === "spare");
  });
}

/**
 * Whether the votes of a job may come by a set, and none has.
 *
 * @param facts Facts of the job.
 */
export function votesBySet({ request, bySet, settled }: JobFacts): boolean {
  return (request.flags & Flag.SetVotes) !== 0 && !bySet && settled === undefined;
}

function membersOf(set: readonly Hex[]): readonly number[] {
  return set.flatMap((commitment, place) => (commitment === ZERO_HASH ? [] : [place]));
}

function placedBy(
  { commitments }: { readonly commitments: readonly PlacedCommitment[] },
  place: number,
): Hex | undefined {
  return commitments.find((placed) => placed.place === place)?.commitment;
}

function seatsOf({ seats }: Terms): readonly number[] {
  return Array.from({ length: seats }, (_, seat) => seat);
}

function isCommitting({ status }: View["status"]): boolean {
  return status === JobStatus.Committing;
}
