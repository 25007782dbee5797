import type { DatabaseSync } from "node:sqlite";
import { type Batch, type BlockSource, createFollower, type Follower } from "@quorate/chain";
import { afterCommit, sqliteStore } from "@quorate/chain/sqlite";
import {
  type Address,
  type Clock,
  deriveSalt,
  type Hex,
  JobStatus,
  type Logger,
  type MarketDomain,
  type Request,
  type Requirements,
  RetryableError,
  statusAt,
} from "@quorate/core";
import type { Outbox } from "@quorate/service";
import { type EnvelopeSigner, REQUESTS_TOPIC, type RelayClient } from "@quorate/wire";
import type { SandboxPort } from "./answer.ts";
import { type AgentEvent, type ChainReader, decodeAgentEvent } from "./chain-reader.ts";
import { createEffectRunner, type EffectRunner } from "./effect-runner.ts";
import { type Effect, wantedEffects } from "./effects.ts";
import { type Explanation, explainJob } from "./explain.ts";
import { createHorizonKeeper, type HorizonKeeper } from "./horizons.ts";
import type { ChainFact, ExplainingEventName, FactEventName, JournalEntry } from "./journal-entry.ts";
import { judgeRequest, type RequestJudgement } from "./judge-request.ts";
import { createOfferDesk, type OfferDesk, type WouldTake } from "./offer-desk.ts";
import { offerKeyPair } from "./offer-key.ts";
import { pause, redeliveryPauseMs } from "./pause.ts";
import { checkPeerMessage } from "./peer-messages.ts";
import { createPerformer, type Unstamped } from "./perform.ts";
import type { Policy } from "./policy.ts";
import { applyMessage, type Message } from "./reduce.ts";
import { collectRequestFacts } from "./request-facts.ts";
import { createSemaphore } from "./semaphore.ts";
import { type AgentState, emptyState, factsOf, placeOf, type ReducerSettings } from "./state.ts";
import { createAgentStore } from "./store.ts";
import { createTreasury } from "./treasury.ts";
import { createVoteGuard } from "./vote-guard.ts";

/** Everything outside an agent. */
export type AgentPorts = {
  /** Account that holds bond and standing. */
  readonly provider: Address;
  readonly domain: MarketDomain;
  readonly policy: Policy;
  /** The agent's key, or the provider's own. */
  readonly signer: EnvelopeSigner;
  /** 32 bytes that only this agent knows; salts and offer keys follow from it. */
  readonly secret: Uint8Array;
  /** Journal, outbox and the follower's cursor. */
  readonly db: DatabaseSync;
  /** The vote guard's own file. */
  readonly votesDb: DatabaseSync;
  /** One per RPC endpoint, preferred first. */
  readonly sources: readonly BlockSource[];
  /** First block that may concern this provider. */
  readonly fromBlock: number;
  readonly reader: ChainReader;
  readonly relays: RelayClient;
  readonly outbox: Outbox;
  readonly sandbox: SandboxPort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between polls of the chain, milliseconds; 1000 by default. */
  readonly pollIntervalMs?: number;
  /** Called once, when the agent has read the chain up to its head. */
  readonly onCaughtUp?: () => void;
};

/** Where an agent stands. */
export type AgentStatus = {
  /** Jobs by phase. */
  readonly jobs: Readonly<Record<JobPhase, number>>;
  /** Lines of the journal. */
  readonly entries: number;
  /** Effects that run or wait to be tried again. */
  readonly effects: readonly { readonly key: string; readonly type: string; readonly failures: number }[];
  /** Failures of effects since the start, by code. */
  readonly failures: Readonly<Record<string, number>>;
  /** Paid to this provider in jobs that settled since the start, base units by token. */
  readonly income: Readonly<Record<Address, bigint>>;
  /** Newest block that the agent has acted on. */
  readonly head?: { readonly number: number; readonly timestamp: number };
  readonly final?: { readonly number: number; readonly timestamp: number };
  /** Local time at which that block arrived, milliseconds since the epoch. */
  readonly lastBlockAt?: number;
  /** True when the follower is at the head of the chain. */
  readonly caughtUp: boolean;
};

/** Phase of a job, for people and metrics. */
export type JobPhase = "offered" | "committing" | "revealing" | "settleable" | "settled";

/** The provider's agent. */
export type Agent = {
  /** Works until aborted. Throws what waiting cannot cure. */
  run(signal: AbortSignal): Promise<void>;
  /** What happened in a job, from the journal; undefined when it does not know the job. */
  explain(jobId: Hex): Explanation | undefined;
  /** What the agent would do with a request now, and why. */
  wouldTake(request: Request, requirements: Requirements, signal: AbortSignal): Promise<WouldTake>;
  status(): AgentStatus;
};

/** Local pause between looks at refused requests whose reason may pass, milliseconds. */
const RECONSIDER_MS = 5_000;
const FINALITY_POLL_MS = 1_000;
/** More than any balance. */
const UNBOUNDED: bigint = 2n ** 256n;

/**
 * Makes an agent. It does nothing before `run`; nothing but `run` changes its state.
 *
 * @param ports Everything outside.
 */
export function createAgent(ports: AgentPorts): Agent {
  return new ProviderAgent(ports);
}

class ProviderAgent implements Agent {
  readonly #ports: AgentPorts;
  readonly #settings: ReducerSettings;
  readonly #store;
  readonly #guard;
  readonly #desk: OfferDesk;
  #state: AgentState;
  #horizons: HorizonKeeper | undefined;
  #follower: Follower | undefined;
  #runner: EffectRunner<Effect> | undefined;
  #queue: Message[] = [];
  #isDraining = false;
  /** Resolves when the chain was read up to its head for the first time. */
  readonly #caughtUp: PromiseWithResolvers<void> = Promise.withResolvers();
  #isCaughtUp = false;
  readonly #income: Record<Address, bigint> = {};

  constructor(ports: AgentPorts) {
    this.#ports = ports;
    const { provider, domain, policy, logger } = ports;
    this.#settings = {
      provider,
      domain,
      carrying: policy.carrying,
      retentionSeconds: policy.retentionSeconds,
    };
    this.#store = createAgentStore(ports.db);
    this.#guard = createVoteGuard(ports.votesDb, {
      provider,
      domain,
      saltOf: (jobId) => deriveSalt(ports.secret, jobId),
    });
    this.#state = this.#store
      .openEntries()
      .reduce<AgentState>((state, entry) => applyMessage(state, { type: "journaled", entry }), emptyState);
    this.#desk = createOfferDesk({
      domain,
      judgePolicy: (request, requirements) => this.#judgePolicy(request, requirements),
      judge: (request, requirements, signal) => this.#judge(request, requirements, signal),
      offer: (jobId, request, requirements, judgement) => this.#offer(jobId, request, requirements, judgement),
      isKnown: (jobId) => this.#store.knows(jobId),
      now: () => this.#state.horizons?.head.timestamp ?? 0,
      tick: (signal) => pause(RECONSIDER_MS, signal),
      logger,
    });
  }

  explain(jobId: Hex): Explanation | undefined {
    return explainJob(this.#ports.provider, this.#store.entriesOf(jobId));
  }

  wouldTake(request: Request, requirements: Requirements, signal: AbortSignal): Promise<WouldTake> {
    return this.#desk.wouldTake(request, requirements, signal);
  }

  status(): AgentStatus {
    const { horizons } = this.#state;
    const lastBlockAt = this.#horizons?.lastBlockAt();
    const jobs: Record<JobPhase, number> = { offered: 0, committing: 0, revealing: 0, settleable: 0, settled: 0 };
    for (const job of this.#state.jobs.values()) jobs[phaseOf(factsOf(job), horizons?.head.timestamp ?? 0)] += 1;
    return {
      jobs,
      entries: this.#store.counts().entries,
      effects: this.#runner?.active() ?? [],
      failures: Object.fromEntries(this.#runner?.failures() ?? []),
      income: this.#income,
      ...(horizons === undefined ? {} : { head: horizons.head }),
      ...(horizons?.final === undefined ? {} : { final: horizons.final }),
      ...(lastBlockAt === undefined ? {} : { lastBlockAt }),
      caughtUp: this.#follower?.status().caughtUp ?? false,
    };
  }

  async run(outer: AbortSignal): Promise<void> {
    const { policy, logger, clock, sources, relays, outbox } = this.#ports;
    const stop = new AbortController();
    const signal = AbortSignal.any([outer, stop.signal]);
    const store = sqliteStore(this.#ports.db, "market");
    const snapshot = await store.load();
    this.#horizons = createHorizonKeeper({ policy, sources, delivered: snapshot?.tail ?? [], clock, logger });
    this.#follower = createFollower({
      sources,
      store,
      filter: { address: this.#ports.domain.market },
      chainId: this.#ports.domain.chainId,
      fromBlock: snapshot?.fromBlock ?? this.#ports.fromBlock,
      confirmations: Math.max(policy.finality.depth, policy.confirmations),
      onBatch: (batch) => this.#takeBatch(batch),
      clock,
      logger,
      ...(this.#ports.pollIntervalMs === undefined ? {} : { pollIntervalMs: this.#ports.pollIntervalMs }),
    });
    this.#runner = createEffectRunner<Effect>({
      execute: createPerformer({
        ...this.#ports,
        store: this.#store,
        guard: this.#guard,
        places: createSemaphore(policy.maxConcurrentJobs),
        state: () => this.#state,
        dispatch: (message) => this.#dispatch(message),
        record: (entry, also) => this.#record(entry, also),
      }),
      logger,
      signal,
    });
    const treasury = createTreasury({ ...this.#ports, state: () => this.#state });
    logger.info("agent_started", {
      provider: this.#ports.provider,
      agent: this.#ports.signer.address,
      ...this.#store.counts(),
    });

    const tasks = [
      this.#follower.run(signal),
      outbox.run(signal),
      // A request can only be judged at a time that is known: an offer made at old time would be born expired.
      Promise.race([this.#caughtUp.promise, once(signal)]).then(() => this.#desk.run(signal)),
      this.#seeRequests(relays, signal),
      this.#followFinality(signal),
      this.#watchRedeliveries(relays, signal),
      treasury.run(signal),
    ];
    try {
      // Any of them ends by itself only with an error that waiting cannot cure.
      await Promise.race([...tasks, once(signal)]);
    } finally {
      stop.abort(new Error("the agent stops"));
      await Promise.allSettled(tasks);
      await this.#runner.idle();
      logger.info("agent_stopped", this.#store.counts());
    }
  }

  /** Makes an entry durable, with the chain's time, and reduces it. */
  #record(entry: Unstamped, also?: () => void): void {
    const stamped = { ...entry, at: this.#state.horizons?.head.timestamp ?? 0 } as JournalEntry;
    this.#store.together(() => {
      also?.();
      this.#store.append([stamped]);
      // Effects may record again at once: never inside this transaction.
      afterCommit(this.#ports.db, () => {
        if (stamped.kind === "keys-deleted") this.#countIncome(stamped.jobId);
        this.#dispatch({ type: "journaled", entry: stamped });
      });
    });
  }

  #countIncome(jobId: Hex): void {
    const job = this.#state.jobs.get(jobId);
    const facts = job === undefined ? undefined : factsOf(job);
    const place = facts === undefined ? undefined : placeOf(facts, this.#ports.provider);
    if (facts === undefined || place === undefined) return;
    const { token } = facts.terms;
    this.#income[token] = (this.#income[token] ?? 0n) + (facts.settled?.results[place]?.paid ?? 0n);
  }

  /** Reduces messages one after the other, also when reducing one brings the next. */
  #dispatch(message: Message): void {
    this.#queue.push(message);
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      while (this.#queue.length > 0) {
        for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
          this.#state = applyMessage(this.#state, next);
        this.#runner?.want(wantedEffects(this.#state, this.#settings));
      }
    } finally {
      this.#isDraining = false;
    }
  }

  /** Runs inside the follower's transaction: entries and cursor become durable together. */
  #takeBatch(batch: Batch): void {
    const { rollback, blocks } = batch;
    const at = batch.blocks.at(-1)?.timestamp ?? this.#state.horizons?.head.timestamp ?? 0;
    const entries: JournalEntry[] = [];
    const announced: Request[] = [];
    const followed = new Set(this.#state.jobs.keys());
    if (rollback !== undefined) {
      for (const [jobId, job] of this.#state.jobs) {
        if (job.chain.some(({ block }) => block.number > rollback.toBlock))
          entries.push({ kind: "chain-rolled-back", jobId, at, toBlock: rollback.toBlock });
      }
    }
    for (const block of blocks) {
      for (const log of block.logs) {
        const event = decodeAgentEvent(log, block.timestamp);
        if (event === undefined) continue;
        if (event.eventName === "JobAnnounced") announced.push(event.request);
        else if (this.#concerns(event, followed)) {
          followed.add(event.args.jobId);
          const fact: ChainFact = {
            block: { number: block.number, hash: block.hash },
            logIndex: log.logIndex,
            transactionHash: log.transactionHash,
            event: event as ChainFact["event"],
          };
          entries.push({ kind: "chain-fact", jobId: event.args.jobId, at: block.timestamp, fact });
        }
      }
    }
    this.#store.append(entries);
    afterCommit(this.#ports.db, () => {
      this.#horizons?.deliver(blocks, rollback?.toBlock);
      if (rollback !== undefined)
        this.#ports.logger.warn("chain_rolled_back", { toBlock: rollback.toBlock, removed: rollback.removed });
      for (const entry of entries) {
        if (entry.kind === "chain-fact")
          this.#ports.logger.info("chain_fact", {
            jobId: entry.jobId,
            fact: entry.fact.event.eventName,
            block: entry.fact.block.number,
          });
        this.#dispatch({ type: "journaled", entry });
      }
      for (const request of announced) this.#desk.seeAnnounced(request);
      // While the chain is being read up, its newest block is yet unknown: nothing is decided by old time.
      if (!batch.caughtUp) return;
      this.#showHorizons();
      this.#caughtUp.resolve();
      if (!this.#isCaughtUp) this.#ports.onCaughtUp?.();
      this.#isCaughtUp = true;
    });
  }

  #concerns(event: Exclude<AgentEvent, { eventName: "JobAnnounced" }>, followed: ReadonlySet<Hex>): boolean {
    const name: FactEventName | ExplainingEventName = event.eventName;
    if (name === "CommitmentSkipped" || name === "OpeningSkipped" || name === "CallbackCalled") return false;
    if (followed.has(event.args.jobId)) return true;
    const own = this.#ports.provider.toLowerCase();
    return event.eventName === "JobOpened" && event.args.places.some(({ provider }) => provider.toLowerCase() === own);
  }

  #showHorizons(): void {
    const horizons = this.#horizons?.current();
    if (horizons !== undefined) this.#dispatch({ type: "chain", horizons });
  }

  async #followFinality(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Nothing waits for finality without a job.
      if (this.#state.jobs.size > 0 && this.#state.horizons !== undefined) {
        const moved = await this.#horizons?.refreshFinal(signal).catch((error: unknown) => {
          this.#ports.logger.warn("finality_not_read", { error });
          return false;
        });
        if (moved === true) this.#showHorizons();
      }
      await pause(this.#ports.pollIntervalMs ?? FINALITY_POLL_MS, signal).catch(() => {});
    }
  }

  async #seeRequests(relays: RelayClient, signal: AbortSignal): Promise<void> {
    for await (const envelope of relays.subscribe(REQUESTS_TOPIC, { signal })) {
      if (envelope.kind === "request") this.#desk.see(envelope.body.request, envelope.body.requirements);
      else if (envelope.kind === "requirements") this.#desk.seeRequirements(envelope.body.requirements);
    }
  }

  /** Settled jobs are many and ask rarely: one after the other instead of a connection each, and the older the rarer. */
  async #watchRedeliveries(relays: RelayClient, signal: AbortSignal): Promise<void> {
    let lookedAt: ReadonlyMap<Hex, number> = new Map();
    while (!signal.aborted) {
      const looked = new Map<Hex, number>();
      for (const job of this.#state.jobs.values()) {
        const facts = factsOf(job);
        if (signal.aborted || facts?.settled === undefined || job.deliveredAt === undefined) continue;
        const before = lookedAt.get(job.jobId);
        const ageS = (this.#state.horizons?.head.timestamp ?? 0) - facts.settled.settledAt;
        const isDue = before === undefined || performance.now() >= before + redeliveryPauseMs(ageS);
        looked.set(job.jobId, isDue ? performance.now() : before);
        if (!isDue) continue;
        try {
          for (const envelope of await relays.list(job.jobId, { signal })) {
            if (envelope.kind !== "redelivery") continue;
            const message = await checkPeerMessage(envelope, facts, 0, this.#ports);
            if (message !== undefined && message !== "later") this.#dispatch(message);
          }
        } catch (error) {
          this.#ports.logger.debug("redeliveries_not_read", { jobId: job.jobId, error });
        }
      }
      lookedAt = looked;
      await pause(redeliveryPauseMs(0), signal).catch(() => {});
    }
  }

  /** What speaks against a request even if everybody were rich and nothing were promised yet: costs no look at the chain. */
  #judgePolicy(request: Request, requirements: Requirements): RequestJudgement["reasons"] | undefined {
    const { policy, provider, sandbox } = this.#ports;
    const judgement = judgeRequest(policy, request, requirements, {
      now: this.#state.horizons?.head.timestamp ?? 0,
      provider,
      free: UNBOUNDED,
      promised: 0n,
      liveOffers: 0,
      requesterFunds: UNBOUNDED,
      onProbation: false,
      gasBalance: UNBOUNDED,
      gasPrice: 0n,
      openJobs: 0,
      callbackGas: 0,
      engineSupported: sandbox.supports(requirements),
      packageBytes: 0,
    });
    return judgement.takes ? undefined : judgement.reasons;
  }

  async #judge(request: Request, requirements: Requirements, signal: AbortSignal): Promise<RequestJudgement> {
    const { provider, domain, reader, relays, sandbox, signer, policy } = this.#ports;
    if (this.#state.horizons === undefined)
      throw new RetryableError(
        "CHAIN_NOT_READ",
        "The agent has not read the chain up to its head yet. Try again in a moment.",
      );
    const facts = await collectRequestFacts({
      request,
      requirements,
      state: this.#state,
      now: this.#state.horizons.head.timestamp,
      provider,
      account: signer.address,
      domain,
      reader,
      relays,
      sandbox,
      signal,
    });
    return judgeRequest(policy, request, requirements, facts);
  }

  /** Seed and terms are durable before anything is signed with them. */
  #offer(
    jobId: Hex,
    request: Request,
    requirements: Requirements,
    judgement: Extract<RequestJudgement, { takes: true }>,
  ): void {
    const { secret, logger } = this.#ports;
    const { price, roles, expiry } = judgement;
    this.#store.together(() => {
      this.#store.saveSeed(jobId, crypto.getRandomValues(new Uint8Array(32)));
      const seed = this.#store.seedOf(jobId) as Uint8Array;
      const encryptionKey = offerKeyPair(secret, seed, jobId).publicKey;
      this.#record({
        kind: "offer-fixed",
        jobId,
        request,
        requirements,
        offer: { price, encryptionKey, roles, expiry },
      });
    });
    logger.info("offer_fixed", { jobId, price, roles, expiry });
  }
}

function phaseOf(facts: ReturnType<typeof factsOf>, now: number): JobPhase {
  switch (statusAt(facts, now).status) {
    case JobStatus.None:
      return "offered";
    case JobStatus.Committing:
      return "committing";
    case JobStatus.Revealing:
      return "revealing";
    case JobStatus.Settleable:
      return "settleable";
    default:
      return "settled";
  }
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
