import {
  type Address,
  blocksOf,
  type CarriedCommitment,
  type Clock,
  commitmentOf,
  commitmentSetTypes,
  type Hex,
  isQuorateError,
  type JobFacts,
  type Logger,
  type MarketDomain,
  type Offer,
  type Opening,
  Outcome,
  offerTypes,
  openingOf,
  packSetSignature,
  RetryableError,
  sealAad,
  sealTo,
  signedCommitmentTypes,
  typedDomain,
  unixSeconds,
  ZERO_HASH,
} from "@quorate/core";
import {
  encodeCommitJob,
  encodeCommitJobBySig,
  encodeDeclineSeat,
  encodePromoteSpares,
  encodeRevealJob,
  encodeRevealSet,
  encodeSettleJob,
} from "@quorate/sdk";
import type { Outbox } from "@quorate/service";
import {
  type Envelope,
  type EnvelopeBodies,
  type EnvelopeDraft,
  type EnvelopeKind,
  type EnvelopeSigner,
  type RelayClient,
  sealOffer,
  signEnvelope,
} from "@quorate/wire";
import {
  type AnswerPhase,
  type ComputedAnswer,
  computeAnswer,
  report,
  type SandboxPort,
  timeoutReport,
} from "./answer.ts";
import type { ChainReader } from "./chain-reader.ts";
import type { Effect, MarketCall } from "./effects.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { judgePanel } from "./judge-panel.ts";
import { offerKeyPair } from "./offer-key.ts";
import { pause } from "./pause.ts";
import { checkPeerMessage } from "./peer-messages.ts";
import type { Policy } from "./policy.ts";
import type { Message } from "./reduce.ts";
import type { Semaphore } from "./semaphore.ts";
import { type AgentState, factsOf, type JobState, placeOf, type SignedSet } from "./state.ts";
import type { AgentStore } from "./store.ts";
import { assertFixed, assertFixedSet, type FixedVote, type VoteGuard } from "./vote-guard.ts";

/** What performing effects needs. */
export type PerformPorts = {
  readonly provider: Address;
  readonly domain: MarketDomain;
  readonly policy: Policy;
  readonly signer: EnvelopeSigner;
  readonly secret: Uint8Array;
  readonly store: AgentStore;
  readonly guard: VoteGuard;
  readonly reader: ChainReader;
  readonly relays: RelayClient;
  readonly outbox: Outbox;
  readonly sandbox: SandboxPort;
  readonly places: Semaphore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: () => AgentState;
  readonly dispatch: (message: Message) => void;
  /** Makes an entry durable, together with `also`, and reduces it. */
  readonly record: (entry: Unstamped, also?: () => void) => void;
};

/** An entry before it gets the chain's time. */
export type Unstamped = {
  [K in JournalEntry["kind"]]: Omit<Extract<JournalEntry, { kind: K }>, "at">;
}[JournalEntry["kind"]];

/** Longest time that a message outlives its use at relays, seconds: those whose clocks are behind still take it. */
const MESSAGE_GRACE_S = 86_400;

/**
 * Makes the function that performs effects. Each is idempotent: after a crash at any point it is performed again, and
 * whatever reached the world before is the same message, the same block or the same transaction.
 *
 * @param ports Everything outside.
 */
export function createPerformer(ports: PerformPorts): (effect: Effect, signal: AbortSignal) => Promise<void> {
  const phases = new Map<Hex, AnswerPhase>();
  return async (effect, signal) => {
    const job = ports.state().jobs.get(effect.jobId);
    if (job === undefined) return;
    switch (effect.type) {
      case "publish-offer":
        return publishOffer(ports, job, effect.validUntil, signal);
      case "judge-panel":
        return judge(ports, job, effect.place);
      case "follow-messages":
        return followMessages(ports, job.jobId, signal);
      case "answer":
        return answer(ports, job, effect, phases, signal);
      case "report": {
        const { code, detail } = timeoutReport[phases.get(job.jobId) ?? "unwrapping"];
        return fixVote(ports, job.jobId, report(code, detail), effect.seen);
      }
      case "publish-commitment":
        return publishCommitment(ports, job, effect.place, effect.validUntil, signal);
      case "publish-set-commitment":
        return publishSetCommitment(ports, job, effect.place, effect.validUntil, signal);
      case "fix-set":
        return fixSet(ports, job, effect.commitments);
      case "publish-set-signature":
        return publishSetSignature(ports, job, effect.place, effect.validUntil, signal);
      case "transact":
        return transact(ports, job, effect);
      case "watch-transaction":
        return watchTransaction(ports, effect, signal);
      case "publish-opening":
        return publishOpening(ports, job, effect.place, effect.validUntil, signal);
      case "deliver":
        return deliver(ports, job, effect, signal);
      case "delete-keys":
        return ports.record({ kind: "keys-deleted", jobId: job.jobId }, () => ports.store.deleteSeed(job.jobId));
      case "close":
        phases.delete(job.jobId);
        return ports.record({ kind: "job-closed", jobId: job.jobId, why: effect.why }, () => {
          ports.store.deleteSeed(job.jobId);
          ports.store.deleteResult(job.jobId);
        });
      default:
        return effect satisfies never;
    }
  };
}

async function publishOffer(
  ports: PerformPorts,
  job: JobState,
  validUntil: number,
  signal: AbortSignal,
): Promise<void> {
  const { domain, provider, signer, relays } = ports;
  const { offer: fixed, request, jobId } = job;
  if (fixed === undefined || request === undefined) return;
  const { price, encryptionKey, roles, expiry } = fixed;
  const offer: Offer = { jobId, provider, price, encryptionKey, roles, expiry };
  const signature = await signer.signTypedData({
    domain: typedDomain(domain),
    types: offerTypes,
    primaryType: "Offer",
    message: offer,
  });
  const document = { offer, signature, agent: signer.address };
  const body = await sealOffer(document, request.encryptionKey, signer.address, domain);
  await publish(ports, "offer", jobId, body, validUntil, relays, signal);
  ports.record({ kind: "offer-published", jobId });
}

async function publish<K extends EnvelopeKind>(
  ports: PerformPorts,
  kind: K,
  jobId: Hex,
  body: EnvelopeBodies[K],
  validUntil: number,
  relays: RelayClient,
  signal: AbortSignal,
): Promise<void> {
  // A postmark for relays, which live by their own clocks. Nothing is decided by it.
  const createdAt = unixSeconds(ports.clock);
  const remaining = Math.max(0, validUntil - (ports.state().horizons?.head.timestamp ?? 0));
  const draft = {
    kind,
    topic: jobId,
    body,
    createdAt,
    expiry: createdAt + remaining + MESSAGE_GRACE_S,
  } as EnvelopeDraft<K>;
  const envelope = await signEnvelope(draft, ports.signer, ports.domain);
  signal.throwIfAborted();
  const { accepted, failed } = await relays.publish(envelope as Envelope, { signal });
  ports.logger.info("message_published", { jobId, kind, accepted: accepted.length, failed: failed.length });
}

async function judge(ports: PerformPorts, job: JobState, place: number): Promise<void> {
  const facts = factsOf(job);
  if (facts === undefined) return;
  const { stays, reasons } =
    job.offer === undefined
      ? { stays: true, reasons: [{ code: "UNKNOWN_OFFER", message: "the offer is not in this journal" }] }
      : judgePanel(ports.policy, facts.terms, place);
  const overload = overloaded(ports, job, facts);
  ports.logger.info("panel_judged", { jobId: job.jobId, stays, overloaded: overload !== undefined, reasons });
  ports.record({
    kind: "panel-judged",
    jobId: job.jobId,
    stays: stays && overload === undefined,
    reasons: overload === undefined ? reasons : [...reasons, { code: "OVERLOADED", message: overload }],
  });
}

/** Whether the sandbox would come to this job too late, if every job before it takes its whole wall time. */
function overloaded(ports: PerformPorts, job: JobState, facts: JobFacts): string | undefined {
  const wallSeconds = (candidate: JobState): number => (candidate.requirements?.limits.wallTimeMs ?? 0) / 1000;
  const ahead = [...ports.state().jobs.values()].filter((other) => {
    if (other.jobId === job.jobId || other.vote !== undefined || other.panel?.stays !== true) return false;
    const otherFacts = factsOf(other);
    return otherFacts !== undefined && otherFacts.settled === undefined && otherFacts.openedAt <= facts.openedAt;
  });
  const wait = ahead.reduce((sum, other) => sum + wallSeconds(other), 0) / ports.policy.maxConcurrentJobs;
  const available = facts.terms.commitWindow / 2;
  if (ahead.length < ports.policy.maxConcurrentJobs || wait + wallSeconds(job) <= available) return undefined;
  return `${ahead.length} jobs are ahead and may take ${Math.ceil(wait)} s; half of the commit window is ${available} s`;
}

async function followMessages(ports: PerformPorts, jobId: Hex, signal: AbortSignal): Promise<void> {
  const { relays, logger } = ports;
  // Messages that may prove themselves later: openings that came before their commitments were seen, agents that are not
  // confirmed. Few, and tried again with every message and block.
  let early: Envelope[] = [];
  const take = async (envelope: Envelope): Promise<boolean> => {
    const { jobs, horizons } = ports.state();
    const job = jobs.get(jobId);
    const facts = job === undefined ? undefined : factsOf(job);
    if (facts === undefined) return false;
    try {
      const message = await checkPeerMessage(envelope, facts, horizons?.head.timestamp ?? 0, {
        ...ports,
        confirmedBlock: horizons?.confirmed?.number,
        set: job?.set?.commitments,
      });
      if (message === "later") return false;
      if (message !== undefined) ports.dispatch(message);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      // The chain could not be asked about the signer. No transaction of the sender depends on us, but a set does.
      logger.warn("peer_message_not_checked", { jobId, kind: envelope.kind, error });
      return envelope.kind !== "set-signature";
    }
  };
  const retry = async (): Promise<void> => {
    while (!signal.aborted) {
      await pause(500, signal);
      const waiting = early;
      early = [];
      for (const envelope of waiting) if (!(await take(envelope))) early.push(envelope);
    }
  };
  const read = async (): Promise<void> => {
    for await (const envelope of relays.subscribe(jobId, { signal })) {
      if (!(await take(envelope))) early = [...early, envelope].slice(-64);
    }
  };
  await Promise.all([read(), retry()]);
}

async function answer(
  ports: PerformPorts,
  job: JobState,
  effect: Extract<Effect, { type: "answer" }>,
  phases: Map<Hex, AnswerPhase>,
  signal: AbortSignal,
): Promise<void> {
  const { jobId } = job;
  const facts = factsOf(job);
  if (facts === undefined) return;
  const fixed = ports.guard.get(jobId);
  if (fixed !== undefined) return fixVote(ports, jobId, fixed, []);
  // Only the commitment of a vote is left of it. A report can be recognized without any work.
  if (effect.seen.length > 0 && effect.seen.includes(reportCommitment(ports, jobId)))
    return fixVote(ports, jobId, { outcome: Outcome.Report, resultHash: ZERO_HASH }, effect.seen);
  const seed = ports.store.seedOf(jobId);
  const computed = await computeAnswer({
    facts,
    place: effect.place,
    domain: ports.domain,
    privateKey: seed === undefined ? undefined : offerKeyPair(ports.secret, seed, jobId).privateKey,
    relays: ports.relays,
    sandbox: ports.sandbox,
    maxPackageBytes: ports.policy.limits.packageBytes,
    enter: (inner) => ports.places.enter(inner),
    onPhase: (phase) => {
      phases.set(jobId, phase);
      ports.logger.debug("answer_phase", { jobId, phase });
    },
    signal,
  });
  signal.throwIfAborted();
  fixVote(ports, jobId, computed, effect.seen);
}

function reportCommitment({ guard, ...ports }: PerformPorts, jobId: Hex): Hex {
  return commitmentOf(
    {
      jobId,
      provider: ports.provider,
      outcome: Outcome.Report,
      resultHash: ZERO_HASH,
      salt: guard.saltOf(jobId),
    },
    ports.domain,
  );
}

/** Result first, then the vote, then the journal: a crash in between finds the vote in the guard and goes on with it. */
function fixVote(ports: PerformPorts, jobId: Hex, computed: ComputedAnswer, seen: readonly Hex[]): void {
  const { guard, store, logger } = ports;
  const before = guard.get(jobId);
  // The answer and the report at the end of its time may meet: the first one stands.
  const { outcome, resultHash } = before ?? computed;
  if (before === undefined && computed.result !== undefined) store.saveResult(jobId, computed.result);
  const vote = guard.fix(jobId, { outcome, resultHash }, seen);
  const isReport = outcome === Outcome.Report;
  const { reportCode, detail, usage } = computed;
  logger.info("vote_fixed", { jobId, outcome, reportCode, detail, usage });
  ports.record({
    kind: "vote-fixed",
    jobId,
    outcome: vote.outcome,
    resultHash: vote.resultHash,
    commitment: vote.commitment,
    ...(isReport && reportCode !== undefined ? { reportCode } : {}),
    ...(isReport && detail !== undefined ? { detail: detail.slice(0, 500) } : {}),
    ...(usage === undefined ? {} : { usage }),
  });
}

/** The fixed vote; nothing signs, sends or opens a vote without it. */
function fixedVote({ guard, state }: PerformPorts, jobId: Hex): FixedVote {
  const journaled = state().jobs.get(jobId)?.vote;
  // The guard's file may have been lost, or be older than the journal. Salts follow from the secret: what the journal says
  // is the very same vote again, or is refused.
  const vote =
    guard.get(jobId) ??
    (journaled === undefined
      ? undefined
      : guard.fix(jobId, { outcome: journaled.outcome, resultHash: journaled.resultHash }, [journaled.commitment]));
  if (vote === undefined)
    throw new RetryableError(
      "VOTE_MISSING",
      `job ${jobId} has a vote neither in its journal nor in the vote guard; restore the guard's file`,
    );
  assertFixed(vote);
  return vote;
}

async function signCommitment(ports: PerformPorts, jobId: Hex, place: number): Promise<CarriedCommitment> {
  const { commitment } = fixedVote(ports, jobId);
  const signature: Hex = await ports.signer.signTypedData({
    domain: typedDomain(ports.domain),
    types: signedCommitmentTypes,
    primaryType: "SignedCommitment",
    message: { jobId, provider: ports.provider, commitment },
  });
  return { place, commitment, signature };
}

async function publishCommitment(
  ports: PerformPorts,
  job: JobState,
  place: number,
  validUntil: number,
  signal: AbortSignal,
): Promise<void> {
  const { commitment, signature } = await signCommitment(ports, job.jobId, place);
  const body = { provider: ports.provider, place, commitment, signature };
  await publish(ports, "commitment", job.jobId, body, validUntil, ports.relays, signal);
  ports.record({ kind: "commitment-published", jobId: job.jobId });
}

async function publishSetCommitment(
  ports: PerformPorts,
  { jobId }: JobState,
  place: number,
  validUntil: number,
  signal: AbortSignal,
): Promise<void> {
  const { commitment } = fixedVote(ports, jobId);
  const body = { provider: ports.provider, place, commitment };
  await publish(ports, "set-commitment", jobId, body, validUntil, ports.relays, signal);
  ports.record({ kind: "set-commitment-published", jobId });
}

/** Durable in the guard, then in the journal; nothing is signed before. */
function fixSet(ports: PerformPorts, job: JobState, commitments: readonly Hex[]): void {
  const { jobId } = job;
  const facts = factsOf(job);
  const own = facts === undefined ? undefined : placeOf(facts, ports.provider);
  const seen = (own === undefined ? [] : (job.peers.sets[own] ?? [])).map((signed) => signed.commitments);
  fixedVote(ports, jobId);
  // One that was fixed before a crash, and is not in the journal, stands.
  const set = ports.guard.fixSet(jobId, ports.guard.setOf(jobId)?.commitments ?? commitments, seen);
  ports.logger.info("set_fixed", { jobId, members: set.commitments.filter((found) => found !== ZERO_HASH).length });
  ports.record({ kind: "set-fixed", jobId, commitments: set.commitments });
}

async function signSet(
  ports: PerformPorts,
  { jobId, set: journaled, peers }: JobState,
  own: number,
): Promise<SignedSet> {
  if (journaled === undefined)
    throw new RetryableError("VOTE_MISSING", `job ${jobId} has no set in its journal; restore the journal`);
  fixedVote(ports, jobId);
  // The guard's file may be older than the journal: what the journal says is fixed again, or refused.
  const seen = (peers.sets[own] ?? []).map(({ commitments }) => commitments);
  const set = ports.guard.fixSet(jobId, journaled.commitments, seen);
  assertFixedSet(set);
  const signature: Hex = await ports.signer.signTypedData({
    domain: typedDomain(ports.domain),
    types: commitmentSetTypes,
    primaryType: "CommitmentSet",
    message: { jobId, commitments: set.commitments },
  });
  return { place: own, commitments: set.commitments, signature };
}

async function publishSetSignature(
  ports: PerformPorts,
  job: JobState,
  place: number,
  validUntil: number,
  signal: AbortSignal,
): Promise<void> {
  const body = { provider: ports.provider, ...(await signSet(ports, job, place)) };
  await publish(ports, "set-signature", job.jobId, body, validUntil, ports.relays, signal);
  ports.record({ kind: "set-signature-published", jobId: job.jobId });
}

async function publishOpening(
  ports: PerformPorts,
  job: JobState,
  place: number,
  validUntil: number,
  signal: AbortSignal,
): Promise<void> {
  const opening = openingOf(place, fixedVote(ports, job.jobId));
  const reportCode = job.vote?.reportCode;
  const body = { provider: ports.provider, opening, ...(reportCode === undefined ? {} : { reportCode }) };
  await publish(ports, "opening", job.jobId, body, validUntil, ports.relays, signal);
  ports.record({ kind: "opening-published", jobId: job.jobId });
}

async function transact(
  ports: PerformPorts,
  job: JobState,
  effect: Extract<Effect, { type: "transact" }>,
): Promise<void> {
  const { jobId } = job;
  const { to, data, value } = await encodeCall(ports, job, effect.call);
  const { duty, attempt, key, validUntil } = effect;
  // Intent and entry are one: a crash leaves both or none.
  ports.record({ kind: "transaction-handed-over", jobId, duty, attempt, key }, () => {
    ports.outbox.enqueue({ key, to, data, value, validUntil, simulate: true, context: { jobId, duty, attempt } });
  });
  ports.logger.info("transaction_handed_over", { jobId, duty, attempt });
}

async function encodeCall(
  ports: PerformPorts,
  job: JobState,
  call: MarketCall,
): Promise<{ to: Address; data: Hex; value: bigint }> {
  const { market } = ports.domain;
  const { jobId } = job;
  const { terms } = call;
  switch (call.name) {
    case "decline":
      return encodeDeclineSeat({ market, jobId, terms, place: call.place });
    case "commit": {
      const { commitment } = fixedVote(ports, jobId);
      return encodeCommitJob({ market, jobId, terms, place: call.place, commitment });
    }
    case "commitBySig": {
      const own = call.ownPlace === undefined ? [] : [await signCommitment(ports, jobId, call.ownPlace)];
      return encodeCommitJobBySig({ market, jobId, terms, commitments: [...call.others, ...own] });
    }
    case "promote":
      return encodePromoteSpares({ market, jobId, terms });
    case "reveal": {
      const own: Opening[] = call.ownPlace === undefined ? [] : [openingOf(call.ownPlace, fixedVote(ports, jobId))];
      return encodeRevealJob({
        market,
        jobId,
        terms,
        commitments: call.commitments,
        openings: [...call.others, ...own],
      });
    }
    case "revealSet": {
      const { ownPlace, opensOwn, landed, commitments } = call;
      const own = await signSet(ports, job, ownPlace);
      const openings = [...call.openings, ...(opensOwn ? [openingOf(ownPlace, fixedVote(ports, jobId))] : [])];
      const closed = commitments.map((commitment, place) =>
        openings.some((opening) => opening.place === place) ? ZERO_HASH : commitment,
      );
      const signatures = [...call.signatures, own]
        .sort((a, b) => a.place - b.place)
        .map(({ signature }) => packSetSignature(signature));
      const isAllOpen = closed.every((commitment) => commitment === ZERO_HASH);
      return encodeRevealSet({ market, jobId, terms, landed, closed: isAllOpen ? [] : closed, openings, signatures });
    }
    case "settle":
      return encodeSettleJob({ market, jobId, terms });
    default:
      return call satisfies never;
  }
}

async function watchTransaction(
  ports: PerformPorts,
  effect: Extract<Effect, { type: "watch-transaction" }>,
  signal: AbortSignal,
): Promise<void> {
  const { jobId, duty, attempt, transactionKey } = effect;
  let result: Awaited<ReturnType<Outbox["wait"]>>;
  try {
    result = await ports.outbox.wait(transactionKey, signal);
  } catch (error) {
    if (!isQuorateError(error, "OUTBOX_UNKNOWN_KEY")) throw error;
    ports.record({
      kind: "transaction-ended",
      jobId,
      duty,
      attempt,
      result: "abandoned",
      reason: "the outbox does not have it",
    });
    return;
  }
  const { status, item, reason } = result;
  ports.logger.info("transaction_ended", { jobId, duty, attempt, status, reason: reason?.code, gasUsed: item.gasUsed });
  ports.record({
    kind: "transaction-ended",
    jobId,
    duty,
    attempt,
    result: status,
    ...(item.gasUsed === undefined ? {} : { gasUsed: item.gasUsed }),
    ...(reason === undefined ? {} : { reason: reason.errorName ?? reason.message }),
  });
}

async function deliver(
  ports: PerformPorts,
  job: JobState,
  effect: Extract<Effect, { type: "deliver" }>,
  signal: AbortSignal,
): Promise<void> {
  const { domain, provider, store, relays } = ports;
  const { jobId } = job;
  const facts = factsOf(job);
  const result = store.resultOf(jobId);
  if (facts === undefined) return;
  if (result === undefined) {
    // The vote was recovered without its work. The other aligned seats deliver; there is nothing here to send.
    ports.logger.warn("result_missing", { jobId });
    ports.record({ kind: "result-delivered", jobId, bytes: 0 });
    return;
  }
  const sealed = await sealTo({
    recipient: facts.request.encryptionKey,
    purpose: "result",
    aad: sealAad({ jobId, provider, chainId: domain.chainId, market: domain.market }),
    plaintext: result,
  });
  const blocks = blocksOf(sealed);
  for (const { cid, bytes } of blocks) {
    signal.throwIfAborted();
    await relays.putBlock(cid, bytes, { signal });
  }
  const body = { provider, place: effect.place, cids: blocks.map(({ cid }) => cid), size: sealed.length };
  const validUntil = (ports.state().horizons?.head.timestamp ?? 0) + ports.policy.retentionSeconds;
  await publish(ports, "delivery", jobId, body, validUntil, relays, signal);
  ports.record(
    effect.askedAt === undefined
      ? { kind: "result-delivered", jobId, bytes: sealed.length }
      : { kind: "result-redelivered", jobId, askedAt: effect.askedAt },
  );
}
