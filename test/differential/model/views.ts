// What the views of both markets have to answer, as the words that they return. Which views are asked is part of the model: every account,
// job, question and root that it knows.
import { chainCommitments, hashTerms } from "@quorate/core";
import { committedPlaces, type Job, phaseOf, revealAt, Status, statusAt } from "./job.ts";
import { bitmap } from "./jobMarket.ts";
import { accountOf, amountOf } from "./ledger.ts";
import { answerOf, datasetOf, questionOf, recordOf, rootOf } from "./queryMarket.ts";
import { authorizationOf } from "./signers.ts";
import { onProbation, quarantineOf, standingOf } from "./standing.ts";
import { balanceOf } from "./tokens.ts";
import { type Address, type Hex, type ModelError, Refusal, ZERO_HASH } from "./types.ts";
import type { World } from "./world.ts";

/** A value of one word. Numbers fill it from the left, hex of other than 20 bytes from the right. */
export type Word = bigint | number | boolean | Hex;

/** A view and what it has to answer. */
export type View = {
  readonly at: Address;
  readonly name: string;
  readonly args: readonly unknown[];
  /** Job whose terms the view takes as last argument; they are long, and encoded once. */
  readonly job?: Job;
  readonly words: readonly Word[];
  /** What it fails with, in the place of words. */
  readonly error?: ModelError;
};

/** Who and what is looked at. */
export type Watched = {
  /** Everybody who may have money. */
  readonly owners: readonly Address[];
  readonly providers: readonly Address[];
  readonly agents: readonly Address[];
  readonly tokens: readonly Address[];
  /** Poseidon of keys and queries, `k/query`: the model has none of its own. */
  readonly pads: ReadonlyMap<string, bigint>;
  /** A result that a job may have accepted. */
  readonly result: { readonly key: Hex; readonly bytes: Hex; readonly hash: Hex };
};

/** Views of a market whose number never changes: balances, sums, records. */
export function fixedViews(world: World, on: "jobs" | "queries", watched: Watched, now: number): View[] {
  const views: View[] = [];
  const { ledger } = world[on];
  const view = (name: string, args: readonly unknown[], ...words: readonly Word[]): void => {
    views.push({ at: ledger.market, name, args, words });
  };
  for (const token of watched.tokens) {
    view("held", [token], amountOf(ledger.held, token));
    view("burnt", [token], amountOf(ledger.burnt, token));
    for (const owner of watched.owners) {
      const { free, locked } = accountOf(ledger, token, owner);
      view("accountOf", [token, owner], free, locked);
    }
    const found = world.tokens.get(token);
    if (found === undefined) continue;
    views.push({ at: token, name: "balanceOf", args: [ledger.market], words: [balanceOf(found, ledger.market)] });
  }
  for (const provider of watched.providers) {
    if (on === "queries") {
      const { answered, expired } = recordOf(world.queries, provider);
      view("recordOf", [provider], answered, expired);
      continue;
    }
    const { standings } = world.jobs;
    const standing = standingOf(standings, provider);
    const { probation, probationSince, lastFaultAt, alignedInRow } = standing;
    const { aligned, late, reported, undecided, declined, faults } = standing;
    const course = [probation, probationSince, lastFaultAt, alignedInRow];
    view("standingOf", [provider], ...course, aligned, late, reported, undecided, declined, faults);
    view("onProbation", [provider], onProbation(standings, provider, now));
  }
  return views;
}

/** Views of what came into being: entries of quarantine, jobs, datasets, roots, questions. */
export function grownViews(world: World, now: number): View[] {
  const views: View[] = [];
  const { standings, ledger } = world.jobs;
  // Entries that were claimed are gone from the model; their numbers are asked for all the same.
  for (const [provider, { probation }] of standings.records) {
    for (let number = Math.max(1, probation - 2); number <= probation; number++) {
      for (const token of world.tokens.keys()) {
        const { amount, state } = quarantineOf(standings, provider, token, number, now);
        const args = [provider, token, number];
        views.push({ at: ledger.market, name: "quarantineOf", args, words: [amount, state] });
      }
    }
  }
  for (const job of world.jobs.jobs.values()) views.push(...jobViews(world, job, now));
  const queries = world.queries.ledger.market;
  for (const dataset of world.queries.datasets.keys()) {
    const { provider, grace, publisher, root } = datasetOf(world.queries, dataset);
    views.push({ at: queries, name: "datasetOf", args: [dataset], words: [provider, grace, publisher, root] });
  }
  for (const key of world.queries.roots.keys()) {
    const [dataset, root] = key.split("/") as [Hex, string];
    const found = rootOf(world.queries, dataset, BigInt(root), now);
    const { publishedAt, supersededAt, revoked, askable } = found;
    const words = [publishedAt, supersededAt, revoked, askable];
    views.push({ at: queries, name: "rootOf", args: [dataset, BigInt(root)], words });
  }
  for (const key of world.queries.questions.keys()) {
    const [provider, query] = key.split("/") as [Address, string];
    const { status, deadline, cipher } = questionOf(world.queries, provider, BigInt(query));
    const args = [provider, BigInt(query)];
    views.push({ at: queries, name: "questionOf", args, words: [status, deadline, cipher] });
  }
  return views;
}

/** Views that are asked at the end of a history only: there are many, and what they say shows earlier in other ways. */
export function lastViews(world: World, watched: Watched): View[] {
  const { key, bytes, hash } = watched.result;
  const views: View[] = [];
  for (const { ledger, authorizations } of [world.jobs, world.queries]) {
    for (const provider of watched.providers) {
      for (const agent of watched.agents) {
        for (const token of watched.tokens) {
          const limits = authorizationOf(authorizations, provider, agent, token);
          const { maxBondPerSeat, minCommitWindow, validUntil } = limits;
          const words = [maxBondPerSeat, minCommitWindow, validUntil];
          views.push({ at: ledger.market, name: "authorizationOf", args: [provider, agent, token], words });
        }
      }
    }
  }
  for (const [address, token] of world.tokens) {
    for (const owner of watched.owners) {
      views.push({ at: address, name: "balanceOf", args: [owner], words: [balanceOf(token, owner)] });
    }
  }
  for (const used of world.queries.used) {
    const [provider, nullifier] = used.split("/") as [Address, string];
    const args = [provider, BigInt(nullifier)];
    views.push({ at: world.queries.ledger.market, name: "isUsed", args, words: [true] });
  }
  for (const job of world.jobs.jobs.values()) {
    const at = world.jobs.ledger.market;
    views.push({ at, name: "jobIdOf", args: [job.request], words: [job.jobId] });
    // A function that returned, and the first 27 bytes of its result.
    const { settled } = job;
    const isResult =
      settled?.status === Status.Accepted && settled.outcome === 1 && short(settled) === short({ resultHash: hash });
    views.push({ at, name: "verifyResult", args: [job.jobId, key, bytes], words: [isResult] });
    if (settled !== undefined) continue;
    const terms = { ...job.terms, bond: job.terms.bond ^ 1n };
    const error = { name: "TermsMismatch", args: [job.jobId, hashTerms(terms)] };
    views.push({ at, name: "statusOf", args: [job.jobId, terms], words: [], error });
  }
  for (const question of world.queries.questions.keys()) {
    const [provider, query] = question.split("/") as [Address, string];
    for (const [known, pad] of watched.pads) {
      const [k = "", padded] = known.split("/");
      if (padded === query) views.push(answerView(world, provider, BigInt(query), BigInt(k), pad));
    }
  }
  return views;
}

function answerView(world: World, provider: Address, query: bigint, k: bigint, pad: bigint): View {
  const view = { at: world.queries.ledger.market, name: "answerOf", args: [provider, query, k] };
  try {
    return { ...view, words: [answerOf(world.queries, provider, query, k, pad)] };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { ...view, words: [], error: thrown.error };
    throw thrown;
  }
}

/** The first 27 bytes of a result hash, which are all that is kept of it. */
function short({ resultHash }: { readonly resultHash: Hex }): Hex {
  return resultHash.slice(0, 2 + 2 * 27) as Hex;
}

function jobViews(world: World, job: Job, now: number): View[] {
  const at = world.jobs.ledger.market;
  const { jobId, termsHash, settled, openings } = job;
  const status = statusAt(job, now);
  const start = settled === undefined ? revealAt(job) : 0;
  const end = settled === undefined ? start + job.terms.revealWindow : 0;
  const isAccepted = phaseOf(job) === 2;
  const accepted = short(settled ?? { resultHash: ZERO_HASH });
  let classes = 0;
  if (settled === undefined) for (const [place, vote] of openings) classes += vote.class * 4 ** place;
  const open = (value: number): number => (settled === undefined ? value : 0);
  const facts: readonly Word[] = [
    phaseOf(job),
    settled?.outcome ?? 0,
    settled === undefined ? 0 : job.terms.seats,
    settled === undefined ? 0 : job.terms.quorum,
    settled?.agreeing ?? 0,
    accepted,
    open(bitmap(committedPlaces(job))),
    open(bitmap(job.declined)),
    open(bitmap(openings.keys())),
    open(bitmap(job.promotions.map(({ spare }) => spare))),
    classes,
    open(job.openedAt),
    open(job.lastCommitAt),
    open(job.lastDeclineAt),
    settled === undefined && job.set !== undefined,
    settled?.callbackPending ?? false,
  ];
  const chain = settled === undefined ? chainCommitments(jobId, job.commitments) : 0n;
  const result: readonly Word[] = isAccepted
    ? [status, settled?.outcome ?? 0, accepted]
    : [settled === undefined ? 0 : status, 0, 0n];
  return [
    { at, name: "jobState", args: [jobId], words: facts },
    { at, name: "statusOf", args: [jobId], job, words: [status, start, end] },
    { at, name: "resultOf", args: [jobId], words: result },
    { at, name: "commitmentChainOf", args: [jobId, termsHash], words: [chain] },
    ...job.history.map(({ spare, seat, promotedAt }) => ({
      at,
      name: "promotionOf",
      args: [jobId, spare],
      words: [seat, promotedAt],
    })),
  ];
}
