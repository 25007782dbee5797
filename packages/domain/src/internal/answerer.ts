import { inTransaction } from "@quorate/chain/sqlite";
import { type Address, isQuorateError, type Logger } from "@quorate/core";
import { type BuiltInputs, buildInputs, type CircuitInputs } from "@quorate/proofs";
import type { Outbox, OutboxItem } from "@quorate/service";
import { type ChainReader, marketCalls } from "./chain-reader.ts";
import type { ChainState } from "./chain-state.ts";
import type { DomainConfig } from "./config.ts";
import type { Identity, State } from "./context.ts";
import type { QuestionBody, Questions, StoredProof, StoredQuestion } from "./questions.ts";
import { refusal } from "./refusal.ts";

/** Makes proofs. */
export type ProverPort = {
  prove(
    circuit: "sealed-answer" | "scorecard",
    inputs: CircuitInputs,
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly proof: readonly bigint[]; readonly signals: readonly bigint[] }>;
  /** Ends what it started. */
  close?(): Promise<void> | void;
};

/** Something that has just become durable, or is about to be done. */
export type AnswerStep = "proof-made" | "proof-stored" | "answer-queued" | "expiry-queued";

/** Ports of {@link createAnswerer}. */
export type AnswererPorts = {
  readonly identity: Identity;
  readonly state: State;
  readonly policy: DomainConfig["answer"];
  readonly questions: Questions;
  readonly chain: Pick<ChainState, "finalBlock">;
  readonly reader: Pick<ChainReader, "isUsed">;
  readonly outbox: Pick<Outbox, "enqueue" | "status">;
  readonly prover: ProverPort;
  /** Unix s by the chain, which judges deadlines: a machine whose clock runs ahead must not give up for it. */
  readonly chainNow: () => number;
  /** Machine's time, ms since the epoch; for pauses after failures. */
  readonly nowMs: () => number;
  readonly logger: Logger;
  /** Observes every step; for tests and metrics. */
  readonly onStep?: ((step: AnswerStep, question: StoredQuestion) => void) | undefined;
  /** Time that a proof took, milliseconds. */
  readonly onProved?: ((durationMs: number) => void) | undefined;
};

/** Answers what was asked, one question at a time, and gives up what cannot be answered. */
export type Answerer = {
  /**
   * One pass over all open questions.
   *
   * @returns Whether anything changed.
   */
  step(signal: AbortSignal): Promise<boolean>;
};

/** Most answers of one transaction: each costs 53,000 gas, and a block has to hold them. */
const MOST_IN_BATCH = 16;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** Refusals by the chain that no other proof or transaction can cure. */
const HOPELESS: ReadonlySet<string> = new Set([
  "AnswerTooLate",
  "VerifierFailed",
  "VerifierChanged",
  "VerifierWithoutCode",
  "QuoteMismatch",
]);
/** Tries with a proof that the verifier refused, before the question is given up. */
const MOST_PROOFS = 3;

/**
 * Makes the part of the agent that answers.
 *
 * @param ports State, prover, outbox.
 */
export function createAnswerer(ports: AnswererPorts): Answerer {
  const { identity, state, policy, questions, chain, reader, outbox, prover, logger } = ports;
  const { chainId, market, provider } = identity;

  const pauseOf = ({ failures }: StoredQuestion): number =>
    ports.nowMs() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10));

  /** After `ask` there is no other way out: price and bond go to the asker, now rather than at the deadline. */
  const giveUp = (question: StoredQuestion, reason: string | undefined): void => {
    logger.error("question_given_up", { id: question.quoteId, reason });
    const key = `expire/${question.id}/${question.failures}`;
    inTransaction(state.db, () => {
      outbox.enqueue({ key, ...marketCalls.expire(market, question.quote), simulate: true });
      questions.expiring(question, key, reason);
    });
    ports.onStep?.("expiry-queued", question);
  };

  const build = (question: StoredQuestion, body: QuestionBody, i: number): BuiltInputs =>
    buildInputs({
      question: {
        chainId,
        market,
        provider,
        asker: question.quote.asker,
        verifier: question.quote.verifier,
        nonce: body.nonce,
        subjectKey: body.subjectKey,
        subjectNonce: body.subjectNonce,
        person: body.person,
        statement: body.statement,
        k: body.k,
      },
      record: body.record,
      subjectKey: body.subjectKey,
      person: body.person,
      nk: body.nk,
      consent: body.consent,
      path: body.path,
      root: question.quote.root,
      i,
      // The consent was in force when the quote was given, and that is what it is for.
      now: Math.min(ports.chainNow(), body.consent.notAfter),
    });

  /** Inputs with a nullifier that the chain has not seen: after a restored backup the reserved one may be used. */
  const buildUnused = async (question: StoredQuestion): Promise<BuiltInputs> => {
    for (;;) {
      const opened = questions.open(question);
      if (opened === undefined) throw refusal("QUESTION_ERASED", "The question is not stored any more.");
      const { body, i } = opened;
      const built = build(question, body, i);
      if (!(await reader.isUsed(provider, built.signals[1]))) return built;
      logger.warn("nullifier_used", { id: question.quoteId });
      const next = questions.freeIndex(body.lane, body.record.budget);
      if (next === undefined) throw refusal("BUDGET_SPENT", "Every answer that the record may give is used on chain.");
      questions.moveIndex(question, body.lane, i, next);
    }
  };

  const enqueueAnswer = (question: StoredQuestion, proof: StoredProof): void => {
    const key = `answer/${question.id}/${question.failures}`;
    outbox.enqueue({
      key,
      ...marketCalls.answer(market, question.quote, proof),
      simulate: true,
      ...(question.deadline === undefined ? {} : { validUntil: question.deadline }),
    });
    questions.carriedBy(question, key);
  };

  const isLate = ({ deadline }: StoredQuestion): boolean =>
    deadline !== undefined && ports.chainNow() > deadline - policy.reserveS;

  const prove = async (question: StoredQuestion, signal: AbortSignal): Promise<boolean> => {
    if (question.deadline !== undefined && ports.chainNow() > question.deadline) {
      giveUp(question, "TOO_LATE");
      return true;
    }
    let built: BuiltInputs;
    try {
      built = await buildUnused(question);
    } catch (error) {
      if (!isQuorateError(error)) return retryLater(question, error, signal);
      giveUp(question, error.code);
      return true;
    }
    let proof: StoredProof;
    try {
      const startedAt = ports.nowMs();
      const { proof: words, signals } = await prover.prove(built.circuit, built.inputs, { signal });
      ports.onStep?.("proof-made", question);
      if (signals.length !== built.signals.length || signals.some((value, n) => value !== built.signals[n]))
        throw refusal("PROOF_OTHER_SIGNALS", "The prover proved something else than it was asked for.");
      const [cipher, nullifier] = built.signals;
      proof = { cipher, nullifier, proof: words };
      ports.onProved?.(ports.nowMs() - startedAt);
    } catch (error) {
      if (isLate(question) && !signal.aborted) {
        giveUp(question, isQuorateError(error) ? error.code : "PROVER_FAILED");
        return true;
      }
      return retryLater(question, error, signal);
    }
    // The proof is on the disk before anybody can see it: a second one, with another nullifier, must never be sent.
    inTransaction(state.db, () => {
      questions.proven(question, proof);
      if (!policy.batch) enqueueAnswer(question, proof);
    });
    ports.onStep?.("proof-stored", question);
    return true;
  };

  const retryLater = (question: StoredQuestion, error: unknown, signal: AbortSignal): boolean => {
    if (signal.aborted) return false;
    logger.error("proof_failed", { id: question.quoteId, failures: question.failures + 1, error });
    questions.failed(question, pauseOf(question));
    return false;
  };

  /** One transaction for what waits: together it is cheaper, as long as one verifier judges all. */
  const flush = (waiting: readonly StoredQuestion[]): boolean => {
    const byVerifier = new Map<Address, StoredQuestion[]>();
    for (const question of waiting) {
      const { verifier } = question.quote;
      byVerifier.set(verifier, [...(byVerifier.get(verifier) ?? []), question]);
    }
    for (const group of byVerifier.values()) {
      for (let start = 0; start < group.length; start += MOST_IN_BATCH)
        queueTogether(group.slice(start, start + MOST_IN_BATCH));
    }
    return waiting.length > 0;
  };

  const queueTogether = (group: readonly StoredQuestion[]): void => {
    const answers = group.flatMap((question) =>
      question.proof === undefined ? [] : [{ question, quote: question.quote, proof: question.proof }],
    );
    const [only] = answers;
    if (only === undefined) return;
    inTransaction(state.db, () => {
      // One that failed before goes alone: whatever is wrong with it must not hold up the others.
      const together = answers.filter(({ question }) => question.failures === 0);
      for (const { question, proof } of answers)
        if (question.failures > 0 || together.length === 1) enqueueAnswer(question, proof);
      if (together.length > 1) {
        const key = `answers/${together.map(({ question }) => question.id).join(",")}`;
        const deadlines = together.flatMap(({ question }) => question.deadline ?? []);
        outbox.enqueue({
          key,
          ...marketCalls.answerBatch(market, together),
          simulate: true,
          validUntil: Math.max(...deadlines),
        });
        for (const { question } of together) questions.carriedBy(question, key);
      }
    });
    for (const { question } of answers) ports.onStep?.("answer-queued", question);
  };

  const follow = (question: StoredQuestion, item: OutboxItem): boolean => {
    if (item.status === "mined") {
      // The event is applied when its block is final. Still open after that: a batch skipped it.
      const isSkipped = item.blockNumber !== undefined && item.blockNumber <= chain.finalBlock();
      if (!isSkipped || question.phase !== "proven") return false;
      questions.failed(question, 0);
      questions.carriedBy(question, undefined);
      return true;
    }
    if (item.status !== "reverted" && item.status !== "abandoned") return false;
    const { reason } = item;
    const cause = reason?.errorName ?? reason?.code ?? "UNKNOWN";
    // Somebody else answered or expired it; the event tells.
    if (cause === "QuestionNotPending") return false;
    logger.warn("transaction_failed", { id: question.quoteId, cause, failures: question.failures + 1 });
    questions.failed(question, pauseOf(question));
    if (question.phase === "expiring") {
      questions.carriedBy(question, undefined);
      return true;
    }
    if (HOPELESS.has(cause) || cause === "EXPIRED" || (cause === "ProofRefused" && question.failures >= MOST_PROOFS)) {
      giveUp({ ...question, failures: question.failures + 1 }, cause);
    } else if (cause === "NullifierUsed" || cause === "ProofRefused") questions.unproven(question);
    else questions.carriedBy(question, undefined);
    return true;
  };

  return {
    async step(signal) {
      let changed = false;
      for (const question of questions.inPhase("asked")) {
        signal.throwIfAborted();
        if (question.retryAt <= ports.nowMs()) changed = (await prove(question, signal)) || changed;
      }
      const proven = questions.inPhase("proven");
      for (const question of [...proven, ...questions.inPhase("expiring")]) {
        const item = question.outboxKey === undefined ? undefined : outbox.status(question.outboxKey);
        if (item !== undefined) changed = follow(question, item) || changed;
      }
      const isDue = ({ outboxKey, retryAt }: StoredQuestion): boolean =>
        outboxKey === undefined && retryAt <= ports.nowMs();
      for (const question of questions.inPhase("proven").filter(isDue)) {
        if (question.deadline === undefined || ports.chainNow() <= question.deadline) continue;
        giveUp(question, "TOO_LATE");
        changed = true;
      }
      changed = flush(questions.inPhase("proven").filter(isDue)) || changed;
      for (const question of questions.inPhase("expiring").filter(isDue)) {
        giveUp(question, undefined);
        changed = true;
      }
      return changed;
    },
  };
}
