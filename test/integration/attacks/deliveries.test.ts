// One relay of several lies: it makes up senders and deliveries without end. It may cost work, never the result.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Address, blocksOf, type Hex, openingOf, termsOf, utf8, type Vote } from "@quorate/core";
import { type Requester, revealJob } from "@quorate/sdk";
import type { Envelope } from "@quorate/wire";
import { hexToBytes, numberToHex } from "viem";
import { memoryRelays } from "../../../packages/sdk/src/testing/memoryRelays.ts";
import { type Chain, collect, requesterOf, smallPackage, startChain, wishes } from "../sdk/fixture.ts";
import { placed, placeOf, RESULT, type ScriptedProvider, scriptedProvider } from "../sdk/scriptedProvider.ts";

const FLOOD = 600;

describe("a relay that floods a job's topic", { timeout: 120_000 }, () => {
  let chain: Chain;
  let relays: ReturnType<typeof memoryRelays>;
  let providers: ScriptedProvider[];
  let requester: Requester;

  before(async () => {
    chain = await startChain();
    relays = memoryRelays(chain.domain);
    providers = [];
    for (const index of [2, 3, 4]) providers.push(await scriptedProvider(chain, relays, index));
    await chain.mint(chain.account(1).address, 1_000_000_000n);
    requester = requesterOf(
      chain,
      relays,
      providers.map(({ address }) => address),
    );
  });

  after(async () => {
    await chain?.stop();
  });

  /** Puts messages in front of all others, as a relay can that the client reads from; a real client has checked them. */
  function flood(topic: Hex, make: (sender: Address) => Pick<Envelope, "kind" | "body">): void {
    const now = Math.floor(Date.now() / 1000);
    const made = Array.from({ length: FLOOD }, (_, index) => {
      const sender = numberToHex(0x1000 + index, { size: 20 });
      return { ...make(sender), topic, sender, createdAt: now - 1, expiry: now + 3_600, signature: "0x" } as Envelope;
    });
    relays.messages.unshift(...made);
  }

  async function settledJob(): Promise<{ jobId: Hex; ref: Parameters<ScriptedProvider["deliver"]>[0]; place: number }> {
    const job = await requester.requestJob({ prepared: smallPackage(), wishes: wishes(chain) });
    for (const provider of providers) await provider.offer(job);
    const selection = await requester.selectOffers(job.jobId, await collect(requester, job.jobId, 3));
    await requester.openJob(job.jobId, selection);
    const { record } = await requester.resume(job.jobId);
    assert.ok(record.selection);
    const terms = termsOf(record.request, record.selection.spares, record.selection.offers);
    const votes: [number, Vote][] = [];
    for (const provider of providers) {
      const vote = provider.vote(job.jobId, hexToBytes(record.packageKey), RESULT);
      const place = placeOf(record, provider.address);
      await provider.commit(terms, place, vote);
      votes.push([place, vote]);
    }
    await revealJob(chain.client(6), {
      jobId: job.jobId,
      terms,
      commitments: placed(votes, chain),
      openings: votes.map(([place, vote]) => openingOf(place, vote)),
    });
    const [first] = providers as [ScriptedProvider];
    return {
      jobId: job.jobId,
      ref: { jobId: job.jobId, request: record.request },
      place: placeOf(record, first.address),
    };
  }

  test("with deliveries in the name of an aligned provider does not hide its own", async () => {
    const { jobId, ref, place } = await settledJob();
    const [honest] = providers as [ScriptedProvider];
    const cids = blocksOf(utf8("a block that nobody has")).map(({ cid }) => cid);
    flood(jobId, () => ({ kind: "delivery", body: { provider: honest.address, place, cids, size: 2_000 } }));
    await honest.deliver(ref, place, RESULT);
    const result = await requester.fetchResult(jobId, { timeoutMs: 5_000, redelivery: false });
    assert.equal(result.from, honest.address);
    assert.deepEqual(result.bytes, RESULT);
  });

  test("with junk for offers does not hide those of providers on the allow list", async () => {
    const job = await requester.requestJob({ prepared: smallPackage(), wishes: wishes(chain) });
    flood(job.jobId, () => ({ kind: "offer", body: { sealed: "AAAA" } }));
    for (const provider of providers) await provider.offer(job);
    const accepted = new Set<Address>();
    for await (const received of requester.collectOffers(job.jobId, { timeoutMs: 20_000 })) {
      if (received.kind === "offer" && received.judgement.accepted) accepted.add(received.offer.provider);
      if (accepted.size === providers.length) break;
    }
    assert.deepEqual(accepted, new Set(providers.map(({ address }) => address)));
  });
});
