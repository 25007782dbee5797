// What the invariants notice: bugs planted in the job market, each of which has to break an invariant that has a name.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../lib/workspace.ts";
import { applyPatch, patchOf } from "./attacks.ts";
import { createCompiler, readSources } from "./lib/compile.ts";
import { loadArtifacts, runTests } from "./lib/run-against.ts";

const PAGE = "test/contracts/README.md";
const MARKET = "contracts/JobMarket.sol:JobMarket";
const INVARIANTS = "test/contracts/invariants/JobInvariants.t.sol";
const CLAIMS = "test/contracts/invariants/JobClaims.sol";
const SUITE = `${INVARIANTS}:JobInvariantsTest`;
/** Calls of one campaign: more than that of `npm test`, far less than the long run. */
const CAMPAIGN = { runs: 16, depth: 64, failOnRevert: true, shrinkRunLimit: 0 };

/**
 * The bugs, by the attack whose patch plants them. Left out are those that make calls of the market panic: the runner notices that a
 * handler reverts, which says nothing of the invariants. `SetEquivocation` is left out as well: no invariant
 * broke under it in a campaign of this length.
 */
const BUGS = [
  "OneBondForManyJobs",
  "LateBondsAsIncome",
  "LazyReporter",
  "DustAndRounding",
  "SettleTooEarly",
  "HaltedChainBurnsBonds",
] as const;

/** What became of a bug. */
export type Planted = {
  /** Attack whose patch plants it. */
  readonly bug: string;
  /** What the market does with it. */
  readonly about: string;
  /** Invariant that broke first, as `invariant_4_FreeBalancesAreThoseOfThePage`; undefined if none did. */
  readonly invariant: string | undefined;
  /** How the campaign ended, as the runner says it. */
  readonly reason: string | undefined;
};

/**
 * Plants each bug in a copy of the job market and plays the invariants against it, and against the market as it is.
 *
 * @param onPlanted told of each as it ends
 * @returns the bugs in order
 * @throws Error if a bug cannot be planted, or an invariant breaks without one
 */
export async function verifyPlanted(onPlanted?: (planted: Planted) => void): Promise<readonly Planted[]> {
  const artifacts = loadArtifacts();
  const compiler = createCompiler({ threads: 1, cache: join(root, ".cache/verify") });
  const play = async (patch?: string): Promise<string | undefined> => {
    const folder = mkdtempSync(join(tmpdir(), "quorate-planted-"));
    try {
      cpSync(join(root, "contracts"), join(folder, "contracts"), { recursive: true });
      const refused = patch === undefined ? undefined : applyPatch(folder, patch);
      if (refused !== undefined) throw new Error(`${patch} does not apply: ${refused}`);
      const compiled = await compiler.compile(readSources("contracts/JobMarket.sol", { folder }), [MARKET]);
      if (!compiled.ok) throw new Error(`${patch ?? MARKET}: ${compiled.errors.join("\n")}`);
      const [outcome] = await runTests(artifacts, {
        replaced: compiled.bytecodes,
        suites: [SUITE],
        pattern: "^invariant_All",
        config: { invariant: CAMPAIGN },
      });
      if (outcome === undefined) throw new Error(`${SUITE} has no campaign of all invariants`);
      return outcome.status === "passed" ? undefined : (outcome.reason ?? outcome.test);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  try {
    const without = await play();
    if (without !== undefined) throw new Error(`an invariant breaks without a bug: ${without}`);
    const all: Planted[] = [];
    for (const bug of BUGS) {
      const about = readFileSync(join(root, patchOf(bug)), "utf8").split("\n--- ")[0] ?? "";
      const reason = await play(patchOf(bug));
      const invariant = reason === undefined ? undefined : invariantOf(reason);
      const planted = { bug, about: about.replaceAll(/\s+/g, " ").trim(), invariant, reason };
      all.push(planted);
      onPlanted?.(planted);
    }
    return all;
  } finally {
    await compiler.close();
  }
}

/**
 * The invariant that a failure is of.
 *
 * @param reason of a campaign, as `Broken("free", 2, 1)`
 * @returns name of the first invariant that makes this claim, itself or by a function of the handler; undefined for a failure that is
 * no invariant's, as a panic
 */
export function invariantOf(reason: string): string | undefined {
  const claim = /^Broken\("([^"]+)"/.exec(reason)?.[1];
  if (claim === undefined) return undefined;
  const text = `"${claim}"`;
  const functionsOf = (file: string): readonly (readonly [string, string])[] =>
    readFileSync(join(root, file), "utf8")
      .split(/\bfunction (?=\w+\()/)
      .slice(1)
      .map((source) => [source.slice(0, source.indexOf("(")), source] as const);
  const makers = functionsOf(CLAIMS).flatMap(([name, source]) => (source.includes(text) ? [`handler.${name}(`] : []));
  return functionsOf(INVARIANTS).find(
    ([name, source]) =>
      /^invariant_\d/.test(name) && (source.includes(text) || makers.some((maker) => source.includes(maker))),
  )?.[0];
}

const BEGIN = "<!-- Written by node scripts/verify/invariants.ts --planted --write. -->";
const END = "<!-- End of what is written. -->";

/**
 * Writes the table of bugs into the README of the contract tests.
 *
 * @param all of {@link verifyPlanted}
 * @throws Error if the README has no place for it
 */
export function writePlanted(all: readonly Planted[]): void {
  const path = join(root, PAGE);
  const readme = readFileSync(path, "utf8");
  const [start, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${PAGE} has no place for the table of planted bugs`);
  const rows = all.map(({ bug, about, invariant }) => {
    const [, number, name] = /^invariant_(\d+)_(\w+)$/.exec(invariant ?? "") ?? [];
    return `| [${about.replace(/\.$/, "")}](attacks/patches/${bug}.patch) | ${number === undefined ? "none" : `${number}, \`${name}\``} |`;
  });
  const table = [BEGIN, "", "| a market that | breaks first |", "|---|---|", ...rows, "", ""].join("\n");
  writeFileSync(path, readme.slice(0, start) + table + readme.slice(end));
}
