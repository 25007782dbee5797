// The invariants and fuzz properties of test/contracts, at length: profile `long` of hardhat.config.ts.
//   node scripts/verify/invariants.ts [--help] [--json] [--short] [--fuzz | --invariants | --planted] [--runs <n>] [--seed <hex>] [--again]
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { root } from "../lib/workspace.ts";
import { CONTRACT_SOURCES, openKeptFigures } from "./lib/kept-figures.ts";

/** What the invariants came to. */
export type InvariantsResult = {
  /** Numbered invariants that were checked. */
  readonly count: number;
  /** Calls of a handler after each of which every invariant of it was checked; the least of all suites. */
  readonly callsEach: number;
  /** Suites and invariants that failed. */
  readonly failed: number;
};

/** What the fuzz properties came to. */
export type FuzzResult = {
  readonly properties: number;
  /** Inputs that each property was tried with; the least of all. */
  readonly runsEach: number;
  readonly failed: number;
};

/** How long and where to begin. */
export type VerifyOptions = {
  /** The profile `long`; else what `npm test` runs. */
  readonly long?: boolean;
  /** Runs of an invariant, or of a property, in the place of the profile's. */
  readonly runs?: number;
  /** Seed of the random inputs, 32 bytes in hexadecimal; Hardhat's unless told. */
  readonly seed?: string;
  /** Whether the long run tries anew what passed before. */
  readonly again?: boolean;
  /** Hears of each file of the long run. */
  readonly log?: (line: string) => void;
};

/** A file of tests that passed the long run before is not run again until something changes that it depends on. */
const KEPT: string = join(root, ".cache", "verify", "long");

/** Counts of one file. */
type FileFigures = { readonly count: number; readonly least: number; readonly failed: number };

/** The parts of Hardhat's result of a Solidity test that are read here. */
type TestResult = {
  readonly name: string;
  readonly status: string;
  readonly reason?: string;
  readonly kind: { readonly runs?: bigint; readonly calls?: bigint };
};

/** The numbered invariants of a suite, by number. */
export function numberedInvariants(source: string): ReadonlyMap<number, string> {
  const found = source.matchAll(/\bfunction\s+invariant_(\d+)_(\w+)\s*\(/g);
  return new Map([...found].map(([, number, name]) => [Number(number), name as string]));
}

/** Files with fuzz properties, and with invariants. */
const FILES = {
  invariants: (): string[] => globSync("test/contracts/**/*Invariants.t.sol", { cwd: root }).sort(),
  fuzz: (): string[] =>
    globSync("test/contracts/**/*.t.sol", { cwd: root })
      .filter((file) => /\bfunction\s+testFuzz_/.test(readFileSync(join(root, file), "utf8")))
      .sort(),
};

async function run(files: readonly string[], grep: string, options: VerifyOptions): Promise<readonly TestResult[]> {
  const { default: hre } = await import("hardhat");
  const testProfile = options.long === true ? "long" : "default";
  const profile = hre.config.test.solidity.profiles[testProfile];
  if (profile === undefined) throw new Error(`hardhat.config.ts has no test profile ${testProfile}`);
  if (options.seed !== undefined) profile.fuzz.seed = options.seed;
  if (options.runs !== undefined) profile.fuzz.runs = options.runs;
  if (options.runs !== undefined && profile.invariant !== undefined) profile.invariant.runs = options.runs;
  // Everything is built: what the tests deploy comes from the artifacts, and no test imports a market.
  await hre.tasks.getTask("build").run({ quiet: true });
  const task = { testFiles: [...files], grep, testProfile, noCompile: true, testSummaryIndex: 1 };
  const result = (await hre.tasks.getTask(["test", "solidity"]).run(task)) as {
    readonly value?: { readonly suiteResults: readonly { readonly testResults: readonly TestResult[] }[] };
    readonly error?: { readonly suiteResults: readonly { readonly testResults: readonly TestResult[] }[] };
  };
  const tests = (result.value ?? result.error)?.suiteResults.flatMap(({ testResults }) => testResults) ?? [];
  if (tests.length === 0) throw new Error(`no test matches ${grep}`);
  return tests;
}

const failures = (tests: readonly TestResult[]): number => tests.filter(({ status }) => status !== "Success").length;

/**
 * Runs files one by one, those of the long run that passed before excepted.
 *
 * @param files from the root of the repository
 * @param grep tests that are wanted
 * @param options length and seed
 * @param runsOf what is counted of a test; undefined of one that is not counted, whose failure is
 */
async function runFiles(
  files: readonly string[],
  grep: string,
  options: VerifyOptions,
  runsOf: (test: TestResult) => bigint | undefined,
): Promise<FileFigures> {
  const { long = false, runs, seed, again = false, log } = options;
  // Other lengths and seeds say nothing about the long run.
  const isKept = long && runs === undefined && seed === undefined;
  const figures: FileFigures[] = [];
  for (const file of files) {
    const beside = ["scripts/verify/invariants.ts", "test/contracts/invariants"];
    const kept = openKeptFigures({ root, sources: [...CONTRACT_SOURCES, ...beside, file], folder: KEPT });
    const name = `${grep.replace(/\W/g, "")}-${basename(file, ".t.sol")}`;
    const before = isKept && !again ? (kept.get(name) as FileFigures | undefined) : undefined;
    if (before === undefined) {
      const tests = await run([file], grep, options);
      const counted = tests.map(runsOf).filter((count) => count !== undefined);
      if (counted.length === 0) throw new Error(`${file}: nothing to count`);
      const found = { count: counted.length, least: Math.min(...counted.map(Number)), failed: failures(tests) };
      figures.push(found);
      if (isKept && found.failed === 0) kept.put(name, found);
    } else figures.push(before);
    if (long) log?.(`${file}: ${JSON.stringify(figures.at(-1))}${before === undefined ? "" : ", held before"}`);
  }
  return {
    count: figures.reduce((sum, { count }) => sum + count, 0),
    least: Math.min(...figures.map(({ least }) => least)),
    failed: figures.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/**
 * Runs the invariants. The long run makes one campaign a suite and checks all of its invariants after each call; the short one makes
 * a campaign for each of them besides.
 *
 * @param options length and seed
 * @returns counts; all is well if nothing failed
 */
export async function verifyInvariants(options: VerifyOptions = {}): Promise<InvariantsResult> {
  const files = FILES.invariants();
  const count = files.reduce((sum, file) => sum + numberedInvariants(readFileSync(join(root, file), "utf8")).size, 0);
  const grep = options.long === true ? "^invariant_All" : "^invariant_";
  // The campaigns that check all invariants are counted, one a suite; the short run has others beside them.
  const figures = await runFiles(files, grep, options, ({ name, kind }) =>
    name.startsWith("invariant_All") ? (kind.calls ?? 0n) : undefined,
  );
  if (figures.count !== files.length) throw new Error(`${figures.count} campaigns for ${files.length} suites`);
  return { count, callsEach: figures.least, failed: figures.failed };
}

/**
 * Runs the fuzz properties.
 *
 * @param options length and seed
 * @returns counts; all is well if nothing failed
 */
export async function verifyFuzz(options: VerifyOptions = { long: true }): Promise<FuzzResult> {
  const { count, least, failed } = await runFiles(FILES.fuzz(), "^testFuzz_", options, ({ kind }) => kind.runs ?? 0n);
  return { properties: count, runsEach: least, failed };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      fuzz: { type: "boolean", default: false },
      invariants: { type: "boolean", default: false },
      planted: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      runs: { type: "string" },
      seed: { type: "string" },
      again: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(`Runs the invariants and fuzz properties of test/contracts at length and prints counts.

usage: node scripts/verify/invariants.ts [options]
  --invariants   the invariants only
  --fuzz         the fuzz properties only
  --planted      bugs that are planted in the job market instead, each of which has to break an invariant; needs a current build
  --write        with --planted: write their table into test/contracts/README.md
  --short        as npm test runs them
  --runs <n>     runs of each campaign, or inputs of each property
  --again        also what passed the long run before
  --seed <hex>   seed of the random inputs, 32 bytes
  --json         the last line is JSON`);
    return;
  }
  const { json, seed } = values;
  if (values.planted) {
    const { verifyPlanted, writePlanted } = await import("./planted.ts");
    const planted = await verifyPlanted(({ bug, invariant, reason }) =>
      console.log(`${invariant === undefined ? "✖" : "✔"} ${bug}: ${invariant ?? reason ?? "no invariant broke"}`),
    );
    const missed = planted.filter(({ invariant }) => invariant === undefined).length;
    if (values.write && missed === 0) writePlanted(planted);
    if (json) console.log(JSON.stringify({ planted, missed }));
    else console.log(`${planted.length} planted bugs, ${missed} not noticed`);
    process.exitCode = missed === 0 ? 0 : 1;
    return;
  }
  const options: VerifyOptions = {
    long: !values.short,
    again: values.again,
    log: (line) => console.error(line),
    ...(values.runs === undefined ? {} : { runs: Number(values.runs) }),
    ...(seed === undefined ? {} : { seed }),
  };
  const both = values.fuzz === values.invariants;
  const invariants = both || values.invariants ? await verifyInvariants(options) : undefined;
  const fuzz = both || values.fuzz ? await verifyFuzz(options) : undefined;
  const result = { ...(invariants === undefined ? {} : { invariants }), ...(fuzz === undefined ? {} : { fuzz }) };
  if (json) console.log(JSON.stringify(result));
  else {
    if (invariants !== undefined) console.log(`${invariants.count} invariants, ${invariants.callsEach} calls each`);
    if (fuzz !== undefined) console.log(`${fuzz.properties} fuzz properties, ${fuzz.runsEach} runs each`);
  }
  process.exitCode = (invariants?.failed ?? 0) + (fuzz?.failed ?? 0) === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
