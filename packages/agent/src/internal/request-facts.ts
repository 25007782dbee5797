import {
  type Address,
  cidOfPackage,
  type MarketDomain,
  type Request,
  type Requirements,
  readPackageRoot,
} from "@quorate/core";
import type { RelayClient } from "@quorate/wire";
import type { SandboxPort } from "./answer.ts";
import type { ChainReader } from "./chain-reader.ts";
import type { RequestFacts } from "./judge-request.ts";
import { type AgentState, factsOf } from "./state.ts";

/**
 * Offers that may still be opened: their bonds count as promised.
 *
 * @param state The agent's state.
 * @param token Token of the sum.
 */
export function liveOffers(
  state: AgentState,
  token: Address,
): { readonly count: number; readonly promised: bigint; readonly callbackGas: number } {
  // An offer is dead for sure only when its expiry is final: until then a rollback may bring an earlier block back.
  const certain = state.horizons?.final?.timestamp ?? 0;
  const live = [...state.jobs.values()].filter(
    (job) => job.offer !== undefined && factsOf(job) === undefined && certain < job.offer.expiry,
  );
  const promised = live
    .filter(({ request }) => request?.token.toLowerCase() === token.toLowerCase())
    .reduce((sum, { request }) => sum + (request?.bond ?? 0n), 0n);
  const callbackGas = live.reduce((sum, { request }) => sum + (request?.callbackGas ?? 0), 0);
  return { count: live.length, promised, callbackGas };
}

/**
 * Collects what a request is judged by.
 *
 * @param input Request, state, ports.
 */
export async function collectRequestFacts(input: {
  readonly request: Request;
  readonly requirements: Requirements;
  readonly state: AgentState;
  /** Timestamp of the newest block, unix s. */
  readonly now: number;
  readonly provider: Address;
  readonly account: Address;
  readonly domain: MarketDomain;
  readonly reader: ChainReader;
  readonly relays: RelayClient;
  readonly sandbox: Pick<SandboxPort, "supports">;
  readonly signal: AbortSignal;
}): Promise<RequestFacts> {
  const { request, requirements, state, provider, account, reader, sandbox } = input;
  const { token, requester } = request;
  const isOwnKey = account.toLowerCase() === provider.toLowerCase();
  const [free, requesterFree, requesterBalance, onProbation, gasBalance, gasPrice, authorization, packageBytes] =
    await Promise.all([
      reader.free(token, provider),
      reader.free(token, requester),
      reader.tokenBalance(token, requester),
      reader.onProbation(provider),
      reader.gasBalance(account),
      reader.gasPrice(),
      isOwnKey ? undefined : reader.authorization(provider, account, token),
      sizeOfPackage(input.relays, request, input.signal),
    ]);
  const { count, promised, callbackGas } = liveOffers(state, token);
  const openJobs = [...state.jobs.values()].flatMap((job) => {
    const facts = factsOf(job);
    return facts !== undefined && facts.settled === undefined ? [facts] : [];
  });
  return {
    now: input.now,
    provider,
    free,
    promised,
    liveOffers: count,
    requesterFunds: requesterFree + requesterBalance,
    onProbation,
    gasBalance,
    gasPrice,
    openJobs: openJobs.length,
    callbackGas: openJobs.reduce((sum, facts) => sum + facts.request.callbackGas, callbackGas),
    engineSupported: sandbox.supports(requirements),
    ...(authorization === undefined ? {} : { authorization }),
    ...(packageBytes === undefined ? {} : { packageBytes }),
  };
}

async function sizeOfPackage(relays: RelayClient, request: Request, signal: AbortSignal): Promise<number | undefined> {
  try {
    const root = await relays.getBlock(cidOfPackage(request.packageHash), { signal });
    return readPackageRoot(request.packageHash, root).totalBytes;
  } catch {
    // Usually not uploaded yet; the price then assumes the largest package.
    return undefined;
  }
}
