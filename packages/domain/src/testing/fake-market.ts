/** The query market as far as an agent sees it, on a chain that moves only when told. Used by tests only. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { queryMarketAbi } from "@quorate/abi";
import type { Batch, FollowedBlock, RawLog } from "@quorate/chain";
import { type Address, type Hex, type MarketDomain, type Quote, quoteDigest } from "@quorate/core";
import { decodeState, encodeState, type Intent, type Outbox, type OutboxItem } from "@quorate/service";
import { decodeFunctionData, encodeAbiParameters, encodeEventTopics, keccak256, toHex, zeroAddress } from "viem";
import type { ChainReader } from "../internal/chain-reader.ts";
import type { State } from "../internal/context.ts";

type Asked = { quote: Quote; deadline: number; status: "pending" | "answered" | "expired"; cipher?: bigint };
type Stored = { blocks: FollowedBlock[]; time: number; questions: Map<string, Asked>; nullifiers: Set<bigint> };

/** A call that the contract refuses. */
export class Reverted extends Error {
  readonly errorName: string;
  constructor(errorName: string) {
    super(errorName);
    this.errorName = errorName;
  }
}

const hashOf = (number: number, fork: number): Hex => keccak256(toHex(`block ${number} of fork ${fork}`));

/** A fake chain with one query market; with a file, it outlives its process. */
export class FakeMarket {
  readonly domain: MarketDomain;
  readonly #file: string | undefined;
  #state: Stored;
  #fork = 0;
  /** Grace of every dataset, seconds. */
  graceS = 3_600;
  /** Free balance of everybody. */
  free: bigint = 10n ** 18n;
  provider: Address = zeroAddress;

  constructor(domain: MarketDomain, startS: number, file?: string) {
    this.domain = domain;
    this.#file = file;
    this.#state =
      file !== undefined && existsSync(file)
        ? (decodeState(readFileSync(file, "utf8")) as Stored)
        : { blocks: [], time: startS, questions: new Map(), nullifiers: new Set() };
  }

  get time(): number {
    return this.#state.time;
  }

  questions(): readonly Asked[] {
    return [...this.#state.questions.values()];
  }

  statusOf(quote: Quote): Asked | undefined {
    return this.#state.questions.get(quote.query.toString());
  }

  useNullifier(nullifier: bigint): void {
    this.#state.nullifiers.add(nullifier);
  }

  /** Adds a block. */
  mine(logs: readonly Pick<RawLog, "topics" | "data">[] = [], seconds = 2): void {
    const state = this.#state;
    state.time += seconds;
    const number = state.blocks.length;
    const hash = hashOf(number, this.#fork);
    state.blocks.push({
      number,
      hash,
      parentHash: state.blocks.at(-1)?.hash ?? hashOf(-1, 0),
      timestamp: state.time,
      logs: logs.map((log, logIndex) => ({
        address: this.domain.market,
        ...log,
        blockNumber: number,
        blockHash: hash,
        transactionHash: hash,
        transactionIndex: 0,
        logIndex,
      })),
    });
    this.#save();
  }

  /** Takes back blocks; what their events did to the contract stays undone by the caller. */
  reorganize(blocks: number): void {
    this.#state.blocks.splice(-blocks);
    this.#fork += 1;
  }

  /** Blocks after a number, as the follower brings them. */
  batch(after: number, confirmations: number, rollback?: Batch["rollback"]): Batch {
    const { blocks } = this.#state;
    const head = blocks.at(-1) as FollowedBlock;
    const finalTo = head.number - confirmations;
    return {
      ...(rollback === undefined ? {} : { rollback }),
      blocks: blocks.slice(after + 1),
      head,
      finalTo,
      final: head.number <= finalTo,
      caughtUp: true,
    };
  }

  /** An asker asks. */
  ask(quote: Quote): void {
    if (this.#state.questions.has(quote.query.toString())) throw new Reverted("AlreadyAsked");
    if (this.#state.time >= quote.expiry) throw new Reverted("QuoteExpired");
    const deadline = this.#state.time + quote.window;
    this.#state.questions.set(quote.query.toString(), { quote, deadline, status: "pending" });
    const { args, abi } = this.#event(quote);
    const data = encodeAbiParameters(abi("QuestionAsked"), [quote, deadline]);
    this.mine([
      { topics: encodeEventTopics({ abi: queryMarketAbi, eventName: "QuestionAsked", args }) as Hex[], data },
    ]);
  }

  #event(quote: Quote): {
    args: { id: Hex; provider: Address; asker: Address };
    abi: (name: string) => readonly { type: string }[];
  } {
    return {
      args: { id: quoteDigest(quote, this.domain), provider: quote.provider, asker: quote.asker },
      abi: (name) => {
        const event = queryMarketAbi.find((item) => item.type === "event" && item.name === name);
        return (event?.type === "event" ? event.inputs : []).filter(({ indexed }) => indexed !== true);
      },
    };
  }

  /** Executes a call as the contract would, as far as the agent can tell; `simulate` changes nothing. */
  execute(data: Hex, simulate = false): void {
    const { functionName, args } = decodeFunctionData({ abi: queryMarketAbi, data });
    const logs: Pick<RawLog, "topics" | "data">[] = [];
    const answer = (quote: Quote, cipher: bigint, nullifier: bigint, skip: boolean): void => {
      const asked = this.statusOf(quote);
      const fault =
        asked?.status !== "pending"
          ? "QuestionNotPending"
          : this.#state.time > asked.deadline
            ? "AnswerTooLate"
            : this.#state.nullifiers.has(nullifier)
              ? "NullifierUsed"
              : undefined;
      if (fault !== undefined && skip) return;
      if (fault !== undefined || asked === undefined) throw new Reverted(fault ?? "QuestionNotPending");
      if (simulate) return;
      Object.assign(asked, { status: "answered", cipher });
      this.#state.nullifiers.add(nullifier);
      const event = this.#event(quote);
      logs.push({
        topics: encodeEventTopics({ abi: queryMarketAbi, eventName: "QuestionAnswered", args: event.args }) as Hex[],
        data: encodeAbiParameters(event.abi("QuestionAnswered"), [quote.query, cipher, nullifier]),
      });
    };
    switch (functionName) {
      case "publishRoot": {
        const [dataset, root] = args;
        logs.push({
          topics: encodeEventTopics({
            abi: queryMarketAbi,
            eventName: "RootPublished",
            args: { dataset, root },
          }) as Hex[],
          data: "0x",
        });
        break;
      }
      case "answer":
        answer(args[0], args[1], args[2], false);
        break;
      case "answerBatch":
        for (const item of args[0]) answer(item.quote, item.cipher, item.nullifier, true);
        break;
      case "expire": {
        const [quote] = args;
        const asked = this.statusOf(quote);
        if (asked?.status !== "pending") throw new Reverted("QuestionNotPending");
        if (simulate) return;
        asked.status = "expired";
        const event = this.#event(quote);
        logs.push({
          topics: encodeEventTopics({ abi: queryMarketAbi, eventName: "QuestionExpired", args: event.args }) as Hex[],
          data: encodeAbiParameters(event.abi("QuestionExpired"), [quote.query, true]),
        });
        break;
      }
      default:
        throw new Error(`the agent never calls ${functionName}`);
    }
    if (!simulate) this.mine(logs);
  }

  #save(): void {
    if (this.#file === undefined) return;
    writeFileSync(`${this.#file}.new`, encodeState(this.#state));
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** What an agent reads. */
  reader(signers: ReadonlyMap<Address, (digest: Hex, signature: Hex) => Promise<boolean>>): ChainReader {
    return {
      dataset: async () => ({ provider: this.provider, graceS: this.graceS, publisher: zeroAddress }),
      codeHash: async (verifier) => keccak256(verifier),
      free: async () => this.free,
      authorization: async () => ({ maxBond: 2n ** 96n, minWindow: 0, validUntil: 2 ** 40 }),
      isUsed: async (_, nullifier) => this.#state.nullifiers.has(nullifier),
      isSigned: async (account, digest, signature) => (await signers.get(account)?.(digest, signature)) ?? false,
      gasBalance: async () => 1n,
    };
  }
}

/** An outbox that keeps intents in the agent's database, as the real one does, and sends only when told. */
export type FakeOutbox = Pick<Outbox, "enqueue" | "status"> & {
  /** Sends what waits, oldest first. */
  deliver(market: FakeMarket): number;
  intents(): readonly OutboxItem[];
};

/**
 * Makes an outbox in a state.
 *
 * @param state State of the agent.
 */
export function fakeOutbox({ db }: State): FakeOutbox {
  db.exec("CREATE TABLE IF NOT EXISTS fake_outbox (key TEXT PRIMARY KEY, item TEXT NOT NULL) STRICT");
  const insert = db.prepare("INSERT INTO fake_outbox VALUES (?, ?)");
  const update = db.prepare("UPDATE fake_outbox SET item = ? WHERE key = ?");
  const select = db.prepare("SELECT item FROM fake_outbox WHERE key = ?");
  const all = db.prepare("SELECT item FROM fake_outbox ORDER BY rowid");
  const read = (row: Record<string, unknown> | undefined): OutboxItem | undefined =>
    row === undefined ? undefined : (decodeState(row.item as string) as OutboxItem);
  const intents = (): readonly OutboxItem[] => all.all().map((row) => read(row) as OutboxItem);
  return {
    enqueue(intent: Intent) {
      const known = read(select.get(intent.key));
      if (known !== undefined) {
        if (known.data !== intent.data) throw new Error(`the key ${intent.key} is taken by another call`);
        return known;
      }
      const item: OutboxItem = { ...intent, id: 0, status: "queued", hashes: [], createdAt: 0, updatedAt: 0 };
      insert.run(intent.key, encodeState(item));
      return item;
    },
    status: (key) => read(select.get(key)),
    intents,
    deliver(market) {
      const waiting = intents().filter(({ status }) => status === "queued");
      for (const item of waiting) {
        let next: OutboxItem;
        if (item.validUntil !== undefined && market.time > item.validUntil) {
          next = { ...item, status: "abandoned", reason: { code: "EXPIRED", message: "too late" } };
        } else {
          try {
            market.execute(item.data);
            next = { ...item, status: "mined", blockNumber: market.batch(-1, 0).head.number };
          } catch (error) {
            if (!(error instanceof Reverted)) throw error;
            const { errorName } = error;
            next = {
              ...item,
              status: "abandoned",
              reason: { code: "SIMULATION_REVERTED", message: errorName, errorName },
            };
          }
        }
        update.run(encodeState(next), item.key);
      }
      return waiting.length;
    },
  };
}
