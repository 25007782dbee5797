// A fault on the chain: quarantine, exclusion, shadow work, reinstatement, and the bond back; or a second fault, and the bonds burnt.
import assert from "node:assert/strict";
import { before, beforeEach, describe, test } from "node:test";
import {
  type Hex,
  type JobFacts,
  OfferFault,
  Outcome,
  openingOf,
  PROBATION_SECONDS,
  type Request,
  Verdict,
} from "@quorate/core";
import { testHash } from "@quorate/testkit";
import type { Wallet } from "ethers";
import { errorOf, mined, plain, TestMarket } from "./support/market.ts";

const BOND = 500_000n;
const QuarantineState = { None: 0, Held: 1, Returnable: 2, Burnable: 3 } as const;
const RIGHT = testHash(0xa);
const WRONG = testHash(0xb);

let chain: TestMarket;
let culprit: Wallet;

before(async () => {
  chain = await TestMarket.create();
});

/** Opens a job, everybody commits and opens what `answers` say by place. */
async function runJob(
  providers: readonly Wallet[],
  answers: readonly Hex[],
  changes: Partial<Request> = {},
): Promise<JobFacts> {
  return finish(await chain.open(chain.request(changes), { providers }), answers);
}

async function finish(opened: JobFacts, answers: readonly Hex[]): Promise<JobFacts> {
  let facts = opened;
  const votes = answers.map((answer, place) => chain.vote(facts, place, Outcome.Ok, answer));
  // Shadows first: revealing begins with the last commitment of a seat, and waits for no shadow.
  for (const [place, vote] of [...votes.entries()].reverse()) {
    const market = chain.market.connect(chain.providerAt(facts, place));
    facts = await chain.follow(facts, market.commit(facts.jobId, plain(facts.terms), place, chain.commitment(vote)));
  }
  const openings = votes.map((vote, place) => openingOf(place, vote));
  const market = chain.market.connect(chain.carrier);
  return chain.follow(facts, market.reveal(facts.jobId, plain(facts.terms), plain(facts.commitments), plain(openings)));
}

const honest = (): Wallet[] => chain.providers.slice(1, 5);
const asSeat = (): Wallet[] => [culprit, ...honest()];
const asShadow = (): Wallet[] => [...honest().slice(0, 3), culprit];
const quarantine = async (number: number) => {
  const [amount, state] = await chain.market.quarantineOf(culprit.address, chain.token.target, number);
  return { amount, state: Number(state) };
};
const claim = (number: number) =>
  chain.market.connect(chain.outsider).claimQuarantine(culprit.address, chain.token.target, number);

describe("a provider that was at fault", () => {
  let snapshot: unknown;
  beforeEach(async () => {
    if (snapshot !== undefined) await chain.rpc("evm_revert", snapshot);
    snapshot = await chain.rpc("evm_snapshot");
    culprit = chain.providers[0] as Wallet;
  });

  test("T5: loses its bond to quarantine and is refused as a seat, yet taken as a shadow", async () => {
    const facts = await runJob(asSeat(), [WRONG, RIGHT, RIGHT]);
    assert.equal(facts.settled?.results[0]?.verdict, Verdict.Fault);
    assert.deepEqual(await quarantine(1), { amount: BOND, state: QuarantineState.Held });
    assert.equal((await errorOf(claim(1))).name, "NotClaimable");
    assert.equal(await chain.market.onProbation(culprit.address), true);
    await chain.assertConservation(0n, BOND);

    const request = chain.request();
    const offers = plain(await chain.panel(request, { providers: asSeat() }));
    const listed = await chain.market.checkOffers(request, 0, offers);
    assert.deepEqual(
      listed.map(({ place, fault }) => [Number(place), Number(fault)]),
      [[0, OfferFault.OnProbation]],
    );
    const willing = chain.request({ flags: 1 });
    assert.deepEqual(
      [...(await chain.market.checkOffers(willing, 0, plain(await chain.panel(willing, { providers: asSeat() }))))],
      [],
    );
    const shadowed = await runJob(asShadow(), [RIGHT, RIGHT, RIGHT, RIGHT], { shadows: 1 });
    assert.equal(shadowed.settled?.results[3]?.verdict, Verdict.Aligned);
  });

  test("T1: three alignments as a shadow reinstate it, and its bond comes back", async () => {
    await runJob(asSeat(), [WRONG, RIGHT, RIGHT]);
    for (const left of [3, 2, 1]) {
      assert.equal(await chain.market.onProbation(culprit.address), true, `${left} alignments to go`);
      await runJob(asShadow(), [RIGHT, RIGHT, RIGHT, RIGHT], { shadows: 1 });
    }
    assert.equal(await chain.market.onProbation(culprit.address), false);
    const { free } = await chain.account(culprit.address);
    await mined(claim(1));
    assert.equal((await chain.account(culprit.address)).free, free + BOND);
    assert.deepEqual(await quarantine(1), { amount: 0n, state: QuarantineState.None });
    await chain.assertConservation();
  });

  test("T6: a fault in a job that was open before adds to the entry and burns nothing", async () => {
    const older = await chain.open(chain.request(), { providers: asSeat() });
    await runJob(asSeat(), [WRONG, RIGHT, RIGHT]);
    await finish(older, [WRONG, RIGHT, RIGHT]);
    assert.deepEqual(await quarantine(1), { amount: 2n * BOND, state: QuarantineState.Held });
    await chain.assertConservation(0n, 2n * BOND);
  });

  test("T7: a second fault, in a job opened on probation, burns the first bond and begins again", async () => {
    await runJob(asSeat(), [WRONG, RIGHT, RIGHT]);
    await runJob(asShadow(), [RIGHT, RIGHT, RIGHT, WRONG], { shadows: 1 });
    assert.deepEqual(await quarantine(1), { amount: BOND, state: QuarantineState.Burnable });
    assert.deepEqual(await quarantine(2), { amount: BOND, state: QuarantineState.Held });
    const { free } = await chain.account(culprit.address);
    await mined(claim(1));
    assert.equal((await chain.account(culprit.address)).free, free);
    assert.equal(await chain.market.burnt(chain.token.target), BOND);
    await chain.assertConservation(0n, BOND);
  });

  test("180 days without a fault end a probation well, to the second", async () => {
    const facts = await runJob(asSeat(), [WRONG, RIGHT, RIGHT]);
    const end = (facts.settled?.settledAt ?? 0) + PROBATION_SECONDS;
    await chain.mineAt(end - 1);
    assert.equal(await chain.market.onProbation(culprit.address), true);
    await chain.mineAt(end);
    assert.equal(await chain.market.onProbation(culprit.address), false);
    assert.deepEqual(await quarantine(1), { amount: BOND, state: QuarantineState.Returnable });
  });
});
