// Proves the books of the markets and the verdicts with SMTChecker, the model checker of the compiler (engine CHC, solver z3).
//   node scripts/verify/formal.ts
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { root } from "../lib/workspace.ts";
import { type DebianPackage, ensureDebianPackages, thisMachine } from "../test/debian.ts";
import { readSources } from "./lib/compile.ts";

const USAGE = `usage: node scripts/verify/formal.ts [options]

Proves every assert of test/contracts/formal, from any state and for every argument, then plants the bugs of its list in a copy of the
sources and sees that an assert is refuted, or proved no more. Installs z3 from Debian if it is missing and this account may.

  --only <contract>     one of the contracts of test/contracts/formal
  --timeout <seconds>   of the solver for one assert and way (60)
  --proofs              without the planted bugs
  --json                one line of JSON last
  --help                print this`;

/** Needed here only, so not among what `npm test` installs. */
const Z3: DebianPackage = { name: "z3", program: "z3", why: "proofs about the contracts" };
/** Ways of z3 through the same question, one after the other until there is an answer: none of them finds every proof. */
const WAYS: readonly (readonly string[])[] = [
  ["rewriter.pull_cheap_ite=true", "fp.spacer.mbqi=false"],
  ["rewriter.pull_cheap_ite=true", "fp.spacer.q3.use_qgen=true", "fp.spacer.mbqi=false", "fp.spacer.ground_pobs=false"],
  ["rewriter.pull_cheap_ite=true"],
  [],
];

/** A contract whose asserts are proved, and a bug with which not all of them may be: else the proof says nothing. */
type Proof = {
  readonly contract: string;
  readonly file: string;
  readonly bug: { readonly file: string; readonly found: string; readonly planted: string };
};

const BOOKS = "contracts/base/Books.sol";
const AMOUNTS = "contracts/types/Amounts.sol";
const proofs: readonly Proof[] = [
  {
    contract: "AmountsProof",
    file: "test/contracts/formal/AmountsProof.sol",
    bug: { file: AMOUNTS, found: "- _raised(amount)", planted: "- amount" },
  },
  {
    contract: "ConservationProof",
    file: "test/contracts/formal/ConservationProof.sol",
    bug: { file: AMOUNTS, found: "/ UPPER", planted: "/ (UPPER / 2)" },
  },
  {
    contract: "VerdictProof",
    file: "test/contracts/formal/VerdictProof.sol",
    bug: { file: "contracts/types/Tally.sol", found: "if (!agreed && atStake)", planted: "if (!agreed)" },
  },
  {
    contract: "EnterProof",
    file: "test/contracts/formal/BooksProof.sol",
    bug: { file: BOOKS, found: "_totals[token].addLower(amount)", planted: "_totals[token]" },
  },
];

/** What came of one assert. */
export type Assertion = {
  readonly contract: string;
  readonly assertion: string;
  readonly outcome: "proved" | "violated" | "unknown";
};

/** What came of all. */
export type FormalResult = {
  readonly proved: number;
  /** Asserts that are neither proved nor refuted. */
  readonly unknown: number;
  /** Asserts that are refuted, and planted bugs with which every assert of their proof is still proved. */
  readonly failed: number;
  readonly assertions: readonly Assertion[];
  /** Proofs whose planted bug changes nothing. */
  readonly missed: readonly string[];
};

/** Settings of {@link verifyFormal}. */
export type FormalOptions = {
  readonly only?: string;
  readonly timeoutSeconds?: number;
  /** False leaves the planted bugs out. */
  readonly bugs?: boolean;
  readonly log?: (line: string) => void;
};

type Message = {
  readonly message: string;
  readonly severity: string;
  readonly formattedMessage?: string;
  readonly sourceLocation?: { readonly file: string; readonly start: number; readonly end: number };
};

/**
 * Proves.
 *
 * @param options which proofs, and how long
 * @returns what is proved, and what is not
 */
export async function verifyFormal(options: FormalOptions = {}): Promise<FormalResult> {
  const { only, timeoutSeconds = 60, bugs = true, log = () => undefined } = options;
  const line = ensureDebianPackages(thisMachine, log, [Z3]);
  if (line !== undefined) throw new Error(`z3 is missing. Run this, then again: ${line}`);
  const chosen = proofs.filter(({ contract }) => only === undefined || contract === only);
  if (chosen.length === 0) throw new Error(`there is no proof ${only}`);
  const assertions: Assertion[] = [];
  const missed: string[] = [];
  for (const proof of chosen) {
    const found = check(proof, readSources(proof.file), timeoutSeconds);
    assertions.push(...found);
    for (const { outcome, assertion } of found) log(`${outcome.padEnd(8)} ${proof.contract}: ${assertion}`);
    if (!bugs) continue;
    const { file, found: text, planted } = proof.bug;
    const source = readFileSync(join(root, file), "utf8");
    if (source.split(text).length < 2) throw new Error(`${proof.contract}: ${file} has no "${text}"`);
    const overlay = new Map([[file, source.replaceAll(text, planted)]]);
    const outcomes = check(proof, readSources(proof.file, { overlay }), timeoutSeconds, true).map(
      ({ outcome }) => outcome,
    );
    const caught = outcomes.some((outcome) => outcome !== "proved");
    const how = outcomes.includes("violated") ? "refuted " : caught ? "unproved" : "MISSED  ";
    log(`${how} with the bug planted for ${proof.contract}`);
    if (!caught) missed.push(proof.contract);
  }
  const count = (outcome: Assertion["outcome"]): number =>
    assertions.filter((assertion) => assertion.outcome === outcome).length;
  return {
    proved: count("proved"),
    unknown: count("unknown"),
    failed: count("violated") + missed.length,
    assertions,
    missed,
  };
}

/** Proves the asserts of one contract; with `toFirst` nothing more is asked after one that is not proved. */
function check(
  proof: Proof,
  sources: ReadonlyMap<string, string>,
  timeoutSeconds: number,
  toFirst = false,
): readonly Assertion[] {
  const solc = createRequire(import.meta.url)("solc") as {
    compile(input: string, callbacks: { smtSolver: (query: string) => { contents: string } }): string;
  };
  const scratch = mkdtempSync(join(tmpdir(), "quorate-formal-"));
  try {
    const input = {
      language: "Solidity",
      sources: Object.fromEntries([...sources].map(([name, content]) => [name, { content }])),
      settings: {
        evmVersion: "osaka",
        modelChecker: {
          engine: "chc",
          solvers: ["smtlib2"],
          targets: ["assert"],
          contracts: { [proof.file]: [proof.contract] },
          showProvedSafe: true,
          showUnproved: true,
          timeout: 0,
        },
        outputSelection: { "*": { "": ["ast"] } },
      },
    };
    let done = false;
    const smtSolver = (query: string): { contents: string } => {
      if (done) return { contents: "unknown\n" };
      const file = join(scratch, "query.smt2");
      writeFileSync(file, query);
      for (const way of WAYS) {
        const argv = ["-smt2", ...way, `-T:${timeoutSeconds}`, file];
        const { stdout } = spawnSync("z3", argv, { encoding: "utf8", maxBuffer: 2 ** 30 });
        // Of Horn clauses `sat` says that the assert holds.
        if (toFirst && stdout.startsWith("unsat")) done = true;
        if (/^(sat|unsat)/.test(stdout)) return { contents: stdout };
      }
      done = toFirst;
      return { contents: "unknown\n" };
    };
    const output = JSON.parse(solc.compile(JSON.stringify(input), { smtSolver })) as { errors?: readonly Message[] };
    const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
    if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
    const outcomes = new Map<string, Assertion["outcome"]>();
    for (const { message, sourceLocation } of output.errors ?? []) {
      const outcome = outcomeOf(message);
      if (outcome === undefined || sourceLocation?.file !== proof.file) continue;
      outcomes.set(`${sourceLocation.start}:${sourceLocation.end}`, outcome);
    }
    const source = sources.get(proof.file) ?? "";
    return [...outcomes].map(([range, outcome]) => {
      const [start, end] = range.split(":").map(Number);
      return { contract: proof.contract, assertion: source.slice(start, end), outcome };
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function outcomeOf(message: string): Assertion["outcome"] | undefined {
  if (message.startsWith("CHC: Assertion violation check is safe")) return "proved";
  if (message.startsWith("CHC: Assertion violation happens here")) return "violated";
  if (message.startsWith("CHC: Assertion violation might happen here")) return "unknown";
  return undefined;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      timeout: { type: "string", default: "60" },
      proofs: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const { proved, unknown, failed } = await verifyFormal({
    ...(values.only === undefined ? {} : { only: values.only }),
    timeoutSeconds: Number(values.timeout),
    bugs: !values.proofs,
    log: console.error,
  });
  console.log(
    values.json ? JSON.stringify({ proved, unknown }) : `${proved} proved, ${unknown} unknown, ${failed} failed`,
  );
  process.exitCode = unknown + failed === 0 && proved > 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
