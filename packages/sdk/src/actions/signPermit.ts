import { FatalError } from "@quorate/core";
import { type Address, erc20Abi, type Hex, parseAbi, parseSignature, type WalletClient } from "viem";
import type { MarketClient } from "../client.ts";
import { accountOf } from "../internal/sendCall.ts";
import { isContractAccount } from "../isContractAccount.ts";

/** A signed ERC-2612 permit. */
export type Permit = {
  /** Unix s. */
  readonly deadline: bigint;
  readonly v: number;
  readonly r: Hex;
  readonly s: Hex;
};

/** Parameters of {@link signPermit}. */
export type SignPermitParameters = {
  /** ERC-20 token. */
  readonly token: Address;
  /** Base units that the market may take. */
  readonly value: bigint;
  /** Unix s; default an hour after the latest block. */
  readonly deadline?: bigint;
};

/** What {@link signPermit} returns. */
export type SignPermitReturnType = Permit;

/** What {@link signPermit} throws. */
export type SignPermitErrorType = { readonly code: "PERMIT_UNSUPPORTED" | "WALLET_MISSING" };

const permitAbi = parseAbi([
  "function nonces(address owner) view returns (uint256)",
  "function DOMAIN_SEPARATOR() view returns (bytes32)",
  "function version() view returns (string)",
  "function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)",
]);

const HOUR_S = 3600n;

/**
 * Signs an ERC-2612 permit for the market.
 *
 * Source: https://eips.ethereum.org/EIPS/eip-2612; the token's domain is read by EIP-5267 where it has it, else name and
 * `version()`, which defaults to "1".
 *
 * @param client Market client with a wallet.
 * @param parameters Token, value, deadline.
 * @returns The permit.
 * @throws PERMIT_UNSUPPORTED when the token has no permits or the account is a contract: approve and `deposit` instead.
 */
export async function signPermit(
  client: MarketClient,
  parameters: SignPermitParameters,
): Promise<SignPermitReturnType> {
  const account = accountOf(client);
  const { token, value } = parameters;
  const node = client.public;
  const unsupported = (cause?: unknown): FatalError =>
    new FatalError(
      "PERMIT_UNSUPPORTED",
      `Token ${token} takes no permit of ${account.address}. Approve the market with \`approveToken\`, then use \`deposit\`.`,
      { cause },
    );
  let nonce: bigint;
  try {
    nonce = await node.readContract({
      address: token,
      abi: permitAbi,
      functionName: "nonces",
      args: [account.address],
    });
    await node.readContract({ address: token, abi: permitAbi, functionName: "DOMAIN_SEPARATOR" });
  } catch (cause) {
    throw unsupported(cause);
  }
  // A contract account signs by ERC-1271, which ERC-2612 does not accept.
  if (await isContractAccount(node, account.address)) throw unsupported();
  const domain = await domainOfToken(client, token);
  const deadline = parameters.deadline ?? (await node.getBlock()).timestamp + HOUR_S;
  const signature = await (client.wallet as WalletClient).signTypedData({
    account,
    domain,
    types: {
      Permit: [
        { name: "owner", type: "address" },
        { name: "spender", type: "address" },
        { name: "value", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    },
    primaryType: "Permit",
    message: { owner: account.address, spender: client.market, value, nonce, deadline },
  });
  const { r, s, yParity } = parseSignature(signature);
  return { deadline, v: yParity + 27, r, s };
}

async function domainOfToken(
  client: MarketClient,
  token: Address,
): Promise<{ name: string; version: string; chainId: number; verifyingContract: Address }> {
  const node = client.public;
  try {
    const [, name, version] = await node.readContract({ address: token, abi: permitAbi, functionName: "eip712Domain" });
    return { name, version, chainId: client.chainId, verifyingContract: token };
  } catch {
    const name = await node.readContract({ address: token, abi: erc20Abi, functionName: "name" });
    const version = await node
      .readContract({ address: token, abi: permitAbi, functionName: "version" })
      .catch(() => "1");
    return { name, version, chainId: client.chainId, verifyingContract: token };
  }
}
