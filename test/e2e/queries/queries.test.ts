// A lender, an applicant and a payroll provider, each with a state folder of its own, speak by the command line alone: what
// docs/guides/queries.md shows, in its order.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  poseidon2Artifact,
  queryMarketArtifact,
  scorecardVerifierArtifact,
  sealedAnswerVerifierArtifact,
} from "@quorate/abi/artifacts";
import type { Hex } from "@quorate/core";
import { getAccount } from "@quorate/sdk";
import { createKeystore } from "@quorate/service";
import { until } from "@quorate/testkit";
import { createDomainClient } from "@quorate/wire";
import { type Abi, type Address, parseEther } from "viem";
import { type Chain, startChain } from "../../integration/sdk/fixture.ts";
import { fails, ok, type Running, startCommand } from "../cli/quorate.ts";

const HEX32 = /^0x[0-9a-f]{64}$/;
/** Base units of the token, 6 decimals. */
const PRICE = 2_500_000n;
const BOND = 4_000_000n;
const PAPERS = ["--name", "Ada Sample", "--birth-date", "1990-05-17", "--document", "X-123 456"];

const definition = {
  version: 1,
  name: "Payroll of Harbor Works",
  history: false,
  attributes: [
    {
      name: "yearly income",
      unit: "EUR",
      scale: 2,
      signed: false,
      description: "gross income of the last twelve months",
    },
  ],
  scorecards: [],
};
const mapping = {
  version: 1,
  subject: { column: "employee" },
  records: [
    {
      attribute: "yearly income",
      value: { column: "income" },
      validFrom: { column: "from" },
      validUntil: { column: "until" },
      budget: 5,
    },
  ],
};
const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);

const folder = mkdtempSync(join(tmpdir(), "quorate queries "));
const files = join(folder, "my files");
const file = (name: string): string => join(files, name);
type Person = { readonly home: string; readonly env: { readonly QUORATE_PASSPHRASE: string }; address: Address };
const person = (name: string): Person => ({
  home: join(folder, name),
  env: { QUORATE_PASSPHRASE: `passphrase of ${name}` },
  address: "0x",
});
const [provider, lender, applicant] = [person("provider"), person("lender"), person("applicant")];
let chain: Chain;
let market: Address;
let verifiers: { readonly sealedAnswer: Address; readonly scorecard: Address };
let agent: Running | undefined;
let url: string;
let dataset: Hex;

before(async () => {
  mkdirSync(files);
  chain = await startChain();
  const deploy = async (artifact: { abi: unknown; bytecode: Hex }, args: readonly unknown[]): Promise<Address> => {
    const wallet = chain.client(0).wallet;
    const hash = await wallet?.deployContract({
      abi: artifact.abi as Abi,
      bytecode: artifact.bytecode,
      args,
      account: chain.account(0),
      chain: wallet.chain ?? null,
    });
    const receipt = await chain.public.waitForTransactionReceipt({ hash: hash as Hex });
    return receipt.contractAddress as Address;
  };
  const poseidon = await deploy(poseidon2Artifact, []);
  market = await deploy(queryMarketArtifact, [5, 604_800, poseidon]);
  verifiers = {
    sealedAnswer: await deploy(sealedAnswerVerifierArtifact, []),
    scorecard: await deploy(scorecardVerifierArtifact, []),
  };
  for (const who of [provider, lender, applicant]) {
    // Keys as `quorate account new` makes them, but for the cost of opening them.
    const { address } = await createKeystore(join(who.home, "keys"), {
      passphrase: who.env.QUORATE_PASSPHRASE,
      name: "mine.json",
      scrypt: { N: 1_024 },
    });
    who.address = address;
    await chain.test.setBalance({ address, value: parseEther("10") });
    if (who !== applicant) await chain.mint(address, 100_000_000n);
    writeFileSync(
      join(who.home, "config.json"),
      JSON.stringify({
        version: 1,
        network: "local",
        account: "mine",
        networks: {
          local: {
            chainId: 31_337,
            rpc: [chain.rpcUrl],
            market: chain.domain.market,
            queryMarket: market,
            token: chain.token,
            confirmations: 1,
          },
        },
      }),
    );
  }
  // A chain that goes on by itself: what is acted on has to be some blocks deep.
  await chain.test.setIntervalMining({ interval: 1 });
  writeFileSync(file("payroll.json"), JSON.stringify(definition));
  writeFileSync(file("columns.jsonc"), `// which column is what\n${JSON.stringify(mapping)}\n`);
  writeFileSync(
    file("payroll.csv"),
    `employee,income,from,until\nE-1,102345.50,${day(-30)},${day(300)}\nE-2,48000,${day(-30)},${day(300)}\n`,
  );
});

after(async () => {
  agent?.child.kill("SIGKILL");
  await chain?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What somebody owns of the token, in the wallet and free in the query market. */
async function wealthOf({ address: account }: Person): Promise<bigint> {
  const reader = { public: chain.public, chainId: 31_337, market };
  return (await chain.balanceOf(account)) + (await getAccount(reader, { token: chain.token, account })).free;
}

test("a provider makes its state, registers its data set, imports records and gives out a code", async () => {
  const verifier = ["--verifier", `sealed-answer=${verifiers.sealedAnswer}`, `scorecard=${verifiers.scorecard}`];
  const init = ["domain", "init", file("payroll.json"), "--name", "Harbor Works", "--price", "2.5", "--bond", "4"];
  const made = await ok([...init, ...verifier, "--port", "0", "--window", "10m"], provider);
  assert.equal(made.provider, provider.address);
  assert.match(made.dataset as string, HEX32);
  assert.equal((made.transactions as unknown[]).length, 2, "registered, and the agent authorized");
  const again = await ok([...init, ...verifier], provider);
  assert.deepEqual([again.dataset, again.transactions], [made.dataset, []], "what is done is not done again");
  dataset = made.dataset as Hex;
  await chain.test.setBalance({ address: made.agent as Address, value: parseEther("10") });

  // An operator tunes the settings: nobody in this test wants to wait a minute for a publication.
  const settings = JSON.parse(readFileSync(made.settings as string, "utf8"));
  const tuned = { ...settings, publish: { everyS: 0 }, refusalMs: 100 };
  writeFileSync(made.settings as string, JSON.stringify(tuned));

  const deposited = await ok(["account", "deposit", "50", "--market", "queries"], provider);
  assert.equal(deposited.amount, "50000000");
  const report = await ok(["domain", "import", file("payroll.csv"), "--mapping", file("columns.jsonc")], provider);
  assert.deepEqual([report.rows, report.added, report.subjects], [2, 2, 2]);
  const { code } = await ok(["domain", "register", "E-1", ...PAPERS], provider);

  agent = startCommand(["domain", "start", "--json"], provider);
  await agent.says(/"ready":true.*\n/);
  url = (JSON.parse(agent.stdout()) as { url: string }).url;
  const enrol = ["subject", "enrol", code as string, ...PAPERS, "--url", url];
  const enrolled = await ok([...enrol, "--provider", provider.address], applicant);
  assert.equal(enrolled.provider, provider.address);
});

test("the subject sees its record once it is published, and writes its card", async () => {
  await until(async () => (await createDomainClient({ url }).info()).datasets[0]?.root !== undefined, {
    timeoutMs: 60_000,
    what: "the first publication",
  });
  const { records } = (await ok(["subject", "record"], applicant)) as { records: Record<string, unknown>[] };
  const [record, ...others] = records;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [record?.state, record?.values, record?.used, record?.budget],
    ["published", { "yearly income": "102,345.5 EUR" }, 0, 5],
  );
  const card = await ok(["subject", "card", "--out", file("card.json")], applicant);
  assert.equal(card.dataset, dataset);
});

/** Prepares a query as the lender. */
function prepare(threshold: string, request: string, papers = PAPERS): Promise<Record<string, unknown>> {
  const statement = ["--attribute", "yearly income", "--at-least", threshold];
  const rest = ["--asker-name", "Harbor Mortgage", "--out", file(request)];
  return ok(["query", "ask", "--url", url, "--subject", file("card.json"), ...statement, ...papers, ...rest], lender);
}

let first: Hex;

test("a statement that holds is answered true; killed on the way it is paid once", async () => {
  const before_ = await wealthOf(lender);
  first = (await prepare("100000", "request.json")).queryId as Hex;
  const request = readFileSync(file("request.json"), "utf8");
  assert.doesNotMatch(request, /"k"/, "the answer key stays with the lender");
  const consent = ["subject", "consent", file("request.json"), "--out", file("consent.json"), "--yes"];
  const given = await ok(consent, applicant);
  assert.equal(given.query, first);
  assert.match((given.words as { learns: string }).learns, /yearly income is at least 100,000/);
  assert.match((given.words as { asker: string }).asker, /Harbor Mortgage/);

  const asking = ["query", "ask", first.slice(0, 12), "--consent", file("consent.json"), "--yes"];
  const killed = startCommand(asking, lender);
  await killed.says(/asking: the price goes into escrow/);
  killed.child.kill("SIGKILL");
  await killed.ended();
  await ok(["query", "ask", first, "--yes"], lender);
  const answered = await ok(["query", "answer", first, "--wait", "60s"], lender);
  assert.deepEqual([answered.stage, answered.answer], ["answered", true]);
  assert.equal(await wealthOf(lender), before_ - PRICE);
});

test("its receipt is verified with the chain and without, by whom it should be, about what it should be", async () => {
  const words = ["--challenge", "loan 42, 22 November"];
  const made = await ok(["query", "receipt", first, "--out", file("receipt.json"), ...words], lender);
  const verify = ["query", "verify", file("receipt.json")];
  const trusted = ["--provider", provider.address];
  const relying = { home: applicant.home };
  const anchored = await ok(
    [...verify, ...trusted, ...PAPERS, ...words, "--signature", String(made.signature)],
    relying,
  );
  assert.deepEqual([anchored.answer, anchored.anchored, anchored.askerPresent], [true, true, true]);
  const offline = await ok([...verify, ...trusted, "--offline"], relying);
  assert.deepEqual([offline.answer, offline.anchored, offline.askerPresent], [true, false, false]);
  assert.match(offline.words as string, /Unanchored/);
  const other = ["--name", "Bo Other", "--birth-date", "1990-05-17", "--document", "X-123 456"];
  await fails([...verify, ...trusted, ...other, "--offline"], { code: "RECEIPT_PERSON", exit: 4 }, relying);
});

test("a statement that does not hold is answered false, for the same price", async () => {
  const { queryId } = await prepare("150000", "request-2.json");
  const consent = ["subject", "consent", file("request-2.json"), "--out", file("consent-2.json"), "--yes"];
  const given = await ok(consent, applicant);
  assert.match((given.words as { together: string }).together, /100,000/, "what was consented to before is remembered");
  await ok(["query", "ask", queryId as string, "--consent", file("consent-2.json"), "--yes"], lender);
  const answered = await ok(["query", "answer", queryId as string, "--wait", "60s"], lender);
  assert.deepEqual([answered.stage, answered.answer, answered.price], ["answered", false, PRICE.toString()]);
});

test("a borrowed record is not consented to, and the consent to something else in its place is refused for nothing", async () => {
  const borrowed = ["--name", "Bo Other", "--birth-date", "1991-01-01", "--document", "Y-9"];
  const { queryId } = await prepare("100000", "borrowed.json", borrowed);
  const refused = ["subject", "consent", file("borrowed.json"), "--yes"];
  await fails(refused, { code: "CONSENT_REFUSED_PERSON", exit: 4 }, applicant);

  const consent = JSON.parse(readFileSync(file("consent-2.json"), "utf8"));
  writeFileSync(file("consent-3.json"), JSON.stringify({ ...consent, query: queryId }));
  const before_ = await wealthOf(lender);
  const passedOff = ["query", "ask", queryId as string, "--consent", file("consent-3.json"), "--yes"];
  const { message } = await fails(passedOff, { code: "CANNOT_ANSWER", exit: 4 }, lender);
  assert.match(message, /Nothing was paid/);
  assert.equal(await wealthOf(lender), before_);
  const { queries } = (await ok(["query", "status"], lender)) as { queries: { stage: string }[] };
  assert.deepEqual(
    queries.map(({ stage }) => stage),
    ["answered", "answered", "refused"],
  );
});

test("a provider that goes silent pays: price and bond come back by one command", async () => {
  const { queryId } = await prepare("80000", "request-4.json");
  await ok(["subject", "consent", file("request-4.json"), "--out", file("consent-4.json"), "--yes"], applicant);
  const before_ = await wealthOf(lender);
  const asking = startCommand(
    ["query", "ask", queryId as string, "--consent", file("consent-4.json"), "--yes"],
    lender,
  );
  await asking.says(/the provider answers for/);
  agent?.child.kill("SIGKILL");
  await agent?.ended();
  assert.equal((await asking.ended()).code, 0);
  await chain.advance(601);
  const ended = await fails(["query", "answer", queryId as string], { code: "QUERY_EXPIRED", exit: 5 }, lender);
  assert.equal(ended.details?.refunded, (PRICE + BOND).toString());
  assert.equal(await wealthOf(lender), before_ + BOND);
});

test("the provider's log names who asked and how it ended, without values", async () => {
  const { entries } = (await ok(["domain", "audit", "--subject", "E-1"], provider)) as {
    entries: { outcome: string; asker: string; query: string }[];
  };
  assert.ok(entries.every(({ asker }) => asker === lender.address));
  assert.deepEqual(entries.map(({ outcome }) => outcome).filter((outcome) => outcome === "answered").length, 2);
  assert.ok(entries.some(({ query }) => BigInt(query) === BigInt(first)));
  assert.doesNotMatch(JSON.stringify(entries), /102345|100000|Ada/);
});
