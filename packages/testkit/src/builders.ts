import {
  type Address,
  type Hex,
  jobIdOf,
  type Manifest,
  type MarketDomain,
  type Offer,
  type Package,
  type Place,
  type Request,
  Role,
  type SignedOffer,
  type Terms,
  termsOf,
  utf8,
  ZERO_ADDRESS,
} from "@quorate/core";

/** Market that tests without a chain use. */
export const testDomain: MarketDomain = { chainId: 31337, market: testAddress(0x4d41524b4554) };

/**
 * An address that a test can tell from others.
 *
 * @param index Non-negative number, becomes the low bytes.
 */
export function testAddress(index: number): Address {
  return `0x${index.toString(16).padStart(40, "0")}`;
}

/**
 * 32 bytes that a test can tell from others.
 *
 * @param index Non-negative number, becomes the low bytes.
 */
export function testHash(index: number): Hex {
  return `0x${index.toString(16).padStart(64, "0")}`;
}

/**
 * A valid request of three seats, quorum two.
 *
 * @param changes Fields that differ.
 */
export function buildRequest(changes: Partial<Request> = {}): Request {
  return {
    requester: testAddress(0xa11ce),
    token: testAddress(0x70ce),
    packageHash: testHash(0x9ac),
    contentHash: testHash(0xc0),
    requirementsHash: testHash(0x4e9),
    encryptionKey: testHash(0x9),
    priceCeiling: 1_000_000n,
    bond: 500_000n,
    carrierFee: 10_000n,
    seats: 3,
    quorum: 2,
    spares: 0,
    shadows: 0,
    calloutBps: 1_000,
    standbyBps: 500,
    commitWindow: 600,
    revealWindow: 300,
    flags: 0,
    callback: ZERO_ADDRESS,
    callbackGas: 0,
    expiry: 2_000_000_000,
    nonce: 1n,
    ...changes,
  };
}

/**
 * An offer for every role.
 *
 * @param changes Fields that differ.
 */
export function buildOffer(changes: Partial<Offer> = {}): Offer {
  return {
    jobId: jobIdOf(buildRequest(), testDomain),
    provider: testAddress(0xb0b),
    price: 900_000n,
    encryptionKey: testHash(0x9),
    roles: Role.Seat | Role.Spare | Role.Shadow,
    expiry: 2_000_000_000,
    ...changes,
  };
}

/**
 * An offer as `open` receives it, with a signature of 65 zero bytes unless one is given.
 *
 * @param changes Fields that differ.
 */
export function buildSignedOffer(changes: Partial<SignedOffer> = {}): SignedOffer {
  const { jobId: _, ...offer } = buildOffer();
  return { ...offer, signature: `0x${"00".repeat(65)}`, keyWrap: `0x${"00".repeat(80)}`, ...changes };
}

/**
 * Places with distinct providers and prices.
 *
 * @param count Number of places.
 * @param price Price of the first, each further one a thousand more. Base units.
 */
export function buildPlaces(count: number, price = 900_000n): Place[] {
  return Array.from({ length: count }, (_, index) => ({
    provider: testAddress(0x1000 + index),
    price: price + BigInt(index) * 1_000n,
  }));
}

/**
 * Terms of a job.
 *
 * @param changes Fields of the request that differ.
 * @param shadows Number of shadows opened; spares are the request's.
 */
export function buildTerms(changes: Partial<Request> = {}, shadows = 0): Terms {
  const request = buildRequest(changes);
  return termsOf(request, request.spares, buildPlaces(request.seats + request.spares + shadows));
}

/**
 * A manifest of a JavaScript program.
 *
 * @param changes Members that differ.
 */
export function buildManifest(changes: Partial<Manifest> = {}): Manifest {
  return {
    version: 1,
    engine: { name: "quickjs", version: "0.32.0" },
    program: "main.js",
    args: [],
    env: {},
    limits: { fuel: 1_000_000_000, memoryBytes: 33_554_432, outputBytes: 65_536, wallTimeMs: 10_000 },
    ...changes,
  };
}

/**
 * A package with one program.
 *
 * @param changes Members of the manifest that differ.
 * @param files Files besides `main.js`.
 */
export function buildPackage(
  changes: Partial<Manifest> = {},
  files: Readonly<Record<string, Uint8Array>> = {},
): Package {
  return {
    manifest: buildManifest(changes),
    files: new Map([["main.js", utf8('print("42")')], ...Object.entries(files)]),
  };
}
