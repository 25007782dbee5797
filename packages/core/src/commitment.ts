import {
  encodeAbiParameters,
  type Hex,
  hashTypedData,
  keccak256,
  parseSignature,
  signatureToCompactSignature,
} from "viem";
import type { Offer, Opening, PlacedCommitment } from "./job.ts";
import {
  commitmentSetTypes,
  commitmentTypes,
  type MarketDomain,
  offerTypes,
  signedCommitmentTypes,
  typedDomain,
} from "./typed-data.ts";

/** A vote of one provider in one job, with the salt that hides it. */
export type Vote = {
  readonly jobId: Hex;
  readonly provider: Offer["provider"];
  readonly outcome: number;
  readonly resultHash: Hex;
  /** 32 bytes, durable before anything is signed. */
  readonly salt: Hex;
};

/** What a provider signs so that anybody may carry its commitment. */
export type SignedCommitment = {
  readonly jobId: Hex;
  readonly provider: Offer["provider"];
  readonly commitment: Hex;
};

/**
 * Commitment of a vote: its EIP-712 digest. Bound to the provider, so that a copied one cannot be opened by the copier.
 *
 * @param vote Vote and salt.
 * @param domain Market that counts it.
 */
export function commitmentOf(vote: Vote, domain: MarketDomain): Hex {
  return hashTypedData({
    domain: typedDomain(domain),
    types: commitmentTypes,
    primaryType: "Commitment",
    message: vote,
  });
}

/**
 * Digest that a provider or its agent signs for `commitBySig`.
 *
 * @param message Job, provider, commitment.
 * @param domain Market that counts it.
 */
export function signedCommitmentDigest(message: SignedCommitment, domain: MarketDomain): Hex {
  return hashTypedData({
    domain: typedDomain(domain),
    types: signedCommitmentTypes,
    primaryType: "SignedCommitment",
    message,
  });
}

/** The commitments of a job that its seats, and shadows that take part, vote by together. */
export type CommitmentSet = {
  readonly jobId: Hex;
  /** By place; {@link ZERO_HASH} for places that take no part. */
  readonly commitments: readonly Hex[];
};

/**
 * Digest that every member of a set, or its agent, signs for `revealSet`.
 *
 * @param set Job and commitments by place.
 * @param domain Market that counts it.
 */
export function commitmentSetDigest(set: CommitmentSet, domain: MarketDomain): Hex {
  return hashTypedData({
    domain: typedDomain(domain),
    types: commitmentSetTypes,
    primaryType: "CommitmentSet",
    message: set,
  });
}

/** A signature over a set, as `revealSet` takes it. */
export type SetSignature = {
  readonly r: Hex;
  /** Parity of v in the highest bit, s below (EIP-2098). */
  readonly vs: Hex;
};

/**
 * Packs a signature over a set as `revealSet` takes it.
 *
 * @param signature 65 bytes.
 */
export function packSetSignature(signature: Hex): SetSignature {
  const { r, yParityAndS } = signatureToCompactSignature(parseSignature(signature));
  return { r, vs: yParityAndS };
}

/**
 * Digest that a provider or its agent signs to offer.
 *
 * @param offer Offer with its job id.
 * @param domain Market that it is for.
 */
export function offerDigest(offer: Offer, domain: MarketDomain): Hex {
  return hashTypedData({ domain: typedDomain(domain), types: offerTypes, primaryType: "Offer", message: offer });
}

/**
 * Folds commitments into the word that the contract stores: `keccak256(abi.encode(previous, place, commitment))`, from the
 * job id on.
 *
 * @param jobId The job.
 * @param commitments In the order in which they landed.
 * @returns The job id for an empty list.
 */
export function chainCommitments(jobId: Hex, commitments: readonly PlacedCommitment[]): Hex {
  return commitments.reduce<Hex>(
    (previous, { place, commitment }) =>
      keccak256(
        encodeAbiParameters(
          [{ type: "bytes32" }, { type: "uint8" }, { type: "bytes32" }],
          [previous, place, commitment],
        ),
      ),
    jobId,
  );
}

/**
 * The opening of a vote at its place.
 *
 * @param place Index of the place.
 * @param vote Vote that was committed.
 */
export function openingOf(place: number, vote: Vote): Opening {
  return { place, outcome: vote.outcome, resultHash: vote.resultHash, salt: vote.salt };
}
