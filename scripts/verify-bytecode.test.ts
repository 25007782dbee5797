import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareDeployed } from "./verify-bytecode.ts";

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
    assert.deepEqual(compareDeployed("0x600000000000ff0000", artifact), ["0x0000", "0x0000"]);
    assert.deepEqual(compareDeployed("0x60abcdabcd00ff1234", artifact), ["0xabcd", "0x1234"]);
  });

  it("is other code with one other byte, one byte more, or one immutable with two values", () => {
    assert.equal(compareDeployed("0x60abcdabcd00fe1234", artifact), undefined);
    assert.equal(compareDeployed("0x60abcdabcd00ff123400", artifact), undefined);
    assert.equal(compareDeployed("0x60abcdabce00ff1234", artifact), undefined);
  });
});
