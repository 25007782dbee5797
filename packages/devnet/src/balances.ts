import { testTokenAbi } from "@quorate/abi";
import type { Address } from "@quorate/core";
import { erc20Abi, type PublicClient } from "viem";

/**
 * Sums what every holder of a token has, the market and burnt money inside it included. Holders are all accounts that ever
 * received it.
 *
 * @param client - Node.
 * @param token - Token.
 * @param fromBlock - Block of its deployment.
 * @returns Base units.
 */
export async function sumOfBalances(client: PublicClient, token: Address, fromBlock: number): Promise<bigint> {
  const transfers = await client.getContractEvents({
    address: token,
    abi: testTokenAbi,
    eventName: "Transfer",
    fromBlock: BigInt(fromBlock),
    toBlock: "latest",
  });
  const holders = new Set<Address>();
  for (const { args } of transfers) if (args.to !== undefined) holders.add(args.to);
  const balances = await Promise.all(
    [...holders].map((holder) =>
      client.readContract({ address: token, abi: erc20Abi, functionName: "balanceOf", args: [holder] }),
    ),
  );
  return balances.reduce((sum, balance) => sum + balance, 0n);
}
