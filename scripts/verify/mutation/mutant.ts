// What a mutant is, apart from how it is found, built or run.
import { createHash } from "node:crypto";

/** How a site is switched between its two texts. */
export type Form = "expression" | "statement" | "insertion" | "function" | "yul-expression" | "yul-statement";

/** A place in a file that reads differently while its mutant is on. */
export type Site = {
  readonly form: Form;
  readonly start: number;
  readonly end: number;
  /** What stands there instead. */
  readonly text: string;
};

/** One small fault, planted on purpose. */
export type Mutant = {
  /** Stays the same while its function, its text and its like in the same function do. */
  readonly id: string;
  readonly operator: string;
  readonly file: string;
  /** Function, or constant, that it is in. */
  readonly scope: string;
  readonly line: number;
  readonly original: string;
  readonly replacement: string;
  /** Where it shows; all in one file, but for a constant. */
  readonly sites: readonly (Site & { readonly file: string })[];
};

/** A mutant before it has its name. */
export type Draft = Omit<Mutant, "id">;

/**
 * Names mutants. Two alike in one function are told apart by their order.
 *
 * @param drafts in the order of the source
 * @returns mutants
 */
export function nameMutants(drafts: readonly Draft[]): readonly Mutant[] {
  const seen = new Map<string, number>();
  return drafts.map((draft) => {
    const words = [draft.file, draft.scope, draft.operator, squeeze(draft.original), squeeze(draft.replacement)];
    const key = words.join("\n");
    const ordinal = seen.get(key) ?? 0;
    seen.set(key, ordinal + 1);
    const hash = createHash("sha256").update(`${key}\n${ordinal}`).digest("hex");
    return { id: hash.slice(0, 10), ...draft };
  });
}

/**
 * A text on one line.
 *
 * @param text of a source
 * @returns without runs of white space
 */
export function squeeze(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
