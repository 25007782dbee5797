// Both markets against the model of test/differential: the same random calls, and the same results, errors, events and views after each.
// The long run is scripts/verify/differential.ts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Differential } from "../../differential/driver/run.ts";

const SEED = 20_261_122;
const HISTORIES = 150;

describe("random histories of calls", () => {
  let differential: Differential;

  before(async () => {
    differential = await Differential.create();
  });
  after(async () => {
    await differential.chain.close();
  });

  test(`contracts and model agree after every call of ${HISTORIES} histories (seed ${SEED})`, async () => {
    await differential.run(SEED, HISTORIES);
  });

  test("about half of the calls succeed, and every action does", () => {
    const { tally, calls } = differential;
    const succeeded = [...tally].filter(([key]) => key.endsWith(": ok"));
    const share = succeeded.reduce((sum, [, count]) => sum + count, 0) / calls;
    assert.ok(share > 0.4 && share < 0.75, `${share} of the calls succeed`);
    for (const action of ACTIONS) assert.ok((tally.get(`${action}: ok`) ?? 0) > 0, `${action} never succeeds`);
  });
});

const ACTIONS = [
  ...["announce", "open", "commit", "commitBySig", "decline", "promote", "reveal", "revealSet", "settle"].map(
    (name) => `jobs.${name}`,
  ),
  ...["retryCallback", "claimQuarantine", "deposit", "depositWithPermit", "withdraw", "authorize", "multicall"].map(
    (name) => `jobs.${name}`,
  ),
  ...["registerDataset", "setPublisher", "publishRoot", "revokeRoot", "ask", "answer", "answerBatch", "expire"].map(
    (name) => `queries.${name}`,
  ),
  ...["deposit", "depositWithPermit", "withdraw", "authorize", "multicall"].map((name) => `queries.${name}`),
];
