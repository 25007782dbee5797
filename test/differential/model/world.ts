// Both markets and what surrounds them, and the one function that says what a call does: (world, call, time) → world, result, events.
import type { Hex, Opening, PlacedCommitment, Quote, Request, Terms } from "@quorate/core";
import type { Job } from "./job.ts";
import * as jobMarket from "./jobMarket.ts";
import { assertConserved, deposit, type Ledger, withdraw } from "./ledger.ts";
import * as queryMarket from "./queryMarket.ts";
import { authorize, type ContractAccount } from "./signers.ts";
import { claimQuarantine } from "./standing.ts";
import { approve, copyToken, mint, shrink, type Token, tryPermit } from "./tokens.ts";
import {
  type Address,
  ANYTHING,
  type Context,
  type ModelError,
  type ModelEvent,
  Refusal,
  refuse,
  type Signature,
} from "./types.ts";

/** How a callback behaves; the order of the test contract's enum. */
export const CallbackManner = { Accepts: 0, Reverts: 1, BurnsGas: 2, ReturnsBomb: 3, Reenters: 4 } as const;

/** A contract that is told of settlements. When it re-enters, it withdraws one unit of `token` from the market. */
export type Callback = { readonly manner: number; readonly token: Address };

/** With the first the callbacks of the tests fail, with the second and the third they do what they are told. */
export const CALLBACK_GAS = { tooLittle: 2_000, enough: 200_000, most: 1_000_000 } as const;

/** Everything that there is. */
export type World = {
  readonly jobs: jobMarket.JobMarket;
  readonly queries: queryMarket.QueryMarket;
  readonly tokens: Map<Address, Token>;
  readonly accounts: Map<Address, ContractAccount>;
  readonly verifiers: Map<Address, queryMarket.Verifier>;
  readonly callbacks: Map<Address, Callback>;
};

/** What an action works on. */
type Scene = { readonly context: Context; readonly world: World; readonly market: Ledger };

/** Actions of both markets. */
const ledgerActions = {
  deposit: ({ context, world, market }: Scene, token: Address, account: Address, amount: bigint): void =>
    deposit(context, market, token, world.tokens.get(token), account, amount),
  depositWithPermit: (
    { context, world, market }: Scene,
    token: Address,
    account: Address,
    amount: bigint,
    deadline: bigint,
    signature: Signature,
  ): void => {
    const found = world.tokens.get(token);
    if (found !== undefined) tryPermit(context, found, context.sender, market.market, amount, deadline, signature);
    else throw new Refusal(); // the call of an address without code fails before it can be caught
    deposit(context, market, token, found, account, amount);
  },
  withdraw: ({ context, world, market }: Scene, token: Address, to: Address, amount: bigint): void =>
    withdraw(context, market, token, world.tokens.get(token), to, amount),
} as const;

/** The action of authorizing an agent at one of the markets. */
const authorizing =
  (at: (world: World) => Pick<jobMarket.JobMarket | queryMarket.QueryMarket, "ledger" | "authorizations">) =>
  (
    { context, world }: Scene,
    agent: Address,
    token: Address,
    maxBondPerSeat: bigint,
    minCommitWindow: number,
    validUntil: number,
  ): void => {
    const { ledger, authorizations } = at(world);
    authorize(context, ledger.market, authorizations, agent, token, { maxBondPerSeat, minCommitWindow, validUntil });
  };

const jobActions = {
  ...ledgerActions,
  authorize: authorizing(({ jobs }) => jobs),
  claimQuarantine: ({ context, world }: Scene, provider: Address, token: Address, probation: number): void =>
    claimQuarantine(context, world.jobs.ledger, world.jobs.standings, provider, token, probation),
  announce: ({ context, world }: Scene, request: Request): void => jobMarket.announce(context, world.jobs, request),
  open: ({ context, world }: Scene, request: Request, spares: number, offers: readonly jobMarket.ModelOffer[]): Hex =>
    jobMarket.open(context, world.jobs, outside(world), request, spares, offers),
  commit: ({ context, world }: Scene, jobId: Hex, terms: Terms, place: number, commitment: Hex): void =>
    jobMarket.commit(context, world.jobs, jobId, terms, place, commitment),
  commitBySig: (
    { context, world }: Scene,
    jobId: Hex,
    terms: Terms,
    items: readonly jobMarket.ModelCommitment[],
  ): void => jobMarket.commitBySig(context, world.jobs, jobId, terms, items),
  decline: ({ context, world }: Scene, jobId: Hex, terms: Terms, place: number): void =>
    jobMarket.decline(context, world.jobs, jobId, terms, place),
  promote: ({ context, world }: Scene, jobId: Hex, terms: Terms): void =>
    jobMarket.promote(context, world.jobs, jobId, terms),
  reveal: (
    { context, world }: Scene,
    jobId: Hex,
    terms: Terms,
    commitments: readonly PlacedCommitment[],
    openings: readonly Opening[],
  ): void => jobMarket.reveal(context, world.jobs, outside(world), jobId, terms, commitments, openings),
  revealSet: (
    { context, world }: Scene,
    jobId: Hex,
    terms: Terms,
    landed: readonly PlacedCommitment[],
    closed: readonly Hex[],
    openings: readonly Opening[],
    signatures: readonly Signature[],
  ): void =>
    jobMarket.revealSet(context, world.jobs, outside(world), jobId, terms, landed, closed, openings, signatures),
  settle: ({ context, world }: Scene, jobId: Hex, terms: Terms): void =>
    jobMarket.settle(context, world.jobs, outside(world), jobId, terms),
  retryCallback: ({ context, world }: Scene, request: Request): void =>
    jobMarket.retryCallback(context, world.jobs, outside(world), request),
} as const;

const queryActions = {
  ...ledgerActions,
  authorize: authorizing(({ queries }) => queries),
  registerDataset: ({ context, world }: Scene, definition: Hex, grace: number, publisher: Address): Hex =>
    queryMarket.registerDataset(context, world.queries, definition, grace, publisher),
  setPublisher: ({ context, world }: Scene, dataset: Hex, publisher: Address): void =>
    queryMarket.setPublisher(context, world.queries, dataset, publisher),
  publishRoot: ({ context, world }: Scene, dataset: Hex, root: bigint): void =>
    queryMarket.publishRoot(context, world.queries, dataset, root),
  revokeRoot: ({ context, world }: Scene, dataset: Hex, root: bigint): void =>
    queryMarket.revokeRoot(context, world.queries, dataset, root),
  ask: ({ context, world }: Scene, quote: Quote, signature: Signature): Hex =>
    queryMarket.ask(context, world.queries, world.accounts, world.verifiers, quote, signature),
  answer: (
    { context, world }: Scene,
    quote: Quote,
    cipher: bigint,
    nullifier: bigint,
    proof: readonly bigint[],
  ): void => queryMarket.answer(context, world.queries, world.verifiers, { quote, cipher, nullifier, proof }),
  answerBatch: ({ context, world }: Scene, answers: readonly queryMarket.ModelAnswer[]): void =>
    queryMarket.answerBatch(context, world.queries, world.verifiers, answers),
  expire: ({ context, world }: Scene, quote: Quote): void => queryMarket.expire(context, world.queries, quote),
} as const;

/** What happens outside of the markets. */
const tokenActions = {
  mint: ({ context }: Scene, token: Token, to: Address, amount: bigint): void => mint(context, token, to, amount),
  approve: ({ context }: Scene, token: Token, spender: Address, amount: bigint): void =>
    approve(context, token, context.sender, spender, amount),
  setFee: (_: Scene, token: Token, fee: bigint): void => {
    token.fee = fee;
  },
  shrink: ({ context }: Scene, token: Token, account: Address, amount: bigint): void =>
    shrink(context, token, account, amount),
} as const;

type Tail<List extends readonly unknown[]> = List extends readonly [unknown, ...infer Rest] ? Rest : never;
type Last<List extends readonly unknown[]> = List extends readonly [unknown, unknown, ...infer Rest] ? Rest : never;
type Actions = Readonly<Record<string, (...args: never[]) => unknown>>;
type CallsOf<On extends string, Table extends Actions> = {
  [Name in keyof Table & string]: {
    readonly on: On;
    readonly name: Name;
    readonly args: Readonly<Tail<Parameters<Table[Name]>>>;
  };
}[keyof Table & string];
type TokenCall = {
  [Name in keyof typeof tokenActions]: {
    readonly on: "token";
    readonly token: Address;
    readonly name: Name;
    readonly args: Readonly<Last<Parameters<(typeof tokenActions)[Name]>>>;
  };
}[keyof typeof tokenActions];

/** A call of a market by itself. */
export type MarketCall = CallsOf<"jobs", typeof jobActions> | CallsOf<"queries", typeof queryActions>;
/** One transaction. */
export type Call =
  | MarketCall
  /** All or nothing, by one sender. */
  | { readonly on: "jobs" | "queries"; readonly name: "multicall"; readonly args: readonly [readonly MarketCall[]] }
  | TokenCall
  /** A contract of the tests is told how to behave. */
  | { readonly on: "account" | "verifier" | "callback"; readonly at: Address; readonly manner: number }
  /** Other code at the address of a verifier, that does the same. */
  | { readonly on: "code"; readonly at: Address; readonly codeHash: Hex };

/** What a call came to. */
export type Result =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ModelError };
/** What a call did. */
export type Outcome = { readonly world: World; readonly result: Result; readonly events: readonly ModelEvent[] };

/** A call that somebody makes. `gas` is set where it is little: enough for a settlement, not for a callback of {@link CALLBACK_GAS}.most. */
export type Step = {
  readonly sender: Address;
  readonly call: Call;
  readonly now: number;
  readonly gas?: number | undefined;
};

/** What a call does. The world that is given stays as it is. */
export function apply(world: World, { sender, call, now, gas }: Step): Outcome {
  const events: ModelEvent[] = [];
  const draft = copyWorld(world);
  const context: Context = { sender, now, gas, emit: (at, name, args) => events.push({ at, name, args }) };
  try {
    const value = perform(draft, context, call);
    assertConserved(draft.jobs.ledger);
    assertConserved(draft.queries.ledger);
    return { world: draft, result: { ok: true, value }, events };
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    return { world, result: { ok: false, error: thrown.error }, events: [] };
  }
}

/** What the view `checkOffers` says about offers. */
export function judgeOffers(
  world: World,
  now: number,
  request: Request,
  spares: number,
  offers: readonly jobMarket.ModelOffer[],
): readonly unknown[] | ModelError {
  try {
    return jobMarket.checkOffers({ now }, world.jobs, outside(world), request, spares, offers);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.error;
    throw thrown;
  }
}

/** A world that may be changed. */
export function copyWorld(world: World): World {
  return {
    jobs: jobMarket.copyJobMarket(world.jobs),
    queries: queryMarket.copyQueryMarket(world.queries),
    tokens: new Map([...world.tokens].map(([address, token]) => [address, copyToken(token)])),
    accounts: new Map(world.accounts),
    verifiers: new Map(world.verifiers),
    callbacks: new Map(world.callbacks),
  };
}

function perform(world: World, context: Context, call: Call): unknown {
  switch (call.on) {
    case "jobs":
    case "queries":
      return call.name === "multicall" ? performAll(world, context, call.args[0]) : performOne(world, context, call);
    case "token": {
      const token = world.tokens.get(call.token);
      if (token === undefined) throw new Error(`no token at ${call.token}`);
      const act = tokenActions[call.name] as (...args: unknown[]) => unknown;
      return act({ context, world, market: world.jobs.ledger }, token, ...call.args);
    }
    case "account":
      world.accounts.set(call.at, { ...(world.accounts.get(call.at) as ContractAccount), manner: call.manner });
      return undefined;
    case "verifier":
      world.verifiers.set(call.at, {
        ...(world.verifiers.get(call.at) as queryMarket.Verifier),
        mood: call.manner,
      });
      return undefined;
    case "callback":
      world.callbacks.set(call.at, { ...(world.callbacks.get(call.at) as Callback), manner: call.manner });
      return undefined;
    case "code":
      world.verifiers.set(call.at, {
        ...(world.verifiers.get(call.at) as queryMarket.Verifier),
        codeHash: call.codeHash,
      });
      return undefined;
    default:
      return call satisfies never;
  }
}

function performAll(world: World, context: Context, calls: readonly MarketCall[]): readonly unknown[] {
  return calls.map((call) => {
    try {
      return performOne(world, context, call);
    } catch (thrown) {
      if (!(thrown instanceof Refusal) || thrown.error.name !== undefined) throw thrown;
      // OpenZeppelin names a failure that has no data.
      throw new Refusal("FailedCall");
    }
  });
}

function performOne(world: World, context: Context, call: MarketCall): unknown {
  const market = world[call.on].ledger;
  const table: Actions = call.on === "jobs" ? jobActions : queryActions;
  const act = table[call.name] as (...args: unknown[]) => unknown;
  return act({ context, world, market }, ...call.args);
}

function outside(world: World): jobMarket.Outside {
  const markets = [world.jobs.ledger.market, world.queries.ledger.market];
  const contracts = [world.tokens, world.accounts, world.verifiers, world.callbacks];
  return {
    accounts: world.accounts,
    hasCode: (address) => markets.includes(address) || contracts.some((known) => known.has(address)),
    callBack: (context, job, callback, gas) => {
      if (context.gas !== undefined && context.gas <= gas) {
        refuse("CallbackNeedsGas", job.jobId, ANYTHING, ANYTHING);
      }
      const { length } = attempt(copyWorld(world), context, job, callback, gas);
      if (length === 0) return false;
      for (const { at, name, args } of attempt(world, context, job, callback, gas)) context.emit(at, name, args);
      return true;
    },
  };
}

/** The events of a callback; none if it fails. */
function attempt(world: World, { now }: Context, job: Job, callback: Address, gas: number): readonly ModelEvent[] {
  const found = world.callbacks.get(callback);
  const fails: readonly number[] = [CallbackManner.Reverts, CallbackManner.BurnsGas];
  if (found === undefined || gas < CALLBACK_GAS.enough || fails.includes(found.manner)) return [];
  const { jobId, settled } = job;
  const resultHash = settled?.resultHash.slice(0, 2 + 2 * 27);
  const { status, outcome } = settled ?? {};
  const events: ModelEvent[] = [{ at: callback, name: "Told", args: { jobId, status, outcome, resultHash } }];
  if (found.manner !== CallbackManner.Reenters) return events;
  const context: Context = { sender: callback, now, emit: (at, name, args) => events.push({ at, name, args }) };
  try {
    withdraw(context, world.jobs.ledger, found.token, world.tokens.get(found.token), callback, 1n);
  } catch (thrown) {
    if (thrown instanceof Refusal) return [];
    throw thrown;
  }
  return events;
}
