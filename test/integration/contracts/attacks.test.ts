// What dishonest parties try, on the chain, with real keys.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  type Address,
  concatBytes,
  deriveResultKey,
  type EncryptionKeyPair,
  generateEncryptionKeyPair,
  generatePackageKey,
  type Hex,
  hex,
  isQuorateError,
  type JobFacts,
  JobStatus,
  Outcome,
  openingOf,
  openSealed,
  resultHashOf,
  type SignedOffer,
  sealAad,
  sealTo,
  shareOf,
  statusAt,
  utf8,
  Verdict,
  type Vote,
  ZERO_HASH,
} from "@quorate/core";
import { testHash } from "@quorate/testkit";
import { getBytes, keccak256, type Wallet } from "ethers";
import { errorOf, marketEvents, mined, plain, TestMarket } from "./support/market.ts";
import { OpeningFault } from "./support/model.ts";

let chain: TestMarket;
const provider = (index: number): Wallet => chain.providers[index] as Wallet;

before(async () => {
  chain = await TestMarket.create();
});

async function commit(facts: JobFacts, place: number, commitment: Hex): Promise<JobFacts> {
  const market = chain.market.connect(chain.providerAt(facts, place));
  return chain.follow(facts, market.commit(facts.jobId, plain(facts.terms), place, commitment));
}

async function reveal(facts: JobFacts, votes: readonly (readonly [place: number, vote: Vote])[]): Promise<JobFacts> {
  const openings = votes.map(([place, vote]) => openingOf(place, vote));
  const market = chain.market.connect(chain.carrier);
  return chain.follow(facts, market.reveal(facts.jobId, plain(facts.terms), plain(facts.commitments), plain(openings)));
}

async function settleLate(facts: JobFacts): Promise<JobFacts> {
  await chain.nextAt(statusAt(facts, await chain.now()).revealDeadline);
  return chain.follow(facts, chain.market.connect(chain.carrier).settle(facts.jobId, plain(facts.terms)));
}

describe("copying", () => {
  test("a copied commitment cannot be opened by the copier, who is late", async () => {
    let facts = await chain.open(chain.request());
    const honest = [0, 1].map((place) => chain.vote(facts, place, Outcome.Ok, testHash(7)));
    for (const [place, vote] of honest.entries()) facts = await commit(facts, place, chain.commitment(vote));
    const copied = chain.commitment(honest[0] as Vote);
    facts = await commit(facts, 2, copied);
    facts = await reveal(facts, [...honest.entries()]);
    // The copier knows the vote now, salt and all.
    const stolen = openingOf(2, honest[0] as Vote);
    const market = chain.market.connect(provider(2));
    const sent = market.reveal(facts.jobId, plain(facts.terms), plain(facts.commitments), [stolen]);
    assert.deepEqual(
      marketEvents(await mined(sent)).map(({ event }) => [event.eventName, event.args.cause]),
      [["OpeningSkipped", OpeningFault.WrongOpening]],
    );
    facts = await settleLate(facts);
    assert.deepEqual(
      facts.settled?.results.map(({ verdict }) => verdict),
      [Verdict.Aligned, Verdict.Aligned, Verdict.Late],
    );
    assert.equal(facts.settled?.burnt, facts.terms.bond);
  });

  test("a spare cannot wait for openings and copy: nothing returns to Committing", async () => {
    let facts = await chain.open(chain.request({ spares: 1 }));
    const votes = [0, 1].map((place) => chain.vote(facts, place, Outcome.Ok, testHash(7)));
    for (const [place, vote] of votes.entries()) facts = await commit(facts, place, chain.commitment(vote));
    // Seat 2 stays silent, nobody promotes until revealing begins.
    await chain.mineAt(statusAt(facts, await chain.now()).revealAt);
    facts = await reveal(facts, [...votes.entries()].slice(0, 1));
    const spare = chain.market.connect(provider(3));
    assert.equal((await errorOf(spare.promote(facts.jobId, plain(facts.terms)))).name, "WrongStatus");
    const copy = chain.commitment({ ...(votes[0] as Vote), provider: provider(3).address as Address });
    const error = await errorOf(spare.commit(facts.jobId, plain(facts.terms), 3, copy));
    assert.equal(error.name, "CommitmentRefused");
    facts = await reveal(facts, [...votes.entries()].slice(1));
    assert.equal(facts.settled?.results[3]?.verdict, Verdict.Standby);
  });
});

describe("guessing", () => {
  test("an outsider with everything on chain cannot tell a one-bit result; a party can", async () => {
    const seen: Hex[] = [];
    for (const bit of ["0", "1"]) {
      const packageKey = generatePackageKey();
      const keys = [0, 1, 2].map(() => generateEncryptionKeyPair());
      let facts = await openWithWraps(keys, () => packageKey);
      const resultHash = resultHashOf(deriveResultKey(packageKey, facts.jobId), utf8(bit));
      const votes = [0, 1, 2].map((place) => chain.vote(facts, place, Outcome.Ok, resultHash));
      for (const [place, vote] of votes.entries()) facts = await commit(facts, place, chain.commitment(vote));
      facts = await reveal(facts, [...votes.entries()]);
      assert.equal(facts.settled?.resultHash, resultHash);
      seen.push(resultHash);

      // Everything that the chain shows of the job, cut into 32-byte strings at every offset.
      const shown = concatBytes(
        ...(await chainData(facts)),
        ...votes.flatMap(({ salt, resultHash: hash }) => [getBytes(salt), getBytes(hash)]),
        ...facts.commitments.map(({ commitment }) => getBytes(commitment)),
        new Uint8Array(32),
      );
      const answers = ["0", "1", "", "true", "false", "0\n", "1\n"]
        .map(utf8)
        .concat([Uint8Array.of(0), Uint8Array.of(1)]);
      const guesses = new Set<string>(answers.map((answer) => keccak256(answer)));
      for (let offset = 0; offset + 32 <= shown.length; offset++) {
        const key = shown.subarray(offset, offset + 32);
        for (const answer of answers.slice(0, 2)) guesses.add(keccak256(concatBytes(key, answer)));
      }
      assert.ok(guesses.size > 2_000, `${guesses.size} guesses`);
      assert.equal(guesses.has(resultHash), false, "an outsider found the bit");

      // The same attack with a key wrap that it can open succeeds: the search itself works.
      const own = await openWrap(facts, 0, keys[0] as EncryptionKeyPair);
      assert.equal(resultHashOf(deriveResultKey(own, facts.jobId), utf8(bit)), resultHash);
      assert.equal(await chain.market.verifyResult(facts.jobId, deriveResultKey(own, facts.jobId), utf8(bit)), true);
      assert.equal(
        await chain.market.verifyResult(facts.jobId, deriveResultKey(own, facts.jobId), utf8(bit === "0" ? "1" : "0")),
        false,
      );
    }
    assert.notEqual(seen[0], seen[1]);
  });

  test("a commitment tells nothing: without its salt no guess fits", async () => {
    let facts = await chain.open(chain.request());
    const vote = chain.vote(facts, 0, Outcome.Ok, testHash(1));
    facts = await commit(facts, 0, chain.commitment(vote));
    const guesses = [Outcome.Ok, Outcome.Failed, Outcome.Report].flatMap((outcome) =>
      [testHash(1), ZERO_HASH].flatMap((resultHash) =>
        [ZERO_HASH, facts.jobId, testHash(1)].map((salt) => chain.commitment({ ...vote, outcome, resultHash, salt })),
      ),
    );
    assert.equal(guesses.includes(facts.commitments[0]?.commitment as Hex), false);
    assert.equal(chain.commitment(vote), facts.commitments[0]?.commitment);
  });
});

describe("framing", () => {
  test("one provider gets the right key, the others garbage: nobody is convicted", async () => {
    const packageKey = generatePackageKey();
    const keys = [0, 1, 2].map(() => generateEncryptionKeyPair());
    const before = await chain.accounts();
    let facts = await openWithWraps(keys, (place) => (place === 1 ? packageKey : undefined));
    const votes: Vote[] = [];
    for (const [place, pair] of keys.entries()) {
      const opened = await openWrap(facts, place, pair).catch((error: unknown) => {
        assert.ok(isQuorateError(error, "SEAL_DOES_NOT_OPEN"));
        return undefined;
      });
      assert.equal(opened === undefined, place !== 1);
      votes.push(
        opened === undefined
          ? chain.vote(facts, place, Outcome.Report, ZERO_HASH)
          : chain.vote(facts, place, Outcome.Ok, resultHashOf(deriveResultKey(opened, facts.jobId), utf8("42"))),
      );
    }
    for (const [place, vote] of votes.entries()) facts = await commit(facts, place, chain.commitment(vote));
    facts = await reveal(facts, [...votes.entries()]);
    assert.equal(facts.settled?.status, JobStatus.Accepted);
    assert.equal(facts.settled?.outcome, Outcome.Report);
    assert.deepEqual(
      facts.settled?.results.map(({ verdict }) => verdict),
      [Verdict.Reported, Verdict.Overruled, Verdict.Reported],
    );
    assert.equal(facts.settled?.burnt, 0n);
    for (const place of [0, 1, 2]) {
      assert.equal(await chain.market.onProbation(provider(place).address), false);
      const { free = 0n, locked } = before[provider(place).address] ?? {};
      const fee = shareOf(900_000n, facts.terms.calloutBps);
      assert.deepEqual(await chain.account(provider(place).address), { free: free + fee, locked });
    }
  });

  test("nobody can commit, decline or open for another", async () => {
    const facts = await chain.open(chain.request());
    const stranger = chain.market.connect(chain.outsider);
    const rival = chain.market.connect(provider(1));
    for (const market of [stranger, rival]) {
      assert.equal((await errorOf(market.commit(facts.jobId, plain(facts.terms), 0, testHash(1)))).name, "NotProvider");
      assert.equal((await errorOf(market.decline(facts.jobId, plain(facts.terms), 0))).name, "NotProvider");
    }
  });
});

/** A job whose wraps are real; a place without a key gets random bytes. */
async function openWithWraps(
  keys: readonly EncryptionKeyPair[],
  keyOf: (place: number) => Uint8Array | undefined,
): Promise<JobFacts> {
  const request = chain.request();
  const jobId = (await chain.market.jobIdOf(request)) as Hex;
  const offers: SignedOffer[] = await Promise.all(
    keys.map(async ({ publicKey }, place) => {
      const offer = await chain.offer(request, provider(place), { encryptionKey: publicKey });
      const plaintext = keyOf(place);
      const keyWrap =
        plaintext === undefined
          ? crypto.getRandomValues(new Uint8Array(80))
          : await sealTo({ recipient: publicKey, purpose: "key-wrap", aad: aadOf(jobId, place), plaintext });
      return { ...offer, keyWrap: hex(keyWrap) };
    }),
  );
  return chain.follow(undefined, chain.market.connect(chain.requester).open(request, 0, plain(offers)));
}

function aadOf(jobId: Hex, place: number): Uint8Array {
  return sealAad({ ...chain.domain, jobId, provider: provider(place).address as Address });
}

function openWrap(facts: JobFacts, place: number, { privateKey }: EncryptionKeyPair): Promise<Uint8Array> {
  const sealed = getBytes(facts.keyWraps[place] as Hex);
  return openSealed({ privateKey, purpose: "key-wrap", aad: aadOf(facts.jobId, place), sealed });
}

/** Data and topics of all logs, and the calldata of all transactions, since the job was opened. */
async function chainData(facts: JobFacts): Promise<Uint8Array[]> {
  const { provider: node } = chain.connection.ethers;
  const logs = await node.getLogs({ fromBlock: 0, topics: [null, facts.jobId] });
  const transactions = await Promise.all(logs.map((log) => node.getTransaction(log.transactionHash)));
  return [
    ...logs.flatMap(({ data, topics }) => [getBytes(data), ...topics.map((topic) => getBytes(topic))]),
    ...transactions.map((transaction) => getBytes(transaction?.data ?? "0x")),
  ];
}
