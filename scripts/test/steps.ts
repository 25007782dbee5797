// The steps of `npm test`, as data: add a step by a line. `scripts/test.ts` runs them, this table says what they are.
import { existsSync, globSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { packageNames, root } from "../lib/workspace.ts";

/** One command of a step; counts as one test, passed when it exits with 0. */
export type Command = {
  /** Names it in reports, as a claim. */
  readonly name: string;
  /** Program and arguments, run in the repository's root; `node` is the running Node. */
  readonly argv: readonly string[];
};

/** What a step runs. */
export type Work =
  | { readonly kind: "commands"; readonly commands: readonly Command[] }
  /**
   * node:test over files, one after the other: each in a process of its own, or all in one, which loads what they share once. In one
   * process, hooks outside of any `describe` are those of all files.
   */
  | {
      readonly kind: "node-test";
      readonly files: readonly string[];
      readonly isolation: "process" | "none";
    }
  /** A test task of Hardhat, as `["test", "solidity"]`. */
  | { readonly kind: "hardhat"; readonly task: readonly string[] };

/** A step of `npm test`. */
export type Step = {
  readonly name: string;
  /** Cores it keeps busy, also a part of one; steps run beside each other while their loads fit the machine. */
  readonly load: number;
  /** Steps that must have passed before. */
  readonly after?: readonly string[];
  /** Part of `npm run check`. */
  readonly fast?: true;
  /** The step is ended and failed after this; 10 minutes unless told. */
  readonly timeoutMs?: number;
  readonly work: Work;
};

/** Limit of steps that start chains and processes, on a machine that is busy with others as well. */
const LONG_MS = 30 * 60_000;

/** Packages and folders of test/integration whose tests use artifacts of the compiler. */
const COMPILES: ReadonlySet<string> = new Set(["contracts", "attacks", "queries", "differential"]);
/** Packages and folders of test/integration and test/e2e whose tests make proofs. */
const PROVES: ReadonlySet<string> = new Set(["proofs", "domain", "sdk", "queries", "start", "web"]);
/** Folders of test/e2e that keep a core busy for minutes: many processes, real proofs, a browser. */
const HEAVY: ReadonlySet<string> = new Set(["start", "web"]);
/** Folders of test/integration that wait for relays or the registry half of their time. */
const WAITING: ReadonlySet<string> = new Set(["pack", "sdk"]);
/** Folders of test/e2e whose tests use contracts of test/contracts. */
const E2E_COMPILES: ReadonlySet<string> = new Set(["web"]);

const bin = (name: string): string => join(root, "node_modules", ".bin", name);
const script = (file: string, ...args: readonly string[]): readonly string[] => ["node", join(root, file), ...args];
const commands = (...list: readonly Command[]): Work => ({ kind: "commands", commands: list });
const tests = (pattern: string, isolation: "process" | "none" = "process"): Work => ({
  kind: "node-test",
  files: globSync(pattern, { cwd: root, exclude: (path) => path.includes("node_modules") }).sort(),
  isolation,
});
/** Folders below a folder that hold tests: each is a step. */
const folders = (path: string): readonly string[] => {
  const files = globSync(`${path}/*/**/*.test.ts`, { cwd: root });
  return [...new Set(files.map((file) => relative(path, file).split(sep)[0] ?? ""))].sort();
};
/** A step for what may not be in the tree; never a way around a failing one: the pattern is a path, not a result. */
const when = (path: string, ...steps: readonly Step[]): readonly Step[] => (existsSync(join(root, path)) ? steps : []);

/** The step of a folder of test/integration. */
function integration(name: string): Step {
  const work = tests(`test/integration/${name}/**/*.test.ts`);
  const after = [
    ...(COMPILES.has(name) ? ["compile"] : []),
    ...(PROVES.has(name) ? ["keys"] : []),
    ...(name === "pack" ? ["sizes"] : []),
  ];
  return {
    name: `integration ${name}`,
    load: WAITING.has(name) ? 0.5 : 1,
    timeoutMs: LONG_MS,
    work,
    ...(after.length > 0 ? { after } : {}),
  };
}

/**
 * All steps in the order in which they are started.
 *
 * @returns the table, with a step for each package that has tests
 */
export function listSteps(): readonly Step[] {
  const tsc = join(root, "node_modules", "typescript-native", "bin", "tsc");
  return [
    {
      name: "compile",
      load: 1,
      fast: true,
      work: commands({ name: "the contracts compile", argv: [bin("hardhat"), "build", "--quiet"] }),
    },
    {
      name: "keys",
      load: 1,
      timeoutMs: LONG_MS,
      work: commands({
        name: "keys and verifiers of the circuits are current",
        argv: script("scripts/circuits.ts", "--check"),
      }),
    },
    // Builds the web app, which others look at.
    {
      name: "sizes",
      load: 1,
      fast: true,
      work: commands({ name: "no page of the web app is above its limit", argv: script("scripts/web.ts", "--sizes") }),
    },
    // What waits for a chain's time more than it computes comes early and runs beside the rest. It deploys what `@quorate/abi`
    // carries and needs no compiler.
    ...folders("test/e2e").map((name): Step => {
      return {
        name: `e2e ${name}`,
        load: HEAVY.has(name) ? 1 : 0.5,
        after: [
          ...(E2E_COMPILES.has(name) ? ["compile"] : []),
          ...(PROVES.has(name) ? ["keys"] : []),
          // Builds the web app: two builds at a time would write over each other.
          ...(name === "web" ? ["sizes"] : []),
        ],
        timeoutMs: LONG_MS,
        work: tests(`test/e2e/${name}/**/*.test.ts`),
      };
    }),
    ...folders("test/integration")
      .filter((name) => WAITING.has(name))
      .map(integration),
    // Long and on one core: early, so that nothing waits for it in the end.
    {
      name: "circuits",
      load: 1,
      after: ["keys"],
      timeoutMs: LONG_MS,
      work: tests("test/circuits/**/*.test.ts"),
    },
    {
      name: "lint",
      load: 1,
      fast: true,
      work: commands(
        {
          name: "Biome finds nothing",
          argv: [bin("biome"), "ci", "--diagnostic-level=info", "--colors=off", "--max-diagnostics=100", "."],
        },
        {
          name: "solhint finds nothing",
          argv: [bin("solhint"), "--disc", "--max-warnings", "0", "contracts/**/*.sol", "test/contracts/**/*.sol"],
        },
        {
          name: "Solidity is formatted",
          argv: [bin("prettier"), "--check", "--log-level=warn", "{contracts,test}/**/*.sol"],
        },
      ),
    },
    {
      name: "types",
      load: 1,
      fast: true,
      after: ["compile"],
      work: commands(
        { name: "TypeScript accepts the packages", argv: ["node", tsc, "-p", root] },
        { name: "TypeScript accepts scripts and tests", argv: ["node", tsc, "-p", join(root, "test")] },
        { name: "TypeScript accepts the set-up", argv: ["node", tsc, "-p", join(root, "scripts")] },
      ),
    },
    {
      name: "structure",
      load: 1,
      fast: true,
      work: commands(
        { name: "the lockfile is whole", argv: script("scripts/lockfile.ts") },
        { name: "imports point one way", argv: script("scripts/check-imports.ts") },
        { name: "licences are those allowed", argv: script("scripts/check-licences.ts") },
        { name: "documentation is whole", argv: script("scripts/check-docs.ts") },
        { name: "exported names are those on record", argv: script("scripts/check-exports.ts") },
        { name: "figures in the README are those on record", argv: script("scripts/check-readme.ts") },
        { name: "every error code has its row", argv: script("scripts/check-errors.ts") },
        { name: "branch trees name the Solidity tests", argv: script("scripts/check-trees.ts") },
        { name: "every attack has its test, patch and row", argv: script("scripts/check-attacks.ts") },
        { name: "invariants and fuzz properties are those on record", argv: script("scripts/check-claims.ts") },
      ),
    },
    ...when("scripts/generate.ts", {
      name: "generated",
      load: 1,
      after: ["compile"],
      timeoutMs: LONG_MS,
      work: commands(
        { name: "generated files are current", argv: script("scripts/generate.ts", "--check") },
        { name: "the metered engine is current", argv: script("packages/sandbox/scripts/generate.ts", "--check") },
        { name: "the bytecode is that on record", argv: script("scripts/verify-bytecode.ts") },
        { name: "the report on mutants is current", argv: script("scripts/verify/mutation.ts", "--check") },
      ),
    }),
    { name: "house", load: 1, work: tests("scripts/**/*.test.ts") },
    ...packageNames().flatMap((name): readonly Step[] => {
      const work = tests(`packages/${name}/**/*.test.ts`, "none");
      if (work.kind === "node-test" && work.files.length === 0) return [];
      return [{ name: `unit ${name}`, load: 1, work, ...(PROVES.has(name) ? { after: ["keys"] } : {}) }];
    }),
    { name: "solidity", load: 2, after: ["compile"], work: { kind: "hardhat", task: ["test", "solidity"] } },
    ...folders("test/integration")
      .filter((name) => !WAITING.has(name))
      .map(integration),
    ...when("scripts/bench/gas.ts", {
      name: "gas",
      load: 1,
      after: ["compile"],
      work: commands({ name: "gas equals the snapshot", argv: script("scripts/bench/gas.ts", "--check") }),
    }),
  ];
}
