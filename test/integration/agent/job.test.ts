import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Flag, generatePackageKey, JobStatus, Outcome, utf8, Verdict } from "@quorate/core";
import { recordingLogger, until } from "@quorate/testkit";
import { startLocalAgent, testSandbox } from "./in-process.ts";
import { TestMarket } from "./market.ts";

describe("agents on a chain", { concurrency: true }, () => {
  let market: TestMarket;
  before(async () => {
    market = await TestMarket.start();
  });
  after(() => market[Symbol.asyncDispose]());

  it("carry a job in two transactions after open: everybody is paid, one result is delivered by each", async () => {
    const providers = await Promise.all([0, 1, 2].map((index) => market.provider({ hotKey: index === 0 })));
    const logger = recordingLogger();
    await using stack = new AsyncDisposableStack();
    const agents = providers.map((provider, index) =>
      stack.use(
        startLocalAgent(market, provider, {
          policy: { carrying: { mode: "rotate", patienceSeconds: 20 } },
          ...(index === 0 ? { logger } : {}),
        }),
      ),
    );
    const job = await market.request({ commitWindow: 600, revealWindow: 600 });
    await market.open(job, providers);
    const { settled, committed, openings } = await market.settled(job.jobId);
    assert.equal(settled.status, JobStatus.Accepted);
    assert.equal(settled.outcome, Outcome.Ok);
    assert.deepEqual(
      settled.results.map(({ verdict }) => verdict),
      [Verdict.Aligned, Verdict.Aligned, Verdict.Aligned],
    );
    assert.deepEqual(
      settled.results.map(({ paid }) => paid),
      [900_000n, 900_000n, 900_000n],
    );
    assert.equal(committed.length, 3);
    assert.equal(openings.length, 3);
    const logs = await market.anvil.public.getLogs({ address: market.domain.market, fromBlock: 0n });
    const senders = new Set(
      logs.filter(({ topics }) => topics[1] === job.jobId).map(({ transactionHash }) => transactionHash),
    );
    assert.equal(senders.size, 3, "open, one transaction with all commitments, one with all openings");
    for (const { account } of providers) {
      const bytes = await until(() => market.delivered(job, account.address), { timeoutMs: 30_000 });
      assert.deepEqual(Buffer.from(bytes).toString(), Buffer.from(utf8("42\n")).toString());
      // Whoever's turn it was to carry the openings settled, and has the fee, unless a key of its own did it.
      const fee = settled.carrier === account.address ? job.request.carrierFee : 0n;
      assert.deepEqual(await market.balance(account.address), { free: 100_900_000n + fee, locked: 0n });
    }
    const told = agents[0]?.agent.explain(job.jobId);
    assert.match(told?.summary ?? "", /accepted.*paid 900000/);
    const withoutJob = logger.entries.filter(
      ({ event, fields }) =>
        /fact|vote|message|transaction/.test(event) && fields.jobId === undefined && !event.includes("."),
    );
    assert.deepEqual(withoutJob, [], "every line about a job names it");
  });

  it("vote by a set where the request allows it: open, and one transaction with everything, shadow included", async () => {
    const providers = await Promise.all([0, 1, 2, 3].map((index) => market.provider({ hotKey: index < 2 })));
    await using stack = new AsyncDisposableStack();
    const agents = providers.map((provider) =>
      stack.use(startLocalAgent(market, provider, { policy: { carrying: { mode: "rotate", patienceSeconds: 20 } } })),
    );
    const job = await market.request({ commitWindow: 600, revealWindow: 600, shadows: 1, flags: Flag.SetVotes });
    await market.open(job, providers);
    const { settled, commitments } = await market.settled(job.jobId);
    assert.deepEqual(
      settled.results.map(({ verdict, paid }) => [verdict, paid]),
      providers.map(() => [Verdict.Aligned, 900_000n]),
    );
    assert.equal(commitments.length, 4);
    assert.deepEqual(await market.transactions(job.jobId), [
      ["JobOpened"],
      ["CommitmentSetPlaced", ...providers.map(() => "CommitmentOpened"), "JobSettled"],
    ]);
    for (const { account } of providers) {
      const bytes = await until(() => market.delivered(job, account.address), { timeoutMs: 30_000 });
      assert.deepEqual(Buffer.from(bytes).toString(), "42\n");
    }
    const told = agents[0]?.agent.explain(job.jobId);
    assert.ok(told?.lines.some(({ text }) => /Votes by a set with places 0, 1, 2, 3/.test(text)));
  });

  it("go to the chain when a member withholds its signature of the set, and everybody is paid", async () => {
    const providers = await Promise.all([0, 1, 2].map(() => market.provider()));
    await using stack = new AsyncDisposableStack();
    for (const [index, provider] of providers.entries())
      stack.use(
        startLocalAgent(market, provider, {
          policy: { carrying: { mode: "rotate", patienceSeconds: 4 } },
          lacks: index === 2 ? ["set-signature"] : [],
        }),
      );
    const job = await market.request({ commitWindow: 100, flags: Flag.SetVotes });
    await market.open(job, providers);
    const { settled, bySet, openedAt, lastCommitAt } = await market.settled(job.jobId);
    assert.equal(bySet, false);
    assert.ok(lastCommitAt >= openedAt + 50, "the set has the first half of the window for itself");
    assert.deepEqual(
      settled.results.map(({ verdict, paid }) => [verdict, paid]),
      providers.map(() => [Verdict.Aligned, 900_000n]),
    );
    for (const { kind, createdAt } of await market.relays.list(job.jobId)) {
      if (kind === "opening") assert.ok(createdAt >= lastCommitAt, "nobody shows an opening to one that did not sign");
      // Chain and relay may differ by a second.
      if (kind === "commitment") assert.ok(createdAt >= openedAt + 49, "nor a commitment that can be carried");
    }
  });

  it("vote with a report when they got another key than the rest, and nobody is convicted", async () => {
    const providers = await Promise.all([0, 1, 2].map(() => market.provider()));
    await using stack = new AsyncDisposableStack();
    for (const provider of providers)
      stack.use(startLocalAgent(market, provider, { policy: { carrying: { mode: "rotate", patienceSeconds: 2 } } }));
    const job = await market.request();
    await market.open(job, providers, { keyFor: (place) => (place === 0 ? job.packageKey : generatePackageKey()) });
    const { settled } = await market.settled(job.jobId);
    assert.equal(settled.status, JobStatus.Accepted);
    assert.equal(settled.outcome, Outcome.Report);
    assert.deepEqual(
      settled.results.map(({ verdict }) => verdict),
      [Verdict.Overruled, Verdict.Reported, Verdict.Reported],
    );
    for (const { account } of providers) {
      const { free, locked } = await market.balance(account.address);
      assert.equal(locked, 0n);
      assert.ok(free > 100_000_000n, "the call-out fee is paid and the bond is back");
    }
    assert.equal(await market.delivered(job, providers[0]?.account.address as `0x${string}`), undefined);
  });

  it("convict the one that computes something else", async () => {
    const providers = await Promise.all([0, 1, 2].map(() => market.provider()));
    await using stack = new AsyncDisposableStack();
    for (const [index, provider] of providers.entries()) {
      const sandbox = {
        ...testSandbox,
        run: async (...args: Parameters<typeof testSandbox.run>) => {
          const result = await testSandbox.run(...args);
          return index === 2 && result.kind === "ok" ? { ...result, output: utf8("43") } : result;
        },
      };
      stack.use(
        startLocalAgent(market, provider, { sandbox, policy: { carrying: { mode: "rotate", patienceSeconds: 2 } } }),
      );
    }
    const job = await market.request();
    await market.open(job, providers);
    const { settled } = await market.settled(job.jobId);
    assert.deepEqual(
      settled.results.map(({ verdict }) => verdict),
      [Verdict.Aligned, Verdict.Aligned, Verdict.Fault],
    );
    assert.equal(settled.results[2]?.paid, 0n);
  });
});
