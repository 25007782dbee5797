import type { Address, Hex } from "viem";

export type { Address, Hex } from "viem";

/** 32 zero bytes. */
export const ZERO_HASH: Hex = `0x${"00".repeat(32)}`;

/** 20 zero bytes. */
export const ZERO_ADDRESS: Address = `0x${"00".repeat(20)}`;

/** Most places of one job: seats, spares and shadows together. */
export const MAX_PLACES = 16;

/** Most gas that a request may promise its callback. */
export const MAX_CALLBACK_GAS = 1_000_000;

/** Answer that a vote gives. */
export const Outcome = { Ok: 1, Failed: 2, Report: 3 } as const;
/** Value of {@link Outcome}. */
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** Bits of the roles that an offer accepts. */
export const Role = { Seat: 1, Spare: 2, Shadow: 4 } as const;
/** Value of {@link Role}. */
export type Role = (typeof Role)[keyof typeof Role];

/** Bits of `Request.flags`. */
export const Flag = { AcceptProbation: 1, SetVotes: 2 } as const;
/** Value of {@link Flag}. */
export type Flag = (typeof Flag)[keyof typeof Flag];

/** Where a job stands, in the order of the contract's enum. */
export const JobStatus = {
  None: 0,
  Committing: 1,
  Revealing: 2,
  Settleable: 3,
  Accepted: 4,
  Inconclusive: 5,
} as const;
/** Value of {@link JobStatus}. */
export type JobStatus = (typeof JobStatus)[keyof typeof JobStatus];

/** How a place came out of its job, in the order of the contract's enum. */
export const Verdict = {
  None: 0,
  Aligned: 1,
  Reported: 2,
  Overruled: 3,
  Undecided: 4,
  Dissent: 5,
  Fault: 6,
  Declined: 7,
  Late: 8,
  Standby: 9,
} as const;
/** Value of {@link Verdict}. */
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Why an offer cannot be opened, in the order of the contract's enum. */
export const OfferFault = {
  BadSignature: 0,
  Expired: 1,
  PriceAboveCeiling: 2,
  RoleNotAccepted: 3,
  DuplicateProvider: 4,
  ProviderIsRequester: 5,
  BondExceedsFree: 6,
  OnProbation: 7,
  BondBeyondAgent: 8,
  WindowBeyondAgent: 9,
  AgentExpired: 10,
  ZeroKey: 11,
} as const;
/** Value of {@link OfferFault}. */
export type OfferFault = (typeof OfferFault)[keyof typeof OfferFault];

/** Why a provider that computed nothing reports. For diagnosis only: all reports are one vote. */
export const ReportCode = {
  /** No copy of the package was to be had in time. */
  PackageUnavailable: 1,
  /** The package does not open under the key, or its content hash differs. */
  PackageMismatch: 2,
  /** The package asks more than the requirements that were offered for. */
  RequirementsExceeded: 3,
  /** The run took longer than its wall time. */
  WallTime: 4,
  /** The host failed. */
  HostFailure: 5,
  /** The engine that the requirements name is not installed. */
  EngineUnavailable: 6,
  /** The run is not certain to give the same bytes everywhere. */
  OutputUndeterminable: 7,
} as const;
/** Value of {@link ReportCode}. */
export type ReportCode = (typeof ReportCode)[keyof typeof ReportCode];

/** Deterministic reason of an outcome `Failed`. */
export const FailureCause = {
  NonZeroExit: 1,
  Trap: 2,
  FuelExhausted: 3,
  MemoryExceeded: 4,
  OutputExceeded: 5,
  ProgramInvalid: 6,
} as const;
/** Value of {@link FailureCause}. */
export type FailureCause = (typeof FailureCause)[keyof typeof FailureCause];

/** What a requester asks for. Its EIP-712 digest is the job id. Fields as in `contracts/types/Job.sol`. */
export type Request = {
  /** Account that pays and opens. */
  readonly requester: Address;
  /** ERC-20 token of every amount of the job. */
  readonly token: Address;
  /** SHA-256 digest inside the root CID of the package. */
  readonly packageHash: Hex;
  /** `keccak256(contentKey ‖ package)`. */
  readonly contentHash: Hex;
  /** `keccak256` of the canonical requirements document. */
  readonly requirementsHash: Hex;
  /** X25519 key of the requester: offers and results are sealed to it. */
  readonly encryptionKey: Hex;
  /** Highest price of any place, base units. */
  readonly priceCeiling: bigint;
  /** What each provider locks per place, base units. */
  readonly bond: bigint;
  /** Earned by the account whose call settles, base units. */
  readonly carrierFee: bigint;
  /** n. */
  readonly seats: number;
  /** q: equal openings that decide. */
  readonly quorum: number;
  /** Most spares that may be opened. */
  readonly spares: number;
  /** Most shadows that may be opened. */
  readonly shadows: number;
  /** Call-out fee as a share of the price, ten thousandths. */
  readonly calloutBps: number;
  /** Standby fee of an unused spare as a share of its price, ten thousandths. */
  readonly standbyBps: number;
  /** Seconds. */
  readonly commitWindow: number;
  /** Seconds. */
  readonly revealWindow: number;
  /** Bits of {@link Flag}. */
  readonly flags: number;
  /** Reserved, zero. */
  readonly callback: Address;
  /** Reserved, zero. */
  readonly callbackGas: number;
  /** Unix s before which `open` must come. */
  readonly expiry: number;
  /** Chosen by the requester. */
  readonly nonce: bigint;
};

/** What a provider signs for one job. */
export type Offer = {
  /** Job that is offered for. */
  readonly jobId: Hex;
  /** Account that locks the bond. */
  readonly provider: Address;
  /** Compensation of an aligned answer, base units. */
  readonly price: bigint;
  /** X25519 key of the provider for this job. */
  readonly encryptionKey: Hex;
  /** Bits of {@link Role}. */
  readonly roles: number;
  /** Unix s; counts at `open` only. */
  readonly expiry: number;
};

/** An offer as `open` receives it. */
export type SignedOffer = Omit<Offer, "jobId"> & {
  /** By the provider, by its agent, or ERC-1271. */
  readonly signature: Hex;
  /** Package key sealed to `encryptionKey`; `0x` before the requester sealed it. */
  readonly keyWrap: Hex;
};

/** One place of the panel: seats first, then spares, then shadows. */
export type Place = {
  /** Account of the provider. */
  readonly provider: Address;
  /** Base units. */
  readonly price: bigint;
};

/** What `open` fixed and every later call repeats; the contract stores only its hash. */
export type Terms = {
  readonly requester: Address;
  readonly token: Address;
  /** Base units per place. */
  readonly bond: bigint;
  /** Base units. */
  readonly carrierFee: bigint;
  readonly seats: number;
  readonly quorum: number;
  /** Spares opened, not the request's maximum. */
  readonly spares: number;
  readonly calloutBps: number;
  readonly standbyBps: number;
  /** Seconds. */
  readonly commitWindow: number;
  /** Seconds. */
  readonly revealWindow: number;
  /** Sum of {@link Flag}. */
  readonly flags: number;
  /** Contract that is told of the settlement; zero for nobody. */
  readonly callback: Address;
  /** Gas that the callback gets. */
  readonly callbackGas: number;
  /** Seats, spares, shadows. */
  readonly places: readonly Place[];
};

/** A commitment as it landed. */
export type PlacedCommitment = {
  readonly place: number;
  readonly commitment: Hex;
};

/** A commitment that somebody carries for a provider. */
export type CarriedCommitment = PlacedCommitment & {
  /** ECDSA over SignedCommitment by the provider or its agent. */
  readonly signature: Hex;
};

/** What opens a commitment. `outcome` is a number: outsiders may open to anything. */
export type Opening = {
  readonly place: number;
  readonly outcome: number;
  readonly resultHash: Hex;
  readonly salt: Hex;
};

/** How one place came out. */
export type PlaceResult = {
  readonly verdict: Verdict;
  /** Compensation without the returned bond, base units. */
  readonly paid: bigint;
};

/** An offer that `open` would refuse. */
export type BadOffer = {
  readonly place: number;
  readonly fault: OfferFault;
};

/**
 * Name of a value in one of the constant objects of this module, for people: `nameOf(Verdict, 1)` is `Aligned`.
 *
 * @param constants Constant object, for example {@link Verdict}.
 * @param value Number of one of its members.
 * @returns The number as text when it has no name.
 */
export function nameOf(constants: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(constants).find((name) => constants[name] === value) ?? String(value);
}
