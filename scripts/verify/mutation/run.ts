// From sources to verdicts.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../lib/workspace.ts";
import { createCompiler, readSources } from "../lib/compile.ts";
import { loadArtifacts } from "../lib/run-against.ts";
import { build } from "./build.ts";
import { findMutants } from "./find.ts";
import { type Entry, Journal, type Verdict } from "./journal.ts";
import type { Mutant } from "./mutant.ts";
import { Bencher } from "./pool.ts";
import { sample } from "./sample.ts";
import { filesOf, hashOf, loadSources } from "./source.ts";

/** Mutants compiled at once: more and the compiler runs out of stack, fewer and it runs more often. */
const BATCH = 500;
const TIMEOUT_MS = 30 * 60_000;

/** What a run is about. */
export type RunOptions = {
  /** At most so many mutants; all unless told. */
  readonly limit?: number;
  /** Hears what happens. */
  readonly log?: (line: string) => void;
};

/** A mutant with its verdict. */
export type Judged = { readonly mutant: Mutant; readonly entry: Entry };

/** Every mutant of a run, in the order of the sources, and how many there would be. */
export type Run = { readonly judged: readonly Judged[]; readonly found: number };

/**
 * Judges mutants; those that the journal knows are not judged again.
 *
 * @param options how many
 * @returns their verdicts
 * @throws Error when tests fail without any mutant
 */
export async function runMutants(options: RunOptions = {}): Promise<Run> {
  const { log = () => {} } = options;
  const state = hashOf(["contracts/**/*.sol"]);
  const journal = new Journal(join(root, ".cache", "mutation", `${state.slice(0, 16)}.jsonl`));
  const killers = new Journal(join(root, ".cache", "mutation", "killers.jsonl"));
  const put = (id: string, verdict: Verdict): void => journal.put({ id, pin: pinOf(verdict), ...verdict });
  const compiler = createCompiler({ threads: 1 });
  const bencher = new Bencher(TIMEOUT_MS);
  try {
    const sources = await loadSources(compiler);
    const all = findMutants(sources);
    const mutants = sample(all, options.limit);
    const open = mutants.filter(({ id }) => {
      const entry = journal.get(id);
      return entry === undefined || entry.pin !== pinOf(entry);
    });
    log(`${mutants.length} mutants, ${open.length} of them not judged yet`);
    const batches = Math.ceil(open.length / BATCH);
    const scopes = new Map<string, string[]>();
    for (let batch = 0; batch < batches; batch++) {
      // Spread over all files, so that no function holds more than its share of switches.
      const chosen = open.filter((_, index) => index % batches === batch);
      for await (const built of build(compiler, sources, chosen)) {
        if ("error" in built) {
          put(built.mutant.id, { status: "stillborn", error: built.error.split("\n")[0] ?? "" });
          continue;
        }
        bencher.load(built.bytecodes);
        const failures = await bencher.original(suitesFor(undefined));
        if (failures.length > 0) throw new Error(`without any mutant these fail:\n${failures.join("\n")}`);
        log(`batch ${batch + 1} of ${batches}: ${built.mutants.length} mutants compiled, the original passes`);
        for (const [index, mutant] of built.mutants.entries()) {
          const known = killers.get(mutant.id);
          const inScope = scopes.get(mutant.scope) ?? [];
          const hints = [...new Set([...(known?.status === "killed" ? [known.by] : []), ...inScope.slice(0, 4)])];
          const started = Date.now();
          const verdict = await bencher.judge(index + 1, suitesFor(mutant.file), hints);
          if (verdict.status === "killed") {
            scopes.set(mutant.scope, [verdict.by, ...inScope.filter((other) => other !== verdict.by)]);
            if (known?.status !== "killed" || known.by !== verdict.by)
              killers.put({ id: mutant.id, pin: "", ...verdict });
          }
          put(mutant.id, verdict);
          const told = verdict.status === "killed" ? verdict.by.replace(/^.*:/, "") : verdict.status.toUpperCase();
          log(`${mutant.id} ${mutant.file}:${mutant.line} ${mutant.operator}: ${told} ${Date.now() - started} ms`);
        }
      }
    }
    const judged = mutants.map((mutant) => {
      const entry = journal.get(mutant.id);
      if (entry === undefined) throw new Error(`mutant ${mutant.id} was not judged`);
      return { mutant, entry };
    });
    return { judged, found: all.length };
  } finally {
    bencher.close();
    await compiler.close();
  }
}

const pins = new Map<string, string>();

/** Hash of the tests that a verdict rests on. */
function pinOf(verdict: Verdict): string {
  const file = verdict.status === "killed" ? (verdict.by.split(":")[0] ?? "") : "";
  const known = pins.get(file);
  if (known !== undefined) return known;
  const tests = "test/contracts/**/*.sol";
  const used = existsSync(join(root, file)) && file !== "" ? [...readSources(file).keys()] : [];
  const pin = hashOf(file === "" ? [tests] : used.filter((name) => name.startsWith("test/"))).slice(0, 16);
  pins.set(file, pin);
  return pin;
}

let suites: readonly string[] | undefined;

/** Test contracts that can notice a change of a file: those of questions notice nothing of jobs, and the other way round. */
function suitesFor(file: string | undefined): readonly string[] {
  suites ??= loadArtifacts().suites;
  if (file === undefined) return suites;
  const [inJobs, inQueries] = ["contracts/JobMarket.sol", "contracts/QueryMarket.sol"].map((target) =>
    filesOf(target).includes(file),
  );
  if (inJobs && inQueries) return suites;
  return suites.filter((name) => /Query|MortgageDesk/.test(name) === inQueries);
}
