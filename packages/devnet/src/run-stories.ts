import { FatalError, type Hex, nameOf, Verdict } from "@quorate/core";
import { getQuarantine, getStanding } from "@quorate/sdk";
import { sumOfBalances } from "./balances.ts";
import type { LocalMarket, Provider } from "./market.ts";
import type { Narrator } from "./narrator.ts";
import { type JobSummary, moneyOf, type ObservedJob, observeJobs, summarizeJob } from "./observer.ts";
import { dollars } from "./organizations.ts";
import type { RequesterEvent } from "./requester-events.ts";
import { type Story, stories } from "./stories.ts";
import { listenToRequester, type RequesterTells } from "./tells.ts";

/** What the stories came to. */
export type StoriesSummary = {
  readonly jobs: readonly JobSummary[];
  /** Difference of all balances before and after, base units: anything but "0" is money made or lost. */
  readonly conservation: string;
};

const STORY_TIMEOUT_MS = 240_000;
const CLAIM_TIMEOUT_MS = 180_000;

/**
 * Runs every story on a market and holds what the chain shows against what had to happen.
 *
 * @param market - The running market.
 * @param narrator - Told what happens.
 * @param signal - Ends the run.
 * @returns The summary, read from the chain by an observer that knows none of the actors' state.
 * @throws FatalError `EXPECTATION_FAILED` naming the story and what differs; `STORY_TIMEOUT`; `ACTOR_ENDED` when a process died by itself.
 */
export async function runStories(
  market: LocalMarket,
  narrator: Narrator,
  signal: AbortSignal,
): Promise<StoriesSummary> {
  const { client, deployment } = market;
  const before = await sumOfBalances(client, deployment.token, deployment.fromBlock);
  const requester = listenToRequester(market);
  await requester.until("ready", 60_000, signal);
  const summaries: JobSummary[] = [];
  for (const [index, story] of stories.entries()) {
    narrator.begin(story, index + 1, stories.length);
    const result = await runStory(market, requester, story, narrator, signal);
    const job = await observe(market, result.jobId);
    narrator.end(job, story.name);
    narrator.tell(result);
    checkStory(market, story, job);
    summaries.push(summarizeJob(story.name, job));
  }
  await expectReinstated(market, narrator, signal);
  const after = await sumOfBalances(client, deployment.token, deployment.fromBlock);
  expect(before === after, "conservation", `all balances together were ${before} before and are ${after} after`);
  return { jobs: summaries, conservation: (after - before).toString() };
}

async function runStory(
  market: LocalMarket,
  requester: RequesterTells,
  story: Story,
  narrator: Narrator,
  signal: AbortSignal,
): Promise<Extract<RequesterEvent, { type: "result" }>> {
  const silent = story.mishap?.kind === "goes-silent" ? providerOf(market, story.mishap.organization) : undefined;
  let mishap: Promise<void> | undefined;
  const stopListening = requester.listen((event) => {
    // The result is told after the settlement that it is held against.
    if (event.type !== "result") narrator.tell(event);
    if (event.type === "opened" && silent !== undefined) {
      narrator.mishap(`the process of ${silent.name} is killed`);
      mishap = silent.kill();
    }
  });
  if (story.mishap?.kind === "garbage-key") {
    narrator.mishap(
      `the requester seals a key to ${providerOf(market, story.mishap.organization).name} that opens nothing`,
    );
  }
  try {
    requester.send({ type: "run", story });
    await requester.until("settled", STORY_TIMEOUT_MS, signal);
    const result = await requester.until("result", STORY_TIMEOUT_MS, signal);
    expect(result.ok, story.name, `the result is wrong: ${result.summary}`);
    return result;
  } finally {
    stopListening();
    await mishap;
    if (silent !== undefined && !signal.aborted) {
      await silent.restart();
      narrator.mishap(`${silent.name} is back, on the data it had`);
    }
  }
}

async function observe({ client, deployment }: LocalMarket, jobId: Hex): Promise<ObservedJob> {
  const jobs = await observeJobs(client, deployment.market, deployment.fromBlock);
  const job = jobs.find(({ facts }) => facts.jobId === jobId);
  if (job === undefined) throw new FatalError("EXPECTATION_FAILED", `The chain shows no job ${jobId}.`);
  return job;
}

function checkStory(market: LocalMarket, story: Story, { facts, transactions }: ObservedJob): void {
  const { settled } = facts;
  expect(settled !== undefined, story.name, "the job is not settled");
  if (settled === undefined) return;
  const found = Object.fromEntries(
    facts.terms.places.map(({ provider }, place) => [
      market.providers.find((candidate) => candidate.provider.toLowerCase() === provider.toLowerCase())?.slug ??
        provider,
      nameOf(Verdict, settled.results[place]?.verdict ?? Verdict.None),
    ]),
  );
  const sorted = (record: Readonly<Record<string, string>>): string => JSON.stringify(Object.entries(record).sort());
  expect(
    sorted(found) === sorted(story.verdicts),
    story.name,
    `verdicts are ${JSON.stringify(found)}, expected ${JSON.stringify(story.verdicts)}`,
  );
  const { length: count } = transactions;
  expect(
    story.transactions === undefined || story.transactions === count,
    story.name,
    `it took ${count} transactions, expected ${story.transactions}: ${transactions.map(({ events }) => events.join("+")).join(", ")}`,
  );
  const { escrow, lateBonds, paid, carrierFee, refunded, burnt } = moneyOf({ ...facts, settled });
  expect(
    escrow + lateBonds === paid + carrierFee + refunded + burnt,
    story.name,
    "the money of the job does not add up",
  );
}

/** After its three alignments the corrupt organization is off probation and its agent has claimed the bond back. */
async function expectReinstated(market: LocalMarket, narrator: Narrator, signal: AbortSignal): Promise<void> {
  const provider = market.providers.find(({ corruptRuns }) => corruptRuns > 0) as Provider;
  const { client, deployment } = market;
  const reader = { public: client, chainId: deployment.chainId, market: deployment.market };
  const standing = await getStanding(reader, { provider: provider.provider });
  expect(!standing.onProbation, "reinstatement", `${provider.name} is still on probation`);
  const deadline = performance.now() + CLAIM_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    const { amount } = await getQuarantine(reader, {
      provider: provider.provider,
      token: deployment.token,
      number: standing.probation,
    });
    if (amount === 0n) break;
    expect(performance.now() < deadline, "reinstatement", `${provider.name} has not claimed its bond of ${amount}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  narrator.say("");
  narrator.step(
    `${provider.name} is off probation and has claimed its bond of $${dollars(200) / dollars(1)} from quarantine`,
  );
}

function providerOf(market: LocalMarket, slug: string): Provider {
  const provider = market.providers.find((candidate) => candidate.slug === slug);
  if (provider === undefined) throw new FatalError("EXPECTATION_FAILED", `No organization is called ${slug}.`);
  return provider;
}

function expect(condition: boolean, story: string, message: string): void {
  if (!condition)
    throw new FatalError(
      "EXPECTATION_FAILED",
      `${story}: ${message}. See the logs of the processes in the market's folder.`,
    );
}
