// Plants faults in the contracts and sees whether the tests notice. docs/security/mutation.md has the result.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { root } from "../lib/workspace.ts";
import {
  codeHash,
  findingsOf,
  PAGE,
  RESULTS,
  type Results,
  readResults,
  toResults,
  writePage,
  writeResults,
} from "./mutation/report.ts";
import { runMutants } from "./mutation/run.ts";

/** How many mutants are planted unless told. */
const LIMIT = 600;

const USAGE = `usage: node scripts/verify/mutation.ts [--limit <n>] [--write | --check]

Plants faults in the contracts, one at a time, and runs the Solidity tests against each: a fault that no test notices fails, unless
scripts/verify/mutation/equivalents.ts says why it is none. What is known is kept in .cache/mutation; a run that was ended goes on.
Run \`hardhat build\` before.

  --limit <n>  so many mutants, spread over files and operators (${LIMIT} unless told; 0 for all)
  --write      writes ${PAGE} and ${RESULTS}
  --check      runs nothing; fails unless these two are about the present code
  --help       prints this`;

/** What is asked of a run. */
export type MutationOptions = {
  /** At most so many mutants; 0 for all. */
  readonly limit?: number;
  /** Hears each verdict. */
  readonly log?: (line: string) => void;
};

/** What came out. */
export type Mutation = {
  readonly mutants: number;
  readonly killed: number;
  /** What fails: survivors without a reason and the like. */
  readonly findings: readonly string[];
  readonly results: Results;
};

/**
 * Runs the mutants.
 *
 * @param options how many
 * @returns numbers and findings
 */
export async function verifyMutation(options: MutationOptions = {}): Promise<Mutation> {
  const { limit = LIMIT, log } = options;
  const { judged, found } = await runMutants({
    ...(limit === 0 ? {} : { limit }),
    ...(log === undefined ? {} : { log }),
  });
  const results = toResults(judged, found);
  const killed = results.results.filter(({ status }) => status !== "survived").length;
  return { mutants: results.results.length, killed, findings: findingsOf(results), results };
}

/**
 * Whether the committed report is about the present code. Runs nothing.
 *
 * @returns findings, none if it is
 */
export function checkMutation(): readonly string[] {
  const results = readResults();
  if (results === undefined) return [`${RESULTS} is missing: run node scripts/verify/mutation.ts --write`];
  return [
    ...(results.code === codeHash()
      ? []
      : [`${RESULTS} is about other code: run node scripts/verify/mutation.ts --write`]),
    ...findingsOf(results),
    ...(readFileSync(join(root, PAGE), "utf8") === writePage(results) ? [] : [`${PAGE} is not what ${RESULTS} says`]),
  ];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      limit: { type: "string", default: String(LIMIT) },
      write: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (values.check) {
    const findings = checkMutation();
    for (const finding of findings) console.error(finding);
    console.log(findings.length === 0 ? "the report on mutants is current" : `${findings.length} findings`);
    process.exitCode = findings.length === 0 ? 0 : 1;
    return;
  }
  const { mutants, killed, findings, results } = await verifyMutation({
    limit: Number(values.limit),
    log: (line) => console.log(line),
  });
  if (values.write) {
    mkdirSync(dirname(join(root, PAGE)), { recursive: true });
    writeFileSync(join(root, RESULTS), writeResults(results));
    writeFileSync(join(root, PAGE), writePage(results));
  }
  for (const finding of findings) console.error(finding);
  console.log(`${killed} of ${mutants} mutants are killed`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
