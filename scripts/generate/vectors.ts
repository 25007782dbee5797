// test/vectors: what core computes for fixed inputs. Core, ethers and the contracts replay them, see test/integration/contracts.
import {
  type Address,
  chainCommitments,
  commitmentOf,
  commitmentSetDigest,
  contentHashOf,
  deriveOfferKeyPair,
  derivePackageKeys,
  deriveResultKey,
  deriveSalt,
  escrowOf,
  type Hex,
  hashTerms,
  hex,
  jobIdOf,
  MAX_AMOUNT,
  type MarketDomain,
  offerDigest,
  type PlacedCommitment,
  packSetSignature,
  type Request,
  resultHashOf,
  settlementOf,
  signedCommitmentDigest,
  standingAfter,
  statusAt,
  type Terms,
  unknownStanding,
  Verdict,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "@quorate/core";
import { type Random, seededRandom } from "@quorate/testkit";
import { privateKeyToAccount } from "viem/accounts";
import { listHistories, momentsOf } from "./histories.ts";
import { type GeneratedFile, prettyJson } from "./output.ts";

const SEED = 20_261_122;
const RANDOM_CASES = 24;

/**
 * Files of test/vectors.
 *
 * @returns them with their text
 */
export async function generateVectors(): Promise<readonly GeneratedFile[]> {
  const random = seededRandom(SEED);
  const file = (name: string, about: string, cases: unknown): GeneratedFile => ({
    path: `test/vectors/${name}.json`,
    text: prettyJson({ about, seed: SEED, cases }),
  });
  return [
    file("typed-data", "EIP-712 digests: job ids, offers, commitments, signed commitments", await typedData(random)),
    file("terms", "keccak256(abi.encode(terms)) and the escrow", terms(random)),
    file("commitment-chain", "keccak256(abi.encode(previous, place, commitment)), from the job id on", chains(random)),
    file("keys", "keys derived from package keys and secrets, content and result hashes", keys(random)),
    file("histories", "status at moments, escrow and settlement of whole jobs", histories()),
    file("standing", "standing after a series of verdicts, rows T1 to T7", standings(random)),
  ];
}

function hash(random: Random): Hex {
  return hex(random.bytes(32));
}

function address(random: Random): Address {
  return hex(random.bytes(20));
}

/** Mostly anything, sometimes an end of the range. */
function unsigned(random: Random, bits: number): bigint {
  const highest = (1n << BigInt(bits)) - 1n;
  return random.pick([0n, highest, BigInt(hex(random.bytes(32))) & highest, BigInt(hex(random.bytes(32))) & highest]);
}

function number(random: Random, bits: number): number {
  return Number(unsigned(random, bits));
}

function randomRequest(random: Random): Request {
  return {
    requester: address(random),
    token: address(random),
    packageHash: hash(random),
    contentHash: hash(random),
    requirementsHash: hash(random),
    encryptionKey: hash(random),
    priceCeiling: unsigned(random, 96),
    bond: unsigned(random, 96),
    carrierFee: unsigned(random, 96),
    seats: number(random, 8),
    quorum: number(random, 8),
    spares: number(random, 8),
    shadows: number(random, 8),
    calloutBps: number(random, 16),
    standbyBps: number(random, 16),
    commitWindow: number(random, 32),
    revealWindow: number(random, 32),
    flags: number(random, 32),
    callback: random.pick([ZERO_ADDRESS, address(random)]),
    callbackGas: number(random, 32),
    expiry: number(random, 40),
    nonce: unsigned(random, 256),
  };
}

async function typedData(random: Random): Promise<unknown> {
  const cases: unknown[] = [];
  for (let index = 0; index < RANDOM_CASES; index++) {
    const chainId = index % 2 === 0 ? 31_337 : random.pick([1, 2 ** 32, random.integer(1, 10 ** 9)]);
    const domain: MarketDomain = { chainId, market: address(random) };
    const request = randomRequest(random);
    const jobId = jobIdOf(request, domain);
    const providerKey = hash(random);
    const provider = privateKeyToAccount(providerKey);
    const offer = {
      jobId,
      provider: provider.address,
      price: unsigned(random, 96),
      encryptionKey: hash(random),
      roles: number(random, 8),
      expiry: number(random, 40),
    };
    const vote = {
      jobId,
      provider: provider.address,
      outcome: number(random, 8),
      resultHash: random.pick([ZERO_HASH, hash(random)]),
      salt: hash(random),
    };
    const commitment = commitmentOf(vote, domain);
    const signed = signedCommitmentDigest({ jobId, provider: provider.address, commitment }, domain);
    const set = Array.from({ length: random.integer(2, 16) }, () => random.pick([ZERO_HASH, hash(random)]));
    const setDigest = commitmentSetDigest({ jobId, commitments: set }, domain);
    cases.push({
      domain,
      request,
      jobId,
      providerKey,
      offer,
      offerDigest: offerDigest(offer, domain),
      offerSignature: await provider.sign({ hash: offerDigest(offer, domain) }),
      vote,
      commitment,
      signedCommitmentDigest: signed,
      signedCommitmentSignature: await provider.sign({ hash: signed }),
      set,
      setDigest,
      setSignature: packSetSignature(await provider.sign({ hash: setDigest })),
    });
  }
  return cases;
}

function randomTerms(random: Random): Terms {
  const seats = random.integer(2, 7);
  const spares = random.integer(0, 5);
  const shadows = random.integer(0, 4);
  const highest = random.pick([MAX_AMOUNT / 32n, 1_000_000n, 9_999n]);
  return {
    requester: address(random),
    token: address(random),
    bond: unsigned(random, 96),
    carrierFee: unsigned(random, 90),
    seats,
    quorum: random.integer(2, seats),
    spares,
    calloutBps: random.integer(0, 5_000),
    standbyBps: random.integer(0, 10_000),
    commitWindow: number(random, 32),
    revealWindow: number(random, 32),
    flags: number(random, 32),
    callback: random.pick([ZERO_ADDRESS, address(random)]),
    callbackGas: number(random, 32),
    places: Array.from({ length: seats + spares + shadows }, () => ({
      provider: address(random),
      price: unsigned(random, 96) % (highest + 1n),
    })),
  };
}

function terms(random: Random): unknown {
  return Array.from({ length: RANDOM_CASES }, () => {
    const each = randomTerms(random);
    return { terms: each, hash: hashTerms(each), escrow: escrowOf(each) };
  });
}

function chains(random: Random): unknown {
  return [0, 1, 2, 3, 7, 16].map((length) => {
    const commitments: PlacedCommitment[] = Array.from({ length }, () => ({
      place: random.integer(0, 15),
      commitment: hash(random),
    }));
    const jobId = hash(random);
    return { jobId, commitments, chain: chainCommitments(jobId, commitments) };
  });
}

function keys(random: Random): unknown {
  return [0, 1, 31, 32, 33, 135, 136, 137, 1_000].map((length) => {
    const packageKey = random.bytes(32);
    const secret = random.bytes(32);
    const jobId = hash(random);
    const content = random.bytes(length);
    const { contentKey, leafKey } = derivePackageKeys(packageKey);
    const resultKey = deriveResultKey(packageKey, jobId);
    return {
      packageKey: hex(packageKey),
      secret: hex(secret),
      jobId,
      content: hex(content),
      contentKey: hex(contentKey),
      leafKey: hex(leafKey),
      resultKey: hex(resultKey),
      contentHash: contentHashOf(contentKey, content),
      resultHash: resultHashOf(resultKey, content),
      salt: deriveSalt(secret, jobId),
      offerPublicKey: deriveOfferKeyPair(secret, jobId).publicKey,
    };
  });
}

function histories(): unknown {
  return listHistories(SEED, 40).map((history) => ({
    ...history,
    escrow: escrowOf(history.terms),
    statuses: momentsOf(history).map((now) => ({ now, ...statusAt(history, now) })),
    settlement: settlementOf(history),
  }));
}

function standings(random: Random): unknown {
  return Array.from({ length: 12 }, () => {
    let now = 1_800_000_000;
    let standing = unknownStanding;
    return Array.from({ length: 12 }, () => {
      now += random.pick([10, 1_000, 86_400 * 100, 86_400 * 180]);
      const openedAt = now - random.pick([1, 9, 500, 86_400]);
      const verdict = random.pick([
        Verdict.Fault,
        Verdict.Fault,
        Verdict.Aligned,
        Verdict.Aligned,
        Verdict.Aligned,
        ...Object.values(Verdict),
      ]);
      const change = standingAfter(standing, { verdict, openedAt, now });
      standing = change.standing;
      return { verdict, openedAt, now, ...change };
    });
  });
}
