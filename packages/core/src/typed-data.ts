import type { Address } from "viem";

/** Where signatures of the market count: one contract on one chain. */
export type MarketDomain = {
  readonly chainId: number;
  readonly market: Address;
};

/** EIP-712 domain of a market, as viem and ethers take it. */
export type TypedDomain = {
  name: string;
  version: string;
  chainId: number;
  verifyingContract: Address;
};

/**
 * EIP-712 domain of a market.
 *
 * @param domain Chain and contract.
 * @returns Domain for viem's and ethers' typed data functions.
 */
export function typedDomain(domain: MarketDomain): TypedDomain {
  return { name: "Quorate", version: "1", chainId: domain.chainId, verifyingContract: domain.market };
}

/** EIP-712 types of a request, in the order of the Solidity struct. */
export const requestTypes = {
  Request: [
    { name: "requester", type: "address" },
    { name: "token", type: "address" },
    { name: "packageHash", type: "bytes32" },
    { name: "contentHash", type: "bytes32" },
    { name: "requirementsHash", type: "bytes32" },
    { name: "encryptionKey", type: "bytes32" },
    { name: "priceCeiling", type: "uint96" },
    { name: "bond", type: "uint96" },
    { name: "carrierFee", type: "uint96" },
    { name: "seats", type: "uint8" },
    { name: "quorum", type: "uint8" },
    { name: "spares", type: "uint8" },
    { name: "shadows", type: "uint8" },
    { name: "calloutBps", type: "uint16" },
    { name: "standbyBps", type: "uint16" },
    { name: "commitWindow", type: "uint32" },
    { name: "revealWindow", type: "uint32" },
    { name: "flags", type: "uint32" },
    { name: "callback", type: "address" },
    { name: "callbackGas", type: "uint32" },
    { name: "expiry", type: "uint40" },
    { name: "nonce", type: "uint256" },
  ],
} as const;

/** EIP-712 types of an offer. */
export const offerTypes = {
  Offer: [
    { name: "jobId", type: "bytes32" },
    { name: "provider", type: "address" },
    { name: "price", type: "uint96" },
    { name: "encryptionKey", type: "bytes32" },
    { name: "roles", type: "uint8" },
    { name: "expiry", type: "uint40" },
  ],
} as const;

/** EIP-712 types whose digest is a commitment. */
export const commitmentTypes = {
  Commitment: [
    { name: "jobId", type: "bytes32" },
    { name: "provider", type: "address" },
    { name: "outcome", type: "uint8" },
    { name: "resultHash", type: "bytes32" },
    { name: "salt", type: "bytes32" },
  ],
} as const;

/** EIP-712 types of a signature that lets anybody carry a commitment. */
export const signedCommitmentTypes = {
  SignedCommitment: [
    { name: "jobId", type: "bytes32" },
    { name: "provider", type: "address" },
    { name: "commitment", type: "bytes32" },
  ],
} as const;

/** EIP-712 types of what every member of a set of commitments signs; `commitments` by place, zero for places that take no part. */
export const commitmentSetTypes = {
  CommitmentSet: [
    { name: "jobId", type: "bytes32" },
    { name: "commitments", type: "bytes32[]" },
  ],
} as const;

/** EIP-712 types of a provider's profile on relays; `bodyHash` is over canonical JSON. */
export const profileTypes = {
  Profile: [
    { name: "provider", type: "address" },
    { name: "bodyHash", type: "bytes32" },
    { name: "createdAt", type: "uint40" },
    { name: "expiry", type: "uint40" },
  ],
} as const;

/** EIP-712 types of a relay message; `bodyHash` is over canonical JSON. */
export const envelopeTypes = {
  Envelope: [
    { name: "kind", type: "string" },
    { name: "topic", type: "bytes32" },
    { name: "sender", type: "address" },
    { name: "bodyHash", type: "bytes32" },
    { name: "createdAt", type: "uint40" },
    { name: "expiry", type: "uint40" },
  ],
} as const;

/** EIP-712 types of a domain provider's quote, in the order of the Solidity struct. */
export const quoteTypes = {
  Quote: [
    { name: "asker", type: "address" },
    { name: "provider", type: "address" },
    { name: "query", type: "uint256" },
    { name: "dataset", type: "bytes32" },
    { name: "root", type: "uint256" },
    { name: "verifier", type: "address" },
    { name: "verifierCodeHash", type: "bytes32" },
    { name: "token", type: "address" },
    { name: "price", type: "uint96" },
    { name: "bond", type: "uint96" },
    { name: "window", type: "uint32" },
    { name: "expiry", type: "uint40" },
  ],
} as const;

/** EIP-712 types of a domain provider's one-time key. */
export const questionKeyTypes = {
  QuestionKey: [
    { name: "provider", type: "address" },
    { name: "asker", type: "address" },
    { name: "dataset", type: "bytes32" },
    { name: "encryptionKey", type: "bytes32" },
    { name: "expiry", type: "uint40" },
  ],
} as const;

/** EIP-712 types by which an asker vouches for a sealed question. */
export const sealedQuestionTypes = {
  SealedQuestion: [
    { name: "asker", type: "address" },
    { name: "dataset", type: "bytes32" },
    { name: "encryptionKey", type: "bytes32" },
    { name: "sealedHash", type: "bytes32" },
  ],
} as const;

/** EIP-712 domain of the message from which a subject's wallet derives its key: no market, so that the key outlives it. */
export const subjectKeyDomain = { name: "Quorate subject", version: "1" } as const;

/** EIP-712 types of the message from which a subject's wallet derives its key for a provider. */
export const subjectKeyTypes = {
  SubjectKey: [
    { name: "purpose", type: "string" },
    { name: "provider", type: "address" },
  ],
} as const;
