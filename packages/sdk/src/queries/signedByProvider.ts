import { type Address, type Hex, isAddressEqual, parseAbi, recoverAddress } from "viem";
import { getAuthorization } from "../actions/getAuthorization.ts";
import type { MarketClient } from "../client.ts";
import { toContractError } from "../errors.ts";
import { read } from "../internal/read.ts";

/** A signature to judge as the query market would. */
export type ProviderSignature = {
  readonly provider: Address;
  /** EIP-712 digest. */
  readonly digest: Hex;
  readonly signature: Hex;
  /** Tokens for which an agent may be in force; one that it is authorized for is enough. */
  readonly tokens: readonly Address[];
  /** Unix s, time of the chain. */
  readonly now: number;
  /** What the signature binds the provider to, if money is at stake. */
  readonly limits?: { readonly bond: bigint; readonly window: number } | undefined;
};

const erc1271Abi = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
const ERC1271_MAGIC = "0x1626ba7e";

/**
 * Whether a provider stands behind a signature: its own, of an agent in force within its limits, or one that its contract
 * account takes (ERC-1271).
 *
 * @param client Client of the query market.
 * @param given Signature, what it is about.
 * @throws RetryableError `NODE_UNREACHABLE`, `NODE_REFUSED`.
 */
export async function isSignedByProvider(client: MarketClient, given: ProviderSignature): Promise<boolean> {
  const { provider, digest, signature, tokens, now, limits } = given;
  const signer = await recoverAddress({ hash: digest, signature }).catch(() => undefined);
  if (signer !== undefined) {
    if (isAddressEqual(signer, provider)) return true;
    for (const token of new Set(tokens)) {
      const { maxBondPerSeat, minCommitWindow, validUntil } = await getAuthorization(client, {
        provider,
        agent: signer,
        token,
      });
      const isWithin = limits === undefined || (limits.bond <= maxBondPerSeat && limits.window >= minCommitWindow);
      if (validUntil > now && isWithin) return true;
    }
  }
  const code = await read(client.public.getCode({ address: provider }));
  if (code === undefined || code === "0x") return false;
  try {
    const answer = await client.public.readContract({
      address: provider,
      abi: erc1271Abi,
      functionName: "isValidSignature",
      args: [digest, signature],
    });
    return answer === ERC1271_MAGIC;
  } catch (error) {
    const { code: why } = toContractError(error);
    // A revert is the account's "no"; no answer is no answer.
    if (why === "NODE_UNREACHABLE" || why === "NODE_REFUSED") throw toContractError(error);
    return false;
  }
}
