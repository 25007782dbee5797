// A contract account whose wallet sends several calls as one (EIP-5792), with what can happen to its answers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { escrowOf, termsOf } from "@quorate/core";
import { canBatchCalls, getAccount, getJob, type MarketClient, memoryKeyStore, type Requester } from "@quorate/sdk";
import { assertCode, until } from "@quorate/testkit";
import {
  type Abi,
  type Address,
  createWalletClient,
  custom,
  encodeFunctionData,
  type Hex,
  http,
  numberToHex,
} from "viem";
import { memoryRelays } from "../../../packages/sdk/src/testing/memoryRelays.ts";
import { type Chain, collect, requesterOf, smallPackage, startChain, wishes } from "./fixture.ts";
import { type ScriptedProvider, scriptedProvider } from "./scriptedProvider.ts";

type Call = { readonly to: Address; readonly data: Hex };

/** What the wallet does with the next batch. */
type Mood = "sends" | "sends, answer lost" | "drops, answer lost" | "declines" | "cannot" | "names it" | "undone";

const artifact = JSON.parse(
  readFileSync(
    fileURLToPath(
      new URL("../../../artifacts/test/contracts/harness/ContractAccount.sol/ContractAccount.json", import.meta.url),
    ),
    "utf8",
  ),
) as { abi: Abi; bytecode: Hex };

describe("a wallet that batches calls", { timeout: 120_000 }, () => {
  let chain: Chain;
  let relays: ReturnType<typeof memoryRelays>;
  let providers: ScriptedProvider[];
  let account: Address;
  let client: MarketClient;
  let requester: Requester;
  let mood: Mood = "sends";
  let knows = true;
  /** Questions about a batch that get no answer. */
  let stammers = 0;
  /** Questions about a batch. */
  let statusAsked = 0;
  let prompts: string[] = [];

  before(async () => {
    chain = await startChain();
    relays = memoryRelays(chain.domain);
    providers = [];
    for (const index of [2, 3, 4]) providers.push(await scriptedProvider(chain, relays, index));
    const owner = createWalletClient({
      account: chain.account(1),
      chain: chain.public.chain,
      transport: http(chain.rpcUrl),
    });
    const hash = await owner.deployContract({ ...artifact, chain: null, args: [owner.account.address] });
    account = (await chain.public.waitForTransactionReceipt({ hash })).contractAddress as Address;
    await chain.mint(account, 1_000_000_000n);

    const batches = new Map<string, Hex>();
    const act = (functionName: string, args: readonly unknown[]): Promise<Hex> =>
      owner.sendTransaction({
        chain: null,
        to: account,
        data: encodeFunctionData({ abi: artifact.abi, functionName, args }),
        gas: 8_000_000n,
      });
    const failure = (code: number): Error => Object.assign(new Error(`code ${code}`), { code });
    const sendCalls = async ({ id, calls }: { id: string; calls: readonly Call[] }): Promise<unknown> => {
      if (mood === "declines") throw failure(4001);
      if (mood === "cannot") throw failure(5760);
      if (mood === "drops, answer lost") throw new Error("closed");
      const sent = mood === "undone" ? [...calls, { to: chain.token, data: "0xffffffff" }] : calls;
      const name = mood === "names it" ? `own-${id}` : id;
      batches.set(name, await act("executeAll", [sent.map(({ to }) => to), sent.map(({ data }) => data)]));
      if (mood === "sends, answer lost") throw new Error("closed");
      return { id: name };
    };
    const provider = {
      async request({ method, params }: { method: string; params?: unknown }): Promise<unknown> {
        const [first] = (params ?? []) as readonly unknown[];
        switch (method) {
          case "wallet_getCapabilities":
            return { [numberToHex(chain.domain.chainId)]: { atomic: { status: "supported" } } };
          case "wallet_sendCalls":
            prompts.push(method);
            return await sendCalls(first as Parameters<typeof sendCalls>[0]);
          case "wallet_getCallsStatus": {
            statusAsked += 1;
            if (stammers-- > 0) throw new Error("closed");
            const hash = batches.get(first as string);
            if (hash === undefined || !knows) throw failure(5730);
            const receipt = await chain.public.request({ method: "eth_getTransactionReceipt", params: [hash] });
            const status = receipt === null ? 100 : receipt.status === "0x1" ? 200 : 500;
            return {
              version: "2.0.0",
              id: first,
              chainId: "0x7a69",
              atomic: true,
              status,
              receipts: receipt === null ? [] : [receipt],
            };
          }
          case "eth_sendTransaction": {
            prompts.push(method);
            const { to, data } = first as Call;
            return await act("execute", [to, data]);
          }
          default:
            return await chain.public.request({ method, params } as never);
        }
      },
    };
    const wallet = createWalletClient({ account, chain: chain.public.chain, transport: custom(provider) });
    client = { public: chain.public, wallet, ...chain.domain };
    const trusted = providers.map(({ address }) => address);
    requester = requesterOf(chain, relays, trusted, { client, keyStore: memoryKeyStore() });
  });
  after(() => chain?.stop());
  beforeEach(() => {
    mood = "sends";
    knows = true;
    stammers = 0;
    statusAsked = 0;
    prompts = [];
  });

  /** A published request with offers; the prompts of its announcement are forgotten. */
  async function request(): Promise<{
    jobId: Hex;
    open: (options?: { nothingIsPending?: boolean }) => ReturnType<Requester["openJob"]>;
    /** Base units that left the wallet's tokens since the request. */
    spent: () => Promise<bigint>;
    escrow: () => Promise<bigint>;
  }> {
    const { jobId } = await requester.requestJob({ prepared: smallPackage(), wishes: wishes(chain), via: "chain" });
    for (const provider of providers) await provider.offer((await requester.resume(jobId)).record);
    const selection = await requester.selectOffers(jobId, await collect(requester, jobId, 3));
    const had = await chain.balanceOf(account);
    prompts = [];
    return {
      jobId,
      open: (options = {}) => requester.openJob(jobId, selection, { timeoutMs: 20_000, ...options }),
      spent: async () => had - (await chain.balanceOf(account)),
      escrow: async () => {
        const { record } = await requester.resume(jobId);
        assert.ok(record.selection);
        return escrowOf(termsOf(record.request, record.selection.spares, record.selection.offers));
      },
    };
  }

  test("is known by its capabilities; a local account and a wallet that says nothing are not", async () => {
    assert.equal(await canBatchCalls(client), true);
    assert.equal(await canBatchCalls(chain.client(2)), false);
    const { wallet: _, ...reader } = client;
    assert.equal(await canBatchCalls(reader), false);
    const transport = http(chain.rpcUrl, { retryCount: 0 });
    const mute = createWalletClient({ account, chain: chain.public.chain, transport });
    assert.equal(await canBatchCalls({ ...client, wallet: mute }), false);
  });

  test("is asked once for approval, deposit and opening; the opening is stored with its transaction", async () => {
    for (const next of ["sends", "names it"] as const) {
      mood = next;
      const job = await request();
      const { hash, resumed } = await job.open();
      assert.deepEqual(prompts, ["wallet_sendCalls"]);
      assert.equal(resumed, false);
      assert.equal(await job.spent(), await job.escrow());
      const { record, stage } = await requester.resume(job.jobId);
      assert.equal(stage, "open");
      assert.deepEqual(
        record.transactions.map((sent) => [sent.purpose, sent.hash]),
        [["open", hash]],
      );
      assert.equal(record.askedWalletAt, undefined);
      assert.equal(record.askedBatch, undefined);
    }
  });

  test("that sent and lost its answer tells later what it sent, and nothing is sent twice", async () => {
    mood = "sends, answer lost";
    const job = await request();
    await chain.test.setAutomine(false);
    let opened: Awaited<ReturnType<typeof job.open>>;
    try {
      await assertCode(job.open(), "TRANSACTION_UNKNOWN");
      const { record, stage } = await requester.resume(job.jobId);
      assert.equal(stage, "opening");
      assert.notEqual(record.askedBatch, undefined);
      // The chain knows nothing of the job yet: only the wallet does.
      const opening = job.open();
      opening.catch(() => {});
      await until(() => statusAsked > 0, { what: "the wallet to be asked what became of the batch" });
      await chain.test.mine({ blocks: 1 });
      opened = await opening;
    } finally {
      await chain.test.setAutomine(true);
    }
    assert.equal(opened.resumed, true);
    assert.equal((await getJob(client, { jobId: job.jobId })).phase, "open");
    const { record } = await requester.resume(job.jobId);
    assert.deepEqual(
      record.transactions.map((sent) => [sent.purpose, sent.hash]),
      [["open", opened.hash]],
    );
    assert.equal(record.askedBatch, undefined);
    assert.deepEqual(prompts, ["wallet_sendCalls"]);
    assert.equal(await job.spent(), await job.escrow());
  });

  test("that does not answer at once what became of a batch is asked once more", async () => {
    stammers = 2;
    const job = await request();
    assert.equal((await job.open()).resumed, false);
    assert.deepEqual(prompts, ["wallet_sendCalls"]);
  });

  test("that knows nothing of a batch is asked again only when its owner looked", async () => {
    mood = "drops, answer lost";
    const job = await request();
    await assertCode(job.open(), "TRANSACTION_UNKNOWN");
    mood = "sends";
    await assertCode(job.open(), "TRANSACTION_UNKNOWN");
    assert.equal(prompts.length, 1);
    await job.open({ nothingIsPending: true });
    assert.equal(prompts.length, 2);
    assert.equal(await job.spent(), await job.escrow());
  });

  test("that forgot what it sent cannot make the job be paid twice", async () => {
    mood = "sends, answer lost";
    const job = await request();
    await assertCode(job.open(), "TRANSACTION_UNKNOWN");
    knows = false;
    // The chain has the job, whatever wallet and owner say.
    assert.equal((await job.open({ nothingIsPending: true })).resumed, true);
    assert.equal(prompts.length, 1);
    assert.equal(await job.spent(), await job.escrow());
  });

  test("whose owner declines has sent nothing, and may be asked again", async () => {
    mood = "declines";
    const job = await request();
    await assertCode(job.open(), "WALLET_REFUSED");
    const { record, stage } = await requester.resume(job.jobId);
    assert.equal(stage, "published");
    assert.equal(record.askedBatch, undefined);
    mood = "sends";
    await job.open();
    assert.equal(prompts.length, 2);
  });

  test("that says it cannot after all is asked for one call after the other", async () => {
    mood = "cannot";
    const job = await request();
    await job.open();
    assert.deepEqual(prompts, ["wallet_sendCalls", ...Array(3).fill("eth_sendTransaction")]);
    assert.equal(await job.spent(), await job.escrow());
  });

  test("whose batch was undone left no money anywhere, and the next attempt begins anew", async () => {
    mood = "undone";
    const job = await request();
    const { free } = await getAccount(client, { token: chain.token, account });
    await assertCode(job.open(), "TRANSACTION_REVERTED");
    assert.equal(await job.spent(), 0n);
    assert.equal((await getAccount(client, { token: chain.token, account })).free, free);
    mood = "sends";
    await job.open();
    assert.equal(await job.spent(), await job.escrow());
  });
});
