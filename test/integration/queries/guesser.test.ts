// What the chain shows of two questions to somebody who knows every person, attribute, value, threshold and date, but no secret.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { getBytes, hexlify } from "ethers";
import { hash, publicKey } from "../../circuits/support/reference.ts";
import { mined, proven, TestQueryMarket } from "./support/market.ts";
import { AS_OF, contextOf, contractAddress, INCOME, MINIMUM, type Opening } from "./support/parties.ts";
import { ALICE, askIncome, BOB } from "./support/scenario.ts";

/** Numbers that the guesser tries where a secret belongs; the words on chain are tried too. */
const GUESSES: readonly bigint[] = [0n, 1n];
const THRESHOLDS: readonly bigint[] = [80_000n, 90_000n, MINIMUM, 110_000n, 120_000n];
const TOP = 2n ** 64n - 1n;

type Secrets = Pick<Opening, "nonce" | "k"> & { readonly subjectNonce: bigint; readonly nk: bigint };

const subjects: ReadonlyMap<typeof ALICE, bigint> = new Map(
  [ALICE, BOB].map((subject) => [subject, hash(...publicKey(subject.key), subject.person)]),
);

/** Everything that the protocol derives for one person and threshold from these secrets. */
function derive(subject: typeof ALICE, minimum: bigint, { nonce, subjectNonce, k, nk }: Secrets): readonly bigint[] {
  const subjectId = subjects.get(subject) ?? 0n;
  const subjectRef = hash(subjectId, subjectNonce);
  const context = contextOf(contractAddress("SealedAnswerVerifier"), nonce);
  const atLeast = minimum | (TOP << 64n) | (AS_OF << 128n);
  const below = atLeast | (1n << 168n);
  const queries = [atLeast, below].map((params) => {
    return hash(context, subjectRef, subject.person, INCOME, params, hash(k));
  });
  const ciphers = queries.flatMap((query) => [hash(k, query), hash(k, query) + 1n]);
  const nullifiers = [0n, 1n, 2n].map((use) => hash(nk, INCOME, 1_700_000_000n, use));
  return [subjectId, subjectRef, hash(k), ...queries, ...ciphers, ...nullifiers];
}

let words: ReadonlySet<bigint>;
let bytes: readonly string[];
/** Without the root, which is no word of one person. */
let signals: readonly bigint[];

before(async () => {
  const chain = await TestQueryMarket.create();
  const node = chain.connection.ethers.provider;
  signals = [];
  for (const name of ["true", "false"]) {
    const question = proven(name);
    const quote = await chain.quote(question);
    await chain.ask(quote);
    await mined(chain.answer(quote, question));
    signals = [...signals, question.cipher, question.nullifier, question.query];
  }
  const latest = await node.getBlockNumber();
  const found: string[] = [];
  for (let number = 1; number <= latest; number++) {
    const block = await node.getBlock(number);
    for (const txHash of block?.transactions ?? []) {
      const [transaction, receipt] = [await node.getTransaction(txHash), await node.getTransactionReceipt(txHash)];
      // Code of contracts holds constants, which are the same for everybody.
      if (transaction?.to != null) found.push(transaction.data);
      for (const { topics, data } of receipt?.logs ?? []) found.push(...topics, data);
    }
  }
  bytes = found;
  words = new Set(
    found.flatMap((data) => {
      const raw = getBytes(data);
      const start = raw.length % 32;
      return Array.from({ length: (raw.length - start) / 32 }, (_, n) =>
        BigInt(hexlify(raw.subarray(start + 32 * n, start + 32 * n + 32))),
      );
    }),
  );
});

describe("a guesser", () => {
  test("the words on chain are those of the questions", () => {
    for (const signal of signals) assert.ok(words.has(signal));
  });

  test("with the secrets, one try is enough", () => {
    const { example, opening } = askIncome({ name: "true", subject: ALICE });
    const { subjectNonce, nk } = example.inputs as Record<"subjectNonce" | "nk", bigint>;
    const hits = derive(ALICE, MINIMUM, { ...opening, subjectNonce, nk }).filter((value) => words.has(value));
    assert.deepEqual(hits, [example.query, example.signals[0], example.signals[1]]);
  });

  test("without them, no word on chain follows from what it knows, whatever it puts in their place", () => {
    const guesses = [...GUESSES, ...signals];
    let tries = 0;
    for (const subject of [ALICE, BOB]) {
      for (const minimum of THRESHOLDS) {
        for (const guess of guesses) {
          const secrets = { nonce: guess % 2n ** 128n, subjectNonce: guess, k: guess, nk: guess };
          for (const value of derive(subject, minimum, secrets)) {
            assert.equal(words.has(value), false);
            tries += 1;
          }
        }
      }
    }
    assert.equal(tries, 2 * THRESHOLDS.length * guesses.length * 12);
  });

  test("nothing of a person, record or answer is on chain in the clear", () => {
    const all = bytes.join(" ").toLowerCase();
    for (const subject of [ALICE, BOB]) {
      const plain = [...publicKey(subject.key), subject.person, subject.nk, INCOME, AS_OF, MINIMUM, subject.value];
      for (const value of plain) {
        assert.equal(words.has(value), false);
        // Short numbers may be in a hash by chance.
        if (value > 2n ** 64n) assert.equal(all.includes(value.toString(16)), false);
      }
    }
  });
});
