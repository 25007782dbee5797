// Settlements of the largest panels on Hardhat's in-process network, each with everything that makes it expensive: all providers are
// new to standing and quarantine, and every opening came before and was stored.
import { type Hex, Outcome, openingOf } from "@quorate/core";
import { id } from "ethers";
import { mined, plain, TestMarket } from "../../../test/integration/contracts/support/market.ts";

const PLACES = 16;

type Panel = {
  readonly name: string;
  readonly seats: number;
  /** Place → what its vote says, undefined for a vote that is committed and never opened. */
  readonly vote: (place: number) => string | undefined;
};

const panels: readonly Panel[] = [
  {
    name: "settle 2 seats and 14 shadows, 14 at fault",
    seats: 2,
    vote: (place) => (place < 2 ? "answer" : `wrong ${place}`),
  },
  { name: "settle 16 seats, 7 at fault", seats: 16, vote: (place) => (place < 9 ? "answer" : `wrong ${place}`) },
  { name: "settle 16 seats, 15 late", seats: 16, vote: (place) => (place === 0 ? "answer" : undefined) },
  { name: "settle 16 seats, all aligned", seats: 16, vote: () => "answer" },
];

/**
 * Gas of `settle` for each panel, with one more place committed than opened, so that the reveal does not settle.
 *
 * @returns gas by name of the panel
 */
export async function measureWorst(): Promise<Record<string, number>> {
  const gas: Record<string, number> = {};
  for (const { name, seats, vote } of panels) {
    const market = await TestMarket.create();
    const { market: contract, carrier } = market;
    let facts = await market.open(
      market.request({ seats, quorum: Math.floor(seats / 2) + 1, shadows: PLACES - seats }),
    );
    const votes = facts.terms.places.map((_, place) =>
      market.vote(facts, place, Outcome.Ok, id(vote(place) ?? "never opened") as Hex),
    );
    const carried = await Promise.all(
      votes.map((each, place) => market.carried(facts, place, market.commitment(each))),
    );
    // Shadows first: revealing begins with the last seat.
    const order = [...carried.slice(seats), ...carried.slice(0, seats)];
    facts = await market.follow(
      facts,
      contract.connect(carrier).commitBySig(facts.jobId, plain(facts.terms), order.map(plain)),
    );
    const openings = votes.flatMap((each, place) => (vote(place) === undefined ? [] : [openingOf(place, each)]));
    if (openings.length === PLACES) {
      const call = contract.connect(carrier);
      const landed = plain(facts.commitments);
      gas[name] = Number(
        (await mined(call.reveal(facts.jobId, plain(facts.terms), landed, openings.map(plain)))).gasUsed,
      );
      continue;
    }
    facts = await market.follow(
      facts,
      contract.connect(carrier).reveal(facts.jobId, plain(facts.terms), plain(facts.commitments), openings.map(plain)),
    );
    await market.rpc("evm_increaseTime", facts.terms.revealWindow + 1);
    gas[name] = Number((await mined(contract.connect(carrier).settle(facts.jobId, plain(facts.terms)))).gasUsed);
  }
  return gas;
}
