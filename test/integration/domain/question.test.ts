import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  poseidon2Artifact,
  queryMarketArtifact,
  scorecardVerifierArtifact,
  sealedAnswerVerifierArtifact,
} from "@quorate/abi/artifacts";
import { auditLog, domainStatus, importRecords, initDomain, publishOnce, registerSubject } from "@quorate/domain";
import {
  type AttributeDefinition,
  type DatasetDefinition,
  generateSubjectSecret,
  type Papers,
  type ScorecardDefinition,
  type Statement,
  verifyReceipt,
} from "@quorate/proofs";
import {
  approveToken,
  authorizeAgent,
  deposit,
  getAccount,
  type MarketClient,
  readDataset,
  readQueryRecord,
  registerDataset,
} from "@quorate/sdk";
import {
  createAsker,
  createSubject,
  memoryQueryStore,
  memorySubjectStore,
  type SubjectClient,
} from "@quorate/sdk/queries";
import { keyAccountFrom } from "@quorate/service";
import { assertCode, until } from "@quorate/testkit";
import { type Abi, type Address, type Hex, keccak256 } from "viem";
import { generatePrivateKey } from "viem/accounts";
import { type Chain, startChain } from "../sdk/fixture.ts";

const income: AttributeDefinition = {
  name: "yearly income",
  unit: "EUR",
  scale: 2,
  signed: false,
  description: "Gross income of the last twelve months",
};
const number = (name: string, description: string): AttributeDefinition => ({
  name,
  unit: "",
  scale: 0,
  signed: false,
  description,
});
const credit: ScorecardDefinition = {
  name: "credit",
  description: "What a lender looks at",
  fields: [
    number("income", "Monthly income in EUR"),
    number("debt", "Monthly debt in EUR"),
    number("score", "Credit score, 300 to 850"),
  ],
};
const definition: DatasetDefinition = {
  version: 1,
  name: "payroll",
  history: false,
  attributes: [income],
  scorecards: [credit],
};
const papers: Papers = { name: "Ada Sample", birthDate: "1990-05-17", documentNumber: "X 123-456" };
const PRICE = 2_000_000n;
const BOND = 5_000_000n;

type Agent = { readonly healthUrl: string; readonly ended: Promise<string>; stop(): Promise<void> };

describe("a domain provider's agent on a chain, with real proofs", { timeout: 600_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), "quorate-domain-"));
  const dataDir = join(dir, "state");
  const key = generatePrivateKey();
  const account = keyAccountFrom(key);
  const running = new Set<ChildProcess>();
  let chain: Chain;
  let market: Address;
  let subject: SubjectClient;
  let url = "";
  const verifiers: { "sealed-answer": Hex[]; scorecard: Hex[] } = { "sealed-answer": [], scorecard: [] };
  const client = (index: number): MarketClient => ({ ...chain.client(index), market });

  async function deploy(artifact: { abi: unknown; bytecode: Hex }, args: readonly unknown[] = []): Promise<Address> {
    const { wallet } = chain.client(0);
    assert.ok(wallet !== undefined);
    const hash = await wallet.deployContract({
      abi: artifact.abi as Abi,
      bytecode: artifact.bytecode,
      args,
      account: wallet.account ?? null,
      chain: wallet.chain ?? null,
    });
    const { contractAddress } = await chain.public.waitForTransactionReceipt({ hash });
    assert.ok(contractAddress != null);
    return contractAddress;
  }

  async function start(deadly = ""): Promise<Agent> {
    const program = fileURLToPath(new URL("agent-process.ts", import.meta.url));
    const child = spawn(process.execPath, [program, join(dir, "config.json"), deadly], {
      env: { ...process.env, AGENT_KEY: key },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
    });
    const ended = once(child, "exit").then(([code, signal]: (string | number | null)[]) => {
      running.delete(child);
      return `${signal ?? code}\n${log}`;
    });
    const lines = createInterface({ input: child.stdout });
    const ready = (async (): Promise<readonly string[]> => {
      for await (const line of lines) if (line.startsWith("ready ")) return line.split(" ").slice(1);
      throw new Error(`the agent ended: ${await ended}`);
    })();
    const [own = "", healthUrl = ""] = await ready;
    url = own;
    return {
      healthUrl,
      ended,
      async stop() {
        child.kill("SIGTERM");
        assert.match(await ended, /^0\n/);
      },
    };
  }

  before(async () => {
    chain = await startChain();
    // Agent and quotes live by the clock; a chain that stands still would be a special case.
    await chain.test.setIntervalMining({ interval: 1 });
    const poseidon = await deploy(poseidon2Artifact);
    market = await deploy(queryMarketArtifact, [10, 604_800, poseidon]);
    const sealedAnswer = await deploy(sealedAnswerVerifierArtifact);
    const scorecard = await deploy(scorecardVerifierArtifact);
    for (const [circuit, verifier] of [
      ["sealed-answer", sealedAnswer],
      ["scorecard", scorecard],
    ] as const) {
      const code = await chain.public.getCode({ address: verifier });
      assert.ok(code !== undefined);
      verifiers[circuit].push(keccak256(code));
    }
    const provider = chain.account(5).address;
    const identity = { chainId: 31_337, market, provider };
    const { definitionHash, dataset } = await initDomain({ dataDir, account, ...identity, definition });
    const registered = await registerDataset(client(5), {
      definition: definitionHash,
      grace: 3_600,
      publisher: account.address,
    });
    assert.equal(registered.receipt.status, "success");
    assert.equal((await readDataset(client(5), { dataset })).provider, provider);
    await chain.mint(provider, BOND * 10n);
    await approveToken(client(5), { token: chain.token, amount: BOND * 10n });
    await deposit(client(5), { token: chain.token, amount: BOND * 10n });
    await authorizeAgent(client(5), {
      agent: account.address,
      token: chain.token,
      maxBondPerSeat: BOND,
      minCommitWindow: 60,
      validUntil: 2 ** 39,
    });
    await chain.test.setBalance({ address: account.address, value: 10n ** 19n });
    await chain.mint(chain.account(1).address, PRICE * 10n);

    const dates = ["2020-01-01", "2099-12-31"];
    const path = join(dir, "payroll.csv");
    const rows = [`E1,102345.50,8500,3000,710,${dates}`, `E2,1,1,1,300,${dates}`];
    writeFileSync(path, `employee,income,monthly,debt,score,from,until\n${rows.join("\n")}\n`);
    const period = { validFrom: { column: "from" }, validUntil: { column: "until" }, budget: 4 };
    await importRecords({
      dataDir,
      account,
      source: { format: "csv", path },
      mapping: {
        version: 1,
        subject: { column: "employee" },
        records: [
          { attribute: "yearly income", value: { column: "income" }, ...period },
          {
            scorecard: "credit",
            values: { income: { column: "monthly" }, debt: { column: "debt" }, score: { column: "score" } },
            ...period,
          },
        ],
      },
    });
    const { code } = await registerSubject({ dataDir, account, reference: "E1", papers });
    const offer = { dataset: "payroll", token: chain.token, price: String(PRICE), bond: String(BOND), window: 600 };
    writeFileSync(
      join(dir, "config.json"),
      JSON.stringify({
        ...identity,
        rpcUrls: [chain.rpcUrl],
        dataDir,
        listen: { port: 0 },
        health: { port: 0 },
        pollIntervalMs: 200,
        finality: { confirmations: 1 },
        publish: { everyS: 0 },
        refusalMs: 200,
        offers: [
          { ...offer, circuit: "sealed-answer", verifier: sealedAnswer },
          { ...offer, circuit: "scorecard", verifier: scorecard },
        ],
      }),
    );
    mkdirSync(dataDir, { recursive: true });
    // Dies as soon as a proof is on the disk.
    await start("proof-stored");
    subject = createSubject({
      client: { public: chain.public, chainId: 31_337, market },
      secret: generateSubjectSecret(),
      provider,
      providerUrl: url,
      store: memorySubjectStore(),
      verifiers,
      // Where the agent is changes with each start; whom the subject trusts does not.
      fetch: (input, init) => fetch(String(input).replace(/^http:\/\/[^/]+/, url), init),
    });
    await subject.enrol({ code, papers });
    await until(async () => (await subject.records()).every(({ state }) => state === "published"), {
      timeoutMs: 60_000,
      everyMs: 300,
      what: "the root with the subject's records",
    });
  });

  after(async () => {
    for (const child of running) child.kill("SIGKILL");
    await chain?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function asked(statement: Statement): Promise<{ asker: ReturnType<typeof createAsker>; queryId: Hex }> {
    const asker = createAsker({ client: client(1), store: memoryQueryStore(), verifiers, pollIntervalMs: 100 });
    const { queryId, consentRequest } = await asker.prepare({
      providerUrl: url,
      statement,
      papers,
      subjectKey: subject.publicKey,
    });
    const { sealed } = await subject.consent(consentRequest, await subject.review(consentRequest));
    await asker.quote(queryId, sealed);
    await asker.ask(queryId);
    return { asker, queryId };
  }
  const freeOf = async (index: number): Promise<bigint> =>
    (await getAccount(client(index), { token: chain.token, account: chain.account(index).address })).free;
  const now = (): number => Math.floor(Date.now() / 1_000);

  it("killed with its proof on the disk, it answers at the next start: once, paid, verifiable, and nothing stays", async () => {
    const earlier = await freeOf(5);
    const dying = [...running][0] as ChildProcess;
    const { asker, queryId } = await asked({
      kind: "attribute",
      attribute: income,
      relation: "at-least",
      value: "100000",
      asOf: now(),
    });
    const [, signal] = (await once(dying, "exit")) as [number | null, string | null];
    assert.equal(signal, "SIGKILL");
    assert.equal((await asker.resume(queryId)).stage, "pending");
    const agent = await start();
    const view = await asker.wait(queryId, { signal: AbortSignal.timeout(120_000) });
    assert.equal(view.stage, "answered");
    assert.equal((await asker.answer(queryId)).answer, true);
    assert.equal(await freeOf(5), earlier + PRICE);
    const receipt = await asker.receipt(queryId);
    const verdict = await verifyReceipt(receipt, {
      client: chain.public,
      market,
      chainId: 31_337,
      providers: [chain.account(5).address],
      verifiers,
      now: now(),
    } as Parameters<typeof verifyReceipt>[1]);
    assert.deepEqual([verdict.anchored, verdict.answer], [true, true]);
    await until(async () => (await subject.audit())[0]?.outcome === "answered", { timeoutMs: 30_000, everyMs: 200 });
    await agent.stop();
    const { questions, enrolled } = await domainStatus({ dataDir, account });
    assert.deepEqual([questions.answered, questions.proven, questions.asked, enrolled], [1, 0, 0, 1]);
    const [entry] = await auditLog({ dataDir, account });
    assert.deepEqual([entry?.reference, entry?.query, entry?.outcome], ["E1", BigInt(queryId), "answered"]);
    const disk = Buffer.concat(
      globSync("domain.db*", { cwd: dataDir }).map((name) => readFileSync(join(dataDir, name))),
    );
    for (const secret of [String(receipt.k), "Ada Sample", "10234550", "102345.50", "yearly income is"])
      assert.ok(!disk.includes(secret), `"${secret}" can be read on the disk`);
  });

  it("answers a scorecard false, and refuses another person's papers", async () => {
    const agent = await start();
    const statement: Statement = {
      kind: "scorecard",
      scorecard: credit,
      clauses: [
        { coefficients: { income: "0.33", debt: "-1" }, atLeast: "0", weight: 1 },
        { coefficients: { score: "1" }, atLeast: "700", weight: 1 },
      ],
      cutoff: 2,
      asOf: now(),
    };
    const { asker, queryId } = await asked(statement);
    assert.equal((await asker.wait(queryId, { signal: AbortSignal.timeout(120_000) })).stage, "answered");
    assert.equal((await asker.answer(queryId)).answer, false, "a debt of 3,000 is more than a third of 8,500");
    const borrower = createAsker({ client: client(1), store: memoryQueryStore(), verifiers, pollIntervalMs: 100 });
    const borrowed = await borrower.prepare({
      providerUrl: url,
      statement,
      papers: { ...papers, documentNumber: "Y 9" },
      subjectKey: subject.publicKey,
    });
    // A subject that lends its record: its own client would refuse, a changed one would not.
    const consent = await subject
      .review(borrowed.consentRequest)
      .then((review) => subject.consent(borrowed.consentRequest, review))
      .catch(() => undefined);
    if (consent !== undefined) await assertCode(borrower.quote(borrowed.queryId, consent.sealed), "CANNOT_ANSWER");
    else assert.equal((await borrower.resume(borrowed.queryId)).stage, "prepared");
    assert.deepEqual(await readQueryRecord(client(1), { provider: chain.account(5).address }), {
      answered: 2,
      expired: 0,
    });
    await agent.stop();
  });

  it("published by hand while the agent does not run, a correction is what the next question is about", async () => {
    const path = join(dir, "raise.csv");
    writeFileSync(path, "employee,income,from,until\nE1,99000,2020-01-01,2099-12-31\n");
    const period = { validFrom: { column: "from" }, validUntil: { column: "until" }, budget: 4 };
    const report = await importRecords({
      dataDir,
      account,
      source: { format: "csv", path },
      mapping: {
        version: 1,
        subject: { column: "employee" },
        records: [{ attribute: "yearly income", value: { column: "income" }, ...period }],
      },
      mode: "correct",
    });
    assert.deepEqual([report.added, report.corrected], [1, 1]);
    const config: unknown = JSON.parse(readFileSync(join(dir, "config.json"), "utf8"));
    const [made, ...others] = await publishOnce(config, AbortSignal.timeout(60_000), { account });
    assert.deepEqual(others, []);
    assert.ok(made !== undefined);
    assert.equal((await readDataset(client(1), { dataset: made.dataset })).root, made.root);
    assert.deepEqual(await publishOnce(config, AbortSignal.timeout(60_000), { account }), []);
    const agent = await start();
    const { code } = await registerSubject({ dataDir, account, reference: "E2" });
    assert.equal(code.length, 19, "a running agent registers as well");
    assert.deepEqual((await domainStatus({ dataDir, account })).questions.answered, 2);
    const health = await fetch(`${agent.healthUrl}/ready`);
    assert.deepEqual([health.status, ((await health.json()) as { ok: boolean }).ok], [200, true]);
    const metrics = await (await fetch(`${agent.healthUrl}/metrics`)).text();
    assert.match(metrics, /^quorate_domain_questions\{phase="answered"\} 2$/m);
    assert.match(metrics, /^quorate_domain_subjects_enrolled 1$/m);
    const views = await subject.records();
    assert.deepEqual(
      views.map(({ name, state }) => [name, state]),
      [
        ["credit", "published"],
        ["yearly income", "changed"],
      ],
      "the subject's client says that the record of this period is not what it was",
    );
    await agent.stop();
  });
});
