import { DatabaseSync } from "node:sqlite";
import { FatalError, RetryableError } from "@quorate/core";
import { testAddress } from "@quorate/testkit";
import type { Envelope, PublishReport, RelayClient } from "@quorate/wire";
import type { ChainReader } from "../internal/chain-reader.ts";
import { type Policy, policySchema } from "../internal/policy.ts";

/** A policy that takes the testkit's request. */
export function buildPolicy(changes: Record<string, unknown> = {}): Policy {
  return policySchema.parse({
    version: 1,
    tokens: { [testAddress(0x70ce)]: { prices: { base: "1000" }, bond: { most: "10000000" } } },
    requesters: { mode: "any" },
    leastCalloutBps: 0,
    panel: { unknown: "accept" },
    ...changes,
  });
}

/** A database in memory. */
export function memoryDb(): DatabaseSync {
  return new DatabaseSync(":memory:");
}

/** A chain on which everybody is rich and nobody is on probation. */
export function fakeReader(changes: Partial<ChainReader> = {}): ChainReader {
  return {
    free: async () => 10n ** 18n,
    tokenBalance: async () => 10n ** 18n,
    authorization: async () => ({ maxBond: 10n ** 18n, minCommitWindow: 0, validUntil: 2 ** 39 }),
    onProbation: async () => false,
    probation: async () => 0,
    isReturnable: async () => false,
    gasBalance: async () => 10n ** 20n,
    gasPrice: async () => 1n,
    ...changes,
  };
}

/** Relays in memory: blocks, and messages by topic. */
export class FakeRelays {
  readonly blocks: Map<string, Uint8Array> = new Map();
  readonly messages: Envelope[] = [];
  asked: number = 0;

  client(): RelayClient {
    const report: PublishReport = { accepted: ["memory:"], failed: [] };
    const unused = (): never => {
      throw new FatalError("UNEXPECTED_CALL", "the test does not expect this call");
    };
    return {
      urls: ["memory:"],
      domain: { chainId: 31337, market: testAddress(1) },
      publish: async (envelope) => {
        this.messages.push(envelope);
        return report;
      },
      subscribe: unused,
      list: async (topic) => this.messages.filter((message) => message.topic === topic),
      putBlock: async (cid, bytes) => {
        this.blocks.set(cid, bytes);
        return report;
      },
      getBlock: async (cid) => {
        this.asked += 1;
        const block = this.blocks.get(cid);
        if (block === undefined) throw new RetryableError("BLOCK_NOT_FOUND", `no relay has ${cid}`);
        return block;
      },
      putProfile: unused,
      putPresence: unused,
      listProfiles: unused,
      getProfile: unused,
      status: unused,
    };
  }
}
