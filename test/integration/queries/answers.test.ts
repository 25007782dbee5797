// Real proofs on the chain: what is paid, what is stored, who can read it.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { id } from "ethers";
import { AnswerFault, eventsOf, mined, proven, Status, TestQueryMarket } from "./support/market.ts";

let chain: TestQueryMarket;
let rewind: () => Promise<void>;
beforeEach(async () => {
  if (chain === undefined) chain = await TestQueryMarket.create();
  else await rewind();
  rewind = await chain.snapshot();
});

describe("one answer", () => {
  for (const name of ["true", "false", "scorecard"]) {
    test(`a proof of ${name} pays its provider, and only the key opens the answer`, async () => {
      const question = proven(name);
      const quote = await chain.quote(question);
      const before = await chain.accounts();
      await chain.ask(quote);
      assert.deepEqual(await chain.accounts(), {
        ...before,
        asker: { free: before.asker.free - quote.price, locked: 0n },
        provider: { free: before.provider.free - quote.bond, locked: quote.bond },
      });
      const receipt = await mined(chain.answer(quote, question));
      assert.deepEqual(await chain.accounts(), {
        ...before,
        asker: { free: before.asker.free - quote.price, locked: 0n },
        provider: { free: before.provider.free + quote.price, locked: 0n },
      });
      const [event] = eventsOf(receipt);
      assert.deepEqual(
        [event?.name, event?.args.toArray()],
        [
          "QuestionAnswered",
          [
            await chain.market.quoteDigest(quote),
            quote.provider,
            quote.asker,
            question.query,
            question.cipher,
            question.nullifier,
          ],
        ],
      );
      assert.deepEqual(
        [...(await chain.market.questionOf(quote.provider, quote.query))],
        [Status.Answered, 0n, question.cipher],
      );
      assert.equal(await chain.market.isUsed(quote.provider, question.nullifier), true);
      assert.deepEqual([...(await chain.market.recordOf(quote.provider))], [1n, 0n]);
      const { k } = question.opening;
      assert.equal(await chain.market.answerOf(quote.provider, quote.query, k), question.answer);
      for (const wrong of [k + 1n, 0n, BigInt(id("another key")) >> 8n]) {
        await chain.refused(() => chain.market.answerOf(quote.provider, quote.query, wrong), "WrongKey");
      }
    });
  }
});

describe("a batch", () => {
  test("three proofs of one verifier are paid by one call; what is not open is skipped", async () => {
    const names = ["true", "false", "false, second use"];
    const questions = names.map(proven);
    const quotes = await Promise.all(questions.map((question) => chain.quote(question)));
    for (const quote of quotes) await chain.ask(quote);
    const never = { ...quotes[0], query: 77n } as (typeof quotes)[0];
    const before = await chain.accounts();
    const answers = questions.map(({ cipher, nullifier, proof }, n) => {
      return { quote: quotes[n] as (typeof quotes)[0], cipher, nullifier, proof };
    });
    const [first] = answers;
    assert.ok(first !== undefined);
    const sent = chain.market.connect(chain.stranger).answerBatch([{ ...first, quote: never }, ...answers, first]);
    const events = eventsOf(await mined(sent));
    assert.deepEqual(
      events.map(({ name }) => name),
      ["AnswerSkipped", "QuestionAnswered", "QuestionAnswered", "QuestionAnswered", "AnswerSkipped"],
    );
    for (const event of [events[0], events[4]]) assert.equal(event?.args.cause, AnswerFault.NotPending);
    const paid = quotes.reduce((sum, { price, bond }) => sum + price + bond, 0n);
    assert.deepEqual(await chain.accounts(), {
      ...before,
      provider: { free: before.provider.free + paid, locked: 0n },
    });
    for (const [n, { answer, opening, query }] of questions.entries()) {
      assert.equal(await chain.market.answerOf(quotes[n]?.provider ?? "", query, opening.k), answer);
    }
  });
});
