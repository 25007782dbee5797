import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queryMarketAbi } from "@quorate/abi";
import type { RawLog } from "@quorate/chain";
import type { Hex } from "@quorate/core";
import { testAddress, testDomain, testHash } from "@quorate/testkit";
import { encodeAbiParameters, encodeEventTopics, type PublicClient } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { createChainReader, decodeDomainEvent } from "./chain-reader.ts";

const owner = privateKeyToAccount(testHash(7));
const digest = testHash(8);

/** A node that knows some code and what contracts say; everything else it is asked fails. */
function node(parts: { code?: Hex; isValid?: boolean; fails?: boolean }): { client: PublicClient; asked: string[] } {
  const asked: string[] = [];
  const client = {
    getCode: async () => {
      asked.push("code");
      if (parts.fails === true) throw new Error("down");
      return parts.code;
    },
    verifyHash: async () => {
      asked.push("verify");
      if (parts.fails === true) throw new Error("down");
      return parts.isValid ?? false;
    },
  };
  return { client: client as unknown as PublicClient, asked };
}

describe("a signature of an asker", () => {
  it("of an EOA is judged without asking a node", async () => {
    const { client, asked } = node({ fails: true });
    const signature = await owner.sign({ hash: digest });
    assert.equal(await createChainReader([client], testDomain).isSigned(owner.address, digest, signature), true);
    assert.deepEqual(asked, []);
  });

  it("of somebody else counts only if the asker is a contract that accepts it (ERC-1271)", async () => {
    const signature = await owner.sign({ hash: digest });
    const asker = testAddress(5);
    for (const [parts, expected] of [
      [{}, false],
      [{ code: "0x" as Hex }, false],
      [{ code: "0x60" as Hex, isValid: false }, false],
      [{ code: "0x60" as Hex, isValid: true }, true],
    ] as const) {
      const { client } = node(parts);
      assert.equal(await createChainReader([client], testDomain).isSigned(asker, digest, signature), expected);
      assert.equal(await createChainReader([client], testDomain).isSigned(asker, digest, "0x1234"), expected);
    }
  });

  it("is judged by the next node when one is down, and by none when all are", async () => {
    const [down, up] = [node({ fails: true }), node({ code: "0x60", isValid: true })];
    assert.equal(
      await createChainReader([down.client, up.client], testDomain).isSigned(testAddress(5), digest, "0x"),
      true,
    );
    await assert.rejects(createChainReader([down.client], testDomain).isSigned(testAddress(5), digest, "0x"), /down/);
  });
});

describe("an event", () => {
  const provider = testAddress(1);
  const logOf = (topics: readonly Hex[], data: Hex): RawLog => ({
    address: testDomain.market,
    topics,
    data,
    blockNumber: 1,
    blockHash: testHash(1),
    transactionHash: testHash(1),
    transactionIndex: 0,
    logIndex: 0,
  });
  const answered = (of: Hex): RawLog =>
    logOf(
      encodeEventTopics({
        abi: queryMarketAbi,
        eventName: "QuestionAnswered",
        args: { id: testHash(9), provider: of, asker: testAddress(3) },
      }) as Hex[],
      encodeAbiParameters([{ type: "uint256" }, { type: "uint256" }, { type: "uint256" }], [1n, 2n, 3n]),
    );

  it("of the provider's question is read, of another's is not", () => {
    assert.deepEqual(decodeDomainEvent(answered(provider), provider), { name: "QuestionAnswered", id: testHash(9) });
    assert.equal(decodeDomainEvent(answered(testAddress(2)), provider), undefined);
  });

  it("that this version does not know, or that is cut, is nothing", () => {
    assert.equal(decodeDomainEvent(logOf([testHash(4)], "0x"), provider), undefined);
    assert.equal(decodeDomainEvent(logOf([], "0x"), provider), undefined);
    const { topics } = answered(provider);
    assert.equal(decodeDomainEvent(logOf(topics.slice(0, 2), "0x"), provider), undefined);
  });
});
