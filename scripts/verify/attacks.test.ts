import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findGaps, parsePatch, renderPage } from "../check-attacks.ts";
import { ATTACKS, type Attack, isAssertion, listAttacks } from "./attacks.ts";

const DIFF = "--- a/contracts/A.sol\n+++ b/contracts/A.sol\n@@ -1 +1 @@\n-good\n+bad\n";
const attack = (name: string): Attack => ({ name, theme: "Votes", attack: "A | B.", defence: "No." });

function withSource(source: string, run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "quorate-attacks-"));
  try {
    mkdirSync(join(folder, ATTACKS), { recursive: true });
    writeFileSync(join(folder, ATTACKS, "Votes.t.sol"), source);
    run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("an attack is read from the documentation of its test", () => {
  const source =
    "contract VotesAttacks {\n    /// Attack: Copies.\n    /// Market: Refuses.\n    function test_attack_Copy() public {}\n}\n";
  withSource(source, (folder) =>
    assert.deepEqual(listAttacks(folder), [{ name: "Copy", theme: "Votes", attack: "Copies.", defence: "Refuses." }]),
  );
});

test("an attack whose documentation does not tell it is refused", () => {
  withSource("    /// Attack: Copies.\n    function test_attack_Copy() public {}\n", (folder) =>
    assert.throws(() => listAttacks(folder), /test_attack_Copy has no line "\/\/\/ Market: …"/),
  );
});

test("a patch is a sentence and a diff", () => {
  assert.deepEqual(parsePatch(`Says\nyes.\n${DIFF}`), { about: "Says yes.", diff: DIFF });
  assert.deepEqual(parsePatch(DIFF), { about: "", diff: DIFF });
});

test("gaps of the suite are found", () => {
  const patches = new Map([
    ["One", { about: "Says yes.", diff: DIFF }],
    ["Two", { about: "Says no.", diff: DIFF }],
    ["Three", { about: "Its line guards against Two, too.", diff: DIFF }],
    ["Stray", { about: "", diff: "other" }],
  ]);
  const findings = findGaps([attack("One"), attack("One"), attack("Two"), attack("Three"), attack("Four")], patches);
  assert.deepEqual(
    findings.map((finding) => finding.replaceAll(`${ATTACKS}/patches/`, "")),
    [
      "two attacks are called One",
      "there is no Four.patch",
      "Two.patch: the same as that of One, and does not say so",
      "Stray.patch: there is no test_attack_Stray",
      "Stray.patch: no sentence before the diff says what the weakened market does",
    ],
  );
});

test("the page has a row for each attack under its theme", () => {
  const page = renderPage(
    [attack("One")],
    new Map([["One", { about: "Says yes.", diff: DIFF }]]),
    new Map([["Votes", "On votes."]]),
  );
  assert.match(page, /^## Votes\n\nOn votes\.\n\n/m);
  assert.ok(
    page.includes(
      `| [One](../../${ATTACKS}/Votes.t.sol) | A \\| B. | No. | [says yes](../../${ATTACKS}/patches/One.patch) |`,
    ),
  );
});

test("a test that fails by a panic or an error of the market has not shown its attack", () => {
  for (const reason of [
    "no fee",
    'NotEqual("no fee", 1, 2)',
    "next call did not revert as expected",
    "log != expected log",
  ])
    assert.equal(isAssertion(reason), true, reason);
  for (const reason of [
    "panic: arithmetic underflow or overflow (0x11)",
    "EvmError: OutOfGas",
    "EvmError: Revert",
    "BalanceBelowHeld(0x2e23, 2000000 [2e6], 1000000000001000000 [1e18])",
    "JobNotOpen(0x12, 0)",
    "failed",
  ])
    assert.equal(isAssertion(reason), false, reason);
});
