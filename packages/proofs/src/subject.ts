import { babyjubjub } from "@noble/curves/misc.js";
import { blake512 } from "@noble/hashes/blake1.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, FatalError, key32, subjectKeyDomain, subjectKeyTypes, utf8 } from "@quorate/core";
import { type Address, getAddress, type Hex, hexToBytes } from "viem";
import { FIELD_MODULUS, hash } from "./field.ts";

/** A point of Baby Jubjub. */
export type PublicKey = readonly [Ax: bigint, Ay: bigint];

/** EdDSA-Poseidon, as circomlib verifies it. */
export type SubjectSignature = {
  readonly R8x: bigint;
  readonly R8y: bigint;
  /** Below the order of the subgroup. */
  readonly S: bigint;
};

/** A subject's keys for one provider. */
export type Subject = {
  readonly provider: Address;
  readonly publicKey: PublicKey;
  /** Nullifier key, 250 bits: whoever has it can link uses to the subject. The provider has it. */
  readonly nk: bigint;
  /**
   * Signs a field element. Never give it one that you did not compute.
   *
   * @param message Field element.
   */
  sign(message: bigint): SubjectSignature;
};

/** What can sign typed data: a viem account, or a wallet client with an account. */
export type TypedDataSigner = {
  signTypedData(parameters: {
    readonly domain: typeof subjectKeyDomain;
    readonly types: typeof subjectKeyTypes;
    readonly primaryType: "SubjectKey";
    readonly message: { readonly purpose: string; readonly provider: Address };
  }): Promise<Hex>;
};

/** What a wallet shows as the purpose of the key. */
export const SUBJECT_KEY_PURPOSE = "Make my key for questions about me at this provider. Sign only in Quorate.";

const { Point } = babyjubjub;
const { ORDER: subgroupOrder } = Point.Fn;

/**
 * Makes the secret of a subject from random bytes, for a key file.
 *
 * @returns 32 bytes.
 */
export function generateSubjectSecret(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

/**
 * Derives the secret of a subject from a wallet: HKDF-SHA256 of an EIP-712 signature. The message is signed twice, because
 * a wallet that signs at random would make a key that nobody finds again.
 *
 * @param wallet Of the subject, an EOA.
 * @param provider Domain provider: another provider, another key.
 * @returns 32 bytes.
 * @throws FatalError `WALLET_NOT_DETERMINISTIC`, also for signatures of contracts.
 */
export async function deriveSubjectSecret(wallet: TypedDataSigner, provider: Address): Promise<Uint8Array> {
  const parameters = {
    domain: subjectKeyDomain,
    types: subjectKeyTypes,
    primaryType: "SubjectKey",
    message: { purpose: SUBJECT_KEY_PURPOSE, provider: getAddress(provider) },
  } as const;
  const first = await wallet.signTypedData(parameters);
  const second = await wallet.signTypedData(parameters);
  const bytes = /^0x[0-9a-f]{130}$/i.test(first) ? hexToBytes(first) : undefined;
  if (bytes === undefined || first.toLowerCase() !== second.toLowerCase()) {
    throw new FatalError(
      "WALLET_NOT_DETERMINISTIC",
      `The wallet ${bytes === undefined ? "gave no ECDSA signature" : "signed the same message in two ways"}: a key that follows from it could not be found again. Use another wallet or a key file.`,
      { docsPath: "protocol/queries.md#key-of-a-subject" },
    );
  }
  // Without v: wallets write it as 0, 1, 27 or 28.
  return hkdf(sha256, bytes.subarray(0, 64), undefined, utf8("quorate/subject/wallet/v1"), 32);
}

/**
 * Derives a subject's keys for a provider from its secret.
 *
 * @param secret 32 bytes, from {@link deriveSubjectSecret} or a key file.
 * @param provider Domain provider.
 * @throws FatalError `INVALID_KEY` when the secret is no 32 bytes.
 */
export function subjectFromSecret(secret: Uint8Array, provider: Address): Subject {
  const key = key32(secret, "The subject's secret");
  const salt = hexToBytes(getAddress(provider));
  const seed = hkdf(sha256, key, salt, utf8("quorate/subject/key/v1"), 32);
  const nk = bigEndianOf(hkdf(sha256, key, salt, utf8("quorate/subject/nk/v1"), 32)) >> 6n;
  return { provider: getAddress(provider), nk, ...eddsaKey(seed) };
}

/**
 * An EdDSA-Poseidon key pair from a seed, byte for byte that of circomlib's reference.
 *
 * @param seed 32 bytes.
 * @see https://github.com/iden3/circomlibjs, `src/eddsa.js`
 */
export function eddsaKey(seed: Uint8Array): Pick<Subject, "publicKey" | "sign"> {
  const digest = blake512(seed);
  const head = digest.slice(0, 32);
  head[0] = (head[0] ?? 0) & 0xf8;
  head[31] = ((head[31] ?? 0) & 0x7f) | 0x40;
  // The clamped scalar is a multiple of the cofactor 8; signatures use it without.
  const scalar = littleEndianOf(head) >> 3n;
  const prefix = digest.slice(32);
  const { x: Ax, y: Ay } = Point.BASE.multiply(scalar % subgroupOrder).toAffine();
  return {
    publicKey: [Ax, Ay],
    sign: (message) => {
      const nonce = littleEndianOf(blake512(concatBytes(prefix, littleEndianBytes(message)))) % subgroupOrder;
      const { x: R8x, y: R8y } = Point.BASE.multiply(nonce).toAffine();
      const S = (nonce + hash(R8x, R8y, Ax, Ay, message) * 8n * (scalar % subgroupOrder)) % subgroupOrder;
      return { R8x, R8y, S };
    },
  };
}

/**
 * Verifies an EdDSA-Poseidon signature as the circuits do: also that both points lie on the curve, that the key is not of
 * small order, and that `S` is below the order of the subgroup.
 *
 * @param publicKey From anybody.
 * @param message Field element.
 * @param signature From anybody.
 * @returns Whether it is valid; never throws for numbers.
 */
export function verifySignature(publicKey: PublicKey, message: bigint, signature: SubjectSignature): boolean {
  const { R8x, R8y, S } = signature;
  const [Ax, Ay] = publicKey;
  // First of all: a negative or huge scalar must not reach the arithmetic.
  if (S < 0n || S >= subgroupOrder || message < 0n || message >= FIELD_MODULUS) return false;
  const key = pointOf(Ax, Ay);
  const nonce = pointOf(R8x, R8y);
  if (key === undefined || nonce === undefined || key.clearCofactor().is0()) return false;
  const challenge = hash(R8x, R8y, Ax, Ay, message) % subgroupOrder;
  const left = Point.BASE.multiplyUnsafe(S);
  const right = nonce.add(key.clearCofactor().multiplyUnsafe(challenge));
  return left.equals(right);
}

/**
 * Whether a public key can be used: a point of the curve that is not of small order.
 *
 * @param publicKey From anybody.
 */
export function isPublicKey([Ax, Ay]: PublicKey): boolean {
  const point = pointOf(Ax, Ay);
  return point !== undefined && !point.clearCofactor().is0();
}

/**
 * Id of a subject: its key with its person.
 *
 * @param publicKey Of the subject, for this provider.
 * @param person From `personOf`; 0 where no papers were checked.
 * @throws FatalError `FIELD_OVERFLOW`.
 */
export function subjectIdOf([Ax, Ay]: PublicKey, person: bigint): bigint {
  return hash(Ax, Ay, person);
}

function pointOf(x: bigint, y: bigint): InstanceType<typeof Point> | undefined {
  if (x < 0n || y < 0n || x >= FIELD_MODULUS || y >= FIELD_MODULUS) return undefined;
  const { a, d } = Point.CURVE();
  const [x2, y2] = [(x * x) % FIELD_MODULUS, (y * y) % FIELD_MODULUS];
  const onCurve = (a * x2 + y2 - 1n - ((d * x2) % FIELD_MODULUS) * y2) % FIELD_MODULUS === 0n;
  return onCurve ? Point.fromAffine({ x, y }) : undefined;
}

function littleEndianOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function bigEndianOf(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function littleEndianBytes(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));
}
