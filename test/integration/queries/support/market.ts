// A query market on Hardhat's in-process network, with the scenario's addresses and the proofs of test/vectors/proofs.json.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mortgageDeskAbi, queryMarketAbi } from "@quorate/abi";
import { poseidon1Artifact, poseidon2Artifact, poseidon6Artifact } from "@quorate/abi/artifacts";
import { type Address, type Hex, type MarketDomain, type Quote, quoteTypes, typedDomain } from "@quorate/core";
import {
  type BaseContract,
  type ContractTransactionReceipt,
  type ContractTransactionResponse,
  concat,
  Interface,
  id,
  keccak256,
  type LogDescription,
  Wallet,
} from "ethers";
import { network } from "hardhat";
import type {
  MoodyVerifier,
  MortgageDesk,
  QueryMarket,
  ScorecardVerifier,
  SealedAnswerVerifier,
  TestToken,
} from "../../../../types/ethers-contracts/index.js";
import {
  ASKER,
  actorKey,
  CHAIN_ID,
  type CircuitName,
  contractAddress,
  DEPLOYER_KEY,
  deploymentOrder,
  INCOME,
  MINIMUM,
  type Opening,
  PROVIDER,
  START,
} from "./parties.ts";

type Connection = Awaited<ReturnType<typeof network.create>>;

/** Where a question stands, as the contract numbers it. */
export const Status = { None: 0n, Pending: 1n, Answered: 2n, Expired: 3n } as const;
/** Why an answer is skipped, as the contract numbers it. */
export const AnswerFault = {
  NotPending: 0n,
  OtherQuote: 1n,
  TooLate: 2n,
  CipherOutOfRange: 3n,
  NullifierOutOfRange: 4n,
  NullifierUsed: 5n,
  VerifierChanged: 6n,
  OtherVerifier: 7n,
} as const;

/** Amount that asker and providers start with, base units. */
export const FUNDS = 1_000_000_000n;
/** Hash of what the records of the dataset mean. */
export const DEFINITION: string = id("definition of the payroll");
/** Seconds. */
export const GRACE = 86_400;

const contractInterface = new Interface(
  [...queryMarketAbi, ...mortgageDeskAbi].filter(({ type }) => type !== "constructor"),
);

/** The proof of a question, as contracts take it. */
export type Proven = {
  readonly name: string;
  readonly circuit: CircuitName;
  readonly answer: boolean;
  readonly opening: Opening;
  readonly cipher: bigint;
  readonly nullifier: bigint;
  readonly root: bigint;
  readonly query: bigint;
  readonly proof: Words;
};
/** Words of a proof. */
export type Words = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

type Stored = {
  readonly name: string;
  readonly circuit: CircuitName;
  readonly answer: boolean;
  readonly opening: Readonly<Record<keyof Opening, string>>;
  readonly signals: readonly string[];
  readonly proof: readonly string[];
};
const stored = JSON.parse(readFileSync(new URL("../../../vectors/proofs.json", import.meta.url), "utf8")) as {
  readonly questions: readonly Stored[];
};

/**
 * A question of test/vectors/proofs.json.
 *
 * @param name of the question
 * @throws AssertionError for a name without a proof
 */
export function proven(name: string): Proven {
  const entry = stored.questions.find((question) => question.name === name);
  assert.ok(entry !== undefined, `test/vectors/proofs.json has no "${name}"`);
  const { nonce, subjectRef, person, asOf, k } = entry.opening;
  const [cipher, nullifier, root, query] = entry.signals.map(BigInt) as [bigint, bigint, bigint, bigint];
  return {
    name,
    circuit: entry.circuit,
    answer: entry.answer,
    opening: {
      nonce: BigInt(nonce),
      subjectRef: BigInt(subjectRef),
      person: BigInt(person),
      asOf: BigInt(asOf),
      k: BigInt(k),
    },
    cipher,
    nullifier,
    root,
    query,
    proof: entry.proof.map(BigInt) as Words,
  };
}

/** Free and locked balance of an account, base units. */
export type Balance = { readonly free: bigint; readonly locked: bigint };

/** A market with its actors. */
export class TestQueryMarket {
  readonly connection: Connection;
  readonly market: QueryMarket;
  readonly token: TestToken;
  readonly sealedAnswer: SealedAnswerVerifier;
  readonly scorecard: ScorecardVerifier;
  readonly poseidon1: string;
  readonly poseidon6: string;
  readonly domain: MarketDomain;
  readonly asker: Wallet;
  readonly provider: Wallet;
  /** Another provider with a deposit. */
  readonly rival: Wallet;
  readonly stranger: Wallet;
  readonly dataset: Hex;
  readonly #codeHashes = new Map<string, Hex>();
  #nonce = 0;

  private constructor(connection: Connection, contracts: Readonly<Record<string, BaseContract>>) {
    const { provider } = connection.ethers;
    this.connection = connection;
    this.market = contracts.QueryMarket as unknown as QueryMarket;
    this.token = contracts.TestToken as unknown as TestToken;
    this.sealedAnswer = contracts.SealedAnswerVerifier as unknown as SealedAnswerVerifier;
    this.scorecard = contracts.ScorecardVerifier as unknown as ScorecardVerifier;
    this.poseidon1 = contractAddress("Poseidon1");
    this.poseidon6 = contractAddress("Poseidon6");
    this.domain = { chainId: CHAIN_ID, market: contractAddress("QueryMarket") as Address };
    const actor = (name: string): Wallet => new Wallet(actorKey(name), provider);
    this.asker = actor("lender");
    this.provider = actor("payroll");
    this.rival = actor("rival payroll");
    this.stranger = actor("stranger");
    this.dataset = datasetOf(this.provider.address);
  }

  /** Deploys at the scenario's addresses, gives actors coins and deposits, and publishes the scenario's root. */
  static async create(): Promise<TestQueryMarket> {
    const connection = await network.create({
      override: { chainId: CHAIN_ID, allowUnlimitedContractSize: false, initialDate: new Date(START * 1_000) },
    });
    const { ethers } = connection;
    const setBalance = (address: string): Promise<unknown> =>
      connection.provider.request({ method: "hardhat_setBalance", params: [address, "0x56bc75e2d63100000"] });
    const deployer = new Wallet(DEPLOYER_KEY, ethers.provider);
    await setBalance(deployer.address);
    const contracts: Record<string, BaseContract> = {};
    for (const name of deploymentOrder) {
      const contract = await (async (): Promise<BaseContract> => {
        const poseidon = { Poseidon1: poseidon1Artifact, Poseidon2: poseidon2Artifact, Poseidon6: poseidon6Artifact };
        if (name in poseidon) {
          const { abi, bytecode } = poseidon[name as keyof typeof poseidon];
          return (await ethers.getContractFactory([...abi], bytecode, deployer)).deploy();
        }
        if (name === "TestToken") return ethers.deployContract(name, ["Test dollar", "tUSD", 6], deployer);
        if (name !== "QueryMarket") return ethers.deployContract(name, deployer);
        return ethers.deployContract(name, [1, 604_800, contractAddress("Poseidon2")], deployer);
      })();
      assert.equal(await contract.getAddress(), contractAddress(name));
      contracts[name] = contract;
    }
    const created = new TestQueryMarket(connection, contracts);
    for (const wallet of [created.asker, created.provider, created.rival, created.stranger]) {
      await setBalance(wallet.address);
    }
    for (const wallet of [created.asker, created.provider, created.rival]) await created.fund(wallet, FUNDS);
    assert.deepEqual([created.asker.address, created.provider.address], [ASKER, PROVIDER]);
    await mined(created.market.connect(created.provider).registerDataset(DEFINITION, GRACE, ethers.ZeroAddress));
    await mined(created.market.connect(created.provider).publishRoot(created.dataset, proven("true").root));
    return created;
  }

  /** A raw call of the node. */
  rpc(method: string, ...params: unknown[]): Promise<unknown> {
    return this.connection.provider.request({ method, params });
  }

  /** Puts the chain back to where it is now, whenever the returned function is called; once. */
  async snapshot(): Promise<() => Promise<void>> {
    const snapshot = await this.rpc("evm_snapshot");
    return async () => {
      await this.rpc("evm_revert", snapshot);
    };
  }

  /** Mints and deposits. */
  async fund(wallet: Wallet, amount: bigint): Promise<void> {
    await mined(this.token.mint(wallet.address, amount));
    await mined(this.token.connect(wallet).approve(this.domain.market, amount));
    await mined(this.market.connect(wallet).deposit(this.token.target, wallet.address, amount));
  }

  /** Timestamp of the latest block, unix s. */
  async now(): Promise<number> {
    const block = await this.connection.ethers.provider.getBlock("latest");
    assert.ok(block !== null);
    return block.timestamp;
  }

  /** The next block has this time. */
  async nextAt(timestamp: number): Promise<void> {
    await this.rpc("evm_setNextBlockTimestamp", timestamp);
  }

  /** Hash of the code at an address. */
  async codeHash(address: string): Promise<Hex> {
    const code = await this.connection.ethers.provider.getCode(address);
    return keccak256(code) as Hex;
  }

  /** A quote by the provider for a question that has a proof, or for another query. */
  async quote(question: Pick<Proven, "query" | "root" | "circuit">, changes: Partial<Quote> = {}): Promise<Quote> {
    const verifier = changes.verifier ?? ((await this.verifierOf(question.circuit)) as Address);
    let codeHash = this.#codeHashes.get(verifier);
    codeHash ??= await this.codeHash(verifier);
    this.#codeHashes.set(verifier, codeHash);
    return {
      asker: this.asker.address as Address,
      provider: this.provider.address as Address,
      query: question.query,
      dataset: this.dataset,
      root: question.root,
      verifier,
      verifierCodeHash: codeHash,
      token: this.token.target as Address,
      price: 25_000_000n,
      bond: 50_000_000n,
      window: 3_600,
      expiry: START + 30 * 86_400,
      ...changes,
    };
  }

  /** Address of the verifier of a circuit. */
  verifierOf(circuit: CircuitName): Promise<string> {
    return (circuit === "scorecard" ? this.scorecard : this.sealedAnswer).getAddress();
  }

  /** A query that nobody has asked. */
  freshQuery(): bigint {
    this.#nonce += 1;
    return BigInt(id(`query ${this.#nonce}`)) >> 8n;
  }

  /** Signs a quote. */
  async sign(quote: Quote, signer: Wallet = this.provider, domain: MarketDomain = this.domain): Promise<string> {
    return signer.signTypedData(typedDomain(domain), mutable(quoteTypes), quote);
  }

  /** Asks by a signed quote. */
  async ask(
    quote: Quote,
    signer: Wallet = this.provider,
    asker: Wallet = this.asker,
  ): Promise<ContractTransactionReceipt> {
    return mined(this.market.connect(asker).ask(quote, await this.sign(quote, signer)));
  }

  /** Answers with a proof, as somebody who is no party. */
  answer(
    quote: Quote,
    { cipher, nullifier, proof }: Pick<Proven, "cipher" | "nullifier" | "proof">,
    sender: Wallet = this.stranger,
  ): Promise<ContractTransactionResponse> {
    return this.market.connect(sender).answer(quote, cipher, nullifier, proof);
  }

  /** Status of a question, as {@link Status}. */
  async status({ provider, query }: Pick<Quote, "provider" | "query">): Promise<bigint> {
    return (await this.market.questionOf(provider, query)).status;
  }

  /** Free and locked balance of an account. */
  async account(owner: string): Promise<Balance> {
    const { free, locked } = await this.market.accountOf(this.token.target, owner);
    return { free, locked };
  }

  /** Balances of all actors. */
  async accounts(): Promise<Readonly<Record<"asker" | "provider" | "rival" | "stranger", Balance>>> {
    const [asker, provider, rival, stranger] = await Promise.all(
      [this.asker, this.provider, this.rival, this.stranger].map(({ address }) => this.account(address)),
    );
    assert.ok(asker && provider && rival && stranger);
    return { asker, provider, rival, stranger };
  }

  /** Asserts that a call fails with an error, and moves no money. */
  async refused(failing: () => Promise<unknown>, name: string, args?: readonly unknown[]): Promise<void> {
    const before = await this.accounts();
    const error = await errorOf(failing());
    assert.equal(error.name, name);
    if (args !== undefined) assert.deepEqual(error.args, args);
    assert.deepEqual(await this.accounts(), before);
  }

  /** A verifier that answers as it is told. */
  async moodyVerifier(mood: number): Promise<MoodyVerifier> {
    const verifier = (await this.connection.ethers.deployContract("MoodyVerifier")) as unknown as MoodyVerifier;
    await mined(verifier.set(mood));
    return verifier;
  }

  /** The contract that acts on the answers to the lender's questions. */
  async deployDesk(
    changes: { readonly maxAge?: bigint; readonly minimum?: bigint; readonly attribute?: bigint } = {},
  ): Promise<MortgageDesk> {
    const policy = {
      market: this.domain.market,
      lender: this.asker.address,
      provider: this.provider.address,
      verifier: await this.sealedAnswer.getAddress(),
      attribute: INCOME,
      minimum: MINIMUM,
      maxAge: 86_400n,
      ...changes,
    };
    const desk = await this.connection.ethers.deployContract("MortgageDesk", [policy, this.poseidon1, this.poseidon6]);
    return desk as unknown as MortgageDesk;
  }
}

/** Id of the provider's dataset. */
export function datasetOf(provider: string): Hex {
  return keccak256(concat([`0x${"00".repeat(12)}`, provider, DEFINITION])) as Hex;
}

/** Typed data types as ethers takes them. */
function mutable(
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

/** Events of the market in a receipt, in order. */
export function eventsOf(receipt: ContractTransactionReceipt): readonly LogDescription[] {
  return receipt.logs.map((log) => contractInterface.parseLog(log)).filter((log) => log !== null);
}

/**
 * The custom error that a call fails with.
 *
 * @param failing a call that must fail
 * @throws AssertionError when it succeeds or fails without a known custom error
 */
export async function errorOf(failing: Promise<unknown>): Promise<{ name: string; args: readonly unknown[] }> {
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
  const parsed = contractInterface.parseError(data);
  assert.ok(parsed !== null, `an unknown error: ${data}`);
  return { name: parsed.name, args: [...parsed.args] };
}

function revertData(error: unknown): string | undefined {
  for (
    let at = error;
    typeof at === "object" && at !== null;
    at = (at as { cause?: unknown }).cause ?? (at as { error?: unknown }).error
  ) {
    const { data } = at as { data?: unknown };
    if (typeof data === "string" && data.length >= 10) return data;
    if (typeof data === "object" && data !== null && "data" in data && typeof data.data === "string") return data.data;
  }
  return undefined;
}
