// A contract that acts on an answer takes exactly one answer: true, to its own statement, about the applicant, of a fresh date.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { MortgageDesk } from "../../../types/ethers-contracts/index.js";
import { eventsOf, mined, type Proven, proven, TestQueryMarket } from "./support/market.ts";
import { AS_OF, CHAIN_ID, type Opening } from "./support/parties.ts";

let chain: TestQueryMarket;
let rewind: () => Promise<void>;
let desk: MortgageDesk;
beforeEach(async () => {
  if (chain === undefined) chain = await TestQueryMarket.create();
  else await rewind();
  rewind = await chain.snapshot();
  desk = await chain.deployDesk();
});

async function answered(name: string): Promise<Proven> {
  const question = proven(name);
  const quote = await chain.quote(question);
  await chain.ask(quote);
  await mined(chain.answer(quote, question));
  return question;
}

async function registered({ opening }: Proven, applicant = chain.stranger.address): Promise<void> {
  await mined(desk.connect(chain.asker).register(applicant, opening.person));
}

const partsOf = ({ nonce, subjectRef, asOf, k }: Opening): Omit<Opening, "person"> => ({ nonce, subjectRef, asOf, k });
const approve = (opening: Opening, applicant = chain.stranger.address) =>
  desk.connect(chain.rival).approve(applicant, partsOf(opening));

describe("the mortgage desk", () => {
  test("approves the applicant whose income is proved, once, whoever brings the key", async () => {
    const question = await answered("true");
    await registered(question);
    const [event] = eventsOf(await mined(approve(question.opening)));
    assert.deepEqual([event?.name, event?.args.toArray()], ["LoanApproved", [chain.stranger.address, question.query]]);
    assert.equal(await desk.isApproved(chain.stranger.address), true);
    await chain.refused(() => approve(question.opening), "AlreadyApproved");
  });

  test("computes the query that was asked", async () => {
    const { opening, query } = proven("true");
    assert.equal(await desk.queryFor(opening.person, partsOf(opening)), query);
    assert.equal((await chain.connection.ethers.provider.getNetwork()).chainId, BigInt(CHAIN_ID));
  });

  test("refuses a false answer", async () => {
    const question = await answered("false");
    await registered(question);
    await chain.refused(() => approve(question.opening), "IncomeTooLow", [question.query]);
    assert.equal(await desk.isApproved(chain.stranger.address), false);
  });

  test("does not know a question of another threshold, subject, nonce or key", async () => {
    const question = await answered("true, use spent by another question");
    await registered(question);
    await chain.refused(() => approve(question.opening), "NotAnswered");
    const right = await answered("false");
    await registered(right);
    for (const changed of [
      { ...right.opening, nonce: right.opening.nonce + 1n },
      { ...right.opening, subjectRef: right.opening.subjectRef + 1n },
      { ...right.opening, k: right.opening.k + 1n },
      { ...right.opening, asOf: right.opening.asOf + 1n },
    ]) {
      await chain.refused(() => approve(changed), "NotAnswered");
    }
  });

  test("takes no answer for another applicant", async () => {
    const question = await answered("true");
    await registered(question);
    const other = proven("false");
    await registered(other, chain.rival.address);
    await chain.refused(() => approve(question.opening, chain.rival.address), "NotAnswered");
    await chain.refused(() => approve(question.opening, chain.provider.address), "UnknownApplicant");
  });

  test("takes no question that is only asked", async () => {
    const question = proven("true");
    await chain.ask(await chain.quote(question));
    await registered(question);
    await chain.refused(() => approve(question.opening), "NotAnswered");
  });

  test("takes no date that is too old or still to come", async () => {
    const question = await answered("true");
    const now = await chain.now();
    desk = await chain.deployDesk({ maxAge: BigInt(now) - AS_OF + 60n });
    await registered(question);
    await chain.nextAt(now + 30);
    await mined(approve(question.opening));
    await registered(question, chain.provider.address);
    await chain.nextAt(now + 61);
    await chain.rpc("evm_mine");
    await chain.refused(() => approve(question.opening, chain.provider.address), "DateOutOfRange");
    const future = { ...question.opening, asOf: BigInt(now) + 100n };
    await chain.refused(() => approve(future, chain.provider.address), "DateOutOfRange");
  });

  test("only the lender says who an applicant is, and nobody is no applicant", async () => {
    const { person } = proven("true").opening;
    await chain.refused(() => desk.connect(chain.stranger).register(chain.stranger.address, person), "NotLender");
    for (const nobody of [0n, 2n ** 248n]) {
      const register = desk.connect(chain.asker).register;
      await chain.refused(() => register(chain.stranger.address, nobody), "PersonOutOfRange");
    }
  });
});
