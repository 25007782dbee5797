import { addresses } from "@quorate/abi";
import { type BlockSource, viemBlockSource } from "@quorate/chain";
import { type Clock, type Logger, silentLogger, systemClock } from "@quorate/core";
import type { EnvelopeSigner, RelayClient } from "@quorate/wire";
import { erc20Abi, type Hex } from "viem";
import { getAccount } from "../actions/getAccount.ts";
import { type GetJobReturnType, getJob } from "../actions/getJob.ts";
import { domainOf, type MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { TrustedHistory } from "../trust/history.ts";
import { planReplication, type ReplicationPlan } from "../trust/planReplication.ts";
import type { TrustPolicy } from "../trust/policy.ts";
import { type Selection, selectOffers } from "../trust/selectOffers.ts";
import { escrowBoundOf } from "./buildRequest.ts";
import { type CollectOffersOptions, collectOffers, diagnoseOffers, type OfferDiagnosis } from "./collectOffers.ts";
import { type RequesterContext, requireRecord, type SelfHelp } from "./context.ts";
import { judgeReceived, type ReceivedOffer } from "./examineOffer.ts";
import { type FetchResultOptions, fetchResult, type JobResult } from "./fetchResult.ts";
import type { JobView } from "./jobView.ts";
import type { RequesterKeyStore } from "./keyStore.ts";
import type { PreparedPackage } from "./makePackage.ts";
import { type OpenedResult, openResult, type SealedResult } from "./openResult.ts";
import { type OpenedJob, type OpenSelectedJobOptions, openSelectedJob } from "./openSelectedJob.ts";
import type { PublishVia } from "./publish.ts";
import type { JobRecord } from "./record.ts";
import { continueRequest, type RequestedJob, type RequestJobParameters, requestJob } from "./requestJob.ts";
import { type WatchJobOptions, watchJob } from "./watchJob.ts";

/** Ports and settings of {@link createRequester}. */
export type RequesterOptions = {
  /** With the wallet of the account that pays. */
  readonly client: MarketClient;
  readonly relays: RelayClient;
  readonly keyStore: RequesterKeyStore;
  readonly trustPolicy: TrustPolicy;
  /** What is known of providers, from `buildHistory`. Default: nothing. */
  readonly history?: TrustedHistory;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Signs relay messages as the requester. Default: the wallet's account. */
  readonly signer?: EnvelopeSigner;
  /** Relays that must hold package and request. Default 1. */
  readonly leastRelays?: number;
  /** Nodes that jobs are followed on. Default: the client's own. */
  readonly sources?: readonly BlockSource[];
  /** First block with an event of the market. Default: from the address book, else 0. */
  readonly fromBlock?: number;
  /** Blocks until an event or receipt counts, its own included. Default 1. */
  readonly confirmations?: number;
  /** Between looks at the chain, milliseconds. Default 1,000. */
  readonly pollIntervalMs?: number;
  /** When to do what is others' duty. Default `late`: once half of the window is over. */
  readonly selfHelp?: SelfHelp;
  /** From `deriveRequesterSecret`: keys of jobs are derived from it instead of random. */
  readonly secret?: Uint8Array;
  /** Opens and hashes a delivered result: a page has a worker do it. Default: here. */
  readonly openResult?: (delivery: SealedResult) => Promise<OpenedResult>;
};

/** Options of calls that can be stopped. */
export type CallOptions = { readonly signal?: AbortSignal };

/** Where a job stands for its requester after a restart. */
export type ResumedJob = {
  /**
   * `drafted`: the keys are stored, nothing was published (`continueRequest`). `published`: collect offers. `opening`: a
   * transaction may be under way (`openJob` without selection goes on). `open`: watch. `settled`: fetch the result.
   */
  readonly stage: "drafted" | "published" | "opening" | "open" | "settled";
  readonly record: JobRecord;
  /** What the contract has stored. */
  readonly job: GetJobReturnType;
};

/** A requester: everything from a package to its checked result. */
export type Requester = {
  /** Requests a job: keys stored, package uploaded, request published. See `requestJob`. */
  requestJob(parameters: RequestJobParameters, options?: CallOptions): Promise<RequestedJob>;
  /** Uploads and publishes what an interrupted `requestJob` had stored. */
  continueRequest(
    jobId: Hex,
    parameters: { readonly prepared: PreparedPackage; readonly via?: PublishVia },
    options?: CallOptions,
  ): Promise<RequestedJob>;
  /** Offers as they arrive, opened, verified and judged. */
  collectOffers(jobId: Hex, options?: CollectOffersOptions): AsyncIterable<ReceivedOffer>;
  /** Why there are none, or too few. */
  diagnoseOffers(
    jobId: Hex,
    received: readonly ReceivedOffer[],
    options?: CallOptions,
  ): Promise<readonly OfferDiagnosis[]>;
  /** Judges the offers again by the state of now, and picks seats, spares and shadows. */
  selectOffers(jobId: Hex, received: readonly ReceivedOffer[]): Promise<Selection>;
  /** Opens the job; may be repeated after any interruption and pays once. */
  openJob(jobId: Hex, selection?: Selection, options?: OpenSelectedJobOptions): Promise<OpenedJob>;
  /** The job's state from now on, until it is settled. */
  watchJob(jobId: Hex, options?: WatchJobOptions): AsyncIterable<JobView>;
  /** The result, held against what the chain settled. */
  fetchResult(jobId: Hex, options?: FetchResultOptions): Promise<JobResult>;
  /** Where a job stands, from key store and chain. */
  resume(jobId: Hex, options?: CallOptions): Promise<ResumedJob>;
  /** All jobs of the key store, oldest first. */
  listJobs(): Promise<readonly JobRecord[]>;
  /** How many places the trust policy asks for, given the known history. */
  plan(): ReplicationPlan;
};

/**
 * Creates a requester's client. It holds no state of its own: what it must not forget is in the key store, the rest on chain.
 *
 * @param options Ports and settings.
 */
export function createRequester(options: RequesterOptions): Requester {
  const { client } = options;
  const account = client.wallet?.account;
  const wallet = client.wallet;
  const walletSigner: EnvelopeSigner | undefined =
    account === undefined || wallet === undefined
      ? undefined
      : {
          address: account.address,
          signTypedData: (typedData: Parameters<typeof wallet.signTypedData>[0]) =>
            wallet.signTypedData({ ...typedData, account }),
        };
  const context: RequesterContext = {
    client,
    domain: domainOf(client),
    relays: options.relays,
    keyStore: options.keyStore,
    policy: options.trustPolicy,
    history: options.history ?? new Map(),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    signer: options.signer ?? walletSigner,
    leastRelays: options.leastRelays ?? 1,
    sources: options.sources ?? [viemBlockSource(client.public as Parameters<typeof viemBlockSource>[0])],
    fromBlock: options.fromBlock ?? addresses[client.chainId]?.deployedAtBlock ?? 0,
    confirmations: options.confirmations ?? 1,
    pollIntervalMs: options.pollIntervalMs ?? 1_000,
    selfHelp: options.selfHelp ?? "late",
    openResult: options.openResult ?? openResult,
  };
  return {
    requestJob: (parameters, call = {}) => requestJob(context, parameters, { ...call, secret: options.secret }),
    continueRequest: (jobId, parameters, call = {}) => continueRequest(context, jobId, parameters, call.signal),
    collectOffers: (jobId, call) => collectOffers(context, jobId, call),
    async diagnoseOffers(jobId, received, call = {}) {
      const { request } = await requireRecord(context, jobId);
      const [{ free }, held] = await Promise.all([
        getAccount(client, { token: request.token, account: request.requester }),
        read(
          client.public.readContract({
            address: request.token,
            abi: erc20Abi,
            functionName: "balanceOf",
            args: [request.requester],
          }),
        ),
      ]);
      const funds = { available: free + held, needed: escrowBoundOf(request) };
      return diagnoseOffers(context, jobId, received, funds, call.signal);
    },
    async selectOffers(jobId, received) {
      const record = await requireRecord(context, jobId);
      const offers = received.filter((item) => item.kind === "offer");
      // Balances and standings change while offers are collected.
      const judged = await Promise.all(offers.map((item) => judgeReceived(context, record, item)));
      return selectOffers({
        jobId,
        request: record.request,
        policy: context.policy,
        offers: judged.filter((item) => item.kind === "offer"),
      });
    },
    openJob: (jobId, selection, call) => openSelectedJob(context, jobId, selection, call),
    watchJob: (jobId, call) => watchJob(context, jobId, call),
    fetchResult: (jobId, call) => fetchResult(context, jobId, call),
    async resume(jobId, call = {}) {
      call.signal?.throwIfAborted();
      const record = await requireRecord(context, jobId);
      const job = await getJob(client, { jobId });
      return { stage: stageOf(record, job), record, job };
    },
    listJobs: () => context.keyStore.list(),
    plan: () => planReplication(context.history, context.policy),
  };
}

function stageOf(record: JobRecord, job: GetJobReturnType): ResumedJob["stage"] {
  if (job.phase === "open") return "open";
  if (job.phase !== "none") return "settled";
  if (record.transactions.length > 0 || record.askedWalletAt !== undefined) return "opening";
  return record.publishedAt === undefined ? "drafted" : "published";
}
