import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { type Compiler, createCompiler, readSources, type Sources } from "./compile.ts";
import { loadArtifacts, runTests } from "./run-against.ts";

const BOX = `pragma solidity 0.8.37;
contract Box {
  function open() external pure returns (uint256) { return 1; }
}`;
const TEST = `pragma solidity 0.8.37;
import {Box} from "./Box.sol";
interface Vm { function getCode(string calldata) external returns (bytes memory); }
contract BoxTest {
  function test_HoldsOne() public {
    bytes memory code = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D).getCode("Box.sol:Box");
    Box box;
    assembly { box := create(0, add(code, 32), mload(code)) }
    require(box.open() == 1, "not one");
  }
  function test_Nothing() public pure {}
}`;

let folder: string;
let compiler: Compiler;
const box = "contracts/Box.sol:Box";
const suite = "contracts/Box.t.sol:BoxTest";

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "quorate-run-against-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("contracts/Box.sol", BOX);
  write("contracts/Box.t.sol", TEST);
  compiler = createCompiler({ threads: 1, cache: join(folder, "cache") });
  const compiled = await compiler.compile(readSources("contracts/Box.t.sol", { folder }), [box, suite]);
  assert.ok(compiled.ok);
  write("build-info/solc-0_8_37-00.json", "{}");
  for (const [name, { creation, deployed }] of compiled.bytecodes) {
    const [sourceName = "", contractName] = name.split(":");
    const file = {
      contractName,
      sourceName,
      buildInfoId: "solc-0_8_37-00",
      abi: name === suite ? ["test_HoldsOne", "test_Nothing"].map(abiOf) : [],
      bytecode: creation,
      deployedBytecode: deployed,
      linkReferences: {},
      deployedLinkReferences: {},
    };
    write(`${sourceName.replace("/", "/out/")}/${contractName}.json`, JSON.stringify(file));
  }
});

after(async () => {
  await compiler?.close();
  rmSync(folder, { recursive: true, force: true });
});

function abiOf(name: string): object {
  return { type: "function", name, inputs: [], outputs: [], stateMutability: "nonpayable" };
}

test("a source is read with what it imports, files below the overlay", () => {
  const overlay: Sources = new Map([["contracts/Box.sol", "// other"]]);
  const sources = readSources("contracts/Box.t.sol", { folder, overlay });
  assert.deepEqual([...sources.keys()].sort(), ["contracts/Box.sol", "contracts/Box.t.sol"]);
  assert.equal(sources.get("contracts/Box.sol"), "// other");
  assert.equal(sources.get("contracts/Box.t.sol"), TEST);
});

test("imports of the market come from contracts and npm packages", () => {
  const sources = readSources("contracts/JobMarket.sol");
  assert.ok(sources.has("contracts/base/Ledger.sol"));
  assert.ok(sources.has("@openzeppelin/contracts/utils/Multicall.sol"));
});

test("tests pass against what they were written for, and fail against changed bytecode", async () => {
  const artifacts = loadArtifacts(folder);
  assert.deepEqual(artifacts.suites, [suite]);
  const outcome = (name: string, status: string): object => ({ suite, test: name, status });
  assert.deepEqual(await runTests(artifacts), [outcome("test_HoldsOne", "passed"), outcome("test_Nothing", "passed")]);

  const overlay = new Map([["contracts/Box.sol", BOX.replace("return 1", "return 2")]]);
  const changed = await compiler.compile(readSources("contracts/Box.sol", { folder, overlay }), [box]);
  assert.ok(changed.ok);
  const [failed] = await runTests(artifacts, { replaced: changed.bytecodes, pattern: "HoldsOne" });
  assert.deepEqual(failed, { ...outcome("test_HoldsOne", "failed"), reason: "not one" });
});

test("an error of the compiler is told, and an unknown contract", async () => {
  const broken = await compiler.compile(new Map([["A.sol", "contract A {"]]), ["A.sol:A"]);
  assert.match(broken.ok ? "" : broken.errors.join(), /ParserError/);
  const missing = await compiler.compile(new Map([["A.sol", "contract A {}"]]), ["A.sol:B"]);
  assert.deepEqual(missing, { ok: false, errors: ["A.sol has no contract B"] });
});

test("a name without an artifact is refused", async () => {
  await assert.rejects(
    runTests(loadArtifacts(folder), { suites: ["contracts/C.t.sol:C"] }),
    /no artifact of contracts\/C/,
  );
});
