import type { Address, PublicClient } from "viem";

/** Code of an account whose key still signs (EIP-7702), followed by the address that it delegates to. */
const DELEGATION = "0xef0100";

/**
 * Whether an account is a contract, which signs by ERC-1271; an account with a delegation (EIP-7702) signs with its key.
 *
 * @param node Client of the chain.
 * @param address Account.
 */
export async function isContractAccount(node: Pick<PublicClient, "getCode">, address: Address): Promise<boolean> {
  const code = await node.getCode({ address });
  return code !== undefined && !code.toLowerCase().startsWith(DELEGATION);
}
