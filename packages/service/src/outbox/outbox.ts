import { sleep } from "@quorate/chain";
import { afterCommit, inTransaction } from "@quorate/chain/sqlite";
import {
  type Clock,
  FatalError,
  type Logger,
  QuorateError,
  RetryableError,
  silentLogger,
  systemClock,
} from "@quorate/core";
import { type Hex, hexToBigInt, keccak256, numberToHex, type TransactionReceipt } from "viem";
import { type Answer, askAll, type ChainHead, Endpoint, type EndpointView, type ReceiptView } from "./endpoints.ts";
import { judgeBroadcast, revertData } from "./failures.ts";
import { planFees } from "./fees.ts";
import { explainRevert } from "./revert.ts";
import { createOutboxStore, type OutboxStore, type StoredItem, type StoredTransaction } from "./store.ts";
import type {
  Intent,
  Outbox,
  OutboxItem,
  OutboxOptions,
  OutboxPolicy,
  OutboxReason,
  OutboxResult,
  OutboxStep,
} from "./types.ts";

/** The chain as one pass of the outbox sees it. */
type Pass = {
  readonly views: readonly EndpointView[];
  /** Newest head among the endpoints. */
  readonly head: ChainHead;
  /** Transactions of the key in blocks, by enough endpoints. */
  readonly nonce: number;
  readonly signal: AbortSignal;
};

const finalStatuses = new Set(["mined", "reverted", "abandoned"]);
/** Rounds in which every endpoint must refuse a simulation before the call is given up: one may just be late. */
const simulationRounds = 3;
/** Passes over which a nonce must be seen as used by a stranger before the call gets a new one. */
const strangerRounds = 3;
/** Most transactions in flight; nodes keep a limited number for each account. */
const maxInFlight = 16;

/**
 * Makes the outbox of one key on one chain. It does nothing before `run` or `tick`.
 *
 * @param options Database, endpoints, account, policy.
 * @throws `OUTBOX_CONFIG`.
 */
export function createOutbox(options: OutboxOptions): Outbox {
  return new TransactionOutbox(options);
}

class TransactionOutbox implements Outbox {
  readonly address: Hex;
  readonly #options: OutboxOptions;
  readonly #policy: Required<OutboxPolicy>;
  readonly #endpoints: readonly Endpoint[];
  readonly #store: OutboxStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #simulations = new Map<number, number>();
  readonly #strangers = new Map<number, number>();
  /** Since when the lowest open nonce is next in line; bumping counts from there. */
  #frontNonce: { nonce: number; since: number } | undefined;
  #wake: (() => void) | undefined;
  /** Something was submitted that no pass has looked at. */
  #dirty = false;
  #ticking: Promise<void> | undefined;
  #running = false;
  #lastError: QuorateError | undefined;

  constructor(options: OutboxOptions) {
    const { clients, policy } = options;
    this.#options = options;
    this.#policy = {
      confirmations: 12,
      bumpAfterMs: 30_000,
      rebroadcastMs: 15_000,
      pollIntervalMs: 1000,
      requestTimeoutMs: 10_000,
      maxPriorityFee: 2_000_000_000n,
      agreement: clients.length >= 3 ? 2 : 1,
      ...policy,
    };
    if (clients.length < this.#policy.agreement || this.#policy.agreement < 1)
      throw new FatalError(
        "OUTBOX_CONFIG",
        `${this.#policy.agreement} endpoints must agree, but ${clients.length} are given.`,
      );
    if (this.#policy.maxFeeCap <= 0n)
      throw new FatalError("OUTBOX_CONFIG", "maxFeeCap must be above zero, in wei per gas.");
    this.address = options.account.address;
    this.#endpoints = clients.map((client, index) => new Endpoint(client, index, this.#policy.requestTimeoutMs));
    this.#store = createOutboxStore(options.db, options.chainId, this.address);
    this.#clock = options.clock ?? systemClock;
    this.#logger = (options.logger ?? silentLogger).child({ outbox: this.address });
  }

  enqueue(intent: Intent): OutboxItem {
    const { item, created } = this.#store.add(intent, this.#clock.now());
    if (created) {
      afterCommit(this.#options.db, () => {
        this.#logger.info("outbox.queued", { key: item.key, to: item.to });
        this.#step("intent-stored", item);
        this.#dirty = true;
        this.#wake?.();
      });
    }
    return item;
  }

  async submit(intent: Intent): Promise<OutboxItem> {
    return this.enqueue(intent);
  }

  status(key: string): OutboxItem | undefined {
    return this.#store.byKey(key);
  }

  pending(): OutboxItem[] {
    return this.#store.open();
  }

  lastError(): QuorateError | undefined {
    return this.#lastError;
  }

  async wait(key: string, signal: AbortSignal): Promise<OutboxResult> {
    for (;;) {
      signal.throwIfAborted();
      const item = this.#store.byKey(key);
      if (item === undefined)
        throw new FatalError("OUTBOX_UNKNOWN_KEY", `Nothing was submitted under the key ${key}.`, { details: { key } });
      if (item.status === "mined" || item.status === "reverted" || item.status === "abandoned") {
        const receipt = item.minedHash === undefined ? undefined : await this.#fullReceipt(item.minedHash, signal);
        return {
          status: item.status,
          item,
          ...(receipt === undefined ? {} : { receipt }),
          ...(item.reason === undefined ? {} : { reason: item.reason }),
        };
      }
      await new Promise<void>((resolve) => {
        const waiters = this.#waiting.get(key) ?? new Set();
        this.#waiting.set(key, waiters);
        const done = (): void => {
          waiters.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        waiters.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new FatalError("OUTBOX_CONFIG", "This outbox is already running; one writer a key.");
    this.#running = true;
    let failures = 0;
    try {
      while (!signal.aborted) {
        try {
          this.#dirty = false;
          await this.tick(signal);
          failures = 0;
        } catch (error) {
          if (signal.aborted) break;
          if (!(error instanceof RetryableError)) throw error;
          failures += 1;
        }
        if (this.#dirty && failures === 0) continue;
        const waitMs =
          Math.min(30_000, this.#policy.pollIntervalMs * 2 ** Math.min(failures, 8)) * (0.9 + Math.random() * 0.2);
        const woken = new AbortController();
        this.#wake = () => woken.abort();
        await (this.#options.sleep ?? sleep)(waitMs, AbortSignal.any([signal, woken.signal]));
        this.#wake = undefined;
      }
    } finally {
      this.#running = false;
    }
  }

  async tick(signal: AbortSignal = new AbortController().signal): Promise<void> {
    // One pass at a time, whoever asks.
    while (this.#ticking !== undefined) await this.#ticking.catch(() => {});
    this.#ticking = this.#pass(signal);
    try {
      await this.#ticking;
      this.#lastError = undefined;
    } catch (error) {
      if (!signal.aborted) {
        this.#lastError =
          error instanceof QuorateError
            ? error
            : new RetryableError("OUTBOX_FAILED", "The outbox could not finish a pass.", { cause: error });
        this.#logger.warn("outbox.pass-failed", { error });
      }
      throw error;
    } finally {
      this.#ticking = undefined;
    }
  }

  #step(step: OutboxStep, item: OutboxItem): void {
    this.#logger.debug(`outbox.${step}`, { key: item.key, nonce: item.nonce });
    this.#options.onStep?.(step, item);
  }

  // ——— one pass ———

  async #pass(signal: AbortSignal): Promise<void> {
    if (this.#store.open().length === 0) return;
    const pass = await this.#look(signal);
    await this.#healGap(pass);
    for (const item of this.#store.open()) {
      signal.throwIfAborted();
      // Fresh from disk: an earlier item of this pass may have changed it.
      await this.#advance(this.#store.byId(item.id), pass);
    }
  }

  /** Reads head and transaction count of every endpoint. */
  async #look(signal: AbortSignal): Promise<Pass> {
    const awake = this.#endpoints.filter((endpoint) => endpoint.restUntil <= this.#clock.now());
    const asked = awake.length >= this.#policy.agreement ? awake : this.#endpoints;
    const answers = await askAll(asked, signal, this.#logger, (endpoint) =>
      endpoint.view(this.#options.chainId, this.address, signal),
    );
    const views = answers.flatMap((answer) => ("value" in answer ? [answer.value] : []));
    for (const answer of answers) answer.endpoint.rest("error" in answer, this.#clock.now());
    if (views.length < this.#policy.agreement) {
      const cause = answers.find((answer) => "error" in answer);
      throw new RetryableError(
        "SOURCE_UNAVAILABLE",
        `${views.length} of ${this.#endpoints.length} endpoints answer, ${this.#policy.agreement} must. Transactions wait; check the RPC URLs.`,
        { cause: cause !== undefined && "error" in cause ? cause.error : undefined },
      );
    }
    // The count that `agreement` endpoints have reached: one that runs ahead or lies does not move it alone.
    const nonces = views.map((view) => view.nonce).sort((a, b) => b - a);
    const heads = views.map((view) => view.head).sort((a, b) => b.number - a.number);
    return {
      views,
      head: heads[this.#policy.agreement - 1] as ChainHead,
      nonce: nonces[this.#policy.agreement - 1] as number,
      signal,
    };
  }

  /**
   * A reorganisation deeper than the confirmations can take back transactions that were final here; later nonces would
   * wait for ever. The stored ones are sent again; a nonce that nobody here ever signed is used up by a transfer of nothing.
   */
  async #healGap(pass: Pass): Promise<void> {
    const held = this.#store.open().flatMap((item) => (item.nonce === undefined ? [] : [item.nonce]));
    const lowest = Math.min(...held);
    // By the most advanced endpoint: one that lags shows a gap where there is none.
    const reached = Math.max(...pass.views.map((view) => view.nonce));
    if (held.length === 0 || reached >= lowest) return;
    for (let nonce = reached; nonce < lowest; nonce += 1) {
      const known = this.#store.byNonce(nonce);
      this.#logger.warn("outbox.nonce-gap", { nonce, known: known.length });
      if (known.length > 0) await this.#send(known, pass);
      else {
        const { item, created } = this.#store.add(
          { key: `quorate:fill-nonce:${nonce}`, to: this.address, data: "0x", gas: 21_000n },
          this.#clock.now(),
        );
        if (created) this.#store.change(item.id, { nonce, status: "assigned" }, this.#clock.now());
      }
    }
  }

  async #advance(start: StoredItem, pass: Pass): Promise<void> {
    let item = start;
    if (item.status === "queued") {
      const planned = await this.#plan(item, pass);
      if (planned === undefined) return;
      item = planned;
    }
    if (item.status === "assigned") {
      const signed = await this.#sign(item, pass, this.#expired(item, pass) ? "cancel" : "call");
      if (signed === undefined) return;
      item = signed;
    }
    await this.#track(item, pass);
  }

  #expired(item: StoredItem, pass: Pass): boolean {
    return item.validUntil !== undefined && pass.head.timestamp >= item.validUntil;
  }

  /** Simulates where asked, finds the gas limit, assigns the nonce. */
  async #plan(item: StoredItem, pass: Pass): Promise<StoredItem | undefined> {
    if (this.#expired(item, pass)) {
      const reason = { code: "EXPIRED", message: `Chain time reached ${item.validUntil} before the call was signed.` };
      this.#finish(item, "abandoned", reason);
      return undefined;
    }
    if (this.#store.open().filter((other) => other.nonce !== undefined).length >= maxInFlight) return undefined;
    let gasLimit = item.gas;
    if (item.simulate === true || gasLimit === undefined) {
      const simulated = await this.#simulate(item, pass);
      if (simulated === undefined) return undefined;
      gasLimit ??= simulated;
    }
    const now = this.#clock.now();
    const assigned = inTransaction(this.#options.db, () => {
      this.#store.change(item.id, gasLimit === undefined ? {} : { gasLimit }, now);
      return this.#store.assignNonce(item.id, pass.nonce, now);
    });
    this.#step("nonce-stored", assigned);
    return assigned;
  }

  /** @returns Gas limit, or `undefined` when the item waits or was given up. */
  async #simulate(item: StoredItem, pass: Pass): Promise<bigint | undefined> {
    const call = {
      from: this.address,
      to: item.to,
      data: item.data,
      value: numberToHex(item.value ?? 0n),
      ...(item.gas === undefined ? {} : { gas: numberToHex(item.gas) }),
    };
    const method = item.gas === undefined ? "eth_estimateGas" : "eth_call";
    const params = method === "eth_call" ? [call, "latest"] : [call];
    let reverted: Hex | undefined;
    for (const { endpoint } of pass.views) {
      try {
        const answer = await endpoint.request<Hex>(method, params, pass.signal);
        this.#simulations.delete(item.id);
        // A fifth more than estimated: state moves between estimate and block.
        return method === "eth_call" ? item.gas : (hexToBigInt(answer) * 6n) / 5n;
      } catch (error) {
        pass.signal.throwIfAborted();
        if (judgeBroadcast(error) === "insufficient-funds")
          this.#problem(item, {
            code: "INSUFFICIENT_FUNDS",
            message: `${this.address} cannot pay for the call. Send it native coins.`,
          });
        else reverted = revertData(error) ?? reverted;
      }
    }
    if (reverted === undefined) return undefined;
    const rounds = (this.#simulations.get(item.id) ?? 0) + 1;
    this.#simulations.set(item.id, rounds);
    const reason = explainRevert("SIMULATION_REVERTED", reverted, this.#options.abi);
    if (rounds < simulationRounds) {
      this.#problem(item, reason);
      return undefined;
    }
    this.#simulations.delete(item.id);
    this.#finish(item, "abandoned", reason);
    return undefined;
  }

  /** Signs and stores; the next line that could broadcast comes after the raw transaction is on disk. */
  async #sign(item: StoredItem, pass: Pass, kind: "call" | "cancel"): Promise<StoredItem | undefined> {
    const nonce = item.nonce as number;
    const { baseFee } = pass.head;
    if (baseFee === undefined) {
      this.#problem(item, {
        code: "NO_BASE_FEE",
        message: "The chain has no base fee (EIP-1559); this outbox cannot price transactions there.",
      });
      return undefined;
    }
    const earlier = this.#store.transactions(item.id, nonce);
    const previous = earlier.reduce<{ maxFee: bigint; priorityFee: bigint } | undefined>(
      (most, each) => ({
        maxFee: most === undefined || each.maxFee > most.maxFee ? each.maxFee : most.maxFee,
        priorityFee: most === undefined || each.priorityFee > most.priorityFee ? each.priorityFee : most.priorityFee,
      }),
      undefined,
    );
    const fees = planFees({
      baseFee,
      suggested: await this.#suggestedPriority(pass),
      cap: this.#policy.maxFeeCap,
      maxPriorityFee: this.#policy.maxPriorityFee,
      ...(previous === undefined ? {} : { previous }),
    });
    if (fees === undefined) {
      this.#problem(item, {
        code: "FEE_CAP_REACHED",
        message: `The base fee is ${baseFee} wei; nothing more can be signed below the cap of ${this.#policy.maxFeeCap}. Raise maxFeeCap or wait.`,
      });
      return undefined;
    }
    const target =
      kind === "call"
        ? { to: item.to, data: item.data, value: item.value ?? 0n }
        : { to: this.address, data: "0x" as const, value: 0n };
    const raw = await this.#options.account.signTransaction({
      type: "eip1559",
      chainId: this.#options.chainId,
      nonce,
      gas: kind === "call" ? (item.gasLimit ?? item.gas ?? 21_000n) : 21_000n,
      maxFeePerGas: fees.maxFee,
      maxPriorityFeePerGas: fees.priorityFee,
      ...target,
    });
    const now = this.#clock.now();
    const stored = this.#store.addTransaction(
      { hash: keccak256(raw), itemId: item.id, nonce, kind, raw, ...fees, signedAt: now, sentAt: undefined },
      now,
    );
    this.#logger.info("outbox.signed", {
      key: item.key,
      nonce,
      kind,
      maxFee: fees.maxFee,
      replacement: earlier.length,
    });
    this.#step("raw-stored", stored);
    return stored;
  }

  async #suggestedPriority(pass: Pass): Promise<bigint> {
    for (const { endpoint } of pass.views) {
      try {
        return hexToBigInt(await endpoint.request<Hex>("eth_maxPriorityFeePerGas", [], pass.signal));
      } catch {
        pass.signal.throwIfAborted();
      }
    }
    return this.#policy.maxPriorityFee;
  }

  /** Follows a signed item: looks for receipts, sends again, replaces, cancels. */
  async #track(item: StoredItem, pass: Pass): Promise<void> {
    const nonce = item.nonce as number;
    const transactions = this.#store.transactions(item.id, nonce);
    if (pass.nonce > nonce || item.minedHash !== undefined) {
      if (await this.#settle(item, transactions, pass)) return;
      if (pass.nonce > nonce) return;
    }
    const current = this.#store.byId(item.id);
    await this.#push(current, transactions, pass);
  }

  /** Looks for a receipt of any of the signed transactions. Returns true when the item needs nothing more in this pass. */
  async #settle(item: StoredItem, transactions: readonly StoredTransaction[], pass: Pass): Promise<boolean> {
    const endpoints = pass.views.map((view) => view.endpoint);
    const found: { view: EndpointView; receipt: ReceiptView; kind: "call" | "cancel" }[] = [];
    let silent = 0;
    // Newest first: it is the likeliest.
    for (const { hash, kind } of [...transactions].reverse()) {
      const answers = await askAll(endpoints, pass.signal, this.#logger, (endpoint) =>
        endpoint.receipt(hash, pass.signal),
      );
      for (const answer of answers) {
        if ("error" in answer) silent += 1;
        else if (answer.value !== undefined) {
          const view = pass.views.find((each) => each.endpoint === answer.endpoint) as EndpointView;
          found.push({ view, receipt: answer.value, kind });
        }
      }
      if (found.length > 0) break;
    }
    // The block that most endpoints name, so that one liar cannot hold the item up; the newer one among equals.
    const support = (each: (typeof found)[number]): number =>
      found.filter((other) => other.receipt.blockHash === each.receipt.blockHash).length;
    const [best] = found.sort((a, b) => support(b) - support(a) || b.receipt.blockNumber - a.receipt.blockNumber);
    if (best === undefined) {
      if (item.minedHash !== undefined) {
        if (silent > 0) return true;
        this.#logger.warn("outbox.taken-back", { key: item.key, hash: item.minedHash, blockNumber: item.blockNumber });
        this.#store.change(
          item.id,
          { status: "broadcast", minedHash: null, blockNumber: null, blockHash: null, gasUsed: null },
          this.#clock.now(),
        );
        // Every endpoint gets it again at once.
        if (pass.nonce <= (item.nonce as number)) await this.#send(transactions, pass);
        return true;
      }
      return await this.#stranger(item, transactions, silent, pass);
    }
    this.#strangers.delete(item.id);
    const { receipt, kind } = best;
    let current = item;
    if (item.minedHash !== receipt.hash || item.blockHash !== receipt.blockHash) {
      const { hash: minedHash, blockNumber, blockHash, gasUsed } = receipt;
      current = this.#store.change(
        item.id,
        { status: "included", minedHash, blockNumber, blockHash, gasUsed, problem: null },
        this.#clock.now(),
      );
      this.#step("receipt-stored", current);
    }
    const deep = found.filter(
      (each) =>
        each.receipt.blockHash === receipt.blockHash &&
        each.view.head.number - each.receipt.blockNumber >= this.#policy.confirmations,
    );
    if (deep.length < this.#policy.agreement) return true;
    if (kind === "cancel")
      this.#finish(current, "abandoned", {
        code: "EXPIRED",
        message: `Chain time passed ${item.validUntil}; the nonce was used up by a cancelling transfer.`,
      });
    else if (receipt.succeeded) this.#finish(current, "mined", undefined);
    else this.#finish(current, "reverted", await this.#explain(current, receipt, pass));
    return true;
  }

  /**
   * The nonce is used, and no endpoint knows a receipt of ours: somebody else signs with this key, or receipts lag.
   * Only when it stays so, deep enough for finality and by every endpoint's word, the call gets another nonce.
   */
  async #stranger(
    item: StoredItem,
    transactions: readonly StoredTransaction[],
    silent: number,
    pass: Pass,
  ): Promise<boolean> {
    const depth = Math.max(1, this.#policy.confirmations);
    const answers = await askAll(
      pass.views.map((view) => view.endpoint),
      pass.signal,
      this.#logger,
      async (endpoint): Promise<boolean> => {
        const view = pass.views.find((each) => each.endpoint === endpoint) as EndpointView;
        if (view.head.number < depth) return false;
        const then = await endpoint.request<Hex>(
          "eth_getTransactionCount",
          [this.address, numberToHex(view.head.number - depth)],
          pass.signal,
        );
        if (Number(then) <= (item.nonce as number)) return false;
        for (const { hash } of transactions) {
          if ((await endpoint.request<unknown>("eth_getTransactionByHash", [hash], pass.signal)) !== null) return false;
        }
        return true;
      },
    );
    const sure =
      silent === 0 &&
      answers.length === this.#endpoints.length &&
      answers.every((answer: Answer<boolean>) => "value" in answer && answer.value);
    const rounds = sure ? (this.#strangers.get(item.id) ?? 0) + 1 : 0;
    this.#strangers.set(item.id, rounds);
    if (rounds < strangerRounds) {
      this.#problem(item, {
        code: "NONCE_USED",
        message: `Nonce ${item.nonce} is used, and no endpoint shows by which of our transactions yet. It may be another program with this key.`,
      });
      return true;
    }
    this.#strangers.delete(item.id);
    this.#logger.error("outbox.nonce-taken", { key: item.key, nonce: item.nonce });
    this.#store.change(
      item.id,
      {
        status: "queued",
        nonce: null,
        problem: {
          code: "NONCE_TAKEN",
          message: `Another program used nonce ${item.nonce} of ${this.address}. The call gets a new nonce; let only one program send with this key.`,
        },
      },
      this.#clock.now(),
    );
    return true;
  }

  /** Hands the item to the endpoints, with a higher fee or as a cancellation when it is time. */
  async #push(item: StoredItem, known: readonly StoredTransaction[], pass: Pass): Promise<void> {
    const now = this.#clock.now();
    const nonce = item.nonce as number;
    let transactions = known;
    const isFront = pass.nonce === nonce;
    if (isFront && this.#frontNonce?.nonce !== nonce) this.#frontNonce = { nonce, since: now };
    const newest = transactions.at(-1) as StoredTransaction;
    const due = newest.sentAt === undefined || now - newest.sentAt >= this.#policy.rebroadcastMs;
    const waitedMs = now - Math.max(newest.signedAt, this.#frontNonce?.since ?? now);
    const cancel = newest.kind === "call" && this.#expired(item, pass);
    const bump = isFront && newest.sentAt !== undefined && waitedMs >= this.#policy.bumpAfterMs;
    if (cancel || bump) {
      const signed = await this.#sign(item, pass, cancel ? "cancel" : newest.kind);
      if (signed !== undefined) transactions = this.#store.transactions(item.id, nonce);
      else if (!due) return;
    } else if (!due) return;
    const verdict = await this.#send(transactions, pass);
    if (verdict === "underpriced" && isFront && !bump && !cancel) {
      // Below what the node's pool takes, or an unknown transaction of this key holds the nonce: offer more at once.
      const signed = await this.#sign(this.#store.byId(item.id), pass, newest.kind);
      if (signed !== undefined) await this.#send(this.#store.transactions(item.id, nonce), pass);
    }
  }

  /** Broadcasts to every endpoint, the newest first, older ones where that one is refused. */
  async #send(transactions: readonly StoredTransaction[], pass: Pass): Promise<"sent" | "underpriced" | "refused"> {
    const newest = transactions.at(-1) as StoredTransaction;
    const verdicts = await Promise.all(
      pass.views.map(async ({ endpoint }) => {
        let last: ReturnType<typeof judgeBroadcast> = "unknown";
        for (const { raw, hash } of [...transactions].reverse()) {
          try {
            await endpoint.request("eth_sendRawTransaction", [raw], pass.signal);
            return "accepted" as const;
          } catch (error) {
            pass.signal.throwIfAborted();
            const verdict = judgeBroadcast(error);
            this.#logger.debug("outbox.broadcast-answer", { endpoint: endpoint.name, hash, verdict, error });
            if (verdict !== "insufficient-funds" && verdict !== "underpriced") return verdict;
            if (last === "unknown") last = verdict;
          }
        }
        return last;
      }),
    );
    const item = this.#store.byId(newest.itemId);
    if (finalStatuses.has(item.status)) return "sent";
    this.#step("broadcast-sent", item);
    this.#store.markSent(newest.hash, this.#clock.now());
    const stored = this.#store.change(
      item.id,
      item.status === "signed" ? { status: "broadcast" } : {},
      this.#clock.now(),
    );
    this.#step("broadcast-stored", stored);
    const said = (verdict: string): boolean => verdicts.some((each) => each === verdict);
    if (said("accepted") || said("known") || said("nonce-too-low")) {
      this.#problem(stored, undefined);
      return "sent";
    }
    if (said("insufficient-funds")) {
      this.#problem(stored, {
        code: "INSUFFICIENT_FUNDS",
        message: `${this.address} cannot pay for gas. Send it native coins; the transaction waits.`,
      });
      return "refused";
    }
    if (said("underpriced")) return "underpriced";
    if (said("invalid"))
      this.#problem(stored, {
        code: "REFUSED_BY_NODE",
        message: "The endpoints refuse the transaction as invalid. Check gas limit and chain; it is offered again.",
      });
    return "refused";
  }

  #problem(item: OutboxItem, problem: OutboxReason | undefined): void {
    if (item.problem?.code === problem?.code) return;
    if (problem !== undefined)
      this.#logger.warn("outbox.waiting", { key: item.key, code: problem.code, reason: problem.message });
    this.#store.change(item.id, { problem: problem ?? null }, this.#clock.now());
  }

  #finish(item: StoredItem, status: "mined" | "reverted" | "abandoned", reason: OutboxReason | undefined): void {
    const stored = this.#store.change(
      item.id,
      { status, problem: null, ...(reason === undefined ? {} : { reason }) },
      this.#clock.now(),
    );
    this.#logger[status === "mined" ? "info" : "warn"](`outbox.${status}`, {
      key: item.key,
      nonce: item.nonce,
      hash: item.minedHash,
      code: reason?.code,
      reason: reason?.message,
    });
    this.#step("outcome-stored", stored);
    for (const done of [...(this.#waiting.get(item.key) ?? [])]) done();
    this.#waiting.delete(item.key);
  }

  /** Replays a reverted call on the state of its block to learn the contract's error. */
  async #explain(item: StoredItem, receipt: ReceiptView, pass: Pass): Promise<OutboxReason> {
    const call = {
      from: this.address,
      to: item.to,
      data: item.data,
      value: numberToHex(item.value ?? 0n),
      gas: numberToHex(item.gasLimit ?? item.gas ?? 30_000_000n),
    };
    for (const { endpoint } of pass.views) {
      try {
        await endpoint.request("eth_call", [call, numberToHex(receipt.blockNumber)], pass.signal);
      } catch (error) {
        pass.signal.throwIfAborted();
        const data = revertData(error);
        if (data !== undefined) return explainRevert("REVERTED", data, this.#options.abi);
      }
    }
    return {
      code: "REVERTED",
      message: "The transaction was mined and reverted; the endpoints do not tell why any more.",
    };
  }

  async #fullReceipt(hash: Hex, signal: AbortSignal): Promise<TransactionReceipt | undefined> {
    for (const client of this.#options.clients) {
      try {
        return await client.getTransactionReceipt({ hash });
      } catch {
        signal.throwIfAborted();
      }
    }
    return undefined;
  }
}
