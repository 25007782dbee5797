import type { MarketDomain } from "@quorate/core";
import type { Account, Address, PublicClient, WalletClient } from "viem";

/** What an action needs to reach one market: a node to read from and, for writes, a wallet with an account. */
export type MarketClient = {
  /** Reads, simulates, broadcasts. */
  readonly public: PublicClient;
  /** Signs. A local account signs in this process, any other account through its transport (a browser wallet). */
  readonly wallet?: WalletClient;
  /** Chain that the market is on; nothing is signed for another one. */
  readonly chainId: number;
  /** Address of the `JobMarket` contract. */
  readonly market: Address;
};

/**
 * EIP-712 domain facts of the client's market.
 *
 * @param client - market client
 * @returns chain id and address of the market
 */
export function domainOf(client: MarketClient): MarketDomain {
  return { chainId: client.chainId, market: client.market };
}

/** A wallet that has an account. */
export type SigningWallet = WalletClient & { readonly account: Account };
