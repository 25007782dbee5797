// A member of a set that learns the openings of the others, and tries to vote with what it read.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { commitmentOf, commitmentSetTypes, Flag, type Hex, Outcome, typedDomain, Verdict } from "@quorate/core";
import { testHash, until } from "@quorate/testkit";
import { type EnvelopeBodies, type EnvelopeDraft, type EnvelopeKind, signEnvelope } from "@quorate/wire";
import { startLocalAgent } from "../agent/in-process.ts";
import { TestMarket } from "../agent/market.ts";

const FUNDS = 100_000_000n;
const PRICE = 900_000n;

describe("a seat that signs a set with a guess", () => {
  let market: TestMarket;
  before(async () => {
    market = await TestMarket.start();
  });
  after(() => market[Symbol.asyncDispose]());

  test("finds no commitment that it could carry, and loses its bond when it commits to what it read", async () => {
    const honest = [await market.provider({ hotKey: true }), await market.provider()];
    const lazy = await market.provider();
    await using stack = new AsyncDisposableStack();
    for (const provider of honest)
      stack.use(startLocalAgent(market, provider, { policy: { carrying: { mode: "rotate", patienceSeconds: 10 } } }));
    const job = await market.request({ commitWindow: 160, revealWindow: 12, flags: Flag.SetVotes });
    const { jobId } = job;
    await market.offerByHand(job, lazy);
    await market.open(job, [...honest, lazy]);
    const facts = await market.facts(jobId);
    assert(facts !== undefined);

    const { address: provider } = lazy.account;
    const publish = async <K extends EnvelopeKind>(kind: K, body: EnvelopeBodies[K]): Promise<void> => {
      const createdAt = Math.floor(Date.now() / 1000);
      const draft = { kind, topic: jobId, body, createdAt, expiry: createdAt + 600 } as EnvelopeDraft<K>;
      await market.relays.publish((await signEnvelope(draft, lazy.account, market.domain)) as never);
    };
    const read = <K extends EnvelopeKind>(kind: K, count: number): Promise<readonly EnvelopeBodies[K][]> =>
      until(
        async () => {
          const bodies = (await market.relays.list(jobId)).flatMap((envelope) =>
            envelope.kind === kind && envelope.sender !== provider ? [envelope.body as EnvelopeBodies[K]] : [],
          );
          return bodies.length >= count ? bodies : undefined;
        },
        { timeoutMs: 60_000, everyMs: 200, what: `${count} of ${kind}` },
      );
    const commitTo = (resultHash: Hex): Hex =>
      commitmentOf({ jobId, provider, outcome: Outcome.Ok, resultHash, salt: testHash(7) }, market.domain);

    await publish("set-commitment", { provider, place: 2, commitment: commitTo(testHash(0xbad)) });
    const [first] = await read("set-signature", 2);
    const { commitments } = first as EnvelopeBodies["set-signature"];
    assert.deepEqual(await read("opening", 0), [], "nobody shows anything to one that has not signed");
    const signature = await lazy.account.signTypedData({
      domain: typedDomain(market.domain),
      types: commitmentSetTypes,
      primaryType: "CommitmentSet",
      message: { jobId, commitments: [...commitments] },
    });
    await publish("set-signature", { provider, place: 2, commitments, signature });
    const [shown] = await read("opening", 2);
    // With these it could place everybody's commitments and its own copy, and open them all, in one transaction before the set.
    assert.deepEqual(await read("commitment", 0), [], "nobody gave out a commitment that can be carried");
    const { resultHash } = (shown as EnvelopeBodies["opening"]).opening;
    await market.send(lazy.account, "commit", [jobId, facts.terms, 2, commitTo(resultHash)]);

    const { settled, bySet } = await market.settled(jobId);
    assert.equal(bySet, true);
    assert.deepEqual(
      settled.results.map(({ verdict, paid }) => [verdict, paid]),
      [
        [Verdict.Aligned, PRICE],
        [Verdict.Aligned, PRICE],
        [Verdict.Late, 0n],
      ],
    );
    assert.equal(settled.burnt, job.request.bond);
    assert.deepEqual(await market.balance(provider), { free: FUNDS - job.request.bond, locked: 0n });
    for (const { account } of honest) {
      const { free, locked } = await market.balance(account.address);
      assert.equal(locked, 0n);
      assert.ok(free >= FUNDS + PRICE);
    }
  });
});
