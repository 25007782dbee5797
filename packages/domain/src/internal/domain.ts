import { type Batch, type BlockSource, createFollower, type Follower } from "@quorate/chain";
import { afterCommit, sqliteStore } from "@quorate/chain/sqlite";
import { type Clock, type Hex, type Logger, unixSeconds } from "@quorate/core";
import type { Outbox } from "@quorate/service";
import type {
  DomainInfo,
  KeyRequest,
  QuestionMessage,
  SealedReply,
  SignedQuestionKey,
  SignedQuote,
  SubjectAction,
  SubjectMessage,
} from "@quorate/wire";
import { isAddressEqual } from "viem";
import { type Answerer, type AnswerStep, createAnswerer, type ProverPort } from "./answerer.ts";
import { type ChainDataset, type ChainReader, isNobody, marketCalls } from "./chain-reader.ts";
import { type ChainState, createChainState } from "./chain-state.ts";
import type { DomainConfig } from "./config.ts";
import { bindIdentity, type Dataset, findDataset, type Identity, readDatasets, type State } from "./context.ts";
import { createDesk, type Desk, type DeskSigner } from "./desk.ts";
import { createBell } from "./pause.ts";
import { createPublications, type Publication, type Publications } from "./publications.ts";
import { createQuestions, type QuestionPhase, type Questions } from "./questions.ts";
import { createRecords, type Records } from "./records.ts";
import { createSubjectDesk, type SubjectDesk } from "./subject-desk.ts";
import { createSubjects, type Subjects } from "./subjects.ts";

/** Version that an agent tells its clients. */
const VERSION = "0.1.0";
/** Pause between looks at open questions while nothing happens, milliseconds. */
const IDLE_MS = 500;
/** Pause between looks at what the chain says about the datasets, milliseconds. */
const DATASETS_MS = 30_000;
/** Pause between collections of what has expired, milliseconds. */
const COLLECT_MS = 60_000;
/** Pause before a publication that came to nothing is sent again, milliseconds. */
const RESEND_MS = 30_000;

/** A moment at which something has just become durable, or is about to be done. */
export type DomainStep = AnswerStep | "key-stored" | "question-stored" | "events-stored" | "root-queued";

/** Everything outside a domain agent. */
export type DomainPorts = {
  readonly config: Pick<
    DomainConfig,
    | "name"
    | "profile"
    | "offers"
    | "quoteLifeS"
    | "keyLifeS"
    | "askers"
    | "limits"
    | "publish"
    | "answer"
    | "fromBlock"
    | "finality"
  > & { readonly pollIntervalMs: number };
  readonly identity: Identity;
  readonly state: State;
  /** The agent's key, or the provider's own. */
  readonly signer: DeskSigner;
  readonly reader: ChainReader;
  readonly outbox: Outbox;
  readonly prover: ProverPort;
  /** One per RPC endpoint, preferred first. */
  readonly sources: readonly BlockSource[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Observes steps; for tests. */
  readonly onStep?: ((step: DomainStep) => void) | undefined;
  /** Time that a proof took, milliseconds. */
  readonly onProved?: ((durationMs: number) => void) | undefined;
  /** Called once, when the agent has read the chain up to its head. */
  readonly onCaughtUp?: (() => void) | undefined;
};

/** Where a domain agent stands. */
export type DomainStatus = {
  readonly questions: Readonly<Record<QuestionPhase, number>>;
  readonly subjects: { readonly subjects: number; readonly enrolled: number };
  readonly datasets: readonly {
    readonly dataset: Hex;
    readonly name: string;
    /** Current by the final chain. */
    readonly root?: bigint | undefined;
    readonly records: number;
    /** Records whose leaf is not in the tree that was made last. */
    readonly pending: number;
    /** As the chain knows it; absent until the agent looked. */
    readonly chain?: ChainDataset | undefined;
  }[];
  /** True when the follower is at the head of the chain. */
  readonly caughtUp: boolean;
  /** Timestamp of the newest block, unix s. */
  readonly headTime: number;
  /** Local time of the last successful poll, ms since the epoch. */
  readonly lastPollAt?: number | undefined;
};

/** A domain provider's agent. */
export type Domain = {
  /** Works until aborted. Throws what waiting cannot cure. */
  run(signal: AbortSignal): Promise<void>;
  info(): DomainInfo;
  key(request: KeyRequest, source: string): Promise<SignedQuestionKey>;
  question(message: QuestionMessage): Promise<SignedQuote>;
  subject(action: SubjectAction, message: SubjectMessage): Promise<SealedReply>;
  /** Makes and sends a root for a dataset that changed. */
  publish(dataset: Dataset): Publication | undefined;
  /** Takes a step of the chain; call in the follower's transaction. */
  takeBatch(batch: Batch): void;
  /** One pass over all open questions. */
  step(signal: AbortSignal): Promise<boolean>;
  /** Reads what the chain says about the datasets. */
  refresh(): Promise<void>;
  /** Removes what has expired and overwrites what was erased. */
  collect(): void;
  status(): DomainStatus;
  readonly datasets: readonly Dataset[];
};

/**
 * Makes a domain agent. It does nothing before `run`.
 *
 * @param ports Everything outside.
 * @throws FatalError `DOMAIN_MISMATCH`, `DATASET_UNKNOWN`, `STATE_CORRUPT`.
 */
export function createDomain(ports: DomainPorts): Domain {
  return new DomainAgent(ports);
}

class DomainAgent implements Domain {
  readonly datasets: readonly Dataset[];
  readonly #ports: DomainPorts;
  readonly #subjects: Subjects;
  readonly #records: Records;
  readonly #publications: Publications;
  readonly #questions: Questions;
  readonly #chain: ChainState;
  readonly #desk: Desk;
  readonly #subjectDesk: SubjectDesk;
  readonly #answerer: Answerer;
  readonly #bell = createBell();
  readonly #onChain = new Map<number, ChainDataset>();
  #codeHashes: ReadonlyMap<string, Hex> = new Map();
  #follower: Follower | undefined;
  #isCaughtUp = false;
  #ended = 0;
  #resentAt = 0;

  constructor(ports: DomainPorts) {
    const { config, identity, state, signer, reader, outbox, prover, clock, logger, onStep } = ports;
    this.#ports = ports;
    bindIdentity(state.db, identity);
    this.datasets = readDatasets(state.db);
    for (const { dataset } of config.offers) findDataset(this.datasets, dataset);
    this.#subjects = createSubjects(state);
    this.#records = createRecords(state);
    this.#publications = createPublications(state, this.datasets, this.#records, logger);
    this.#questions = createQuestions(state);
    this.#chain = createChainState({
      state,
      provider: identity.provider,
      datasets: this.datasets,
      publications: this.#publications,
      questions: this.#questions,
      logger,
    });
    // The chain's clock may run ahead of the machine's, and it is the chain that judges a quote.
    const now = (): number => Math.max(unixSeconds(clock), this.#chain.headTime());
    const shared = {
      identity,
      state,
      datasets: this.datasets,
      subjects: this.#subjects,
      records: this.#records,
      publications: this.#publications,
      questions: this.#questions,
      now,
      logger,
    };
    this.#desk = createDesk({
      ...shared,
      policy: config,
      signer,
      reader,
      graceOf: (datasetId) => this.#onChain.get(datasetId)?.graceS ?? 0,
      onStep,
    });
    this.#subjectDesk = createSubjectDesk(shared);
    this.#answerer = createAnswerer({
      ...shared,
      policy: config.answer,
      chain: this.#chain,
      reader,
      outbox,
      prover,
      chainNow: () => this.#chain.headTime(),
      nowMs: () => clock.now(),
      onStep: (step) => onStep?.(step),
      onProved: ports.onProved,
    });
  }

  info(): DomainInfo {
    const { config, identity, signer } = this.#ports;
    return {
      ...identity,
      name: config.name,
      version: VERSION,
      agent: signer.address,
      ...(config.profile === undefined ? {} : { profile: config.profile }),
      datasets: this.datasets.map((dataset) => {
        const root = this.#publications.current(dataset.id)?.root;
        return {
          dataset: dataset.dataset,
          definition: dataset.definition,
          ...(root === undefined ? {} : { root }),
          offers: config.offers
            .filter((offer) => findDataset(this.datasets, offer.dataset).id === dataset.id)
            .flatMap(({ circuit, verifier, token, price, bond, window }) => {
              const verifierCodeHash = this.#codeHashes.get(verifier);
              return verifierCodeHash === undefined
                ? []
                : [{ circuit, verifier, verifierCodeHash, token, price, bond, window }];
            }),
        };
      }),
    };
  }

  key(request: KeyRequest, source: string): Promise<SignedQuestionKey> {
    return this.#desk.key(request, source);
  }

  question(message: QuestionMessage): Promise<SignedQuote> {
    return this.#desk.question(message);
  }

  async subject(action: SubjectAction, message: SubjectMessage): Promise<SealedReply> {
    const reply = await this.#subjectDesk.handle(action, message);
    if (action === "enrol") this.#bell.ring();
    return reply;
  }

  publish(dataset: Dataset): Publication | undefined {
    const { outbox, identity, clock, logger, onStep } = this.#ports;
    const publication = this.#publications.publish(dataset.id, unixSeconds(clock), (key, root) => {
      outbox.enqueue({ key, ...marketCalls.publishRoot(identity.market, dataset.dataset, root), simulate: true });
    });
    if (publication === undefined) return undefined;
    onStep?.("root-queued");
    logger.info("root_made", { dataset: dataset.definition.name, changes: publication.changes });
    return publication;
  }

  takeBatch(batch: Batch): void {
    const { state, logger, onStep } = this.#ports;
    this.#chain.take(batch);
    afterCommit(state.db, () => {
      if (batch.rollback !== undefined)
        logger.warn("chain_rolled_back", { toBlock: batch.rollback.toBlock, removed: batch.rollback.removed });
      onStep?.("events-stored");
      this.#bell.ring();
      if (!batch.caughtUp || this.#isCaughtUp) return;
      this.#isCaughtUp = true;
      this.#ports.onCaughtUp?.();
    });
  }

  async step(signal: AbortSignal): Promise<boolean> {
    const changed = await this.#answerer.step(signal);
    const { answered, expired, lapsed } = this.#questions.counts();
    const ended = answered + expired + lapsed;
    if (ended !== this.#ended) {
      this.#ended = ended;
      // What was overwritten in the database must not live on in its log.
      this.#ports.state.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    return changed;
  }

  async refresh(): Promise<void> {
    const { reader, identity, config, logger } = this.#ports;
    for (const { id, dataset, definition } of this.datasets) {
      const found = await reader.dataset(dataset);
      if (isNobody(found.provider)) logger.warn("dataset_unregistered", { dataset, name: definition.name });
      else if (isAddressEqual(found.provider, identity.provider)) this.#onChain.set(id, found);
    }
    const hashes = new Map<string, Hex>();
    for (const { verifier } of config.offers) {
      const hash = await reader.codeHash(verifier);
      if (hash === undefined) logger.error("verifier_without_code", { verifier });
      else hashes.set(verifier, hash);
    }
    this.#codeHashes = hashes;
  }

  collect(): void {
    const now = Math.max(unixSeconds(this.#ports.clock), this.#chain.headTime());
    this.#questions.dropExpiredKeys(now);
    for (const { id } of this.datasets)
      this.#publications.prune(id, this.#chain.finalTime(), this.#onChain.get(id)?.graceS ?? Number.MAX_SAFE_INTEGER);
  }

  status(): DomainStatus {
    const follower = this.#follower?.status();
    return {
      questions: this.#questions.counts(),
      subjects: this.#subjects.counts(),
      datasets: this.datasets.map(({ id, dataset, definition }) => ({
        dataset,
        name: definition.name,
        root: this.#publications.current(id)?.root,
        records: this.#records.count(id),
        pending: this.#records.pending(id),
        chain: this.#onChain.get(id),
      })),
      caughtUp: follower?.caughtUp ?? false,
      headTime: this.#chain.headTime(),
      lastPollAt: follower?.lastPollAt,
    };
  }

  async run(outer: AbortSignal): Promise<void> {
    const { config, identity, state, sources, outbox, clock, logger } = this.#ports;
    const stop = new AbortController();
    const signal = AbortSignal.any([outer, stop.signal]);
    const store = sqliteStore(state.db, "market");
    const snapshot = await store.load();
    this.#follower = createFollower({
      sources,
      store,
      filter: { address: identity.market },
      chainId: identity.chainId,
      fromBlock: snapshot?.fromBlock ?? config.fromBlock,
      confirmations: config.finality.confirmations,
      ...(config.finality.agreement === undefined ? {} : { agreement: config.finality.agreement }),
      pollIntervalMs: config.pollIntervalMs,
      onBatch: (batch) => this.takeBatch(batch),
      clock,
      logger,
    });
    logger.info("domain_started", { provider: identity.provider, datasets: this.datasets.length });
    const tasks = [
      this.#follower.run(signal),
      outbox.run(signal),
      this.#every(DATASETS_MS, () => this.refresh(), signal),
      this.#every(COLLECT_MS, () => this.collect(), signal),
      this.#every(Math.max(1_000, config.publish.everyS * 1_000), () => this.#publishDue(), signal),
      this.#work(signal),
    ];
    try {
      // Any of them ends by itself only with an error that waiting cannot cure.
      await Promise.race([...tasks, aborted(signal)]);
    } finally {
      stop.abort(new Error("the agent stops"));
      await Promise.allSettled(tasks);
      logger.info("domain_stopped");
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let changed = false;
      try {
        changed = await this.step(signal);
        if (this.#ports.config.publish.everyS === 0) this.#publishDue();
      } catch (error) {
        if (signal.aborted) return;
        this.#ports.logger.error("step_failed", { error });
      }
      if (!changed) await this.#bell.wait(IDLE_MS, signal);
    }
  }

  #publishDue(): void {
    const { outbox, identity, clock, logger } = this.#ports;
    for (const dataset of this.datasets) {
      if (!this.#onChain.has(dataset.id)) continue;
      const last = this.#publications.last(dataset.id);
      const item = last?.publishedAt === undefined && last !== undefined ? outbox.status(last.outboxKey) : undefined;
      if (item?.status === "abandoned" || item?.status === "reverted") {
        if (clock.now() - this.#resentAt < RESEND_MS) continue;
        this.#resentAt = clock.now();
        logger.error("publication_failed", { name: dataset.definition.name, reason: item.reason?.message });
        this.#publications.sendAgain(dataset.id, (key, root) => {
          outbox.enqueue({ key, ...marketCalls.publishRoot(identity.market, dataset.dataset, root), simulate: true });
        });
      } else if (this.#records.pending(dataset.id) > 0) this.publish(dataset);
    }
  }

  /** Repeats something that may fail, first at once. */
  async #every(pauseMs: number, work: () => unknown, signal: AbortSignal): Promise<void> {
    const bell = createBell();
    while (!signal.aborted) {
      let failed = false;
      try {
        await work();
      } catch (error) {
        failed = true;
        if (!signal.aborted) this.#ports.logger.warn("task_failed", { error });
      }
      await bell.wait(failed ? Math.min(pauseMs, 2_000) : pauseMs, signal);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
