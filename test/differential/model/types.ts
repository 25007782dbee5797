// What the model reads and answers. Addresses and hashes are lower case everywhere, times are unix seconds, amounts base units.
import type { Address, Hex } from "@quorate/core";

export type { Address, Hex } from "@quorate/core";

/** A signature with what the model knows about it instead of elliptic curves. */
export type Signature = {
  readonly raw: Hex;
  /** Account that signed; undefined when the bytes are no ECDSA signature as the market takes them (65 bytes, low s). */
  readonly by: Address | undefined;
  /** Digest that was signed: over another one it is the signature of nobody. */
  readonly over: Hex;
};

/** An event as it has to be logged. */
export type ModelEvent = {
  readonly at: Address;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
};

/** An argument that the model cannot know: how much gas was left. */
export const ANYTHING: unique symbol = Symbol("anything");

/** The error of a call: name and arguments in their order; without a name, a failure without data. */
export type ModelError = { readonly name: string | undefined; readonly args: readonly unknown[] };

/** Thrown inside of the model by a call that is refused; never leaves it. */
export class Refusal extends Error {
  readonly error: ModelError;

  constructor(name?: string, ...args: readonly unknown[]) {
    super(name ?? "failure without data");
    this.error = { name, args };
  }
}

/** Refuses a call. */
export function refuse(name: string, ...args: readonly unknown[]): never {
  throw new Refusal(name, ...args);
}

/** What surrounds a call: who calls, when, and what happens outside of the contract. */
export type Context = {
  readonly sender: Address;
  /** Timestamp of the block. */
  readonly now: number;
  /** Gas of the transaction, if it was given little. */
  readonly gas?: number | undefined;
  readonly emit: (at: Address, name: string, args: Readonly<Record<string, unknown>>) => void;
};

/** The chain of the tests. */
export const CHAIN_ID = 31_337;
/** Highest amount. */
export const MAX_AMOUNT: bigint = 2n ** 96n - 1n;
export const ZERO_ADDRESS: Address = "0x0000000000000000000000000000000000000000";
export const ZERO_HASH: Hex = `0x${"00".repeat(32)}`;
/** Modulus of the scalar field of BN254. */
export const FIELD: bigint = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
