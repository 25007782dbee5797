// The branch tree beside each Solidity test says what the tests cover; it may neither promise nor hide one.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type CheckResult, checkMain } from "./lib/check.ts";
import { root } from "./lib/workspace.ts";

/**
 * Compares a tree with the tests beside it.
 *
 * @param tree text of the `*.tree` file, which names each test in parentheses
 * @param source text of the `*.t.sol` file
 * @returns names that the tree promises and the source lacks, and names that the source has and the tree hides
 */
export function compareTree(tree: string, source: string): { promised: string[]; hidden: string[] } {
  const named = new Set(tree.match(/\btest(?:Fuzz)?_\w+/g) ?? []);
  const found = new Set([...source.matchAll(/\bfunction\s+(test\w*)\s*\(/g)].map(([, name]) => name as string));
  return {
    promised: [...named].filter((name) => !found.has(name)).sort(),
    hidden: [...found].filter((name) => !named.has(name)).sort(),
  };
}

function checkTrees(): CheckResult {
  const findings: string[] = [];
  let tests = 0;
  // Attacks and invariants have pages instead, see check-attacks.ts and check-claims.ts.
  const sources = globSync("test/contracts/**/*.t.sol", { cwd: root }).filter(
    (file) => !/\/(invariants|attacks)\//.test(file),
  );
  for (const file of sources) {
    const tree = file.replace(/\.t\.sol$/, ".tree");
    if (!existsSync(join(root, tree))) {
      findings.push(`${file}: there is no branch tree ${tree} beside it`);
      continue;
    }
    const source = readFileSync(join(root, file), "utf8");
    const { promised, hidden } = compareTree(readFileSync(join(root, tree), "utf8"), source);
    for (const name of promised) findings.push(`${tree}: ${name} is no test of ${relative("test/contracts", file)}`);
    for (const name of hidden) findings.push(`${tree}: the test ${name} is not in the tree`);
    tests += source.match(/\bfunction\s+test\w*\s*\(/g)?.length ?? 0;
  }
  return { findings, summary: `${tests} Solidity tests are those of ${sources.length} branch trees` };
}

checkMain(import.meta.url, {
  about:
    "Checks that every Solidity test is in the branch tree beside it, and that a tree names no test that is not there.",
  run: checkTrees,
});
