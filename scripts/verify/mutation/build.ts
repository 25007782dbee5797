// Compiles many mutants at once, and fewer where the compiler runs out of stack.
import { type Bytecode, type Compiler, OPTIMIZED, readSources } from "../lib/compile.ts";
import type { Mutant } from "./mutant.ts";
import { instrument } from "./schemata.ts";
import { filesOf, type Source, TARGETS } from "./source.ts";

/** Contracts that hold some mutants. The first is on while `block.coinbase` is 1. */
export type Batch = {
  readonly mutants: readonly Mutant[];
  /** By fully qualified name. */
  readonly bytecodes: ReadonlyMap<string, Bytecode>;
};

/** Mutants that no compilation would take, even alone, with the compiler's words. */
export type Stillborn = { readonly mutant: Mutant; readonly error: string };

/**
 * Builds mutants.
 *
 * @param compiler to use
 * @param sources parsed
 * @param mutants all of them in one batch, if the compiler can
 * @returns batches as they are ready, and what does not compile
 */
export async function* build(
  compiler: Compiler,
  sources: readonly Source[],
  mutants: readonly Mutant[],
): AsyncGenerator<Batch | Stillborn> {
  const files = new Set(mutants.flatMap(({ sites }) => sites.map(({ file }) => file)));
  const overlay = new Map(Object.entries(instrument(sources, mutants)));
  const bytecodes = new Map<string, Bytecode>();
  const errors: string[] = [];
  for (const [target, contract] of Object.entries(TARGETS)) {
    if (!filesOf(target).some((file) => files.has(file))) continue;
    const compiled = await compiler.compile(readSources(target, { overlay }), [contract], OPTIMIZED);
    if (compiled.ok) for (const [name, code] of compiled.bytecodes) bytecodes.set(name, code);
    else errors.push(...compiled.errors);
  }
  const [first] = mutants;
  if (errors.length === 0) {
    yield { mutants, bytecodes };
  } else if (mutants.length === 1 && first !== undefined) {
    yield { mutant: first, error: errors.join("\n") };
  } else {
    const half = mutants.length >> 1;
    yield* build(compiler, sources, mutants.slice(0, half));
    yield* build(compiler, sources, mutants.slice(half));
  }
}
