// Inputs determine every wire, but for sites whose conditions are argued in docs/protocol/circuits.md#why-witnesses-are-determined.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mainOf, readConfig } from "../../scripts/circuits/config.ts";
import { propagate } from "./support/determinism.ts";
import { sealedAnswer } from "./support/reference.ts";
import { Circuit } from "./support/witness.ts";

/** Names of wires, indices of arrays left out. */
function namesOf(circuit: Circuit): ReadonlyMap<number, string> {
  const lines = readFileSync(circuit.compiled.symbols, "utf8").trimEnd().split("\n");
  return new Map(
    lines.map((line) => {
      const [, wire, , name = ""] = line.split(",");
      return [Number(wire), name.replace(/\[\d+\]/g, "[]")];
    }),
  );
}

/** Sites and loose wires of a circuit, counted by name. */
function survey(circuit: Circuit): { readonly sites: Record<string, number>; readonly loose: readonly string[] } {
  const names = namesOf(circuit);
  const { sites, loose } = propagate(circuit.system);
  const counts: Record<string, number> = {};
  for (const { wire, kind } of sites) {
    const name = `${kind} ${names.get(wire)}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return { sites: counts, loose: loose.map((wire) => names.get(wire) ?? `wire ${wire}`).sort() };
}

const own = `
template Probe() {
  signal input in;
  signal output out;
  BODY
}
component main = Probe();
`;
const probe = (body: string): Promise<Circuit> => Circuit.of(`pragma circom 2.2.0;\n${own.replace("BODY", body)}`, 0);

test("a wire that nothing constrains is loose, so is a square root; a quotient is a site", async () => {
  const free = survey(await probe("signal s; s <-- in; out <== s * in;"));
  assert.deepEqual(free, { sites: {}, loose: ["main.out", "main.s"] });
  const root = survey(await probe("out <-- in; out * out === in;"));
  assert.deepEqual(root, { sites: {}, loose: ["main.out"] });
  const quotient = survey(await probe("out <-- 1 / in; out * in === 1;"));
  assert.deepEqual(quotient, { sites: { "division main.out": 1 }, loose: [] });
});

const sealedAnswerMain = (): string => {
  const instance = readConfig().instances.find(({ name }) => name === "sealed-answer");
  assert.ok(instance);
  return mainOf(instance);
};

test("in the sealed answer, inputs determine all wires but two that no constraint reads; every site is argued", async () => {
  const { sites, loose } = survey(await Circuit.of(sealedAnswerMain(), 0));
  assert.deepEqual(loose, ["main.consent.signature.eqCheckX.isz.inv", "main.consent.signature.eqCheckY.isz.inv"]);
  const eddsa = "main.consent.signature";
  assert.deepEqual(sites, {
    "one-hot main.tree.place[].hot[]": 42,
    [`alias ${eddsa}.h2bits.n2b.out[]`]: 84,
    ...Object.fromEntries(
      ["dbl1", "dbl2", "dbl3"].flatMap((name) => [
        [`division ${eddsa}.${name}.adder.xout`, 1],
        [`division ${eddsa}.${name}.adder.yout`, 1],
      ]),
    ),
    [`division ${eddsa}.isZero.inv`]: 1,
    [`inverse ${eddsa}.mulAny.zeropoint.out`]: 1,
    [`inverse ${eddsa}.mulAny.zeropoint.inv`]: 1,
    [`division ${eddsa}.mulAny.segments[].e2m.out[]`]: 4,
    [`division ${eddsa}.mulAny.segments[].bits[].doubler.lamda`]: 252,
    [`division ${eddsa}.mulAny.segments[].bits[].adder.lamda`]: 252,
    [`division ${eddsa}.mulAny.segments[].m2e.out[]`]: 4,
    [`division ${eddsa}.mulAny.segments[].eadder.xout`]: 2,
    [`division ${eddsa}.mulAny.segments[].eadder.yout`]: 2,
    [`division ${eddsa}.mulAny.doublers[].lamda`]: 1,
    [`division ${eddsa}.mulAny.m2e[].out[]`]: 2,
    [`division ${eddsa}.mulAny.adders[].xout`]: 1,
    [`division ${eddsa}.mulAny.adders[].yout`]: 1,
    [`division ${eddsa}.mulFix.segments[].adders[].lamda`]: 85,
    [`division ${eddsa}.mulFix.segments[].m2e.out[]`]: 4,
    [`division ${eddsa}.mulFix.segments[].cAdd.xout`]: 2,
    [`division ${eddsa}.mulFix.segments[].cAdd.yout`]: 2,
    [`division ${eddsa}.mulFix.adders[].xout`]: 1,
    [`division ${eddsa}.mulFix.adders[].yout`]: 1,
  });
});

test("what the scorecard has besides is determined without any condition but the schema's inverse", async () => {
  const leaf = survey(await Circuit.template("scorecard-leaf.circom", "ScorecardLeaf()", 0));
  assert.deepEqual(leaf, { sites: { "division main.noSchema.inv": 1 }, loose: [] });
  const program = survey(await Circuit.template("program.circom", "Program()", 0));
  assert.deepEqual(program, { sites: {}, loose: [] });
});

test("the whole circuit computes the same without optimisation and with each level of it", async () => {
  const levels = await Promise.all(([0, 1, 2] as const).map((level) => Circuit.of(sealedAnswerMain(), level)));
  for (const over of [{}, { value: 99_999n }, { negate: 1n }, { i: 0n }]) {
    const example = sealedAnswer(over);
    for (const circuit of levels) assert.deepEqual(await circuit.outputs(example.inputs), example.signals);
  }
  for (const circuit of levels) await circuit.refuses({ ...sealedAnswer().inputs, lo: 5n }, /Consent/);
});
