// The contracts on Hardhat's in-process network, asked call by call whether they do what the model says.
import { readFileSync } from "node:fs";
import { poseidon2Artifact } from "@quorate/abi/artifacts";
import type { Request } from "@quorate/core";
import { network } from "hardhat";
import {
  type Abi,
  type AbiFunction,
  type AbiParameter,
  concat,
  decodeErrorResult,
  decodeEventLog,
  encodeAbiParameters,
  encodeDeployData,
  keccak256,
  numberToHex,
  toEventSelector,
  toFunctionSelector,
} from "viem";
import type { Job } from "../model/job.ts";
import { createJobMarket, type ModelOffer } from "../model/jobMarket.ts";
import { createQueryMarket } from "../model/queryMarket.ts";
import { createToken } from "../model/tokens.ts";
import {
  type Address,
  ANYTHING,
  CHAIN_ID,
  type Hex,
  type ModelError,
  type ModelEvent,
  type Signature,
} from "../model/types.ts";
import { fixedViews, grownViews, lastViews, type View, type Watched, type Word } from "../model/views.ts";
import type { Call, MarketCall, Outcome, Step, World } from "../model/world.ts";
import { type Actor, createActor } from "./keys.ts";

/** Time of the first block after the set-up, unix s. */
export const START = 1_900_000_000;
/** Windows of both markets, seconds. */
export const MIN_WINDOW = 60;
export const MAX_WINDOW = 604_800;

const GAS = "0xf00000";
/** Above every base fee; named, so that Hardhat does not look it up for each transaction. */
const GAS_PRICE = "0x4a817c800";
const KEY: Hex = `0x${"5a".repeat(32)}`;
const BYTES: Hex = "0x74727565";
/** What the functions of the jobs return. */
export const RESULT = { key: KEY, bytes: BYTES, hash: keccak256(concat([KEY, BYTES])) } as const;
/** Keys of answers and queries whose pads are computed before: the model has no Poseidon. */
export const KEYS: readonly bigint[] = [1n, 2n];
export const QUERIES: readonly bigint[] = Array.from({ length: 12 }, (_, index) => BigInt(index + 1));

/** Runtime and creation code that takes the place of a contract's, for runs against other contracts. */
export type Replaced = Readonly<Record<string, { readonly bytecode: Hex; readonly abi: Abi }>>;

/** Addresses of what was deployed, and who acts. */
export type Cast = {
  readonly jobs: Address;
  readonly queries: Address;
  /** With permit, then the one that misbehaves. */
  readonly tokens: readonly [Address, Address];
  readonly verifiers: readonly [Address, Address];
  readonly callbacks: readonly [Address, Address];
  readonly requesters: readonly Actor[];
  readonly providers: readonly Actor[];
  readonly agents: readonly Actor[];
  readonly carrier: Actor;
  /** The last provider is this contract, its key its owner's. */
  readonly account: Address;
  /** Poseidon of some keys and queries, `k/query`. */
  readonly pads: ReadonlyMap<string, bigint>;
  readonly codes: Readonly<Record<string, { readonly code: Hex; readonly hash: Hex }>>;
};

type Connection = Awaited<ReturnType<typeof network.create>>;
type Artifact = { readonly abi: Abi; readonly bytecode: Hex };
type Log = { readonly address: string; readonly topics: readonly Hex[]; readonly data: Hex };
type FunctionCoder = { readonly selector: Hex; readonly inputs: readonly AbiParameter[] };

/** A difference between contract and model. */
export class Disagreement extends Error {}

function artifactOf(path: string, name: string): Artifact {
  const file = new URL(`../../../artifacts/${path}/${name}.sol/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Artifact;
}

/** Both markets with everything around them. */
export class Chain {
  readonly cast: Cast;
  readonly watched: Watched;
  /** As it is after the set-up; nothing was called by anybody yet. */
  readonly world: World;
  readonly #connection: Connection;
  readonly #observer: Address;
  readonly #functions = new Map<string, FunctionCoder>();
  readonly #errors = new Map<string, { readonly selector: Hex; readonly inputs: readonly AbiParameter[] }>();
  readonly #errorAbi: Abi;
  readonly #abis: ReadonlyMap<Address, Abi>;
  readonly #viewData = new Map<string, Hex>();
  readonly #terms = new WeakMap<object, Hex>();
  readonly #stored = new Set<Address>();
  #snapshot: unknown;

  private constructor(
    connection: Connection,
    cast: Cast,
    observer: Address,
    abis: ReadonlyMap<Address, Abi>,
    errors: Abi,
  ) {
    this.#connection = connection;
    this.cast = cast;
    this.#observer = observer;
    this.#abis = abis;
    this.#errorAbi = errors;
    for (const [address, abi] of abis) {
      for (const item of abi) {
        if (item.type !== "function") continue;
        this.#functions.set(`${address}/${item.name}`, { selector: toFunctionSelector(item), inputs: item.inputs });
      }
    }
    for (const item of errors) {
      if (item.type !== "error") continue;
      // An error is encoded as a call of a function of its name and inputs.
      const { name, inputs } = item;
      const selector = toFunctionSelector({ type: "function", name, inputs, outputs: [], stateMutability: "pure" });
      this.#errors.set(name, { selector, inputs });
    }
    const addresses = (actors: readonly Actor[]): Address[] => actors.map(({ address }) => address);
    const providers = [...addresses(cast.providers).slice(0, -1), cast.account];
    this.watched = {
      owners: [...addresses([...cast.requesters, cast.carrier, ...cast.agents]), ...providers, ...cast.callbacks],
      providers,
      agents: addresses(cast.agents),
      tokens: cast.tokens,
      pads: cast.pads,
      result: RESULT,
    };
    const verifier = { codeHash: cast.codes.verifier?.hash ?? "0x", mood: 0 };
    this.world = {
      jobs: createJobMarket(cast.jobs, MIN_WINDOW, MAX_WINDOW),
      queries: createQueryMarket(cast.queries, MIN_WINDOW, MAX_WINDOW),
      tokens: new Map([
        [cast.tokens[0], createToken(cast.tokens[0], "Test dollar", true)],
        [cast.tokens[1], createToken(cast.tokens[1], "Fickle", false)],
      ]),
      accounts: new Map([[cast.account, { owner: (cast.providers.at(-1) as Actor).address, manner: 0 }]]),
      verifiers: new Map(cast.verifiers.map((address) => [address, verifier])),
      callbacks: new Map(cast.callbacks.map((address) => [address, { manner: 0, token: cast.tokens[0] }])),
    };
  }

  /**
   * Deploys everything.
   *
   * @param replaced other contracts in the place of `JobMarket` or `QueryMarket`
   */
  static async create(replaced: Replaced = {}): Promise<Chain> {
    const connection = await network.create({
      override: {
        chainId: CHAIN_ID,
        // Other contracts than those that are deployed may be compiled without the optimizer.
        allowUnlimitedContractSize: true,
        allowBlocksWithSameTimestamp: true,
        initialDate: new Date((START - 1_000) * 1_000),
      },
    });
    const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
      connection.provider.request({ method, params });
    const deployer = createActor("deployer").address;
    const actors = (name: string, count: number): Actor[] =>
      Array.from({ length: count }, (_, index) => createActor(`${name} ${index}`));
    const requesters = actors("requester", 2);
    const providers = actors("provider", 7);
    const agents = actors("agent", 4);
    const carrier = createActor("carrier");
    for (const address of [
      deployer,
      ...[...requesters, ...providers, ...agents, carrier].map((each) => each.address),
    ]) {
      await rpc("hardhat_setBalance", address, "0xffffffffffffffffffff");
      await rpc("hardhat_impersonateAccount", address);
    }
    const abis = new Map<Address, Abi>();
    const deploy = async (artifact: Artifact, ...args: unknown[]): Promise<Address> => {
      const data = encodeDeployData({ abi: artifact.abi, bytecode: artifact.bytecode, args });
      const hash = await rpc("eth_sendTransaction", { from: deployer, data, gas: GAS });
      const receipt = (await rpc("eth_getTransactionReceipt", hash)) as { contractAddress: string };
      const address = receipt.contractAddress.toLowerCase() as Address;
      abis.set(address, artifact.abi);
      return address;
    };
    const harness = (name: string): Artifact => artifactOf("test/contracts/harness", name);
    const tokens: [Address, Address] = [
      await deploy(artifactOf("test/contracts/tokens", "TestToken"), "Test dollar", "tUSD", 6),
      await deploy(harness("FickleToken")),
    ];
    const jobArtifact = replaced.JobMarket ?? artifactOf("contracts", "JobMarket");
    const queryArtifact = replaced.QueryMarket ?? artifactOf("contracts", "QueryMarket");
    const poseidon = await deploy(poseidon2Artifact as Artifact);
    const jobs = await deploy(jobArtifact, MIN_WINDOW, MAX_WINDOW);
    const queries = await deploy(queryArtifact, MIN_WINDOW, MAX_WINDOW, poseidon);
    const verifiers: [Address, Address] = [
      await deploy(harness("MoodyVerifier")),
      await deploy(harness("MoodyVerifier")),
    ];
    const account = await deploy(harness("ContractAccount"), (providers.at(-1) as Actor).address);
    const callbacks: [Address, Address] = [
      await deploy(harness("FickleCallback"), jobs, tokens[0]),
      await deploy(harness("FickleCallback"), jobs, tokens[0]),
    ];
    const observer = await deploy(harness("Observer"));

    const pads = new Map<string, bigint>();
    const poseidonAbi = poseidon2Artifact.abi as Abi;
    const hash2 = poseidonAbi.find((item): item is AbiFunction => item.type === "function") as AbiFunction;
    for (const k of KEYS) {
      for (const query of QUERIES) {
        const data = toFunctionSelector(hash2) + encodeAbiParameters(hash2.inputs, [[k, query]]).slice(2);
        pads.set(`${k}/${query}`, BigInt((await rpc("eth_call", { to: poseidon, data }, "latest")) as Hex));
      }
    }
    const code = (await rpc("eth_getCode", verifiers[0], "latest")) as Hex;
    const codes = {
      verifier: { code, hash: keccak256(code) },
      // A byte that is never run.
      other: { code: `${code}00` as Hex, hash: keccak256(`${code}00`) },
    };
    const cast: Cast = {
      jobs,
      queries,
      tokens,
      verifiers,
      callbacks,
      requesters,
      providers,
      agents,
      carrier,
      account,
      pads,
      codes,
    };
    const errors = [...jobArtifact.abi, ...queryArtifact.abi, ...(abis.get(tokens[0]) ?? [])];
    const seen = new Set<string>();
    const unique = errors.filter(
      (item) => item.type === "error" && !seen.has(item.name) && seen.add(item.name) !== undefined,
    );
    return new Chain(connection, cast, observer, abis, unique);
  }

  /** Keeps the present state for {@link reset}. */
  async keep(): Promise<void> {
    this.#snapshot = await this.#rpc("evm_snapshot");
  }

  /** Puts the chain back to what was kept. */
  async reset(): Promise<void> {
    await this.#rpc("evm_revert", this.#snapshot);
    await this.keep();
  }

  /** Ends the network. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Makes a call at a time. Result, events and every view have to be what the model says. */
  async perform({ sender, call, now, gas }: Step, { world, result, events }: Outcome): Promise<void> {
    await this.#rpc("evm_setNextBlockTimestamp", now);
    if (call.on === "code") {
      const { code } = Object.values(this.cast.codes).find(({ hash }) => hash === call.codeHash) as { code: Hex };
      await this.#rpc("hardhat_setCode", call.at, code);
      await this.#rpc("evm_mine");
    } else {
      const { from, to, data } = this.#transactionOf(sender, call, world);
      if (result.ok && typeof result.value === "string") {
        const answer = await this.#rpc("eth_call", { from, to, data, gas: GAS }, "pending");
        equal("what the call returns", returned(answer as Hex, from !== sender), result.value);
      }
      const sent = await this.#send(from, to, data, gas === undefined ? GAS : numberToHex(gas));
      if (result.ok) {
        if ("data" in sent) throw new Disagreement(`failed with ${this.#showError(sent.data)}, expected success`);
        this.#compareLogs(sent.logs, events);
      } else if ("data" in sent) {
        this.#compareError(sent.data, result.error);
      } else throw new Disagreement(`succeeded, expected ${show(result.error)}`);
    }
    // A call that fails changes nothing, but its time has come; and no call reaches the other market.
    const reached = result.ok ? (call.on === "queries" ? "queries" : "jobs") : undefined;
    await this.#observe(world, now, reached === undefined ? [] : [reached]);
  }

  /** Compares every view with the model, at the time of the latest block. */
  async observeAll(world: World, now: number): Promise<void> {
    await this.#observe(world, now, ["jobs", "queries"]);
    await this.#compareViews(NOBODY, [], lastViews(world, this.watched));
  }

  /** Compares what depends on time, and what depends on the calls of some markets. */
  async #observe(world: World, now: number, markets: readonly ("jobs" | "queries")[]): Promise<void> {
    const grown = grownViews(world, now);
    if (markets.length === 0) await this.#compareViews(NOBODY, [], grown);
    for (const market of markets) {
      const fixed = fixedViews(world, market, this.watched, now);
      if (!this.#stored.has(PROGRAMS[market])) await this.#storeFixed(PROGRAMS[market], fixed);
      await this.#compareViews(PROGRAMS[market], fixed, market === markets[0] ? grown : []);
    }
  }

  /** Asks what `open` would say, at the time of the latest block. */
  async compareOffers(
    request: Request,
    spares: number,
    offers: readonly ModelOffer[],
    expected: readonly unknown[] | ModelError,
  ): Promise<void> {
    const { jobs } = this.cast;
    const args = abiArguments({ on: "jobs", name: "open", args: [request, spares, offers] });
    const data = this.#encode(jobs, "checkOffers", args);
    let answer: Hex;
    try {
      answer = (await this.#rpc("eth_call", { to: jobs, data, gas: GAS }, "latest")) as Hex;
    } catch (thrown) {
      if ("name" in expected) return this.#compareError(revertData(thrown), expected);
      throw new Disagreement(
        `checkOffers failed with ${this.#showError(revertData(thrown))}, expected ${show(expected)}`,
      );
    }
    if ("name" in expected) throw new Disagreement(`checkOffers answered, expected ${show(expected)}`);
    const item = this.#abis.get(jobs)?.find((each) => each.type === "function" && each.name === "checkOffers");
    equal("the answer of checkOffers", answer, encodeAbiParameters((item as AbiFunction).outputs, [expected]));
  }

  #rpc(method: string, ...params: unknown[]): Promise<unknown> {
    return this.#connection.provider.request({ method, params });
  }

  async #send(from: Address, to: Address, data: Hex, gas: string): Promise<{ logs: readonly Log[] } | { data: Hex }> {
    let hash: unknown;
    try {
      hash = await this.#rpc("eth_sendTransaction", { from, to, data, gas, gasPrice: GAS_PRICE });
    } catch (thrown) {
      return { data: revertData(thrown) };
    }
    return (await this.#rpc("eth_getTransactionReceipt", hash)) as { logs: readonly Log[] };
  }

  #transactionOf(sender: Address, call: Exclude<Call, { on: "code" }>, world: World) {
    const [to, data] = this.#callOf(call);
    const account = world.accounts.get(sender);
    if (account === undefined) return { from: sender, to, data };
    return { from: account.owner, to: sender, data: this.#encode(sender, "execute", [to, data]) };
  }

  #callOf(call: Exclude<Call, { on: "code" }>): readonly [Address, Hex] {
    switch (call.on) {
      case "account":
      case "callback":
        return [call.at, this.#encode(call.at, "behave", [call.manner])];
      case "verifier":
        return [call.at, this.#encode(call.at, "set", [call.manner])];
      case "token":
        return [call.token, this.#encode(call.token, call.name, call.args)];
      default: {
        const at = this.cast[call.on];
        if (call.name !== "multicall") return [at, this.#encode(at, call.name, abiArguments(call))];
        const calls = call.args[0].map((each) => this.#encode(at, each.name, abiArguments(each)));
        return [at, this.#encode(at, "multicall", [calls])];
      }
    }
  }

  #encode(at: Address, name: string, args: readonly unknown[]): Hex {
    const coder = this.#functions.get(`${at}/${name}`);
    if (coder === undefined) throw new Error(`no function ${name} at ${at}`);
    return `${coder.selector}${encodeAbiParameters(coder.inputs, args).slice(2)}`;
  }

  #encodeError({ name, args }: ModelError): Hex {
    if (name === undefined) return "0x";
    const coder = this.#errors.get(name);
    if (coder === undefined) throw new Error(`no error ${name}`);
    return `${coder.selector}${encodeAbiParameters(coder.inputs, args).slice(2)}`;
  }

  #compareError(data: Hex, expected: ModelError): void {
    const isOpen = expected.args.includes(ANYTHING);
    const found = isOpen ? this.#knownArguments(data, expected) : data;
    const encoded = isOpen ? show(expected) : this.#encodeError(expected);
    if (found !== encoded) throw new Disagreement(`failed with ${this.#showError(data)}, expected ${show(expected)}`);
  }

  /** An error in words, without the arguments that the model does not know. */
  #knownArguments(data: Hex, expected: ModelError): string {
    if (data === "0x") return show({});
    const { errorName, args = [] } = decodeErrorResult({ abi: this.#errorAbi, data });
    const known = args.map((value, index) => (expected.args[index] === ANYTHING ? ANYTHING : value));
    return show({ name: errorName, args: known });
  }

  #compareLogs(logs: readonly Log[], events: readonly ModelEvent[]): void {
    const found = logs.map(({ address, topics, data }) => [address.toLowerCase(), ...topics, data].join(" "));
    const expected = events.map((event) => this.#encodeEvent(event));
    for (let index = 0; index < Math.max(found.length, expected.length); index++) {
      if (found[index] === expected[index]) continue;
      const log = logs[index];
      throw new Disagreement(
        `event ${index} is ${log === undefined ? "missing" : this.#showLog(log)}, expected ${show(events[index] ?? "none")}`,
      );
    }
  }

  #encodeEvent({ at, name, args }: ModelEvent): string {
    const item = this.#abis.get(at)?.find((each) => each.type === "event" && each.name === name);
    if (item?.type !== "event") throw new Error(`no event ${name} at ${at}`);
    const topics: string[] = [toEventSelector(item)];
    const data: [AbiParameter, unknown][] = [];
    for (const input of item.inputs) {
      const value = args[input.name as string];
      if (input.indexed === true) topics.push(encodeAbiParameters([input], [value]));
      else data.push([input, value]);
    }
    const encoded = encodeAbiParameters(
      data.map(([input]) => input),
      data.map(([, value]) => value),
    );
    return [at, ...topics, encoded].join(" ");
  }

  /** Keeps a list of views as code: what is asked again and again is not sent each time. */
  async #storeFixed(program: Address, views: readonly View[]): Promise<void> {
    await this.#rpc("hardhat_setCode", program, `0x00${views.map((view) => this.#item(view)).join("")}`);
    this.#stored.add(program);
  }

  async #compareViews(program: Address, fixed: readonly View[], more: readonly View[]): Promise<void> {
    const data = `${program}${more.map((view) => this.#item(view)).join("")}`;
    const found = (await this.#rpc("eth_call", { to: this.#observer, data, gas: GAS }, "latest")) as Hex;
    const views = [...fixed, ...more];
    const answers = views.map((view) => this.#answerOf(view));
    const expected = `0x${answers.join("")}`;
    if (found === expected) return;
    let at = 2;
    for (const [index, { at: target, name, args, words, error }] of views.entries()) {
      const answer = answers[index] as string;
      const actual = found.slice(at, at + answer.length);
      if (actual !== answer) {
        const values = (text: string): string =>
          (text.slice(6).match(/.{1,64}/g) ?? []).map((each) => BigInt(`0x${each}`)).join(", ");
        throw new Disagreement(
          `${this.#nameOf(target)}.${name}(${show(args)}) is ${values(actual)}, expected ${values(answer)} (${show(error ?? words)})`,
        );
      }
      at += answer.length;
    }
    throw new Disagreement("the views answered more than was expected");
  }

  /** Target, length and calldata of a view. */
  #item(view: View): string {
    const { at, name, args, job } = view;
    let data: Hex;
    if (job !== undefined) data = this.#withTerms(at, name, job);
    else if (args.some((each) => typeof each === "object")) data = this.#encode(at, name, args);
    else {
      const key = `${at}/${name}/${args.join("/")}`;
      data = this.#viewData.get(key) ?? this.#encode(at, name, args);
      if (this.#viewData.size < 100_000) this.#viewData.set(key, data);
    }
    const length = (data.length - 2) / 2;
    return `${at.slice(2)}${length.toString(16).padStart(4, "0")}${data.slice(2)}`;
  }

  /** One item of what the observer returns: success, length, words or error. */
  #answerOf({ words, error }: View): string {
    const data = error === undefined ? words.map(wordOf).join("") : this.#encodeError(error).slice(2);
    return `${error === undefined ? "01" : "00"}${(data.length / 2).toString(16).padStart(4, "0")}${data}`;
  }

  #withTerms(at: Address, name: string, { jobId, terms }: Job): Hex {
    const known = this.#terms.get(terms) ?? this.#encode(at, name, [jobId, terms]);
    this.#terms.set(terms, known);
    return known;
  }

  #nameOf(address: Address): string {
    const { jobs, queries, tokens } = this.cast;
    return address === jobs ? "jobs" : address === queries ? "queries" : `token ${tokens.indexOf(address)}`;
  }

  #showError(data: Hex): string {
    if (data === "0x") return "no data";
    try {
      const { errorName, args } = decodeErrorResult({ abi: this.#errorAbi, data });
      return `${errorName}(${show(args ?? [])})`;
    } catch {
      return data;
    }
  }

  #showLog({ address, topics, data }: Log): string {
    const abi = this.#abis.get(address.toLowerCase() as Address) ?? [];
    try {
      const { eventName, args } = decodeEventLog({ abi, topics: [...topics] as [Hex, ...Hex[]], data });
      return `${String(eventName)} ${show(args)}`;
    } catch {
      return `${topics.join(" ")} ${data}`;
    }
  }
}

/** Where the lists of the fixed views lie. */
const PROGRAMS = {
  jobs: "0x00000000000000000000000000000000000d1ff0",
  queries: "0x00000000000000000000000000000000000d1ff1",
} as const;
/** The observer of an address without code has nothing to add to what it is given. */
const NOBODY: Address = "0x00000000000000000000000000000000000d1ff2";

function abiArguments(call: MarketCall): readonly unknown[] {
  switch (call.name) {
    case "open": {
      const [request, spares, offers] = call.args;
      return [request, spares, offers.map(raw)];
    }
    case "commitBySig": {
      const [jobId, terms, items] = call.args;
      return [jobId, terms, items.map(raw)];
    }
    case "revealSet": {
      const [jobId, terms, landed, closed, openings, signatures] = call.args;
      const packed = signatures.map(({ raw: hex }) => ({ r: hex.slice(0, 66), vs: `0x${hex.slice(66)}` }));
      return [jobId, terms, landed, closed, openings, packed];
    }
    case "ask": {
      const [quote, signature] = call.args;
      return [quote, signature.raw];
    }
    case "depositWithPermit": {
      const [token, account, amount, deadline, { raw: hex }] = call.args;
      const v = Number.parseInt(hex.slice(130, 132), 16);
      return [token, account, amount, deadline, v, hex.slice(0, 66), `0x${hex.slice(66, 130)}`];
    }
    default:
      return call.args;
  }
}

function raw<Item extends { readonly signature: Signature }>(item: Item): Omit<Item, "signature"> & { signature: Hex } {
  return { ...item, signature: item.signature.raw };
}

function wordOf(value: Word): string {
  if (typeof value !== "string") return BigInt(value).toString(16).padStart(64, "0");
  const hex = value.slice(2);
  return hex.length === 40 ? hex.padStart(64, "0") : hex.padEnd(64, "0");
}

/** What a call returns; through an account it is wrapped as bytes. */
function returned(answer: Hex, isWrapped: boolean): string {
  return isWrapped ? `0x${answer.slice(2 + 128)}` : answer;
}

function equal(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Disagreement(`${what} is ${show(found)}, expected ${show(expected)}`);
}

/** Values as a person reads them: long hex is cut, signatures are who signed. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "bigint" || typeof each === "symbol") return String(each);
    if (each instanceof Map || each instanceof Set) return [...each];
    if (typeof each === "string" && /^0x[0-9a-f]{50,}$/.test(each)) return `${each.slice(0, 10)}…`;
    if (typeof each === "object" && each !== null && "raw" in each && "by" in each) return `by ${String(each.by)}`;
    return each;
  });
}

function revertData(thrown: unknown): Hex {
  for (let at = thrown; typeof at === "object" && at !== null; at = (at as { cause?: unknown }).cause) {
    const { data } = at as { data?: unknown };
    if (typeof data === "string") return data as Hex;
    if (typeof data === "object" && data !== null && "data" in data) return (data as { data: Hex }).data;
  }
  throw thrown;
}
