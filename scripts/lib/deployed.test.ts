import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concat, domainSeparator, type Hex, toHex } from "viem";
import { compareDeployed, domainWords, judgeCreation, judgeImmutables, namesOfImmutables } from "./deployed.ts";

const ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const OTHER = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";

const artifact = {
  deployedBytecode: "0x600000000000ff0000" as const,
  immutableReferences: {
    "7": [{ start: 7, length: 2 }],
    "3": [
      { start: 1, length: 2 },
      { start: 3, length: 2 },
    ],
  },
};

describe("code on chain", () => {
  it("is that of the build, whatever its immutables are", () => {
    assert.deepEqual(compareDeployed("0x600000000000ff0000", artifact), [
      { id: "3", word: "0x0000" },
      { id: "7", word: "0x0000" },
    ]);
    assert.deepEqual(compareDeployed("0x60abcdabcd00ff1234", artifact), [
      { id: "3", word: "0xabcd" },
      { id: "7", word: "0x1234" },
    ]);
  });

  it("is other code with one other byte, one byte more, or one immutable with two values", () => {
    assert.equal(compareDeployed("0x60abcdabcd00fe1234", artifact), undefined);
    assert.equal(compareDeployed("0x60abcdabcd00ff123400", artifact), undefined);
    assert.equal(compareDeployed("0x60abcdabce00ff1234", artifact), undefined);
  });
});

describe("immutables", () => {
  const names = namesOfImmutables({
    nodeType: "SourceUnit",
    nodes: [
      {
        nodeType: "ContractDefinition",
        name: "Windows",
        nodes: [
          { nodeType: "VariableDeclaration", id: 3, name: "minWindow", mutability: "immutable" },
          { nodeType: "VariableDeclaration", id: 4, name: "other", mutability: "mutable" },
        ],
      },
    ],
  });
  const word = (value: number): Hex => toHex(value, { size: 32 });

  it("have the names of the source", () => {
    assert.deepEqual([...names], [["3", "Windows.minWindow"]]);
  });

  it("are good with the expected value and named with another", () => {
    const expected = { "Windows.minWindow": word(300) };
    assert.deepEqual(judgeImmutables([{ id: "3", word: word(300) }], names, expected), []);
    assert.deepEqual(judgeImmutables([{ id: "3", word: word(5) }], names, expected), [
      { name: "Windows.minWindow", found: "5", expected: "300" },
    ]);
  });

  it("are not passed over where nothing is expected", () => {
    assert.throws(() => judgeImmutables([{ id: "3", word: word(300) }], names, {}), /nothing is known of .*minWindow/);
  });

  it("of the domain are those that typed data is signed under", () => {
    const domain = { name: "Quorate", version: "1", chainId: 8453n, verifyingContract: ADDRESS } as const;
    assert.equal(domainWords(8453, ADDRESS)["EIP712._cachedDomainSeparator"], domainSeparator({ domain }));
  });
});

describe("the transaction that made a contract", () => {
  const built = {
    contractName: "Market",
    abi: [{ type: "constructor", inputs: [{ name: "minWindow_", type: "uint32" }] }],
    bytecode: "0x6001" as const,
  };
  const input = concat(["0x6001", toHex(300, { size: 32 })]);
  const creation = { to: null, input, success: true, contractAddress: ADDRESS } as const;
  const judge = (changed: object): readonly string[] =>
    judgeCreation({ ...creation, ...changed }, ADDRESS, built, { minWindow_: 300 });

  it("is good with creation code and arguments", () => {
    assert.deepEqual(judge({}), []);
  });

  it("is refused if it failed, called a contract, or made another one", () => {
    assert.match(judge({ success: false }).join(), /^the transaction failed/);
    assert.match(judge({ to: OTHER }).join(), /^the transaction calls 0xe7f1/);
    assert.match(judge({ contractAddress: OTHER }).join(), /^the transaction has made 0xe7f1.* not 0x5FbD/);
  });

  it("is refused with other creation code, other arguments, or more than these", () => {
    assert.match(judge({ input: concat(["0x6002", toHex(300, { size: 32 })]) }).join(), /another constructor$/);
    assert.deepEqual(judge({ input: concat(["0x6001", toHex(5, { size: 32 })]) }), [
      "constructor argument minWindow_ is 5, expected 300",
    ]);
    assert.deepEqual(judge({ input: concat([input, "0x00"]) }), ["33 bytes follow the creation code, expected 32"]);
    // The width of the parameter, which a decoder may cut off, counts.
    assert.match(judge({ input: concat(["0x6001", toHex((1n << 32n) + 300n, { size: 32 })]) }).join(), /^constructor/);
  });
});
