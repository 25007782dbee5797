// Every attack of test/contracts/attacks against a market that is weakened for it: there it has to succeed, and its test to fail.
// A test that passes whatever the market does would show nothing.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { root } from "../lib/workspace.ts";
import { type Bytecode, type Compiler, createCompiler, readSources } from "./lib/compile.ts";
import { CONTRACT_SOURCES, type KeptFigures, openKeptFigures } from "./lib/kept-figures.ts";
import { type Artifacts, loadArtifacts, runTests } from "./lib/run-against.ts";

/** Folder of the attacks. */
export const ATTACKS = "test/contracts/attacks";

/** An attack that was fended off, and won where it has to, is not tried again until something changes that it depends on. */
const KEPT: string = join(root, ".cache", "verify", "attacks");

const USAGE = `usage: node scripts/verify/attacks.ts [options]

Runs each attack of ${ATTACKS} against the market as it is, where its test has to pass, and against the market with the patch
patches/<attack>.patch applied, where its test has to fail. Needs a current build (npx hardhat build). About ten seconds of one core
an attack. What was compiled before is taken from .cache/verify, and so is what held before.

  --only <text>   attacks whose theme and name, as Votes/CopiedCommitment, match this regular expression
  --threads <n>   compilers beside each other; one a core unless told, each takes up to 1 GB of memory
  --again         also what held before
  --json          print the result as one line of JSON last
  --help          print this`;

/** What an attack is aimed at, by the file of its test; the job market unless listed. */
const TARGETS: Readonly<Record<string, string>> = {
  Queries: "contracts/QueryMarket.sol:QueryMarket",
  Batches: "contracts/generated/SealedAnswerVerifier.sol:SealedAnswerVerifier",
};
const JOB_MARKET = "contracts/JobMarket.sol:JobMarket";

/** An attack. */
export type Attack = {
  /** As in `test_attack_<name>` and `patches/<name>.patch`. */
  readonly name: string;
  /** Theme: the file of its test, without the ending. */
  readonly theme: string;
  /** What the attacker does. */
  readonly attack: string;
  /** What the market does about it. */
  readonly defence: string;
};

/** How an attack ended. */
export type AttackOutcome = {
  readonly name: string;
  /** Fends off: passed as the market is, failed against the weakened one. */
  readonly ok: boolean;
  /** What is wrong; or how the test failed against the weakened market. */
  readonly note: string;
};

/** What {@link verifyAttacks} found. */
export type AttacksResult = {
  /** Attacks that were tried. */
  readonly tests: number;
  /** Those that are not ok. */
  readonly failed: number;
  readonly outcomes: readonly AttackOutcome[];
};

/**
 * Reads the attacks from their tests: each has two lines of documentation, `Attack:` and `Market:`.
 *
 * @param folder repository
 * @returns attacks in the order of files and tests
 * @throws Error if a test lacks a line
 */
export function listAttacks(folder: string = root): readonly Attack[] {
  return globSync(`${ATTACKS}/*.t.sol`, { cwd: folder })
    .sort()
    .flatMap((file) => {
      const source = readFileSync(join(folder, file), "utf8");
      const theme = basename(file, ".t.sol");
      return [...source.matchAll(/((?:^ *\/\/\/.*\n)*) *function test_attack_(\w+)\(/gm)].map(
        ([, text = "", name = ""]) => {
          const lines = text.split("\n").map((line) => line.trim().replace(/^\/\/\/ ?/, ""));
          const said = (word: string): string => {
            const line = lines.find((candidate) => candidate.startsWith(`${word}: `));
            if (line === undefined) throw new Error(`${file}: test_attack_${name} has no line "/// ${word}: …"`);
            return line.slice(word.length + 2);
          };
          return { name, theme, attack: said("Attack"), defence: said("Market") };
        },
      );
    });
}

/**
 * The patch that weakens the market for an attack.
 *
 * @param name of the attack
 * @returns path from the repository's root
 */
export function patchOf(name: string): string {
  return `${ATTACKS}/patches/${name}.patch`;
}

/**
 * Tries the attacks.
 *
 * @param options.only regular expression for theme and name, as `Votes/CopiedCommitment`; all unless told
 * @param options.threads compilers beside each other; one a core unless told
 * @param options.again tries also what held before, for the same contracts and tests
 * @param options.onOutcome told of each attack as it ends
 * @returns counts and outcomes in the order of the attacks
 */
export async function verifyAttacks(
  options: { only?: string; threads?: number; again?: boolean; onOutcome?: (outcome: AttackOutcome) => void } = {},
): Promise<AttacksResult> {
  const { only = "", threads = availableParallelism(), again = false, onOutcome } = options;
  const wanted = new RegExp(only);
  const attacks = listAttacks().filter(({ theme, name }) => wanted.test(`${theme}/${name}`));
  const artifacts = loadArtifacts();
  const compiler = createCompiler({ threads, cache: join(root, ".cache/verify") });
  const outcomes = new Map<string, AttackOutcome>();
  const kept = (attack: Attack): KeptFigures => {
    const own = [`${ATTACKS}/${attack.theme}.t.sol`, patchOf(attack.name), "scripts/verify/attacks.ts"];
    return openKeptFigures({ root, sources: [...CONTRACT_SOURCES, "test/contracts/invariants", ...own], folder: KEPT });
  };
  for (const attack of again ? [] : attacks) {
    const { name } = attack;
    if (kept(attack).get(name) === undefined) continue;
    const outcome = { name, ok: true, note: "held before" };
    outcomes.set(name, outcome);
    onOutcome?.(outcome);
  }
  const missing = attacks.filter(({ name }) => !outcomes.has(name));
  try {
    // As it is, and compiled like the weakened ones: what fails there fails for the weakness alone.
    const targets = new Set(missing.map(targetOf));
    const sound = new Map<string, Bytecode>();
    for (const target of targets) {
      const compiled = await compiler.compile(readSources(fileOf(target)), [target]);
      if (!compiled.ok) throw new Error(`${target}: ${compiled.errors.join("\n")}`);
      for (const [name, bytecode] of compiled.bytecodes) sound.set(name, bytecode);
    }
    const waiting = [...missing];
    const work = async (): Promise<void> => {
      for (let attack = waiting.shift(); attack !== undefined; attack = waiting.shift()) {
        // About the sources as they are now, not as they are when it ends.
        const figures = kept(attack);
        const outcome = await tryAttack(attack, artifacts, compiler, sound);
        outcomes.set(attack.name, outcome);
        if (outcome.ok) figures.put(attack.name, {});
        onOutcome?.(outcome);
      }
    };
    await Promise.all(Array.from({ length: threads }, work));
  } finally {
    await compiler.close();
  }
  const all = attacks.map(({ name }) => outcomes.get(name) as AttackOutcome);
  return { tests: all.length, failed: all.filter(({ ok }) => !ok).length, outcomes: all };
}

async function tryAttack(
  attack: Attack,
  artifacts: Artifacts,
  compiler: Compiler,
  sound: ReadonlyMap<string, Bytecode>,
): Promise<AttackOutcome> {
  const { name, theme } = attack;
  const bad = (note: string): AttackOutcome => ({ name, ok: false, note });
  const run = async (replaced: ReadonlyMap<string, Bytecode>): Promise<string | undefined> => {
    const suite = `${ATTACKS}/${theme}.t.sol:${theme}Attacks`;
    const [outcome] = await runTests(artifacts, {
      replaced,
      suites: [suite],
      pattern: `^test_attack_${name}\\(`,
    });
    if (outcome?.test !== `test_attack_${name}`) throw new Error(outcome?.reason ?? "the test did not run");
    return outcome.status === "passed" ? undefined : (outcome.reason ?? "failed");
  };
  try {
    const reason = await run(sound);
    if (reason !== undefined) return bad(`its test fails against the market as it is: ${reason}`);

    const folder = mkdtempSync(join(tmpdir(), "quorate-attack-"));
    try {
      cpSync(join(root, "contracts"), join(folder, "contracts"), { recursive: true });
      const applied = applyPatch(folder, patchOf(name));
      if (applied !== undefined) return bad(`the patch does not apply: ${applied}`);
      const target = targetOf(attack);
      const compiled = await compiler.compile(readSources(fileOf(target), { folder }), [target]);
      if (!compiled.ok) return bad(`the weakened contract does not compile: ${compiled.errors.join("\n")}`);
      if (compiled.bytecodes.get(target)?.creation === sound.get(target)?.creation) {
        return bad("the patch changes nothing");
      }
      const won = await run(compiled.bytecodes);
      if (won === undefined)
        return bad("its test passes against the weakened market, too: the patch does not let the attack succeed");
      if (!isAssertion(won)) return bad(`is stopped by something else than its test: ${won}`);
      return { name, ok: true, note: `its test fails against the weakened market with ${won}` };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch (error) {
    return bad(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Whether a test failed by what it asserts. A panic, a call that reverts where the test expects none, or a `setUp` that fails says
 * that the attack was stopped by something else than what its patch takes away, or that the patch broke more than it should.
 *
 * @param reason as the runner says it
 * @returns true for a failed claim or comparison, or an expected revert or event that did not come
 */
export function isAssertion(reason: string): boolean {
  if (reason.startsWith("NotEqual(")) return true;
  // An error with parameters, without a claim: the market's own. Claims are sentences.
  return !/^(panic: |EvmError|[A-Z]\w*\(|custom error |(failed|setUp|revert)$)/.test(reason);
}

/**
 * Applies a patch in a folder outside of any repository.
 *
 * @param folder with a copy of `contracts`
 * @param patch path from the root of the repository
 * @returns what git says if it does not fit
 */
export function applyPatch(folder: string, patch: string): string | undefined {
  if (!existsSync(join(root, patch))) return `there is no ${patch}`;
  const { status, stderr } = spawnSync("git", ["apply", "--whitespace=nowarn", join(root, patch)], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
  });
  return status === 0 ? undefined : stderr.trim();
}

function targetOf({ theme }: Attack): string {
  return TARGETS[theme] ?? JOB_MARKET;
}

function fileOf(contract: string): string {
  return contract.split(":")[0] ?? "";
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      threads: { type: "string" },
      again: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const result = await verifyAttacks({
    ...(values.only === undefined ? {} : { only: values.only }),
    ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
    again: values.again,
    onOutcome: ({ name, ok, note }) => console.log(`${ok ? "✔" : "✖"} ${name}: ${note}`),
  });
  console.log(`${result.tests} attacks, ${result.failed} failed`);
  if (values.json) console.log(JSON.stringify(result));
  process.exitCode = result.failed === 0 && result.tests > 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
