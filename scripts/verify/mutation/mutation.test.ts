import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { type Compiler, createCompiler, OPTIMIZED } from "../lib/compile.ts";
import { type Artifacts, loadArtifacts } from "../lib/run-against.ts";
import { findMutants } from "./find.ts";
import { Journal } from "./journal.ts";
import { failuresOfOriginal, judge } from "./judge.ts";
import type { Mutant } from "./mutant.ts";
import { findingsOf, type Result, type Results, writePage, writeResults } from "./report.ts";
import { sample } from "./sample.ts";
import { instrument } from "./schemata.ts";
import { parse } from "./source.ts";

/** One of everything that is switched in a way of its own. The sign in the comment is three bytes long. */
const BOX = `pragma solidity 0.8.37;
// ‖
abstract contract Guard {
  uint256 private entered;
  modifier nonReentrant() { require(entered == 0); entered = 1; _; entered = 0; }
}
contract Box is Guard {
  uint256 private constant STEP = 2;
  enum Mood { Low, High }
  event Raised(address indexed by, uint256 to);
  mapping(address => uint256) public levels;
  function raise(uint256 times, uint256 limit) external nonReentrant {
    for (uint256 i; i < times; ++i) {
      if (levels[msg.sender] + STEP <= limit) levels[msg.sender] += STEP;
    }
    emit Raised(msg.sender, levels[msg.sender]);
  }
  function moodOf(address who) external view returns (Mood) {
    return levels[who] > 3 ? Mood.High : Mood.Low;
  }
  function half(uint256 value) public pure returns (uint256 result) {
    assembly { result := shr(1, value) }
  }
  function pair() external pure returns (uint256, bool) { return (half(9), true); }
}`;
const TEST = `pragma solidity 0.8.37;
import {Box} from "./Box.sol";
interface Vm { function getCode(string calldata) external returns (bytes memory); }
contract BoxTest {
  function test_RaisesUpToTheLimit() public {
    bytes memory code = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D).getCode("Box.sol:Box");
    Box box;
    assembly { box := create(0, add(code, 32), mload(code)) }
    box.raise(3, 5);
    require(box.levels(address(this)) == 4);
    require(box.moodOf(address(this)) == Box.Mood.High);
    require(box.half(9) == 4);
  }
}`;
const CONTRACT = "contracts/Box.sol:Box";
const SUITE = "contracts/Box.t.sol:BoxTest";

let folder: string;
let compiler: Compiler;
let mutants: readonly Mutant[];
let texts: Readonly<Record<string, string>>;
let artifacts: Artifacts;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "quorate-mutation-"));
  compiler = createCompiler({ threads: 1 });
  const files = new Map([
    ["contracts/Box.sol", BOX],
    ["contracts/Box.t.sol", TEST],
  ]);
  const sources = await parse(compiler, files, ["contracts/Box.sol"]);
  mutants = findMutants(sources);
  texts = instrument(sources, mutants);
  const compiled = await compiler.compile(files, [CONTRACT, SUITE]);
  assert.ok(compiled.ok);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("build-info/solc-0_8_37-00.json", "{}");
  for (const [name, { creation, deployed }] of compiled.bytecodes) {
    const [sourceName = "", contractName] = name.split(":");
    const item = { type: "function", name: "test_RaisesUpToTheLimit", inputs: [], outputs: [] };
    const file = {
      contractName,
      sourceName,
      buildInfoId: "solc-0_8_37-00",
      abi: name === SUITE ? [{ ...item, stateMutability: "nonpayable" }] : [],
      bytecode: creation,
      deployedBytecode: deployed,
      linkReferences: {},
      deployedLinkReferences: {},
    };
    write(`${sourceName.replace("/", "/out/")}/${contractName}.json`, JSON.stringify(file));
  }
  artifacts = loadArtifacts(folder);
});

after(async () => {
  await compiler?.close();
  rmSync(folder, { recursive: true, force: true });
});

const texted = (scope: string): readonly string[] =>
  mutants
    .filter((mutant) => mutant.scope === scope)
    .map(({ operator, original, replacement }) => `${operator}: ${original} → ${replacement}`);

test("operators find what they know, at its line, and name it for good", () => {
  assert.deepEqual(texted("Box.half"), [
    "early return: { … } → { return (result); }",
    "assignment removal: result := shr(1, value) → ",
    "shift: shr(1, value) → shl(1, value)",
    "literal: 1 → 0x02",
    "literal: 1 → 0x00",
  ]);
  assert.deepEqual(texted("Box.moodOf"), [
    "early return: { … } → { return (Box.Mood(0)); }",
    "relational boundary: levels[who] > 3 → levels[who] >= 3",
    "relational negation: levels[who] > 3 → levels[who] <= 3",
    "literal: 3 → 4",
    "literal: 3 → 2",
    "enumeration: Mood.Low → Mood.High",
    "enumeration: Mood.High → Mood.Low",
  ]);
  assert.ok(texted("Box.raise").includes("modifier removal: nonReentrant → "));
  assert.ok(
    texted("Box.raise").includes("assignment operator: levels[msg.sender] += STEP; → levels[msg.sender] = STEP;"),
  );
  assert.ok(texted("Box.raise").includes("event argument: levels[msg.sender] → (levels[msg.sender]) ^ 1"));
  assert.equal(mutants.find(({ original }) => original === "levels[who] > 3")?.line, 19);
  assert.equal(new Set(mutants.map(({ id }) => id)).size, mutants.length);
});

test("one compilation holds every mutant, and without a mutant it is the original", async () => {
  const compiled = await compiler.compile(new Map(Object.entries(texts)), [CONTRACT], OPTIMIZED);
  assert.ok(compiled.ok, compiled.ok ? "" : compiled.errors.join("\n"));
  const bench = { artifacts, bytecodes: compiled.bytecodes, suites: [SUITE] };
  assert.deepEqual(await failuresOfOriginal(bench), []);
  const verdict = async (scope: string, change: string): Promise<string> => {
    const index = mutants.findIndex(
      (mutant) => mutant.scope === scope && `${mutant.original} → ${mutant.replacement}` === change,
    );
    assert.notEqual(index, -1, change);
    return (await judge(bench, index + 1, [])).status;
  };
  assert.equal(await verdict("Box.STEP", "uint256 private constant STEP = 2 → STEP + 1"), "killed");
  assert.equal(await verdict("Box.raise", "levels[msg.sender] += STEP; → levels[msg.sender] -= STEP;"), "killed");
  assert.equal(await verdict("Box.moodOf", "levels[who] > 3 → levels[who] <= 3"), "killed");
  assert.equal(await verdict("Box.half", "shr(1, value) → shl(1, value)"), "killed");
  assert.equal(await verdict("Box.half", "result := shr(1, value) → "), "killed");
  // The test looks at none of these.
  assert.equal(await verdict("Box.raise", "nonReentrant → "), "survived");
  assert.equal(await verdict("Box.moodOf", "levels[who] > 3 → levels[who] >= 3"), "survived");
  assert.equal(await verdict("Box.pair", "true → false"), "survived");
});

test("a test that killed a mutant is tried first, and a failing original is told", async () => {
  const compiled = await compiler.compile(
    new Map([["contracts/Box.sol", BOX.replace("levels[who] > 3", "levels[who] > 4")]]),
    [CONTRACT],
  );
  assert.ok(compiled.ok);
  const bench = { artifacts, bytecodes: compiled.bytecodes, suites: [SUITE] };
  const by = `${SUITE} test_RaisesUpToTheLimit`;
  assert.deepEqual(await judge(bench, 0, [by]), { status: "killed", by });
  assert.equal((await failuresOfOriginal(bench)).length, 1);
});

test("the journal forgets a line that was cut off, and nothing else", () => {
  const file = join(folder, "journal.jsonl");
  const journal = new Journal(file);
  journal.put({ id: "a", pin: "1", status: "survived" });
  journal.put({ id: "b", pin: "2", status: "killed", by: "x y" });
  appendFileSync(file, '{"id":"c","stat');
  const again = new Journal(file);
  assert.deepEqual([...again.entries], [...journal.entries]);
  again.put({ id: "c", pin: "3", status: "timeout" });
  assert.deepEqual(new Journal(file).get("c"), { id: "c", pin: "3", status: "timeout" });
  assert.match(readFileSync(file, "utf8"), /"stat\n/);
});

test("samples are the same every time, take of every kind, and grow", () => {
  const small = sample(mutants, 10);
  assert.deepEqual(sample(mutants.toReversed(), 10).toReversed(), small);
  assert.equal(new Set(small.map(({ operator }) => operator)).size, 10);
  const large = new Set(sample(mutants, 20));
  assert.ok(small.every((mutant) => large.has(mutant)));
  assert.equal(sample(mutants).length, mutants.length);
});

const result = (id: string, changes: Partial<Result> = {}): Result => {
  return {
    id,
    file: "contracts/A.sol",
    line: 1,
    scope: "A.f",
    operator: "shift",
    original: "a << b",
    replacement: "a >> b",
    status: "killed",
    ...changes,
  };
};

test("survivors need reasons, reasons survivors, and killers have to be there", () => {
  const many = Array.from({ length: 30 }, (_, index) => result(`k${index}`));
  const results: Results = { code: "", found: 99, results: [...many, result("s", { status: "survived" })] };
  assert.deepEqual(findingsOf(results, { s: "it does the same" }), []);
  assert.match(
    findingsOf(results, {})[0] ?? "",
    /^s contracts\/A\.sol:1 survives without a reason: shift: a << b → a >> b/,
  );
  assert.match(findingsOf(results, { s: "why", k1: "why" })[0] ?? "", /^k1 has a reason to survive/);
  const gone = { ...results, results: [result("k", { by: "test/contracts/Open.t.sol:OpenTest test_Nothing" })] };
  assert.match(findingsOf(gone, {})[0] ?? "", /test_Nothing kills mutants and is gone/);
  const few = { ...results, results: [result("k"), result("s", { status: "survived" })] };
  assert.match(findingsOf(few, { s: "why" })[0] ?? "", /1 of 2 mutants are killed/);
});

test("the page tells numbers and reasons, the file one mutant a line", () => {
  const results: Results = { code: "c0de", found: 99, results: [result("k"), result("s", { status: "survived" })] };
  const page = writePage(results, { s: "it does the same" });
  assert.match(page, /\*\*1 of 2 are killed \(50\.0 %\)\. 1 survive/);
  assert.match(page, /- it does the same\n {2}- s, `contracts\/A\.sol:1`, A\.f: `a << b` → `a >> b`/);
  assert.deepEqual(JSON.parse(writeResults(results)), results);
  assert.equal(writeResults(results).split("\n").length, 9);
});
