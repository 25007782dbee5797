// The vectors of test/vectors, replayed by core (viem), by ethers as an independent witness, and by the contracts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import {
  type Address,
  chainCommitments,
  classOfOpening,
  commitmentOf,
  commitmentSetDigest,
  commitmentSetTypes,
  commitmentTypes,
  escrowOf,
  type Hex,
  hashTerms,
  jobIdOf,
  type MarketDomain,
  type Offer,
  offerDigest,
  offerTypes,
  type PlacedCommitment,
  type Request,
  requestTypes,
  type SetSignature,
  type Settlement,
  type Standing,
  type StandingChange,
  type StatusView,
  settlementOf,
  signedCommitmentDigest,
  signedCommitmentTypes,
  standingAfter,
  statusAt,
  type Terms,
  typedDomain,
  unknownStanding,
  type Verdict,
  type Vote,
  ZERO_HASH,
} from "@quorate/core";
import { AbiCoder, computeAddress, keccak256, recoverAddress, Signature, TypedDataEncoder } from "ethers";
import { network } from "hardhat";
import type { History } from "../../../scripts/generate/histories.ts";
import type { JobMarketHarness } from "../../../types/ethers-contracts/index.js";
import { marketEvents, mined, mutable, plain } from "./support/market.ts";

/** Reads a vector file; decimal strings of amount fields become bigints again. */
function read<T>(name: string): readonly T[] {
  const text = readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8");
  const revive = (key: string, value: unknown): unknown =>
    amounts.has(key) && typeof value === "string" ? BigInt(value) : value;
  return (JSON.parse(text, revive) as { cases: T[] }).cases;
}
const amounts = new Set([
  "price",
  "priceCeiling",
  "bond",
  "carrierFee",
  "nonce",
  "escrow",
  "paid",
  "refunded",
  "burnt",
]); // prettier-ignore

type TypedDataCase = {
  domain: MarketDomain;
  request: Request;
  jobId: Hex;
  providerKey: Hex;
  offer: Offer;
  offerDigest: Hex;
  offerSignature: Hex;
  vote: Vote;
  commitment: Hex;
  signedCommitmentDigest: Hex;
  signedCommitmentSignature: Hex;
  set: Hex[];
  setDigest: Hex;
  setSignature: SetSignature;
};
type TermsCase = { terms: Terms; hash: Hex; escrow: bigint };
type ChainCase = { jobId: Hex; commitments: PlacedCommitment[]; chain: Hex };
type KeysCase = { jobId: Hex; content: Hex; resultKey: Hex; resultHash: Hex };
type HistoryCase = History & { escrow: bigint; statuses: (StatusView & { now: number })[]; settlement: Settlement };
type StandingCase = (StandingChange & { verdict: Verdict; openedAt: number; now: number })[];

const typedData = read<TypedDataCase>("typed-data");
const terms = read<TermsCase>("terms");
const chains = read<ChainCase>("commitment-chain");
const keys = read<KeysCase>("keys");
const histories = read<HistoryCase>("histories");
const standings = read<StandingCase>("standing");

const termsType =
  "tuple(address,address,uint96,uint96,uint8,uint8,uint8,uint16,uint16,uint32,uint32,uint32,address,uint32,tuple(address,uint96)[])";
const termsValues = (value: Terms) => [
  value.requester,
  value.token,
  value.bond,
  value.carrierFee,
  value.seats,
  value.quorum,
  value.spares,
  value.calloutBps,
  value.standbyBps,
  value.commitWindow,
  value.revealWindow,
  value.flags,
  value.callback,
  value.callbackGas,
  value.places.map(({ provider, price }) => [provider, price]),
]; // prettier-ignore

describe("core computes what the vectors say", () => {
  test("typed data", () => {
    for (const { domain, ...vector } of typedData) {
      const signed = { jobId: vector.jobId, provider: vector.offer.provider, commitment: vector.commitment };
      assert.equal(jobIdOf(vector.request, domain), vector.jobId);
      assert.equal(offerDigest(vector.offer, domain), vector.offerDigest);
      assert.equal(commitmentOf(vector.vote, domain), vector.commitment);
      assert.equal(signedCommitmentDigest(signed, domain), vector.signedCommitmentDigest);
      assert.equal(commitmentSetDigest({ jobId: vector.jobId, commitments: vector.set }, domain), vector.setDigest);
    }
  });
  test("terms and escrow", () => {
    for (const vector of terms) {
      assert.equal(hashTerms(vector.terms), vector.hash);
      assert.equal(escrowOf(vector.terms), vector.escrow);
    }
  });
  test("chains of commitments", () => {
    for (const { jobId, commitments, chain } of chains) assert.equal(chainCommitments(jobId, commitments), chain);
  });
  test("statuses and settlements", () => {
    for (const { statuses, settlement, ...history } of histories) {
      for (const { now, ...view } of statuses)
        assert.deepEqual(statusAt(history, now), view, `${history.name} at ${now}`);
      assert.deepEqual(settlementOf(history), settlement, history.name);
      assert.equal(escrowOf(history.terms), history.escrow);
    }
  });
  test("standings", () => {
    for (const series of standings) {
      let standing: Standing = unknownStanding;
      for (const { verdict, openedAt, now, ...change } of series) {
        assert.deepEqual(standingAfter(standing, { verdict, openedAt, now }), change);
        standing = change.standing;
      }
    }
  });
});

describe("ethers computes what the vectors say", () => {
  test("typed data: every digest, and the signatures recover to the provider", () => {
    for (const { domain, ...vector } of typedData) {
      const eip712 = typedDomain(domain);
      const provider = computeAddress(vector.providerKey);
      const signed = { jobId: vector.jobId, provider, commitment: vector.commitment };
      assert.equal(TypedDataEncoder.hash(eip712, mutable(requestTypes), vector.request), vector.jobId);
      assert.equal(TypedDataEncoder.hash(eip712, mutable(offerTypes), vector.offer), vector.offerDigest);
      assert.equal(TypedDataEncoder.hash(eip712, mutable(commitmentTypes), vector.vote), vector.commitment);
      assert.equal(
        TypedDataEncoder.hash(eip712, mutable(signedCommitmentTypes), signed),
        vector.signedCommitmentDigest,
      );
      const { jobId, set: commitments, setSignature } = vector;
      assert.equal(
        TypedDataEncoder.hash(eip712, mutable(commitmentSetTypes), { jobId, commitments }),
        vector.setDigest,
      );
      assert.equal(
        recoverAddress(vector.setDigest, Signature.from({ r: setSignature.r, yParityAndS: setSignature.vs })),
        provider,
      );
      assert.equal(recoverAddress(vector.offerDigest, vector.offerSignature), provider);
      assert.equal(recoverAddress(vector.signedCommitmentDigest, vector.signedCommitmentSignature), provider);
    }
  });
  test("terms", () => {
    for (const vector of terms) {
      const encoded = AbiCoder.defaultAbiCoder().encode([termsType], [termsValues(vector.terms)]);
      assert.equal(keccak256(encoded), vector.hash);
    }
  });
  test("chains of commitments", () => {
    for (const { jobId, commitments, chain } of chains) {
      const coder = AbiCoder.defaultAbiCoder();
      const folded = commitments.reduce(
        (word, { place, commitment }) =>
          keccak256(coder.encode(["bytes32", "uint8", "bytes32"], [word, place, commitment])),
        jobId as string,
      );
      assert.equal(folded, chain);
    }
  });
});

describe("the contracts compute what the vectors say", () => {
  let harness: JobMarketHarness;
  let connection: Awaited<ReturnType<typeof network.create>>;
  const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
    connection.provider.request({ method, params });
  const TOKEN: Address = `0x${"70".repeat(20)}`;

  before(async () => {
    connection = await network.create({ override: { chainId: 31_337, allowUnlimitedContractSize: true } });
    harness = (await connection.ethers.deployContract("JobMarketHarness")) as unknown as JobMarketHarness;
  });

  test("typed data: digests and signatures, at the market address of the vector", async () => {
    const here = typedData.filter(({ domain }) => domain.chainId === 31_337);
    assert.ok(here.length >= 10);
    const code = await connection.ethers.provider.getCode(harness.target);
    for (const vector of here) {
      const { request, jobId, offer, vote, commitment } = vector;
      await rpc("hardhat_setCode", vector.domain.market, code);
      const market = harness.attach(vector.domain.market) as JobMarketHarness;
      assert.equal(await market.jobIdOf(request), jobId);
      assert.equal(await market.commitmentDigest(jobId, vote.provider, { place: 0, ...vote }), commitment);
      const signedOffer = { ...offer, signature: vector.offerSignature, keyWrap: "0x" };
      assert.equal((await market.judgeSignature(request, jobId, signedOffer)).good, true);
      assert.equal(
        (await market.judgeSignature(request, jobId, { ...signedOffer, roles: offer.roles ^ 1 })).good,
        false,
      );
      const isSigned = (signature: Hex): Promise<boolean> =>
        market.isCommitmentSigned(jobId, vote.provider, request.token, commitment, signature);
      assert.equal(await isSigned(vector.signedCommitmentSignature), true);
      assert.equal(await isSigned(vector.offerSignature), false);
      const { set, setDigest, setSignature } = vector;
      assert.equal(await market.setDigest(jobId, set), setDigest);
      const { provider } = vote;
      assert.equal(await market.isSetSigned(setDigest, provider, request.token, 1, setSignature), true);
      assert.equal(await market.isSetSigned(commitment, provider, request.token, 1, setSignature), false);
    }
  });

  test("typed data: job ids of every request at this market", async () => {
    const domain: MarketDomain = { chainId: 31_337, market: harness.target as Address };
    for (const { request } of typedData) assert.equal(await harness.jobIdOf(request), jobIdOf(request, domain));
  });

  test("terms", async () => {
    for (const vector of terms) assert.equal(await harness.hashTerms(plain(vector.terms)), vector.hash);
  });

  test("chains of commitments", async () => {
    for (const { jobId, commitments, chain } of chains) {
      assert.equal(await harness.chainOf(jobId, plain(commitments)), chain);
    }
  });

  test("result hashes: verifyResult takes the result and nothing else", async () => {
    for (const { jobId, resultKey, resultHash, content } of keys) {
      await harness.plantResult(jobId, resultHash);
      assert.equal(await harness.verifyResult(jobId, resultKey, content), true);
      assert.equal(await harness.verifyResult(jobId, resultKey, `${content}00`), false);
      assert.equal(await harness.verifyResult(jobId, ZERO_HASH, content), false);
    }
  });

  /** Whatever the body does to the chain, clock included, is undone. */
  async function undone(body: () => Promise<void>): Promise<void> {
    const snapshot = await rpc("evm_snapshot");
    try {
      await body();
    } finally {
      await rpc("evm_revert", snapshot);
    }
  }

  const bitmap = (places: readonly number[]): number => places.reduce((bits, place) => bits | (1 << place), 0);
  const classes = { ok: 0, failed: 1, report: 2, malformed: 3 } as const;

  for (const [index, { name, statuses, settlement, escrow, ...history }] of histories.entries()) {
    test(`history "${name}": status at ${statuses.length} moments, then settlement and every balance`, () =>
      undone(async () => {
        const jobId = `0x${(index + 1).toString(16).padStart(64, "0")}` as Hex;
        const job = { ...plain(history.terms), token: TOKEN };
        const hashes = job.places.map((_, place) => {
          const opening = history.openings.find((candidate) => candidate.place === place);
          const isComputed = opening !== undefined && ["ok", "failed"].includes(classOfOpening(opening));
          return isComputed ? opening.resultHash : ZERO_HASH;
        });
        const state = {
          phase: 1,
          outcome: 0,
          seats: 0,
          quorum: 0,
          agreeing: 0,
          resultHash: `0x${"00".repeat(27)}`,
          committed: bitmap(history.committed),
          declined: bitmap(history.declined),
          opened: bitmap(history.openings.map(({ place }) => place)),
          used: bitmap(history.promotions.map(({ spare }) => spare)),
          classes: history.openings.reduce(
            (bits, opening) => bits + classes[classOfOpening(opening)] * 4 ** opening.place,
            0,
          ),
          openedAt: history.openedAt,
          lastCommitAt: history.lastCommitAt,
          lastDeclineAt: history.lastDeclineAt,
          bySet: false,
          callbackPending: false,
        }; // prettier-ignore
        await mined(harness.plant(jobId, job, escrow, state, plain(history.promotions), hashes));
        for (const { now, status, revealAt, revealDeadline } of statuses) {
          await rpc("evm_setNextBlockTimestamp", now);
          await rpc("evm_mine");
          const found = (await harness.statusOf(jobId, job)).map(Number);
          assert.deepEqual(found, [status, revealAt, revealDeadline], `at ${now}`);
        }
        const receipt = await mined(harness.settle(jobId, job));
        const settled = marketEvents(receipt).find(({ event }) => event.eventName === "JobSettled")?.event.args;
        const { status, outcome, resultHash, refunded, burnt, results, carrierFee, quarantined, forfeited } =
          settlement;
        const carrier = receipt.from as Address;
        assert.deepEqual(settled, { jobId, status, outcome, resultHash, carrier, refunded, burnt, results });
        assert.deepEqual(
          [...(await harness.resultOf(jobId))].map(String),
          [status, outcome, resultHash.slice(0, 2 + 2 * 27)].map(String),
        );
        assert.deepEqual([...(await harness.accountOf(TOKEN, job.requester))], [refunded, 0n]);
        assert.deepEqual([...(await harness.accountOf(TOKEN, receipt.from))], [carrierFee, 0n]);
        assert.equal(await harness.burnt(TOKEN), burnt);
        for (const [place, { provider }] of job.places.entries()) {
          const isLost = quarantined.includes(place) || forfeited.includes(place);
          const isReturnedBefore = history.declined.includes(place);
          const bond = isLost || isReturnedBefore ? 0n : job.bond;
          const paid = results[place]?.paid ?? 0n;
          assert.deepEqual([...(await harness.accountOf(TOKEN, provider))], [bond + paid, 0n], `place ${place}`);
          const [amount] = await harness.quarantineOf(provider, TOKEN, 1);
          assert.equal(amount, quarantined.includes(place) ? job.bond : 0n);
        }
      }));
  }

  for (const [index, series] of standings.entries()) {
    test(`standing, series ${index}: every step, and what becomes of each bond`, () =>
      undone(async () => {
        const provider: Address = `0x${"77".repeat(20)}`;
        for (const { verdict, openedAt, now, standing, entry, condemned } of series) {
          await rpc("evm_setNextBlockTimestamp", now);
          await mined(harness.record(provider, verdict, openedAt, TOKEN, 5n));
          const found = await harness.standingOf(provider);
          assert.deepEqual([found.probation, found.probationSince, found.lastFaultAt, found.alignedInRow].map(Number), [
            standing.probation,
            standing.probationSince,
            standing.lastFaultAt,
            standing.alignedInRow,
          ]);
          if (entry !== undefined) assert.equal(Number((await harness.quarantineOf(provider, TOKEN, entry)).state), 1);
          if (condemned !== undefined) {
            assert.equal(Number((await harness.quarantineOf(provider, TOKEN, condemned)).state), 3);
          }
        }
      }));
  }
});
