// docs/security/attacks.md lists the attacks of the suite as their tests and patches tell them, so that it cannot go stale.
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type CheckResult, checkMain } from "./lib/check.ts";
import { root } from "./lib/workspace.ts";
import { ATTACKS, type Attack, listAttacks, patchOf } from "./verify/attacks.ts";

/** The page. */
const PAGE = "docs/security/attacks.md";

/** A patch, as the page tells it. */
type Patch = {
  /** First line of its file: what the weakened market does. */
  readonly about: string;
  /** The rest, a unified diff. */
  readonly diff: string;
};

/**
 * Reads a patch: a sentence that says what the weakened market does, then a unified diff.
 *
 * @param text of the file
 * @returns its parts
 */
export function parsePatch(text: string): Patch {
  const start = text.search(/^--- /m);
  if (start <= 0) return { about: "", diff: text };
  return { about: text.slice(0, start).trim().replaceAll(/\s+/g, " "), diff: text.slice(start) };
}

/**
 * What is wrong with the suite as a whole.
 *
 * @param attacks that have tests
 * @param patches by name of their attack
 * @returns findings: a name twice, a test without patch, a patch without test, one patch for two attacks
 */
export function findGaps(attacks: readonly Attack[], patches: ReadonlyMap<string, Patch>): readonly string[] {
  const findings: string[] = [];
  const names = new Set<string>();
  const byDiff = new Map<string, string>();
  for (const { name } of attacks) {
    if (names.has(name)) findings.push(`two attacks are called ${name}`);
    names.add(name);
    if (!patches.has(name)) findings.push(`there is no ${patchOf(name)}`);
  }
  for (const [name, { about, diff }] of patches) {
    if (!names.has(name)) findings.push(`${patchOf(name)}: there is no test_attack_${name}`);
    if (about === "") findings.push(`${patchOf(name)}: no sentence before the diff says what the weakened market does`);
    const twin = byDiff.get(diff);
    if (twin !== undefined && !about.includes(twin)) {
      findings.push(`${patchOf(name)}: the same as that of ${twin}, and does not say so`);
    }
    byDiff.set(diff, name);
  }
  return findings;
}

/**
 * The page about attacks.
 *
 * @param attacks in the order of the page
 * @param patches by name of their attack
 * @param headings what each theme is about
 * @returns Markdown
 */
export function renderPage(
  attacks: readonly Attack[],
  patches: ReadonlyMap<string, Patch>,
  headings: ReadonlyMap<string, string>,
): string {
  const themes = [...new Set(attacks.map(({ theme }) => theme))];
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  const lines = [
    "# Attacks",
    "",
    "<!-- Written by node scripts/check-attacks.ts --write from the tests and patches. Do not edit. -->",
    "",
    `${attacks.length} attacks on the contracts. Each is a test, \`test_attack_<name>\`, that passes while the market fends it off, and a patch`,
    "of a few lines that weakens the real source so that the attack succeeds. `npm test` runs the tests;",
    "`node scripts/verify/attacks.ts` also compiles each weakened market and requires that the test of its attack fails there.",
    "",
    "What the contracts cannot see is attacked elsewhere: proofs and circuits in `test/circuits`, consents, borrowed records and receipts in",
    "`test/integration/queries`, agents and relays in `test/integration/attacks`.",
    "",
  ];
  for (const theme of themes) {
    lines.push(`## ${theme}`, "", headings.get(theme) ?? "", "");
    lines.push("| attack | what it is | what the market does | succeeds against a market that |", "|---|---|---|---|");
    for (const { name, attack, defence } of attacks.filter((one) => one.theme === theme)) {
      const about = patches.get(name)?.about ?? "";
      const sentence = about.slice(0, 1).toLowerCase() + about.slice(1);
      lines.push(
        `| [${name}](../../${ATTACKS}/${theme}.t.sol) | ${cell(attack)} | ${cell(defence)} | [${cell(sentence.replace(/\.$/, ""))}](../../${patchOf(name)}) |`,
      );
    }
    lines.push("");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function readPatches(): ReadonlyMap<string, Patch> {
  const files = globSync(`${ATTACKS}/patches/*.patch`, { cwd: root }).sort();
  return new Map(
    files.map((file) => [basename(file, ".patch"), parsePatch(readFileSync(join(root, file), "utf8"))] as const),
  );
}

/** The sentence about each theme: the `@notice` of its contract. */
function readHeadings(): ReadonlyMap<string, string> {
  return new Map(
    globSync(`${ATTACKS}/*.t.sol`, { cwd: root }).map((file) => {
      const source = readFileSync(join(root, file), "utf8");
      const notice = /((?:^\/\/\/.*\n)+)contract \w+Attacks /m.exec(source)?.[1] ?? "";
      const text = notice.replaceAll(/^\/\/\/ ?(@notice )?/gm, "").replaceAll(/\s+/g, " ");
      return [basename(file, ".t.sol"), text.trim()] as const;
    }),
  );
}

function checkAttacks(write: boolean): CheckResult {
  const attacks = listAttacks();
  const patches = readPatches();
  const findings = [...findGaps(attacks, patches)];
  const page = renderPage(attacks, patches, readHeadings());
  const path = join(root, PAGE);
  if (write) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, page);
  } else if (!existsSync(path) || readFileSync(path, "utf8") !== page) {
    findings.push(`${PAGE} is not what tests and patches say: node scripts/check-attacks.ts --write`);
  }
  return { findings, summary: `${attacks.length} attacks have a test, a patch and a row in ${PAGE}` };
}

checkMain(import.meta.url, {
  about: `Checks that every attack of ${ATTACKS} has a test and a patch, and that ${PAGE} lists them as they are.`,
  writes: true,
  run: checkAttacks,
});
