import { testTokenAbi } from "@quorate/abi";
import { FatalError } from "@quorate/core";
import {
  type Address,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  http,
  numberToHex,
  type PublicClient,
  parseEther,
  type WalletClient,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { type Connector, createConnector } from "wagmi";
import type { NetworkConfig } from "../../src/config.ts";
import { readSetting, writeSetting } from "../data/settings.ts";

/** Id of the connector. */
export const BURNER_ID = "burner";

/** Setting that holds the key of the burner wallet. */
export const BURNER_KEY_SETTING: string = "burner";
const GAS_ETHER = "10";
/** Whole tokens that a burner gets. */
const TOKENS = 5_000n;

/**
 * Key of this browser's burner wallet; made on first use. For local chains only: it lies unprotected in the browser.
 */
export async function burnerKey(): Promise<Hex> {
  const stored = await readSetting<Hex>(BURNER_KEY_SETTING);
  if (stored !== undefined) return stored;
  const key = generatePrivateKey();
  await writeSetting(BURNER_KEY_SETTING, key);
  return key;
}

/**
 * Connects a key that this browser made, on a local chain.
 *
 * @param network - The local network.
 */
export function burnerConnector(network: NetworkConfig): ReturnType<typeof createConnector> {
  return createConnector((config) => {
    const [chain] = config.chains;
    const client = async (): Promise<WalletClient> =>
      createWalletClient({ account: privateKeyToAccount(await burnerKey()), chain, transport: http(network.rpc[0]) });
    const isOn = async (): Promise<boolean> => (await config.storage?.getItem("burner.connected" as never)) === true;
    return {
      id: BURNER_ID,
      name: "Burner wallet",
      type: BURNER_ID,
      async connect() {
        const { address } = privateKeyToAccount(await burnerKey());
        await config.storage?.setItem("burner.connected" as never, true as never);
        // The shape depends on a type parameter that this wallet, without capabilities, does not look at.
        return { accounts: [address] as never, chainId: network.chainId };
      },
      async disconnect() {
        await config.storage?.removeItem("burner.connected" as never);
        config.emitter.emit("disconnect");
      },
      async getAccounts() {
        return [privateKeyToAccount(await burnerKey()).address];
      },
      async getChainId() {
        return network.chainId;
      },
      async getProvider() {
        return await client();
      },
      async getClient() {
        return await client();
      },
      async isAuthorized() {
        return await isOn();
      },
      onAccountsChanged() {},
      onChainChanged() {},
      onDisconnect() {},
    };
  });
}

/**
 * Tells whether a connector is the burner wallet.
 *
 * @param connector - Of wagmi.
 */
export function isBurner(connector: Pick<Connector, "id"> | undefined): boolean {
  return connector?.id === BURNER_ID;
}

/**
 * Hands gas money and test tokens to an account of a local chain, from the chain's own unlocked account.
 *
 * @param client - Node of the local chain.
 * @param account - Who gets them.
 * @param token - Test token that anybody can mint.
 * @param decimals - Digits of the token.
 * @throws FatalError `FAUCET_EMPTY`, `FAUCET_FAILED`.
 */
export async function fundFromFaucet(
  client: PublicClient,
  account: Address,
  token: Address,
  decimals: number,
): Promise<void> {
  const [from] = (await client.request({ method: "eth_accounts" as never })) as unknown as Address[];
  if (from === undefined) {
    throw new FatalError(
      "FAUCET_EMPTY",
      "This local chain has no unlocked account to pay from. Send ether and test tokens to your address yourself.",
    );
  }
  const send = async (transaction: { to: Address; value?: Hex; data?: Hex }): Promise<void> => {
    const params = [{ from, ...transaction }];
    const hash = (await client.request({ method: "eth_sendTransaction", params } as never)) as unknown as Hex;
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: 30_000 });
    if (receipt.status !== "success")
      throw new FatalError("FAUCET_FAILED", `The transaction ${hash} of the local faucet was reverted.`);
  };
  await send({ to: account, value: numberToHex(parseEther(GAS_ETHER)) });
  await send({
    to: token,
    data: encodeFunctionData({
      abi: testTokenAbi,
      functionName: "mint",
      args: [account, TOKENS * 10n ** BigInt(decimals)],
    }),
  });
}
