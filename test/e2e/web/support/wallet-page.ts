// Runs in the page before anything else: a wallet that announces itself (EIP-6963), signs with a local key, and can reject, wait,
// be on another chain, or be a contract account. Bundled by wallet.ts.
import { createWalletClient, custom, encodeFunctionData, type Hex, http, numberToHex, parseAbi } from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** How the wallet is made; written into the page in front of this script. */
export type WalletSettings = {
  readonly privateKey: Hex;
  readonly rpc: string;
  readonly chainId: number;
  /** Chain that it is on at first; the market's unless told. */
  readonly startsOn?: number;
  /** A contract account that this key owns: it is the one that asks and pays. */
  readonly contract?: `0x${string}`;
  /** Was connected before, as a wallet remembers. */
  readonly isConnected?: boolean;
  /** Says that it sends several calls as one (EIP-5792). */
  readonly batches?: boolean;
};

/** What a test does with the wallet from outside. */
export type PageWallet = {
  /** Methods that a person had to confirm, in their order. */
  prompts(): string[];
  /** How the next prompts end. */
  mode: "accept" | "reject" | "hold" | "lose";
  /** Lets held prompts go on. */
  release(): void;
};

declare global {
  interface Window {
    testWalletSettings: WalletSettings;
    testWallet: PageWallet;
  }
}

const settings = window.testWalletSettings;
const account = privateKeyToAccount(settings.privateKey);
const address = settings.contract ?? account.address;
const chain = {
  id: settings.chainId,
  name: "test",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [settings.rpc] } },
};
const client = createWalletClient({ account, chain, transport: http(settings.rpc) });
const listeners = new Map<string, Set<(value: unknown) => void>>();
const emit = (name: string, value: unknown): void => {
  for (const listener of listeners.get(name) ?? []) listener(value);
};

const read = <T>(key: string, otherwise: T): T => {
  const text = sessionStorage.getItem(`testWallet.${key}`);
  return text === null ? otherwise : (JSON.parse(text) as T);
};
const write = (key: string, value: unknown): void => sessionStorage.setItem(`testWallet.${key}`, JSON.stringify(value));

let chainId = read("chainId", settings.startsOn ?? settings.chainId);
let held: (() => void)[] = [];
const state: PageWallet = {
  prompts: () => read<string[]>("prompts", []),
  mode: "accept",
  release() {
    state.mode = "accept";
    for (const go of held) go();
    held = [];
  },
};
window.testWallet = state;

class RpcFailure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

async function confirm(method: string): Promise<void> {
  write("prompts", [...state.prompts(), method]);
  if (state.mode === "hold") await new Promise<void>((resolve) => held.push(resolve));
  if (state.mode === "reject") throw new RpcFailure(4001, "User rejected the request.");
}

async function forward(method: string, params: unknown): Promise<unknown> {
  const response = await fetch(settings.rpc, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: params ?? [] }),
  });
  const answer = (await response.json()) as { result?: unknown; error?: { code: number; message: string } };
  if (answer.error !== undefined) throw new RpcFailure(answer.error.code, answer.error.message);
  return answer.result;
}

type Call = { readonly to: `0x${string}`; readonly data?: Hex; readonly value?: Hex };
const executeAbi = parseAbi([
  "function execute(address target, bytes data) returns (bytes)",
  "function executeAll(address[] targets, bytes[] data)",
]);

/** Nonces are taken in order even when calls come at once. */
let sending: Promise<unknown> = Promise.resolve();
function send(call: Call): Promise<Hex> {
  const sent = sending.then(async () => {
    const { to, data = "0x", value = "0x0" } = call;
    if (settings.contract === undefined) return await client.sendTransaction({ to, data, value: BigInt(value) });
    const wrapped = encodeFunctionData({ abi: executeAbi, functionName: "execute", args: [to, data] });
    return await client.sendTransaction({ to: settings.contract, data: wrapped });
  });
  sending = sent.catch(() => {});
  return sent;
}

/** Calls of the contract account in one transaction: all or none. */
function sendAll(calls: readonly Call[]): Promise<Hex> {
  const args = [calls.map(({ to }) => to), calls.map(({ data = "0x" }) => data)] as const;
  const data = encodeFunctionData({ abi: executeAbi, functionName: "executeAll", args });
  return client.sendTransaction({ to: settings.contract as `0x${string}`, data });
}

async function request({ method, params }: { method: string; params?: unknown }): Promise<unknown> {
  const list = (params ?? []) as readonly unknown[];
  switch (method) {
    case "eth_requestAccounts":
      await confirm(method);
      write("isConnected", true);
      return [address];
    case "eth_accounts":
      return read("isConnected", settings.isConnected ?? false) ? [address] : [];
    case "wallet_requestPermissions":
      await confirm(method);
      write("isConnected", true);
      return [{ parentCapability: "eth_accounts", caveats: [{ type: "restrictReturnedAccounts", value: [address] }] }];
    case "wallet_revokePermissions":
      write("isConnected", false);
      return null;
    case "eth_chainId":
      return numberToHex(chainId);
    case "wallet_switchEthereumChain":
      await confirm(method);
      chainId = Number((list[0] as { chainId: Hex }).chainId);
      write("chainId", chainId);
      emit("chainChanged", numberToHex(chainId));
      return null;
    case "eth_signTypedData_v4": {
      await confirm(method);
      const { domain, types, primaryType, message } = JSON.parse(list[1] as string) as Parameters<
        typeof account.signTypedData
      >[0] & { types: Record<string, unknown> };
      const { EIP712Domain: _domain, ...own } = types;
      return await account.signTypedData({ domain, types: own, primaryType, message } as never);
    }
    case "personal_sign":
      await confirm(method);
      return await account.signMessage({ message: { raw: list[0] as Hex } });
    case "eth_sendTransaction":
      await confirm(method);
      return await send(list[0] as Call);
    case "wallet_getCapabilities":
      return settings.batches ? { [numberToHex(settings.chainId)]: { atomic: { status: "supported" } } } : {};
    case "wallet_sendCalls": {
      if (!settings.batches || settings.contract === undefined) throw new RpcFailure(4200, "Not supported.");
      const { id, calls } = list[0] as { id: string; calls: readonly Call[] };
      await confirm(method);
      write(`calls.${id}`, await sendAll(calls));
      // An answer may be lost on its way; what was sent is known under its id.
      if (state.mode === "lose") throw new Error("The wallet's window was closed.");
      return { id };
    }
    case "wallet_getCallsStatus": {
      const id = list[0] as string;
      const hash = read<Hex | undefined>(`calls.${id}`, undefined);
      if (hash === undefined) throw new RpcFailure(5730, "Unknown bundle id.");
      const receipt = await forward("eth_getTransactionReceipt", [hash]);
      return {
        version: "2.0.0",
        id,
        chainId: numberToHex(settings.chainId),
        atomic: true,
        status: receipt === null ? 100 : 200,
        receipts: receipt === null ? [] : [receipt],
      };
    }
    default:
      return await forward(method, params);
  }
}

const provider = {
  request,
  on: (name: string, listener: (value: unknown) => void) => {
    listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
  },
  removeListener: (name: string, listener: (value: unknown) => void) => {
    listeners.get(name)?.delete(listener);
  },
};
// A check of this file's own: what it offers is an EIP-1193 provider as viem takes it.
void custom(provider as never);

const icon =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><rect width='8' height='8' fill='%23789'/></svg>";
const detail = Object.freeze({
  info: { uuid: "7f0c9a51-4f7e-4a55-9c33-6a1f4a7f6f11", name: "Test Wallet", icon, rdns: "test.wallet" },
  provider,
});
const announce = (): void => {
  window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
};
window.addEventListener("eip6963:requestProvider", announce);
announce();
