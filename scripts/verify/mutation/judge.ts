// Decides whether the tests notice a mutant. Tests that are likely to notice it, or that are quick, come first; the first that fails
// ends the matter.
import type { Bytecode } from "../lib/compile.ts";
import { type Artifacts, runTests, type TestOutcome } from "../lib/run-against.ts";
import type { Verdict } from "./journal.ts";

/** What a mutant is run against. */
export type Bench = {
  readonly artifacts: Artifacts;
  readonly bytecodes: ReadonlyMap<string, Bytecode>;
  /** Test contracts that can notice it. */
  readonly suites: readonly string[];
};

/** Enough for the largest job and every handler; a mutant that never ends is out of gas soon. */
const GAS = 120_000_000n;
/** Shorter than in `npm test`, since every mutant that lives sees all of them. */
const FUZZ_RUNS = 64;
const SEED = "0x7727ea51af0441c20da14dcd68a15dac8c9ebd589c5be8fa8c87c1d3720450bc";

/** Names of tests, the quick ones first. Invariants are left out: they take a minute, and a test that names its claim should notice. */
const STAGES = ["^test_", "^testFuzz_"];

/**
 * Runs tests while a mutant is on.
 *
 * @param bench what to run against
 * @param number of the mutant in its batch; 0 is none
 * @param hints tests to try first, as `suite test`
 * @returns killed, with the test that did it, or survived
 */
export async function judge(bench: Bench, number: number, hints: readonly string[]): Promise<Verdict> {
  const known = new Map<string, string[]>();
  for (const hint of hints) {
    const [suite = "", test = ""] = hint.split(" ");
    if (bench.suites.includes(suite)) known.set(suite, [...(known.get(suite) ?? []), test]);
  }
  for (const [suite, tests] of known) {
    const killer = await firstFailure(bench, number, [suite], `^(${tests.join("|")})\\(`);
    if (killer !== undefined) return { status: "killed", by: killer };
  }
  for (const pattern of STAGES) {
    const killer = await firstFailure(bench, number, bench.suites, pattern);
    if (killer !== undefined) return { status: "killed", by: killer };
  }
  return { status: "survived" };
}

async function firstFailure(
  bench: Bench,
  number: number,
  suites: readonly string[],
  pattern: string,
): Promise<string | undefined> {
  const failed = (await outcomes(bench, number, suites, pattern)).find(({ status }) => status === "failed");
  return failed === undefined ? undefined : `${failed.suite} ${failed.test}`;
}

/**
 * Runs everything without any mutant: what fails now says nothing about mutants.
 *
 * @param bench what to run against
 * @returns tests that fail, with their reasons
 */
export async function failuresOfOriginal(bench: Bench): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pattern of STAGES) {
    for (const { suite, test, status, reason } of await outcomes(bench, 0, bench.suites, pattern)) {
      if (status === "failed") found.push(`${suite} ${test}: ${reason}`);
    }
  }
  return found;
}

async function outcomes(
  bench: Bench,
  number: number,
  suites: readonly string[],
  pattern: string,
): Promise<readonly TestOutcome[]> {
  const coinbase = new Uint8Array(20);
  new DataView(coinbase.buffer).setUint32(16, number);
  return runTests(bench.artifacts, {
    replaced: bench.bytecodes,
    suites,
    pattern,
    config: { blockCoinbase: coinbase, gasLimit: GAS, fuzz: { seed: SEED, runs: FUZZ_RUNS } },
  });
}
