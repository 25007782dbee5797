// Witnesses of compiled circuits, and whether a witness satisfies a constraint system.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Compiled, compileCircuit } from "../../../scripts/circuits/compile.ts";
import { mainSource } from "../../../scripts/circuits/config.ts";
import { type Combination, type R1cs, readR1cs, readR1csHeader } from "../../../scripts/circuits/r1cs.ts";

/** Modulus of the scalar field of BN254. */
export const P = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** Values of a circuit's inputs, in the shape of its signals. */
export type Value = bigint | readonly Value[];
export type Inputs = Readonly<Record<string, Value>>;

type Calculator = { calculateWitness(inputs: Inputs, sanityCheck: boolean): Promise<bigint[]> };

/** A compiled circuit that can be run again and again. */
export class Circuit {
  readonly compiled: Compiled;
  readonly #calculator: Calculator;
  #system: R1cs | undefined;

  private constructor(compiled: Compiled, calculator: Calculator) {
    this.compiled = compiled;
    this.#calculator = calculator;
  }

  /** Compiles a main component. */
  static async of(main: string, level: 0 | 1 | 2 = 2): Promise<Circuit> {
    const compiled = await compileCircuit(main, level);
    // The calculator is CommonJS in a folder below a package.json that says otherwise: read and run as what it is.
    const source = readFileSync(compiled.calculator, "utf8");
    const module = { exports: undefined as unknown };
    new Function("module", "require", source)(module, createRequire(import.meta.url));
    const build = module.exports as (code: Buffer) => Promise<Calculator>;
    return new Circuit(compiled, await build(readFileSync(compiled.wasm)));
  }

  /** Compiles one template of circuits/src alone. */
  static template(file: string, call: string, level: 0 | 1 | 2 = 2): Promise<Circuit> {
    return Circuit.of(mainSource(file, call), level);
  }

  /**
   * Runs the circuit. The calculator writes its complaints to the console; they are in the error as well.
   *
   * @throws Error when a constraint does not hold, RangeError for an input that is no field element
   */
  async witness(inputs: Inputs): Promise<readonly bigint[]> {
    for (const [name, value] of Object.entries(inputs)) assertField(name, value);
    const { error } = console;
    console.error = () => {};
    try {
      return await this.#calculator.calculateWitness(inputs, true);
    } finally {
      console.error = error;
    }
  }

  /** As {@link witness}, without the check of the inputs: what a careless caller gets. */
  uncheckedWitness(inputs: Inputs): Promise<readonly bigint[]> {
    return this.#calculator.calculateWitness(inputs, true);
  }

  /** Public outputs, in order. */
  async outputs(inputs: Inputs): Promise<readonly bigint[]> {
    return (await this.witness(inputs)).slice(1, 1 + this.header.publicOutputs);
  }

  /** Asserts that the inputs have no witness; `where` is the template whose constraint fails. */
  async refuses(inputs: Inputs, where: RegExp): Promise<void> {
    await assert.rejects(this.witness(inputs), (error: Error) => {
      assert.match(error.message, /Assert Failed/);
      assert.match(error.message, where);
      return true;
    });
  }

  get header(): ReturnType<typeof readR1csHeader> {
    return this.#system ?? readR1csHeader(this.compiled.r1cs);
  }

  get system(): R1cs {
    this.#system ??= readR1cs(this.compiled.r1cs);
    return this.#system;
  }
}

function assertField(name: string, value: Value): void {
  if (typeof value !== "bigint") {
    for (const item of value) assertField(name, item);
  } else if (value < 0n || value >= P) {
    throw new RangeError(`${name} is ${value}, not a field element: the circuit would reduce it`);
  }
}

/** Value of a linear combination under a witness, below {@link P}. */
export function evaluate(combination: Combination, witness: readonly bigint[]): bigint {
  return combination.reduce((sum, [wire, coefficient]) => sum + coefficient * (witness[wire] ?? 0n), 0n) % P;
}

/** Whether a witness satisfies all constraints. */
export function satisfies(system: R1cs, witness: readonly bigint[]): boolean {
  return system.rows.every(({ a, b, c }) => {
    return (evaluate(a, witness) * evaluate(b, witness) - evaluate(c, witness)) % P === 0n;
  });
}

/**
 * Wires that could have another value in an otherwise unchanged witness: each is raised by `step`, and must break a
 * constraint.
 */
export function looseWires(system: R1cs, witness: readonly bigint[], step: bigint): readonly number[] {
  const fixed = new Set<number>();
  for (const { a, b, c } of system.rows) {
    const [x, y] = [evaluate(a, witness), evaluate(b, witness)];
    const deltas = new Map<number, [bigint, bigint, bigint]>();
    for (const [side, combination] of [a, b, c].entries()) {
      for (const [wire, coefficient] of combination) {
        if (fixed.has(wire)) continue;
        const delta = deltas.get(wire) ?? [0n, 0n, 0n];
        delta[side] = coefficient * step;
        deltas.set(wire, delta);
      }
    }
    for (const [wire, [da, db, dc]] of deltas) {
      if ((x * db + y * da + da * db - dc) % P !== 0n) fixed.add(wire);
    }
  }
  return Array.from({ length: system.wires - 1 }, (_, n) => n + 1).filter((wire) => !fixed.has(wire));
}
