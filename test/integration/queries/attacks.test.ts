// What dishonest askers, providers and strangers try on the chain, with real proofs. Each attempt is refused by name, and pays nothing.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { type Address, type Hex, type Quote, ZERO_HASH } from "@quorate/core";
import { id, ZeroAddress } from "ethers";
import { mainOf, readConfig } from "../../../scripts/circuits/config.ts";
import { hash, scorecard, sealedAnswer } from "../../circuits/support/reference.ts";
import { Circuit } from "../../circuits/support/witness.ts";
import { add, type G1, malleated, naiveBatch, negate, Q, R } from "./support/curve.ts";
import {
  DEFINITION,
  datasetOf,
  GRACE,
  mined,
  type Proven,
  proven,
  Status,
  TestQueryMarket,
  type Words,
} from "./support/market.ts";
import type { CircuitName } from "./support/parties.ts";
import { ALICE, askIncome, BOB, scenarioQuestions } from "./support/scenario.ts";

const YES = 0;

let chain: TestQueryMarket;
let rewind: () => Promise<void>;
beforeEach(async () => {
  if (chain === undefined) chain = await TestQueryMarket.create();
  else await rewind();
  rewind = await chain.snapshot();
});

/** Asks a question that has a proof. */
async function asked(question: Proven, changes: Partial<Quote> = {}): Promise<Quote> {
  const quote = await chain.quote(question, changes);
  await chain.ask(quote);
  return quote;
}

/** The rival becomes a domain provider with a root of its choice. */
async function rivalDataset(root: bigint): Promise<Hex> {
  const market = chain.market.connect(chain.rival);
  await mined(market.registerDataset(DEFINITION, GRACE, ZeroAddress));
  const dataset = datasetOf(chain.rival.address);
  await mined(market.publishRoot(dataset, root));
  return dataset;
}

const circuits = new Map<CircuitName, Promise<Circuit>>();
function circuitOf(name: CircuitName): Promise<Circuit> {
  const instance = readConfig().instances.find((candidate) => candidate.name === name);
  assert.ok(instance !== undefined);
  const known = circuits.get(name) ?? Circuit.of(mainOf(instance));
  circuits.set(name, known);
  return known;
}

describe("the verifier", () => {
  test("one that always says yes cannot take the place of the one that was asked about", async () => {
    const question = proven("true");
    const quote = await asked(question);
    const yes = await chain.moodyVerifier(YES);
    const verifier = (await yes.getAddress()) as Address;
    const swapped = { ...quote, verifier, verifierCodeHash: await chain.codeHash(verifier) };
    const forged = { ...question, cipher: question.cipher + 1n };
    await chain.refused(() => chain.answer(swapped, forged), "QuoteMismatch");
    await chain.refused(() => chain.answer({ ...quote, verifier }, forged), "QuoteMismatch");
    await mined(chain.answer(quote, question));
  });

  test("other code at its address answers nothing", async () => {
    const question = proven("true");
    const quote = await asked(question);
    const yes = await chain.connection.ethers.provider.getCode(await chain.moodyVerifier(YES));
    const honest = await chain.connection.ethers.provider.getCode(quote.verifier);
    await chain.rpc("hardhat_setCode", quote.verifier, yes);
    const found = await chain.codeHash(quote.verifier);
    await chain.refused(() => chain.answer(quote, { ...question, cipher: 1n }), "VerifierChanged", [
      quote.verifier,
      found,
      quote.verifierCodeHash,
    ]);
    await chain.rpc("hardhat_setCode", quote.verifier, honest);
    await mined(chain.answer(quote, question));
  });

  test("one that always says yes does not pass for another by its hash", async () => {
    const question = proven("true");
    const honest = await chain.quote(question);
    const verifier = (await (await chain.moodyVerifier(YES)).getAddress()) as Address;
    const quote = { ...honest, verifier };
    const signature = await chain.sign(quote);
    await chain.refused(() => chain.market.connect(chain.asker).ask(quote, signature), "VerifierChanged");
  });

  test("an account without code is none, whatever hash the quote gives it", async () => {
    for (const verifierCodeHash of [ZERO_HASH, id("") as Hex]) {
      const quote = await chain.quote(proven("true"), { verifier: chain.rival.address as Address, verifierCodeHash });
      const signature = await chain.sign(quote);
      await chain.refused(() => chain.market.connect(chain.asker).ask(quote, signature), "VerifierWithoutCode");
    }
  });
});

describe("nullifiers and queries", () => {
  test("a stranger's dataset burns no nullifiers of another provider", async () => {
    const question = proven("true");
    const quote = await asked(question);
    // The rival sees the nullifier on its way, and uses it at a verifier of its own before the answer lands.
    const verifier = (await (await chain.moodyVerifier(YES)).getAddress()) as Address;
    const own = await chain.quote(
      { ...question, query: chain.freshQuery() },
      {
        asker: chain.stranger.address as Address,
        provider: chain.rival.address as Address,
        dataset: await rivalDataset(question.root),
        verifier,
        price: 0n,
        bond: 0n,
      },
    );
    await chain.ask(own, chain.rival, chain.stranger);
    await mined(chain.answer(own, question, chain.rival));
    assert.equal(await chain.market.isUsed(chain.rival.address, question.nullifier), true);
    assert.equal(await chain.market.isUsed(quote.provider, question.nullifier), false);
    const { provider } = await chain.accounts();
    await mined(chain.answer(quote, question));
    assert.equal((await chain.accounts()).provider.free, provider.free + quote.price + quote.bond);
  });

  test("a query that somebody else asks at another provider is still asked and answered at its own", async () => {
    const question = proven("true");
    const squat = await chain.quote(question, {
      asker: chain.stranger.address as Address,
      provider: chain.rival.address as Address,
      dataset: await rivalDataset(question.root),
      price: 0n,
      bond: 0n,
    });
    await chain.ask(squat, chain.rival, chain.stranger);
    const quote = await asked(question);
    // The answer to one question is none to the other.
    await chain.refused(() => chain.answer({ ...squat, provider: quote.provider }, question), "QuoteMismatch");
    await mined(chain.answer(quote, question));
    assert.equal(await chain.status(squat), Status.Pending);
    assert.equal(await chain.status(quote), Status.Answered);
  });

  test("a query is not asked twice at one provider, not even for another price", async () => {
    const question = proven("true");
    const quote = await asked(question);
    for (const again of [quote, { ...quote, price: 1n }]) {
      const signature = await chain.sign(again);
      await chain.refused(() => chain.market.connect(chain.asker).ask(again, signature), "AlreadyAsked", [
        quote.provider,
        quote.query,
        Status.Pending,
      ]);
    }
  });

  test("two quotes for one use of a record: the second is not paid, and its asker has price and bond", async () => {
    const [first, second] = [proven("true"), proven("true, use spent by another question")];
    assert.equal(first.nullifier, second.nullifier);
    assert.notEqual(first.query, second.query);
    const quotes = [await asked(first), await asked(second)] as const;
    await mined(chain.answer(quotes[0], first));
    await chain.refused(() => chain.answer(quotes[1], second), "NullifierUsed", [quotes[1].provider, second.nullifier]);
    const { asker } = await chain.accounts();
    await chain.nextAt((await chain.now()) + quotes[1].window + 1);
    await mined(chain.market.connect(chain.stranger).expire(quotes[1]));
    assert.equal((await chain.accounts()).asker.free, asker.free + quotes[1].price + quotes[1].bond);
  });

  test("two answers for one use of a record in one batch: the second is skipped", async () => {
    const questions = [proven("true"), proven("true, use spent by another question")] as const;
    const quotes = [await asked(questions[0]), await asked(questions[1])] as const;
    const { provider } = await chain.accounts();
    const answers = questions.map(({ cipher, nullifier, proof }, n) => {
      return { quote: quotes[n] as Quote, cipher, nullifier, proof };
    });
    await mined(chain.market.connect(chain.stranger).answerBatch(answers));
    assert.equal((await chain.accounts()).provider.free, provider.free + quotes[0].price + quotes[0].bond);
    assert.equal(await chain.status(quotes[1]), Status.Pending);
  });
});

describe("consent and records", () => {
  const consented = askIncome({ name: "true", subject: ALICE });

  test("the subject's consent has a witness as it was given", async () => {
    const signals = await (await circuitOf("sealed-answer")).outputs(consented.example.inputs);
    assert.deepEqual(signals, consented.example.signals);
  });

  const changed: readonly [string, ReturnType<typeof askIncome>][] = [
    ["with another threshold", askIncome({ name: "true", subject: ALICE, minimum: 110_000n })],
    ["by another asker", askIncome({ name: "true", subject: ALICE, asker: ZeroAddress })],
    ["to another provider", askIncome({ name: "true", subject: ALICE, provider: ZeroAddress })],
  ];
  for (const [name, { example }] of changed) {
    test(`consent to a question cannot be used for one ${name}: there is no witness, and the proof is refused`, async () => {
      const { R8x, R8y, S } = consented.example.inputs as Record<"R8x" | "R8y" | "S", bigint>;
      const circuit = await circuitOf("sealed-answer");
      await circuit.refuses({ ...example.inputs, R8x, R8y, S }, /EdDSAPoseidonVerifier/);
      const question = proven("true");
      assert.notEqual(example.query, question.query);
      const quote = await asked({ ...question, query: example.query });
      await chain.refused(() => chain.answer(quote, question), "ProofRefused", [quote.verifier]);
    });
  }

  test("a borrowed record is no record of who borrows it: no witness, no root", async () => {
    // Bob shows his own papers, and Alice's record and consent.
    const { example } = askIncome({ name: "true", subject: { ...ALICE, person: BOB.person } });
    const { R8x, R8y, S } = consented.example.inputs as Record<"R8x" | "R8y" | "S", bigint>;
    const circuit = await circuitOf("sealed-answer");
    await circuit.refuses({ ...example.inputs, R8x, R8y, S }, /EdDSAPoseidonVerifier/);
    // Alice helps and signs: then it is a leaf that the provider never published.
    const [, , root] = (await circuit.outputs(example.inputs)) as [bigint, bigint, bigint];
    assert.notEqual(root, proven("true").root);
    const quote = await chain.quote({ ...proven("true"), query: example.query, root });
    const signature = await chain.sign(quote);
    await chain.refused(() => chain.market.connect(chain.asker).ask(quote, signature), "RootNotAskable");
  });

  test("a root that is published after the question answers it for nobody", async () => {
    const question = proven("true");
    const quote = await asked(question);
    const market = chain.market.connect(chain.provider);
    const other = question.root + 1n;
    await mined(market.publishRoot(chain.dataset, other));
    await chain.refused(() => chain.answer({ ...quote, root: other }, question), "QuoteMismatch");
    // And a proof about one root is none about another.
    const late = await asked({ ...proven("false"), root: other });
    await chain.refused(() => chain.answer(late, proven("false")), "ProofRefused");
    // The old root answers, even revoked.
    await mined(market.revokeRoot(chain.dataset, question.root));
    await mined(chain.answer(quote, question));
  });

  test("a scorecard does not run on a record of another schema, nor in place of a sealed answer", async () => {
    const circuit = await circuitOf("scorecard");
    const other = scorecard({ schema: 5n });
    const { inputs, signals } = scorecard();
    // The program names another schema than the record has: leaf, root and consent are about another record.
    await circuit.refuses({ ...inputs, schema: 5n }, /EdDSAPoseidonVerifier/);
    assert.notEqual(other.signals[2], signals[2]);
    // A provider that names an attribute like a program gets another query: its form differs.
    const program = proven("scorecard");
    const named = sealedAnswer({ attribute: program.query });
    assert.notEqual(named.query, program.query);
    // The proof of one circuit is none to the verifier of the other.
    for (const [question, wrong] of [
      [program, "sealed-answer"],
      [proven("true"), "scorecard"],
    ] as const) {
      const quote = await asked({ ...question, circuit: wrong });
      await chain.refused(() => chain.answer(quote, question), "ProofRefused", [await chain.verifierOf(wrong)]);
    }
  });
});

describe("proofs", () => {
  test("a signal with the modulus added is refused, by the market and by the verifier", async () => {
    const question = proven("true");
    const quote = await asked(question);
    const { cipher, nullifier } = question;
    await chain.refused(() => chain.answer(quote, { ...question, cipher: cipher + R }), "CipherOutOfRange", [
      cipher + R,
    ]);
    await chain.refused(() => chain.answer(quote, { ...question, nullifier: nullifier + R }), "NullifierOutOfRange", [
      nullifier + R,
    ]);
    const provider = chain.market.connect(chain.provider);
    await chain.refused(() => provider.publishRoot(chain.dataset, question.root + R), "RootOutOfRange");
    const beyond = await chain.quote({ ...question, query: question.query + R });
    const signature = await chain.sign(beyond);
    await chain.refused(() => chain.market.connect(chain.asker).ask(beyond, signature), "QueryOutOfRange");
    const signals: [bigint, bigint, bigint, bigint] = [cipher, nullifier, question.root, question.query];
    assert.equal(await chain.sealedAnswer.verifyProofs([question.proof], [signals]), true);
    for (const n of signals.keys()) {
      const raised = signals.with(n, (signals[n] ?? 0n) + R) as typeof signals;
      assert.equal(await chain.sealedAnswer.verifyProofs([question.proof], [raised]), false);
    }
  });

  test("a malleated proof pays the same party once, whoever sends it", async () => {
    const question = proven("true");
    const quote = await asked(question);
    const before = await chain.accounts();
    const other = { ...question, proof: malleated(question.proof) };
    assert.notDeepEqual(other.proof, question.proof);
    await mined(chain.answer(quote, other, chain.rival));
    const paid = { ...before, provider: { free: before.provider.free + quote.price + quote.bond, locked: 0n } };
    assert.deepEqual(await chain.accounts(), paid);
    await chain.refused(() => chain.answer(quote, question), "QuestionNotPending", [
      await chain.market.quoteDigest(quote),
      Status.Answered,
    ]);
  });

  test("points that are off the curve, swapped, negated alone, or written in another encoding are refused", async () => {
    const question = proven("true");
    const quote = await asked(question);
    const [ax, ay, bx0, bx1, by0, by1, cx, cy] = question.proof;
    // snarkjs' verifier computes q − y modulo 2^256: another y gives the same −A.
    const wrapped = ((ay + 2n ** 256n) % Q) + Q;
    assert.equal((2n ** 256n + Q - wrapped) % Q, Q - ay);
    const bad: Readonly<Record<string, Words>> = {
      "off the curve": [ax, ay + 1n, bx0, bx1, by0, by1, cx, cy],
      "zero A": [0n, 0n, bx0, bx1, by0, by1, cx, cy],
      "swapped A and C": [cx, cy, bx0, bx1, by0, by1, ax, ay],
      "negated C": [ax, ay, bx0, bx1, by0, by1, ...negate([cx, cy])] as Words,
      "swapped halves of B": [ax, ay, bx1, bx0, by1, by0, cx, cy],
      "x of A plus q": [ax + Q, ay, bx0, bx1, by0, by1, cx, cy],
      "y of A plus q": [ax, ay + Q, bx0, bx1, by0, by1, cx, cy],
      "y of A beyond q, same −A": [ax, wrapped, bx0, bx1, by0, by1, cx, cy],
      "B plus q": [ax, ay, bx0 + Q, bx1, by0, by1, cx, cy],
      "C plus q": [ax, ay, bx0, bx1, by0, by1, cx + Q, cy],
    };
    const { cipher, nullifier } = question;
    const single = chain.market.connect(chain.stranger);
    for (const [name, proof] of Object.entries(bad)) {
      const gasLimit = 2_000_000;
      await chain.refused(() => single.answer(quote, cipher, nullifier, proof, { gasLimit }), "ProofRefused");
      const batch = [{ quote, cipher, nullifier, proof }];
      await chain.refused(() => single.answerBatch(batch, { gasLimit }), "ProofRefused");
      assert.equal(await chain.status(quote), Status.Pending, name);
    }
    await mined(chain.answer(quote, question));
  });

  test("a batch whose errors cancel is refused", async () => {
    const node = chain.connection.ethers.provider;
    const questions = ["true", "false"].map(proven);
    const [first, second] = questions;
    assert.ok(first !== undefined && second !== undefined);
    const quotes = [await asked(first), await asked(second)];
    assert.equal(await naiveBatch(node, "sealed-answer", questions), true);

    // Errors in C: D added to one, taken from the other.
    const d: G1 = [1n, 2n];
    const withC = async (question: Proven, error: G1): Promise<Proven> => {
      const [ax, ay, bx0, bx1, by0, by1, cx, cy] = question.proof;
      const c = await add(node, [cx, cy], error);
      return { ...question, proof: [ax, ay, bx0, bx1, by0, by1, ...c] as Words };
    };
    const shifted = [await withC(first, d), await withC(second, negate(d))];
    // Errors in signals: a false answer is written as a true one, and another one pays for it.
    const lied = [
      { ...first, cipher: (first.cipher + R - 1n) % R },
      { ...second, cipher: (second.cipher + 1n) % R },
    ];
    for (const forged of [shifted, lied]) {
      assert.equal(await naiveBatch(node, "sealed-answer", forged), true, "the errors cancel");
      const answers = forged.map(({ cipher, nullifier, proof }, n) => {
        return { quote: quotes[n] as Quote, cipher, nullifier, proof };
      });
      for (const order of [answers, answers.toReversed()]) {
        const market = chain.market.connect(chain.stranger);
        await chain.refused(() => market.answerBatch(order), "ProofRefused", [quotes[0]?.verifier]);
      }
    }
    for (const quote of quotes) assert.equal(await chain.status(quote), Status.Pending);
  });

  test("a batch of proofs is none for other signals, another order, or no proof at all", async () => {
    const questions = ["true", "false", "false, second use"].map(proven);
    const signals = questions.map(({ cipher, nullifier, root, query }): [bigint, bigint, bigint, bigint] => {
      return [cipher, nullifier, root, query];
    });
    const proofs = questions.map(({ proof }) => proof);
    const { sealedAnswer, scorecard } = chain;
    assert.equal(await sealedAnswer.verifyProofs(proofs, signals), true);
    assert.equal(await sealedAnswer.verifyProofs(proofs.toReversed(), signals.toReversed()), true);
    assert.equal(await sealedAnswer.verifyProofs(proofs, signals.toReversed()), false);
    assert.equal(await sealedAnswer.verifyProofs(proofs.slice(1), signals), false);
    assert.equal(await sealedAnswer.verifyProofs([], []), false);
    assert.equal(await scorecard.verifyProofs(proofs, signals), false);
    const card = proven("scorecard");
    const cardSignals: [bigint, bigint, bigint, bigint] = [card.cipher, card.nullifier, card.root, card.query];
    assert.equal(await scorecard.verifyProofs([card.proof], [cardSignals]), true);
    assert.equal(await sealedAnswer.verifyProofs([...proofs, card.proof], [...signals, cardSignals]), false);
  });
});

describe("quotes", () => {
  test("a quote of another chain or market is nobody's", async () => {
    const quote = await chain.quote(proven("true"));
    for (const domain of [
      { ...chain.domain, chainId: 1 },
      { ...chain.domain, market: chain.rival.address as Address },
    ]) {
      const signature = await chain.sign(quote, chain.provider, domain);
      await chain.refused(() => chain.market.connect(chain.asker).ask(quote, signature), "QuoteNotSigned");
    }
  });

  test("whoever copies a quote cannot ask by it, and who copies an answer is not paid for it", async () => {
    const question = proven("true");
    const quote = await chain.quote(question);
    const signature = await chain.sign(quote);
    await chain.refused(() => chain.market.connect(chain.stranger).ask(quote, signature), "NotAsker");
    const own = { ...quote, asker: chain.stranger.address as Address };
    await chain.refused(() => chain.market.connect(chain.stranger).ask(own, signature), "QuoteNotSigned");
    await chain.ask(quote);
    const { rival } = await chain.accounts();
    await mined(chain.answer(quote, question, chain.rival));
    assert.deepEqual((await chain.accounts()).rival, rival);
  });

  test("a provider that goes silent pays for it; before the deadline only it can give up", async () => {
    const before = await chain.accounts();
    const quote = await asked(proven("true"));
    for (const wallet of [chain.asker, chain.stranger]) {
      await chain.refused(() => chain.market.connect(wallet).expire(quote), "NotYetExpirable");
    }
    await chain.nextAt((await chain.now()) + quote.window + 1);
    await mined(chain.market.connect(chain.stranger).expire(quote));
    assert.deepEqual(await chain.accounts(), {
      ...before,
      asker: { free: before.asker.free + quote.bond, locked: 0n },
      provider: { free: before.provider.free - quote.bond, locked: 0n },
    });
    await chain.refused(() => chain.answer(quote, proven("true")), "QuestionNotPending");
  });
});

test("the proofs on record are those of the scenario; else run node scripts/proofs.ts --write", () => {
  for (const { name, opening, example } of scenarioQuestions()) {
    const stored = proven(name);
    assert.deepEqual(stored.opening, opening);
    assert.deepEqual([stored.cipher, stored.nullifier, stored.root, stored.query], example.signals);
    assert.equal(stored.cipher, example.answer + hash(opening.k, stored.query));
    assert.equal(stored.answer, example.answer === 1n);
  }
});
