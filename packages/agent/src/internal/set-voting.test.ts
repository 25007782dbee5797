import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Flag, type Hex, JobStatus, type Opening, Outcome } from "@quorate/core";
import { testHash } from "@quorate/testkit";
import fc from "fast-check";
import { FINALITY, type Subject, seated } from "../testing/subject.ts";
import { World, type WorldOptions } from "../testing/world.ts";
import { dutyOrder } from "./rotation.ts";

/** Seconds of the commit window of every job here; half of it is the time for a set. */
const WINDOW = 400;

const worldOf = (options: WorldOptions = {}): World => new World({ flags: Flag.SetVotes, ...options });

/** Place whose turn it is first. */
const firstFor = (duty: "set" | "reveal-set", world = worldOf()): number =>
  dutyOrder(world.jobId, duty, [0, 1, 2])[0] as number;

const openedAt = (subject: Subject): number => subject.world.factsAt()?.openedAt ?? 0;

function shares(subject: Subject, ...places: number[]): void {
  const { world } = subject;
  for (const place of places) {
    const commitment = { place, commitment: world.commitmentOf(place) };
    subject.send({ type: "peer-set-commitment", jobId: world.jobId, commitment });
  }
}

/** Gives out a commitment that everybody can carry. */
function commits(subject: Subject, ...places: number[]): void {
  const { world } = subject;
  for (const place of places) {
    const commitment = { place, commitment: world.commitmentOf(place), signature: "0x01" as const };
    subject.send({ type: "peer-commitment", jobId: world.jobId, commitment });
  }
}

function signs(subject: Subject, place: number, commitments: readonly Hex[] = subject.world.setOf()): void {
  const signed = { place, commitments, signature: "0x02" as const };
  subject.send({ type: "peer-set", jobId: subject.world.jobId, signed });
}

function opens(subject: Subject, place: number, changes: Partial<Opening> = {}): void {
  const opening = { ...subject.world.openingOf(place), ...changes };
  subject.send({ type: "peer-opening", jobId: subject.world.jobId, opening });
}

/** Does what the agent wants: fixes the set, publishes signature and opening. */
function obeys(subject: Subject): void {
  const base = { jobId: subject.world.jobId, at: subject.world.now };
  if (subject.find("publish-set-commitment")) subject.record({ ...base, kind: "set-commitment-published" });
  if (subject.find("publish-commitment")) subject.record({ ...base, kind: "commitment-published" });
  const set = subject.find("fix-set");
  if (set !== undefined) subject.record({ ...base, kind: "set-fixed", commitments: set.commitments });
  if (subject.find("publish-set-signature")) subject.record({ ...base, kind: "set-signature-published" });
  if (subject.find("publish-opening")) subject.record({ ...base, kind: "opening-published" });
}

/** A seat that voted and has the commitments of the others. */
function informed(world: World): Subject {
  const subject = seated(world);
  subject.vote();
  subject.record({ kind: "set-commitment-published", jobId: world.jobId, at: world.now });
  shares(subject, ...[0, 1, 2].filter((place) => place !== world.own));
  return subject;
}

/** A seat that signed the set, as all others did, and has not shown its opening. */
function complete(world: World): Subject {
  const subject = informed(world);
  const others = [0, 1, 2].filter((place) => place !== world.own);
  signs(subject, others[0] as number);
  const base = { jobId: world.jobId, at: world.now };
  subject.record({ ...base, kind: "set-fixed", commitments: subject.find("fix-set")?.commitments ?? [] });
  subject.record({ ...base, kind: "set-signature-published" });
  signs(subject, others[1] as number);
  return subject;
}

/** As before; it has shown its opening. */
function shown(world: World): Subject {
  const subject = complete(world);
  subject.record({ kind: "opening-published", jobId: world.jobId, at: world.now });
  return subject;
}

function callOf(subject: Subject) {
  const call = subject.transaction("reveal-set")?.call;
  return call?.name === "revealSet" ? call : undefined;
}

describe("a set", () => {
  it("is proposed by one place at a time, once every seat's commitment is there", () => {
    const first = firstFor("set");
    const proposer = seated(worldOf({ own: first }));
    proposer.vote();
    const [a, b] = [0, 1, 2].filter((place) => place !== first) as [number, number];
    shares(proposer, a);
    assert.equal(proposer.find("fix-set"), undefined, "a commitment is missing");
    shares(proposer, b);
    assert.deepEqual(proposer.find("fix-set")?.commitments, proposer.world.setOf());
    const other = informed(worldOf({ own: a }));
    assert.equal(other.find("fix-set"), undefined, "it is not its turn");
    for (let waited = 0; waited < 5 && other.find("fix-set") === undefined; waited++) other.mine();
    assert.deepEqual(other.find("fix-set")?.commitments, other.world.setOf(), "its turn comes");
  });

  it("is not begun without the flag, nor in the second half of the window, nor by one that never carries", () => {
    const own = firstFor("set");
    assert.equal(informed(new World({ own })).find("fix-set"), undefined);
    const late = seated(worldOf({ own }));
    late.vote();
    late.mine([], openedAt(late) + WINDOW / 2);
    shares(late, ...[0, 1, 2].filter((place) => place !== own));
    assert.equal(late.find("fix-set"), undefined);
    const world = worldOf({ own });
    Object.assign(world.settings, { carrying: { mode: "never", patienceSeconds: 12 } });
    const modest = informed(world);
    modest.bury(6);
    assert.equal(modest.find("fix-set"), undefined);
    signs(modest, own === 0 ? 1 : 0);
    assert.ok(modest.find("fix-set"), "it signs what others propose");
  });

  it("is signed as another member proposes it, when every commitment in it is known", () => {
    const world = worldOf({ own: 0 });
    const subject = seated(world);
    subject.vote();
    shares(subject, 1);
    signs(subject, 1);
    assert.equal(subject.find("fix-set"), undefined, "the commitment of place 2 is unknown");
    shares(subject, 2);
    assert.deepEqual(subject.find("fix-set")?.commitments, world.setOf());
  });

  it("that has another commitment for anybody, lacks a seat or has a spare is never signed", () => {
    const world = worldOf({ own: firstFor("set"), spares: 1, shadows: 1 });
    const good = world.setOf();
    const bad: Readonly<Record<string, readonly Hex[]>> = {
      "another commitment for itself": good.with(world.own, testHash(9)),
      "another commitment for a peer": good.with((world.own + 1) % 3, testHash(9)),
      "without a seat": good.with((world.own + 1) % 3, testHash(0)),
      "with a spare": good.with(3, testHash(9)),
      "with a shadow that did not commit": good.with(4, testHash(9)),
      "too short": good.slice(0, 3),
    };
    for (const [what, commitments] of Object.entries(bad)) {
      const subject = seated(worldOf({ own: world.own, spares: 1, shadows: 1 }));
      subject.vote();
      shares(subject, (world.own + 1) % 3, (world.own + 2) % 3);
      signs(subject, (world.own + 1) % 3, commitments);
      subject.mine();
      assert.notDeepEqual(subject.find("fix-set")?.commitments, commitments, what);
    }
  });

  it("waits a moment for shadows, and leaves without one that is silent", () => {
    const world = worldOf({ own: firstFor("set", worldOf({ shadows: 1 })), shadows: 1 });
    const subject = informed(world);
    assert.equal(subject.find("fix-set"), undefined);
    subject.mine();
    assert.deepEqual(subject.find("fix-set")?.commitments, world.setOf());
    const patient = informed(worldOf({ own: world.own, shadows: 1 }));
    shares(patient, 3);
    assert.deepEqual(patient.find("fix-set")?.commitments, world.setOf([0, 1, 2, 3]));
  });

  it("is signed by a shadow that it has, not by one that it lacks, and never by a spare", () => {
    for (const [members, isSigned] of [
      [[0, 1, 2, 4], true],
      [[0, 1, 2], false],
    ] as const) {
      const shadow = seated(worldOf({ own: 4, spares: 1, shadows: 1 }));
      shadow.vote();
      shares(shadow, 0, 1, 2);
      signs(shadow, 0, shadow.world.setOf(members));
      assert.equal(shadow.find("fix-set") !== undefined, isSigned);
      assert.equal(shadow.transaction("commit"), undefined, "the set comes first");
      shadow.mine([], openedAt(shadow) + WINDOW / 2);
      assert.ok(shadow.transaction("commit"));
    }
    const spare = informed(worldOf({ own: 3, spares: 1 }));
    signs(spare, 0);
    assert.equal(spare.find("fix-set"), undefined);
  });

  it("of two that race is the one that came first, and of those that came together the one in turn", () => {
    const [first = 0, second = 1, own = 2] = dutyOrder(worldOf({ shadows: 1 }).jobId, "set", [0, 1, 2]);
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      const subject = informed(worldOf({ own, shadows: 1 }));
      shares(subject, 3);
      const { world } = subject;
      const withShadow = world.setOf([0, 1, 2, 3]);
      const setBy = (place: number): Hex[] => (place === first ? withShadow : world.setOf());
      const proposals = order.map((place) => [place, setBy(place)] as const);
      for (const [place, commitments] of proposals) signs(subject, place, commitments);
      assert.deepEqual(subject.find("fix-set")?.commitments, withShadow, "in one block the turn decides");
    }
    const subject = informed(worldOf({ own, shadows: 1 }));
    shares(subject, 3);
    const without = subject.world.setOf();
    signs(subject, second, without);
    subject.mine();
    signs(subject, first, subject.world.setOf([0, 1, 2, 3]));
    assert.deepEqual(subject.find("fix-set")?.commitments, without, "the earlier block decides");
  });

  it("is not proposed beside one that may only lack a shadow's commitment on its way", () => {
    const [first = 0, second = 1] = dutyOrder(worldOf({ shadows: 1 }).jobId, "set", [0, 1, 2]);
    const world = worldOf({ own: first, shadows: 1 });
    const subject = informed(world);
    signs(subject, second, world.setOf([0, 1, 2, 3]));
    subject.mine([], world.now + 11);
    assert.equal(subject.find("fix-set"), undefined);
    shares(subject, 3);
    assert.deepEqual(subject.find("fix-set")?.commitments, world.setOf([0, 1, 2, 3]));
    const deserted = informed(worldOf({ own: first, shadows: 1 }));
    signs(deserted, second, deserted.world.setOf([0, 1, 2, 3]));
    deserted.mine([], deserted.world.now + 12);
    assert.deepEqual(deserted.find("fix-set")?.commitments, deserted.world.setOf());
  });

  it("leaves out a shadow that declined", () => {
    const world = worldOf({ own: firstFor("set", worldOf({ shadows: 1 })), shadows: 1 });
    const subject = informed(world);
    shares(subject, 3);
    subject.mine([{ eventName: "SeatDeclined", args: { provider: world.places[3]?.provider, place: 3 } }]);
    assert.deepEqual(subject.find("fix-set")?.commitments, world.setOf());
  });

  it("of another panel, which a reorganisation took back, is nobody's: the job goes to the chain", () => {
    const subject = informed(worldOf({ own: 0 }));
    const { world } = subject;
    const [a, b, c] = world.setOf() as [Hex, Hex, Hex];
    subject.record({ kind: "set-fixed", jobId: world.jobId, at: world.now, commitments: [b, a, c] });
    for (const place of [1, 2]) signs(subject, place, [b, a, c]);
    assert.deepEqual(subject.types(), ["follow-messages"]);
    subject.mine([], openedAt(subject) + WINDOW - 1);
    assert.equal(callOf(subject), undefined);
    assert.ok(subject.transaction("commit"));
  });

  it("that was fixed is the only one, whatever others sign and after a restart", () => {
    const subject = informed(worldOf({ own: firstFor("set", worldOf({ shadows: 1 })), shadows: 1 }));
    const { world } = subject;
    subject.mine();
    obeys(subject);
    const fixed = subject.state.jobs.get(world.jobId)?.set?.commitments;
    assert.deepEqual(fixed, world.setOf());
    shares(subject, 3);
    for (const place of [0, 1, 2]) signs(subject, place, world.setOf([0, 1, 2, 3]));
    subject.record({ kind: "set-fixed", jobId: world.jobId, at: world.now, commitments: world.setOf([0, 1, 2, 3]) });
    subject.restart();
    assert.deepEqual(subject.state.jobs.get(world.jobId)?.set?.commitments, fixed);
    assert.equal(subject.find("fix-set"), undefined);
    assert.equal(subject.find("publish-opening"), undefined, "nobody signed the set that it signed");
  });

  it("that relays show with its own signature is the only one, though the journal has lost it", () => {
    const world = worldOf({ own: firstFor("set"), shadows: 1 });
    const subject = informed(world);
    shares(subject, 3);
    signs(subject, world.own, world.setOf());
    assert.deepEqual(subject.find("fix-set")?.commitments, world.setOf(), "although the shadow is there by now");
    const other = informed(worldOf({ own: world.own, shadows: 1 }));
    signs(other, world.own, world.setOf([0, 1, 2, 3]));
    other.mine();
    assert.equal(other.find("fix-set"), undefined, "it is not sound yet, and another is out of the question");
  });

  it("is not begun with a seat that declined or committed to something else itself", () => {
    const world = worldOf({ own: firstFor("set") });
    const subject = informed(world);
    const declined = (world.own + 1) % 3;
    subject.mine([
      { eventName: "SeatDeclined", args: { provider: world.places[declined]?.provider, place: declined } },
    ]);
    assert.equal(subject.find("fix-set"), undefined);
    const moved = informed(worldOf({ own: world.own }));
    moved.mine([moved.world.committed(declined, testHash(0xbad))]);
    assert.equal(
      moved.find("fix-set")?.commitments[declined],
      testHash(0xbad),
      "what is on chain is what it votes, and it has to sign that",
    );
  });
});

describe("an opening under a set", () => {
  it("leaves when the signatures of all members are there, and not before", () => {
    const subject = informed(worldOf({ own: 0 }));
    signs(subject, 1);
    obeys(subject);
    obeys(subject);
    assert.deepEqual(subject.types(), ["follow-messages"]);
    signs(subject, 2, subject.world.setOf().with(1, testHash(9)));
    assert.deepEqual(subject.types(), ["follow-messages"], "a signature over another set");
    signs(subject, 2);
    assert.equal(subject.find("publish-opening")?.validUntil, openedAt(subject) + WINDOW / 2);
  });

  it("does not leave from half of the window on; the commitment does, and the set with it closed", () => {
    const subject = complete(worldOf({ own: 0 }));
    assert.ok(subject.find("publish-opening"));
    const half = openedAt(subject) + WINDOW / 2;
    subject.mine([], half - 1);
    assert.ok(subject.find("publish-opening"));
    subject.mine([], half);
    assert.equal(subject.find("publish-opening"), undefined);
    assert.ok(subject.find("publish-commitment"));
    subject.mine([], half + 90);
    assert.ok(subject.transaction("commit"));
    assert.equal(callOf(subject)?.opensOwn, false);
  });

  it("does not leave while the opening of the job is not confirmed, or when a seat has declined", () => {
    const subject = complete(worldOf({ own: 0 }));
    subject.mine([{ eventName: "SeatDeclined", args: { provider: subject.world.places[1]?.provider, place: 1 } }]);
    assert.equal(subject.find("publish-opening"), undefined);
    const fresh = complete(worldOf({ own: 0 }));
    fresh.record(fresh.world.rollBack(1));
    fresh.send({ type: "chain", horizons: fresh.horizons() });
    assert.equal(fresh.find("publish-opening"), undefined);
  });

  it("leaves at any time when revealing is final, as without a set", () => {
    const subject = informed(worldOf({ own: 0 }));
    subject.mine([0, 1, 2].map((place) => subject.world.committed(place)));
    subject.bury(FINALITY - 1);
    assert.equal(subject.find("publish-opening"), undefined);
    subject.mine();
    assert.ok(subject.find("publish-opening"));
  });
});

describe("the call with a set", () => {
  it("has every opening, and leaves at once when all are there and it is the place's turn", () => {
    const own = firstFor("reveal-set");
    const subject = shown(worldOf({ own }));
    const others = [0, 1, 2].filter((place) => place !== own);
    assert.equal(callOf(subject), undefined, "it waits a moment for the others");
    for (const place of others) opens(subject, place);
    const effect = subject.transaction("reveal-set");
    assert.equal(effect?.validUntil, openedAt(subject) + WINDOW);
    const call = callOf(subject);
    assert.deepEqual(
      call?.openings.map(({ place }) => place),
      others,
    );
    assert.deepEqual([call?.ownPlace, call?.opensOwn, call?.landed], [own, true, []]);
    assert.deepEqual(call?.commitments, subject.world.setOf());
    assert.deepEqual(
      call?.signatures.map(({ place }) => place),
      others,
    );
    const later = shown(worldOf({ own: others[0] as number }));
    for (const place of [0, 1, 2]) if (place !== others[0]) opens(later, place);
    assert.equal(callOf(later), undefined, "another's turn");
    later.bury(3);
    assert.ok(callOf(later), "its turn comes");
  });

  it("leaves without an opening that is withheld or wrong", () => {
    const own = firstFor("reveal-set");
    const [honest, liar] = [0, 1, 2].filter((place) => place !== own) as [number, number];
    const subject = shown(worldOf({ own }));
    opens(subject, honest);
    opens(subject, liar, { salt: testHash(9) });
    subject.mine([], subject.world.now + 11);
    assert.equal(callOf(subject), undefined);
    subject.mine([], subject.world.now + 1);
    assert.deepEqual(
      callOf(subject)?.openings.map(({ place }) => place),
      [honest],
    );
  });

  it("waits for the own opening, as long as that can be shown", () => {
    const subject = complete(worldOf({ own: firstFor("reveal-set") }));
    for (const place of [0, 1, 2]) if (place !== subject.world.own) opens(subject, place);
    subject.bury(4);
    assert.equal(callOf(subject), undefined);
  });

  it("waits for no opening beyond half of the window", () => {
    const subject = seated(worldOf({ own: firstFor("reveal-set") }));
    const { world } = subject;
    subject.vote();
    subject.mine([], openedAt(subject) + WINDOW / 2 - 2);
    shares(subject, ...[0, 1, 2].filter((place) => place !== world.own));
    for (const place of [0, 1, 2]) if (place !== world.own) signs(subject, place);
    obeys(subject);
    obeys(subject);
    assert.equal(callOf(subject), undefined);
    subject.mine([], world.now + 2);
    assert.equal(callOf(subject)?.opensOwn, true);
  });

  it("names what has landed on chain by then, of an equivocator too", () => {
    const own = firstFor("reveal-set");
    const subject = shown(worldOf({ own }));
    const other = (own + 1) % 3;
    subject.mine([subject.world.committed(other, testHash(0xbad))]);
    assert.deepEqual(callOf(subject)?.landed, [{ place: other, commitment: testHash(0xbad) }]);
  });

  it("is brought in spite of a decline and a promotion that came after the signatures", () => {
    const world = worldOf({ own: firstFor("reveal-set", worldOf({ spares: 1 })), spares: 1 });
    const subject = shown(world);
    const other = (world.own + 1) % 3;
    subject.mine([{ eventName: "SeatDeclined", args: { provider: world.places[other]?.provider, place: other } }]);
    subject.bury(8);
    assert.equal(subject.transaction("promote"), undefined, "the spare would only get its place back");
    assert.ok(callOf(subject));
    subject.mine([
      { eventName: "SparePromoted", args: { provider: world.places[3]?.provider, spare: 3, seat: other, deadline: 0 } },
    ]);
    assert.ok(callOf(subject));
    subject.mine([], openedAt(subject) + WINDOW);
    assert.equal(callOf(subject), undefined, "a set counts in the first window only");
  });

  it("goes beside the own commitment from half of what remained on, and stops when either made it needless", () => {
    const subject = shown(worldOf({ own: firstFor("reveal-set") }));
    const { world } = subject;
    const half = world.now + Math.floor((openedAt(subject) + WINDOW - world.now) / 2);
    commits(subject, ...[0, 1, 2].filter((place) => place !== world.own));
    subject.mine([], half - 1);
    assert.deepEqual(subject.types(), ["follow-messages", "transact/reveal-set"]);
    subject.mine([], half);
    assert.deepEqual(subject.types(), [
      "follow-messages",
      "publish-commitment",
      "transact/carry-commitments",
      "transact/commit",
      "transact/reveal-set",
    ]);
    subject.mine([0, 1, 2].map((place) => world.committed(place)));
    assert.deepEqual(subject.types(), ["follow-messages"], "all commitments are on chain");
  });

  it("is sent also by one that never carries, if its opening was shown", () => {
    const world = worldOf({ own: 0 });
    Object.assign(world.settings, { carrying: { mode: "never", patienceSeconds: 12 } });
    const subject = shown(world);
    subject.bury(8);
    assert.ok(callOf(subject));
  });

  it("that landed ends the first phase; a reorganisation that takes it back sends it again", () => {
    const own = firstFor("reveal-set");
    const subject = shown(worldOf({ own }));
    const { world } = subject;
    for (const place of [0, 1, 2]) if (place !== own) opens(subject, place);
    const base = { jobId: world.jobId, duty: "reveal-set" as const, attempt: 1 };
    subject.record({ ...base, kind: "transaction-handed-over", at: world.now, key: "k" });
    subject.mine([world.setPlaced(), ...[0, 1, 2].map((place) => world.revealed(place))]);
    subject.record({ ...base, kind: "transaction-ended", at: world.now, result: "mined" });
    assert.equal(world.statusAt(), JobStatus.Revealing);
    assert.deepEqual(subject.types(), ["follow-messages"]);
    subject.record(world.rollBack(1));
    subject.bury(2);
    assert.equal(subject.transaction("reveal-set")?.attempt, 2);
    assert.equal(subject.find("fix-set"), undefined, "the set stands");
  });

  it("with the own vote closed is followed by its opening, when that is final", () => {
    const subject = complete(worldOf({ own: 0 }));
    const { world } = subject;
    subject.mine([world.setPlaced(), world.revealed(1), world.revealed(2)]);
    assert.equal(subject.find("publish-opening"), undefined);
    subject.bury();
    assert.ok(subject.find("publish-opening"));
    subject.record({ kind: "opening-published", jobId: world.jobId, at: world.now });
    subject.bury(4);
    const call = subject.transaction("carry-openings")?.call;
    assert(call?.name === "reveal");
    assert.deepEqual(
      call.commitments.map(({ place }) => place),
      [0, 1, 2],
    );
  });

  it("that voids the own vote leaves nothing to open", () => {
    const subject = shown(worldOf({ own: 0 }));
    subject.mine([subject.world.setPlaced(subject.world.setOf([1, 2]), 0b001)]);
    subject.bury(FINALITY + 20);
    assert.equal(subject.transaction("reveal"), undefined);
    assert.equal(subject.transaction("carry-openings"), undefined);
  });
});

describe("a commitment, where votes may come by a set", () => {
  it("is shared in a form that nobody can carry, and signed when the time for a set is over", () => {
    const subject = seated(worldOf({ own: 0 }));
    subject.vote();
    assert.deepEqual(subject.types(), ["follow-messages", "publish-set-commitment"]);
    const half = openedAt(subject) + WINDOW / 2;
    assert.equal(subject.find("publish-set-commitment")?.validUntil, half);
    subject.mine([], half - 1);
    assert.equal(subject.find("publish-commitment"), undefined);
    subject.mine([], half);
    assert.deepEqual(subject.types(), ["follow-messages", "publish-commitment"]);
  });

  it("is signed at once when a seat has declined: there will be no set", () => {
    const { world } = seated(worldOf({ own: 0 }));
    const subject = seated(worldOf({ own: 0 }));
    subject.vote();
    subject.mine([{ eventName: "SeatDeclined", args: { provider: world.places[2]?.provider, place: 2 } }]);
    assert.deepEqual(subject.types(), ["follow-messages", "publish-commitment"]);
  });

  it("of a place whose opening was shown stays back for half of what remains, also after a restart", () => {
    const subject = shown(worldOf({ own: 0 }));
    const half = subject.world.now + Math.floor((openedAt(subject) + WINDOW - subject.world.now) / 2);
    subject.restart();
    commits(subject, 1, 2);
    for (const [time, isGiven] of [
      [half - 1, false],
      [half, true],
    ] as const) {
      subject.mine([], time);
      subject.mine([], time);
      assert.equal(subject.find("publish-commitment") !== undefined, isGiven);
      assert.equal(subject.transaction("commit") !== undefined, isGiven);
    }
    // Killed between publishing and its journal: relays have the opening.
    const killed = complete(worldOf({ own: 0 }));
    opens(killed, 0);
    assert.equal(killed.find("publish-opening"), undefined);
    killed.mine([], openedAt(killed) + WINDOW / 2);
    assert.equal(killed.find("publish-commitment"), undefined);
  });

  it("that is on chain, or that somebody can carry, forbids to show the opening under a set", () => {
    const onChain = complete(worldOf({ own: 0 }));
    onChain.mine([onChain.world.committed(0)]);
    assert.equal(onChain.find("publish-opening"), undefined);
    const given = complete(worldOf({ own: 0 }));
    given.record({ kind: "commitment-published", jobId: given.world.jobId, at: given.world.now });
    assert.equal(given.find("publish-opening"), undefined);
    const forgotten = complete(worldOf({ own: 0 }));
    commits(forgotten, 0);
    assert.equal(forgotten.find("publish-opening"), undefined, "relays show what the journal has lost");
    const closed = complete(worldOf({ own: firstFor("reveal-set") }));
    commits(closed, closed.world.own);
    closed.mine([], closed.world.now + 12);
    assert.equal(callOf(closed)?.opensOwn, false, "the set comes with its vote closed");
  });

  it("is carried by others in the second half only", () => {
    for (const own of [0, 1, 2]) {
      const subject = informed(worldOf({ own }));
      commits(subject, ...[0, 1, 2].filter((place) => place !== own));
      subject.bury(8);
      assert.equal(subject.transaction("carry-commitments"), undefined);
      subject.mine([], openedAt(subject) + WINDOW / 2);
      subject.bury(4);
      assert.ok(subject.transaction("carry-commitments"), "a member withheld its signature");
    }
  });
});

/** What other members do in a random history. */
type Step =
  | { readonly do: "mine"; readonly seconds: number }
  | { readonly do: "shares" | "commits" | "signs" | "opens" | "lands" | "declines"; readonly place: number }
  | { readonly do: "obey" | "restart" | "roll-back" | "set-lands" };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("mine" as const), seconds: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("obey" as const) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom("shares" as const, "signs" as const, "opens" as const),
      place: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("lands" as const, "declines" as const, "commits" as const),
      place: fc.nat(3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("restart" as const, "roll-back" as const, "set-lands" as const) }),
  },
);

describe("every history with sets", () => {
  const play = (subject: Subject, step: Step, withShadow: boolean): void => {
    const { world } = subject;
    const facts = world.factsAt();
    const set = world.setOf(withShadow ? [0, 1, 2, 3] : [0, 1, 2]);
    const isOpen = facts !== undefined && facts.settled === undefined;
    const isCommitting = world.statusAt() === JobStatus.Committing;
    if ("place" in step && step.place === world.own && step.do !== "lands") return;
    switch (step.do) {
      case "mine":
        subject.mine([], world.now + step.seconds);
        return;
      case "obey":
        obeys(subject);
        return;
      case "shares":
        shares(subject, step.place);
        return;
      case "commits":
        commits(subject, step.place);
        return;
      case "signs":
        signs(subject, step.place, set);
        return;
      case "opens":
        opens(subject, step.place);
        return;
      case "lands":
        if (isOpen && isCommitting && !facts.committed.includes(step.place) && !facts.declined.includes(step.place))
          subject.mine([world.committed(step.place)]);
        return;
      case "declines":
        if (isOpen && isCommitting && !facts.committed.includes(step.place) && !facts.declined.includes(step.place))
          subject.mine([
            { eventName: "SeatDeclined", args: { provider: world.places[step.place]?.provider, place: step.place } },
          ]);
        return;
      case "set-lands":
        if (isOpen && !facts.bySet && world.now + 12 < facts.openedAt + WINDOW) subject.mine([world.setPlaced(set)]);
        return;
      case "restart":
        subject.restart();
        return;
      case "roll-back":
        subject.record(world.rollBack(1));
        subject.send({ type: "chain", horizons: subject.horizons() });
        return;
      default:
        step satisfies never;
    }
  };

  for (const own of [0, 3]) {
    it(`signs one set, and shows nothing to one that has not signed, at place ${own}`, () => {
      fc.assert(
        fc.property(fc.array(steps, { minLength: 8, maxLength: 60 }), fc.boolean(), (history, withShadow) => {
          const subject = seated(worldOf({ own, shadows: 1 }));
          subject.vote();
          const { world } = subject;
          const sets = new Set<string>();
          for (const step of history) {
            play(subject, step, withShadow);
            const { effects, state } = subject;
            const job = state.jobs.get(world.jobId);
            const facts = world.factsAt();
            const { head, final } = state.horizons ?? {};
            if (job?.set !== undefined) sets.add(JSON.stringify(job.set.commitments));
            assert.ok(sets.size <= 1, "two sets");
            assert.equal(new Set(effects.map(({ key }) => key)).size, effects.length, "keys are distinct");
            for (const effect of effects) {
              if (effect.type === "fix-set") assert.equal(job?.set, undefined);
              const isRevealed = final !== undefined && world.statusAt(final.number) >= JobStatus.Revealing;
              if (effect.type === "publish-opening" && !isRevealed) {
                const members = (job?.set?.commitments ?? []).flatMap((found, place) =>
                  found === testHash(0) ? [] : [place],
                );
                const signed = members.filter((place) =>
                  job?.peers.sets[place]?.some(
                    ({ commitments }) => String(commitments) === String(job.set?.commitments),
                  ),
                );
                assert.deepEqual([...signed, own].sort(), [...members], "shown without all signatures");
                assert.ok((head?.timestamp ?? 0) < (facts?.openedAt ?? 0) + WINDOW / 2, "shown too late");
              }
              if (effect.type === "publish-opening" && !isRevealed)
                assert.ok(job?.commitmentPublishedAt === undefined && !facts?.committed.includes(own), "a hostage");
              const shownAt = job?.openingPublishedAt;
              const half = shownAt === undefined ? 0 : (shownAt + (facts?.openedAt ?? 0) + WINDOW) / 2;
              const isGiven =
                effect.type === "publish-commitment" ||
                (effect.type === "transact" && ["commit", "carry-commitments"].includes(effect.duty));
              if (isGiven && facts?.bySet === false)
                assert.ok((head?.timestamp ?? 0) >= half - 1, "given out too early");
              if (effect.type === "transact" && effect.call.name === "revealSet") {
                assert.equal(facts?.bySet, false);
                assert.deepEqual(effect.call.landed, facts?.commitments);
                if (shownAt !== undefined) assert.equal(effect.call.opensOwn, true);
              }
              if (effect.type === "transact" && effect.duty === "carry-commitments")
                assert.ok(
                  (head?.timestamp ?? 0) >= (facts?.openedAt ?? 0) + WINDOW / 2 ||
                    facts?.declined.some((place) => place < 3),
                  "a carrier before the set's time is over",
                );
            }
          }
        }),
        { numRuns: 100 },
      );
    });
  }

  it("always has a way to the chain: a vote on no chain is committed before its window ends", () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 40 }), fc.boolean(), (history, withShadow) => {
        const subject = seated(worldOf({ own: 0, shadows: 1 }));
        subject.vote(testHash(0xa), Outcome.Ok);
        for (const step of history) play(subject, step, withShadow);
        const { world } = subject;
        const facts = world.factsAt();
        if (facts === undefined || facts.bySet || facts.committed.includes(0)) return;
        const late = facts.openedAt + WINDOW - 1;
        if (world.now >= late) return;
        subject.mine([], late);
        if (world.statusAt() === JobStatus.Committing) assert.ok(subject.transaction("commit"));
      }),
      { numRuns: 100 },
    );
  });
});
