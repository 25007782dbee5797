import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { jobMarketAbi, testTokenAbi } from "@quorate/abi";
import { jobMarketArtifact, testTokenArtifact } from "@quorate/abi/artifacts";
import { type Address, type Hex, type Manifest, type MarketDomain, utf8 } from "@quorate/core";
import {
  createRequester,
  type JobView,
  type MarketClient,
  makePackage,
  memoryKeyStore,
  type PreparedPackage,
  parseTrustPolicy,
  type ReceivedOffer,
  type Requester,
  type RequesterKeyStore,
  type RequesterOptions,
} from "@quorate/sdk";
import type { RelayClient } from "@quorate/wire";
import {
  type Abi,
  createPublicClient,
  createTestClient,
  createWalletClient,
  defineChain,
  http,
  type PublicClient,
  type TestClient,
  type Chain as ViemChain,
} from "viem";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";

const MNEMONIC = "test test test test test test test test test test test junk";

/** Windows of the test market: short, and moved over by the chain's clock, never waited for. Seconds. */
export const WINDOW = 600;

export type Chain = {
  readonly rpcUrl: string;
  readonly public: PublicClient;
  readonly test: TestClient;
  readonly domain: MarketDomain;
  readonly token: Address;
  /** A market client that signs with the account of this index. */
  client(index: number): MarketClient;
  account(index: number): HDAccount;
  /** Mints tokens to an address. */
  mint(to: Address, amount: bigint): Promise<void>;
  balanceOf(owner: Address): Promise<bigint>;
  /** Moves the chain's clock and mines a block. */
  advance(seconds: number): Promise<void>;
  stop(): Promise<void>;
};

/** The anvil binary of the workspace, whatever the platform. */
export function anvilBinary(): string {
  const root = createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json");
  return join(dirname(root), "..", "..", ".bin", "anvil");
}

async function spawnAnvil(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(anvilBinary(), ["--port", "0", "--host", "127.0.0.1", "--accounts", "12"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`anvil did not start: ${output}`)), 30_000);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(output)?.[1];
      if (port !== undefined) {
        clearTimeout(timer);
        resolve(`http://127.0.0.1:${port}`);
      }
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`anvil ended with ${code}: ${output}`)));
  });
  return { child, url };
}

const account = (index: number): HDAccount => mnemonicToAccount(MNEMONIC, { addressIndex: index });

function clientsOf(url: string): { chain: ViemChain; transport: ReturnType<typeof http>; node: PublicClient } {
  const chain = defineChain({
    id: 31337,
    name: "anvil",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  const transport = http(url, { retryCount: 0 });
  return { chain, transport, node: createPublicClient({ chain, transport, pollingInterval: 20, cacheTime: 0 }) };
}

/** A chain that runs already, with its market and token. */
export function connectChain(url: string, market: Address, token: Address): Chain {
  const { chain, transport, node } = clientsOf(url);
  const testClient = createTestClient({ chain, transport, mode: "anvil" });
  const minter = createWalletClient({ account: account(0), chain, transport });
  const domain = { chainId: chain.id, market };
  return {
    rpcUrl: url,
    public: node,
    test: testClient as unknown as TestClient,
    domain,
    token,
    account,
    client: (index) => ({
      public: node,
      wallet: createWalletClient({ account: account(index), chain, transport }),
      ...domain,
    }),
    async mint(to, amount) {
      const hash = await minter.writeContract({
        address: token,
        abi: testTokenAbi,
        functionName: "mint",
        args: [to, amount],
      });
      await node.waitForTransactionReceipt({ hash });
    },
    balanceOf: (owner) =>
      node.readContract({ address: token, abi: testTokenAbi, functionName: "balanceOf", args: [owner] }),
    async advance(seconds) {
      await testClient.increaseTime({ seconds });
      await testClient.mine({ blocks: 1 });
    },
    stop: async () => {},
  };
}

/** Starts anvil with a market and a token on it. */
export async function startChain(): Promise<Chain> {
  const { child, url } = await spawnAnvil();
  const { chain, transport, node } = clientsOf(url);
  const deployer = createWalletClient({ account: account(0), chain, transport });
  const deploy = async (abi: Abi, bytecode: Hex, args: readonly unknown[]): Promise<Address> => {
    const hash = await deployer.deployContract({ abi, bytecode, args });
    const { contractAddress } = await node.waitForTransactionReceipt({ hash });
    if (contractAddress == null) throw new Error("not deployed");
    return contractAddress;
  };
  const market = await deploy(jobMarketAbi, jobMarketArtifact.bytecode, [10, 604_800]);
  const token = await deploy(testTokenAbi, testTokenArtifact.bytecode, ["Test Dollar", "TUSD", 6]);
  return {
    ...connectChain(url, market, token),
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** A requester on account 1 that trusts the named providers. */
export function requesterOf(
  chain: Chain,
  relays: RelayClient,
  trusted: readonly (Address | { provider: Address; organization: string })[],
  options: Partial<RequesterOptions> & { keyStore?: RequesterKeyStore } = {},
): Requester {
  return createRequester({
    client: chain.client(1),
    relays,
    keyStore: memoryKeyStore(),
    trustPolicy: parseTrustPolicy({
      version: 1,
      allow: trusted.map((entry) => (typeof entry === "string" ? { provider: entry } : entry)),
    }),
    pollIntervalMs: 25,
    selfHelp: "off",
    ...options,
  });
}

/** A small JavaScript package. */
export function smallPackage(program = 'print("forty-two")'): PreparedPackage {
  const manifest: Manifest = {
    version: 1,
    engine: { name: "quickjs", version: "0.32.0+1" },
    program: "main.js",
    args: [],
    env: {},
    limits: { fuel: 1_000_000_000, memoryBytes: 33_554_432, outputBytes: 65_536, wallTimeMs: 10_000 },
  };
  return makePackage({ manifest, files: { "main.js": utf8(program) } });
}

export const PRICE = 1_000_000n;

/** What the tests ask for. */
export function wishes(
  chain: Chain,
  changes: Record<string, unknown> = {},
): Parameters<Requester["requestJob"]>[0]["wishes"] {
  return { token: chain.token, priceCeiling: PRICE, commitWindow: WINDOW, revealWindow: WINDOW, spares: 0, ...changes };
}

/** Collects offers until so many arrived. */
export async function collect(requester: Requester, jobId: Hex, count: number): Promise<ReceivedOffer[]> {
  const received: ReceivedOffer[] = [];
  for await (const offer of requester.collectOffers(jobId, { timeoutMs: 20_000 })) {
    received.push(offer);
    if (received.length === count) break;
  }
  return received;
}

/** Watches until a view satisfies a condition. */
export async function watchUntil(
  requester: Requester,
  jobId: Hex,
  condition: (view: JobView) => boolean,
  options: Parameters<Requester["watchJob"]>[1] = {},
): Promise<JobView> {
  let last: JobView | undefined;
  for await (const view of requester.watchJob(jobId, { signal: AbortSignal.timeout(30_000), ...options })) {
    last = view;
    if (condition(view)) return view;
  }
  throw new Error(`the watch ended without the awaited view; last: ${last?.statusName}`);
}

/** A temporary folder that goes with the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "quorate-sdk-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
