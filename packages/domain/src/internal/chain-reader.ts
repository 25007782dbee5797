import { queryMarketAbi } from "@quorate/abi";
import type { RawLog } from "@quorate/chain";
import type { Address, Hex, MarketDomain, Quote } from "@quorate/core";
import {
  decodeEventLog,
  encodeFunctionData,
  isAddressEqual,
  keccak256,
  type PublicClient,
  recoverAddress,
  zeroAddress,
} from "viem";
import type { StoredProof } from "./questions.ts";

/** A dataset as the chain knows it. */
export type ChainDataset = {
  /** Zero when it is not registered. */
  readonly provider: Address;
  /** Seconds for which a superseded root may be asked about. */
  readonly graceS: number;
  readonly publisher: Address;
};

/** Limits that a provider set for an agent. */
export type Authorization = {
  /** Highest bond of a quote, base units. */
  readonly maxBond: bigint;
  /** Shortest window of a quote, seconds. */
  readonly minWindow: number;
  /** Unix s. */
  readonly validUntil: number;
};

/** What the agent reads from a node beside events. */
export type ChainReader = {
  dataset(dataset: Hex): Promise<ChainDataset>;
  /** `EXTCODEHASH` of a verifier; undefined when there is no code. */
  codeHash(verifier: Address): Promise<Hex | undefined>;
  /** Free balance of the provider in the market, base units. */
  free(token: Address, owner: Address): Promise<bigint>;
  /** What a provider allowed an agent for a token; `validUntil` is zero when nothing. */
  authorization(provider: Address, agent: Address, token: Address): Promise<Authorization>;
  isUsed(provider: Address, nullifier: bigint): Promise<boolean>;
  /** Whether an account signed a digest: an EOA, or a contract by ERC-1271. */
  isSigned(account: Address, digest: Hex, signature: Hex): Promise<boolean>;
  /** Native balance, wei. */
  gasBalance(account: Address): Promise<bigint>;
};

/**
 * Reads from the first of several nodes that answers.
 *
 * @param clients One per endpoint, preferred first.
 * @param domain Query market.
 */
export function createChainReader(clients: readonly PublicClient[], domain: MarketDomain): ChainReader {
  const market = { address: domain.market, abi: queryMarketAbi } as const;
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
    dataset: async (dataset) => {
      const [provider, graceS, publisher] = await ask((client) =>
        client.readContract({ ...market, functionName: "datasetOf", args: [dataset] }),
      );
      return { provider, graceS, publisher };
    },
    codeHash: async (verifier) => {
      const code = await ask((client) => client.getCode({ address: verifier }));
      return code === undefined || code === "0x" ? undefined : keccak256(code);
    },
    free: async (token, owner) => {
      const [free] = await ask((client) =>
        client.readContract({ ...market, functionName: "accountOf", args: [token, owner] }),
      );
      return free;
    },
    authorization: async (provider, agent, token) => {
      const [maxBond, minWindow, validUntil] = await ask((client) =>
        client.readContract({ ...market, functionName: "authorizationOf", args: [provider, agent, token] }),
      );
      return { maxBond, minWindow, validUntil };
    },
    isUsed: (provider, nullifier) =>
      ask((client) => client.readContract({ ...market, functionName: "isUsed", args: [provider, nullifier] })),
    isSigned: async (account, digest, signature) => {
      const signer =
        signature.length === 132 ? await recoverAddress({ hash: digest, signature }).catch(() => undefined) : undefined;
      if (signer !== undefined && isAddressEqual(signer, account)) return true;
      // A contract has the last word; a node is asked only then, so that strangers do not make the agent call it.
      const code = await ask((client) => client.getCode({ address: account }));
      if (code === undefined || code === "0x") return false;
      return ask((client) => client.verifyHash({ address: account, hash: digest, signature }));
    },
    gasBalance: (account) => ask((client) => client.getBalance({ address: account })),
  };
}

/** A call for the outbox. */
export type MarketCall = { readonly to: Address; readonly data: Hex };

/** Calls of the agent, by what they do. */
export const marketCalls = {
  publishRoot: (market: Address, dataset: Hex, root: bigint): MarketCall => ({
    to: market,
    data: encodeFunctionData({ abi: queryMarketAbi, functionName: "publishRoot", args: [dataset, root] }),
  }),
  answer: (market: Address, quote: Quote, { cipher, nullifier, proof }: StoredProof): MarketCall => ({
    to: market,
    data: encodeFunctionData({
      abi: queryMarketAbi,
      functionName: "answer",
      args: [quote, cipher, nullifier, wordsOf(proof)],
    }),
  }),
  answerBatch: (
    market: Address,
    answers: readonly { readonly quote: Quote; readonly proof: StoredProof }[],
  ): MarketCall => ({
    to: market,
    data: encodeFunctionData({
      abi: queryMarketAbi,
      functionName: "answerBatch",
      args: [
        answers.map(({ quote, proof: { cipher, nullifier, proof } }) => ({
          quote,
          cipher,
          nullifier,
          proof: wordsOf(proof),
        })),
      ],
    }),
  }),
  expire: (market: Address, quote: Quote): MarketCall => ({
    to: market,
    data: encodeFunctionData({ abi: queryMarketAbi, functionName: "expire", args: [quote] }),
  }),
} as const;

type Words = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

function wordsOf(proof: readonly bigint[]): Words {
  if (proof.length !== 8) throw new RangeError(`a proof has 8 words, not ${proof.length}`);
  return proof as Words;
}

/** An event that the agent acts on. A union with the tag `name`. */
export type DomainEvent =
  | { readonly name: "RootPublished" | "RootRevoked"; readonly dataset: Hex; readonly root: bigint }
  | { readonly name: "QuestionAsked"; readonly id: Hex; readonly deadline: number }
  | { readonly name: "QuestionAnswered"; readonly id: Hex }
  | { readonly name: "QuestionExpired"; readonly id: Hex };

/**
 * Decodes a log of the market.
 *
 * @param log Log of the market's address.
 * @param provider Whose questions count.
 * @returns Undefined for events that do not concern the provider, and those that this version does not know.
 */
export function decodeDomainEvent(log: RawLog, provider: Address): DomainEvent | undefined {
  const [signature, ...rest] = log.topics;
  if (signature === undefined) return undefined;
  let decoded: ReturnType<typeof decodeEventLog<typeof queryMarketAbi>>;
  try {
    decoded = decodeEventLog({ abi: queryMarketAbi, data: log.data, topics: [signature, ...rest] });
  } catch {
    // Not an event of this version of the market: nothing that a decision could rest on.
    return undefined;
  }
  switch (decoded.eventName) {
    case "RootPublished":
    case "RootRevoked":
      return { name: decoded.eventName, dataset: decoded.args.dataset, root: decoded.args.root };
    case "QuestionAsked":
      return isAddressEqual(decoded.args.provider, provider)
        ? { name: "QuestionAsked", id: decoded.args.id, deadline: decoded.args.deadline }
        : undefined;
    case "QuestionAnswered":
    case "QuestionExpired":
      return isAddressEqual(decoded.args.provider, provider)
        ? { name: decoded.eventName, id: decoded.args.id }
        : undefined;
    default:
      return undefined;
  }
}

/** Whether an account is none. */
export function isNobody(account: Address): boolean {
  return isAddressEqual(account, zeroAddress);
}
