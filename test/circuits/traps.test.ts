// Traps of circom and its library, each shown to be real, and shown not to be ours.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../../scripts/lib/workspace.ts";
import { Circuit, type Inputs, P, satisfies } from "./support/witness.ts";

const library = (call: string): Promise<Circuit> => Circuit.template("circomlib/circuits/comparators.circom", call);

describe("comparisons of circomlib", () => {
  test("LessThan(8) says that p − 100 is less than 5; Interval has no witness for it", async () => {
    assert.deepEqual(await (await library("LessThan(8)")).outputs({ in: [P - 100n, 5n] }), [1n]);
    const interval = await Circuit.template("interval.circom", "Interval()");
    await interval.refuses({ value: P - 100n, lo: 0n, hi: 5n, negate: 0n }, /AssertBits/);
  });

  test("GreaterEqThan(64) says that 5 is at least p − 1; Interval has no witness for it", async () => {
    assert.deepEqual(await (await library("GreaterEqThan(64)")).outputs({ in: [5n, P - 1n] }), [1n]);
    const interval = await Circuit.template("interval.circom", "Interval()");
    await interval.refuses({ value: 5n, lo: P - 1n, hi: P - 1n, negate: 0n }, /AssertBits/);
  });

  test("the top value is provable from both sides", async () => {
    const top = (1n << 64n) - 1n;
    const interval = await Circuit.template("interval.circom", "Interval()");
    assert.deepEqual(await interval.outputs({ value: top, lo: top, hi: top, negate: 0n }), [1n]);
    assert.deepEqual(await interval.outputs({ value: top, lo: 0n, hi: top - 1n, negate: 0n }), [0n]);
  });
});

describe("inputs beyond the modulus", () => {
  test("are reduced without a word by the witness calculator, and refused before it", async () => {
    const circuit = await Circuit.template("interval.circom", "Interval()");
    const inputs: Inputs = { value: P + 7n, lo: 7n, hi: 7n, negate: 0n };
    assert.equal((await circuit.uncheckedWitness(inputs))[1], 1n);
    await assert.rejects(circuit.witness(inputs), RangeError);
    await assert.rejects(circuit.witness({ ...inputs, value: -1n }), RangeError);
  });
});

describe("optimisation", () => {
  const LEVELS = [0, 1, 2] as const;

  test("can lose a contradiction of constants; none of our sources pins a signal that could hold one", async () => {
    const source = `pragma circom 2.2.3;
template Pinned() { signal input in; signal output out; in === 2; out <== in; }
template Main() { signal input a; signal output b; component pinned = Pinned(); pinned.in <== 1; b <== a * a + pinned.out; }
component main = Main();
`;
    const circuit = await Circuit.of(source, 2);
    const kept = circuit.system.rows.some(
      ({ a, b, c }) => [a, b, c].flat().every(([wire]) => wire === 0) && a.length + b.length + c.length > 0,
    );
    assert.equal(kept, false, "the compiler has learnt to keep it: this test, and its list, can go");
    const pins = globSync("circuits/src/*.circom", { cwd: root }).flatMap((file) =>
      readFileSync(join(root, file), "utf8")
        .split("\n")
        .filter((line) => /(<==|===)\s*(\d+|tag|form)\s*;/.test(line))
        .map((line) => `${basename(file)}: ${line.trim()}`),
    );
    assert.deepEqual(pins.sort(), [
      "consent.circom: message.inputs[0] <== tag;",
      "consent.circom: signature.enabled <== 1;",
      "insert-at-8.circom: hot[i] * (hot[i] - 1) === 0;",
      "insert-at-8.circom: ones === 1;",
      "interval.circom: negate * (negate - 1) === 0;",
      "scorecard-leaf.circom: noSchema.out === 0;",
    ]);
  });

  const cases: readonly {
    readonly file: string;
    readonly call: string;
    readonly good: Inputs;
    readonly bad: Inputs;
  }[] = [
    {
      file: "interval.circom",
      call: "Interval()",
      good: { value: 5n, lo: 1n, hi: 9n, negate: 1n },
      bad: { value: 1n << 64n, lo: 1n, hi: 9n, negate: 1n },
    },
    {
      file: "insert-at-8.circom",
      call: "InsertAt8()",
      good: { item: 9n, index: 7n, others: [1n, 2n, 3n, 4n, 5n, 6n, 7n] },
      bad: { item: 9n, index: 8n, others: [1n, 2n, 3n, 4n, 5n, 6n, 7n] },
    },
    {
      file: "budget-nullifier.circom",
      call: "BudgetNullifier()",
      good: { nk: 1n, topic: 2n, validFrom: 3n, i: 4n, budget: 5n },
      bad: { nk: 1n, topic: 2n, validFrom: 3n, i: 5n, budget: 5n },
    },
  ];
  for (const { file, call, good, bad } of cases) {
    test(`${file} says the same at O0, O1 and O2`, async () => {
      const outputs: (readonly bigint[])[] = [];
      for (const level of LEVELS) {
        const circuit = await Circuit.template(file, call, level);
        const witness = await circuit.witness(good);
        assert.ok(satisfies(circuit.system, witness), `O${level}`);
        outputs.push(witness.slice(0, 1 + circuit.header.publicOutputs));
        await assert.rejects(circuit.witness(bad), /Assert Failed/, `O${level}`);
      }
      assert.deepEqual(outputs[1], outputs[0]);
      assert.deepEqual(outputs[2], outputs[0]);
    });
  }
});
