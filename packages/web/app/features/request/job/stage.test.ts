import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JobRecord } from "@quorate/sdk";
import { openingSteps, stageOf } from "./stage.ts";

const market = `0x${"ab".repeat(20)}` as const;
const from = `0x${"cd".repeat(20)}` as const;
const record = { chainId: 1, market, transactions: [] } as unknown as JobRecord;
const published: JobRecord = { ...record, publishedAt: 1 };
const sent = (purpose: "approve" | "deposit" | "open") =>
  ({ purpose, hash: `0x${"11".repeat(32)}`, from, sentAt: 1 }) as const;
const known = {
  record: undefined,
  isRecordRead: true,
  job: undefined,
  phase: "none",
  chainId: 1,
  market,
} as const;
const job = { facts: {} } as never;
const settled = { facts: { settled: {} } } as never;

describe("the stage of a job", () => {
  const cases: readonly (readonly [string, Parameters<typeof stageOf>[0], string])[] = [
    ["its record is being read", { ...known, isRecordRead: false }, "reading"],
    ["the chain has not answered", { ...known, phase: undefined }, "reading"],
    ["nobody knows it", known, "unknown"],
    ["the market knows it from before", { ...known, phase: "accepted" }, "unread"],
    ["only its keys are stored", { ...known, record }, "drafted"],
    ["it waits for offers", { ...known, record: published }, "published"],
    ["the wallet was asked", { ...known, record: { ...published, askedWalletAt: 1 } }, "opening"],
    ["something was sent", { ...known, record: { ...published, transactions: [sent("open")] } }, "opening"],
    ["it is open, and older than the index", { ...known, record: published, phase: "open" }, "open"],
    ["it is settled, and older than the index", { ...known, record: published, phase: "inconclusive" }, "settled"],
    ["the index has it", { ...known, job, phase: undefined }, "open"],
    ["the index has its settlement", { ...known, job: settled, phase: undefined }, "settled"],
    ["its record is of another market", { ...known, record, chainId: 2 }, "elsewhere"],
  ];
  for (const [name, input, expected] of cases) it(`${name}: ${expected}`, () => assert.equal(stageOf(input), expected));
});

describe("the steps of an opening", () => {
  const at = (changes: Partial<JobRecord>, isOpen = false, hasFailed = false): string =>
    openingSteps({ record: { ...record, ...changes }, isOpen, hasFailed })
      .map(({ state }) => state)
      .join(" ");

  it("follow what was stored, so that a reload does not change them", () => {
    assert.equal(at({}), "current ahead ahead");
    assert.equal(at({ askedWalletAt: 1 }), "done current ahead");
    assert.equal(at({ transactions: [sent("approve")], askedWalletAt: 1 }), "current ahead ahead");
    assert.equal(at({ transactions: [sent("deposit"), sent("open")] }), "done done current");
    assert.equal(at({ transactions: [sent("open")] }, true), "done done done");
  });

  it("say where it failed", () => {
    assert.equal(at({ transactions: [sent("open")] }, false, true), "done done failed");
  });
});
