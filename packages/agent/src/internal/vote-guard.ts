import type { DatabaseSync } from "node:sqlite";
import {
  type Address,
  commitmentOf,
  FatalError,
  type Hex,
  type MarketDomain,
  Outcome,
  type Vote,
  ZERO_HASH,
} from "@quorate/core";

/** The answer of a provider before it is fixed. */
export type Answer = {
  readonly outcome: Outcome;
  /** Zero for a report. */
  readonly resultHash: Hex;
};

/** A vote that is durable. Only a {@link VoteGuard} makes one, and everything that signs or opens a vote asks for one. */
export type FixedVote = Vote & { readonly outcome: Outcome; readonly commitment: Hex };

/** A set of commitments that is durable. Only a {@link VoteGuard} makes one, and signing one asks for it. */
export type FixedSet = {
  readonly jobId: Hex;
  /** By place, zero for places that are no members. */
  readonly commitments: readonly Hex[];
};

/** The only way to a vote. */
export type VoteGuard = {
  /**
   * Makes an answer the vote of a job, for ever. Durable when it returns. The same answer again returns the same vote.
   *
   * @param jobId Job.
   * @param answer Outcome and result hash.
   * @param seen Commitments of this provider for this job that the chain or a relay shows: what an older backup of this
   *   file may have forgotten.
   * @throws FatalError `VOTE_CONFLICT` when another vote was fixed or seen before.
   */
  fix(jobId: Hex, answer: Answer, seen?: readonly Hex[]): FixedVote;
  /**
   * Makes a set of commitments the one that the fixed vote is given by, for ever. Durable when it returns. The same set again
   * returns the same.
   *
   * @param jobId Job whose vote is fixed.
   * @param commitments By place, zero for places that are no members; that of the fixed vote once.
   * @param seen Sets of this job that relays show with a signature of this provider.
   * @throws FatalError `SET_CONFLICT` when another set was fixed or seen before, `SET_MALFORMED` for a set without the vote.
   */
  fixSet(jobId: Hex, commitments: readonly Hex[], seen?: readonly (readonly Hex[])[]): FixedSet;
  /** The set of this job, or undefined when none was fixed. */
  setOf(jobId: Hex): FixedSet | undefined;
  /** The salt that a vote of this job has or would have. */
  saltOf(jobId: Hex): Hex;
  /** The vote of a job, or undefined when none was fixed. */
  get(jobId: Hex): FixedVote | undefined;
};

const fixedVotes = new WeakSet<object>();
const fixedSets = new WeakSet<object>();

/**
 * Checks that a set came out of a guard.
 *
 * @param set Set about to be signed.
 * @throws FatalError `VOTE_NOT_FIXED`.
 */
export function assertFixedSet(set: FixedSet): void {
  if (!fixedSets.has(set))
    throw new FatalError(
      "VOTE_NOT_FIXED",
      "a set may be signed only after the vote guard fixed it; call VoteGuard.fixSet first",
    );
}

/**
 * Checks that a vote came out of a guard, and not from code that built an object of the same shape.
 *
 * @param vote Vote about to be signed, sent or opened.
 * @throws FatalError `VOTE_NOT_FIXED`.
 */
export function assertFixed(vote: FixedVote): void {
  if (!fixedVotes.has(vote))
    throw new FatalError(
      "VOTE_NOT_FIXED",
      "a vote may leave only after the vote guard fixed it; call VoteGuard.fix first",
    );
}

/**
 * Opens the vote guard: never two different votes for one job.
 *
 * It owns its database, apart from all other state, so that restoring that state from a backup, or losing it, cannot
 * make the agent vote again: the next attempt meets the vote that is here. If this file itself is older than a vote
 * that already left, `seen` catches it: the salt is derived from the agent's secret and the job id, so the same answer
 * has the same commitment, and any other answer differs from what was seen and is refused.
 *
 * @param db Database of its own, opened with WAL and `synchronous=FULL`.
 * @param input `saltOf` derives 32 bytes from the agent's secret and the job id; `provider` and `domain` are bound into
 *   the commitment.
 */
export function createVoteGuard(
  db: DatabaseSync,
  input: {
    readonly provider: Address;
    readonly domain: MarketDomain;
    readonly saltOf: (jobId: Hex) => Hex;
  },
): VoteGuard {
  db.exec(`
    CREATE TABLE IF NOT EXISTS votes (
      job_id TEXT NOT NULL PRIMARY KEY,
      provider TEXT NOT NULL,
      outcome INTEGER NOT NULL,
      result_hash TEXT NOT NULL,
      salt TEXT NOT NULL,
      commitment TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sets (
      job_id TEXT NOT NULL PRIMARY KEY,
      commitments TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`);
  // A vote is never changed: whoever holds this connection cannot do it either.
  db.exec(`
    CREATE TRIGGER IF NOT EXISTS votes_never_change BEFORE UPDATE ON votes BEGIN SELECT RAISE(ABORT, 'a vote never changes'); END;
    CREATE TRIGGER IF NOT EXISTS votes_never_go BEFORE DELETE ON votes BEGIN SELECT RAISE(ABORT, 'a vote never goes'); END;
    CREATE TRIGGER IF NOT EXISTS sets_never_change BEFORE UPDATE ON sets BEGIN SELECT RAISE(ABORT, 'a set never changes'); END;
    CREATE TRIGGER IF NOT EXISTS sets_never_go BEFORE DELETE ON sets BEGIN SELECT RAISE(ABORT, 'a set never goes'); END;`);
  const insert = db.prepare("INSERT INTO votes VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
  const select = db.prepare("SELECT provider, outcome, result_hash, salt, commitment FROM votes WHERE job_id = ?");

  const insertSet = db.prepare("INSERT INTO sets VALUES (?, ?) ON CONFLICT DO NOTHING");
  const selectSet = db.prepare("SELECT commitments FROM sets WHERE job_id = ?");

  const get = (jobId: Hex): FixedVote | undefined => {
    const row = select.get(key(jobId));
    if (row === undefined) return undefined;
    const vote: FixedVote = Object.freeze({
      jobId: key(jobId),
      provider: row.provider as Address,
      outcome: row.outcome as Outcome,
      resultHash: row.result_hash as Hex,
      salt: row.salt as Hex,
      commitment: row.commitment as Hex,
    });
    fixedVotes.add(vote);
    return vote;
  };

  const fix = (jobId: Hex, answer: Answer, seen: readonly Hex[] = []): FixedVote => {
    checkAnswer(answer);
    const salt = input.saltOf(jobId);
    const vote: Vote = { jobId: key(jobId), provider: input.provider, ...answer, salt };
    const commitment = commitmentOf(vote, input.domain);
    const other = seen.find((found) => found.toLowerCase() !== commitment.toLowerCase());
    if (other !== undefined && get(jobId) === undefined) throw conflict(jobId, other, commitment);
    insert.run(vote.jobId, input.provider, answer.outcome, answer.resultHash, salt, commitment);
    // Read back: what counts is what the file holds, whoever wrote it first.
    const fixed = get(jobId);
    if (fixed === undefined)
      throw new FatalError("VOTE_NOT_DURABLE", `the vote of job ${jobId} was written and is not there`);
    if (fixed.commitment !== commitment) throw conflict(jobId, fixed.commitment, commitment);
    return fixed;
  };

  const setOf = (jobId: Hex): FixedSet | undefined => {
    const row = selectSet.get(key(jobId));
    if (row === undefined) return undefined;
    const commitments = Object.freeze(JSON.parse(row.commitments as string) as Hex[]);
    const set: FixedSet = Object.freeze({ jobId: key(jobId), commitments });
    fixedSets.add(set);
    return set;
  };

  const fixSet = (jobId: Hex, commitments: readonly Hex[], seen: readonly (readonly Hex[])[] = []): FixedSet => {
    const text = textOf(commitments);
    const vote = get(jobId);
    if (vote === undefined || commitments.filter((commitment) => commitment === vote.commitment).length !== 1)
      throw new FatalError(
        "SET_MALFORMED",
        `the set for job ${jobId} does not have the fixed vote of this provider once`,
      );
    const other = seen.map(textOf).find((found) => found !== text);
    if (other !== undefined) throw setConflict(jobId, other, text);
    insertSet.run(key(jobId), text);
    // Read back, as for votes.
    const fixed = setOf(jobId);
    if (fixed === undefined)
      throw new FatalError("VOTE_NOT_DURABLE", `the set of job ${jobId} was written and is not there`);
    if (textOf(fixed.commitments) !== text) throw setConflict(jobId, textOf(fixed.commitments), text);
    return fixed;
  };

  return { fix, get, fixSet, setOf, saltOf: input.saltOf };
}

function textOf(commitments: readonly Hex[]): string {
  return JSON.stringify(commitments.map((commitment) => commitment.toLowerCase()));
}

function setConflict(jobId: Hex, first: string, second: string): FatalError {
  return new FatalError(
    "SET_CONFLICT",
    `job ${jobId} already has a signed set; a second one is refused. The commitments go to the chain instead. If two computers run this provider, stop one`,
    { details: { jobId, first, second } },
  );
}

function checkAnswer({ outcome, resultHash }: Answer): void {
  const computed = outcome === Outcome.Ok || outcome === Outcome.Failed;
  const shaped = /^0x[0-9a-f]{64}$/i.test(resultHash);
  if (!shaped || (computed ? resultHash === ZERO_HASH : outcome !== Outcome.Report || resultHash !== ZERO_HASH))
    throw new FatalError("VOTE_MALFORMED", `outcome ${outcome} with result hash ${resultHash} is no vote`);
}

function conflict(jobId: Hex, first: Hex, second: Hex): FatalError {
  return new FatalError(
    "VOTE_CONFLICT",
    `job ${jobId} already has a vote with commitment ${first}; a second one (${second}) is refused. If two computers run this provider, stop one`,
    { details: { jobId, first, second } },
  );
}

function key(jobId: Hex): Hex {
  return jobId.toLowerCase() as Hex;
}
