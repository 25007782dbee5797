// Money in and out: deployment by Ignition, permits, accounts with code, escrow to the unit.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type Address, escrowOf, type Hex, OfferFault, Outcome } from "@quorate/core";
import { testHash } from "@quorate/testkit";
import { Signature, Wallet } from "ethers";
import { network } from "hardhat";
import jobMarketModule from "../../../packages/devnet/src/ignition/modules/JobMarket.ts";
import type { ContractAccount, JobMarket } from "../../../types/ethers-contracts/index.js";
import { actorKey, errorOf, FUNDS, mined, plain, TestMarket } from "./support/market.ts";

let chain: TestMarket;
before(async () => {
  chain = await TestMarket.create();
});

describe("deployment", () => {
  const deploy = async (chainId: number, minWindow: number, maxWindow: number) => {
    const { ignition } = await network.create({ override: { chainId } });
    const parameters = { JobMarket: { minWindow, maxWindow } };
    return ignition.deploy(jobMarketModule, { parameters, displayUi: false });
  };

  test("the Ignition module deploys a market with its windows", async () => {
    const { jobMarket } = await deploy(31_337, 5, 3_600);
    const market = jobMarket as unknown as JobMarket;
    assert.deepEqual([await market.minWindow(), await market.maxWindow()], [5n, 3_600n]);
  });

  test("windows below five minutes are refused off the test chains", async () => {
    await assert.rejects(deploy(1, 5, 3_600), /MarketWindowsOutOfRange/);
    const { jobMarket } = await deploy(1, 300, 604_800);
    assert.equal(await (jobMarket as unknown as JobMarket).minWindow(), 300n);
  });
});

describe("permits", () => {
  async function permit(owner: Wallet, value: bigint): Promise<Signature> {
    const domain = {
      name: "Test dollar",
      version: "1",
      chainId: 31_337,
      verifyingContract: chain.token.target as string,
    };
    const types = {
      Permit: [
        { name: "owner", type: "address" },
        { name: "spender", type: "address" },
        { name: "value", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    };
    const message = {
      owner: owner.address,
      spender: chain.domain.market,
      value,
      nonce: await chain.token.nonces(owner.address),
      deadline: 2_000_000_000,
    };
    return Signature.from(await owner.signTypedData(domain, types, message));
  }

  async function newRequester(name: string): Promise<Wallet> {
    const wallet = new Wallet(actorKey(name), chain.connection.ethers.provider);
    await chain.rpc("hardhat_setBalance", wallet.address, "0x56bc75e2d63100000");
    await chain.token.mint(wallet.address, FUNDS);
    return wallet;
  }

  for (const isUsedBefore of [false, true]) {
    test(`deposit by permit and open are one transaction${isUsedBefore ? ", also when somebody used the permit first" : ""}`, async () => {
      const requester = await newRequester(`permit requester ${isUsedBefore}`);
      const request = chain.request({ requester: requester.address as Address });
      const offers = plain(await chain.panel(request));
      const amount = 3n * 900_000n + request.carrierFee;
      const { v, r, s } = await permit(requester, amount);
      if (isUsedBefore) {
        const token = chain.token.connect(chain.outsider);
        await mined(token.permit(requester.address, chain.domain.market, amount, 2_000_000_000, v, r, s));
      }
      const { interface: abi } = chain.market;
      const calls = [
        abi.encodeFunctionData("depositWithPermit", [
          chain.token.target,
          requester.address,
          amount,
          2_000_000_000,
          v,
          r,
          s,
        ]),
        abi.encodeFunctionData("open", [request, 0, offers]),
      ];
      const facts = await chain.follow(undefined, chain.market.connect(requester).multicall(calls));
      assert.equal(escrowOf(facts.terms), amount);
      assert.deepEqual(await chain.account(requester.address), { free: 0n, locked: 0n });
      assert.equal(await chain.token.balanceOf(requester.address), FUNDS - amount);
    });
  }

  test("a permit of somebody else moves nothing", async () => {
    const victim = await newRequester("permit victim");
    const { v, r, s } = await permit(victim, FUNDS);
    const market = chain.market.connect(chain.outsider);
    const stolen = market.depositWithPermit(chain.token.target, chain.outsider.address, FUNDS, 2_000_000_000, v, r, s);
    await assert.rejects(stolen);
    assert.equal(await chain.token.balanceOf(victim.address), FUNDS);
  });
});

describe("balances", () => {
  test("escrow, bonds and withdrawals are exact to the unit", async () => {
    const before = await chain.account(chain.requester.address);
    const request = chain.request({ spares: 2, shadows: 1, standbyBps: 777, carrierFee: 13n });
    const prices = [900_001n, 1n, 555_555n, 999_999n, 7n, 123_456n];
    const facts = await chain.open(request, { price: (place) => prices[place] as bigint });
    // 3 × 999999 + 123456 + ⌊999999 × 0.0777⌋ + ⌊7 × 0.0777⌋ + 13
    const escrow = 2_999_997n + 123_456n + 77_699n + 0n + 13n;
    assert.equal(escrowOf(facts.terms), escrow);
    const after = await chain.account(chain.requester.address);
    assert.deepEqual(after, { free: before.free - escrow, locked: 0n });
    for (const { provider } of facts.terms.places) {
      assert.equal((await chain.account(provider)).locked % request.bond, 0n);
    }
    const market = chain.market.connect(chain.requester);
    const error = await errorOf(market.withdraw(chain.token.target, chain.requester.address, after.free + 1n));
    assert.equal(error.name, "InsufficientFree");
    const held = await chain.token.balanceOf(chain.requester.address);
    await mined(market.withdraw(chain.token.target, chain.requester.address, after.free));
    assert.equal(await chain.token.balanceOf(chain.requester.address), held + after.free);
    assert.equal((await chain.account(chain.requester.address)).free, 0n);
    await mined(chain.token.connect(chain.requester).approve(chain.domain.market, FUNDS));
    await chain.fund(chain.requester, FUNDS);
  });
});

describe("accounts with code (ERC-1271)", () => {
  const owner = new Wallet(actorKey("owner of a contract account"));
  let account: ContractAccount;
  let address: Address;
  before(async () => {
    const { ethers } = chain.connection;
    account = (await ethers.deployContract("ContractAccount", [owner.address])) as unknown as ContractAccount;
    address = (await account.getAddress()) as Address;
    await chain.fund(chain.providers[0] as Wallet, 10_000_000n, address);
    await chain.rpc("hardhat_setBalance", owner.address, "0x56bc75e2d63100000");
  });
  const behave = async (manner: number) => mined(account.behave(manner));
  /** An offer by the account, signed by its owner, at place 1. */
  const panel = async (signer: Wallet) => {
    const request = chain.request();
    const offers = await chain.panel(request);
    offers[1] = await chain.offer(request, address, {}, signer);
    return { request, offers: plain(offers) };
  };

  test("an account with code offers by the signature of its owner, and commits by a call", async () => {
    await behave(0);
    const { request, offers } = await panel(owner);
    let facts = await chain.follow(undefined, chain.market.connect(chain.requester).open(request, 0, offers));
    const commitment = chain.commitment(chain.vote(facts, 1, Outcome.Ok, testHash(1)));
    const data = chain.market.interface.encodeFunctionData("commit", [facts.jobId, plain(facts.terms), 1, commitment]);
    const wallet = owner.connect(chain.connection.ethers.provider);
    facts = await chain.follow(facts, account.connect(wallet).execute(chain.domain.market, data));
    assert.deepEqual(facts.committed, [1]);
  });

  test("a commitment of an account with code cannot be carried by a signature of its owner", async () => {
    await behave(0);
    const { request, offers } = await panel(owner);
    const facts = await chain.follow(undefined, chain.market.connect(chain.requester).open(request, 0, offers));
    const carried = await chain.carried(facts, 1, testHash(5) as Hex, owner);
    const after = await chain.follow(
      facts,
      chain.market.connect(chain.carrier).commitBySig(facts.jobId, plain(facts.terms), [carried]),
    );
    assert.deepEqual(after.committed, []);
  });

  const manners: readonly [string, number][] = [
    ["burns all gas", 1],
    ["returns a bomb of data", 2],
    ["reverts", 3],
    ["returns nothing", 4],
  ];
  for (const [name, manner] of manners) {
    test(`an account that ${name} harms nobody but itself`, async () => {
      await behave(manner);
      const { request, offers } = await panel(owner);
      const listed = await chain.market.checkOffers(request, 0, offers, { gasLimit: 2_000_000 });
      assert.deepEqual(
        listed.map(({ place, fault }) => [Number(place), Number(fault)]),
        [[1, OfferFault.BadSignature]],
      );
    });
  }

  test("a signature of somebody else is refused by the account", async () => {
    await behave(0);
    const { request, offers } = await panel(chain.outsider);
    const listed = await chain.market.checkOffers(request, 0, offers);
    assert.deepEqual(
      listed.map(({ fault }) => Number(fault)),
      [OfferFault.BadSignature],
    );
  });
});
