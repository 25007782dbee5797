import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "@quorate/core";
import type { MarketClient } from "@quorate/sdk";
import { createKeystore, type KeyAccount, loadKeystore } from "@quorate/service";
import { createWalletClient, defineChain, http, type PublicClient, type WalletClient } from "viem";

/**
 * Makes a key in the layout of the command line: `keys/<name>.json` under a passphrase that lies beside it.
 *
 * @param home - Folder of whoever owns it.
 * @param name - Of the key.
 */
export async function makeKey(home: string, name: string): Promise<KeyAccount> {
  mkdirSync(join(home, "keys"), { recursive: true, mode: 0o700 });
  const passphraseFile = join(home, "passphrase");
  if (!existsSync(passphraseFile)) {
    writeFileSync(passphraseFile, `${randomBytes(24).toString("base64url")}\n`);
    chmodSync(passphraseFile, 0o600);
  }
  const passphrase = readFileSync(passphraseFile, "utf8").trim();
  // Weak scrypt: these keys hold play money, and a dozen of them are opened at every start.
  const { file } = await createKeystore(join(home, "keys"), { passphrase, name: `${name}.json`, scrypt: { N: 4_096 } });
  return loadKeystore(file, passphrase);
}

/**
 * A client of a market on the local chain that signs with a key.
 *
 * @param of - Chain, market, account.
 */
export function marketClient({
  rpc,
  client,
  chainId,
  market,
  account,
}: {
  readonly rpc: string;
  readonly client: PublicClient;
  readonly chainId: number;
  readonly market: Address;
  readonly account: KeyAccount;
}): MarketClient & { readonly wallet: WalletClient } {
  const chain = defineChain({
    id: chainId,
    name: "local market",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  });
  return { public: client, wallet: createWalletClient({ account, chain, transport: http(rpc) }), chainId, market };
}
