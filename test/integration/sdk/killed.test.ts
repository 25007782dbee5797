import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { escrowOf, type Hex, termsOf } from "@quorate/core";
import { getJob, type MarketClient } from "@quorate/sdk";
import { fileKeyStore } from "@quorate/sdk/node";
import { assertCode, until } from "@quorate/testkit";
import { createPublicClient, createWalletClient, custom, http } from "viem";
import { memoryRelays } from "../../../packages/sdk/src/testing/memoryRelays.ts";
import { type Chain, collect, requesterOf, smallPackage, startChain, temporaryFolder, wishes } from "./fixture.ts";
import { scriptedProviders } from "./scriptedProvider.ts";

const FUNDS = 1_000_000_000n;

describe("a requester that dies while it opens a job pays once", { timeout: 120_000 }, () => {
  let chain: Chain;

  before(async () => {
    chain = await startChain();
    await chain.mint(chain.account(1).address, FUNDS);
  });

  after(() => chain?.stop());

  const txpool = async (): Promise<number> => {
    const status = (await chain.test.request({ method: "txpool_status" } as never)) as { pending: Hex };
    return Number(status.pending);
  };

  /** Runs the child up to its broadcast and kills it there. */
  async function killAtBroadcast(t: TestContext): Promise<{ jobId: Hex; directory: string; balance: bigint }> {
    const directory = await temporaryFolder(t);
    t.after(() => chain.test.setAutomine(true));
    const child = spawn(
      process.execPath,
      [
        fileURLToPath(new URL("./killedRequester.ts", import.meta.url)),
        chain.rpcUrl,
        chain.domain.market,
        chain.token,
        directory,
      ],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const exited = once(child, "exit");
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const ready = until(() => (/ready (0x[0-9a-f]{64})/.exec(output)?.[1] ?? false) as Hex | false, {
      timeoutMs: 30_000,
      what: "the requester to be ready",
    });
    const jobId = await Promise.race([ready, exited.then(() => assert.fail("the requester ended too early"))]);
    const balance = await chain.balanceOf(chain.account(1).address);
    await chain.test.setAutomine(false);
    child.stdin.write("go\n");
    await until(async () => (await txpool()) === 1, { timeoutMs: 20_000, what: "the broadcast" });
    child.kill("SIGKILL");
    await exited;
    assert.ok(!output.includes("opened"), "it died before it saw the receipt");
    return { jobId, directory, balance };
  }

  async function escrowIn(directory: string, jobId: Hex): Promise<bigint> {
    const record = await fileKeyStore({ directory }).get(jobId);
    assert.ok(record?.selection);
    return escrowOf(termsOf(record.request, record.selection.spares, record.selection.offers));
  }

  test("when the transaction was mined meanwhile, the job is found open", async (t) => {
    const { jobId, directory, balance } = await killAtBroadcast(t);
    await chain.test.mine({ blocks: 1 });
    await chain.test.setAutomine(true);
    const requester = requesterOf(chain, memoryRelays(chain.domain), [], { keyStore: fileKeyStore({ directory }) });
    const opened = await requester.openJob(jobId);
    const escrow = await escrowIn(directory, jobId);
    assert.equal(opened.resumed, true);
    assert.equal(opened.escrow, escrow);
    const receipt = await chain.public.getTransactionReceipt({ hash: opened.hash as Hex });
    assert.equal(receipt.status, "success");
    assert.equal(balance - (await chain.balanceOf(chain.account(1).address)), escrow);
  });

  test("when it is still pending, the same transaction is waited for", async (t) => {
    const { jobId, directory, balance } = await killAtBroadcast(t);
    const requester = requesterOf(chain, memoryRelays(chain.domain), [], { keyStore: fileKeyStore({ directory }) });
    assert.equal((await requester.resume(jobId)).stage, "opening");
    const opening = requester.openJob(jobId);
    await chain.test.mine({ blocks: 1 });
    const opened = await opening;
    await chain.test.setAutomine(true);
    assert.equal(opened.resumed, true);
    const stored = await fileKeyStore({ directory }).get(jobId);
    assert.deepEqual(
      stored?.transactions.map(({ hash }) => hash),
      [opened.hash],
      "nothing new was signed",
    );
    assert.equal(balance - (await chain.balanceOf(chain.account(1).address)), await escrowIn(directory, jobId));
  });

  /** A client whose node loses messages of one kind on the way. */
  function lossyClient(lose: { request?: string; reply?: string }): MarketClient {
    const inner = http(chain.rpcUrl, { retryCount: 0 })({ chain: chain.public.chain as never });
    const transport = custom(
      {
        async request(args: { method: string; params?: unknown }) {
          if (args.method === lose.request) throw new TypeError("connection reset");
          const reply = await inner.request(args as never);
          if (args.method === lose.reply) throw new TypeError("connection reset");
          return reply;
        },
      },
      { retryCount: 0 },
    );
    const chainOf = chain.public.chain as NonNullable<typeof chain.public.chain>;
    return {
      public: createPublicClient({ chain: chainOf, transport, pollingInterval: 20, cacheTime: 0 }),
      wallet: createWalletClient({ account: chain.account(1), chain: chainOf, transport }),
      ...chain.domain,
    };
  }

  async function prepared(t: TestContext): Promise<{
    relays: ReturnType<typeof memoryRelays>;
    keyStore: ReturnType<typeof fileKeyStore>;
    jobId: Hex;
    selection: Awaited<ReturnType<ReturnType<typeof requesterOf>["selectOffers"]>>;
    options: readonly [readonly Hex[], { keyStore: ReturnType<typeof fileKeyStore> }];
  }> {
    const relays = memoryRelays(chain.domain);
    const providers = await scriptedProviders(chain, relays, [5, 6, 7]);
    const keyStore = fileKeyStore({ directory: await temporaryFolder(t) });
    const options = [providers.map(({ address }) => address), { keyStore }] as const;
    const requester = requesterOf(chain, relays, ...options);
    const job = await requester.requestJob({ prepared: smallPackage(), wishes: wishes(chain, { calloutBps: 1 }) });
    for (const provider of providers) await provider.offer(job);
    const selection = await requester.selectOffers(job.jobId, await collect(requester, job.jobId, 3));
    return { relays, keyStore, jobId: job.jobId, selection, options };
  }

  test("when the broadcast never arrived, the stored transaction is sent again", async (t) => {
    const { relays, keyStore, jobId, selection, options } = await prepared(t);
    const balance = await chain.balanceOf(chain.account(1).address);
    const [trusted, rest] = options;
    const lossy = requesterOf(chain, relays, trusted, {
      ...rest,
      client: lossyClient({ request: "eth_sendRawTransaction" }),
    });
    await assertCode(lossy.openJob(jobId, selection, { timeoutMs: 300 }), "TRANSACTION_UNKNOWN");
    assert.equal((await getJob(chain.client(1), { jobId })).phase, "none");
    const opened = await requesterOf(chain, relays, trusted, rest).openJob(jobId, selection);
    const record = await keyStore.get(jobId);
    assert.equal(opened.resumed, true);
    assert.deepEqual(
      record?.transactions.map(({ hash }) => hash),
      [opened.hash],
    );
    assert.equal(balance - (await chain.balanceOf(chain.account(1).address)), opened.escrow);
  });

  test("when only the reply was lost, the receipt is found in the same call", async (t) => {
    const { relays, jobId, selection, options } = await prepared(t);
    const [trusted, rest] = options;
    const lossy = requesterOf(chain, relays, trusted, {
      ...rest,
      client: lossyClient({ reply: "eth_sendRawTransaction" }),
    });
    const opened = await lossy.openJob(jobId, selection);
    assert.equal(opened.resumed, false);
    assert.equal((await getJob(chain.client(1), { jobId })).phase, "open");
  });

  test("when another transaction took the nonce, the stored one is dead and a new one is sent", async (t) => {
    const { relays, keyStore, jobId, selection, options } = await prepared(t);
    const [trusted, rest] = options;
    const lossy = requesterOf(chain, relays, trusted, {
      ...rest,
      client: lossyClient({ request: "eth_sendRawTransaction" }),
    });
    await assertCode(lossy.openJob(jobId, selection, { timeoutMs: 300 }), "TRANSACTION_UNKNOWN");
    const me = chain.account(1);
    const wallet = chain.client(1).wallet;
    const hash = await wallet?.sendTransaction({
      account: me,
      chain: chain.public.chain ?? null,
      to: me.address,
      value: 1n,
    });
    await chain.public.waitForTransactionReceipt({ hash: hash as Hex });
    const balance = await chain.balanceOf(me.address);
    const opened = await requesterOf(chain, relays, trusted, rest).openJob(jobId);
    assert.equal(opened.resumed, false);
    assert.equal((await keyStore.get(jobId))?.transactions.length, 2);
    assert.equal(balance - (await chain.balanceOf(me.address)), opened.escrow);
  });

  test("a deposit whose reply was lost is not paid twice", async (t) => {
    const { relays, jobId, selection, options } = await prepared(t);
    const [trusted, rest] = options;
    const balance = await chain.balanceOf(chain.account(1).address);
    const controller = new AbortController();
    // Stops right after the deposit was stored, before it is sent.
    const { keyStore } = rest;
    const stopping = {
      ...keyStore,
      async put(record: Parameters<typeof keyStore.put>[0]) {
        await keyStore.put(record);
        if (record.transactions.at(-1)?.purpose === "deposit") controller.abort(new Error("power cut"));
      },
    };
    const first = requesterOf(chain, relays, trusted, { keyStore: stopping });
    await assert.rejects(
      first.openJob(jobId, selection, { funding: "deposit", signal: controller.signal }),
      /power cut/,
    );
    const opened = await requesterOf(chain, relays, trusted, rest).openJob(jobId, undefined, { funding: "deposit" });
    const record = await keyStore.get(jobId);
    assert.deepEqual(
      record?.transactions.map(({ purpose }) => purpose),
      ["approve", "deposit", "open"],
      "the stored deposit was sent, and no other",
    );
    assert.equal(balance - (await chain.balanceOf(chain.account(1).address)), opened.escrow);
  });

  test("a wallet whose answer never came is not asked again until its owner has looked", async (t) => {
    const { relays, keyStore, jobId, selection, options } = await prepared(t);
    const [trusted, rest] = options;
    const good = chain.client(1);
    const me = chain.account(1).address;
    const chainOf = chain.public.chain as NonNullable<typeof chain.public.chain>;
    const silent = {
      ...good,
      wallet: createWalletClient({
        account: me,
        chain: chainOf,
        transport: custom(
          {
            async request(args: { method: string }) {
              if (args.method === "eth_chainId") return "0x7a69";
              throw new TypeError("the window was closed");
            },
          },
          { retryCount: 0 },
        ),
      }),
    };
    const by = requesterOf(chain, relays, trusted, { ...rest, client: silent });
    await assertCode(by.openJob(jobId, selection, { funding: "deposit" }), "TRANSACTION_UNKNOWN");
    assert.notEqual((await keyStore.get(jobId))?.askedWalletAt, undefined);
    assert.equal((await by.resume(jobId)).stage, "opening");
    const again = requesterOf(chain, relays, trusted, rest);
    await assertCode(again.openJob(jobId, selection), "TRANSACTION_UNKNOWN");
    const opened = await again.openJob(jobId, selection, { nothingIsPending: true });
    assert.equal(opened.resumed, false);
    assert.equal((await keyStore.get(jobId))?.askedWalletAt, undefined);
  });
});
