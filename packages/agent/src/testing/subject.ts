import assert from "node:assert/strict";
import { type Hex, Outcome } from "@quorate/core";
import { testHash } from "@quorate/testkit";
import type { Effect } from "../internal/effects.ts";
import type { JournalEntry } from "../internal/journal-entry.ts";
import { applyMessage, type Message, reduce } from "../internal/reduce.ts";
import { type AgentState, emptyState, type Horizons } from "../internal/state.ts";
import { type EventDraft, World } from "./world.ts";

/** Blocks on top before the subject acts. */
export const CONFIRMATIONS = 2;
/** Blocks on top of what is final for the subject. */
export const FINALITY = 4;

/** An agent without I/O: state, journal, and what the outside would do with its effects. */
export class Subject {
  readonly world: World;
  state: AgentState = emptyState;
  journal: JournalEntry[] = [];
  effects: readonly Effect[] = [];
  /** What the vote guard holds; survives everything. */
  fixed: { resultHash: Hex; commitment: Hex } | undefined;

  constructor(world: World) {
    this.world = world;
  }

  send(message: Message): void {
    ({ state: this.state, effects: this.effects } = reduce(this.state, message, this.world.settings));
  }

  record(entry: JournalEntry): void {
    this.journal.push(entry);
    this.send({ type: "journaled", entry });
  }

  horizons(): Horizons {
    const { blocks } = this.world;
    const ref = (depth: number) => blocks[blocks.length - 1 - depth];
    const [head, confirmed, final] = [ref(0), ref(CONFIRMATIONS), ref(FINALITY)];
    assert(head !== undefined);
    return { head, ...(confirmed && { confirmed }), ...(final && { final }) };
  }

  mine(events: readonly EventDraft[] = [], timestamp?: number): void {
    for (const entry of this.world.mine(events, timestamp)) this.record(entry);
    this.send({ type: "chain", horizons: this.horizons() });
  }

  /** Mines empty blocks until the events before them have a depth. */
  bury(depth: number = FINALITY): void {
    for (let count = 0; count < depth; count++) this.mine();
  }

  restart(): void {
    this.state = this.journal.reduce((state, entry) => applyMessage(state, { type: "journaled", entry }), emptyState);
    this.send({ type: "chain", horizons: this.horizons() });
  }

  vote(resultHash: Hex = testHash(0xa), outcome: Outcome = Outcome.Ok): void {
    this.fixed ??= { resultHash, commitment: this.world.commitmentOf(this.world.own, resultHash) };
    const { jobId, now } = this.world;
    this.record({ kind: "vote-fixed", jobId, at: now, outcome, ...this.fixed });
  }

  types(): string[] {
    return this.effects.map((effect) => (effect.type === "transact" ? `transact/${effect.duty}` : effect.type)).sort();
  }

  find<T extends Effect["type"]>(type: T): Extract<Effect, { type: T }> | undefined {
    return this.effects.find((effect): effect is Extract<Effect, { type: T }> => effect.type === type);
  }

  transaction(duty: string): Extract<Effect, { type: "transact" }> | undefined {
    return this.effects.find(
      (effect): effect is Extract<Effect, { type: "transact" }> => effect.type === "transact" && effect.duty === duty,
    );
  }
}

/** A seated agent whose panel was judged well. */
export function seated(world: World = new World()): Subject {
  const subject = new Subject(world);
  subject.record(world.offerFixed());
  subject.record({ kind: "offer-published", jobId: world.jobId, at: world.now });
  subject.mine([world.opened()]);
  subject.bury(CONFIRMATIONS);
  subject.record({ kind: "panel-judged", jobId: world.jobId, at: world.now, stays: true, reasons: [] });
  return subject;
}
