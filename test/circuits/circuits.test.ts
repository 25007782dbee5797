// Both circuits as a whole: against the reference, with every input changed, and with every wire changed.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mainOf, readConfig } from "../../scripts/circuits/config.ts";
import { CONSENT_TAG, type Example, hash, publicKey, scorecard, sealedAnswer, sign } from "./support/reference.ts";
import { Circuit, type Inputs, looseWires, P, satisfies, type Value } from "./support/witness.ts";

const config = readConfig();
const MAX64 = (1n << 64n) - 1n;

async function build(name: string): Promise<Circuit> {
  const instance = config.instances.find((candidate) => candidate.name === name);
  assert.ok(instance);
  return Circuit.of(mainOf(instance));
}

async function proves(circuit: Circuit, { inputs, signals }: Example): Promise<void> {
  assert.deepEqual(await circuit.outputs(inputs), signals);
}

/** Inputs of an example with something replaced after the subject has signed. */
const tampered = ({ inputs }: Example, change: Inputs): Inputs => ({ ...inputs, ...change });

/** All inputs with one number in them changed, named by their place. */
function* mutations(inputs: Inputs): Generator<{ readonly place: string; readonly changed: Inputs }> {
  for (const [name, value] of Object.entries(inputs)) {
    for (const [place, changed] of mutated(name, value)) yield { place, changed: { ...inputs, [name]: changed } };
  }
}

function* mutated(place: string, value: Value): Generator<readonly [string, Value]> {
  if (typeof value === "bigint") {
    yield [place, value === P - 1n ? 0n : value + 1n];
    return;
  }
  for (const [n, item] of value.entries()) {
    for (const [inner, changed] of mutated(`${place}[${n}]`, item)) yield [inner, value.with(n, changed)];
  }
}

/** Tests that hold for both circuits. */
function common(name: string, circuit: Circuit, make: (over?: object) => Example): void {
  const base = make();

  test("keeps to its target and its public signals", () => {
    const instance = config.instances.find((candidate) => candidate.name === name);
    assert.ok(instance);
    assert.ok(circuit.header.constraints <= instance.maxConstraints, `${circuit.header.constraints} constraints`);
    assert.deepEqual(instance.publicSignals, ["cipher", "nullifier", "root", "query"]);
    assert.deepEqual([circuit.header.publicOutputs, circuit.header.publicInputs], [4, 0]);
  });

  test("proves what the reference computes, true and false", async () => {
    await proves(circuit, base);
    const [cipher = 0n] = base.signals;
    assert.equal((cipher - hash(base.inputs.k as bigint, base.query) + P) % P, 1n);
    for (const over of [{ i: 0n }, { asOf: 1_700_000_000n }, { asOf: 1_800_000_000n }, { person: 0n }, { k: P - 1n }]) {
      await proves(circuit, make(over));
    }
  });

  test("no input can change while the public signals stay, but those listed as free", async () => {
    const instance = config.instances.find((candidate) => candidate.name === name);
    const free = new Set<string>();
    let count = 0;
    for (const { place, changed } of mutations(base.inputs)) {
      count++;
      const outputs = await circuit.outputs(changed).catch(() => undefined);
      if (outputs?.every((value, n) => value === base.signals[n])) free.add(place);
    }
    assert.equal(count, circuit.header.privateInputs);
    assert.deepEqual([...free], instance?.freeInputs);
  });

  test("no wire can change alone in a witness, but two inverses that no constraint reads", async () => {
    const witness = await circuit.witness(base.inputs);
    assert.ok(satisfies(circuit.system, witness));
    // IsZero.inv of the two comparisons that end EdDSAPoseidonVerifier: what they compare is equal, so its inverse is free.
    const loose = looseWires(circuit.system, witness, 1n);
    assert.equal(loose.length, 2);
    for (const step of [P - 1n, 1n << 64n]) assert.deepEqual(looseWires(circuit.system, witness, step), loose);
    const readers = (wire: number): number =>
      circuit.system.rows.filter(({ a, b, c }) => [...a, ...b, ...c].some(([other]) => other === wire)).length;
    assert.deepEqual(loose.map(readers), [0, 0]);
    assert.ok(loose.every((wire) => wire > circuit.header.publicOutputs + circuit.header.privateInputs));
    assert.ok(!satisfies(circuit.system, witness.with(1, (witness[1] ?? 0n) + 1n)));
  });

  test("a record that is over, or has not begun, proves nothing", async () => {
    for (const asOf of [1_699_999_999n, 1_800_000_001n]) await circuit.refuses(make({ asOf }).inputs, /ValidAt/);
  });

  test("the budget is an end: no use number reaches it", async () => {
    for (const [i, budget] of [
      [3n, 3n],
      [0n, 0n],
      [65_536n, 65_535n],
    ] as const) {
      await circuit.refuses(make({ i, budget }).inputs, /BudgetNullifier/);
    }
  });

  test("a budget, a validity or a nullifier key other than the leaf's is refused", async () => {
    for (const change of [{ budget: 4n }, { validUntil: 1_900_000_000n }, { nk: 5n }]) {
      await circuit.refuses(tampered(base, change), /Consent/);
    }
  });

  test("a wrong path leads to another root, and digit 8 to none", async () => {
    const siblings = (base.inputs.siblings as readonly (readonly bigint[])[]).with(3, Array<bigint>(7).fill(5n));
    const outputs = await circuit.outputs(tampered(base, { siblings }));
    assert.notEqual(outputs[2], base.signals[2]);
    assert.deepEqual(outputs.toSpliced(2, 1), base.signals.toSpliced(2, 1));
    const index = base.inputs.index as readonly bigint[];
    await circuit.refuses(tampered(base, { index: index.with(0, 8n) }), /InsertAt8/);
  });

  test("a consent serves no other question, record or key", async () => {
    const { query, leaf } = base;
    const others = [
      sign(1, hash(CONSENT_TAG, query + 1n, leaf)),
      sign(1, hash(CONSENT_TAG, query, leaf + 1n)),
      sign(1, hash(CONSENT_TAG + 1n, query, leaf)),
      sign(2, hash(CONSENT_TAG, query, leaf)),
    ];
    for (const signature of others) await circuit.refuses(tampered(base, signature), /Consent/);
    for (const change of [{ context: 5n }, { person: 5n }, { k: 5n }, { subjectNonce: 5n }, { asOf: 1_750_000_001n }]) {
      await circuit.refuses(tampered(base, change), /Consent/);
    }
  });

  test("a borrowed record is refused: the key in it has not consented", async () => {
    const [Ax, Ay] = publicKey(2);
    await circuit.refuses(tampered(base, { Ax, Ay }), /Consent/);
  });

  test("the date stays within its 40 bits", async () => {
    await circuit.refuses(tampered(base, { asOf: 1n << 40n }), /ValidAt|AssertBits/);
  });
}

describe("sealed answer", async () => {
  const circuit = await build("sealed-answer");
  common("sealed-answer", circuit, sealedAnswer);

  test("answers at the boundaries as the reference does", async () => {
    const t = 100_000n;
    for (const value of [0n, 1n, t - 1n, t, t + 1n, 1n << 63n, MAX64]) {
      await proves(circuit, sealedAnswer({ value, lo: t }));
      await proves(circuit, sealedAnswer({ value, lo: t, negate: 1n }));
    }
  });

  test("a consent shown with another threshold is refused", async () => {
    for (const change of [{ lo: 99_999n }, { hi: MAX64 - 1n }, { negate: 1n }, { attribute: 78n }, { value: 5n }]) {
      await circuit.refuses(tampered(sealedAnswer(), change), /Consent/);
    }
  });

  test("no packing of lo and hi passes for another", async () => {
    const { lo, hi } = { lo: 100_000n + (1n << 64n), hi: MAX64 - 1n };
    await circuit.refuses(tampered(sealedAnswer(), { lo, hi }), /AssertBits/);
  });
});

describe("scorecard", async () => {
  const circuit = await build("scorecard");
  common("scorecard", circuit, scorecard);
  const base = scorecard();
  const value = base.inputs.value as readonly bigint[];

  test("answers no when a clause does not hold", async () => {
    const poor = scorecard({ value: value.with(2, 699n) });
    assert.equal(poor.answer, 0n);
    await proves(circuit, poor);
    const indebted = scorecard({ value: value.with(1, 18_001n) });
    assert.equal(indebted.answer, 0n);
    await proves(circuit, indebted);
    assert.equal(scorecard({ value: value.with(1, 18_000n) }).answer, 1n);
  });

  test("schema 0 belongs to single attributes and is refused", async () => {
    await circuit.refuses(scorecard({ schema: 0n }).inputs, /ScorecardLeaf/);
    await circuit.refuses(scorecard({ schema: 1n << 152n }).inputs, /AssertBits/);
  });

  test("the query names the schema: equal values that stand for something else answer another question", async () => {
    const other = scorecard({ schema: 5n });
    await proves(circuit, other);
    assert.notEqual(other.query, base.query);
    await circuit.refuses(tampered(other, sign(1, hash(CONSENT_TAG, base.query, other.leaf))), /Consent/);
  });

  test("a program that differs in one number is another question", async () => {
    const cutoff = (base.inputs.cutoff as bigint) - 1n;
    await circuit.refuses(tampered(base, { cutoff }), /Consent/);
  });

  test("its queries are no queries of the sealed answer, whatever is asked", async () => {
    // The attribute is called like the program, and all other parts are chosen to be equal: the form still differs.
    const { inputs } = base;
    const params = (inputs.schema as bigint) | ((inputs.asOf as bigint) << 152n);
    const forms = config.instances.map(({ parameters }) => parameters.at(-1) ?? -1n);
    assert.deepEqual(forms, [0n, 1n]);
    const [Ax, Ay] = publicKey(1);
    const subjectRef = hash(hash(Ax, Ay, inputs.person as bigint), inputs.subjectNonce as bigint);
    const query = (topic: bigint, form: bigint): bigint =>
      hash(
        inputs.context as bigint,
        subjectRef,
        inputs.person as bigint,
        topic,
        params | (form << 232n),
        hash(inputs.k as bigint),
      );
    const id = await programOf(inputs);
    assert.equal(query(id, 1n), base.query);
    assert.notEqual(query(id, 0n), base.query);
  });
});

/** Id of the program in the inputs, from the template alone. */
async function programOf({ value, coefficient, bound, weight, cutoff }: Inputs): Promise<bigint> {
  const program = await Circuit.template("program.circom", "Program()");
  const inputs = { value, coefficient, bound, weight, cutoff } as Inputs;
  return (await program.outputs(inputs))[1] ?? 0n;
}
