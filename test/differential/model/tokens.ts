// ERC-20 tokens as the markets meet them: OpenZeppelin's, with permit, and one that takes a fee or shrinks balances.
import { hashTypedData } from "viem";
import { type Address, CHAIN_ID, type Context, type Hex, refuse, type Signature, ZERO_ADDRESS } from "./types.ts";

const UNLIMITED = 2n ** 256n - 1n;
const DEAD: Address = "0x000000000000000000000000000000000000dead";

const permitTypes = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;

/** A token. The maps are replaced, never shared, when a state is copied. */
export type Token = {
  readonly address: Address;
  /** Also of the domain of its permits. */
  readonly name: string;
  readonly balances: Map<Address, bigint>;
  /** By `owner/spender`. */
  readonly allowances: Map<string, bigint>;
  /** Of permits; undefined for a token without. */
  readonly nonces: Map<Address, bigint> | undefined;
  /** Taken from what arrives. */
  fee: bigint;
};

/** A token that nobody has yet. */
export function createToken(address: Address, name: string, hasPermit: boolean): Token {
  return {
    address,
    name,
    balances: new Map(),
    allowances: new Map(),
    nonces: hasPermit ? new Map() : undefined,
    fee: 0n,
  };
}

/** A copy that may be changed. */
export function copyToken(token: Token): Token {
  return {
    ...token,
    balances: new Map(token.balances),
    allowances: new Map(token.allowances),
    nonces: token.nonces === undefined ? undefined : new Map(token.nonces),
  };
}

/** What an account has. */
export function balanceOf(token: Token, owner: Address): bigint {
  return token.balances.get(owner) ?? 0n;
}

/** What a spender may take. */
export function allowanceOf(token: Token, owner: Address, spender: Address): bigint {
  return token.allowances.get(`${owner}/${spender}`) ?? 0n;
}

/** Moves money as the market's `transfer` or the second half of its `transferFrom`. */
export function transfer(context: Context, token: Token, from: Address, to: Address, amount: bigint): void {
  if (to === ZERO_ADDRESS) refuse("ERC20InvalidReceiver", to);
  move(context, token, from, to, amount);
  if (token.fee !== 0n) move(context, token, to, DEAD, token.fee);
}

/** Moves money by an allowance. */
export function transferFrom(
  context: Context,
  token: Token,
  spender: Address,
  from: Address,
  to: Address,
  amount: bigint,
): void {
  const allowance = allowanceOf(token, from, spender);
  if (allowance !== UNLIMITED) {
    if (allowance < amount) refuse("ERC20InsufficientAllowance", spender, allowance, amount);
    token.allowances.set(`${from}/${spender}`, allowance - amount);
  }
  transfer(context, token, from, to, amount);
}

/** Lets a spender take money. */
export function approve(context: Context, token: Token, owner: Address, spender: Address, amount: bigint): void {
  token.allowances.set(`${owner}/${spender}`, amount);
  context.emit(token.address, "Approval", { owner, spender, value: amount });
}

/** What a permit's signature is over. */
export function permitDigest(
  token: Pick<Token, "address" | "name">,
  permit: { owner: Address; spender: Address; value: bigint; nonce: bigint; deadline: bigint },
): Hex {
  return hashTypedData({
    domain: { name: token.name, version: "1", chainId: CHAIN_ID, verifyingContract: token.address },
    types: permitTypes,
    primaryType: "Permit",
    message: permit,
  });
}

/** Uses a permit, or does nothing if it does not hold. */
export function tryPermit(
  context: Context,
  token: Token,
  owner: Address,
  spender: Address,
  value: bigint,
  deadline: bigint,
  signature: Signature,
): void {
  if (token.nonces === undefined || BigInt(context.now) > deadline) return;
  const nonce = token.nonces.get(owner) ?? 0n;
  const digest = permitDigest(token, { owner, spender, value, nonce, deadline });
  if (signature.by !== owner || signature.over !== digest) return;
  token.nonces.set(owner, nonce + 1n);
  approve(context, token, owner, spender, value);
}

/** Makes money out of nothing. */
export function mint(context: Context, token: Token, to: Address, amount: bigint): void {
  token.balances.set(to, balanceOf(token, to) + amount);
  context.emit(token.address, "Transfer", { from: ZERO_ADDRESS, to, value: amount });
}

/** Takes money away from somebody, as a rebase does. */
export function shrink(context: Context, token: Token, owner: Address, amount: bigint): void {
  const balance = balanceOf(token, owner);
  if (balance < amount) refuse("ERC20InsufficientBalance", owner, balance, amount);
  token.balances.set(owner, balance - amount);
  context.emit(token.address, "Transfer", { from: owner, to: ZERO_ADDRESS, value: amount });
}

function move(context: Context, token: Token, from: Address, to: Address, amount: bigint): void {
  const balance = balanceOf(token, from);
  if (balance < amount) refuse("ERC20InsufficientBalance", from, balance, amount);
  token.balances.set(from, balance - amount);
  token.balances.set(to, balanceOf(token, to) + amount);
  context.emit(token.address, "Transfer", { from, to, value: amount });
}
