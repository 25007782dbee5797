import assert from "node:assert/strict";
import { test } from "node:test";
import { commitmentOf, type JobFacts, openingOf, signedCommitmentTypes, termsOf, typedDomain } from "@quorate/core";
import { buildRequest, testDomain, testHash } from "@quorate/testkit";
import type { Envelope } from "@quorate/wire";
import type { Address, Hex } from "viem";
import { type LocalAccount, privateKeyToAccount } from "viem/accounts";
import { addMessage, carriableCommitments, messageViewOf, noMessages, trueOpenings } from "./jobMessages.ts";

const jobId = testHash(0x70b);
const accounts = [1, 2, 3].map((index) => privateKeyToAccount(testHash(index))) as [
  LocalAccount,
  LocalAccount,
  LocalAccount,
];
const agent = privateKeyToAccount(testHash(9));
const voteOf = (provider: Address, salt = testHash(4)) => ({
  jobId,
  provider,
  outcome: 1,
  resultHash: testHash(5),
  salt,
});

function factsOf(changes: Partial<JobFacts> = {}): JobFacts {
  const request = buildRequest();
  return {
    jobId,
    request,
    terms: termsOf(
      request,
      0,
      accounts.map(({ address }) => ({ provider: address, price: 1n })),
    ),
    keyWraps: [],
    openedAt: 1,
    commitments: [],
    committed: [],
    declined: [],
    promotions: [],
    lastCommitAt: 0,
    lastDeclineAt: 0,
    openings: [],
    bySet: false,
    ...changes,
  };
}

const envelope = (kind: Envelope["kind"], body: object): Envelope =>
  ({
    kind,
    topic: jobId,
    sender: agent.address,
    body,
    createdAt: 1,
    expiry: 2,
    signature: "0x",
  }) as unknown as Envelope;

async function commitment(place: number, provider: Address, signer: LocalAccount, salt?: Hex): Promise<Envelope> {
  const digest = commitmentOf(voteOf(provider, salt), testDomain);
  const signature = await signer.signTypedData({
    domain: typedDomain(testDomain),
    types: signedCommitmentTypes,
    primaryType: "SignedCommitment",
    message: { jobId, provider, commitment: digest },
  });
  return envelope("commitment", { provider, place, commitment: digest, signature });
}

const collect = (envelopes: readonly Envelope[]) => envelopes.reduce(addMessage, noMessages);
const onlyAgentOfFirst = async (provider: Address, key: Address): Promise<boolean> =>
  provider === accounts[0].address && key === agent.address;

test("only commitments by the provider of the place or its agent are carried", async () => {
  const [a, b, c] = accounts;
  const messages = collect([
    await commitment(0, a.address, agent),
    await commitment(1, b.address, agent), // an agent, but not b's
    await commitment(1, b.address, b),
    await commitment(2, a.address, a), // a signs for c's place
    await commitment(2, c.address, a), // a signs in c's name
    await commitment(15, a.address, a),
  ]);
  const found = await carriableCommitments(messages, factsOf(), testDomain, onlyAgentOfFirst);
  assert.deepEqual(
    found.map(({ place, provider }) => [place, provider]),
    [
      [0, a.address],
      [1, b.address],
    ],
  );
  assert.deepEqual(
    await carriableCommitments(messages, factsOf({ committed: [0], declined: [1] }), testDomain, onlyAgentOfFirst),
    [],
  );
});

test("a signature that is none is skipped, not thrown", async () => {
  const [a] = accounts;
  const broken = envelope("commitment", {
    provider: a.address,
    place: 0,
    commitment: testHash(1),
    signature: `0x${"ff".repeat(65)}`,
  });
  const found = await carriableCommitments(collect([broken]), factsOf(), testDomain, async () => true);
  assert.deepEqual(found, []);
});

test("only openings that open the commitment on chain count", () => {
  const [a, b] = accounts;
  const facts = factsOf({
    committed: [0, 1],
    commitments: [
      { place: 1, commitment: commitmentOf(voteOf(b.address), testDomain) },
      { place: 0, commitment: commitmentOf(voteOf(a.address), testDomain) },
    ],
  });
  const messages = collect([
    envelope("opening", { provider: a.address, opening: openingOf(0, voteOf(a.address, testHash(77))) }),
    envelope("opening", { provider: a.address, opening: openingOf(0, voteOf(a.address)) }),
    envelope("opening", { provider: b.address, opening: { ...openingOf(1, voteOf(b.address)), outcome: 2 } }),
  ]);
  assert.deepEqual(
    trueOpenings(messages, facts, testDomain).map(({ opening }) => opening.place),
    [0],
  );
  assert.deepEqual(messageViewOf(messages, facts, testDomain).openings, [0]);
});

test("a flood for one place is bounded, and repetitions change nothing", async () => {
  const [a] = accounts;
  let messages = noMessages;
  for (let index = 0; index < 40; index++)
    messages = addMessage(messages, await commitment(0, a.address, agent, testHash(index)));
  assert.equal(messages.commitments.get(0)?.length, 8);
  const once = collect([await commitment(0, a.address, a)]);
  assert.equal(addMessage(once, await commitment(0, a.address, a)), once);
});

test("messages in the name of somebody who has not the place are not shown", async () => {
  const [a, b] = accounts;
  const messages = collect([
    envelope("delivery", { provider: b.address, place: 0, cids: [], size: 1 }),
    envelope("delivery", { provider: a.address, place: 0, cids: [], size: 2 }),
    envelope("delivery", { provider: a.address, place: 1, cids: [], size: 2 }),
    envelope("offer", { sealed: "" }),
  ]);
  const view = messageViewOf(messages, factsOf(), testDomain);
  assert.deepEqual(view, { offers: 1, commitments: [], openings: [], deliveries: [0] });
});
