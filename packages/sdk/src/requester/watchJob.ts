import type { JobFacts } from "@quorate/core";
import type { Address, Hex } from "viem";
import { commitJobBySig } from "../actions/commitJobBySig.ts";
import { getAuthorization } from "../actions/getAuthorization.ts";
import { promoteSpares } from "../actions/promoteSpares.ts";
import { revealJob } from "../actions/revealJob.ts";
import { settleJob } from "../actions/settleJob.ts";
import { Pulse } from "../internal/pulse.ts";
import { explain, type RequesterContext, type SelfHelp } from "./context.ts";
import { followJob, type JobUpdate } from "./followJob.ts";
import { findJobBlock } from "./jobLogs.ts";
import { addMessage, carriableCommitments, messageViewOf, noMessages, trueOpenings } from "./jobMessages.ts";
import { type HelpView, type JobView, jobViewOf, sameView } from "./jobView.ts";
import { type HelpPlan, planHelp } from "./planHelp.ts";

/** Options of {@link watchJob}. */
export type WatchJobOptions = {
  /** Ends the watch: the iteration returns. */
  readonly signal?: AbortSignal;
  /** Overrides the requester's setting. */
  readonly selfHelp?: SelfHelp;
};

/** Pause before help that failed is tried again, in blocks' time (seconds). */
const RETRY_HELP_S = 15;

/**
 * A job's state from now on: one view at once, then one whenever something but the block changed. Needs nothing but the job
 * id, so it works after a restart and on another machine. Ends when the job is settled, or the signal aborts.
 *
 * @param context The requester's context.
 * @param jobId Job.
 * @param options Signal, self-help.
 * @throws What the follower throws: `CHAIN_RESET`, `CHAIN_MISMATCH`, `REORG_TOO_DEEP`.
 */
export async function* watchJob(
  context: RequesterContext,
  jobId: Hex,
  options: WatchJobOptions = {},
): AsyncGenerator<JobView, void, undefined> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  options.signal?.addEventListener("abort", stop, { once: true });
  if (options.signal?.aborted) stop();
  const { signal } = controller;
  const pulse = new Pulse();
  const fromBlock = await findJobBlock(context, jobId);

  let update: JobUpdate | undefined;
  let failure: { readonly error: unknown } | undefined;
  const following = consume(followJob(context, jobId, fromBlock, signal), (next) => {
    update = next;
    pulse.fire();
  }).catch((error: unknown) => {
    failure = { error };
    pulse.fire();
  });

  let messages = noMessages;
  const listening = consume(context.relays.subscribe(jobId, { signal }), (envelope) => {
    const next = addMessage(messages, envelope);
    if (next === messages) return;
    messages = next;
    pulse.fire();
  }).catch((error: unknown) => {
    // Money depends on the chain alone: without relays the watch goes on.
    if (!signal.aborted) context.logger.warn("watch.relays-failed", { jobId, ...explain(error) });
  });

  const helper = createHelper(context, options.selfHelp ?? context.selfHelp, signal, () => pulse.fire());
  let last: JobView | undefined;
  try {
    while (await pulse.wait(signal)) {
      if (failure !== undefined) throw (failure as { error: unknown }).error;
      const now = update as JobUpdate | undefined;
      if (now === undefined) continue;
      const { facts, head } = now;
      if (facts !== undefined) helper.consider(facts, head.timestamp, messages);
      const view = jobViewOf({
        jobId,
        facts,
        head,
        messages: messageViewOf(messages, facts, context.domain),
        help: helper.done(),
      });
      if (last === undefined || !sameView(last, view)) yield view;
      last = view;
      if (now.settlementIsFinal) return;
    }
  } finally {
    options.signal?.removeEventListener("abort", stop);
    controller.abort();
    await Promise.all([following, listening, helper.stop()]);
  }
}

async function consume<T>(items: AsyncIterable<T>, take: (item: T) => void): Promise<void> {
  for await (const item of items) take(item);
}

type Helper = {
  /** Looks at the job, and begins to help in the background if it should. */
  consider(facts: JobFacts, now: number, messages: typeof noMessages): void;
  /** What was done so far. */
  done(): readonly HelpView[];
  /** Waits for the end of what runs. */
  stop(): Promise<void>;
};

function createHelper(context: RequesterContext, mode: SelfHelp, signal: AbortSignal, onChange: () => void): Helper {
  const { client, domain, logger } = context;
  let done: readonly HelpView[] = [];
  let running: Promise<void> | undefined;
  let notBefore = 0;
  const canSend = client.wallet?.account !== undefined;

  const mayAct =
    (token: Address, now: number) =>
    async (provider: Address, agent: Address): Promise<boolean> => {
      const { validUntil } = await getAuthorization(client, { provider, agent, token });
      return now < validUntil;
    };

  const help = async (facts: JobFacts, now: number, messages: typeof noMessages): Promise<void> => {
    const openings = trueOpenings(messages, facts, domain).map(({ opening }) => opening);
    // If everything that lies there were true, would there be something to do? Only then the chain is asked who may sign.
    const claimed = [...messages.commitments.values()].flat();
    if (planHelp({ facts, now, mode, commitments: claimed, openings }) === undefined) return;
    const plan = planHelp({
      facts,
      now,
      mode,
      openings,
      commitments: (await carriableCommitments(messages, facts, domain, mayAct(facts.terms.token, now))).map(
        ({ place, commitment, signature }) => ({ place, commitment, signature }),
      ),
    });
    if (plan === undefined) return;
    logger.info("help.begin", { jobId: facts.jobId, action: plan.action });
    try {
      const { hash } = await perform(context, facts, plan, signal);
      done = [...done, { action: plan.action, state: "sent", hash }];
    } catch (error) {
      if (signal.aborted) return;
      const { message: reason } = explain(error);
      logger.warn("help.failed", { jobId: facts.jobId, action: plan.action, ...explain(error) });
      done = [...done.slice(-20), { action: plan.action, state: "failed", reason }];
    }
    // Until the next blocks show the effect, the same facts would plan the same again.
    notBefore = now + RETRY_HELP_S;
    onChange();
  };

  return {
    consider(facts, now, messages) {
      if (mode === "off" || !canSend || running !== undefined || now < notBefore || signal.aborted) return;
      running = help(facts, now, messages)
        .catch((error: unknown) => logger.warn("help.failed", { jobId: facts.jobId, ...explain(error) }))
        .finally(() => {
          running = undefined;
        });
    },
    done: () => done,
    async stop() {
      await running;
    },
  };
}

function perform(
  context: RequesterContext,
  facts: JobFacts,
  plan: HelpPlan,
  signal: AbortSignal,
): Promise<{ readonly hash: Hex }> {
  const { client } = context;
  const job = { jobId: facts.jobId, terms: facts.terms, signal };
  switch (plan.action) {
    case "carry-commitments":
      return commitJobBySig(client, { ...job, commitments: plan.commitments });
    case "promote":
      return promoteSpares(client, job);
    case "carry-openings":
      return revealJob(client, { ...job, commitments: facts.commitments, openings: plan.openings });
    case "settle":
      return settleJob(client, job);
    default:
      return plan satisfies never;
  }
}
