// Contracts and packages compute the same ids, queries and answers.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type Address, datasetIdOf, type Hex, type Quote, quoteDigest } from "@quorate/core";
import {
  type AttributeDefinition,
  encodeStatement,
  keyHashOf,
  openCipher,
  contextOf as packageContextOf,
  queryOf,
  type Statement,
  verifyProof,
} from "@quorate/proofs";
import { getAddress, id } from "ethers";
import { DEFINITION, mined, proven, TestQueryMarket } from "./support/market.ts";
import { CHAIN_ID } from "./support/parties.ts";

let chain: TestQueryMarket;
before(async () => {
  chain = await TestQueryMarket.create();
});

const word = (text: string): bigint => BigInt(id(text));
const account = (text: string): Address => getAddress(id(text).slice(0, 42)) as Address;

test("digests of quotes, and ids of datasets", async () => {
  for (let n = 0; n < 20; n++) {
    const quote: Quote = {
      asker: account(`asker ${n}`),
      provider: account(`provider ${n}`),
      query: word(`query ${n}`),
      dataset: id(`dataset ${n}`) as Hex,
      root: word(`root ${n}`),
      verifier: account(`verifier ${n}`),
      verifierCodeHash: id(`code ${n}`) as Hex,
      token: account(`token ${n}`),
      price: word(`price ${n}`) >> 160n,
      bond: word(`bond ${n}`) >> 160n,
      window: Number(word(`window ${n}`) >> 224n),
      expiry: Number(word(`expiry ${n}`) >> 216n),
    };
    assert.equal(await chain.market.quoteDigest(quote), quoteDigest(quote, chain.domain));
  }
  assert.equal(datasetIdOf(chain.provider.address as Address, DEFINITION as Hex), chain.dataset);
  assert.equal((await chain.market.datasetOf(chain.dataset)).provider, chain.provider.address);
});

test("the query of a statement about a person", async () => {
  const attribute: AttributeDefinition = {
    name: "gross income",
    unit: "EUR/year",
    scale: 2,
    signed: false,
    description: "Income before tax of the last full year",
  };
  const statement: Statement = {
    kind: "attribute",
    attribute,
    relation: "at-least",
    value: "100000",
    asOf: 1_795_300_000,
  };
  const { topic, params } = encodeStatement(statement);
  const desk = await chain.deployDesk({ attribute: topic, minimum: 10_000_000n });
  const [subjectRef, person, k] = [word("subject") >> 8n, word("person") >> 8n, word("k") >> 8n];
  const nonce = word("nonce") >> 128n;
  const context = packageContextOf({
    chainId: CHAIN_ID,
    market: chain.domain.market,
    provider: chain.provider.address as Address,
    asker: chain.asker.address as Address,
    verifier: (await chain.sealedAnswer.getAddress()) as Address,
    nonce,
  });
  const query = queryOf({ context, subjectRef, person, topic, params, keyHash: keyHashOf(k) });
  assert.equal(await desk.queryFor(person, { nonce, subjectRef, asOf: statement.asOf, k }), query);
});

test("which proofs hold, and what the answers are", async () => {
  for (const name of ["true", "false", "false, second use", "scorecard"]) {
    const question = proven(name);
    const { cipher, nullifier, root, query, circuit, opening, proof } = question;
    assert.equal(await verifyProof(circuit, proof, [cipher, nullifier, root, query]), true);
    assert.equal(await verifyProof(circuit, proof, [cipher, nullifier, query, root]), false);
    const quote = await chain.quote(question);
    await chain.ask(quote);
    await mined(chain.answer(quote, question));
    const onChain = await chain.market.answerOf(quote.provider, query, opening.k);
    assert.equal(openCipher(cipher, opening.k, query), onChain);
    assert.equal(onChain, question.answer);
  }
});
