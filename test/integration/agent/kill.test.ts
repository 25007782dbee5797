/**
 * A real agent process, on a real chain and a real relay, is killed with SIGKILL at every step of its journal and
 * finishes its jobs. The steps are read from the reducer: one without a kill here fails the last test.
 *
 * The killer stands outside: it reads the journal's table beside the running agent, and kills when a step appears.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { jobMarketAbi } from "@quorate/abi";
import { journalSteps } from "@quorate/agent";
import { Flag, type Hex, JobStatus, Outcome, Verdict } from "@quorate/core";
import { until } from "@quorate/testkit";
import { getAbiItem } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { startLocalAgent } from "./in-process.ts";
import { TestMarket, type TestProvider } from "./market.ts";

/** Steps at which an agent was killed, over all scenarios. */
const killed = new Set<string>();

const program = fileURLToPath(new URL("agent-process.ts", import.meta.url));

/** An agent process that is killed at each of some steps, once, and started again until it is disposed. */
class Victim implements AsyncDisposable {
  readonly steps: Set<string>;
  readonly seen: string[] = [];
  readonly #market: TestMarket;
  readonly #dataDir: string;
  readonly #logFile: string;
  readonly #config: string;
  readonly #key: Hex;
  #child: ChildProcess | undefined;
  #isOver = false;
  readonly #watching: Promise<void>;
  readonly #jobId: Hex;

  constructor(
    market: TestMarket,
    name: string,
    { provider, key }: { readonly provider: TestProvider; readonly key: Hex },
    jobId: Hex,
    steps: readonly string[],
    policy: Record<string, unknown> = {},
  ) {
    this.#jobId = jobId;
    this.#market = market;
    this.#key = key;
    this.steps = new Set(steps);
    this.#dataDir = join(market.dir, name);
    mkdirSync(this.#dataDir);
    this.#logFile = join(market.dir, `${name}.log`);
    this.#config = join(market.dir, `${name}.json`);
    const config = {
      ...market.domain,
      provider: provider.account.address,
      rpcUrls: [market.anvil.url],
      relays: [market.relayUrl],
      dataDir: this.#dataDir,
      policy: market.policy(policy),
      pollIntervalMs: 250,
    };
    writeFileSync(this.#config, JSON.stringify(config));
    this.#start();
    this.#watching = this.#watch();
  }

  get log(): string {
    return readFileSync(this.#logFile, "utf8");
  }

  #start(): void {
    appendFileSync(this.#logFile, "--- started\n");
    const child = spawn(process.execPath, [program, this.#config], {
      env: { ...process.env, AGENT_KEY: this.#key },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => appendFileSync(this.#logFile, chunk));
    this.#child = child;
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async #watch(): Promise<void> {
    let last = 0;
    let db: DatabaseSync | undefined;
    while (!this.#isOver) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const child = this.#child;
      if (child !== undefined && (child.exitCode !== null || child.signalCode === "SIGABRT"))
        throw new Error(`the agent ended by itself with ${child.exitCode}:\n${this.log.slice(-3000)}`);
      let rows: Record<string, unknown>[];
      try {
        db ??= new DatabaseSync(join(this.#dataDir, "agent.db"), { readOnly: true });
        rows = db
          .prepare("SELECT seq, step FROM journal WHERE seq > ? AND job_id = ? ORDER BY seq")
          .all(last, this.#jobId);
      } catch {
        // The agent has not made its tables yet.
        db?.close();
        db = undefined;
        continue;
      }
      for (const { seq, step } of rows) {
        last = seq as number;
        this.seen.push(step as string);
        if (!this.steps.delete(step as string)) continue;
        await this.#kill();
        killed.add(step as string);
        appendFileSync(this.#logFile, `--- killed at ${step}\n`);
        this.#start();
      }
    }
    db?.close();
  }

  /** Waits until the journal has a step. */
  async reached(step: string, timeoutMs = 120_000): Promise<void> {
    const failure = this.#watching.then(() => assert.fail("the victim is disposed"));
    await Promise.race([
      failure,
      until(() => this.seen.includes(step), { timeoutMs, what: `step ${step}; log:\n${this.log.slice(-2000)}` }),
    ]);
  }

  /** Waits until it was killed at each of its steps. */
  async killedEverywhere(): Promise<void> {
    for (const step of this.steps) await this.reached(step);
    await until(() => this.steps.size === 0, { what: "the last kill" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#watching;
    await this.#kill();
  }

  /** Every commitment that this provider ever signed for a job, wherever it shows. */
  async commitmentsOf(jobId: Hex, provider: string): Promise<string[]> {
    const own = provider.toLowerCase();
    const carried = (await this.#market.relays.list(jobId)).flatMap((envelope) =>
      (envelope.kind === "commitment" || envelope.kind === "set-commitment") &&
      envelope.body.provider.toLowerCase() === own
        ? [envelope.body.commitment]
        : [],
    );
    const facts = await this.#market.facts(jobId);
    const place = facts?.terms.places.findIndex((candidate) => candidate.provider.toLowerCase() === own);
    const placed = facts?.commitments.filter((commitment) => commitment.place === place) ?? [];
    const db = new DatabaseSync(join(this.#dataDir, "votes.db"), { readOnly: true });
    const fixed = db.prepare("SELECT commitment FROM votes WHERE job_id = ?").all(jobId);
    db.close();
    assert.equal(placed.length, 1, "one commitment of the provider is on chain");
    return [
      ...new Set([
        ...carried,
        ...placed.map(({ commitment }) => commitment),
        ...fixed.map((row) => row.commitment as string),
      ]),
    ];
  }
}

describe("an agent killed at every step of its journal", { concurrency: true }, () => {
  let market: TestMarket;
  /** Agents in this process that carry, after the victim's turn. */
  const peers: TestProvider[] = [];
  /** One that never carries. */
  let loner: TestProvider;
  const stack = new AsyncDisposableStack();
  /** Seconds of a window in which an agent can be killed and started a few times, on this machine as it is now. */
  let window = 60;

  before(async () => {
    const startedAt = performance.now();
    await once(spawn(process.execPath, ["--input-type=module", "-e", 'await import("@quorate/agent")']), "exit");
    window = Math.min(240, Math.max(60, Math.ceil(((performance.now() - startedAt) / 1000) * 30)));
    market = await TestMarket.start();
    stack.use(market);
    for (let count = 0; count < 3; count++) {
      const peer = await market.provider();
      peers.push(peer);
      stack.use(
        startLocalAgent(market, peer, {
          policy: { carrying: { mode: "rotate", patienceSeconds: Math.ceil(window / 3) } },
        }),
      );
    }
    loner = await market.provider();
    stack.use(startLocalAgent(market, loner, { policy: { carrying: { mode: "never", patienceSeconds: 3600 } } }));
  });
  after(() => stack.disposeAsync());

  /** A provider whose agent will be the victim. */
  const newcomer = async (on: TestMarket = market): Promise<{ provider: TestProvider; key: Hex }> => {
    const key = generatePrivateKey();
    const account = privateKeyToAccount(key);
    await on.fund(account.address);
    await on.deposit(account, 100_000_000n);
    return { provider: { account, agent: account }, key };
  };
  const peer = (index: number): TestProvider => peers[index] as TestProvider;

  it("as a carrier finishes Accepted and Aligned, with one commitment, and delivers", async () => {
    const newbie = await newcomer();
    const { provider } = newbie;
    const places = [0, 1, 2];
    const turns = { commitments: { places, first: 0 }, openings: { places, first: 0 } };
    // Nothing here waits for the end of a window.
    const job = await market.request({ commitWindow: 900, revealWindow: 900 }, turns);
    await using victim = new Victim(
      market,
      "carrier",
      newbie,
      job.jobId,
      [
        "offer-fixed",
        "offer-published",
        "chain-fact/JobOpened",
        "panel-judged",
        "vote-fixed",
        "commitment-published",
        "transaction-handed-over/carry-commitments",
        "chain-fact/CommitmentPlaced",
        "transaction-ended/carry-commitments",
        "transaction-handed-over/carry-openings",
        "chain-fact/CommitmentOpened",
        "transaction-ended/carry-openings",
        "chain-fact/JobSettled",
        "result-delivered",
        "keys-deleted",
        "result-redelivered",
      ],
      { carrying: { mode: "rotate", patienceSeconds: 2 }, retentionSeconds: 900 },
    );
    await market.open(job, [provider, peer(0), peer(1)]);
    const { settled } = await market.settled(job.jobId);
    assert.equal(settled.status, JobStatus.Accepted);
    assert.equal(settled.outcome, Outcome.Ok);
    assert.equal(settled.results[0]?.verdict, Verdict.Aligned);
    await victim.reached("result-delivered");
    await market.askAgain(job);
    assert.deepEqual(Buffer.from((await market.delivered(job, provider.account.address)) ?? []).toString(), "42\n");
    await victim.reached("result-redelivered");
    assert.equal((await victim.commitmentsOf(job.jobId, provider.account.address)).length, 1);
    await victim.killedEverywhere();
  });

  it("alone, without any carrier, commits, opens, settles and closes for itself", async () => {
    const newbie = await newcomer();
    const { provider } = newbie;
    const silent = await market.provider();
    const windows = { commitWindow: window, revealWindow: window };
    const job = await market.request(windows, { settlement: { places: [0, 1, 2], first: 0 } });
    await using victim = new Victim(
      market,
      "alone",
      newbie,
      job.jobId,
      [
        "transaction-handed-over/commit",
        "transaction-ended/commit",
        "opening-published",
        "transaction-handed-over/reveal",
        "transaction-ended/reveal",
        "transaction-handed-over/settle",
        "transaction-ended/settle",
        "job-closed",
      ],
      { retentionSeconds: 5 },
    );
    await market.offerByHand(job, silent);
    await market.open(job, [provider, loner, silent]);
    const facts = await market.facts(job.jobId);
    assert(facts !== undefined);
    // The third seat commits and never opens: the job waits for the end of its reveal window.
    await market.send(silent.account, "commit", [job.jobId, facts.terms, 2, `0x${"99".repeat(32)}`]);
    const { settled } = await market.settled(job.jobId);
    assert.equal(settled.status, JobStatus.Accepted);
    assert.deepEqual(
      settled.results.map(({ verdict }) => verdict),
      [Verdict.Aligned, Verdict.Aligned, Verdict.Late],
    );
    assert.equal((await victim.commitmentsOf(job.jobId, provider.account.address)).length, 1);
    await victim.killedEverywhere();
  });

  it("on a panel against its policy declines once and gets its bond back", async () => {
    const newbie = await newcomer();
    const { provider } = newbie;
    const job = await market.request({ commitWindow: 6 * window, revealWindow: 6 * window, spares: 1 });
    await using victim = new Victim(
      market,
      "decliner",
      newbie,
      job.jobId,
      ["transaction-handed-over/decline", "chain-fact/SeatDeclined", "transaction-ended/decline"],
      { panel: { unknown: "accept", deny: [peer(1).account.address] } },
    );
    await market.open(job, [provider, peer(0), peer(1), peer(2)], { spares: 1 });
    const { settled } = await market.settled(job.jobId);
    assert.equal(settled.status, JobStatus.Accepted);
    assert.deepEqual(
      settled.results.map(({ verdict }) => verdict),
      [Verdict.Declined, Verdict.Aligned, Verdict.Aligned, Verdict.Aligned],
    );
    assert.deepEqual(await market.balance(provider.account.address), { free: 100_000_000n, locked: 0n });
    await victim.killedEverywhere();
  });

  it("as a spare promotes itself when a seat is vacant, and finishes Aligned", async () => {
    const newbie = await newcomer();
    const { provider } = newbie;
    const leaver = await market.provider();
    const windows = { commitWindow: 6 * window, revealWindow: 6 * window };
    const turn = { promotion: { places: [0, 1, 3], first: 3 } };
    const job = await market.request({ ...windows, spares: 1 }, turn);
    await using victim = new Victim(market, "spare", newbie, job.jobId, [
      "transaction-handed-over/promote",
      "chain-fact/SparePromoted",
      "transaction-ended/promote",
    ]);
    await market.offerByHand(job, leaver);
    await market.open(job, [peer(0), peer(1), leaver, provider], { spares: 1 });
    const facts = await market.facts(job.jobId);
    assert(facts !== undefined);
    await market.send(leaver.account, "decline", [job.jobId, facts.terms, 2]);
    const { settled, promotions } = await market.settled(job.jobId);
    assert.equal(settled.status, JobStatus.Accepted);
    assert.deepEqual(
      promotions.map(({ spare, seat }) => [spare, seat]),
      [[3, 2]],
    );
    assert.equal(settled.results[3]?.verdict, Verdict.Aligned);
    assert.equal((await victim.commitmentsOf(job.jobId, provider.account.address)).length, 1);
    await victim.killedEverywhere();
  });

  it("in a reorganisation that takes the job back keeps its one vote and one set, and finishes by it when the job is opened again", async () => {
    // A chain of its own: the others' jobs shall not be taken back.
    await using fork = await TestMarket.start();
    const newbie = await newcomer(fork);
    const { provider } = newbie;
    const others = [await fork.provider(), await fork.provider()];
    // Nothing may become final before it is taken back.
    const deep = {
      finality: { mode: "depth", depth: 30, endpoints: 1 },
      carrying: { mode: "rotate", patienceSeconds: 2 },
    };
    await using agents = new AsyncDisposableStack();
    // They leave the victim the time to come back and bring the set.
    const patient = { ...deep, carrying: { mode: "rotate", patienceSeconds: Math.ceil(window / 3) } };
    for (const other of others) agents.use(startLocalAgent(fork, other, { policy: patient }));
    const job = await fork.request(
      { commitWindow: 1800, revealWindow: 1800, flags: Flag.SetVotes },
      { "reveal-set": { places: [0, 1, 2], first: 0 } },
    );
    const steps = [
      "chain-rolled-back",
      "set-commitment-published",
      "set-fixed",
      "set-signature-published",
      "transaction-handed-over/reveal-set",
      "chain-fact/CommitmentSetPlaced",
      "transaction-ended/reveal-set",
    ];
    await using victim = new Victim(fork, "forked", newbie, job.jobId, steps, deep);
    await fork.open(job, [provider, ...others]);
    const [{ blockNumber: openedIn } = { blockNumber: 0n }] = await fork.anvil.public.getLogs({
      address: fork.domain.market,
      event: getAbiItem({ abi: jobMarketAbi, name: "JobOpened" }),
      fromBlock: 0n,
    });
    await victim.reached("vote-fixed");
    // No block may come in between: the reorganisation takes back the opening and nothing before it.
    await fork.anvil.rpc("evm_setIntervalMining", 0);
    const depth = Number((await fork.anvil.public.getBlockNumber()) - openedIn) + 1;
    await fork.anvil.rpc("anvil_reorg", depth, []);
    await fork.anvil.rpc("evm_setIntervalMining", 1);
    assert.equal(await fork.facts(job.jobId), undefined, "the job is gone");
    await victim.reached("chain-rolled-back");
    await fork.open(job, [provider, ...others]);
    const { settled } = await fork.settled(job.jobId);
    assert.equal(settled.status, JobStatus.Accepted);
    assert.equal(settled.results[0]?.verdict, Verdict.Aligned);
    assert.equal((await victim.commitmentsOf(job.jobId, provider.account.address)).length, 1);
    assert.equal(victim.seen.filter((step) => step === "vote-fixed").length, 1);
    assert.equal(victim.seen.filter((step) => step === "set-fixed").length, 1);
    const sets = (await fork.relays.list(job.jobId)).flatMap((envelope) =>
      envelope.kind === "set-signature" ? [String(envelope.body.commitments)] : [],
    );
    assert.equal(new Set(sets).size, 1, "everybody signed one set, before and after");
    await victim.killedEverywhere();
  });
});

describe("the list of journal steps", () => {
  it("has no step at which no agent was killed", () => {
    assert.deepEqual(
      journalSteps.filter((step) => !killed.has(step)),
      [],
    );
  });
});
