import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { testTokenAbi } from "@quorate/abi";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import {
  type Abi,
  type Address,
  createPublicClient,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  http,
  numberToHex,
  type PublicClient,
  parseEther,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { root } from "../../../../scripts/lib/workspace.ts";
import { startWebMarket, type WebMarket } from "./local-market.ts";
import { walletScript } from "./wallet.ts";
import type { WalletSettings } from "./wallet-page.ts";

/** Who comes to the app. */
export type VisitorOptions = {
  /** An injected wallet with a key of its own, gas money and test tokens; none unless told. */
  readonly wallet?: Partial<WalletSettings> | "funded";
  /** Whole test dollars that the wallet begins with; 5,000 unless told. */
  readonly dollars?: number;
  readonly colorScheme?: "light" | "dark";
  readonly size?: keyof typeof sizes;
  /** What an earlier visitor had in its browser. */
  readonly storage?: Storage;
  /** Messages of the console that belong to the story; anything else on it fails the story. */
  readonly expectsConsole?: RegExp;
};

/** Somebody with a browser of its own. */
export type Visitor = {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Account of the injected wallet. */
  readonly account: Address | undefined;
  /** Key of the injected wallet. */
  readonly privateKey: Hex | undefined;
  /** What the browser holds now, for a visitor who comes back with it. */
  storage(): Promise<Storage>;
  /** Opens an address of the app, `#/…`, and waits for its heading. */
  open(fragment: string): Promise<void>;
  /** Connects the injected wallet by the app's own dialog. */
  connect(): Promise<void>;
  /** A second tab of the same browser. */
  tab(fragment: string): Promise<Page>;
  /** What the wallet was asked to confirm so far. */
  prompts(): Promise<readonly string[]>;
};

/** What a visitor's browser holds: cookies, local storage, IndexedDB. */
export type Storage = Awaited<ReturnType<BrowserContext["storageState"]>>;

/** What is kept of a visitor for later: what the browser held, and the key of its injected wallet. */
export type KeptVisitor = { readonly storage: Storage; readonly privateKey: Hex };

/** What stories leave behind for the pictures of pages: each fills in what it made. */
export type Kept = {
  /** Browser of somebody who requested a job, with its injected wallet's key. */
  requester?: KeptVisitor;
  /** A job of that requester that was settled. */
  settledJob?: Hex;
  /** A job of that requester that waits for offers. */
  publishedJob?: Hex;
  /** Browser of somebody who asked a question, with its injected wallet's key. */
  asker?: KeptVisitor;
  /** A question of that asker that was answered. */
  answeredQuestion?: Hex;
  /** Browser of the one whom it is about, with its injected wallet's key. */
  subject?: KeptVisitor;
  /** Fragment of the link that asks that subject for its consent. */
  consentLink?: string;
  /** Fragment of the link to the receipt. */
  receiptLink?: string;
};

/** Everything that stories play on. */
export type Stage = {
  readonly kept: Kept;
  /** One of the organizations of the market. */
  readonly provider: Address;
  readonly market: WebMarket;
  readonly browser: Browser;
  readonly client: PublicClient;
  visitor(options?: VisitorOptions): Promise<Visitor>;
  /** Somebody of an earlier story, with what their browser held and their wallet connected. */
  comesBack(kept: KeptVisitor): Promise<Visitor>;
  /** Sends gas money and test tokens from the chain's own account. */
  fund(account: Address, dollars: number): Promise<void>;
  /** Deploys a contract account (ERC-1271) that a key owns. */
  deployAccount(owner: Address): Promise<Address>;
  /** Ends all visitors; what stood on a console fails. */
  endStory(): Promise<void>;
  close(): Promise<void>;
};

/** Widths of a phone and of a desk. */
export const sizes = {
  phone: { width: 390, height: 844 },
  desktop: { width: 1280, height: 900 },
} as const;

const CHROMIUM_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
/** For one step of a story: real agents, real proofs and a busy machine lie behind it. */
const STEP_TIMEOUT_MS = 60_000;

/** Starts market and browser. */
export async function setStage(): Promise<Stage> {
  const [market, browser] = await Promise.all([
    startWebMarket(),
    chromium.launch({ executablePath: "/usr/bin/chromium", args: CHROMIUM_ARGS }),
  ]);
  const [rpc] = market.network.rpc;
  const client = createPublicClient({ transport: http(rpc), pollingInterval: 250 }) as PublicClient;
  const visitors: { readonly context: BrowserContext; readonly complaints: string[] }[] = [];

  const fund = async (account: Address, dollars: number): Promise<void> => {
    const [from] = (await client.request({ method: "eth_accounts" as never })) as unknown as Address[];
    const [token] = market.network.tokens;
    assert.ok(from !== undefined && token !== undefined);
    const mint = encodeFunctionData({
      abi: testTokenAbi,
      functionName: "mint",
      args: [account, BigInt(dollars) * 10n ** BigInt(token.decimals)],
    });
    const isContract = (await client.getCode({ address: account })) !== undefined;
    for (const transaction of [
      // A contract account may take no ether, and its owner pays for gas.
      ...(isContract ? [] : [{ from, to: account, value: numberToHex(parseEther("5")) }]),
      { from, to: token.address, data: mint },
    ]) {
      const hash = (await client.request({
        method: "eth_sendTransaction",
        params: [transaction],
      } as never)) as unknown as Hex;
      const { status } = await client.waitForTransactionReceipt({ hash });
      assert.equal(status, "success");
    }
  };

  const visitor = async (options: VisitorOptions = {}): Promise<Visitor> => {
    const context = await browser.newContext({
      viewport: sizes[options.size ?? "desktop"],
      colorScheme: options.colorScheme ?? "light",
      reducedMotion: "reduce",
      timezoneId: "UTC",
      locale: "en-GB",
      permissions: ["clipboard-read", "clipboard-write"],
      ...(options.storage === undefined ? {} : { storageState: options.storage }),
    });
    context.setDefaultTimeout(STEP_TIMEOUT_MS);
    const complaints: string[] = [];
    visitors.push({ context, complaints });
    const complain = (text: string): void => {
      if (options.expectsConsole?.test(text) !== true) complaints.push(text);
    };
    context.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complain(`${message.type()}: ${message.text()}`);
    });
    context.on("weberror", (error) => complain(`uncaught: ${error.error().stack ?? error.error().message}`));
    let account: Address | undefined;
    let walletKey: Hex | undefined;
    if (options.wallet !== undefined) {
      const given = options.wallet === "funded" ? {} : options.wallet;
      const privateKey = given.privateKey ?? generatePrivateKey();
      walletKey = privateKey;
      const { address } = privateKeyToAccount(privateKey);
      account = given.contract ?? address;
      if (given.contract !== undefined) await fund(address, 0);
      if (options.dollars !== 0) await fund(account, options.dollars ?? 5_000);
      const settings: WalletSettings = { rpc: rpc as string, chainId: market.network.chainId, ...given, privateKey };
      await context.addInitScript({ content: await walletScript(settings) });
    }
    const page = await context.newPage();
    const openAt = async (target: Page, fragment: string): Promise<void> => {
      await target.goto(new URL(fragment, market.url).href);
      await target.getByRole("heading", { level: 1 }).first().waitFor();
    };
    return {
      context,
      page,
      account,
      privateKey: walletKey,
      storage: () => context.storageState({ indexedDB: true }),
      open: (fragment) => openAt(page, fragment),
      async connect() {
        await page.getByRole("button", { name: "Connect a wallet" }).first().click();
        await page.getByRole("button", { name: "Connect Test Wallet" }).click();
        await page.getByRole("dialog").waitFor({ state: "detached" });
      },
      async tab(fragment) {
        const second = await context.newPage();
        await openAt(second, fragment);
        return second;
      },
      prompts: () => page.evaluate(() => window.testWallet.prompts()),
    };
  };

  const deployAccount = async (owner: Address): Promise<Address> => {
    const file = "artifacts/test/contracts/harness/ContractAccount.sol/ContractAccount.json";
    const { abi, bytecode } = JSON.parse(readFileSync(join(root, file), "utf8")) as { abi: Abi; bytecode: Hex };
    const [from] = (await client.request({ method: "eth_accounts" as never })) as unknown as Address[];
    const data = encodeDeployData({ abi, bytecode, args: [owner] });
    const hash = (await client.request({
      method: "eth_sendTransaction",
      params: [{ from, data }],
    } as never)) as unknown as Hex;
    const { contractAddress } = await client.waitForTransactionReceipt({ hash });
    assert.ok(contractAddress);
    return contractAddress;
  };

  return {
    kept: {},
    deployAccount,
    provider: market.provider,
    market,
    browser,
    client,
    visitor,
    comesBack: ({ storage, privateKey }) => visitor({ storage, wallet: { privateKey, isConnected: true }, dollars: 0 }),
    fund,
    async endStory() {
      const ended = visitors.splice(0);
      await Promise.all(ended.map(({ context }) => context.close()));
      assert.deepEqual(
        ended.flatMap(({ complaints }) => complaints),
        [],
        "the console of a browser",
      );
    },
    async close() {
      await browser.close();
      await market.stop();
    },
  };
}
