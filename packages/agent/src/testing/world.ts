import {
  commitmentOf,
  type Hex,
  hashRequirements,
  type JobEvent,
  type JobFacts,
  type JobStatus,
  jobIdOf,
  Outcome,
  type Place,
  type Request,
  requirementsOf,
  statusAt,
  type Terms,
  termsOf,
  ZERO_HASH,
} from "@quorate/core";
import { buildManifest, buildPlaces, buildRequest, testDomain, testHash } from "@quorate/testkit";
import type { ChainFact, JournalEntry } from "../internal/journal-entry.ts";
import { factsOf, type ReducerSettings } from "../internal/state.ts";

/** Places of the world's job; the agent under test holds one of them. */
export type WorldOptions = {
  readonly own?: number;
  readonly spares?: number;
  readonly shadows?: number;
} & Partial<Request>;

type Block = {
  readonly number: number;
  readonly timestamp: number;
  readonly hash: Hex;
  readonly facts: readonly ChainFact[];
};

/** A chain with one job on it, whose blocks and reorganisations a test decides. */
export class World {
  readonly request: Request;
  readonly jobId: Hex;
  readonly places: readonly Place[];
  readonly terms: Terms;
  readonly own: number;
  readonly settings: ReducerSettings;
  blocks: Block[] = [];
  #forks = 0;

  constructor({ own = 0, spares = 0, shadows = 0, ...changes }: WorldOptions = {}) {
    this.request = buildRequest({
      seats: 3,
      quorum: 2,
      spares,
      shadows,
      commitWindow: 400,
      revealWindow: 400,
      requirementsHash: hashRequirements(requirementsOf(buildManifest())),
      ...changes,
    });
    this.jobId = jobIdOf(this.request, testDomain);
    this.places = buildPlaces(3 + spares + shadows);
    this.terms = termsOf(this.request, spares, this.places);
    this.own = own;
    const provider = (this.places[own] as Place).provider;
    this.settings = {
      provider,
      domain: testDomain,
      carrying: { mode: "rotate", patienceSeconds: 12 },
      retentionSeconds: 1000,
    };
    this.mine([], 1_000_000);
  }

  get head(): Block {
    return this.blocks.at(-1) as Block;
  }

  get now(): number {
    return this.head.timestamp;
  }

  /** Facts as a fresh reader of the chain folds them. */
  factsAt(number: number = this.head.number): JobFacts | undefined {
    return factsOf({ chain: this.blocks.filter((block) => block.number <= number).flatMap(({ facts }) => facts) });
  }

  statusAt(number: number = this.head.number): JobStatus {
    return statusAt(this.factsAt(number), this.blocks[number - 1]?.timestamp ?? 0).status;
  }

  /** Adds a block and returns the entries that the agent journals for it. */
  mine(events: readonly EventDraft[] = [], timestamp: number = this.now + 12): JournalEntry[] {
    const number = this.blocks.length + 1;
    const hash = testHash(number * 1000 + this.#forks);
    const facts = events.map((event, logIndex): ChainFact => {
      const full = { ...event, args: { ...event.args, jobId: this.jobId }, timestamp } as ChainFact["event"];
      return { block: { number, hash }, logIndex, transactionHash: testHash(number), event: full };
    });
    this.blocks.push({ number, timestamp, hash, facts });
    return facts.map((fact) => ({ kind: "chain-fact", jobId: this.jobId, at: timestamp, fact }));
  }

  /** Removes blocks and returns the entry that the agent journals for it. */
  rollBack(count: number): JournalEntry {
    this.blocks = this.blocks.slice(0, Math.max(1, this.blocks.length - count));
    this.#forks += 1;
    return { kind: "chain-rolled-back", jobId: this.jobId, at: this.now, toBlock: this.blocks.length };
  }

  /** The agent's entry for its offer. */
  offerFixed(): JournalEntry {
    const { price } = this.places[this.own] as Place;
    return {
      kind: "offer-fixed",
      jobId: this.jobId,
      at: this.now,
      request: this.request,
      requirements: requirementsOf(buildManifest()),
      offer: { price, encryptionKey: testHash(7), roles: 7, expiry: this.now + 600 },
    };
  }

  opened(): EventDraft {
    return {
      eventName: "JobOpened",
      args: {
        requester: this.request.requester,
        request: this.request,
        spares: this.terms.spares,
        places: this.places,
        keyWraps: this.places.map(() => "0x00"),
      },
    };
  }

  committed(place: number, commitment: Hex = this.commitmentOf(place)): EventDraft {
    return { eventName: "CommitmentPlaced", args: { place, commitment } };
  }

  commitmentOf(place: number, resultHash: Hex = testHash(0xa)): Hex {
    const { provider } = this.places[place] as Place;
    return commitmentOf(
      { jobId: this.jobId, provider, outcome: Outcome.Ok, resultHash, salt: testHash(place + 1) },
      testDomain,
    );
  }

  /** The set of the right commitments of some places. */
  setOf(members: readonly number[] = [0, 1, 2]): Hex[] {
    return this.places.map((_, place) => (members.includes(place) ? this.commitmentOf(place) : ZERO_HASH));
  }

  setPlaced(commitments: readonly Hex[] = this.setOf(), voided = 0): EventDraft {
    return { eventName: "CommitmentSetPlaced", args: { commitments, voided } };
  }

  openingOf(place: number): { place: number; outcome: number; resultHash: Hex; salt: Hex } {
    return { place, outcome: Outcome.Ok, resultHash: testHash(0xa), salt: testHash(place + 1) };
  }

  revealed(place: number): EventDraft {
    return { eventName: "CommitmentOpened", args: this.openingOf(place) };
  }
}

/** An event without job and time. */
export type EventDraft = {
  readonly eventName: ChainFact["event"]["eventName"];
  readonly args: Readonly<Record<string, unknown>>;
};

/** Type check that drafts name real events. */
export type DraftedEvent = Extract<JobEvent, { eventName: EventDraft["eventName"] }>;
