import { jobMarketAbi } from "@quorate/abi";
import type { RawLog } from "@quorate/chain";
import { type Address, type Hex, isJobEventName, type JobEvent, type MarketDomain, type Request } from "@quorate/core";
import { decodeEventLog, erc20Abi, type PublicClient } from "viem";

/** What the agent reads from a node beside events. */
export type ChainReader = {
  /** Free balance of an account in the market, base units. */
  free(token: Address, owner: Address): Promise<bigint>;
  /** Balance of an account in the token itself, base units. */
  tokenBalance(token: Address, owner: Address): Promise<bigint>;
  /** What a provider allowed an agent for a token, as of a block, else the newest; `validUntil` is zero when nothing. */
  authorization(provider: Address, agent: Address, token: Address, block?: number): Promise<Authorization>;
  onProbation(provider: Address): Promise<boolean>;
  /** Number of the provider's present or last probation. */
  probation(provider: Address): Promise<number>;
  /** Whether a quarantined bond can be claimed for its provider. */
  isReturnable(provider: Address, token: Address, probation: number): Promise<boolean>;
  /** Native balance, wei. */
  gasBalance(account: Address): Promise<bigint>;
  /** Present price of gas, wei. */
  gasPrice(): Promise<bigint>;
};

/** Limits that a provider set for an agent. */
export type Authorization = { readonly maxBond: bigint; readonly minCommitWindow: number; readonly validUntil: number };

/** `QuarantineState.Returnable` of `contracts/types/Standing.sol`. */
const RETURNABLE = 2;

/**
 * Reads from the first of several nodes that answers.
 *
 * @param clients One per endpoint, preferred first.
 * @param domain Market.
 */
export function createChainReader(clients: readonly PublicClient[], domain: MarketDomain): ChainReader {
  const market = { address: domain.market, abi: jobMarketAbi } as const;
  const ask = async <T>(question: (client: PublicClient) => Promise<T>): Promise<T> => {
    let failure: unknown;
    for (const client of clients) {
      try {
        return await question(client);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  };
  return {
    free: async (token, owner) => {
      const [free] = await ask((client) =>
        client.readContract({ ...market, functionName: "accountOf", args: [token, owner] }),
      );
      return free;
    },
    tokenBalance: (token, owner) =>
      ask((client) => client.readContract({ address: token, abi: erc20Abi, functionName: "balanceOf", args: [owner] })),
    authorization: async (provider, agent, token, block) => {
      const [maxBond, minCommitWindow, validUntil] = await ask((client) =>
        client.readContract({
          ...market,
          functionName: "authorizationOf",
          args: [provider, agent, token],
          ...(block === undefined ? {} : { blockNumber: BigInt(block) }),
        }),
      );
      return { maxBond, minCommitWindow, validUntil };
    },
    onProbation: (provider) =>
      ask((client) => client.readContract({ ...market, functionName: "onProbation", args: [provider] })),
    probation: async (provider) => {
      const standing = await ask((client) =>
        client.readContract({ ...market, functionName: "standingOf", args: [provider] }),
      );
      return standing.probation;
    },
    isReturnable: async (provider, token, probation) => {
      const [, state] = await ask((client) =>
        client.readContract({ ...market, functionName: "quarantineOf", args: [provider, token, probation] }),
      );
      return state === RETURNABLE;
    },
    gasBalance: (account) => ask((client) => client.getBalance({ address: account })),
    gasPrice: () => ask((client) => client.getGasPrice()),
  };
}

/** An event that the agent looks at. */
export type AgentEvent =
  | JobEvent
  | { readonly eventName: "JobAnnounced"; readonly jobId: Hex; readonly request: Request };

/**
 * Decodes a log of the market.
 *
 * @param log Log of the market's address.
 * @param timestamp Timestamp of its block, unix s.
 * @returns Undefined for events that the agent does not look at.
 */
export function decodeAgentEvent(log: RawLog, timestamp: number): AgentEvent | undefined {
  const [signature, ...rest] = log.topics;
  if (signature === undefined) return undefined;
  let decoded: { readonly eventName: string; readonly args: unknown };
  try {
    decoded = decodeEventLog({ abi: jobMarketAbi, data: log.data, topics: [signature, ...rest] });
  } catch {
    // Not an event of this version of the market: nothing that a decision could rest on.
    return undefined;
  }
  if (decoded.eventName === "JobAnnounced") {
    const { jobId, request } = decoded.args as { jobId: Hex; request: Request };
    return { eventName: "JobAnnounced", jobId, request };
  }
  if (!isJobEventName(decoded.eventName)) return undefined;
  return { eventName: decoded.eventName, args: decoded.args, timestamp } as JobEvent;
}
