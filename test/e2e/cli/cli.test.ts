// The command line on a market that runs: what docs/guides/cli.md and docs/guides/provider.md show, in their order.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { testTokenAbi } from "@quorate/abi";
import { type LocalMarket, startLocalMarket } from "@quorate/devnet";
import { until } from "@quorate/testkit";
import { type Address, encodeFunctionData, erc20Abi, type Hex, parseEther, parseUnits, toHex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { freePorts } from "../support/free-ports.ts";
import { fails, ok, oneLine, quorate, type Running, startCommand } from "./quorate.ts";

const PROGRAM = `export default function ({ files, args }) {
  const rows = files.text("readings-of-may.csv").trim().split("\\n").slice(1);
  const values = rows.map((row) => Number(row.split(",")[1])).sort((a, b) => a - b);
  return { station: args[0], readings: values.length, median: values[Math.floor(values.length / 2)] };
}
`;
const DATA = "hour,temperature\n0,11.5\n1,10.25\n2,9.75\n";
const RESULT = { station: "north pier", readings: 3, median: 10.25 };
const HEX32 = /^0x[0-9a-f]{64}$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

const folder = mkdtempSync(join(tmpdir(), "quorate cli "));
const home = join(folder, "user");
const providerHome = join(folder, "provider");
const files = join(folder, "my files");
const user = { home, env: { QUORATE_PASSPHRASE: "correct horse" } };
const provider = { home: providerHome, env: { QUORATE_PASSPHRASE: "battery staple" } };
const privateKey: Hex = `0x${randomBytes(32).toString("hex")}`;
const address = privateKeyToAddress(privateKey);
const running: Running[] = [];
let market: LocalMarket;

/** What a job of the tests is asked with. */
const WISHES = ["--price", "150", "--bond", "100", "--commit-window", "10m", "--reveal-window", "10m"];
const work = (): string[] => [
  join(files, "program.js"),
  "--data",
  `readings-of-may.csv=${join(files, "readings of may.csv")}`,
  "--arg",
  "north pier",
];

before(async () => {
  market = await startLocalMarket({
    folder: join(folder, "market"),
    port: await freePorts(3),
    blockTimeMs: 1_000,
    isEverybodyHonest: true,
    onStep: () => {},
  });
  mkdirSync(files);
  writeFileSync(join(files, "program.js"), PROGRAM);
  writeFileSync(join(files, "readings of may.csv"), DATA);
});

after(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  // A stopped process hears no request to end.
  for (const { process } of market?.providers ?? []) process().signal("SIGCONT");
  await market?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Ether from the chain's unlocked account, and tokens that anybody can mint. */
async function fund(account: Address, ether: string, tokens?: string): Promise<void> {
  const [from] = (await market.client.request({ method: "eth_accounts" as never })) as unknown as Address[];
  const send = async (transaction: object): Promise<void> => {
    const hash = (await market.client.request({
      method: "eth_sendTransaction" as never,
      params: [{ from, ...transaction }] as never,
    })) as unknown as Hex;
    assert.equal((await market.client.waitForTransactionReceipt({ hash, timeout: 60_000 })).status, "success");
  };
  await send({ to: account, value: toHex(parseEther(ether)) });
  if (tokens === undefined) return;
  const args = [account, parseUnits(tokens, 6)] as const;
  await send({
    to: market.deployment.token,
    data: encodeFunctionData({ abi: testTokenAbi, functionName: "mint", args }),
  });
}

function addNetwork(options: typeof user): Promise<Record<string, unknown>> {
  return ok(
    [
      ...["network", "add", "local", "--rpc", market.rpc, "--market", market.deployment.market],
      ...["--token", market.deployment.token, "--relay", ...market.relays.map(({ url }) => url)],
      ...["--from-block", String(market.deployment.fromBlock), "--confirmations", "1"],
    ],
    options,
  );
}

test("a network is added with the chain id that its node gives, and a wrong one is refused", async () => {
  const added = await addNetwork(user);
  assert.equal(added.name, "local");
  assert.equal(added.chainId, market.deployment.chainId);
  assert.deepEqual(
    added.relays,
    market.relays.map(({ url }) => url),
  );
  const listed = await ok(["network", "list"], user);
  assert.equal(listed.default, "local");
  assert.deepEqual(Object.keys(listed.networks as object), ["local"]);

  await fails(["network", "add", "gone", "--rpc", "http://127.0.0.1:9"], { code: "NODE_UNREACHABLE", exit: 3 }, user);
  const wrong = ["--rpc", market.rpc, "--chain-id", "5", "--market", market.deployment.market];
  await ok(["network", "add", "wrong", ...wrong, "--token", market.deployment.token], user);
  await fails(["account", "show", address, "--network", "wrong"], { code: "CONFIG_WRONG_CHAIN", exit: 2 }, user);
  await ok(["network", "use", "local"], user);
});

test("a key is imported from standard input, and opens with its passphrase only", async () => {
  const imported = await ok(["account", "import", "user"], { ...user, stdin: `${privateKey}\n` });
  assert.deepEqual(imported, { name: "user", address, file: join(home, "keys", "user.json") });
  assert.doesNotMatch(readFileSync(join(home, "keys", "user.json"), "utf8"), new RegExp(privateKey.slice(2), "i"));
  assert.deepEqual(await ok(["account", "list"], user), { default: "user", keys: [{ name: "user", address }] });
  await fails(["account", "import", "user"], { code: "USAGE_KEY_EXISTS", exit: 2 }, { ...user, stdin: privateKey });
  const wrong = { home, env: { QUORATE_PASSPHRASE: "wrong" } };
  await fails(["account", "deposit", "1"], { code: "PASSPHRASE_WRONG", exit: 2 }, wrong);
  await fails(["account", "deposit", "1"], { code: "USAGE_NO_PASSPHRASE", exit: 2 }, { home });
});

test("tokens go from the requester of the local market to the user's wallet, into the market and out again", async () => {
  await fund(address, "5");
  const theirs = ["--passphrase-file", join(market.requester.home, "passphrase")];
  const paid = await ok([...theirs, "account", "withdraw", "2000", "--to", address], { home: market.requester.home });
  assert.match(paid.hash as string, HEX32);
  assert.equal(paid.amount, "2000000000");

  const deposited = await ok(["account", "deposit", "100.5"], user);
  assert.deepEqual({ ...deposited, hash: "" }, { hash: "", account: address, amount: "100500000" });
  const shown = await ok(["account", "show"], user);
  assert.equal(shown.address, address);
  assert.deepEqual([shown.wallet, shown.free, shown.locked], ["1899500000", "100500000", "0"]);
  assert.equal((shown.standing as { onProbation: boolean }).onProbation, false);

  await fails(["account", "deposit", "999999"], { code: "TOKEN_BALANCE_TOO_LOW", exit: 4 }, user);
  await fails(["account", "withdraw", "999999"], { code: "INSUFFICIENT_FREE_BALANCE", exit: 4 }, user);
});

test("nobody is trusted before being named; organizations are allowed and denied by name", async () => {
  const empty = await ok(["trust", "show"], user);
  assert.deepEqual([empty.accept, empty.allow, empty.deny], ["allow-list", [], []]);
  const [cheapest, ...others] = market.providers;
  assert.ok(cheapest);
  for (const { name, provider } of others) {
    assert.deepEqual(await ok(["trust", "allow", provider, "--organization", name], user), {
      provider,
      organization: name,
    });
  }
  await ok(["trust", "deny", cheapest.provider, "--reason", "asked too little"], user);
  const policy = await ok(["trust", "show"], user);
  assert.equal((policy.allow as unknown[]).length, market.providers.length - 1);
  assert.deepEqual(policy.deny, [{ provider: cheapest.provider, reason: "asked too little" }]);
});

test("a program is tried here before it is paid for", async () => {
  const tried = await ok(["job", "preview", ...work()], user);
  assert.equal(tried.kind, "ok");
  assert.deepEqual(JSON.parse(tried.outputText as string), RESULT);
  writeFileSync(join(files, "broken.js"), "export default function () { throw new Error('no'); }\n");
  await fails(["job", "preview", join(files, "broken.js")], { code: "JOB_FAILED", exit: 5 }, user);
});

let firstJob: Hex;
let escrow: string;

test("a job is requested, its offers are judged, and a request that dies at once is kept", async () => {
  const requesting = startCommand(["job", "request", ...work(), ...WISHES, "--label", "may's median"], user);
  firstJob = (await requesting.says(/requested job (0x[0-9a-f]{64})/))[1] as Hex;
  requesting.child.kill("SIGKILL");
  await requesting.ended();

  const { jobs } = (await ok(["job", "list"], user)) as { jobs: Record<string, unknown>[] };
  assert.deepEqual(
    jobs.map(({ jobId, label, stage }) => ({ jobId, label, stage })),
    [{ jobId: firstJob, label: "may's median", stage: "requested" }],
  );
  const offers = await ok(["job", "offers", firstJob.slice(0, 8), "--wait", "15s"], { home });
  const selection = offers.selection as { complete: boolean; chosen: { role: string }[]; refused: unknown[] };
  assert.equal(selection.complete, true, JSON.stringify(offers));
  assert.deepEqual(
    selection.chosen.map(({ role }) => role),
    ["seat", "seat", "seat", "spare"],
  );
  assert.match(JSON.stringify(selection.refused), /asked too little/);
  await fails(["job", "watch", firstJob], { code: "JOB_NOT_OPEN", exit: 4 }, user);
  await fails(["job", "result", firstJob], { code: "JOB_NOT_SETTLED", exit: 3 }, user);
});

test("opening is asked for, survives a kill, and pays once when two do it at the same time", async () => {
  // They answered; stopped, they cannot settle the job before it was watched.
  for (const { process } of market.providers) process().signal("SIGSTOP");
  await fails(["job", "open", firstJob], { code: "USAGE_CONFIRM", exit: 2 }, user);

  const killed = startCommand(["job", "open", firstJob, "--yes"], user);
  await killed.says(/opening: escrow/);
  killed.child.kill("SIGKILL");
  await killed.ended();

  const both = await Promise.all([1, 2].map(() => ok(["job", "open", firstJob, "--yes"], user)));
  assert.ok(both.some(({ resumed }) => resumed === true));
  const [first, second] = both as { jobId: string; escrow: string; hash: string }[];
  assert.equal(first?.jobId, firstJob);
  assert.equal(first?.hash, second?.hash, "one transaction opened it");
  escrow = first?.escrow as string;
  // 3 seats at the highest price that may be due, 120, a twentieth of it for the spare, and of the ceiling for the carrier.
  assert.equal(escrow, "373500000");
  const { wallet, free } = (await ok(["account", "show"], user)) as { wallet: string; free: string };
  assert.equal(BigInt(wallet) + BigInt(free), 2_000_000_000n - BigInt(escrow));
  const { jobs } = (await ok(["job", "list"], user)) as { jobs: { stage: string }[] };
  assert.deepEqual(
    jobs.map(({ stage }) => stage),
    ["opened"],
  );
});

test("Ctrl-C leaves the job running and says how to come back; the next watch goes to the end", async () => {
  const watching = startCommand(["job", "watch", firstJob], user);
  await watching.says(/… committing/);
  watching.child.kill("SIGINT");
  const { code, stderr } = await watching.ended();
  assert.equal(code, 130, stderr);
  assert.match(stderr, new RegExp(`INTERRUPTED: Stopped. The job goes on.*quorate job watch ${firstJob}`));
  await fails(["job", "settle", firstJob], { code: "JOB_NOT_SETTLEABLE", exit: 3 }, user);

  for (const { process } of market.providers) process().signal("SIGCONT");
  const view = await ok(["job", "watch", firstJob], user);
  assert.equal(view.statusName, "accepted");
  assert.equal((view.panel as unknown[]).length, 4);
  assert.equal((view.money as { escrow: string }).escrow, escrow);
  assert.deepEqual(await ok(["job", "settle", firstJob], user), { jobId: firstJob, status: "accepted" });
});

test("the result goes to a file or to standard output, nothing else beside it", async () => {
  const file = join(files, "the result.json");
  const fetched = await ok(["job", "result", firstJob, "--out", file], user);
  assert.equal(fetched.jobId, firstJob);
  assert.match(fetched.resultHash as string, HEX32);
  assert.match(fetched.from as string, ADDRESS);
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), RESULT);
  const piped = await quorate(["job", "result", firstJob], user);
  assert.equal(piped.code, 0, piped.stderr);
  assert.deepEqual(piped.stdout, readFileSync(file));
  const { bytes } = await ok(["job", "result", firstJob], user);
  assert.equal(bytes, `0x${readFileSync(file).toString("hex")}`);
  const into = await fails(["job", "result", firstJob, "--out", files], { code: "FILE_UNUSABLE", exit: 2 }, user);
  assert.match(into.message, /it is a directory/);
});

test("a provider is made: key, policy, bond, limits of its agent", async () => {
  await fails(["provider", "status"], { code: "CONFIG_NO_PROVIDER", exit: 2 }, provider);
  await addNetwork(provider);
  const { address: account } = (await ok(["account", "new", "fennel"], provider)) as { address: Address };
  const made = await ok(["provider", "init", "--name", "Fennel Farm", "--price", "50", "--max-bond", "200"], provider);
  assert.equal(made.provider, account);
  assert.match(made.agent as string, ADDRESS);

  const policyFile = made.policy as string;
  const policy = JSON.parse(readFileSync(policyFile, "utf8")) as { panel: { known: unknown[] } };
  policy.panel.known = market.providers.map(({ name, provider }) => ({ organization: name, providers: [provider] }));
  writeFileSync(policyFile, JSON.stringify(policy, null, 2));

  await fund(account, "5", "1000");
  await fund(made.agent as Address, "5");
  const deposited = await ok(["provider", "deposit", "1000"], provider);
  assert.equal(deposited.amount, "1000000000");
  await ok(["account", "new", "other"], provider);
  const foreign = ["provider", "deposit", "1", "--account", "other"];
  await fails(foreign, { code: "USAGE_WRONG_KEY", exit: 2 }, provider);
  const added = await ok(["provider", "agent", "add", "--max-bond", "200"], provider);
  assert.equal(added.agent, made.agent);

  const status = await ok(["provider", "status"], provider);
  assert.equal(status.provider, account);
  assert.equal(status.running, undefined);
  assert.deepEqual(status.account, { free: "1000000000", locked: "0" });
  assert.equal((status.authorization as { maxBondPerSeat: string }).maxBondPerSeat, "200000000");
});

let agent: Running;
let secondJob: Hex;

test("the agent runs once a folder, answers about requests, and takes the cheapest seat of a job that runs in one go", async () => {
  agent = startCommand(["provider", "start", "--json"], provider);
  running.push(agent);
  await agent.says(/"ready":true.*\n/);
  const up = JSON.parse(agent.stdout()) as { ready: boolean; pid: number; healthUrl: string };
  assert.equal((await fetch(`${up.healthUrl}/health`)).status, 200);
  await fails(["provider", "start"], { code: "ALREADY_RUNNING", exit: 3 }, provider);
  await fails(["backup", join(folder, "of a running agent")], { code: "ALREADY_RUNNING", exit: 3 }, provider);
  const status = await ok(["provider", "status"], provider);
  assert.equal((status.running as { pid: number }).pid, up.pid);

  await ok(["trust", "allow", status.provider as string, "--organization", "Fennel Farm"], user);
  const out = join(folder, "second.json");
  // All six answer; a panel that is full earlier would be dearer.
  const run = await ok(["job", "run", ...work(), ...WISHES, "--offers", "6", "--yes", "--out", out], user);
  secondJob = run.jobId as Hex;
  assert.equal(run.file, out);
  assert.deepEqual(JSON.parse(readFileSync(out, "utf8")), RESULT);
  const view = (await ok(["job", "watch", secondJob], user)) as {
    panel: { provider: string; role: string; price: string; paid: string }[];
  };
  const own = view.panel.find(({ provider }) => provider === status.provider);
  assert.deepEqual([own?.role, own?.price, own?.paid], ["seat", "50000000", "50000000"]);
  const later = await ok(["provider", "status"], provider);
  assert.equal((later.account as { free: string }).free, "1050000000");
});

test("a provider asks what its policy says of a request, and what became of a job", async () => {
  const { jobId } = (await ok(["job", "request", ...work(), "--price", "60", "--commit-window", "10m"], user)) as {
    jobId: string;
  };
  const taken = await ok(["provider", "would-take", jobId.slice(0, 12)], provider);
  assert.equal(taken.takes, true, JSON.stringify(taken));
  assert.equal(taken.price, "50000000");
  const { jobId: cheap } = (await ok(["job", "request", ...work(), "--price", "40"], user)) as { jobId: string };
  const refused = await ok(["provider", "would-take", cheap], provider);
  assert.equal(refused.takes, false);
  assert.ok((refused.reasons as { code: string }[]).length > 0);
  await fails(["provider", "would-take", `0x${"ab".repeat(32)}`], { code: "JOB_UNKNOWN", exit: 4 }, provider);

  const explained = await ok(["provider", "explain", secondJob], provider);
  assert.equal(explained.jobId, secondJob);
  assert.match(explained.summary as string, /paid its price/);
});

test("the agent is stopped from another process, revoked, and explains its jobs afterwards too", async () => {
  assert.equal((await ok(["provider", "stop"], provider)).stopped, true);
  const { code, stdout, stderr } = await agent.ended();
  assert.equal(code, 0, stderr);
  assert.equal(stdout.toString("utf8").split("\n").length, 2, "one line, at the start");
  assert.deepEqual(await ok(["provider", "stop"], provider), { stopped: false });
  assert.match((await ok(["provider", "explain", secondJob], provider)).summary as string, /paid its price/);
  const validUntil = async (): Promise<number> =>
    ((await ok(["provider", "status"], provider)) as { authorization: { validUntil: number } }).authorization
      .validUntil;
  const before = await validUntil();
  await ok(["provider", "agent", "revoke"], provider);
  const ended = await validUntil();
  assert.ok(ended < before && ended > 0, "an authorization in force ends when it is revoked, not earlier");
});

test("a relay runs for the network's market until it is asked to end, one a folder", async () => {
  const relay = startCommand(["relay", "start", "--port", "0", "--data", join(folder, "relay"), "--json"], user);
  running.push(relay);
  // The log on standard error names the address too; the result is the line that begins with it.
  const [line] = await relay.says(/^\{"url":.*\}\n/m);
  const { url } = JSON.parse(line) as { url: string };
  const info = (await (await fetch(`${url}/v1/info`)).json()) as { markets: { market: string }[] };
  assert.equal(info.markets[0]?.market.toLowerCase(), market.deployment.market.toLowerCase());
  const second = ["relay", "start", "--port", "0", "--data", join(folder, "relay")];
  await fails(second, { code: "ALREADY_RUNNING", exit: 3 }, user);
  const taken = ["relay", "start", "--port", new URL(url).port, "--data", join(folder, "relay 2")];
  await fails(taken, { code: "PORT_IN_USE", exit: 3 }, user);
  relay.child.kill("SIGTERM");
  assert.equal((await relay.ended()).code, 0);
});

test("a backup brings everything back in another folder, and is refused when it is damaged", async () => {
  const copy = join(folder, "copy of the user");
  const saved = await ok(["backup", copy], user);
  assert.ok(Object.keys(saved.files as object).includes(`jobs/${firstJob}.json`));
  await fails(["backup", copy], { code: "FILE_EXISTS", exit: 2 }, user);
  const restored = { ...user, home: join(folder, "restored user") };
  assert.equal((await ok(["restore", copy], restored)).home, restored.home);
  const out = join(folder, "again.json");
  await ok(["job", "result", firstJob.slice(0, 10), "--out", out], restored);
  assert.deepEqual(JSON.parse(readFileSync(out, "utf8")), RESULT);
  await fails(["restore", copy], { code: "FILE_EXISTS", exit: 2 }, restored);
  writeFileSync(join(copy, "trust.json"), "{}");
  const damaged = { ...user, home: join(folder, "never") };
  await fails(["restore", copy], { code: "BACKUP_INVALID", exit: 2 }, damaged);
  assert.equal(existsSync(damaged.home), false);
});

test("what is free is withdrawn, to the last unit", async () => {
  const before = (await ok(["account", "show"], user)) as { wallet: string; free: string };
  await ok(["account", "withdraw", "all"], user);
  const { wallet, free } = (await ok(["account", "show"], user)) as { wallet: string; free: string };
  assert.equal(free, "0");
  assert.equal(BigInt(wallet), BigInt(before.wallet) + BigInt(before.free));
  const onChain = await market.client.readContract({
    address: market.deployment.token,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [address],
  });
  assert.equal(BigInt(wallet), onChain);
});

test("jobs that are unknown, ambiguous or of a damaged file are told apart", async () => {
  await fails(["job", "watch", `0x${"ab".repeat(32)}`], { code: "JOB_UNKNOWN", exit: 4 }, user);
  await fails(["job", "open", `0x${"ab".repeat(32)}`, "--yes"], { code: "JOB_UNKNOWN", exit: 4 }, user);
  const twin = `${firstJob.slice(0, 20)}${"0".repeat(46)}`;
  writeFileSync(join(home, "jobs", `${twin}.json`), "garbage");
  const both = await fails(["job", "result", firstJob.slice(0, 20)], { code: "JOB_AMBIGUOUS", exit: 4 }, user);
  assert.match(both.message, new RegExp(firstJob));
  const listed = (await ok(["job", "list"], user)) as { jobs: unknown[]; damaged: { jobId: string }[] };
  assert.equal(listed.jobs.length, 4);
  assert.deepEqual(
    listed.damaged.map(({ jobId }) => jobId),
    [twin],
  );
  await fails(["job", "result", twin], { code: "KEY_STORE_DAMAGED", exit: 2 }, user);
  rmSync(join(home, "jobs", `${twin}.json`));
});

test("a reader that goes away ends the command without a stack", async () => {
  const watching = startCommand(["relay", "start", "--port", "0", "--data", join(folder, "relay 3")], user);
  running.push(watching);
  watching.child.stdout.destroy();
  const early = startCommand(["account", "list"], user);
  early.child.stdout.destroy();
  const { stderr } = await early.ended();
  assert.doesNotMatch(stderr, /\n\s+at |EPIPE/);
  const ended = await watching.ended();
  assert.doesNotMatch(ended.stderr, /\n\s+at |EPIPE/);
});

test("the local market outlives all of this: nobody died", async () => {
  assert.deepEqual(market.casualties(), []);
  const next = await until(async () => (await market.client.getBlockNumber()) > 0n, { timeoutMs: 30_000 });
  assert.equal(next, true);
  assert.ok(oneLine(await quorate(["--json", "network", "list"], user)));
});
