import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { declineDeadline, type Hex, JobStatus, Outcome } from "@quorate/core";
import { testHash } from "@quorate/testkit";
import fc from "fast-check";
import { CONFIRMATIONS, FINALITY, Subject, seated } from "../testing/subject.ts";
import { World } from "../testing/world.ts";
import { type Effect, reportTime, wantedEffects } from "./effects.ts";
import { type JournalEntry, journalSteps, stepOf } from "./journal-entry.ts";
import type { Horizons } from "./state.ts";
import { MAX_ATTEMPTS } from "./view.ts";

/** All commitments on chain and final; the agent's vote is fixed. */
function revealing(world: World = new World()): Subject {
  const subject = seated(world);
  subject.vote();
  subject.mine([0, 1, 2].map((place) => world.committed(place)));
  return subject;
}

describe("an offer", () => {
  it("is published until a relay has it, and never after its expiry", () => {
    const subject = new Subject(new World());
    subject.record(subject.world.offerFixed());
    subject.mine();
    assert.deepEqual(subject.types(), ["publish-offer"]);
    subject.mine([], subject.world.now + 600);
    assert.deepEqual(subject.types(), []);
  });

  it("that nobody opened is closed when its expiry is final, not before", () => {
    const subject = new Subject(new World());
    subject.record(subject.world.offerFixed());
    subject.mine([], subject.world.now + 600);
    subject.bury(FINALITY - 1);
    assert.deepEqual(subject.types(), []);
    subject.mine();
    assert.equal(subject.find("close")?.why, "offer-expired");
  });

  it("for a job that was opened with others is closed when that is final", () => {
    const world = new World();
    const subject = new Subject(world);
    subject.record(world.offerFixed());
    const strangers = world.places.map(({ price }, place) => ({
      provider: world.places[place === 0 ? 1 : place]?.provider,
      price,
    }));
    const opened = world.opened();
    subject.mine([{ ...opened, args: { ...opened.args, places: strangers } }]);
    assert.deepEqual(subject.types(), []);
    subject.bury();
    assert.equal(subject.find("close")?.why, "not-chosen");
  });
});

describe("a seat", () => {
  it("is acted on with the policy's confirmations and not before", () => {
    const world = new World();
    const subject = new Subject(world);
    subject.record(world.offerFixed());
    subject.record({ kind: "offer-published", jobId: world.jobId, at: world.now });
    subject.mine([world.opened()]);
    assert.deepEqual(subject.types(), ["follow-messages"]);
    subject.mine();
    assert.deepEqual(subject.types(), ["follow-messages"]);
    subject.mine();
    assert.deepEqual(subject.types(), ["follow-messages", "judge-panel"]);
  });

  it("answers when the panel fits, and declines in the first quarter when it does not", () => {
    assert.deepEqual(seated().types(), ["answer", "follow-messages"]);
    const world = new World();
    const subject = new Subject(world);
    subject.record(world.offerFixed());
    subject.mine([world.opened()]);
    subject.bury(CONFIRMATIONS);
    subject.record({ kind: "panel-judged", jobId: world.jobId, at: world.now, stays: false, reasons: [] });
    const facts = world.factsAt();
    assert(facts !== undefined);
    assert.equal(subject.transaction("decline")?.validUntil, declineDeadline(facts, 0));
    assert.equal(subject.find("answer"), undefined);
  });

  it("answers after all when its decline did not land in the first quarter", () => {
    const world = new World();
    const subject = new Subject(world);
    subject.record(world.offerFixed());
    subject.mine([world.opened()]);
    subject.bury(CONFIRMATIONS);
    subject.record({ kind: "panel-judged", jobId: world.jobId, at: world.now, stays: false, reasons: [] });
    subject.mine([], world.now + 100);
    assert.equal(subject.transaction("decline"), undefined);
    assert.ok(subject.find("answer"));
  });

  it("reports at three quarters of its window, and does nothing once it is late", () => {
    const subject = seated();
    const openedAt = subject.world.factsAt()?.openedAt ?? 0;
    subject.mine([], reportTime(openedAt, 400) - 1);
    assert.ok(subject.find("answer"));
    subject.mine([], reportTime(openedAt, 400));
    assert.ok(subject.find("report"));
    assert.equal(subject.find("answer"), undefined);
    subject.mine([], openedAt + 400);
    assert.equal(subject.find("report"), undefined);
  });

  it("whose offer is not in the journal waits for the report: another computer may hold the key", () => {
    const world = new World();
    const subject = new Subject(world);
    subject.mine([world.opened()]);
    subject.bury(CONFIRMATIONS);
    subject.record({ kind: "panel-judged", jobId: world.jobId, at: world.now, stays: true, reasons: [] });
    assert.deepEqual(subject.types(), ["follow-messages"]);
    subject.mine([], (world.factsAt()?.openedAt ?? 0) + 300);
    assert.ok(subject.find("report"));
  });

  it("that finds its own commitment on chain without a vote in the journal looks for that very answer", () => {
    const subject = seated();
    subject.mine([subject.world.committed(0)]);
    assert.deepEqual(subject.find("answer")?.seen, [subject.world.commitmentOf(0)]);
  });

  it("as a spare waits until it is promoted, with the promotion confirmed", () => {
    const world = new World({ own: 3, spares: 1 });
    const subject = seated(world);
    assert.deepEqual(subject.types(), ["follow-messages"]);
    subject.mine([{ eventName: "SeatDeclined", args: { provider: world.places[1]?.provider, place: 1 } }]);
    subject.mine([
      { eventName: "SparePromoted", args: { provider: world.places[3]?.provider, spare: 3, seat: 1, deadline: 0 } },
    ]);
    assert.equal(subject.find("answer"), undefined);
    subject.bury(CONFIRMATIONS);
    assert.ok(subject.find("answer"));
  });

  it("that was given to a spare wants nothing any more", () => {
    const world = new World({ own: 0, spares: 1 });
    const subject = seated(world);
    const opened = world.factsAt()?.openedAt ?? 0;
    subject.mine([], opened + 400);
    subject.mine([
      { eventName: "SparePromoted", args: { provider: world.places[3]?.provider, spare: 3, seat: 0, deadline: 0 } },
    ]);
    assert.deepEqual(subject.types(), ["follow-messages"]);
  });
});

describe("a commitment", () => {
  it("is published at once and sent by the seat itself at half of what remained of its window", () => {
    const subject = seated();
    subject.vote();
    const votedAt = subject.world.now;
    const deadline = (subject.world.factsAt()?.openedAt ?? 0) + 400;
    const half = votedAt + Math.floor((deadline - votedAt) / 2);
    assert.deepEqual(subject.types(), ["follow-messages", "publish-commitment"]);
    subject.mine([], half - 1);
    assert.equal(subject.transaction("commit"), undefined);
    subject.mine([], half);
    assert.equal(subject.transaction("commit")?.validUntil, deadline);
  });

  it("that is on chain is not sent again, and is sent again when its block is taken back", () => {
    const subject = seated();
    subject.vote();
    subject.mine([], subject.world.now + 250);
    assert.ok(subject.transaction("commit"));
    subject.mine([subject.world.committed(0)]);
    assert.equal(subject.transaction("commit"), undefined);
    subject.record(subject.world.rollBack(1));
    subject.send({ type: "chain", horizons: subject.horizons() });
    assert.ok(subject.transaction("commit"));
  });

  it("of a shadow is sent at once: the chain does not wait for it", () => {
    const subject = seated(new World({ own: 3, shadows: 1 }));
    subject.vote();
    assert.ok(subject.transaction("commit"));
  });

  it("is carried with all others by one place at a time, shadows first", () => {
    const turns = [0, 1, 2].map((own) => {
      const world = new World({ own, shadows: 1 });
      const subject = seated(world);
      subject.vote();
      for (const place of [0, 1, 2, 3]) {
        if (place === own) continue;
        const commitment = { place, commitment: world.commitmentOf(place), signature: "0x01" as const };
        subject.send({ type: "peer-commitment", jobId: world.jobId, commitment });
      }
      const isFirst = subject.transaction("carry-commitments") !== undefined;
      subject.mine();
      subject.mine();
      subject.mine();
      const { call } = subject.transaction("carry-commitments") ?? {};
      assert(call?.name === "commitBySig");
      assert.equal(call.others[0]?.place, 3);
      assert.deepEqual([...call.others.map(({ place }) => place), call.ownPlace].sort(), [0, 1, 2, 3]);
      return isFirst;
    });
    assert.deepEqual(turns.filter(Boolean).length, 1);
  });

  it("of a peer that a mined call carried without effect is not carried again", () => {
    const world = new World({ own: 0 });
    const subject = seated(world);
    subject.vote();
    for (const place of [1, 2]) {
      const commitment = { place, commitment: world.commitmentOf(place), signature: "0x01" as const };
      subject.send({ type: "peer-commitment", jobId: world.jobId, commitment });
    }
    let attempts = 0;
    for (let block = 0; block < 40; block += 1) {
      if (subject.transaction("carry-commitments") !== undefined) {
        attempts += 1;
        const { jobId, now: at } = subject.world;
        const duty = "carry-commitments" as const;
        const key = `carry/${attempts}`;
        subject.record({ kind: "transaction-handed-over", jobId, at, duty, attempt: attempts, key });
        subject.record({ kind: "transaction-ended", jobId, at, duty, attempt: attempts, result: "mined" });
        // The chain skipped place 2: everybody else has committed.
        subject.mine([world.committed(0), world.committed(1)]);
      } else subject.mine();
    }
    assert.equal(attempts, 1);
  });

  it("waits a moment for a shadow, and then leaves without it", () => {
    const turns = [0, 1, 2].map((own) => {
      const world = new World({ own, shadows: 1 });
      const subject = seated(world);
      subject.vote();
      for (const place of [0, 1, 2]) {
        if (place === own) continue;
        const commitment = { place, commitment: world.commitmentOf(place), signature: "0x01" as const };
        subject.send({ type: "peer-commitment", jobId: world.jobId, commitment });
      }
      const completeAt = subject.world.now;
      let carriedAfter: number | undefined;
      for (let waited = 0; waited < 200 && carriedAfter === undefined; waited += 1) {
        if (subject.transaction("carry-commitments") !== undefined) carriedAfter = waited;
        subject.mine([], completeAt + waited + 1);
      }
      return carriedAfter ?? Number.POSITIVE_INFINITY;
    });
    assert.ok(
      Math.min(...turns) >= 10 && Math.min(...turns) <= 50,
      `the first carrier went after ${Math.min(...turns)} s`,
    );
  });

  it("is not carried while a weighted seat is missing", () => {
    const world = new World();
    const subject = seated(world);
    subject.vote();
    const commitment = { place: 1, commitment: world.commitmentOf(1), signature: "0x01" as const };
    subject.send({ type: "peer-commitment", jobId: world.jobId, commitment });
    subject.bury(10);
    assert.equal(subject.transaction("carry-commitments"), undefined);
  });
});

describe("an opening", () => {
  it("leaves only when revealing is final", () => {
    const subject = revealing();
    for (let depth = 0; depth < FINALITY; depth++) {
      assert.equal(subject.find("publish-opening"), undefined, `at depth ${depth}`);
      assert.equal(subject.world.statusAt(), JobStatus.Revealing);
      subject.mine();
    }
    assert.ok(subject.find("publish-opening"));
  });

  it("does not leave for a commitment that is not the journal's vote", () => {
    const world = new World();
    const subject = seated(world);
    subject.vote();
    subject.mine([world.committed(0, testHash(0xbad)), world.committed(1), world.committed(2)]);
    subject.bury(FINALITY + 1);
    assert.equal(subject.find("publish-opening"), undefined);
  });

  it("is carried with all others when they are there, and sent alone at half of the window", () => {
    const world = new World();
    const subject = revealing(world);
    subject.bury();
    subject.record({ kind: "opening-published", jobId: world.jobId, at: world.now });
    assert.equal(subject.transaction("carry-openings"), undefined);
    for (const place of [1, 2])
      subject.send({ type: "peer-opening", jobId: world.jobId, opening: world.openingOf(place) });
    subject.bury(6);
    const carried = subject.transaction("carry-openings")?.call;
    assert(carried?.name === "reveal");
    assert.deepEqual([carried.others.map(({ place }) => place), carried.ownPlace], [[1, 2], 0]);
    assert.deepEqual(
      carried.commitments.map(({ place }) => place),
      [0, 1, 2],
    );
    subject.restart();
    const revealAt = world.factsAt()?.lastCommitAt ?? 0;
    subject.mine([], revealAt + 200);
    const alone = subject.transaction("reveal")?.call;
    assert(alone?.name === "reveal");
    assert.deepEqual([alone.others, alone.ownPlace], [[], 0]);
  });

  it("of a peer that does not open the commitment on chain is never carried", () => {
    const world = new World();
    const subject = revealing(world);
    subject.bury();
    for (const place of [1, 2])
      subject.send({
        type: "peer-opening",
        jobId: world.jobId,
        opening: { ...world.openingOf(place), salt: testHash(99) },
      });
    subject.bury(10);
    assert.equal(subject.transaction("carry-openings"), undefined);
  });
});

describe("promotion and settlement", () => {
  it("are taken by every place in its turn, promotion with confirmed vacancy only", () => {
    const world = new World({ own: 0, spares: 1 });
    const subject = seated(world);
    subject.vote();
    subject.mine([{ eventName: "SeatDeclined", args: { provider: world.places[1]?.provider, place: 1 } }]);
    assert.equal(subject.transaction("promote"), undefined);
    subject.bury(8);
    assert.ok(subject.transaction("promote"));
    subject.mine([
      { eventName: "SparePromoted", args: { provider: world.places[3]?.provider, spare: 3, seat: 1, deadline: 0 } },
    ]);
    assert.equal(subject.transaction("promote"), undefined);
  });

  it("settle when the reveal window is over and nobody did", () => {
    const subject = revealing();
    subject.bury();
    subject.mine([], subject.world.now + 400);
    subject.bury(6);
    assert.ok(subject.transaction("settle"));
    assert.equal(subject.transaction("reveal"), undefined);
  });

  it("are not tried for ever", () => {
    const subject = revealing();
    subject.bury();
    subject.mine([], subject.world.now + 400);
    const { jobId } = subject.world;
    let attempts = 0;
    for (let round = 0; round < 100; round++) {
      const effect = subject.transaction("settle");
      if (effect !== undefined) {
        attempts += 1;
        assert.equal(effect.attempt, attempts);
        const { attempt, key } = effect;
        subject.record({ kind: "transaction-handed-over", jobId, at: subject.world.now, duty: "settle", attempt, key });
        assert.equal(subject.transaction("settle"), undefined);
        assert.equal(subject.find("watch-transaction")?.transactionKey, key);
        subject.record({
          kind: "transaction-ended",
          jobId,
          at: subject.world.now,
          duty: "settle",
          attempt,
          result: "reverted",
        });
      }
      subject.mine([], subject.world.now + 60);
    }
    assert.equal(attempts, MAX_ATTEMPTS);
  });
});

describe("a result", () => {
  it("leaves only when q equal openings with its own among them are final", () => {
    const world = new World();
    const subject = revealing(world);
    subject.mine([world.revealed(1), world.revealed(2)]);
    subject.bury();
    assert.equal(subject.find("deliver"), undefined, "its own is not open");
    subject.mine([world.revealed(0)]);
    subject.bury(FINALITY - 1);
    assert.equal(subject.find("deliver"), undefined, "its own is not final");
    subject.mine();
    assert.ok(subject.find("deliver"));
  });

  it("does not leave when its own opening is not equal", () => {
    const world = new World();
    const subject = revealing(world);
    const other = { ...world.openingOf(2), resultHash: testHash(0xb) };
    subject.mine([world.revealed(0), { eventName: "CommitmentOpened", args: { ...other, place: 1 } }]);
    subject.mine([{ eventName: "CommitmentOpened", args: other }]);
    subject.bury();
    assert.equal(subject.find("deliver"), undefined);
  });

  it("is kept for the retention, uploaded again when asked, and then the job closes without its keys", () => {
    const world = new World();
    const subject = revealing(world);
    const { jobId } = world;
    subject.mine([0, 1, 2].map((place) => world.revealed(place)));
    subject.mine([
      {
        eventName: "JobSettled",
        args: {
          status: JobStatus.Accepted,
          outcome: Outcome.Ok,
          resultHash: testHash(0xa),
          carrier: world.places[1]?.provider,
          refunded: 0n,
          burnt: 0n,
          results: world.places.map(({ price }) => ({ verdict: 1, paid: price })),
        },
      },
    ]);
    const settledAt = world.now;
    subject.bury();
    assert.deepEqual(subject.types(), ["deliver", "delete-keys"].sort());
    subject.record({ kind: "result-delivered", jobId, at: world.now, bytes: 10 });
    subject.record({ kind: "keys-deleted", jobId, at: world.now });
    assert.deepEqual(subject.types(), []);
    subject.mine();
    subject.send({ type: "redelivery-asked", jobId, askedAt: 5 });
    subject.mine();
    assert.equal(subject.find("deliver")?.askedAt, 5);
    subject.record({ kind: "result-redelivered", jobId, at: world.now, askedAt: 5 });
    subject.send({ type: "redelivery-asked", jobId, askedAt: 5 });
    subject.mine([], world.now + 60);
    assert.equal(subject.find("deliver"), undefined, "one request is served once");
    subject.mine([], settledAt + 1000);
    assert.equal(subject.find("close")?.why, "settled");
    subject.record({ kind: "job-closed", jobId, at: world.now, why: "settled" });
    assert.equal(subject.state.jobs.size, 0);
  });
});

describe("rollbacks", () => {
  it("take facts with their blocks, and the judgement of a panel that is gone", () => {
    const subject = seated();
    subject.vote();
    subject.record({ kind: "commitment-published", jobId: subject.world.jobId, at: subject.world.now });
    subject.record(subject.world.rollBack(3));
    subject.send({ type: "chain", horizons: subject.horizons() });
    assert.deepEqual(subject.types(), []);
    subject.mine([subject.world.opened()]);
    subject.bury(CONFIRMATIONS);
    assert.ok(subject.find("judge-panel"));
    assert.ok(subject.find("publish-commitment"), "the new panel needs the message again");
    assert.equal(subject.find("answer"), undefined, "the vote stands");
  });
});

describe("the journal", () => {
  it("has every step in its closed list, once", () => {
    assert.equal(new Set(journalSteps).size, journalSteps.length);
    const entry: JournalEntry = { kind: "keys-deleted", jobId: testHash(1), at: 0 };
    assert.ok(journalSteps.includes(stepOf(entry)));
    assert.equal(journalSteps.length, 14 + 7 + 8 + 8);
  });
});

/** One thing that happens to the agent in a random history. */
type Step =
  | { readonly do: "mine"; readonly seconds: number }
  | { readonly do: "peer-commits" | "peer-opens" | "peer-declines"; readonly place: number }
  | { readonly do: "perform"; readonly pick: number; readonly lands: boolean }
  | { readonly do: "promote" | "restart" | "duplicate" | "settle" }
  | { readonly do: "roll-back"; readonly count: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("mine" as const), seconds: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("perform" as const), pick: fc.nat(20), lands: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("peer-commits" as const, "peer-opens" as const, "peer-declines" as const),
      place: fc.integer({ min: 0, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("promote", "restart", "duplicate", "settle").map((name) => name as "promote"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("roll-back" as const), count: fc.integer({ min: 1, max: FINALITY }) }),
  },
);

describe("every history", () => {
  const run = (own: number, history: readonly Step[]): Subject => {
    const world = new World({ own, spares: 1, shadows: 1 });
    const subject = new Subject(world);
    subject.record(world.offerFixed());
    subject.mine([world.opened()]);
    const commitments = new Set<Hex>();
    let _sinceFinal = 0;
    for (const step of history) {
      play(subject, step, () => {
        _sinceFinal = 0;
      });
      _sinceFinal += 1;
      check(subject, commitments);
    }
    return subject;
  };

  /** What must hold after each step, whatever happened before. */
  const check = (subject: Subject, commitments: Set<Hex>): void => {
    const { world, effects, state } = subject;
    const vote = state.jobs.get(world.jobId)?.vote;
    if (vote !== undefined) commitments.add(vote.commitment);
    assert.ok(commitments.size <= 1, "two votes");
    assert.equal(new Set(effects.map(({ key }) => key)).size, effects.length, "keys are distinct");
    const { final, confirmed, head } = state.horizons as Horizons;
    const finalStatus = final === undefined ? JobStatus.None : world.statusAt(final.number);
    const facts = world.factsAt();
    for (const effect of effects) {
      const opens =
        effect.type === "publish-opening" ||
        (effect.type === "transact" && effect.call.name === "reveal" && effect.call.ownPlace !== undefined);
      if (opens) assert.ok(finalStatus >= JobStatus.Revealing, "an opening before revealing is final");
      if (effect.type === "answer" || effect.type === "report") assert.equal(vote, undefined, "a second answer");
      if (effect.type === "answer" || effect.type === "report" || effect.type === "judge-panel")
        assert.notEqual(confirmed === undefined ? undefined : world.factsAt(confirmed.number), undefined, "below c");
      if (effect.type === "deliver")
        assert.ok((world.factsAt(final?.number)?.openings.length ?? 0) >= world.request.quorum, "a result too early");
      if (effect.type === "transact" && effect.duty === "commit") {
        assert.ok(!facts?.committed.includes(world.own) && head.timestamp < effect.validUntil, "a useless commit");
        assert.equal(world.statusAt(), JobStatus.Committing);
      }
    }
    // Liveness: a confirmed seat with a judged panel and time left is never idle.
    const job = state.jobs.get(world.jobId);
    const isSeat = world.own < 3 && !facts?.promotions.some(({ seat }) => seat === world.own);
    const confirmedFacts = confirmed === undefined ? undefined : world.factsAt(confirmed.number);
    const inTime =
      facts !== undefined && head.timestamp < facts.openedAt + 400 && world.statusAt() === JobStatus.Committing;
    const isFree = !facts?.declined.includes(world.own) && !facts?.committed.includes(world.own);
    if (isSeat && confirmedFacts !== undefined && job?.panel !== undefined && vote === undefined && inTime && isFree)
      assert.ok(
        effects.some(({ type }) => type === "answer" || type === "report") || job.panel.stays === false,
        "a seat without a vote is idle",
      );
  };

  const play = (subject: Subject, step: Step, onRollback: () => void): void => {
    const { world } = subject;
    const facts = world.factsAt();
    const status = world.statusAt();
    switch (step.do) {
      case "mine":
        subject.mine([], world.now + step.seconds);
        return;
      case "peer-commits": {
        const isOpen = status === JobStatus.Committing && facts !== undefined && step.place !== world.own;
        if (isOpen && !facts.committed.includes(step.place) && !facts.declined.includes(step.place))
          subject.mine([world.committed(step.place)]);
        return;
      }
      case "peer-declines":
        if (facts !== undefined && status === JobStatus.Committing && step.place !== world.own) {
          if (!facts.committed.includes(step.place) && !facts.declined.includes(step.place))
            subject.mine([
              { eventName: "SeatDeclined", args: { provider: world.places[step.place]?.provider, place: step.place } },
            ]);
        }
        return;
      case "peer-opens":
        if (facts?.committed.includes(step.place) === true && step.place !== world.own) {
          subject.send({ type: "peer-opening", jobId: world.jobId, opening: world.openingOf(step.place) });
          const isOpen = facts.openings.some(({ place }) => place === step.place);
          if (status === JobStatus.Revealing && !isOpen) subject.mine([world.revealed(step.place)]);
        }
        return;
      case "promote":
        if (facts !== undefined && status === JobStatus.Committing && facts.promotions.length === 0)
          subject.mine([
            {
              eventName: "SparePromoted",
              args: { provider: world.places[3]?.provider, spare: 3, seat: 1, deadline: 0 },
            },
          ]);
        return;
      case "settle":
        if (status === JobStatus.Settleable && facts?.settled === undefined)
          subject.mine([
            {
              eventName: "JobSettled",
              args: {
                status: JobStatus.Inconclusive,
                outcome: 0,
                resultHash: testHash(0),
                carrier: world.places[1]?.provider,
                refunded: 0n,
                burnt: 0n,
                results: world.places.map(() => ({ verdict: 0, paid: 0n })),
              },
            },
          ]);
        return;
      case "restart":
        subject.restart();
        return;
      case "duplicate":
        // The follower gives every block once; facts of blocks that are gone never come back.
        for (const entry of subject.journal.slice(-3)) {
          const isGone =
            entry.kind === "chain-fact" && !world.blocks.some(({ hash }) => hash === entry.fact.block.hash);
          if (!isGone && entry.kind !== "chain-rolled-back") subject.record(entry);
        }
        return;
      case "roll-back":
        onRollback();
        // Never deeper than what was called final.
        subject.record(world.rollBack(Math.min(step.count, FINALITY)));
        subject.send({ type: "chain", horizons: subject.horizons() });
        return;
      case "perform":
        perform(subject, step.pick, step.lands);
        return;
      default:
        step satisfies never;
    }
  };

  /** Does one of the wanted effects, as the runtime would. */
  const perform = (subject: Subject, pick: number, lands: boolean): void => {
    const { world, effects } = subject;
    const effect = effects[pick % Math.max(1, effects.length)];
    if (effect === undefined) return;
    const base = { jobId: world.jobId, at: world.now };
    switch (effect.type) {
      case "judge-panel":
        subject.record({ ...base, kind: "panel-judged", stays: lands || pick > 2, reasons: [] });
        return;
      case "answer":
        subject.vote(testHash(0xa));
        return;
      case "report":
        subject.vote(testHash(0xa));
        return;
      case "publish-offer":
        subject.record({ ...base, kind: "offer-published" });
        return;
      case "publish-commitment":
        subject.record({ ...base, kind: "commitment-published" });
        return;
      case "publish-opening":
        subject.record({ ...base, kind: "opening-published" });
        return;
      case "transact": {
        const { duty, attempt, key } = effect;
        subject.record({ ...base, kind: "transaction-handed-over", duty, attempt, key });
        if (duty === "commit" && lands) subject.mine([world.committed(world.own, subject.fixed?.commitment)]);
        if ((duty === "reveal" || duty === "carry-openings") && lands && world.statusAt() === JobStatus.Revealing)
          subject.mine([world.revealed(world.own)]);
        return;
      }
      case "watch-transaction": {
        const { duty, attempt } = effect;
        subject.record({
          ...base,
          kind: "transaction-ended",
          duty,
          attempt,
          result: lands ? "mined" : "reverted",
        });
        return;
      }
      case "deliver":
        subject.record({ ...base, kind: "result-delivered", bytes: 1 });
        return;
      case "delete-keys":
        subject.record({ ...base, kind: "keys-deleted" });
        return;
      case "publish-set-commitment":
        subject.record({ ...base, kind: "set-commitment-published" });
        return;
      case "fix-set":
        subject.record({ ...base, kind: "set-fixed", commitments: effect.commitments });
        return;
      case "publish-set-signature":
        subject.record({ ...base, kind: "set-signature-published" });
        return;
      case "follow-messages":
      case "close":
        return;
      default:
        effect satisfies never;
    }
  };

  it("found by chance: a rollback of facts that came twice leaves none of them", () => {
    const history: Step[] = [
      { do: "promote" },
      { do: "mine", seconds: 1 },
      { do: "roll-back", count: 4 },
      { do: "promote" },
      { do: "duplicate" },
      { do: "promote" },
      { do: "perform", pick: 0, lands: false },
      { do: "roll-back", count: 1 },
      { do: "perform", pick: 0, lands: false },
    ];
    for (const own of [0, 3, 4]) assert.equal(run(own, history).state.jobs.size, 1);
  });

  for (const own of [0, 3, 4]) {
    it(`keeps one vote, opens after finality and never idles before the deadline, at place ${own}`, () => {
      fc.assert(
        fc.property(fc.array(steps, { minLength: 5, maxLength: 80 }), (history) => {
          run(own, history);
        }),
        { numRuns: 300 },
      );
    });
  }

  it("replayed from its journal wants the same as without a crash", () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 5, maxLength: 60 }), (history) => {
        const subject = run(0, history);
        const durable = (effects: readonly Effect[]): string[] =>
          effects
            // What relays said is read from them again; carrying waits for that.
            .filter(
              (effect) => effect.type !== "transact" || !["carry-openings", "carry-commitments"].includes(effect.duty),
            )
            .map(({ key }) => key)
            .sort();
        const before = durable(wantedEffects(subject.state, subject.world.settings));
        subject.restart();
        assert.deepEqual(durable(subject.effects), before);
      }),
      { numRuns: 200 },
    );
  });
});
