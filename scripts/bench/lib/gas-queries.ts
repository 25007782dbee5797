// A question's transactions on Hardhat's in-process network, in steady state, with real proofs under the keys for development.

import type { Quote } from "@quorate/core";
import { type ContractTransactionReceipt, getBytes, Wallet } from "ethers";
import {
  FUNDS,
  mined,
  type Proven,
  proven,
  TestQueryMarket,
} from "../../../test/integration/queries/support/market.ts";
import { actorKey, type CircuitName } from "../../../test/integration/queries/support/parties.ts";

/** Gas of queries. */
export type QueryMeasurement = {
  readonly codeBytes: number;
  readonly ask: number;
  readonly answer: Readonly<Record<CircuitName, number>>;
  /** `answerBatch` by the number of proofs of sealed answers in it. */
  readonly answerBatch: Readonly<Record<string, number>>;
  /** The largest difference between a batch and one with a proof more. */
  readonly furtherProof: number;
  /** The part of it that the verifier takes. */
  readonly furtherProofVerified: number;
  readonly expire: number;
};

/** Proofs of one verifier that do not exclude each other. */
const BATCH: readonly string[] = ["true", "false", "false, second use"];

/**
 * Measures a question's transactions: quotes by an agent, accounts and counters used before.
 *
 * @returns gas
 * @throws Error when an answer is not paid
 */
export async function measureQueries(): Promise<QueryMeasurement> {
  const chain = await TestQueryMarket.create();
  const { connection, market, provider, domain } = chain;
  const agent = new Wallet(actorKey("agent of the payroll"), connection.ethers.provider);
  await mined(market.connect(provider).authorize(agent.address, chain.token.target, FUNDS, 300, 2_000_000_000));
  const gasOf = (receipt: ContractTransactionReceipt): number => Number(receipt.gasUsed);
  const asked = async (question: Proven): Promise<{ quote: Quote; gas: number }> => {
    const quote = await chain.quote(question);
    return { quote, gas: gasOf(await chain.ask(quote, agent)) };
  };
  /** Runs something and takes it back. */
  const aside = async <T>(measure: () => Promise<T>): Promise<T> => {
    const rewind = await chain.snapshot();
    const measured = await measure();
    await rewind();
    return measured;
  };

  const codeBytes = getBytes(await connection.ethers.provider.getCode(domain.market)).length;
  // Every account and counter is a word that exists already when measuring begins.
  const given = { query: chain.freshQuery(), root: proven("true").root, circuit: "sealed-answer" as const };
  const quoteGiven = await chain.quote(given);
  await chain.ask(quoteGiven, agent);
  await mined(market.connect(provider).expire(quoteGiven));
  const scorecard = await aside(async () => {
    const { quote } = await asked(proven("scorecard"));
    return gasOf(await mined(chain.answer(quote, proven("scorecard"))));
  });
  const { quote: first } = await asked(proven("scorecard"));
  await mined(chain.answer(first, proven("scorecard")));

  const { ask, answer } = await aside(async () => {
    const { quote, gas } = await asked(proven("true"));
    return { ask: gas, answer: gasOf(await mined(chain.answer(quote, proven("true")))) };
  });
  const expire = await aside(async () => {
    const { quote } = await asked(proven("true"));
    await chain.nextAt((await chain.now()) + quote.window + 1);
    return gasOf(await mined(market.connect(chain.stranger).expire(quote)));
  });
  const answerBatch: Record<string, number> = {};
  const verified: number[] = [];
  for (let count = 1; count <= BATCH.length; count++) {
    const questions = BATCH.slice(0, count).map(proven);
    verified.push(await verifyGas(chain, questions));
    answerBatch[count] = await aside(async () => {
      const answers = [];
      for (const question of questions) {
        const { cipher, nullifier, proof } = question;
        answers.push({ quote: (await asked(question)).quote, cipher, nullifier, proof });
      }
      return gasOf(await mined(market.connect(chain.stranger).answerBatch(answers)));
    });
    for (const question of questions) {
      if ((await chain.status({ provider: first.provider, query: question.query })) !== 0n) {
        throw new Error("a measured batch was not taken back");
      }
    }
  }
  return {
    codeBytes,
    ask,
    answer: { "sealed-answer": answer, scorecard },
    answerBatch,
    furtherProof: largestStep(Object.values(answerBatch)),
    furtherProofVerified: largestStep(verified),
    expire,
  };
}

/** Gas of the verifier alone for a batch, without what a transaction costs. */
async function verifyGas(chain: TestQueryMarket, questions: readonly Proven[]): Promise<number> {
  const { sealedAnswer, stranger } = chain;
  const signals = questions.map(({ cipher, nullifier, root, query }): [bigint, bigint, bigint, bigint] => {
    return [cipher, nullifier, root, query];
  });
  const proofs = questions.map(({ proof }) => proof);
  const data = sealedAnswer.interface.encodeFunctionData("verifyProofs", [proofs, signals]);
  const to = await sealedAnswer.getAddress();
  const receipt = await (await stranger.sendTransaction({ to, data })).wait();
  const intrinsic = getBytes(data).reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 21_000);
  return Number(receipt?.gasUsed) - intrinsic;
}

function largestStep(values: readonly number[]): number {
  return Math.max(...values.slice(1).map((value, index) => value - (values[index] ?? 0)));
}
