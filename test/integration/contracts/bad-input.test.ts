// Bad input of every kind: a named error or event, and no cost to the innocent.
import assert from "node:assert/strict";
import { before, beforeEach, describe, test } from "node:test";
import {
  type Address,
  type BadOffer,
  type Hex,
  jobIdOf,
  nameOf,
  type Offer,
  OfferFault,
  Outcome,
  openingOf,
  type Request,
  Role,
  type SignedOffer,
  ZERO_HASH,
} from "@quorate/core";
import { testHash } from "@quorate/testkit";
import { Wallet } from "ethers";
import { actorKey, errorOf, marketEvents, mined, plain, TestMarket } from "./support/market.ts";
import { CommitmentFault, OpeningFault } from "./support/model.ts";

let chain: TestMarket;
let accounts: Awaited<ReturnType<TestMarket["accounts"]>>;
const provider = (index: number): Wallet => chain.providers[index] as Wallet;

before(async () => {
  chain = await TestMarket.create();
});
beforeEach(async () => {
  accounts = await chain.accounts();
});

async function assertNobodyPaid(): Promise<void> {
  assert.deepEqual(await chain.accounts(), accounts);
}

/** Opens with a bad offer at place 1; the call has to fail naming it, and `checkOffers` has to say the same. */
async function assertBadOffer(
  request: Request,
  bad: SignedOffer,
  fault: keyof typeof OfferFault,
  place = 1,
): Promise<void> {
  const offers = await chain.panel(request);
  offers[place] = bad;
  const market = chain.market.connect(chain.requester);
  const listed = await market.checkOffers(request, request.spares, plain(offers));
  const expected: BadOffer[] = [{ place, fault: OfferFault[fault] }];
  const read = (list: Iterable<{ place: bigint; fault: bigint }>): BadOffer[] =>
    [...list].map((each) => ({ place: Number(each.place), fault: Number(each.fault) as BadOffer["fault"] }));
  assert.deepEqual(read(listed), expected, `checkOffers names ${fault}`);
  const error = await errorOf(market.open(request, request.spares, plain(offers)));
  assert.equal(error.name, "BadOffers");
  assert.deepEqual(read(error.args[0] as Iterable<{ place: bigint; fault: bigint }>), expected);
  await assertNobodyPaid();
}

describe("offers that open refuses", () => {
  const changed: readonly [string, Partial<Offer>, keyof typeof OfferFault][] = [
    ["an expired offer", { expiry: 1 }, "Expired"],
    ["an offer above the ceiling", { price: 1_000_001n }, "PriceAboveCeiling"],
    ["an offer for another role", { roles: Role.Spare | Role.Shadow }, "RoleNotAccepted"],
    ["an offer without a key", { encryptionKey: ZERO_HASH }, "ZeroKey"],
  ];
  for (const [name, changes, fault] of changed) {
    test(`${name} is named ${fault}`, async () => {
      const request = chain.request();
      await assertBadOffer(request, await chain.offer(request, provider(1), changes), fault);
    });
  }

  test("a signature by somebody else is named BadSignature", async () => {
    const request = chain.request();
    const signed = await chain.offer(request, provider(1).address as Address, {}, provider(2));
    await assertBadOffer(request, signed, "BadSignature");
  });

  test("a signature for another job, chain or market, or over other terms, is named BadSignature", async () => {
    const request = chain.request();
    const elsewhere = [
      await chain.offer({ ...request, nonce: request.nonce + 1_000n }, provider(1)),
      await chain.offer(request, provider(1), {}, provider(1), { ...chain.domain, chainId: 1 }),
      await chain.offer(request, provider(1), {}, provider(1), {
        ...chain.domain,
        market: provider(9).address as Address,
      }),
      { ...(await chain.offer(request, provider(1))), price: 900_001n },
      { ...(await chain.offer(request, provider(1))), encryptionKey: testHash(77) },
      { ...(await chain.offer(request, provider(1))), expiry: 2_000_000_001 },
    ];
    for (const signed of elsewhere) await assertBadOffer(request, signed, "BadSignature");
  });

  test("signatures of wrong shape are named BadSignature", async () => {
    const request = chain.request();
    const good = await chain.offer(request, provider(1));
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = BigInt(`0x${good.signature.slice(66, 130)}`);
    const v = good.signature.endsWith("1b") ? "1c" : "1b";
    const highS = `${good.signature.slice(0, 66)}${(order - s).toString(16).padStart(64, "0")}${v}` as Hex;
    const bad: readonly Hex[] = [
      "0x",
      "0x00",
      good.signature.slice(0, -2) as Hex,
      `${good.signature}00`,
      `0x${"00".repeat(65)}`,
      highS,
    ];
    for (const signature of bad) await assertBadOffer(request, { ...good, signature }, "BadSignature");
  });

  test("a second place of one provider is named DuplicateProvider", async () => {
    const request = chain.request();
    await assertBadOffer(request, await chain.offer(request, provider(0)), "DuplicateProvider");
  });

  test("the requester is no provider of its own job", async () => {
    const request = chain.request();
    await assertBadOffer(request, await chain.offer(request, chain.requester), "ProviderIsRequester");
  });

  test("a bond above the free balance is named BondExceedsFree", async () => {
    const request = chain.request();
    const poor = new Wallet(actorKey("poor provider"));
    await assertBadOffer(request, await chain.offer(request, poor), "BondExceedsFree");
  });

  test("every bad offer is named at once, each with its cause", async () => {
    const request = chain.request({ seats: 3, spares: 1 });
    const offers = await chain.panel(request);
    offers[0] = await chain.offer(request, provider(0), { expiry: 1 });
    offers[2] = { ...(offers[2] as SignedOffer), signature: "0x" };
    offers[3] = await chain.offer(request, provider(1));
    const error = await errorOf(chain.market.connect(chain.requester).open(request, 1, plain(offers)));
    const named = [...(error.args[0] as Iterable<{ place: bigint; fault: bigint }>)].map(
      ({ place, fault }) => `${place} ${nameOf(OfferFault, Number(fault))}`,
    );
    assert.deepEqual(named, ["0 Expired", "2 BadSignature", "3 DuplicateProvider"]);
    await assertNobodyPaid();
  });
});

describe("agents", () => {
  const agent = new Wallet(actorKey("limited agent"));
  const authorize = async (bond: bigint, window: number, validUntil: number) =>
    mined(chain.market.connect(provider(1)).authorize(agent.address, chain.token.target, bond, window, validUntil));
  const offerByAgent = (request: Request) => chain.offer(request, provider(1).address as Address, {}, agent);

  test("an agent within its limits signs for its provider", async () => {
    await authorize(500_000n, 600, 2_000_000_000);
    const request = chain.request();
    const offers = await chain.panel(request);
    offers[1] = await offerByAgent(request);
    assert.deepEqual([...(await chain.market.checkOffers(request, 0, plain(offers)))], []);
  });

  test("a bond beyond the agent is named BondBeyondAgent", async () => {
    await authorize(499_999n, 600, 2_000_000_000);
    const request = chain.request();
    await assertBadOffer(request, await offerByAgent(request), "BondBeyondAgent");
  });

  test("a window beyond the agent is named WindowBeyondAgent", async () => {
    await authorize(500_000n, 601, 2_000_000_000);
    const request = chain.request();
    await assertBadOffer(request, await offerByAgent(request), "WindowBeyondAgent");
  });

  test("an expired agent is named AgentExpired, a revoked one too", async () => {
    const request = chain.request();
    const signed = await offerByAgent(request);
    await authorize(500_000n, 600, 1);
    await assertBadOffer(request, signed, "AgentExpired");
    await authorize(500_000n, 600, 0);
    await assertBadOffer(request, signed, "AgentExpired");
  });

  test("an agent for another token signs nothing here", async () => {
    const other = new Wallet(actorKey("agent for another token"));
    const { market } = chain;
    await mined(market.connect(provider(1)).authorize(other.address, market.target, 500_000n, 600, 2_000_000_000));
    const request = chain.request();
    const signed = await chain.offer(request, provider(1).address as Address, {}, other);
    await assertBadOffer(request, signed, "BadSignature");
  });

  test("an agent cannot withdraw", async () => {
    await authorize(500_000n, 600, 2_000_000_000);
    await chain.rpc("hardhat_setBalance", agent.address, "0x56bc75e2d63100000");
    const hot = chain.market.connect(agent.connect(chain.connection.ethers.provider));
    const error = await errorOf(hot.withdraw(chain.token.target, agent.address, 1n));
    assert.equal(error.name, "InsufficientFree");
    await assertNobodyPaid();
  });
});

describe("requests that open refuses", () => {
  const open = async (request: Request, wallet = chain.requester, spares = request.spares) =>
    chain.market.connect(wallet).open(request, spares, plain(await chain.panel(request, { spares })));

  test("a job id opens once", async () => {
    const request = chain.request();
    await chain.open(request);
    accounts = await chain.accounts();
    const error = await errorOf(open(request));
    assert.deepEqual([error.name, error.args[0]], ["JobAlreadyOpened", jobIdOf(request, chain.domain)]);
    await assertNobodyPaid();
  });

  test("only the requester opens", async () => {
    assert.equal((await errorOf(open(chain.request(), chain.outsider))).name, "NotRequester");
    await assertNobodyPaid();
  });

  test("a requester that cannot pay opens nothing", async () => {
    const request = chain.request({ priceCeiling: 10n ** 24n });
    const offers = await chain.panel(request, { price: () => 10n ** 24n });
    const error = await errorOf(chain.market.connect(chain.requester).open(request, 0, plain(offers)));
    assert.equal(error.name, "InsufficientFree");
    await assertNobodyPaid();
  });

  const wrong: readonly [string, Partial<Request>, string][] = [
    ["has expired", { expiry: 1 }, "RequestExpired"],
    ["has a quorum of half", { seats: 4, quorum: 2 }, "BadQuorum"],
    ["has too many places", { seats: 7, quorum: 4, spares: 6, shadows: 4 }, "TooManyPlaces"],
    ["has too high a call-out fee", { calloutBps: 5_001 }, "ShareAboveMaximum"],
    ["has too long a window", { revealWindow: 604_801 }, "WindowOutOfRange"],
    ["uses a flag that no market knows", { flags: 4 }, "UnknownFlags"],
    ["gives gas to no callback", { callbackGas: 1 }, "BadCallbackGas"],
    ["has no encryption key", { encryptionKey: ZERO_HASH }, "ZeroEncryptionKey"],
  ];
  for (const [name, changes, error] of wrong) {
    test(`a request that ${name} fails with ${error}`, async () => {
      const request = chain.request(changes);
      assert.equal((await errorOf(chain.market.connect(chain.requester).open(request, 0, []))).name, error);
      await assertNobodyPaid();
    });
  }

  test("offers that are too few or too many fail with BadPanelSize", async () => {
    const request = chain.request();
    const offers = plain(await chain.panel(request));
    for (const list of [offers.slice(1), [...offers, offers[0] as (typeof offers)[number]]]) {
      assert.equal((await errorOf(chain.market.connect(chain.requester).open(request, 0, list))).name, "BadPanelSize");
    }
    assert.equal((await errorOf(open(chain.request({ spares: 1 }), chain.requester, 2))).name, "TooManySpares");
  });
});

describe("words of a call that are not what their types allow", () => {
  /** Width in bits of the fields of a request that are narrower than a word and are numbers or addresses, by index. */
  const widths: ReadonlyMap<number, number> = new Map([
    ...[0, 1, 18].map((index) => [index, 160] as const),
    ...[6, 7, 8].map((index) => [index, 96] as const),
    ...[9, 10, 11, 12].map((index) => [index, 8] as const),
    ...[13, 14].map((index) => [index, 16] as const),
    ...[15, 16, 17, 19].map((index) => [index, 32] as const),
    [20, 40],
  ]);
  const REQUEST_WORDS = 22;

  /** Calldata with one bit of one word behind the selector turned over. */
  const turned = (data: string, word: number, bit: number): Hex => {
    const at = 10 + 64 * word;
    const value = BigInt(`0x${data.slice(at, at + 64)}`) ^ (1n << BigInt(bit));
    return `${data.slice(0, at)}${value.toString(16).padStart(64, "0")}${data.slice(at + 64)}` as Hex;
  };
  const call = (data: string): Promise<string> =>
    chain.requester.call({ to: chain.domain.market, data }) as Promise<string>;

  test("the lowest and the highest bit beyond a field of a request are refused by every call that takes one", async () => {
    const request = chain.request();
    const offers = plain(await chain.panel(request));
    const { interface: abi } = chain.market;
    const calls = [
      abi.encodeFunctionData("jobIdOf", [request]),
      abi.encodeFunctionData("announce", [request]),
      abi.encodeFunctionData("open", [request, 0, offers]),
      abi.encodeFunctionData("checkOffers", [request, 0, offers]),
    ];
    for (const data of calls) await call(data);
    for (const data of calls) {
      for (const [word, width] of widths) {
        for (const bit of [width, 255]) {
          await assert.rejects(call(turned(data, word, bit)), { data: "0x" }, `word ${word}, bit ${bit}`);
        }
      }
    }
    const id = await call(calls[0] as string);
    for (let word = 0; word < REQUEST_WORDS; ++word) {
      const top = (widths.get(word) ?? 256) - 1;
      assert.notEqual(await call(turned(calls[0] as string, word, top)), id, `the id depends on word ${word}`);
    }
  });

  test("a bit beyond a field of an offer is refused", async () => {
    const request = chain.request();
    const offers = plain(await chain.panel(request));
    const data = chain.market.interface.encodeFunctionData("checkOffers", [request, 0, offers]);
    await call(data);
    // Behind the request come spares, the place of the offers, their number, and the places of each.
    const first = REQUEST_WORDS + 3 + offers.length;
    const fields = [
      [0, 160],
      [1, 96],
      [3, 8],
      [4, 40],
    ] as const;
    for (const [field, width] of fields) {
      await assert.rejects(call(turned(data, first + field, width)), { data: "0x" }, `field ${field}`);
    }
  });

  test("key wraps of every length are emitted as the standard encoding of what came, whatever their padding was", async () => {
    const lengths = [33, 0, 32, 1, 80, 64, 31];
    const request = chain.request({ seats: 5, quorum: 3, spares: 1, shadows: 1 });
    const offers = (await chain.panel(request)).map((offer, place) => ({
      ...offer,
      keyWrap: `0x${"c7".repeat(lengths[place] as number)}` as Hex,
    }));
    const abi = chain.market.interface;
    const data = abi.encodeFunctionData("open", [request, 1, plain(offers)]);
    // The last byte of the call is the padding of the last key wrap.
    const to = chain.domain.market;
    const sent = await chain.requester.sendTransaction({ to, data: `${data.slice(0, -2)}ff` });
    const receipt = await sent.wait();
    assert.ok(receipt !== null);
    const places = offers.map(({ provider: owner, price }) => ({ provider: owner, price }));
    const wraps = offers.map(({ keyWrap }) => keyWrap);
    const id = jobIdOf(request, chain.domain);
    const expected = abi.encodeEventLog("JobOpened", [id, request.requester, request, 1, places, wraps]);
    assert.equal(receipt.logs.length, 1);
    assert.deepEqual([receipt.logs[0]?.topics, receipt.logs[0]?.data], [expected.topics, expected.data]);
  });
});

describe("batches", () => {
  test("a poisoned batch of commitments lands every good item and skips every bad one by name", async () => {
    const facts = await chain.open(chain.request({ spares: 1, shadows: 1 }));
    const voteOf = (place: number) => chain.commitment(chain.vote(facts, place, Outcome.Ok, testHash(1)));
    const good = await Promise.all([0, 1, 2, 4].map((place) => chain.carried(facts, place, voteOf(place))));
    const [zero, one, two, shadow] = good as [(typeof good)[0], (typeof good)[0], (typeof good)[0], (typeof good)[0]];
    const spare = await chain.carried(facts, 3, voteOf(3));
    const second = await chain.carried(facts, 0, testHash(5));
    const items: readonly [item: (typeof good)[0], fault: number | undefined][] = [
      [{ ...zero, place: 255 }, CommitmentFault.NoSuchPlace],
      [{ ...zero, signature: "0x" }, CommitmentFault.BadSignature],
      [{ ...zero, signature: `0x${"ff".repeat(200)}` }, CommitmentFault.BadSignature],
      [{ ...zero, commitment: testHash(6) }, CommitmentFault.BadSignature],
      [{ ...zero, place: 1 }, CommitmentFault.BadSignature],
      [{ ...(await chain.carried(facts, 0, ZERO_HASH)) }, CommitmentFault.ZeroCommitment],
      [zero, undefined],
      [zero, CommitmentFault.AlreadyCommitted],
      [second, CommitmentFault.AlreadyCommitted],
      [spare, CommitmentFault.NotSeated],
      [one, undefined],
      [shadow, undefined],
      [two, undefined],
    ];
    const batch = items.map(([item]) => item);
    const sent = chain.market.connect(chain.outsider).commitBySig(facts.jobId, plain(facts.terms), batch);
    const found = marketEvents(await mined(sent)).map(({ event: { eventName, args } }) => [
      eventName,
      args.place,
      args.cause,
    ]);
    assert.deepEqual(
      found,
      items.map(([{ place }, fault]) => [fault === undefined ? "CommitmentPlaced" : "CommitmentSkipped", place, fault]),
    );
    const after = await chain.follow(facts, sent);
    assert.deepEqual(after.committed, [0, 1, 4, 2]);
  });

  test("reveal takes the commitments of the job in their order and nothing else, and skips bad openings", async () => {
    let facts = await chain.open(chain.request());
    const votes = [0, 1, 2].map((place) => chain.vote(facts, place, Outcome.Ok, testHash(1)));
    for (const [place, vote] of votes.entries()) {
      const market = chain.market.connect(provider(place));
      facts = await chain.follow(facts, market.commit(facts.jobId, plain(facts.terms), place, chain.commitment(vote)));
    }
    const market = chain.market.connect(chain.outsider);
    const openings = votes.map((vote, place) => openingOf(place, vote));
    const good = plain(facts.commitments);
    for (const list of [[], good.slice(1), [...good].reverse(), [...good, good[0] as (typeof good)[number]]]) {
      const error = await errorOf(market.reveal(facts.jobId, plain(facts.terms), list, plain(openings)));
      assert.equal(error.name, "CommitmentsMismatch");
    }
    const other = { ...plain(facts.terms), carrierFee: 0n };
    assert.equal((await errorOf(market.reveal(facts.jobId, other, good, plain(openings)))).name, "TermsMismatch");

    const [first, second, third] = openings as [(typeof openings)[0], (typeof openings)[0], (typeof openings)[0]];
    const poisoned = [
      { ...first, place: 200 },
      { ...first, resultHash: testHash(2) },
      { ...first, outcome: Outcome.Failed },
      { ...second, place: 0 },
      first,
      first,
    ];
    const sent = market.reveal(facts.jobId, plain(facts.terms), good, plain(poisoned));
    const found = marketEvents(await mined(sent)).map(({ event: { eventName, args } }) => [eventName, args.cause]);
    assert.deepEqual(found, [
      ["OpeningSkipped", OpeningFault.NoSuchPlace],
      ["OpeningSkipped", OpeningFault.WrongOpening],
      ["OpeningSkipped", OpeningFault.WrongOpening],
      ["OpeningSkipped", OpeningFault.WrongOpening],
      ["CommitmentOpened", undefined],
      ["OpeningSkipped", OpeningFault.AlreadyOpened],
    ]);
    facts = await chain.follow(facts, sent);
    facts = await chain.follow(facts, market.reveal(facts.jobId, plain(facts.terms), good, plain([second, third])));
    assert.equal(facts.settled?.outcome, Outcome.Ok);
    await chain.assertConservation(await openEscrow());
  });
});

/** Escrow of the jobs that this file leaves open: what is held beyond accounts. */
async function openEscrow(): Promise<bigint> {
  const held = await chain.market.held(chain.token.target);
  const burnt = await chain.market.burnt(chain.token.target);
  const sum = Object.values(await chain.accounts()).reduce((total, { free, locked }) => total + free + locked, 0n);
  return held - burnt - sum;
}
