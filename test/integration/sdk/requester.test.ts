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
  Outcome,
  openingOf,
  termsOf,
  utf8,
  Verdict,
  type Vote,
} from "@quorate/core";
import {
  buildHistory,
  deriveJobKeys,
  deriveRequesterSecret,
  getAccount,
  getJob,
  memoryKeyStore,
  type OpenedResult,
  openResult,
  parseTrustPolicy,
  planReplication,
  type Requester,
  readJobs,
  revealJob,
  verifyResult,
} from "@quorate/sdk";
import { assertCode, until } from "@quorate/testkit";
import { REQUESTS_TOPIC } from "@quorate/wire";
import { bytesToHex, getAddress, hexToBytes } from "viem";
import { memoryRelays } from "../../../packages/sdk/src/testing/memoryRelays.ts";
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
  const keyStore = memoryKeyStore();
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
      { keyStore },
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

  const panelOf = (): readonly ScriptedProvider[] => providers.slice(0, 3);

  test("forged, misdirected and unacceptable offers are refused by name, and none of them is seated", async () => {
    const job = await requester.requestJob({ prepared: smallPackage(), wishes: wishes(chain, { shadows: 1 }) });
    const [a, b, c] = panelOf() as [ScriptedProvider, ScriptedProvider, ScriptedProvider];
    const stranger = await scriptedProvider(chain, relays, 7);
    await a.offer(job, {}, { signer: b.agent }); // signed by somebody else's agent
    await b.offer(job, {}, { fields: { price: 1n } }); // altered after signing
    await c.offer(job, {}, { sealTo: generateEncryptionKeyPair().publicKey }); // sealed to another key
    await a.offer(job, { price: PRICE + 1n });
    await b.offer(job, { expiry: 5 });
    await c.offer(job, { provider: me() });
    await a.offer(job, { encryptionKey: `0x${"00".repeat(32)}` });
    await stranger.offer(job);
    const received = await collect(requester, job.jobId, 8);
    const told = received.map((offer) => (offer.kind === "offer" ? offer.faults.join() || "good" : offer.code));
    assert.deepEqual(told, [
      "BadSignature",
      "BadSignature",
      "OFFER_NOT_READABLE",
      "PriceAboveCeiling",
      "Expired",
      "ProviderIsRequester",
      "ZERO_SHARED_SECRET",
      "good",
    ]);
    assert.deepEqual(
      received.flatMap((offer) => (offer.kind === "offer" && offer.judgement.accepted ? [offer.sender] : [])),
      [],
    );
    const selection = await requester.selectOffers(job.jobId, received);
    assert.equal(selection.complete, false);
    assert.deepEqual(selection.chosen, []);
    assert.equal(selection.refused.length, 6);
    await assertCode(requester.openJob(job.jobId, selection), "SELECTION_INCOMPLETE");
    const diagnosis = await requester.diagnoseOffers(job.jobId, received);
    assert.equal(diagnosis[0]?.code, "ALL_OFFERS_REFUSED");
    assert.match(diagnosis[0]?.message ?? "", /not on the allow list/);
    assert.equal((await requester.resume(job.jobId)).stage, "published");
  });

  test("a provider that can no longer pay its bond is named before anything is paid", async () => {
    const poor = await scriptedProvider(chain, relays, 8, { deposit: 0n });
    const by = requesterOf(
      chain,
      relays,
      [...panelOf().slice(0, 2), poor].map(({ address }) => address),
    );
    const job = await by.requestJob({ prepared: smallPackage(), wishes: wishes(chain) });
    for (const provider of [...panelOf().slice(0, 2), poor]) await provider.offer(job);
    const received = await collect(by, job.jobId, 3);
    const judged = received.find((offer) => offer.kind === "offer" && offer.offer.provider === poor.address);
    assert.deepEqual(judged?.kind === "offer" && judged.faults, ["BondExceedsFree"]);
    const selection = await by.selectOffers(job.jobId, received);
    assert.equal(selection.complete, false);
    const insisting = {
      ...selection,
      complete: true,
      chosen: received.flatMap((offer) =>
        offer.kind === "offer" ? [{ offer: offer.offer, role: "seat" as const, reasons: [] }] : [],
      ),
    };
    const before = await chain.balanceOf(me());
    const error = await assertCode(by.openJob(job.jobId, insisting), "OFFERS_REFUSED");
    assert.equal(error.details?.providers, poor.address);
    assert.equal(error.details?.faults, "BondExceedsFree");
    assert.equal(await chain.balanceOf(me()), before);
  });

  test("two offers of one organization get one place", async () => {
    const [a, b, c] = panelOf() as [ScriptedProvider, ScriptedProvider, ScriptedProvider];
    const twin = await scriptedProvider(chain, relays, 9);
    const by = requesterOf(chain, relays, [
      { provider: a.address, organization: "Acme" },
      { provider: twin.address, organization: "Acme" },
      b.address,
      c.address,
    ]);
    const job = await by.requestJob({ prepared: smallPackage(), wishes: wishes(chain, { spares: 1 }) });
    for (const provider of [a, twin, b, c]) await provider.offer(job, provider === twin ? { price: 1n } : {});
    const selection = await by.selectOffers(job.jobId, await collect(by, job.jobId, 4));
    const chosen = selection.chosen.map(({ offer }) => offer.provider);
    assert.equal(selection.complete, true);
    assert.ok(chosen.includes(twin.address) && !chosen.includes(a.address));
    assert.match(selection.refused[0]?.reasons[0] ?? "", /organization Acme was preferred/);
    assert.match(selection.missing[0] ?? "", /0 of 1 spares/);
  });

  test("a smart account provides through ERC-1271, and refuses what it did not sign", async () => {
    // Runtime code that answers every call with the magic value of ERC-1271; the second one answers with zero.
    const account = getAddress("0x1271000000000000000000000000000000001271");
    await chain.test.setCode({ address: account, bytecode: "0x631626ba7e60e01b5f5260205ff3" });
    const smart = await scriptedProvider(chain, relays, 10, { account });
    const [a, b] = panelOf() as [ScriptedProvider, ScriptedProvider];
    const by = requesterOf(chain, relays, [a.address, b.address, account]);
    const job = await by.requestJob({ prepared: smallPackage(), wishes: wishes(chain) });
    for (const provider of [a, b, smart]) await provider.offer(job);
    const received = await collect(by, job.jobId, 3);
    const selection = await by.selectOffers(job.jobId, received);
    assert.equal(selection.complete, true, selection.missing.join());
    await chain.test.setCode({ address: account, bytecode: "0x5f5f5260205ff3" });
    assert.equal((await by.selectOffers(job.jobId, received)).complete, false);
    await chain.test.setCode({ address: account, bytecode: "0x631626ba7e60e01b5f5260205ff3" });
    await by.openJob(job.jobId, selection);
    assert.equal((await getJob(chain.client(1), { jobId: job.jobId })).phase, "open");
  });

  test("a package that no relay gives is never opened", async () => {
    const job = await requester.requestJob({ prepared: smallPackage(), wishes: wishes(chain) });
    for (const provider of panelOf()) await provider.offer(job);
    const selection = await requester.selectOffers(job.jobId, await collect(requester, job.jobId, 3));
    relays.faults.loseBlock = () => true;
    try {
      await assertCode(requester.openJob(job.jobId, selection), "PACKAGE_NOT_ON_RELAYS");
    } finally {
      delete relays.faults.loseBlock;
    }
    assert.equal((await getJob(chain.client(1), { jobId: job.jobId })).phase, "none");
  });

  test("what an interrupted request had stored is uploaded and published later", async (t) => {
    const keyStore = memoryKeyStore();
    const by = requesterOf(chain, relays, [], { keyStore });
    const prepared = smallPackage();
    t.after(() => {
      delete relays.faults.down;
    });
    relays.faults.down = true;
    await assertCode(by.requestJob({ prepared, wishes: wishes(chain) }), "RELAYS_UNREACHABLE");
    const [record] = await by.listJobs();
    assert.ok(record);
    assert.equal((await by.resume(record.jobId)).stage, "drafted");
    const diagnosis = await by.diagnoseOffers(record.jobId, []);
    assert.deepEqual(
      diagnosis.map(({ code }) => code),
      ["NO_RELAY_REACHABLE"],
    );
    delete relays.faults.down;
    await assertCode(by.continueRequest(record.jobId, { prepared: smallPackage("1") }), "PACKAGE_DIFFERS");
    await by.continueRequest(record.jobId, { prepared: smallPackage() });
    assert.equal((await by.listJobs())[0]?.packageCid, prepared.encrypted.cid, "the same files, the same blocks");
    assert.ok(await relays.getBlock(prepared.encrypted.cid));
    assert.equal((await by.resume(record.jobId)).stage, "published");
    assert.deepEqual(
      (await by.diagnoseOffers(record.jobId, [])).map(({ code }) => code),
      ["NO_PROFILES"],
    );
  });

  test("without offers the cause is named: nobody online, no such engine, a price below every asking price", async (t) => {
    const by = requesterOf(chain, relays, []);
    const { jobId } = await by.requestJob({ prepared: smallPackage(), wishes: wishes(chain) });
    const codes = async (): Promise<readonly string[]> => (await by.diagnoseOffers(jobId, [])).map(({ code }) => code);
    t.after(() => relays.profiles.splice(0));
    const now = Math.floor(Date.now() / 1000);
    const times = { createdAt: now, expiry: now + 600, signature: "0x" as const };
    const provider = panelOf()[0]?.address as Hex;
    const show = (engine: string, from: bigint, online: boolean): void => {
      const body = {
        name: "Example Lab",
        agents: [],
        engines: [{ name: engine, version: "0.32.0+1" }],
        endpoints: [],
        prices: [{ token: chain.token, from }],
      };
      const presence = online ? { presence: { provider, sender: provider, ...times } } : {};
      relays.profiles.splice(0, 1, { profile: { provider, body, ...times }, ...presence });
    };
    show("quickjs", 1n, false);
    assert.deepEqual(await codes(), ["NO_PROVIDER_ONLINE"]);
    show("wasi-p1", 1n, true);
    assert.deepEqual(await codes(), ["NO_ENGINE"]);
    show("quickjs", PRICE + 1n, true);
    assert.deepEqual(await codes(), ["PRICE_TOO_LOW"]);
    show("quickjs", 1n, true);
    assert.deepEqual(await codes(), ["NO_ANSWER_YET"]);
    const poor = requesterOf(chain, relays, [], { client: chain.client(11) });
    const asked = await poor.requestJob({ prepared: smallPackage(), wishes: wishes(chain) });
    const told = await poor.diagnoseOffers(asked.jobId, []);
    assert.equal(told[0]?.code, "REQUESTER_CANNOT_FUND");
  });

  test("a package that lies on fewer relays than asked for is not published", async () => {
    const before = relays.messages.length;
    const by = requesterOf(chain, relays, [], { leastRelays: 2 });
    const error = await assertCode(
      by.requestJob({ prepared: smallPackage(), wishes: wishes(chain) }),
      "PACKAGE_NOT_STORED",
    );
    assert.deepEqual(error.details, { found: 1, required: 2 });
    assert.equal(relays.messages.length, before);
    assert.equal((await by.resume((await by.listJobs())[0]?.jobId as Hex)).stage, "drafted");
  });

  test("keys that come from the wallet open the job without the key store that made it", async () => {
    const secret = await deriveRequesterSecret(chain.client(1));
    const by = requesterOf(chain, relays, [], { secret });
    const job = await by.requestJob({ prepared: smallPackage(), wishes: wishes(chain), nonce: 77n });
    const found = await deriveJobKeys(secret, job.request.nonce, chain.domain);
    assert.equal(bytesToHex(found.packageKey), job.record.packageKey);
    assert.equal(found.encryption.publicKey, job.request.encryptionKey);
    await assertCode(by.requestJob({ prepared: smallPackage(), wishes: wishes(chain), nonce: 77n }), "NONCE_USED");
  });

  test("a result that does not match, or opens under no key of ours, is refused until an honest one comes", async () => {
    const job = await openJob();
    await settleWith(
      job,
      panelOf().map((provider) => [provider, RESULT] as const),
    );
    const ref = { jobId: job.jobId, request: job.record.request };
    const [a, b, c] = panelOf() as [ScriptedProvider, ScriptedProvider, ScriptedProvider];
    await assertCode(requester.fetchResult(job.jobId, { timeoutMs: 300 }), "RESULT_NOT_DELIVERED");
    assert.equal(relays.messages.filter(({ kind, topic }) => kind === "redelivery" && topic === job.jobId).length, 1);
    await a.deliver(ref, placeOf(job.record, a.address), utf8("another answer"));
    await b.deliver(ref, placeOf(job.record, b.address), RESULT, { recipient: generateEncryptionKeyPair().publicKey });
    const error = await assertCode(requester.fetchResult(job.jobId, { timeoutMs: 300 }), "RESULT_MISMATCH");
    assert.match(error.message, /RESULT_MISMATCH/);
    assert.match(error.message, /SEAL_DOES_NOT_OPEN/);
    // A relay that holds the honest delivery back leaves the others' words.
    relays.faults.withhold = ({ sender }) => sender === c.agent.address;
    await c.deliver(ref, placeOf(job.record, c.address), RESULT);
    await assertCode(requester.fetchResult(job.jobId, { timeoutMs: 300 }), "RESULT_MISMATCH");
    delete relays.faults.withhold;
    const result = await requester.fetchResult(job.jobId, { timeoutMs: 10_000 });
    assert.equal(result.from, c.address);
    assert.deepEqual(result.bytes, RESULT);
  });

  test("a delivery in the name of another provider cannot keep the honest one out", async () => {
    const job = await openJob();
    await settleWith(
      job,
      panelOf().map((provider) => [provider, RESULT] as const),
    );
    const ref = { jobId: job.jobId, request: job.record.request };
    const [a, b] = panelOf() as [ScriptedProvider, ScriptedProvider];
    await b.deliver(ref, placeOf(job.record, a.address), utf8("junk"), { provider: a.address });
    await a.deliver(ref, placeOf(job.record, a.address), RESULT);
    assert.equal((await requester.fetchResult(job.jobId, { timeoutMs: 10_000 })).from, a.address);

    // As a page has a worker open it: what is handed over and comes back survives a copy, and the hash is compared all the same.
    const elsewhere = (change: (opened: OpenedResult) => OpenedResult): Requester =>
      requesterOf(chain, relays, [], {
        keyStore,
        openResult: async (delivery) => change(structuredClone(await openResult(structuredClone(delivery)))),
      });
    const options = { timeoutMs: 10_000 };
    assert.deepEqual((await elsewhere((opened) => opened).fetchResult(job.jobId, options)).bytes, RESULT);
    const wrong = elsewhere((opened) => ({ ...opened, resultHash: `0x${"00".repeat(32)}` }));
    await assertCode(wrong.fetchResult(job.jobId, { timeoutMs: 300 }), "RESULT_MISMATCH");
  });

  test("a failure that the panel agreed on is decoded without any delivery", async () => {
    const job = await openJob();
    const failure = encodeFailure({ cause: FailureCause.NonZeroExit, exitCode: 3 });
    await settleWith(
      job,
      panelOf().map((provider) => [provider, failure, Outcome.Failed] as const),
    );
    const error = await assertCode(requester.fetchResult(job.jobId), "JOB_FAILED");
    assert.deepEqual(error.details, { cause: "NonZeroExit", exitCode: 3 });
  });

  test("reports of the majority are told, and no decision is told", async () => {
    const reported = await openJob();
    await settleWith(
      reported,
      panelOf().map((provider) => [provider, "report"] as const),
    );
    await assertCode(requester.fetchResult(reported.jobId), "JOB_REPORTED");
    const split = await openJob();
    await settleWith(
      split,
      panelOf().map((provider, index) => [provider, utf8(`answer ${index}`)] as const),
    );
    await assertCode(requester.fetchResult(split.jobId), "JOB_INCONCLUSIVE");
    const view = await watchUntil(requester, split.jobId, ({ status }) => status === JobStatus.Inconclusive);
    assert.equal(view.tally.length, 3);
  });

  test("a watch needs nothing but the job id, and ends with the settlement", async () => {
    const job = await openJob();
    await settleWith(
      job,
      panelOf().map((provider) => [provider, RESULT] as const),
    );
    const stranger = requesterOf(chain, relays, [], { keyStore: memoryKeyStore(), client: chain.client(11) });
    const views: string[] = [];
    for await (const view of stranger.watchJob(job.jobId, { signal: AbortSignal.timeout(20_000) })) {
      views.push(view.statusName);
    }
    assert.deepEqual(views, ["accepted"]);
    await assertCode(stranger.fetchResult(job.jobId), "JOB_UNKNOWN");
  });

  test("a watch shows commitments, declines and openings as they land", async () => {
    const job = await openJob();
    const [a, b, c] = panelOf() as [ScriptedProvider, ScriptedProvider, ScriptedProvider];
    const seen: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const view of requester.watchJob(job.jobId, { signal: stop.signal })) {
        seen.push(`${view.statusName}:${view.panel.map(({ state }) => state).join(",")}`);
      }
    })();
    await until(() => seen.length > 0, { what: "the first view" });
    const votes: [number, Vote][] = [];
    for (const provider of [a, b, c]) {
      const place = placeOf(job.record, provider.address);
      const vote = provider.vote(job.jobId, job.key, RESULT);
      await provider.commit(job.terms, place, vote);
      votes.push([place, vote]);
      await until(() => seen.at(-1)?.split("committed").length === votes.length + 1, { what: `commitment ${place}` });
    }
    const first = votes[0] as [number, Vote];
    const reveal = { jobId: job.jobId, terms: job.terms, commitments: placed(votes, chain) };
    await revealJob(chain.client(6), { ...reveal, openings: [openingOf(...first)] });
    await until(() => seen.at(-1)?.includes("opened"), { what: "the opening" });
    assert.match(seen.at(-1) ?? "", /^revealing:/);
    await revealJob(chain.client(6), {
      ...reveal,
      openings: votes.slice(1).map(([place, vote]) => openingOf(place, vote)),
    });
    await watching;
    assert.equal(seen.at(-1), "accepted:opened,opened,opened");
    assert.equal(new Set(seen).size, seen.length, "no view came twice");
  });

  test("a reorganisation that takes commitments back is shown as the present state", async () => {
    const job = await openJob();
    const stop = new AbortController();
    const states: string[] = [];
    const watching = (async () => {
      for await (const view of requester.watchJob(job.jobId, { signal: stop.signal })) {
        states.push(view.panel.map(({ state }) => state).join());
      }
    })();
    await until(() => states.length > 0, { what: "the first view" });
    const a = panelOf()[0] as ScriptedProvider;
    await a.commit(job.terms, placeOf(job.record, a.address), a.vote(job.jobId, job.key, RESULT));
    await until(() => states.at(-1)?.includes("committed"), { what: "the commitment" });
    await chain.test.request({ method: "anvil_reorg", params: [1, []] } as never);
    await until(() => states.at(-1) === "waiting,waiting,waiting", { what: "the rollback" });
    stop.abort();
    await watching;
  });

  test("self-help waits for those whose duty it is, then carries commitments and openings to the end", async () => {
    const job = await openJob();
    const votes = panelOf().map((provider) => {
      const place = placeOf(job.record, provider.address);
      return [provider, place, provider.vote(job.jobId, job.key, RESULT)] as const;
    });
    for (const [provider, place, vote] of votes) await provider.publishCommitment(place, vote);
    // A commitment by a stranger in a provider's name must not be carried.
    const [first] = votes;
    const stranger = await scriptedProvider(chain, relays, 7, { deposit: 0n });
    assert.ok(first);
    const stop = new AbortController();
    let last = "";
    let helped: readonly string[] = [];
    const watching = (async () => {
      for await (const view of requester.watchJob(job.jobId, { signal: stop.signal, selfHelp: "late" })) {
        last = `${view.statusName}:${view.messages.commitments.length}`;
        helped = view.help.map(({ action, state }) => `${action} ${state}`);
      }
    })();
    await until(() => last === "committing:3", { what: "the commitments on the relays" });
    assert.deepEqual(helped, [], "half of the window is not over");
    await chain.advance(WINDOW / 2 + 1);
    await until(() => helped.length === 1, { what: "the carried commitments" });
    await until(() => last.startsWith("revealing"), { what: "revealing" });
    for (const [provider, place, vote] of votes) await provider.publishOpening(place, vote);
    await stranger.publishOpening(0, { ...first[2], salt: `0x${"07".repeat(32)}` });
    await chain.advance(WINDOW / 2 + 30);
    await watching;
    assert.deepEqual(helped, ["carry-commitments sent", "carry-openings sent"]);
    assert.match(last, /^accepted/);
  });

  test("self-help promotes a spare for a seat that stays empty, and settles what nobody settles", async () => {
    const spare = providers[2] as ScriptedProvider;
    const extra = await scriptedProvider(chain, relays, 9, { deposit: 50_000_000n });
    const panel = [providers[0], providers[1], extra, spare] as ScriptedProvider[];
    const by = requesterOf(
      chain,
      relays,
      panel.map(({ address }) => address),
      { selfHelp: "always" },
    );
    const job = await openJob({ by, panel, wish: { spares: 1 } });
    const places = panel.map((provider) => [provider, placeOf(job.record, provider.address)] as const);
    const onTime = places.filter(([, place]) => place === 0 || place === 1);
    for (const [provider, place] of onTime) {
      await provider.commit(job.terms, place, provider.vote(job.jobId, job.key, RESULT));
    }
    await chain.advance(WINDOW + 1);
    const promoted = await watchUntil(
      by,
      job.jobId,
      ({ sparesLeft, panel: seats }) => sparesLeft.length === 0 && seats[2]?.state === "replaced",
    );
    assert.deepEqual(
      promoted.panel.map(({ state }) => state),
      ["committed", "committed", "replaced", "waiting"],
    );
    await chain.advance(3 * WINDOW);
    const settled = await watchUntil(by, job.jobId, ({ money }) => money.refunded !== undefined);
    assert.equal(settled.status, JobStatus.Inconclusive);
    assert.equal(settled.money.paid, 0n);
    assert.deepEqual(settled.help.map(({ action }) => action).at(-1), "settle");
  });

  test("history counts own jobs, and a plan from it asks for fewer seats than one for strangers", async () => {
    const jobs = await readJobs({
      domain: chain.domain,
      sources: [viemBlockSource(chain.rpcUrl)],
      fromBlock: 0,
    });
    assert.ok(jobs.length > 5);
    const policy = parseTrustPolicy({ version: 1, replication: { target: 0.6 } });
    const history = buildHistory(jobs, policy, me());
    const best = history.get((providers[0] as ScriptedProvider).address.toLowerCase());
    assert.ok((best?.aligned ?? 0) >= 3, `${best?.aligned} alignments`);
    assert.ok(planReplication(history, policy).chance >= planReplication(new Map(), policy).chance);
    assert.equal(buildHistory(jobs, policy, chain.account(11).address).size, 0, "a stranger's jobs count for nothing");
  });

  test("a request can be announced on chain, and the wallet can be one that signs and sends by itself", async () => {
    const { wallet: _wallet, ...reader } = chain.client(1);
    const { createWalletClient, http } = await import("viem");
    const wallet = createWalletClient({
      account: me(),
      chain: chain.public.chain,
      transport: http(chain.rpcUrl, { retryCount: 0 }),
    });
    const by = requesterOf(
      chain,
      relays,
      panelOf().map(({ address }) => address),
      { client: { ...reader, wallet } },
    );
    const job = await by.requestJob({ prepared: smallPackage(), wishes: wishes(chain), via: "chain" });
    for (const provider of panelOf()) await provider.offer(job);
    const selection = await by.selectOffers(job.jobId, await collect(by, job.jobId, 3));
    const opened = await by.openJob(job.jobId, selection, { funding: "deposit" });
    const { record, stage } = await by.resume(job.jobId);
    assert.equal(stage, "open");
    assert.equal(record.transactions.at(-1)?.hash, opened.hash);
    assert.equal(record.askedWalletAt, undefined);
    const logs = await chain.public.getLogs({ address: chain.domain.market, fromBlock: 0n });
    assert.ok(logs.some(({ topics }) => topics[1] === job.jobId));
    // An announcement names its requirements by their hash: the document lies on the relays, and nothing that this wallet signed.
    const messages = await relays.list(REQUESTS_TOPIC);
    const documents = messages.filter((message) => message.kind === "requirements");
    assert.equal(documents.length, 1);
    assert.deepEqual(documents[0]?.body.requirements, record.requirements);
    assert.notEqual(documents[0]?.sender, me());
    const requests = messages.filter((message) => message.kind === "request");
    assert.ok(requests.every(({ body }) => body.request.nonce !== record.request.nonce));
  });
});
