// A process that runs the tests: a mutant may keep it busy for ever, then the parent ends it.
import type { Bytecode } from "../lib/compile.ts";
import { loadArtifacts } from "../lib/run-against.ts";
import type { Verdict } from "./journal.ts";
import { type Bench, failuresOfOriginal, judge } from "./judge.ts";

/** What the parent asks. */
export type Question =
  | { readonly kind: "load"; readonly bytecodes: readonly (readonly [string, Bytecode])[] }
  | { readonly kind: "original"; readonly suites: readonly string[] }
  | {
      readonly kind: "judge";
      readonly number: number;
      readonly suites: readonly string[];
      readonly hints: readonly string[];
    };

/** What the worker answers. */
export type Reply =
  | { readonly kind: "loaded" }
  | { readonly kind: "original"; readonly failures: readonly string[] }
  | { readonly kind: "judged"; readonly verdict: Verdict };

const artifacts = loadArtifacts();
let bytecodes: ReadonlyMap<string, Bytecode> = new Map();

async function answer(question: Question): Promise<Reply> {
  if (question.kind === "load") {
    bytecodes = new Map(question.bytecodes);
    return { kind: "loaded" };
  }
  const bench: Bench = { artifacts, bytecodes, suites: question.suites };
  if (question.kind === "original") return { kind: "original", failures: await failuresOfOriginal(bench) };
  return { kind: "judged", verdict: await judge(bench, question.number, question.hints) };
}

process.on("message", (question: Question) => {
  void answer(question).then(
    (reply) => process.send?.(reply),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
// Without a parent there is nobody to answer.
process.on("disconnect", () => process.exit(0));
