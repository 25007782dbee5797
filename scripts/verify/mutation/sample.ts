// A part of the mutants, the same every time, spread over files and operators.
import type { Mutant } from "./mutant.ts";

/**
 * Chooses mutants in turns: one of every pair of file and operator, then a second, until there are enough. Within a pair their ids, which
 * are hashes, decide.
 *
 * @param mutants to choose from
 * @param limit at most so many; all unless told
 * @returns the chosen, in the order in which they were given
 */
export function sample(mutants: readonly Mutant[], limit: number = mutants.length): readonly Mutant[] {
  const pairs = Map.groupBy(mutants, ({ file, operator }) => `${file} ${operator}`);
  const ranked = [...pairs.values()].flatMap((group) =>
    group
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((mutant, turn) => {
        return { mutant, turn };
      }),
  );
  ranked.sort((a, b) => a.turn - b.turn || (a.mutant.id < b.mutant.id ? -1 : 1));
  const chosen = new Set(ranked.slice(0, limit).map(({ mutant }) => mutant));
  return mutants.filter((mutant) => chosen.has(mutant));
}
