// The ledger that both markets share: free and locked balances, what is held, what is burnt. ILedger's requirements.
import { balanceOf, type Token, transfer, transferFrom } from "./tokens.ts";
import { type Address, type Context, MAX_AMOUNT, Refusal, refuse, ZERO_ADDRESS } from "./types.ts";

/** Balances of an account in a token. */
export type Account = { readonly free: bigint; readonly locked: bigint };

/** All money of a market. The maps are replaced, never shared, when a state is copied. */
export type Ledger = {
  readonly market: Address;
  /** By `token/owner`. */
  readonly accounts: Map<string, Account>;
  readonly held: Map<Address, bigint>;
  readonly burnt: Map<Address, bigint>;
  /** Held for nobody yet: escrows and quarantine. The contract does not count it; the model does, to check itself. */
  readonly pots: Map<Address, bigint>;
};

/** An empty ledger. */
export function createLedger(market: Address): Ledger {
  return { market, accounts: new Map(), held: new Map(), burnt: new Map(), pots: new Map() };
}

/** A copy that may be changed. */
export function copyLedger({ market, accounts, held, burnt, pots }: Ledger): Ledger {
  return {
    market,
    accounts: new Map(accounts),
    held: new Map(held),
    burnt: new Map(burnt),
    pots: new Map(pots),
  };
}

/** Balances of an account. */
export function accountOf(ledger: Ledger, token: Address, owner: Address): Account {
  return ledger.accounts.get(`${token}/${owner}`) ?? { free: 0n, locked: 0n };
}

/** A sum by token. */
export function amountOf(sums: ReadonlyMap<Address, bigint>, token: Address): bigint {
  return sums.get(token) ?? 0n;
}

/** Pays from outside into an account. `found` is undefined for an address without code. */
export function deposit(
  context: Context,
  ledger: Ledger,
  token: Address,
  found: Token | undefined,
  account: Address,
  amount: bigint,
): void {
  requireUseful(ledger, account);
  if (found === undefined) throw new Refusal();
  const before = balanceOf(found, ledger.market);
  transferFrom(context, found, ledger.market, context.sender, ledger.market, amount);
  const balance = balanceOf(found, ledger.market);
  if (balance - before !== amount) {
    refuse("UnexpectedTransfer", token, balance < before ? 0n : balance - before, amount);
  }
  const held = amountOf(ledger.held, token) + amount;
  if (held > MAX_AMOUNT) refuse("HeldAboveMaximum", token, held, MAX_AMOUNT);
  if (balance < held) refuse("BalanceBelowHeld", token, balance, held);
  ledger.held.set(token, held);
  change(ledger, token, account, amount, 0n);
  context.emit(ledger.market, "Deposited", { token, account, payer: context.sender, amount });
}

/** Pays from an account to the outside. */
export function withdraw(
  context: Context,
  ledger: Ledger,
  token: Address,
  found: Token | undefined,
  to: Address,
  amount: bigint,
): void {
  requireUseful(ledger, to);
  requireFree(ledger, token, context.sender, amount);
  change(ledger, token, context.sender, -amount, 0n);
  add(ledger.held, token, -amount);
  context.emit(ledger.market, "Withdrawn", { token, account: context.sender, to, amount });
  // Nobody has anything of what is no token; nothing of it goes to an address without code, and that fails.
  if (found === undefined) refuse("SafeERC20FailedOperation", token);
  transfer(context, found, ledger.market, to, amount);
}

/** From free into a pot. */
export function escrow(ledger: Ledger, token: Address, owner: Address, amount: bigint): void {
  requireFree(ledger, token, owner, amount);
  change(ledger, token, owner, -amount, 0n);
  add(ledger.pots, token, amount);
}

/** From a pot into free. */
export function credit(ledger: Ledger, token: Address, owner: Address, amount: bigint): void {
  add(ledger.pots, token, -amount);
  change(ledger, token, owner, amount, 0n);
}

/** From free to locked. */
export function lock(ledger: Ledger, token: Address, owner: Address, bond: bigint): void {
  requireFree(ledger, token, owner, bond);
  change(ledger, token, owner, -bond, bond);
}

/** From locked to free. */
export function unlock(ledger: Ledger, token: Address, owner: Address, bond: bigint): void {
  change(ledger, token, owner, bond, -bond);
}

/** From locked into a pot. */
export function seize(ledger: Ledger, token: Address, owner: Address, bond: bigint): void {
  change(ledger, token, owner, 0n, -bond);
  add(ledger.pots, token, bond);
}

/** From a pot to nobody. */
export function burn(ledger: Ledger, token: Address, amount: bigint): void {
  add(ledger.pots, token, -amount);
  add(ledger.burnt, token, amount);
}

/** Whether the parts of every token are what is held, and none is negative. */
export function assertConserved(ledger: Ledger): void {
  const sums = new Map<Address, bigint>();
  for (const [key, { free, locked }] of ledger.accounts) {
    if (free < 0n || locked < 0n) throw new Error(`the model owes money: ${key}`);
    add(sums, key.split("/")[0] as Address, free + locked);
  }
  for (const [token, held] of ledger.held) {
    const pots = amountOf(ledger.pots, token);
    const parts = amountOf(sums, token) + pots + amountOf(ledger.burnt, token);
    if (pots < 0n || parts !== held) throw new Error(`the model lost money of ${token}: ${parts} of ${held}`);
  }
}

function requireUseful(ledger: Ledger, account: Address): void {
  if (account === ZERO_ADDRESS || account === ledger.market) refuse("UselessAddress", account);
}

function requireFree(ledger: Ledger, token: Address, owner: Address, amount: bigint): void {
  const { free } = accountOf(ledger, token, owner);
  if (free < amount) refuse("InsufficientFree", token, owner, free, amount);
}

function change(ledger: Ledger, token: Address, owner: Address, free: bigint, locked: bigint): void {
  const account = accountOf(ledger, token, owner);
  ledger.accounts.set(`${token}/${owner}`, { free: account.free + free, locked: account.locked + locked });
}

function add(sums: Map<Address, bigint>, token: Address, amount: bigint): void {
  sums.set(token, amountOf(sums, token) + amount);
}
