// The model in Solidity that the invariants of test/contracts/invariants compare the market with says what `core` says, for every
// history and standing of test/vectors. Both are written from docs/protocol/lifecycle.md, apart from each other.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import {
  type JobFacts,
  onProbation,
  type Settlement,
  type Standing,
  type StandingChange,
  type StatusView,
  unknownStanding,
  type Verdict,
  ZERO_HASH,
} from "@quorate/core";
import type { Contract } from "ethers";
import { network } from "hardhat";

type HistoryCase = Pick<
  JobFacts,
  "terms" | "openedAt" | "committed" | "declined" | "promotions" | "lastCommitAt" | "lastDeclineAt" | "openings"
> & {
  readonly bySet?: boolean;
  readonly name: string;
  readonly escrow: bigint;
  readonly statuses: readonly (StatusView & { readonly now: number })[];
  readonly settlement: Settlement;
};
type StandingCase = readonly (StandingChange & {
  readonly verdict: Verdict;
  readonly openedAt: number;
  readonly now: number;
})[];

function read<T>(name: string): readonly T[] {
  const text = readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8");
  return (JSON.parse(text) as { cases: T[] }).cases;
}

/** The facts of a vector by place. A vector knows the last commitment and decline only: all others may as well have come then. */
function historyOf({ terms, openedAt, ...facts }: HistoryCase): unknown {
  const isShadow = (place: number): boolean => place >= terms.seats + terms.spares;
  const places = terms.places.map((_, place) => {
    const promotion = facts.promotions.find(({ spare }) => spare === place);
    const opening = facts.openings.find((candidate) => candidate.place === place);
    const at = (isThere: boolean, last: number): number => (isThere ? (isShadow(place) ? openedAt : last) : 0);
    return {
      committedAt: at(facts.committed.includes(place), facts.lastCommitAt),
      declinedAt: at(facts.declined.includes(place), facts.lastDeclineAt),
      promotedAt: promotion?.promotedAt ?? 0,
      seat: promotion?.seat ?? 0,
      isOpen: opening !== undefined,
      isVoid: false,
      outcome: opening?.outcome ?? 0,
      resultHash: opening?.resultHash ?? ZERO_HASH,
    };
  });
  return { terms, openedAt, setFrom: facts.bySet === true ? facts.lastCommitAt : 0, places };
}

describe("the model of the invariants says what core says", () => {
  let model: Contract;

  before(async () => {
    const { ethers } = await network.create({ override: { allowUnlimitedContractSize: true } });
    model = (await ethers.deployContract("JobModelDoor")) as unknown as Contract;
  });

  for (const vector of read<HistoryCase>("histories")) {
    test(`history "${vector.name}": status at ${vector.statuses.length} moments, escrow and ending`, async () => {
      const history = historyOf(vector);
      for (const { now, status, revealAt, occupants, vacant } of vector.statuses) {
        const found = await model.getFunction("statusAt")(history, now);
        assert.deepEqual([Number(found.status), Number(found.start)], [status, revealAt], `at ${now}`);
        assert.deepEqual([...found.occupants].map(Number), occupants, `at ${now}`);
        const empty = [...found.vacant].flatMap((isVacant, seat) => (isVacant ? [seat] : []));
        assert.deepEqual(empty, vacant, `at ${now}`);
      }
      assert.equal(await model.getFunction("escrowOf")(vector.terms), BigInt(vector.escrow));
      const ending = await model.getFunction("endingOf")(history);
      const { settlement } = vector;
      const marked = (marks: readonly boolean[]): number[] =>
        [...marks].flatMap((mark, place) => (mark ? [place] : []));
      assert.equal(ending.accepted, settlement.outcome !== 0);
      assert.deepEqual([Number(ending.outcome), ending.resultHash], [settlement.outcome, settlement.resultHash]);
      assert.deepEqual(
        [...ending.verdicts].map((verdict, place) => ({ verdict: Number(verdict), paid: ending.paid[place] })),
        settlement.results.map(({ verdict, paid }) => ({ verdict, paid: BigInt(paid) })),
      );
      assert.deepEqual(marked(ending.quarantined), settlement.quarantined);
      assert.deepEqual(marked(ending.burnt), settlement.forfeited);
      assert.equal(ending.refund, BigInt(settlement.refunded));
    });
  }

  for (const [index, series] of read<StandingCase>("standing").entries()) {
    test(`standing, series ${index}: every step`, async () => {
      let standing: Standing = unknownStanding;
      for (const { verdict, openedAt, now, standing: next, condemned } of series) {
        const { probation, probationSince, lastFaultAt, alignedInRow } = standing;
        const found = await model.getFunction("afterVerdict")(
          { number: probation, since: probationSince, lastFaultAt, alignedInRow },
          verdict,
          openedAt,
          now,
        );
        assert.deepEqual(
          [found.after_.number, found.after_.since, found.after_.lastFaultAt, found.after_.alignedInRow].map(Number),
          [next.probation, next.probationSince, next.lastFaultAt, next.alignedInRow],
        );
        assert.equal(Number(found.condemned), condemned ?? 0);
        assert.equal(found.lasts, onProbation(next, now));
        standing = next;
      }
    });
  }
});
