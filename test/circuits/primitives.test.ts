// Hashes and signatures of @quorate/proofs against circomlibjs, the reference of the circuits' library, and the vectors on record.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  attributeOf,
  consentMessage,
  contextOf,
  createTree,
  definitionHash,
  eddsaKey,
  encodeStatement,
  FIELD_MODULUS,
  hash,
  leafOf,
  nullifierOf,
  parseDatasetDefinition,
  parseRecord,
  parseStatement,
  personOf,
  queryOf,
  schemaOf,
  subjectFromSecret,
  subjectIdOf,
  subjectRefOf,
  toJson,
  verifySignature,
} from "@quorate/proofs";
import { seededRandom } from "@quorate/testkit";
import { buildEddsa } from "circomlibjs";
import { hash as reference, runProgram } from "./support/reference.ts";

const seed = Date.now() % 2 ** 32;
console.log(`seed ${seed}`);
const random = seededRandom(seed);
const fieldElement = (): bigint =>
  random.bytes(40).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) % FIELD_MODULUS;

test("Poseidon of 1 to 8 inputs is that of the reference", () => {
  for (let inputs = 1; inputs <= 8; inputs++) {
    for (const edge of [0n, 1n, FIELD_MODULUS - 1n, fieldElement()]) {
      const numbers = [edge, ...Array.from({ length: inputs - 1 }, fieldElement)];
      assert.equal(hash(...numbers), reference(...numbers), numbers.join());
    }
  }
  assert.throws(() => hash(), RangeError);
  assert.throws(() => hash(...Array.from({ length: 9 }, () => 0n)), RangeError);
  assert.throws(() => hash(FIELD_MODULUS), /modulus/);
  assert.throws(() => hash(1n, -1n), /negative/);
});

test("keys and signatures are those of the reference, byte for byte, and each verifies the other's", async () => {
  const eddsa = await buildEddsa();
  const { F } = eddsa;
  for (let n = 0; n < 8; n++) {
    const secret = random.bytes(32);
    const message = n === 0 ? 0n : fieldElement();
    const { publicKey, sign } = eddsaKey(secret);
    const theirs = eddsa.signPoseidon(secret, F.e(message));
    assert.deepEqual(
      publicKey,
      eddsa.prv2pub(secret).map((part) => F.toObject(part)),
    );
    const [R8x = 0n, R8y = 0n] = theirs.R8.map((part) => F.toObject(part));
    assert.deepEqual(sign(message), { R8x, R8y, S: theirs.S });
    assert.equal(verifySignature(publicKey, message, { R8x, R8y, S: theirs.S }), true);
    const ours = sign(message);
    const signature = { R8: [F.e(ours.R8x), F.e(ours.R8y)] as const, S: ours.S };
    assert.equal(eddsa.verifyPoseidon(F.e(message), signature, eddsa.prv2pub(secret)), true);
  }
});

/** Everything that a query is made of, from small inputs; another implementation must get the same numbers. */
function vectors(inputs: Inputs): Record<string, unknown> {
  const definition = parseDatasetDefinition(inputs.definition);
  const [attribute] = definition.attributes;
  const [scorecard] = definition.scorecards;
  assert.ok(attribute !== undefined && scorecard !== undefined);
  const subject = subjectFromSecret(Uint8Array.from(Buffer.from(inputs.subjectSecret, "hex")), inputs.context.provider);
  const person = personOf(inputs.papers);
  const subjectId = subjectIdOf(subject.publicKey, person);
  const nonces = { subject: BigInt(inputs.subjectNonce), k: BigInt(inputs.k) };
  const context = contextOf({ ...inputs.context, nonce: BigInt(inputs.context.nonce) });
  const subjectRef = subjectRefOf(subjectId, nonces.subject);
  const questions = inputs.questions.map(({ record: recordJson, statement: statementJson }) => {
    const record = parseRecord(recordJson);
    const encoded = encodeStatement(parseStatement(statementJson));
    const { topic, params, nullifierTopic } = encoded;
    const leaf = leafOf(record, { subjectId, nk: subject.nk });
    const query = queryOf({ context, subjectRef, person, topic, params, keyHash: reference(nonces.k) });
    const tree = createTree();
    tree.insert(leaf);
    const message = consentMessage(query, leaf);
    const nullifier = nullifierOf({ nk: subject.nk, nullifierTopic, validFrom: record.validFrom, i: 1 });
    return { topic, params, leaf, root: tree.root, query, message, signature: subject.sign(message), nullifier };
  });
  return toJson({
    attribute: attributeOf(attribute),
    schema: schemaOf(scorecard),
    definition: definitionHash(definition),
    person,
    publicKey: subject.publicKey,
    nk: subject.nk,
    subjectId,
    context,
    subjectRef,
    questions,
  }) as Record<string, unknown>;
}

type Inputs = {
  readonly definition: unknown;
  readonly papers: Parameters<typeof personOf>[0];
  readonly subjectSecret: string;
  readonly subjectNonce: string;
  readonly k: string;
  readonly context: Omit<Parameters<typeof contextOf>[0], "nonce"> & { readonly nonce: string };
  readonly questions: readonly { readonly record: unknown; readonly statement: unknown }[];
};

test("the numbers of a query are those on record", () => {
  const file = new URL("../vectors/queries.json", import.meta.url);
  const { inputs, outputs } = JSON.parse(readFileSync(file, "utf8")) as { inputs: Inputs; outputs: unknown };
  assert.deepEqual(vectors(inputs), outputs);
});

test("a scorecard in decimals runs as the reference's program of whole numbers", () => {
  const field = (name: string) => ({ name, unit: "", scale: 2, signed: false, description: name });
  const scorecard = { name: "card", description: "", fields: [field("income"), field("debt")] };
  const encoded = encodeStatement({
    kind: "scorecard",
    scorecard,
    clauses: [{ coefficients: { income: "0.36", debt: "-1" }, atLeast: "12.5", weight: 5 }],
    cutoff: 5,
    asOf: 1,
  });
  assert.ok(encoded.circuit === "scorecard");
  const { clauses, cutoff } = encoded;
  const program = {
    coefficient: clauses.map(({ coefficients }) => coefficients),
    bound: clauses.map(({ bound }) => bound),
    weight: clauses.map(({ weight }) => weight),
    cutoff,
  };
  // 0.36 · 100 − 23.5 = 12.5
  const values = [10_000n, 2_350n, 0n, 0n, 0n, 0n, 0n, 0n];
  assert.equal(runProgram(program, values), true);
  assert.equal(runProgram(program, values.with(1, 2_351n)), false);
  assert.equal(runProgram(program, values.with(0, 9_999n)), false);
});
