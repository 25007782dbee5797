import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { viemBlockSource } from "@quorate/chain";
import {
  deriveResultKey,
  encodeFailure,
  escrowOf,
  FailureCause,
  generateEncryptionKeyPair,
  type Hex,
  JobStatus,
  type Outcome,
  openingOf,
  Role,
  termsOf,
  utf8,
  Verdict,
  type Vote,
} from "@quorate/core";
import {
  announceJob,
  buildHistory,
  type EncodedCall,
  getAccount,
  getJob,
  memoryKeyStore,
  parseTrustPolicy,
  planReplication,
  type Requester,
  readJobs,
  revealJob,
  settleJob,
  verifyResult,
} from "@quorate/sdk";
import { assertCode, until } from "@quorate/testkit";
import { memoryRelays } from "../../../packages/sdk/src/testing/memoryRelays.ts";
import { bytesToHex, getAddress, hexToBytes } from "viem";
import {
  type Chain,
  collect,
  PRICE,
  requesterOf,
  smallPackage,
  startChain,
  WINDOW,
  watchUntil,
  wishes,
} from "./fixture.ts";
import { placed, placeOf, RESULT, type ScriptedProvider, scriptedProvider } from "./scriptedProvider.ts";

describe("a requester's client on a real chain", { timeout: 240_000 }, () => {
  let chain: Chain;
  let relays: ReturnType<typeof memoryRelays>;
  let providers: ScriptedProvider[];
  let requester: Requester;
  const me = (): Hex => chain.account(1).address;

  before(async () => {
    chain = await startChain();
    relays = memoryRelays(chain.domain);
    providers = [];
    for (const index of [2, 3, 4, 5]) providers.push(await scriptedProvider(chain, relays, index));
    await chain.mint(me(), 1_000_000_000n);
    requester = requesterOf(
      chain,
      relays,
      providers.map(({ address }) => address),
    );
  });

  after(async () => {
    await chain?.stop();
  });

  /** Requests and opens a job with the first providers. */
  async function openJob(
    options: { by?: Requester; panel?: readonly ScriptedProvider[]; wish?: Record<string, unknown> } = {},
  ): Promise<{
    jobId: Hex;
    terms: ReturnType<typeof termsOf>;
    record: Awaited<ReturnType<Requester["resume"]>>["record"];
    key: Uint8Array;
  }> {
    const by = options.by ?? requester;
    const panel = options.panel ?? providers.slice(0, 3);
    const job = await by.requestJob({ prepared: smallPackage(), wishes: wishes(chain, options.wish) });
    for (const provider of panel) await provider.offer(job);
    const received = await collect(by, job.jobId, panel.length);
    const selection = await by.selectOffers(job.jobId, received);
    await by.openJob(job.jobId, selection);
    const { record } = await by.resume(job.jobId);
    const stored = record.selection;
    assert.ok(stored);
    return {
      jobId: job.jobId,
      record,
      terms: termsOf(record.request, stored.spares, stored.offers),
      key: hexToBytes(record.packageKey),
    };
  }

  /** Every provider commits to its vote, all open, the job settles. */
  async function settleWith(
    job: Awaited<ReturnType<typeof openJob>>,
    votes: readonly (readonly [ScriptedProvider, Uint8Array | "report", Outcome?])[],
  ): Promise<void> {
    const made: [number, Vote][] = [];
    for (const [provider, result, outcome] of votes) {
      const place = placeOf(job.record, provider.address);
      const vote = provider.vote(job.jobId, job.key, result, outcome);
      await provider.commit(job.terms, place, vote);
      made.push([place, vote]);
    }
    await revealJob(chain.client(6), {
      jobId: job.jobId,
      terms: job.terms,
      commitments: placed(made, chain),
      openings: made.map(([place, vote]) => openingOf(place, vote)),
    });
  }

  test("a job runs from package to checked result, and every unit of money is accounted for", async () => {
    const before = await chain.balanceOf(me());
    const job = await openJob();
    const escrow = escrowOf(job.terms);
    assert.equal(before - (await chain.balanceOf(me())), escrow, "the escrow and nothing else left the wallet");
    const opened = job.record.transactions;
    assert.deepEqual(
      opened.map(({ purpose }) => purpose),
      ["open"],
      "funding and opening were one transaction",
    );
    for (const provider of providers.slice(0, 3)) {
      const wrap = job.record.selection?.offers[placeOf(job.record, provider.address)]?.keyWrap as Hex;
      assert.deepEqual(await provider.unwrap(job.jobId, wrap), job.key, "each provider opens its own key wrap");
    }
    assert.equal((await watchUntil(requester, job.jobId, () => true)).statusName, "committing");
    await assertCode(requester.fetchResult(job.jobId), "JOB_NOT_SETTLED");

    const liar = providers[2] as ScriptedProvider;
    await settleWith(job, [
      [providers[0] as ScriptedProvider, RESULT],
      [providers[1] as ScriptedProvider, RESULT],
      [liar, utf8("forty-three\n")],
    ]);
    const view = await watchUntil(requester, job.jobId, ({ status }) => status === JobStatus.Accepted);
    assert.deepEqual(
      view.panel.map(({ verdict }) => verdict),
      providers
        .slice(0, 3)
        .map(({ address }) => view.panel.find((seat) => seat.provider === address))
        .sort((a, b) => (a?.place ?? 0) - (b?.place ?? 0))
        .map((seat) => (seat?.provider === liar.address ? Verdict.Fault : Verdict.Aligned)),
    );
    assert.equal(view.money.paid, 1_800_000n);
    const { free } = await getAccount(chain.client(1), { token: chain.token, account: me() });
    assert.equal(free, escrow - 1_800_000n - job.terms.carrierFee);
    assert.equal(view.money.refunded, free);

    await (providers[1] as ScriptedProvider).deliver(
      { jobId: job.jobId, request: job.record.request },
      placeOf(job.record, (providers[1] as ScriptedProvider).address),
      RESULT,
    );
    const result = await requester.fetchResult(job.jobId, { timeoutMs: 20_000 });
    assert.deepEqual(result.bytes, RESULT);
    assert.equal(result.from, providers[1]?.address);
    const resultKey = bytesToHex(deriveResultKey(job.key, job.jobId));
    const reader = chain.client(1);
    assert.equal(await verifyResult(reader, { jobId: job.jobId, resultKey, result: bytesToHex(RESULT) }), true);
    assert.equal(await verifyResult(reader, { jobId: job.jobId, resultKey, result: "0x00" }), false);
    assert.equal((await requester.resume(job.jobId)).stage, "settled");
    const again = await requester.openJob(job.jobId);
    assert.equal(again.resumed, true, "opening a settled job again sends nothing");

    // The liar is on probation from now on: a shadow at most. The others go on with a provider less.
    providers.splice(2, 1);
  });
});
