import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CompilerInput, CompilerOutput } from "hardhat/types/solidity";
import { fillCode, selectTests, settingsForTests } from "./solidity-tests.ts";

const input: CompilerInput = {
  language: "Solidity",
  sources: {
    "project/contracts/Market.sol": { content: "" },
    "project/test/contracts/Market.t.sol": { content: "" },
    "npm/tokens@1.0.0/Token.sol": { content: "" },
  },
  settings: {
    optimizer: { enabled: true },
    outputSelection: { "*": { "": ["ast"], "*": ["abi", "evm.bytecode.object"] } },
  },
};

describe("compiling Solidity tests", () => {
  it("takes the same compiler and machine, and no optimiser", () => {
    const deployed = {
      version: "0.8.37",
      path: "soljson.js",
      settings: { evmVersion: "osaka", viaIR: true, optimizer: { enabled: true, runs: 200 } },
    };
    assert.deepEqual(settingsForTests(deployed), {
      version: "0.8.37",
      path: "soljson.js",
      settings: { evmVersion: "osaka", viaIR: false, optimizer: { enabled: false } },
    });
  });

  it("asks for the code of tests alone, and for every syntax tree", () => {
    const { outputSelection } = selectTests(input, (file) => file === "test/contracts/Market.t.sol").settings;
    assert.deepEqual(outputSelection, {
      "project/contracts/Market.sol": { "": ["ast"], "*": [] },
      "project/test/contracts/Market.t.sol": { "": ["ast"], "*": ["abi", "evm.bytecode.object"] },
      "npm/tokens@1.0.0/Token.sol": { "": ["ast"], "*": [] },
    });
    assert.deepEqual(Object.keys(input.settings.outputSelection), ["*"], "the input itself is left as it was");
  });

  it("lists contracts that were not asked for, without code, and keeps those that were", () => {
    const test = { abi: [{ type: "receive" }] };
    const definition = (name: string) => ({ nodeType: "ContractDefinition", name });
    const output: CompilerOutput = {
      sources: {
        "project/contracts/Market.sol": {
          id: 0,
          ast: { nodes: [definition("Market"), { nodeType: "StructDefinition", name: "Job" }] },
        },
        "project/contracts/Types.sol": { id: 1, ast: { nodes: [] } },
        "project/test/contracts/Market.t.sol": { id: 2, ast: { nodes: [definition("MarketTest")] } },
      },
      contracts: { "project/test/contracts/Market.t.sol": { MarketTest: test } },
    };
    const { contracts } = fillCode(output);
    assert.deepEqual(Object.keys(contracts ?? {}).sort(), [
      "project/contracts/Market.sol",
      "project/test/contracts/Market.t.sol",
    ]);
    assert.equal(contracts?.["project/contracts/Market.sol"]?.Market?.evm?.bytecode?.object, "");
    assert.equal(contracts?.["project/contracts/Market.sol"]?.Job, undefined);
    assert.equal(contracts?.["project/test/contracts/Market.t.sol"]?.MarketTest, test);
  });
});
