import assert from "node:assert/strict";
import { test } from "node:test";
import { FatalError } from "@quorate/core";
import { parseTrustPolicy } from "@quorate/sdk";
import { buildRequest, testAddress, testHash } from "@quorate/testkit";
import { filterJobs, readFilter, writeFilter } from "../features/jobs/jobList.ts";
import { judgeNetwork, networkDraftOf } from "../features/settings/networkDraft.ts";
import { draftOf, judgeDraft, policyWords } from "../features/trust/draft.ts";
import { emptyModel, foldLogs } from "../market/model.ts";
import { allAligned, markets, opened, settled } from "../market/testing.ts";
import { explain } from "./explain.ts";
import { count, formatAmount, formatBytes, formatDuration, parseAmount, shortHex } from "./format.ts";
import { splitAddress } from "./location.ts";

const dollars = { symbol: "tUSD", decimals: 6 };

test("amounts are grouped, keep their digits and their unit, and are read back", () => {
  assert.equal(formatAmount(1_234_567_500_000n, dollars), "1,234,567.5 tUSD");
  assert.equal(formatAmount(-1n, dollars), "−0.000001 tUSD");
  assert.equal(parseAmount("1,234.5", 6), 1_234_500_000n);
  for (const wrong of ["", "1e3", "-1", "1.0000001", "0x1", "1.2.3"])
    assert.equal(parseAmount(wrong, 6), undefined, wrong);
});

test("durations, sizes, counts and short forms are plain", () => {
  assert.equal(formatDuration(0), "0 s");
  assert.equal(formatDuration(3_661), "1 h 1 min");
  assert.equal(formatDuration(86_400), "1 d");
  assert.equal(formatBytes(1_023), "1023 B");
  assert.equal(formatBytes(1_536), "1.5 KiB");
  assert.equal(count(1, "job"), "1 job");
  assert.equal(count(2, "entry", "entries"), "2 entries");
  assert.equal(shortHex(testHash(1)), "0x0000…0001");
});

test("a rejection is found however deep it lies, and is no error", () => {
  const wrapped = new Error("failed", { cause: new Error("deeper", { cause: { code: 4001 } }) });
  assert.equal(explain(wrapped).isRejection, true);
  assert.deepEqual(explain(new FatalError("A_CODE", "What to do.")), {
    code: "A_CODE",
    message: "What to do.",
    isRejection: false,
  });
  assert.equal(explain("odd").code, "UNEXPECTED");
});

test("filters of jobs live in the address and leave nonsense out", () => {
  assert.deepEqual(splitAddress("/jobs?status=open&x=?"), { path: "/jobs", query: "status=open&x=?" });
  const filter = readFilter(new URLSearchParams("status=open&mine=yes&provider=zzz&page=-3&id=0xab"));
  assert.deepEqual(filter, {
    status: "open",
    isMine: true,
    provider: undefined,
    token: undefined,
    text: "0xab",
    page: 1,
  });
  assert.equal(writeFilter(filter).toString(), "status=open&mine=yes&id=0xab");
});

test("the list of jobs is filtered by status, requester, provider and id, newest first", () => {
  const logs = [opened(testHash(1), 1), settled(testHash(1), 2, allAligned), opened(testHash(2), 3)];
  const { jobs } = foldLogs(emptyModel, logs, markets);
  const ids = (query: string, account = testAddress(0)): string[] =>
    filterJobs(jobs.values(), readFilter(new URLSearchParams(query)), account).map(({ facts }) => facts.jobId);
  assert.deepEqual(ids(""), [testHash(2), testHash(1)]);
  assert.deepEqual(ids("status=accepted"), [testHash(1)]);
  assert.deepEqual(ids("status=open"), [testHash(2)]);
  assert.deepEqual(ids("mine=yes"), []);
  assert.deepEqual(ids("mine=yes", buildRequest().requester).length, 2);
  assert.deepEqual(ids(`provider=${testAddress(0x1002)}`).length, 2);
  assert.deepEqual(ids(`provider=${testAddress(0x1003)}`), []);
  assert.deepEqual(ids("id=00002"), [testHash(2)]);
});

test("a trust policy goes through its editor unchanged, and what is wrong is named", () => {
  const policy = parseTrustPolicy({
    version: 1,
    accept: "history",
    allow: [{ provider: testAddress(5), organization: "Lab" }],
    deny: [{ provider: testAddress(6), reason: "late" }],
    leastBond: "1500000",
    history: { mostMissedShare: 0.07 },
  });
  const draft = draftOf(policy, 6);
  assert.equal(draft.leastBond, "1.5");
  assert.deepEqual(judgeDraft(draft, 6).policy, policy);
  assert.match(judgeDraft({ ...draft, leastSeats: "9" }, 6).error ?? "", /leastSeats is more than mostSeats/);
  assert.match(judgeDraft({ ...draft, highestPrice: "many" }, 6).error ?? "", /highest price/);
  const twice = [...draft.allow, { provider: testAddress(6), organization: "", note: "" }];
  assert.match(judgeDraft({ ...draft, allow: twice }, 6).error ?? "", /twice/);
  assert.match(policyWords(parseTrustPolicy({ version: 1 })), /^Nobody/);
  assert.match(policyWords(parseTrustPolicy({ version: 1, accept: "anyone" })), /^Everybody/);
});

test("a network goes through its editor unchanged, keeps its verifiers, and is refused with the fields that are wrong", () => {
  const network = {
    name: "Somewhere",
    chainId: 5,
    rpc: ["https://rpc.example/"],
    market: testAddress(1),
    verifiers: { "sealed-answer": [testHash(3)] },
    tokens: [{ address: testAddress(2), symbol: "USD", decimals: 6 }],
    relays: ["https://relay.example/"],
    domains: [],
    fromBlock: 7,
    firstVisitBlocks: 20_000,
    confirmations: 3,
  };
  assert.deepEqual(judgeNetwork(networkDraftOf(network), network), network);
  assert.throws(
    () => judgeNetwork({ ...networkDraftOf(network), chainId: "x", rpc: "ftp://a" }, network),
    /chainId[\s\S]*|rpc/,
  );
});
