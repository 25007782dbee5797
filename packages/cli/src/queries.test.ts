import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as proofs from "@quorate/proofs";
import { assertCode } from "@quorate/testkit";
import { networkSchema } from "./config.ts";
import { verifiersOf } from "./queries.ts";
import { papersOf, type StatementOptions, statementOf } from "./statement-options.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate statements "));
after(() => rmSync(folder, { recursive: true, force: true }));

const NOW = 1_763_800_000;
const number = (name: string, unit: string): proofs.AttributeDefinition => ({
  name,
  unit,
  scale: 0,
  signed: false,
  description: "",
});
const definition: proofs.DatasetDefinition = {
  version: 1,
  name: "Payroll",
  history: false,
  attributes: [number("income", "EUR"), number("bonus", "EUR"), number("bonus", "USD")],
  scorecards: [{ name: "check", description: "", fields: [number("income", "EUR"), number("score", "")] }],
};
const say = (options: StatementOptions): string =>
  proofs.describeStatement(statementOf({ ...options }, definition, proofs, NOW));

const relations: readonly [StatementOptions, string][] = [
  [{ atLeast: "100000" }, "income is at least 100,000 EUR on 2025-11-22"],
  [{ atMost: "5" }, "income is at most 5 EUR on 2025-11-22"],
  [{ lessThan: "5" }, "income is less than 5 EUR on 2025-11-22"],
  [{ greaterThan: "5" }, "income is greater than 5 EUR on 2025-11-22"],
  [{ equal: "5" }, "income is exactly 5 EUR on 2025-11-22"],
  [{ notEqual: "5" }, "income is not 5 EUR on 2025-11-22"],
  [{ between: ["5", "7"] }, "income is from 5 EUR to 7 EUR on 2025-11-22"],
  [{ outside: ["5", "7"], asOf: "2025-11-21" }, "income is below 5 EUR or above 7 EUR on 2025-11-21"],
  [{ atLeast: "5", asOf: "1700000000" }, "income is at least 5 EUR on 2023-11-14"],
];
for (const [options, words] of relations) {
  test(`${JSON.stringify(options)} means: ${words}`, () =>
    assert.equal(say({ attribute: "income", ...options }), words));
}

test("a scorecard comes from a file, by its name in the data set", () => {
  const file = join(folder, "check.json");
  const clauses = [{ coefficients: { score: "1" }, atLeast: "700", weight: 1 }];
  writeFileSync(file, JSON.stringify({ kind: "scorecard", scorecard: "check", clauses, cutoff: 1 }));
  assert.match(say({ statement: file }), /in check, \(score is at least 700\) holds on 2025-11-22/);
});

const unclear: readonly [string, StatementOptions, string][] = [
  ["no attribute", { atLeast: "5" }, "USAGE_STATEMENT"],
  ["no relation", { attribute: "income" }, "USAGE_STATEMENT"],
  ["two relations", { attribute: "income", atLeast: "5", atMost: "7" }, "USAGE_STATEMENT"],
  ["an attribute that is not defined", { attribute: "height", atLeast: "5" }, "USAGE_STATEMENT"],
  ["an attribute that is defined twice", { attribute: "bonus", atLeast: "5" }, "USAGE_STATEMENT"],
  ["one end of a range", { attribute: "income", between: ["5"] }, "USAGE_STATEMENT"],
  ["three ends of a range", { attribute: "income", between: ["5", "6", "7"] }, "USAGE_STATEMENT"],
  ["a day that is none", { attribute: "income", atLeast: "5", asOf: "tomorrow" }, "USAGE_STATEMENT"],
  ["a file beside options", { attribute: "income", statement: "x.json" }, "USAGE_STATEMENT"],
  ["a file that is missing", { statement: join(folder, "none.json") }, "USAGE_FILE"],
  ["digits that would be lost", { attribute: "income", atLeast: "5.5" }, "VALUE_INVALID"],
  ["another unit", { attribute: "income", atLeast: "5 USD" }, "VALUE_INVALID"],
];
for (const [what, options, code] of unclear) {
  test(`${what} is refused with ${code}`, async () => {
    await assertCode(() => say(options), code);
  });
}

test("papers are three parts or none", async () => {
  assert.equal(papersOf({}), undefined);
  const papers = { name: "Ada", birthDate: "1990-05-17", document: "X-1" };
  assert.deepEqual(papersOf(papers), { name: "Ada", birthDate: "1990-05-17", documentNumber: "X-1" });
  await assertCode(() => papersOf({ name: "Ada", document: "X-1" }), "USAGE_PAPERS");
});

test("verifiers under development keys are known on local chains only; others by what a person compared", async () => {
  const hash = `0x${"AB".repeat(32)}`;
  const network = (chainId: number): ReturnType<typeof networkSchema.parse> =>
    networkSchema.parse({
      chainId,
      rpc: ["http://127.0.0.1:9"],
      market: `0x${"11".repeat(20)}`,
      verifiers: { scorecard: [hash] },
    });
  const local = await verifiersOf(network(31_337));
  assert.equal(local["sealed-answer"].length, 1);
  assert.deepEqual(local.scorecard.slice(1), [hash.toLowerCase()]);
  assert.notEqual(local.scorecard[0], local["sealed-answer"][0]);
  assert.deepEqual(await verifiersOf(network(1)), { "sealed-answer": [], scorecard: [hash.toLowerCase()] });
});

test("without the packages under the GPL everything else works, and queries say what to install", () => {
  const home = join(folder, "home");
  mkdirSync(join(home, "keys"), { recursive: true });
  writeFileSync(join(home, "keys", "someone.json"), JSON.stringify({ address: `0x${"77".repeat(20)}` }));
  const networks = { a: { chainId: 31_337, rpc: ["http://127.0.0.1:9"], market: `0x${"11".repeat(20)}` } };
  writeFileSync(join(home, "config.json"), JSON.stringify({ version: 1, networks }));
  const hook = join(folder, "without.mjs");
  writeFileSync(
    hook,
    `import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        if (!/^@quorate\\/(proofs|domain)/.test(specifier)) return next(specifier, context);
        throw Object.assign(new Error("Cannot find package " + specifier), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });`,
  );
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const call = (...args: string[]): { status: number | null; value: { error?: { code: string } } } => {
    const argv = ["--import", pathToFileURL(hook).href, main, "--home", home, "--json", ...args];
    const { status, stdout } = spawnSync(process.execPath, argv, { encoding: "utf8" });
    return { status, value: JSON.parse(stdout) };
  };
  const asked = call("query", "verify", "receipt.json", "--provider", `0x${"77".repeat(20)}`);
  assert.deepEqual([asked.value.error?.code, asked.status], ["QUERIES_NOT_INSTALLED", 2]);
  assert.equal(call("account", "list").status, 0);
});
