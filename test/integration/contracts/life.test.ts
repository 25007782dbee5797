// Whole lives of jobs on the chain, with random schedules: core predicts every refusal, status, verdict and balance.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  chainCommitments,
  Flag,
  type Hex,
  hashTerms,
  type JobFacts,
  JobStatus,
  leastQuorum,
  type Opening,
  Outcome,
  openingOf,
  panelOf,
  promotionDeadline,
  statusAt,
  ZERO_HASH,
} from "@quorate/core";
import { testHash } from "@quorate/testkit";
import type { ContractTransactionResponse } from "ethers";
import fc from "fast-check";
import { errorOf, marketEvents, mined, plain, TestMarket } from "./support/market.ts";
import {
  CommitmentFault,
  commitFault,
  declineError,
  Model,
  openingFault,
  promoteError,
  statusError,
} from "./support/model.ts";

const SEED = 20_261_122;
const RUNS = 80;

type Action = "commit" | "carry" | "decline" | "promote" | "reveal" | "settle";

/** What somebody does, and how far ahead of the last block. `edge` picks a deadline to hit, before, at or after it. */
type Step = {
  readonly action: Action;
  readonly place: number;
  readonly jump: { readonly seconds: number } | { readonly edge: number; readonly offset: -1 | 0 | 1 } | "revealing";
};

const jump: fc.Arbitrary<Step["jump"]> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ seconds: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ edge: fc.nat(9), offset: fc.constantFrom(-1 as const, 0 as const, 1 as const) }),
  },
);
const stepOf = (...actions: readonly Action[]): fc.Arbitrary<Step> =>
  fc.record({ action: fc.constantFrom(...actions), place: fc.nat(9), jump });

/** Mostly what belongs to a phase, in its time; now and then anything. */
const steps: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 8, arbitrary: stepOf("commit", "carry", "carry", "decline", "promote") },
        { weight: 1, arbitrary: stepOf("reveal", "settle") },
      ),
      { minLength: 2, maxLength: 14 },
    ),
    fc.record({ action: fc.constant("reveal" as const), place: fc.nat(9), jump: fc.constant("revealing" as const) }),
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: stepOf("reveal") },
        { weight: 1, arbitrary: stepOf("commit", "carry", "decline", "promote", "settle") },
      ),
      { minLength: 2, maxLength: 8 },
    ),
  )
  .map(([committing, first, revealing]) => [...committing, first, ...revealing]);

const schedule = fc
  .record({
    seats: fc.integer({ min: 2, max: 5 }),
    spares: fc.integer({ min: 0, max: 2 }),
    shadows: fc.integer({ min: 0, max: 1 }),
    strict: fc.constantFrom(true, false, false, false),
    bond: fc.constantFrom(0n, 1n, 500_000n),
    calloutBps: fc.integer({ min: 0, max: 5_000 }),
    standbyBps: fc.integer({ min: 0, max: 10_000 }),
    commitWindow: fc.integer({ min: 300, max: 900 }),
    revealWindow: fc.integer({ min: 300, max: 900 }),
    prices: fc.array(fc.bigInt({ min: 0n, max: 1_000_000n }), { minLength: 8, maxLength: 8 }),
    answers: fc.array(fc.constantFrom(...Array<number>(14).fill(0), 1, 1, 2, 3, 3, 4), { minLength: 8, maxLength: 8 }),
    first: fc.nat(15),
    steps,
  })
  .map((drawn) => ({ ...drawn, quorum: drawn.strict ? drawn.seats : leastQuorum(drawn.seats) }));
type Schedule = typeof schedule extends fc.Arbitrary<infer Drawn> ? Drawn : never;

const answers: readonly { outcome: number; resultHash: Hex }[] = [
  { outcome: Outcome.Ok, resultHash: testHash(0xa) },
  { outcome: Outcome.Ok, resultHash: testHash(0xb) },
  { outcome: Outcome.Failed, resultHash: testHash(0xa) },
  { outcome: Outcome.Report, resultHash: ZERO_HASH },
  { outcome: 200, resultHash: ZERO_HASH },
];

describe("random schedules", () => {
  let chain: TestMarket;
  let model: Model;

  before(async () => {
    chain = await TestMarket.create();
    model = new Model(await chain.accounts());
  });

  /** Everything that the chain shows is what core says. */
  async function assertAgreement(facts: JobFacts): Promise<void> {
    const now = await chain.now();
    const terms = plain(facts.terms);
    const view = statusAt(facts, now);
    const [status, revealAt, revealDeadline] = (await chain.market.statusOf(facts.jobId, terms)).map(Number);
    assert.equal(status, view.status, `status at ${now - facts.openedAt} s`);
    if (facts.settled === undefined) {
      assert.deepEqual([revealAt, revealDeadline], [view.revealAt, view.revealDeadline]);
      const word = await chain.market.commitmentChainOf(facts.jobId, hashTerms(facts.terms));
      assert.equal(word, chainCommitments(facts.jobId, facts.commitments));
    }
    const accounts = await chain.accounts();
    for (const [owner, balance] of Object.entries(accounts)) {
      assert.deepEqual(balance, model.balance(owner), `balance of ${owner}`);
    }
    assert.equal(await chain.market.burnt(chain.token.target), model.burnt);
    await chain.assertConservation(model.escrow, model.quarantine, accounts);
  }

  function timeOf({ jump }: Step, facts: JobFacts, now: number): number {
    if (jump === "revealing") return Math.max(now + 1, statusAt(facts, now).revealAt);
    if ("seconds" in jump) return now + jump.seconds;
    const { revealAt, revealDeadline } = statusAt(facts, now);
    const quarter = facts.openedAt + Math.floor(facts.terms.commitWindow / 4);
    const edges = [...panelOf(facts).deadlines, promotionDeadline(facts), revealAt, revealDeadline, quarter];
    return Math.max(now + 1, (edges[jump.edge % edges.length] as number) + jump.offset);
  }

  async function run(drawn: Schedule): Promise<void> {
    const { first, prices, steps: drawnSteps, answers: chosen, strict: _, ...fields } = drawn;
    const request = chain.request({ ...fields, flags: Flag.AcceptProbation, carrierFee: 10_001n });
    const providers = [...chain.providers.slice(first), ...chain.providers.slice(0, first)];
    let facts = await chain.open(request, { price: (place) => prices[place] as bigint, providers });
    model.open(facts);
    await assertAgreement(facts);

    const voteOf = (place: number) => {
      const { outcome, resultHash } = answers[chosen[place] as number] as (typeof answers)[number];
      return chain.vote(facts, place, outcome, resultHash);
    };
    const market = (wallet = chain.outsider) => chain.market.connect(wallet);

    /** Sends at a time; the call has to succeed or fail as predicted. */
    async function send(
      at: number,
      predicted: string | undefined,
      call: () => Promise<ContractTransactionResponse>,
    ): Promise<boolean> {
      await chain.nextAt(at);
      if (predicted === undefined) {
        facts = await chain.follow(facts, call());
        return true;
      }
      assert.equal((await errorOf(call())).name, predicted);
      await chain.mineAt(at);
      return false;
    }

    async function settleIfDone(before: JobFacts, carrier: string): Promise<void> {
      if (facts.settled === undefined) return;
      const { settledAt, carrier: paidTo, ...settled } = facts.settled;
      const { status, outcome, resultHash, results, refunded, burnt } = model.settle(before, carrier, settledAt);
      assert.deepEqual(settled, { status, outcome, resultHash, results, refunded, burnt });
      assert.equal(paidTo, carrier);
      for (const { provider } of facts.terms.places) {
        const found = await chain.market.standingOf(provider);
        const { probation, probationSince, lastFaultAt, alignedInRow } = model.standing(provider);
        assert.deepEqual([found.probation, found.probationSince, found.lastFaultAt, found.alignedInRow].map(Number), [
          probation,
          probationSince,
          lastFaultAt,
          alignedInRow,
        ]);
        assert.equal(await chain.market.onProbation(provider), model.onProbation(provider, settledAt));
      }
    }

    async function perform(each: Step): Promise<void> {
      const terms = plain(facts.terms);
      const places = facts.terms.places.length;
      const place = each.place % places;
      const at = timeOf(each, facts, await chain.now());
      switch (each.action) {
        case "commit": {
          const provider = chain.providerAt(facts, place);
          const fault = commitFault(facts, place, at);
          await send(at, fault === undefined ? undefined : "CommitmentRefused", () =>
            market(provider).commit(facts.jobId, terms, place, chain.commitment(voteOf(place))),
          );
          return;
        }
        case "carry": {
          // Three items, whatever they are, and one that nobody signed: only what may land lands.
          const wanted = [place, (place + 1) % places, place, (place + 2) % places];
          const items = await Promise.all(
            wanted.map((target, index) =>
              chain.carried(
                facts,
                target,
                chain.commitment(voteOf(target)),
                index === 3 ? chain.outsider : chain.providerAt(facts, target),
              ),
            ),
          );
          await chain.nextAt(at);
          const receipt = await mined(market().commitBySig(facts.jobId, terms, items));
          const expected = wanted.map((target, index) => {
            const fault = commitFault(facts, target, at) ?? (index === 3 ? CommitmentFault.BadSignature : undefined);
            if (fault !== undefined) return ["CommitmentSkipped", target, fault];
            facts = foldCommit(facts, target, items[index]?.commitment as Hex, at);
            return ["CommitmentPlaced", target, items[index]?.commitment];
          });
          const found = marketEvents(receipt).map(({ event: { eventName, args } }) => [
            eventName,
            args.place,
            args.cause ?? args.commitment,
          ]);
          assert.deepEqual(found, expected);
          return;
        }
        case "decline": {
          const provider = chain.providerAt(facts, place);
          const declined = await send(at, declineError(facts, place, at), () =>
            market(provider).decline(facts.jobId, terms, place),
          );
          if (declined) model.decline(facts, place);
          return;
        }
        case "promote": {
          const { vacant, sparesLeft } = statusAt(facts, at);
          const known = facts.promotions.length;
          if (!(await send(at, promoteError(facts, at), () => market().promote(facts.jobId, terms)))) return;
          const expected = vacant
            .slice(0, sparesLeft.length)
            .map((seat, index) => ({ spare: sparesLeft[index], seat, promotedAt: at }));
          assert.deepEqual(facts.promotions.slice(known), expected);
          return;
        }
        case "reveal": {
          const before = facts;
          const targets = [place, (place + 1) % places, place];
          const openings: Opening[] = [
            ...targets.map((target) => openingOf(target, voteOf(target))),
            { ...openingOf((place + 2) % places, voteOf((place + 2) % places)), salt: testHash(1) },
            { ...openingOf(0, voteOf(0)), place: 99 },
          ];
          const predicted = statusError(facts, at, JobStatus.Revealing);
          await chain.nextAt(at);
          const call = () =>
            market(chain.carrier).reveal(facts.jobId, terms, plain(facts.commitments), plain(openings));
          if (predicted !== undefined) {
            await send(at, predicted, call);
            return;
          }
          const opened = new Set(facts.openings.map((opening) => opening.place));
          const expected = openings.map((opening, index) => {
            const fault = openingFault(before, opened, opening, index < 3);
            if (fault === undefined) opened.add(opening.place);
            return fault === undefined
              ? ["CommitmentOpened", opening.place, opening.salt]
              : ["OpeningSkipped", opening.place, fault];
          });
          const sent = call();
          facts = await chain.follow(facts, sent);
          const found = marketEvents(await mined(sent))
            .filter(({ event }) => /Opening|Opened/.test(event.eventName))
            .map(({ event: { eventName, args } }) => [eventName, args.place, args.cause ?? args.salt]);
          assert.deepEqual(found, expected);
          assert.equal(facts.settled !== undefined, opened.size > 0 && opened.size === facts.committed.length);
          await settleIfDone({ ...before, openings: facts.openings }, chain.carrier.address);
          return;
        }
        case "settle": {
          const before = facts;
          await send(at, statusError(facts, at, JobStatus.Settleable), () => market().settle(facts.jobId, terms));
          await settleIfDone(before, chain.outsider.address);
          return;
        }
      }
    }

    for (const each of drawnSteps) {
      if (facts.settled !== undefined) break;
      await perform(each);
      await assertAgreement(facts);
    }
    if (facts.settled === undefined) {
      // From every state there is an exit that needs nobody in particular.
      const { revealDeadline } = statusAt(facts, await chain.now());
      const at = Math.max((await chain.now()) + 1, revealDeadline);
      await perform({ action: "settle", place: 0, jump: { seconds: at - (await chain.now()) } });
      assert.notEqual(facts.settled, undefined);
      await assertAgreement(facts);
    }
  }

  /** Facts with one more commitment; commitBySig lands several in one block. */
  function foldCommit(facts: JobFacts, place: number, commitment: Hex, at: number): JobFacts {
    const hasWeight = place < facts.terms.seats + facts.terms.spares;
    return {
      ...facts,
      commitments: [...facts.commitments, { place, commitment }],
      committed: [...facts.committed, place],
      lastCommitAt: hasWeight ? at : facts.lastCommitAt,
    };
  }

  test(`core and chain agree at every step of ${RUNS} jobs (seed ${SEED})`, async () => {
    await fc.assert(fc.asyncProperty(schedule, run), { seed: SEED, numRuns: RUNS, endOnFailure: true });
  });
});
