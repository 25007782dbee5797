import { testTokenAbi } from "@quorate/abi";
import { type Address, FatalError } from "@quorate/core";
import { encodeFunctionData, type Hex, type PublicClient, parseEther, toHex } from "viem";

/** Hands out gas money and test tokens on a local chain. */
export type Faucet = {
  /** Sends ether and mints tokens, and waits until both arrived. */
  fund(accounts: readonly Funding[]): Promise<void>;
};

/** What one account gets. */
export type Funding = {
  readonly account: Address;
  /** Ether, for gas; none when absent. */
  readonly ether?: string;
  /** Test tokens, base units; none when absent. */
  readonly tokens?: bigint;
};

/**
 * A faucet that pays from the local chain's own unlocked account. No actor has that account's key.
 *
 * @param client - Node of the local chain.
 * @param token - Test token that anybody can mint.
 */
export function createFaucet(client: PublicClient, token: Address): Faucet {
  return {
    async fund(accounts) {
      const [from] = (await client.request({ method: "eth_accounts" as never })) as unknown as Address[];
      if (from === undefined) {
        throw new FatalError(
          "FAUCET_EMPTY",
          "The chain has no unlocked account to pay from: the local market needs the chain that it starts itself.",
        );
      }
      const hashes: Hex[] = [];
      for (const { account, ether, tokens } of accounts) {
        if (ether !== undefined) hashes.push(await send({ from, to: account, value: toHex(parseEther(ether)) }));
        if (tokens !== undefined) {
          const data = encodeFunctionData({ abi: testTokenAbi, functionName: "mint", args: [account, tokens] });
          hashes.push(await send({ from, to: token, data }));
        }
      }
      for (const hash of hashes) {
        const receipt = await client.waitForTransactionReceipt({ hash, timeout: 30_000, pollingInterval: 200 });
        if (receipt.status !== "success")
          throw new FatalError("FAUCET_FAILED", `The faucet's transaction ${hash} was reverted.`);
      }
    },
  };

  async function send(transaction: { from: Address; to: Address; value?: Hex; data?: Hex }): Promise<Hex> {
    return (await client.request({ method: "eth_sendTransaction" as never, params: [transaction] as never })) as Hex;
  }
}
