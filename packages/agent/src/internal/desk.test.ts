import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  commitmentSetTypes,
  Flag,
  type Hex,
  hashRequirements,
  jobIdOf,
  Outcome,
  type Request,
  requirementsOf,
  signedCommitmentTypes,
  silentLogger,
  typedDomain,
} from "@quorate/core";
import { buildManifest, buildRequest, testAddress, testDomain, testHash, until } from "@quorate/testkit";
import type { Envelope } from "@quorate/wire";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { fakeReader, memoryDb } from "../testing/ports.ts";
import { World } from "../testing/world.ts";
import { explainJob } from "./explain.ts";
import { decodeEntry, encodeEntry, type JournalEntry } from "./journal-entry.ts";
import type { RequestJudgement } from "./judge-request.ts";
import { createOfferDesk } from "./offer-desk.ts";
import { offerKeyPair } from "./offer-key.ts";
import { checkPeerMessage } from "./peer-messages.ts";
import { createAgentStore } from "./store.ts";

const requirements = requirementsOf(buildManifest());
const request = (changes: Partial<Request> = {}): Request =>
  buildRequest({ requirementsHash: hashRequirements(requirements), expiry: 2000, ...changes });

function desk(judge: (request: Request) => RequestJudgement) {
  const stop = new AbortController();
  const offered: Hex[] = [];
  const judged: Hex[] = [];
  let look = (): void => {};
  const made = createOfferDesk({
    domain: testDomain,
    judgePolicy: () => undefined,
    judge: async (seen) => {
      judged.push(jobIdOf(seen, testDomain));
      return judge(seen);
    },
    offer: (jobId) => void offered.push(jobId),
    isKnown: (jobId) => offered.includes(jobId),
    now: () => 1000,
    tick: () =>
      new Promise((resolve) => {
        look = resolve;
      }),
    logger: silentLogger,
  });
  const done = made.run(stop.signal);
  return {
    ...made,
    offered,
    judged,
    again: () => look(),
    close: async () => {
      stop.abort();
      look();
      await done;
    },
  };
}

const takes: RequestJudgement = { takes: true, price: 1n, roles: 1, expiry: 1500, reasons: [] };
const refuses = (code: string): RequestJudgement => ({ takes: false, reasons: [{ code, message: "" }] });

describe("the offer desk", () => {
  it("offers once for a request, however often and by whatever way it comes", async () => {
    const { see, seeAnnounced, offered, close } = desk(() => takes);
    for (let count = 0; count < 3; count++) see(request(), requirements);
    seeAnnounced(request());
    await until(() => offered.length > 0);
    see(request(), requirements);
    await close();
    assert.deepEqual(offered, [jobIdOf(request(), testDomain)]);
  });

  it("takes an announced request when some message brought its requirements, before or after", async () => {
    for (const order of ["before", "after"]) {
      const { see, seeAnnounced, offered, close } = desk((seen) => (seen.nonce === 7n ? takes : refuses("X")));
      if (order === "after") see(request({ nonce: 1n }), requirements);
      seeAnnounced(request({ nonce: 7n }));
      if (order === "before") see(request({ nonce: 1n }), requirements);
      await until(() => offered.length === 1);
      await close();
      assert.deepEqual(offered, [jobIdOf(request({ nonce: 7n }), testDomain)]);
    }
  });

  it("takes an announced request when only its document came, from whomever, before or after", async () => {
    for (const order of ["before", "after"]) {
      const { seeAnnounced, seeRequirements, offered, close } = desk(() => takes);
      if (order === "before") seeRequirements(requirements);
      seeRequirements({ ...requirements, limits: { ...requirements.limits, fuel: 1 } });
      seeAnnounced(request());
      if (order === "after") seeRequirements(requirements);
      await until(() => offered.length === 1);
      await close();
      assert.deepEqual(offered, [jobIdOf(request(), testDomain)]);
    }
  });

  it("looks again at what may pass, and never again at what will not", async () => {
    let verdict = refuses("GAS_RESERVE");
    const subject = desk((seen) => (seen.nonce === 1n ? verdict : refuses("TOKEN_NOT_ACCEPTED")));
    subject.see(request({ nonce: 1n }), requirements);
    subject.see(request({ nonce: 2n }), requirements);
    await until(() => subject.judged.length === 2);
    subject.again();
    await until(() => subject.judged.length === 3);
    verdict = takes;
    await until(() => {
      subject.again();
      return subject.offered.length === 1;
    });
    await subject.close();
    assert.equal(subject.judged.filter((jobId) => jobId === jobIdOf(request({ nonce: 2n }), testDomain)).length, 1);
    assert.equal(subject.refusals().get(jobIdOf(request({ nonce: 2n }), testDomain))?.[0]?.code, "TOKEN_NOT_ACCEPTED");
  });

  it("refuses without asking anybody what no chain would open or what carries another document", async () => {
    const subject = desk(() => takes);
    const signal = new AbortController().signal;
    const other = { ...requirements, limits: { ...requirements.limits, fuel: 1 } };
    assert.equal((await subject.wouldTake(request(), other, signal)).reasons[0]?.code, "REQUIREMENTS_MISMATCH");
    const quorum = await subject.wouldTake(request({ quorum: 1 }), requirements, signal);
    assert.equal(quorum.reasons[0]?.code, "INVALID_REQUEST_QUORUM");
    assert.equal(subject.judged.length, 0);
    assert.deepEqual(await subject.wouldTake(request(), requirements, signal), { takes: true, price: 1n, reasons: [] });
    await subject.close();
  });
});

describe("a message of a peer", () => {
  const agent = privateKeyToAccount(generatePrivateKey());
  const world = new World();
  world.mine([world.opened()]);
  const check = (envelope: unknown, reader = fakeReader()) => {
    const facts = world.factsAt();
    assert(facts !== undefined);
    return checkPeerMessage(envelope as Envelope, facts, 1000, { reader, domain: testDomain });
  };
  const typeOf = (checked: Awaited<ReturnType<typeof check>>): string | undefined =>
    typeof checked === "object" ? checked.type : checked;
  const commitmentBy = async (place: number) => {
    const provider = world.places[place]?.provider as `0x${string}`;
    const commitment = world.commitmentOf(place);
    const signature = await agent.signTypedData({
      domain: typedDomain(testDomain),
      types: signedCommitmentTypes,
      primaryType: "SignedCommitment",
      message: { jobId: world.jobId, provider, commitment },
    });
    return { kind: "commitment", body: { provider, place, commitment, signature } };
  };

  it("is a commitment only by the place's provider or an agent it authorized", async () => {
    const envelope = await commitmentBy(1);
    assert.equal(typeOf(await check(envelope)), "peer-commitment");
    const strangers = fakeReader({
      authorization: async () => ({ maxBond: 0n, minCommitWindow: 0, validUntil: 1000 }),
    });
    assert.equal(await check(envelope, strangers), undefined, "the authorization ended");
    assert.equal(await check({ ...envelope, body: { ...envelope.body, place: 2 } }, strangers), undefined);
    assert.equal(await check({ ...envelope, body: { ...envelope.body, place: 15 } }), undefined);
    assert.equal(
      await check({ ...envelope, body: { ...envelope.body, signature: `0x${"00".repeat(65)}` } }),
      undefined,
    );
  });

  it("is an opening only when it opens the commitment on chain", async () => {
    const opening = world.openingOf(1);
    assert.equal(await check({ kind: "opening", body: { opening } }), "later", "nothing is committed yet");
    world.mine([world.committed(1)]);
    assert.equal(typeOf(await check({ kind: "opening", body: { opening } })), "peer-opening");
    for (const wrong of [{ outcome: Outcome.Failed }, { resultHash: testHash(9) }, { salt: testHash(9) }, { place: 2 }])
      assert.equal(await check({ kind: "opening", body: { opening: { ...opening, ...wrong } } }), "later");
    assert.equal(await check({ kind: "opening", body: { opening: { ...opening, place: 9 } } }), undefined);
  });

  it("is a commitment for a set only when the place's provider or its agent sent it, where the request allows sets", async () => {
    const flagged = new World({ flags: Flag.SetVotes });
    flagged.mine([flagged.opened()]);
    const facts = flagged.factsAt();
    assert(facts !== undefined);
    const body = { provider: testAddress(1), place: 1, commitment: testHash(8) };
    const at = async (sender: Hex, validUntil: number, of = facts) =>
      typeOf(
        await checkPeerMessage({ kind: "set-commitment", sender, body } as unknown as Envelope, of, 1000, {
          reader: fakeReader({ authorization: async () => ({ maxBond: 0n, minCommitWindow: 0, validUntil }) }),
          domain: testDomain,
        }),
      );
    const provider = flagged.places[1]?.provider as Hex;
    assert.equal(await at(provider, 0), "peer-set-commitment");
    assert.equal(await at(agent.address, 1001), "peer-set-commitment");
    assert.equal(await at(agent.address, 1000), undefined);
    assert.equal(await at(flagged.places[2]?.provider as Hex, 0), undefined, "another place's provider");
    assert.equal(await at(provider, 0, { ...facts, request: { ...facts.request, flags: 0 } }), undefined);
  });

  it("is a signature over a set only by a member that cannot take it back, also at the confirmed block", async () => {
    const flagged = new World({ flags: Flag.SetVotes, shadows: 1 });
    flagged.mine([flagged.opened()]);
    const facts = flagged.factsAt();
    assert(facts !== undefined);
    const end = facts.openedAt + 1;
    const signed = async (place: number, commitments: readonly Hex[] = flagged.setOf()) => {
      const signature = await agent.signTypedData({
        domain: typedDomain(testDomain),
        types: commitmentSetTypes,
        primaryType: "CommitmentSet",
        message: { jobId: flagged.jobId, commitments },
      });
      return { kind: "set-signature", body: { provider: testAddress(1), place, commitments, signature } } as never;
    };
    const until = (head: number, deep = head) =>
      fakeReader({
        authorization: async (_provider, _agent, _token, block) => ({
          maxBond: 0n,
          minCommitWindow: 0,
          validUntil: block === undefined ? head : deep,
        }),
      });
    const at = async (envelope: Promise<never>, reader: ReturnType<typeof fakeReader>, block?: number, of = facts) =>
      typeOf(await checkPeerMessage(await envelope, of, 1000, { reader, domain: testDomain, confirmedBlock: block }));
    assert.equal(await at(signed(1), until(end), 5), "peer-set");
    assert.equal(await at(signed(1), until(end - 1), 5), undefined, "the agent had ended when the job was opened");
    assert.equal(await at(signed(1), until(end, 0), 5), "later", "the authorization is not confirmed");
    assert.equal(await at(signed(1), until(end)), "later", "nothing is confirmed");
    assert.equal(await at(signed(9), until(end), 5), undefined, "there is no such place");
    assert.equal(await at(signed(1, flagged.setOf([0, 2])), until(end), 5), undefined, "a seat is missing");
    assert.equal(await at(signed(1), until(end), 5, { ...facts, bySet: true }), undefined);
    assert.equal(await at(signed(1), until(end), 5, { ...facts, request: { ...facts.request, flags: 0 } }), undefined);
    const broken = signed(1).then((envelope) => {
      const { body } = envelope as { body: object };
      return { ...(envelope as object), body: { ...body, signature: `0x${"00".repeat(65)}` } } as never;
    });
    assert.equal(await at(broken, until(end), 5), undefined);
  });

  it("is an opening when it opens the set that this agent signed", async () => {
    const fresh = new World();
    fresh.mine([fresh.opened()]);
    const facts = fresh.factsAt();
    assert(facts !== undefined);
    const envelope = { kind: "opening", body: { opening: fresh.openingOf(1) } } as unknown as Envelope;
    const against = async (set: readonly Hex[]) =>
      typeOf(await checkPeerMessage(envelope, facts, 1000, { reader: fakeReader(), domain: testDomain, set }));
    assert.equal(await against(fresh.setOf()), "peer-opening");
    assert.equal(await against(fresh.setOf([0, 2])), "later");
  });

  it("asks for a result only when the requester sent it", async () => {
    const envelope = { kind: "redelivery", sender: world.request.requester, createdAt: 5, body: { reason: "lost" } };
    assert.deepEqual(await check(envelope), { type: "redelivery-asked", jobId: world.jobId, askedAt: 5 });
    assert.equal(await check({ ...envelope, sender: testAddress(77) }), undefined);
  });
});

describe("the store", () => {
  it("gives back entries as they were, and only those of open jobs at the start", () => {
    const store = createAgentStore(memoryDb());
    const world = new World();
    const offered = world.offerFixed();
    const closed: JournalEntry = { kind: "job-closed", jobId: testHash(1), at: 5, why: "not-chosen" };
    const judged: JournalEntry = { kind: "keys-deleted", jobId: testHash(1), at: 4 };
    store.append([judged, offered, closed]);
    assert.deepEqual(store.openEntries(), [offered]);
    assert.deepEqual(store.entriesOf(testHash(1)), [judged, closed]);
    assert.deepEqual(decodeEntry(encodeEntry(offered)), offered);
    assert.equal(store.knows(testHash(1)), true);
    assert.equal(store.knows(testHash(2)), false);
  });

  it("keeps the first seed of a job and forgets it when told", () => {
    const store = createAgentStore(memoryDb());
    const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    store.saveSeed(testHash(1), first);
    store.saveSeed(testHash(1), second);
    assert.deepEqual(new Uint8Array(store.seedOf(testHash(1)) as Uint8Array), first);
    store.deleteSeed(testHash(1));
    assert.equal(store.seedOf(testHash(1)), undefined);
  });

  it("writes nothing of several things when one of them fails", () => {
    const store = createAgentStore(memoryDb());
    assert.throws(() =>
      store.together(() => {
        store.append([{ kind: "keys-deleted", jobId: testHash(1), at: 4 }]);
        throw new Error("power cut");
      }),
    );
    assert.equal(store.knows(testHash(1)), false);
  });
});

describe("the key of an offer", () => {
  it("needs secret, seed and job, and follows from them", () => {
    const bytes = (value: number): Uint8Array => new Uint8Array(32).fill(value);
    const key = offerKeyPair(bytes(1), bytes(2), testHash(3)).publicKey;
    assert.equal(offerKeyPair(bytes(1), bytes(2), testHash(3)).publicKey, key);
    const others = [
      offerKeyPair(bytes(9), bytes(2), testHash(3)),
      offerKeyPair(bytes(1), bytes(9), testHash(3)),
      offerKeyPair(bytes(1), bytes(2), testHash(9)),
    ];
    for (const other of others) assert.notEqual(other.publicKey, key);
  });
});

describe("an explanation", () => {
  it("says what happened, with figures, and why it was paid", () => {
    const world = new World();
    const entries: JournalEntry[] = [world.offerFixed(), ...world.mine([world.opened()])];
    const base = { jobId: world.jobId, at: world.now };
    entries.push({
      ...base,
      kind: "vote-fixed",
      outcome: Outcome.Ok,
      resultHash: testHash(0xa),
      commitment: world.commitmentOf(0),
    });
    entries.push(...world.mine([0, 1, 2].map((place) => world.committed(place))));
    entries.push(...world.mine([0, 1, 2].map((place) => world.revealed(place))));
    const results = world.places.map(({ price }) => ({ verdict: 1, paid: price }));
    const settled = {
      status: 4,
      outcome: 1,
      resultHash: testHash(0xa),
      carrier: testAddress(3),
      refunded: 0n,
      burnt: 0n,
      results,
    };
    const open = explainJob(world.settings.provider, entries);
    assert.match(open?.summary ?? "", /3 of 3 commitments are open.*would get 900000/);
    entries.push(...world.mine([{ eventName: "JobSettled", args: settled }]));
    const told = explainJob(world.settings.provider, entries);
    assert.match(told?.summary ?? "", /accepted.*place 0.*was paid its price.*paid 900000 of a price of 900000/);
    assert.match(told?.lines[0]?.text ?? "", /Offered at 900000/);
    assert.equal(told?.lines.length, entries.length);
  });

  it("says why nothing came of an offer", () => {
    const world = new World();
    const entries: JournalEntry[] = [
      world.offerFixed(),
      { kind: "job-closed", jobId: world.jobId, at: 9, why: "offer-expired" },
    ];
    assert.match(explainJob(world.settings.provider, entries)?.summary ?? "", /expired.*nothing is owed/);
    assert.equal(explainJob(world.settings.provider, []), undefined);
  });
});
