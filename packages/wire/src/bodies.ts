import type { Address, Hex, Opening, ReportCode, Request, Requirements } from "@quorate/core";
import { MAX_PLACES, ReportCode as reportCodes, requirementsSchema } from "@quorate/core";
import { z } from "zod";
import {
  address,
  base64,
  bytes32,
  cid,
  ecdsaSignature,
  line,
  uint,
  uint96,
  uint256,
  unixTime,
} from "./internal/primitives.ts";

/** Largest sealed offer, bytes before base64. */
export const MAX_SEALED_OFFER_BYTES: number = 12_288;

/** Most blocks that one delivery names. */
export const MAX_DELIVERY_CIDS: number = 256;

/** Body of kind `request`: a requester asks for offers. */
export type RequestBody = {
  /** The request; its digest is the job id. */
  readonly request: Request;
  /** Document whose hash the request carries. */
  readonly requirements: Requirements;
  /** Chain of the market. */
  readonly chainId: number;
  /** Contract of the market. */
  readonly market: Address;
};

/**
 * Body of kind `requirements`: the document of a request that is announced on chain. Its hash stands in the request, so it proves
 * itself and may come from anybody.
 */
export type RequirementsBody = Omit<RequestBody, "request">;

/** Body of kind `offer`. */
export type OfferBody = {
  /** Base64 of the offer sealed to the request's encryption key; see `openOffer`. */
  readonly sealed: string;
};

/** Body of kind `commitment`: lets anybody carry it to the chain. */
export type CommitmentBody = {
  readonly provider: Address;
  /** Index of the place in the panel. */
  readonly place: number;
  readonly commitment: Hex;
  /** ECDSA over SignedCommitment by the provider or its agent. */
  readonly signature: Hex;
};

/**
 * Body of kind `set-commitment`: what a place would vote by in a set. It counts by the signature of its envelope, so that nobody
 * can carry it to the chain.
 */
export type SetCommitmentBody = {
  readonly provider: Address;
  /** Index of the place in the panel. */
  readonly place: number;
  readonly commitment: Hex;
};

/** Body of kind `set-signature`: a member of a set agrees to vote by it. */
export type SetSignatureBody = {
  readonly provider: Address;
  /** Index of the place in the panel. */
  readonly place: number;
  /** By place: the commitment of each member, zero for places that take no part. */
  readonly commitments: readonly Hex[];
  /** ECDSA over CommitmentSet by the provider or its agent. */
  readonly signature: Hex;
};

/** Body of kind `opening`: proves itself against the commitment on chain, or in a signed set. */
export type OpeningBody = {
  readonly provider: Address;
  readonly opening: Opening;
  /** Why a report was given; for diagnosis only. */
  readonly reportCode?: ReportCode | undefined;
};

/** Body of kind `delivery`: where the sealed result lies. */
export type DeliveryBody = {
  readonly provider: Address;
  readonly place: number;
  /** Blocks of the sealed result in order. */
  readonly cids: readonly string[];
  /** Bytes of all blocks together. */
  readonly size: number;
};

/** Body of kind `redelivery`: the requester asks for the result once more. */
export type RedeliveryBody = {
  /** Why, in a line for people. */
  readonly reason: string;
};

/** Bodies by kind of envelope. */
export type EnvelopeBodies = {
  readonly request: RequestBody;
  readonly requirements: RequirementsBody;
  readonly offer: OfferBody;
  readonly commitment: CommitmentBody;
  readonly "set-commitment": SetCommitmentBody;
  readonly "set-signature": SetSignatureBody;
  readonly opening: OpeningBody;
  readonly delivery: DeliveryBody;
  readonly redelivery: RedeliveryBody;
};

/** Kind of an envelope. */
export type EnvelopeKind = keyof EnvelopeBodies;

const place = uint(8).refine((value) => value < MAX_PLACES, `expected a place below ${MAX_PLACES}`);

/** JSON of a {@link Request}: amounts and nonce as decimal strings. */
export const requestSchema: z.ZodType<Request, unknown> = z.strictObject({
  requester: address,
  token: address,
  packageHash: bytes32,
  contentHash: bytes32,
  requirementsHash: bytes32,
  encryptionKey: bytes32,
  priceCeiling: uint96,
  bond: uint96,
  carrierFee: uint96,
  seats: uint(8),
  quorum: uint(8),
  spares: uint(8),
  shadows: uint(8),
  calloutBps: uint(16),
  standbyBps: uint(16),
  commitWindow: uint(32),
  revealWindow: uint(32),
  flags: uint(32),
  callback: address,
  callbackGas: uint(32),
  expiry: unixTime,
  nonce: uint256,
});

const reportCode = z.union([
  z.literal(reportCodes.PackageUnavailable),
  z.literal(reportCodes.PackageMismatch),
  z.literal(reportCodes.RequirementsExceeded),
  z.literal(reportCodes.WallTime),
  z.literal(reportCodes.HostFailure),
  z.literal(reportCodes.EngineUnavailable),
  z.literal(reportCodes.OutputUndeterminable),
]);

const requirementsBody = z.strictObject({ requirements: requirementsSchema, chainId: uint(53), market: address });

/** Schemas of the bodies by kind; strict, every size bounded. */
export const bodySchemas: { readonly [K in EnvelopeKind]: z.ZodType<EnvelopeBodies[K], unknown> } = {
  request: requirementsBody.extend({ request: requestSchema }),
  requirements: requirementsBody,
  offer: z.strictObject({ sealed: base64(MAX_SEALED_OFFER_BYTES) }),
  commitment: z.strictObject({ provider: address, place, commitment: bytes32, signature: ecdsaSignature }),
  "set-commitment": z.strictObject({ provider: address, place, commitment: bytes32 }),
  "set-signature": z.strictObject({
    provider: address,
    place,
    commitments: z.array(bytes32).min(1).max(MAX_PLACES),
    signature: ecdsaSignature,
  }),
  opening: z.strictObject({
    provider: address,
    opening: z.strictObject({ place, outcome: uint(8), resultHash: bytes32, salt: bytes32 }),
    reportCode: reportCode.optional(),
  }),
  delivery: z.strictObject({
    provider: address,
    place,
    cids: z.array(cid).min(1).max(MAX_DELIVERY_CIDS),
    size: uint(53),
  }),
  redelivery: z.strictObject({ reason: line(280) }),
};
