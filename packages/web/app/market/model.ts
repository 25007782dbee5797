import { decodeMarketLog, type MarketEvent } from "@quorate/chain";
import { foldJobEvent, isJobEventName, type JobEvent, type JobFacts } from "@quorate/core";
import { decodeQueryMarketLog, type QueryMarketEvent } from "@quorate/sdk";
import { type Address, type Hex, isAddressEqual } from "viem";
import type { StoredLog } from "../data/log.ts";

/** A job with where its events came from. */
export type MarketJob = {
  readonly facts: JobFacts;
  /** Transaction that opened it. */
  readonly openedIn: Hex;
  /** Transaction that settled it. */
  readonly settledIn?: Hex;
  readonly openedAtBlock: number;
  /** What happened, in the order of the chain. */
  readonly events: readonly JobMoment[];
};

/** One event of a job with its place on chain. */
export type JobMoment = { readonly event: JobEvent; readonly block: number; readonly transaction: Hex };

/** Money that came to or left an account of a market, or was moved by a rule. */
export type Movement = {
  readonly market: "jobs" | "questions";
  readonly kind: "deposited" | "withdrawn" | "quarantined" | "claimed" | "burnt";
  readonly account: Address;
  readonly token: Address;
  /** Base units. */
  readonly amount: bigint;
  /** Unix s. */
  readonly at: number;
  readonly transaction: Hex;
  /** Of its event among those of its block. */
  readonly logIndex: number;
  readonly jobId?: Hex;
};

/** A question on chain. */
export type MarketQuestion = {
  readonly id: Hex;
  readonly asker: Address;
  readonly provider: Address;
  readonly quote: Extract<QueryMarketEvent, { name: "QuestionAsked" }>["args"]["quote"];
  /** Unix s. */
  readonly deadline: number;
  /** Unix s. */
  readonly askedAt: number;
  readonly askedIn: Hex;
  readonly end?: {
    readonly kind: "answered" | "expired";
    /** Unix s. */
    readonly at: number;
    readonly transaction: Hex;
  };
};

/** A dataset that a domain provider registered. */
export type MarketDataset = {
  readonly dataset: Hex;
  readonly provider: Address;
  readonly definition: Hex;
  /** Unix s. */
  readonly registeredAt: number;
  /** Roots published so far. */
  readonly roots: number;
};

/** Probation of a provider, as its events tell. */
export type Probation = {
  readonly provider: Address;
  readonly jobId: Hex;
  /** Unix s. */
  readonly beganAt: number;
  readonly ended?: { readonly at: number; readonly well: boolean };
};

/** Everything that the logs of both markets say, up to one block. */
export type MarketModel = {
  /** In the order of opening. */
  readonly jobs: ReadonlyMap<Hex, MarketJob>;
  readonly movements: readonly Movement[];
  readonly questions: ReadonlyMap<Hex, MarketQuestion>;
  readonly datasets: ReadonlyMap<Hex, MarketDataset>;
  readonly probations: readonly Probation[];
};

/** The model before the first log. */
export const emptyModel: MarketModel = {
  jobs: new Map(),
  movements: [],
  questions: new Map(),
  datasets: new Map(),
  probations: [],
};

/** Contracts whose logs are folded. */
export type Markets = { readonly market: Address; readonly queryMarket?: Address | undefined };

/**
 * Folds logs into the model, in the order of the chain, each once.
 *
 * @param model - Before; stays as it is.
 * @param logs - Next ones.
 * @param markets - Where they come from.
 */
export function foldLogs(model: MarketModel, logs: readonly StoredLog[], markets: Markets): MarketModel {
  if (logs.length === 0) return model;
  const next = {
    jobs: new Map(model.jobs),
    movements: [...model.movements],
    questions: new Map(model.questions),
    datasets: new Map(model.datasets),
    probations: [...model.probations],
  };
  for (const log of logs) {
    if (isAddressEqual(log.address, markets.market)) {
      const event = decodeMarketLog(log);
      if (event !== undefined) foldJobs(next, event, log);
    } else if (markets.queryMarket !== undefined && isAddressEqual(log.address, markets.queryMarket)) {
      const event = decodeQueryMarketLog(log);
      if (event !== undefined) foldQuestions(next, event, log);
    }
  }
  return next;
}

type Draft = {
  readonly jobs: Map<Hex, MarketJob>;
  readonly movements: Movement[];
  readonly questions: Map<Hex, MarketQuestion>;
  readonly datasets: Map<Hex, MarketDataset>;
  readonly probations: Probation[];
};

function foldJobs(draft: Draft, event: MarketEvent, log: StoredLog): void {
  const { name, args } = event;
  if (isJobEventName(name)) {
    const job = { eventName: name, args, timestamp: log.timestamp } as unknown as JobEvent;
    const before = draft.jobs.get(job.args.jobId);
    // Opened before the first block of the index: its later events cannot be understood.
    if (before === undefined && name !== "JobOpened") return;
    draft.jobs.set(job.args.jobId, {
      facts: foldJobEvent(before?.facts, job),
      openedIn: before?.openedIn ?? log.transactionHash,
      openedAtBlock: before?.openedAtBlock ?? log.blockNumber,
      ...(name === "JobSettled"
        ? { settledIn: log.transactionHash }
        : before?.settledIn === undefined
          ? {}
          : { settledIn: before.settledIn }),
      events: [...(before?.events ?? []), { event: job, block: log.blockNumber, transaction: log.transactionHash }],
    });
    return;
  }
  const { timestamp: at, transactionHash: transaction, logIndex } = log;
  const common = { market: "jobs" as const, at, transaction, logIndex };
  switch (event.name) {
    case "Deposited":
    case "Withdrawn":
      draft.movements.push(transferOf(event, common));
      return;
    case "BondQuarantined":
      draft.movements.push({
        ...common,
        kind: "quarantined",
        account: event.args.provider,
        token: event.args.token,
        amount: event.args.amount,
        jobId: event.args.jobId,
      });
      return;
    case "QuarantineClaimed":
      draft.movements.push({
        ...common,
        kind: event.args.burnt ? "burnt" : "claimed",
        account: event.args.provider,
        token: event.args.token,
        amount: event.args.amount,
      });
      return;
    case "ProbationBegan":
      draft.probations.push({
        provider: event.args.provider,
        jobId: event.args.jobId,
        beganAt: log.timestamp,
      });
      return;
    case "ProbationEnded": {
      const { provider, well } = event.args;
      const index = draft.probations.findLastIndex(
        (probation) => probation.ended === undefined && isAddressEqual(probation.provider, provider),
      );
      const open = draft.probations[index];
      if (open !== undefined) draft.probations[index] = { ...open, ended: { at: log.timestamp, well } };
      return;
    }
    default:
      return;
  }
}

/** Money that came to an account of either market, or left it. */
function transferOf(
  { name, args }: Extract<MarketEvent | QueryMarketEvent, { name: "Deposited" | "Withdrawn" }>,
  common: Pick<Movement, "market" | "at" | "transaction" | "logIndex">,
): Movement {
  const { account, token, amount } = args;
  return { ...common, kind: name === "Deposited" ? "deposited" : "withdrawn", account, token, amount };
}

function foldQuestions(draft: Draft, event: QueryMarketEvent, log: StoredLog): void {
  const { timestamp: at, transactionHash: transaction, logIndex } = log;
  const common = { market: "questions" as const, at, transaction, logIndex };
  switch (event.name) {
    case "Deposited":
    case "Withdrawn":
      draft.movements.push(transferOf(event, common));
      return;
    case "QuestionAsked": {
      const { id, asker, provider, quote, deadline } = event.args;
      draft.questions.set(id, {
        id,
        asker,
        provider,
        quote,
        deadline: Number(deadline),
        askedAt: log.timestamp,
        askedIn: log.transactionHash,
      });
      return;
    }
    case "QuestionAnswered":
    case "QuestionExpired": {
      const question = draft.questions.get(event.args.id);
      if (question === undefined) return;
      draft.questions.set(question.id, {
        ...question,
        end: {
          kind: event.name === "QuestionAnswered" ? "answered" : "expired",
          at: log.timestamp,
          transaction: log.transactionHash,
        },
      });
      return;
    }
    case "DatasetRegistered": {
      const { dataset, provider, definition } = event.args;
      draft.datasets.set(dataset, { dataset, provider, definition, registeredAt: log.timestamp, roots: 0 });
      return;
    }
    case "RootPublished": {
      const dataset = draft.datasets.get(event.args.dataset);
      if (dataset !== undefined) draft.datasets.set(dataset.dataset, { ...dataset, roots: dataset.roots + 1 });
      return;
    }
    default:
      return;
  }
}
