// A market on Hardhat's in-process network, with actors that hold keys, and a follower that folds its events with core.
import assert from "node:assert/strict";
import { jobMarketAbi } from "@quorate/abi";
import {
  type Address,
  commitmentOf,
  foldJobEvent,
  type Hex,
  type JobEvent,
  type JobFacts,
  jobIdOf,
  type MarketDomain,
  type Offer,
  offerTypes,
  type Request,
  Role,
  type SignedOffer,
  signedCommitmentTypes,
  typedDomain,
  type Vote,
} from "@quorate/core";
import { buildRequest, testHash } from "@quorate/testkit";
import { type ContractTransactionReceipt, type ContractTransactionResponse, Interface, id, Wallet } from "ethers";
import { network } from "hardhat";
import { parseEventLogs, type Log as ViemLog } from "viem";
import type { JobMarket, TestToken } from "../../../../types/ethers-contracts/index.js";

type Connection = Awaited<ReturnType<typeof network.create>>;

/** What a panel of tests may be. */
export type PanelOptions = {
  readonly spares?: number;
  readonly price?: (place: number) => bigint;
  readonly providers?: readonly Wallet[];
  readonly signers?: readonly Wallet[];
};

/** Free and locked balance of an account, base units. */
export type Balance = { free: bigint; locked: bigint };

/** Amount that every actor of the market starts with, base units. */
export const FUNDS = 1_000_000_000n;

/** The errors of the market, for decoding. */
export const marketInterface: Interface = new Interface(jobMarketAbi);

/**
 * A key that is the same in every run.
 *
 * @param name of the actor
 */
export function actorKey(name: string): Hex {
  return id(`quorate test actor ${name}`) as Hex;
}

/** A market with its actors. */
export class TestMarket {
  readonly connection: Connection;
  readonly market: JobMarket;
  readonly token: TestToken;
  readonly domain: MarketDomain;
  readonly requester: Wallet;
  readonly carrier: Wallet;
  readonly outsider: Wallet;
  /** Sixteen accounts with a deposit. */
  readonly providers: readonly Wallet[];
  #nonce = 0n;

  constructor(connection: Connection, market: JobMarket, token: TestToken, domain: MarketDomain) {
    this.connection = connection;
    this.market = market;
    this.token = token;
    this.domain = domain;
    const actor = (name: string): Wallet => new Wallet(actorKey(name), connection.ethers.provider);
    this.requester = actor("requester");
    this.carrier = actor("carrier");
    this.outsider = actor("outsider");
    this.providers = Array.from({ length: 16 }, (_, index) => actor(`provider ${index}`));
  }

  /** Deploys token and market, and gives every actor coins and a deposit. */
  static async create(): Promise<TestMarket> {
    const connection = await network.create({ override: { chainId: 31_337, allowUnlimitedContractSize: false } });
    const { ethers } = connection;
    const token = (await ethers.deployContract("TestToken", ["Test dollar", "tUSD", 6])) as unknown as TestToken;
    const market = (await ethers.deployContract("JobMarket", [1, 604_800])) as unknown as JobMarket;
    const domain: MarketDomain = { chainId: 31_337, market: (await market.getAddress()) as Address };
    const created = new TestMarket(connection, market, token, domain);
    for (const wallet of [created.requester, created.carrier, created.outsider, ...created.providers]) {
      await created.rpc("hardhat_setBalance", wallet.address, "0x56bc75e2d63100000");
    }
    for (const wallet of [created.requester, ...created.providers]) await created.fund(wallet, FUNDS);
    return created;
  }

  /** A raw call of the node. */
  async rpc(method: string, ...params: unknown[]): Promise<unknown> {
    return this.connection.provider.request({ method, params });
  }

  /** Mints and deposits. */
  async fund(wallet: Wallet, amount: bigint, account: string = wallet.address): Promise<void> {
    await this.token.mint(wallet.address, amount);
    await this.token.connect(wallet).approve(this.domain.market, amount);
    await this.market.connect(wallet).deposit(await this.token.getAddress(), account, amount);
  }

  /** Timestamp of the latest block, unix s. */
  async now(): Promise<number> {
    const block = await this.connection.ethers.provider.getBlock("latest");
    assert.ok(block !== null);
    return block.timestamp;
  }

  /** The next block, if it is mined by a transaction, has this time. */
  async nextAt(timestamp: number): Promise<void> {
    await this.rpc("evm_setNextBlockTimestamp", timestamp);
  }

  /** Mines an empty block at a time. */
  async mineAt(timestamp: number): Promise<void> {
    await this.nextAt(timestamp);
    await this.rpc("evm_mine");
  }

  /** A request by the requester, new each time. */
  request(changes: Partial<Request> = {}): Request {
    this.#nonce += 1n;
    return buildRequest({
      requester: this.requester.address as Address,
      token: this.token.target as Address,
      nonce: this.#nonce,
      ...changes,
    });
  }

  /** An offer signed by its provider, or by somebody else. */
  async offer(
    request: Request,
    provider: Wallet | Address,
    changes: Partial<Offer> = {},
    signer: Wallet | undefined = typeof provider === "string" ? undefined : provider,
    domain: MarketDomain = this.domain,
  ): Promise<SignedOffer> {
    const { jobId, ...offer }: Offer = {
      jobId: jobIdOf(request, domain),
      provider: (typeof provider === "string" ? provider : provider.address) as Address,
      price: 900_000n,
      encryptionKey: testHash(0x9),
      roles: Role.Seat | Role.Spare | Role.Shadow,
      expiry: 2_000_000_000,
      ...changes,
    };
    assert.ok(signer !== undefined, "somebody has to sign");
    const signature = (await signer.signTypedData(typedDomain(domain), mutable(offerTypes), {
      jobId,
      ...offer,
    })) as Hex;
    return { ...offer, signature, keyWrap: `0x${"ab".repeat(80)}` };
  }

  /** Offers for all places of a request, one a provider. */
  async panel(
    request: Request,
    {
      spares = request.spares,
      price = (place) => 900_000n - BigInt(place),
      providers = this.providers,
      signers,
    }: PanelOptions = {},
  ): Promise<SignedOffer[]> {
    const count = request.seats + spares + request.shadows;
    return Promise.all(
      Array.from({ length: count }, (_, place) =>
        this.offer(
          request,
          providers[place] as Wallet,
          { price: price(place) },
          (signers ?? providers)[place] as Wallet,
        ),
      ),
    );
  }

  /** Opens a job and returns its facts. */
  async open(request: Request, options: PanelOptions = {}): Promise<JobFacts> {
    const offers = await this.panel(request, options);
    const spares = options.spares ?? request.spares;
    const facts = await this.follow(
      undefined,
      this.market.connect(this.requester).open(request, spares, offers.map(plain)),
    );
    assert.ok(facts !== undefined);
    return facts;
  }

  /** Waits for a transaction and folds its events into the facts of a job. */
  async follow(facts: JobFacts, sending: Promise<ContractTransactionResponse>): Promise<JobFacts>;
  async follow(facts: undefined, sending: Promise<ContractTransactionResponse>): Promise<JobFacts>;
  async follow(
    facts: JobFacts | undefined,
    sending: Promise<ContractTransactionResponse>,
  ): Promise<JobFacts | undefined> {
    const receipt = await mined(sending);
    const block = await receipt.getBlock();
    let folded = facts;
    for (const { event } of marketEvents(receipt)) {
      if (!isJobEvent(event)) continue;
      folded = foldJobEvent(folded, { ...event, timestamp: block.timestamp } as JobEvent);
    }
    return folded;
  }

  /** A vote of a place with a salt of its own. */
  vote(facts: JobFacts, place: number, outcome: number, resultHash: Hex): Vote {
    return {
      jobId: facts.jobId,
      provider: (facts.terms.places[place] as { provider: Address }).provider,
      outcome,
      resultHash,
      salt: id(`salt ${facts.jobId} ${place}`) as Hex,
    };
  }

  /** Commitment of a vote at this market. */
  commitment(vote: Vote): Hex {
    return commitmentOf(vote, this.domain);
  }

  /** A carried commitment, signed by the provider of the place or by somebody else. */
  async carried(
    facts: JobFacts,
    place: number,
    commitment: Hex,
    signer: Wallet = this.providerAt(facts, place),
  ): Promise<{ place: number; commitment: Hex; signature: Hex }> {
    const message = {
      jobId: facts.jobId,
      provider: (facts.terms.places[place] as { provider: Address }).provider,
      commitment,
    };
    const signature = await signer.signTypedData(typedDomain(this.domain), mutable(signedCommitmentTypes), message);
    return { place, commitment, signature: signature as Hex };
  }

  /** The wallet of a place. */
  providerAt(facts: JobFacts, place: number): Wallet {
    const address = facts.terms.places[place]?.provider.toLowerCase();
    const wallet = this.providers.find((candidate) => candidate.address.toLowerCase() === address);
    assert.ok(wallet !== undefined, `no wallet holds place ${place}`);
    return wallet;
  }

  /** Free and locked balance of an account. */
  async account(owner: string): Promise<Balance> {
    const { free, locked } = await this.market.accountOf(this.token.target, owner);
    return { free, locked };
  }

  /** Balances of all actors, for comparisons. */
  async accounts(): Promise<Record<string, Balance>> {
    const owners = [this.requester, this.carrier, this.outsider, ...this.providers].map(({ address }) => address);
    return Object.fromEntries(await Promise.all(owners.map(async (owner) => [owner, await this.account(owner)])));
  }

  /**
   * Asserts that what the market holds is what its accounts, pots and burnt money add up to, and no more than it has.
   *
   * @param escrow of jobs that are open, base units
   * @param quarantine of all entries, base units
   * @param accounts as they are now, if they were read already
   */
  async assertConservation(escrow = 0n, quarantine = 0n, accounts?: Record<string, Balance>): Promise<void> {
    const known = Object.values(accounts ?? (await this.accounts()));
    const sum = known.reduce((total, { free, locked }) => total + free + locked, 0n);
    const burnt = await this.market.burnt(this.token.target);
    const held = await this.market.held(this.token.target);
    assert.equal(held, sum + burnt + escrow + quarantine, "held is the sum of its parts");
    assert.equal(await this.token.balanceOf(this.domain.market), held, "every unit is there");
  }
}

/** Terms, requests and offers as ethers takes them: mutable. */
export function plain<T>(value: T): Mutable<T> {
  return structuredClone(value) as Mutable<T>;
}

type Mutable<T> = T extends string | number | bigint | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? Mutable<Item>[]
    : { -readonly [Key in keyof T]: Mutable<T[Key]> };

/** Typed data types as ethers takes them. */
export function mutable(
  types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>,
): Record<string, { name: string; type: string }[]> {
  return Object.fromEntries(
    Object.entries(types).map(([name, fields]) => [name, fields.map((field) => ({ ...field }))]),
  );
}

/** The receipt of a transaction that succeeded. */
export async function mined(sending: Promise<ContractTransactionResponse>): Promise<ContractTransactionReceipt> {
  const receipt = await (await sending).wait();
  assert.ok(receipt !== null && receipt.status === 1);
  return receipt;
}

/** An event as viem decodes it. */
export type DecodedEvent = { readonly eventName: string; readonly args: Record<string, unknown> };

/** Events of the market in a receipt, in order, decoded by viem. */
export function marketEvents(receipt: ContractTransactionReceipt): readonly { readonly event: DecodedEvent }[] {
  // Bare logs: viem lets members of a log win over what it decodes.
  const logs = receipt.logs.map(
    ({ address, topics, data }) => ({ address, topics: [...topics], data }) as unknown as ViemLog,
  );
  return parseEventLogs({ abi: jobMarketAbi, logs }).map(({ eventName, args }) => ({
    event: { eventName, args: args as Record<string, unknown> },
  }));
}

const jobEvents: readonly string[] = [
  "JobOpened",
  "CommitmentPlaced",
  "CommitmentSkipped",
  "CommitmentSetPlaced",
  "CallbackCalled",
  "SeatDeclined",
  "SparePromoted",
  "CommitmentOpened",
  "OpeningSkipped",
  "JobSettled",
];

function isJobEvent({ eventName }: DecodedEvent): boolean {
  return jobEvents.includes(eventName);
}

/** A custom error of the market. */
export type MarketError = { readonly name: string; readonly args: readonly unknown[] };

/**
 * The custom error that a call fails with.
 *
 * @param failing a call that must fail
 * @throws AssertionError when it succeeds or fails without a known custom error
 */
export async function errorOf(failing: Promise<unknown>): Promise<MarketError> {
  let thrown: unknown;
  try {
    const sent = await failing;
    if (typeof sent === "object" && sent !== null && "wait" in sent) await (sent as ContractTransactionResponse).wait();
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown !== undefined, "the call was expected to fail");
  const data = revertData(thrown);
  assert.ok(data !== undefined, `no custom error: ${String(thrown)}`);
  const parsed = marketInterface.parseError(data);
  assert.ok(parsed !== null, `an unknown error: ${data}`);
  return { name: parsed.name, args: [...parsed.args] };
}

function revertData(error: unknown): Hex | undefined {
  for (
    let at = error;
    typeof at === "object" && at !== null;
    at = (at as { error?: unknown; cause?: unknown }).cause ?? (at as { error?: unknown }).error
  ) {
    const { data } = at as { data?: unknown };
    if (typeof data === "string" && data.length >= 10) return data as Hex;
    if (typeof data === "object" && data !== null && "data" in data && typeof data.data === "string")
      return data.data as Hex;
  }
  return undefined;
}
