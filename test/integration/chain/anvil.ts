import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  type Address,
  type Chain,
  concat,
  createPublicClient,
  createTestClient,
  createWalletClient,
  defineChain,
  type Hex,
  http,
  type PublicClient,
  pad,
  type TestClient,
  toFunctionSelector,
  toHex,
  type WalletClient,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** The chain that anvil serves; not from `viem/chains`, which loads hundreds. */
export const localChain: Chain = defineChain({
  id: 31337,
  name: "anvil",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: ["http://127.0.0.1"] } },
});

/** Keys of the accounts that anvil funds; public knowledge, for local chains only. */
export const devKeys: readonly Hex[] = [
  "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
];

/** A running local node. */
export type Anvil = {
  readonly url: string;
  readonly public: PublicClient;
  readonly wallet: WalletClient;
  readonly test: TestClient<"anvil">;
  /** Sends any JSON-RPC request. */
  rpc(method: string, ...params: unknown[]): Promise<unknown>;
  mine(blocks?: number): Promise<void>;
  stop(): Promise<void>;
};

// The program itself, not npm's wrapper: a killed wrapper leaves the node behind.
const machine = process.arch === "x64" ? "amd64" : process.arch;
const binary = fileURLToPath(
  new URL(`../../../node_modules/@foundry-rs/anvil-${process.platform}-${machine}/bin/anvil`, import.meta.url),
);

/**
 * Starts anvil on a free port of loopback; mines only on demand unless told otherwise.
 *
 * @param args Further arguments of the program.
 */
export async function startAnvil(...args: string[]): Promise<Anvil> {
  const child: ChildProcess = spawn(
    binary,
    ["--port", "0", "--host", "127.0.0.1", "--no-mining", "--order", "fifo", ...args],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const port = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      const found = /Listening on 127\.0\.0\.1:(\d+)/.exec(line);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
    child.once("exit", (code) => reject(new Error(`anvil ended with ${code} before it listened`)));
    child.once("error", reject);
  });
  const url = `http://127.0.0.1:${port}`;
  const transport = http(url, { retryCount: 0, timeout: 60_000 });
  const client = createPublicClient({ chain: localChain, transport, cacheTime: 0, pollingInterval: 50 });
  const test = createTestClient({ mode: "anvil", chain: localChain, transport });
  const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
    (client.request as (args: { method: string; params: unknown[] }) => Promise<unknown>)({ method, params });
  return {
    url,
    public: client,
    wallet: createWalletClient({ chain: localChain, transport, account: privateKeyToAccount(devKeys[0] as Hex) }),
    test,
    rpc,
    async mine(blocks = 1) {
      await rpc("anvil_mine", `0x${blocks.toString(16)}`);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      lines.close();
      child.stdout?.destroy();
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** A contract whose every call emits `LOG1`: topic is the first word of the calldata, data the second. By hand, 16 bytes. */
export const emitterDeployment: Hex = "0x6010600c60003960106000f36040600060003760003560206020a100";

/** A contract whose every call reverts with the error `Coffee()` of {@link coffeeAbi}. By hand, 13 bytes. */
export const reverterDeployment: Hex = `0x600d600c600039600d6000f363${toFunctionSelector("Coffee()").slice(2)}6000526004601cfd`;

/** The reverter's error. */
export const coffeeAbi = [{ type: "error", name: "Coffee", inputs: [] }] as const;

/** Calldata that makes the emitter log a topic and a word. */
export function emit(topic: number, word: number): Hex {
  return concat([pad(toHex(topic)), pad(toHex(word))]);
}

/** Deploys bytecode and returns the address. */
export async function deploy(anvil: Anvil, bytecode: Hex): Promise<Address> {
  const hash = await anvil.wallet.sendTransaction({
    data: bytecode,
    account: anvil.wallet.account ?? null,
    chain: localChain,
  });
  await anvil.mine();
  const { contractAddress } = await anvil.public.getTransactionReceipt({ hash });
  if (!contractAddress) throw new Error("not deployed");
  return contractAddress;
}
