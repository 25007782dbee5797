// Attacks on the contract that no row of the page names: odd encodings, foreign terms, one block, the worst panel.
import assert from "node:assert/strict";
import { before, beforeEach, describe, test } from "node:test";
import {
  type Address,
  type Hex,
  hashTerms,
  type JobFacts,
  JobStatus,
  OfferFault,
  Outcome,
  openingOf,
  type Request,
  Verdict,
} from "@quorate/core";
import { testHash } from "@quorate/testkit";
import { Wallet as EthersWallet, type Wallet } from "ethers";
import type { ContractAccount, TestToken } from "../../../types/ethers-contracts/index.js";
import { errorOf, marketEvents, mined, plain, TestMarket } from "../contracts/support/market.ts";

/** `OpeningFault.WrongOpening` of contracts/types/Job.sol. */
const WRONG_OPENING = 3;
const RIGHT = testHash(0xa);
const WRONG = testHash(0xb);
const BOND = 500_000n;
/** What one transaction may use on a chain with EIP-7825 is 16.7 million; the aim is to stay far below. */
const GAS_AIM = 10_000_000n;

let chain: TestMarket;
let snapshot: unknown;

before(async () => {
  chain = await TestMarket.create();
  snapshot = await chain.rpc("evm_snapshot");
});

beforeEach(async () => {
  await chain.rpc("evm_revert", snapshot);
  snapshot = await chain.rpc("evm_snapshot");
});

/** Everybody commits to its answer by place, shadows first. */
async function commitAll(opened: JobFacts, answers: readonly Hex[]): Promise<JobFacts> {
  let facts = opened;
  for (const [place, answer] of [...answers.entries()].reverse()) {
    const market = chain.market.connect(chain.providerAt(facts, place));
    const commitment = chain.commitment(chain.vote(facts, place, Outcome.Ok, answer));
    facts = await chain.follow(facts, market.commit(facts.jobId, plain(facts.terms), place, commitment));
  }
  return facts;
}

const openingsOf = (facts: JobFacts, answers: readonly Hex[]) =>
  answers.map((answer, place) => openingOf(place, chain.vote(facts, place, Outcome.Ok, answer)));

/** Sends the call that opens every answer. */
const reveal = (facts: JobFacts, answers: readonly Hex[], by: Wallet = chain.carrier, overrides = {}) =>
  chain.market
    .connect(by)
    .reveal(facts.jobId, plain(facts.terms), plain(facts.commitments), plain(openingsOf(facts, answers)), overrides);

async function runJob(answers: readonly Hex[], providers: readonly Wallet[], changes: Partial<Request> = {}) {
  const facts = await commitAll(await chain.open(chain.request(changes), { providers }), answers);
  return chain.follow(facts, reveal(facts, answers));
}

/** Whether a raw call of the market would succeed, and its error's data. */
async function rawCall(from: Wallet, data: string): Promise<{ ok: boolean; error?: string }> {
  try {
    await chain.rpc("eth_call", { from: from.address, to: chain.domain.market, data }, "latest");
    return { ok: true };
  } catch (error) {
    return { ok: false, error: JSON.stringify(error, Object.getOwnPropertyNames(error)) };
  }
}

const selectorOf = (name: string): string => (chain.market.interface.getError(name)?.selector ?? "none").slice(2);

describe("odd encodings", () => {
  /** Words of a request that have unused high bytes. */
  const narrow = [0, 1, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];

  test("a request whose words have dirty high bytes opens and announces nothing: no request has a second id", async () => {
    const request = chain.request();
    const offers = plain(await chain.panel(request));
    const calls = {
      open: chain.market.interface.encodeFunctionData("open", [request, 0, offers]),
      announce: chain.market.interface.encodeFunctionData("announce", [request]),
      checkOffers: chain.market.interface.encodeFunctionData("checkOffers", [request, 0, offers]),
    };
    for (const [name, data] of Object.entries(calls)) {
      assert.equal((await rawCall(chain.requester, data)).ok, true, `${name} as it should be`);
      for (const word of narrow) {
        const at = 2 + 8 + 64 * word;
        const dirty = `${data.slice(0, at)}01${data.slice(at + 2)}`;
        assert.equal((await rawCall(chain.requester, dirty)).ok, false, `${name} with word ${word} dirty`);
      }
    }
  });

  test("terms count in their canonical encoding only, and calldata behind them changes nothing", async () => {
    const facts = await chain.open(chain.request());
    const by = chain.providerAt(facts, 0);
    const good = chain.market.interface.encodeFunctionData("commit", [
      facts.jobId,
      plain(facts.terms),
      0,
      testHash(0x77),
    ]);
    const word = (index: number): number => 2 + 8 + 64 * index;
    const replaced = (index: number, value: string): string =>
      good.slice(0, word(index)) + value + good.slice(word(index + 1));
    // Four words of arguments, then the terms: eleven fields, the offset of the places, their number.
    const moved = `${replaced(15, (0x1a0).toString(16).padStart(64, "0")).slice(0, word(16))}${"0".repeat(64)}${good.slice(word(16))}`;
    const dirty = replaced(9, `01${good.slice(word(9) + 2, word(10))}`);
    const huge = replaced(16, "f".repeat(64));
    assert.equal((await rawCall(by, good)).ok, true);
    assert.equal((await rawCall(by, `${good}${"ab".repeat(320)}`)).ok, true);
    for (const [name, data] of Object.entries({ moved, dirty, huge, cut: good.slice(0, -128) })) {
      const { ok, error } = await rawCall(by, data);
      assert.equal(ok, false, name);
      if (name !== "cut") assert.match(error ?? "", new RegExp(selectorOf("TermsMismatch")), name);
    }
  });
});

describe("terms of strangers", () => {
  test("nothing can be stored for a job before it opens, nor under terms of one's own after", async () => {
    const request = chain.request();
    const jobId = (await chain.market.jobIdOf(request)) as Hex;
    const template = await chain.open(chain.request());
    const outsider = chain.market.connect(chain.outsider);
    const terms = { ...template.terms, places: [{ provider: chain.outsider.address as Address, price: 1n }] };
    const attempts = (id: Hex) => [
      outsider.commit(id, plain(terms), 0, testHash(1)),
      outsider.commitBySig(id, plain(terms), []),
      outsider.decline(id, plain(terms), 0),
      outsider.promote(id, plain(terms)),
      outsider.reveal(id, plain(terms), [], []),
      outsider.settle(id, plain(terms)),
    ];
    for (const attempt of attempts(jobId)) assert.equal((await errorOf(attempt)).name, "JobNotOpen");
    const facts = await chain.follow(
      undefined,
      chain.market.connect(chain.requester).open(request, 0, plain(await chain.panel(request))),
    );
    for (const attempt of attempts(jobId)) assert.equal((await errorOf(attempt)).name, "TermsMismatch");
    assert.equal(await chain.market.commitmentChainOf(jobId, hashTerms(facts.terms)), jobId);
    assert.equal(await chain.market.commitmentChainOf(jobId, hashTerms(terms)), testHash(0));
  });

  test("two jobs of equal terms share no commitment and no opening", async () => {
    const first = await chain.open(chain.request());
    const second = await chain.open(chain.request());
    assert.equal(hashTerms(first.terms), hashTerms(second.terms));
    const answers = [RIGHT, RIGHT, RIGHT];
    const committed = await commitAll(first, answers);
    // The same words are committed in the second job, as a copier would.
    let copied = second;
    for (const { place, commitment } of committed.commitments) {
      const market = chain.market.connect(chain.providerAt(second, place));
      copied = await chain.follow(copied, market.commit(second.jobId, plain(second.terms), place, commitment));
    }
    const sent = chain.market
      .connect(chain.carrier)
      .reveal(second.jobId, plain(second.terms), plain(copied.commitments), plain(openingsOf(first, answers)));
    const skipped = marketEvents(await mined(sent)).map(({ event }) => [event.eventName, event.args.cause]);
    assert.deepEqual(skipped, Array(3).fill(["OpeningSkipped", WRONG_OPENING]));
    const done = await chain.follow(committed, reveal(committed, answers));
    assert.equal(done.settled?.status, JobStatus.Accepted);
    assert.equal((await chain.market.jobState(second.jobId)).phase, 1n, "the other one is still open");
  });

  test("a settled job takes nothing more, and its request never opens again, whoever would sit on the panel", async () => {
    const request = chain.request({ spares: 1 });
    const answers = [RIGHT, RIGHT, RIGHT];
    const facts = await commitAll(await chain.open(request, { spares: 0 }), answers);
    await chain.follow(facts, reveal(facts, answers));
    const before = await chain.accounts();
    const market = chain.market.connect(chain.carrier);
    assert.equal((await errorOf(reveal(facts, answers))).name, "JobNotOpen");
    assert.equal((await errorOf(market.settle(facts.jobId, plain(facts.terms)))).name, "JobNotOpen");
    const others = plain(await chain.panel(request, { providers: chain.providers.slice(4) }));
    const again = chain.market.connect(chain.requester).open(request, 1, others);
    assert.equal((await errorOf(again)).name, "JobAlreadyOpened");
    assert.deepEqual(await chain.accounts(), before);
    await chain.assertConservation();
  });
});

describe("an account with code that changes its mind", () => {
  test("between checkOffers and open costs the requester the gas of one call and names itself", async () => {
    const owner = EthersWallet.createRandom();
    const deployed = await chain.connection.ethers.deployContract("ContractAccount", [owner.address]);
    const account = deployed as unknown as ContractAccount;
    await chain.fund(chain.providers[0] as Wallet, 10_000_000n, await account.getAddress());
    const request = chain.request();
    const offers = await chain.panel(request);
    offers[1] = await chain.offer(request, (await account.getAddress()) as Address, {}, owner as unknown as Wallet);
    assert.deepEqual([...(await chain.market.checkOffers(request, 0, plain(offers)))], []);
    await mined(account.behave(3));
    const before = await chain.accounts();
    const refused = await errorOf(chain.market.connect(chain.requester).open(request, 0, plain(offers)));
    assert.equal(refused.name, "BadOffers");
    const [bad] = refused.args as [readonly { place: bigint; fault: bigint }[]];
    assert.deepEqual(
      bad.map(({ place, fault }) => [Number(place), Number(fault)]),
      [[1, OfferFault.BadSignature]],
    );
    assert.deepEqual(await chain.accounts(), before);
    // The request is not used up: the next panel opens it.
    const facts = await chain.follow(
      undefined,
      chain.market.connect(chain.requester).open(request, 0, plain(await chain.panel(request))),
    );
    assert.equal(facts.terms.places.length, 3);
  });
});

describe("the order within one block", () => {
  test("a job opened in the block in which a probation begins counts as opened before it: its fault burns nothing", async () => {
    const culprit = chain.providers[0] as Wallet;
    const answers = [WRONG, RIGHT, RIGHT];
    const first = await commitAll(await chain.open(chain.request()), answers);
    const request = chain.request();
    const offers = plain(await chain.panel(request));
    await chain.rpc("evm_setAutomine", false);
    const opening = await chain.market.connect(chain.requester).open(request, 0, offers, {
      gasLimit: 3_000_000,
      maxFeePerGas: 10n ** 11n,
      maxPriorityFeePerGas: 5n * 10n ** 9n,
    });
    const settling = await reveal(first, answers, chain.carrier, {
      gasLimit: 3_000_000,
      maxFeePerGas: 10n ** 11n,
      maxPriorityFeePerGas: 10n ** 9n,
    });
    await chain.rpc("evm_mine");
    await chain.rpc("evm_setAutomine", true);
    const [opened, settled] = await Promise.all([opening.wait(), settling.wait()]);
    assert.equal(opened?.blockNumber, settled?.blockNumber);
    assert.ok((opened?.index ?? 9) < (settled?.index ?? 0), "the job opened first");
    const { probationSince } = await chain.market.standingOf(culprit.address);
    const second = await chain.follow(undefined, Promise.resolve(opening));
    assert.equal(second.openedAt, Number(probationSince));

    const committed = await commitAll(second, answers);
    const done = await chain.follow(committed, reveal(committed, answers));
    assert.equal(done.settled?.results[0]?.verdict, Verdict.Fault);
    const [amount, state] = await chain.market.quarantineOf(culprit.address, chain.token.target, 1);
    assert.deepEqual([amount, state], [2n * BOND, 1n], "held, both of them");
    await chain.assertConservation(0n, 2n * BOND);
  });
});

describe("the worst panel", () => {
  for (const isInParts of [false, true]) {
    test(`sixteen places, eight at fault, settle far below the gas of a transaction (${isInParts ? "openings in parts" : "at once"})`, async () => {
      const answers = Array.from({ length: 16 }, (_, place) => (place < 8 ? RIGHT : WRONG));
      const opened = await chain.open(chain.request({ seats: 15, quorum: 8, shadows: 1 }));
      const facts = await commitAll(opened, answers);
      const openings = plain(openingsOf(facts, answers));
      const market = chain.market.connect(chain.carrier);
      const commitments = plain(facts.commitments);
      if (isInParts) await mined(market.reveal(facts.jobId, plain(facts.terms), commitments, openings.slice(0, 15)));
      const last = isInParts ? openings.slice(15) : openings;
      const receipt = await mined(market.reveal(facts.jobId, plain(facts.terms), commitments, last));
      const settled = marketEvents(receipt).find(({ event }) => event.eventName === "JobSettled")?.event;
      assert.ok(settled !== undefined);
      const verdicts = (settled.args.results as { verdict: number }[]).map(({ verdict }) => verdict);
      assert.deepEqual(
        verdicts,
        answers.map((answer) => (answer === RIGHT ? Verdict.Aligned : Verdict.Fault)),
      );
      assert.ok(receipt.gasUsed < GAS_AIM, `${receipt.gasUsed} gas`);
      await chain.assertConservation(0n, 8n * BOND);
    });
  }
});

describe("self-made jobs", () => {
  test("wash a mark for the price of gas, in a token of nothing: why no client plans on raw standing", async () => {
    const [culprit, ...others] = chain.providers as [Wallet, ...Wallet[]];
    await runJob([WRONG, RIGHT, RIGHT], [culprit, ...others]);
    assert.equal(await chain.market.onProbation(culprit.address), true);
    const worthless = (await chain.connection.ethers.deployContract("TestToken", [
      "N",
      "N",
      0,
    ])) as unknown as TestToken;
    const token = (await worthless.getAddress()) as Address;
    for (let count = 0; count < 3; count++) {
      const request = chain.request({ token, bond: 0n, priceCeiling: 0n, carrierFee: 0n, flags: 1 });
      const facts = await commitAll(await chain.open(request, { price: () => 0n }), [RIGHT, RIGHT, RIGHT]);
      await chain.follow(facts, reveal(facts, [RIGHT, RIGHT, RIGHT]));
    }
    assert.equal(await chain.market.onProbation(culprit.address), false);
    const [amount, state] = await chain.market.quarantineOf(culprit.address, chain.token.target, 1);
    assert.deepEqual([amount, state], [BOND, 2n], "returnable");
  });
});
