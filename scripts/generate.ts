// Writes what is generated from other files of the repository: packages/abi/src, test/vectors, ProofVectors.sol. With --check it only compares.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { generateAbi } from "./generate/abi.ts";
import { generateSolidity } from "./generate/solidity.ts";
import { generateVectors } from "./generate/vectors.ts";
import { root } from "./lib/workspace.ts";

const USAGE = `usage: node scripts/generate.ts [--check]

Writes packages/abi/src (from the compiled contracts), test/vectors (from packages/core and fixed seeds) and ProofVectors.sol of the
Solidity tests.

  --check   write nothing; exit with 1 and name the files that are not current
  --help    print this`;

const { values } = parseArgs({
  options: { check: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});

if (values.help) {
  console.log(USAGE);
} else {
  const files = [...generateAbi(), generateSolidity(), ...(await generateVectors())];
  const stale = files.filter(({ path, text }) => {
    const file = join(root, path);
    return !existsSync(file) || readFileSync(file, "utf8") !== text;
  });
  if (values.check) {
    for (const { path } of stale) console.error(`${path} is not current: run node scripts/generate.ts`);
    console.log(`${files.length - stale.length} of ${files.length} generated files are current`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const { path, text } of stale) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    console.log(`${stale.length} of ${files.length} generated files were written`);
  }
}
