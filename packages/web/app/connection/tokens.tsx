import { getAccount } from "@quorate/sdk";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Address, erc20Abi, isAddressEqual } from "viem";
import { formatAmount, type Unit } from "../lib/format.ts";
import { useMarket } from "../market/index.ts";
import { useSession } from "./SessionProvider.tsx";

/** A token's unit. What its contract says is its own word: a stranger's token may call itself anything. */
export type TokenUnit = Unit & {
  /** Named by the app's configuration. */
  readonly isConfigured: boolean;
};

const LONGEST_SYMBOL = 12;
const MOST_DECIMALS = 36;

/**
 * Unit of a token: from the configuration, else from its contract; base units until that answered.
 *
 * @param token - Its address.
 */
export function useToken(token: Address): TokenUnit {
  const { network, networkKey, publicClient } = useSession();
  const configured = network.tokens.find(({ address }) => isAddressEqual(address, token));
  const { data } = useQuery({
    queryKey: ["token", networkKey, token],
    enabled: configured === undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const contract = { address: token, abi: erc20Abi } as const;
      const [symbol, decimals] = await Promise.all([
        publicClient.readContract({ ...contract, functionName: "symbol" }),
        publicClient.readContract({ ...contract, functionName: "decimals" }),
      ]);
      return { symbol: symbol.slice(0, LONGEST_SYMBOL), decimals: Math.min(decimals, MOST_DECIMALS) };
    },
  });
  if (configured !== undefined) return { ...configured, isConfigured: true };
  return { symbol: "base units", decimals: 0, ...data, isConfigured: false };
}

/** An amount with its unit. */
export function Amount({ value, token }: { readonly value: bigint; readonly token: Address }): ReactNode {
  return <span className="numeric">{formatAmount(value, useToken(token))}</span>;
}

/** What an account has in a token: in its wallet, free and locked in both markets; base units. */
export type Balances = {
  readonly wallet: bigint;
  readonly jobs: { readonly free: bigint; readonly locked: bigint };
  readonly questions: { readonly free: bigint; readonly locked: bigint } | undefined;
};

/**
 * Balances of an account, read anew with each block that this tab hears of.
 *
 * @param account - Whose; nothing is read when undefined.
 * @param token - Token.
 */
export function useBalances(
  account: Address | undefined,
  token: Address,
): { readonly balances: Balances | undefined; readonly error: unknown; readonly refetch: () => void } {
  const { jobs, questions, networkKey, publicClient } = useSession();
  const { head } = useMarket();
  const query = useQuery({
    queryKey: ["balances", networkKey, account, token, head?.number],
    enabled: account !== undefined && head !== undefined,
    placeholderData: (before) => before,
    gcTime: 10_000,
    queryFn: async (): Promise<Balances> => {
      const owner = account as Address;
      const [wallet, inJobs, inQuestions] = await Promise.all([
        publicClient.readContract({ address: token, abi: erc20Abi, functionName: "balanceOf", args: [owner] }),
        getAccount(jobs, { token, account: owner }),
        questions === undefined ? undefined : getAccount(questions, { token, account: owner }),
      ]);
      return { wallet, jobs: inJobs, questions: inQuestions };
    },
  });
  return { balances: query.data, error: query.error, refetch: () => void query.refetch() };
}
