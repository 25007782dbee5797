import { type BlockSource, viemBlockSource } from "@quorate/chain";
import { canBatchCalls, isContractAccount, type MarketClient } from "@quorate/sdk";
import { createRelayClient, type RelayClient } from "@quorate/wire";
import { useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useMemo } from "react";
import {
  type Address,
  type Chain,
  createPublicClient,
  defineChain,
  fallback,
  http,
  type PublicClient,
  type Transport,
} from "viem";
import { type Config, createConfig, useConnection, useWalletClient, WagmiProvider } from "wagmi";
import { isLocalChain, type NetworkConfig } from "../../src/config.ts";
import { type HubOptions, MarketProvider } from "../market/index.ts";
import { burnerConnector, isBurner } from "./burner.ts";
import { type Networks, networkKey } from "./networks.ts";

/** Who is connected. */
export type ConnectedAccount = {
  readonly address: Address;
  /** Name of the wallet. */
  readonly wallet: string;
  readonly isBurner: boolean;
  /** A contract (ERC-1271): relays cannot verify its signatures, so its requests are announced on chain. Undefined until known. */
  readonly isContract: boolean | undefined;
  /** The wallet sends several calls with one prompt (EIP-5792). */
  readonly batchesCalls: boolean;
  /** The wallet is on another chain than the app; nothing can be signed meanwhile. */
  readonly isOnWrongNetwork: boolean;
};

/** Everything that pages need to reach the market. */
export type Session = {
  readonly networks: Networks;
  readonly network: NetworkConfig;
  readonly networkKey: string;
  readonly isLocal: boolean;
  readonly publicClient: PublicClient;
  /** The job market; with a wallet while an account is connected and on this network. */
  readonly jobs: MarketClient;
  /** The query market, where the network has one. */
  readonly questions: MarketClient | undefined;
  readonly relays: RelayClient;
  readonly sources: readonly BlockSource[];
  readonly account: ConnectedAccount | undefined;
};

const SessionContext = createContext<Session | undefined>(undefined);

/** Chain, markets, relays and wallet for everything below. */
export function SessionProvider({
  networks,
  children,
}: {
  readonly networks: Networks;
  readonly children: ReactNode;
}): ReactNode {
  const key = networkKey(networks.selected);
  // Another network is another session: clients, wallet and index begin anew.
  return (
    <NetworkSession key={key} networks={networks}>
      {children}
    </NetworkSession>
  );
}

function NetworkSession({
  networks,
  children,
}: {
  readonly networks: Networks;
  readonly children: ReactNode;
}): ReactNode {
  const network = networks.selected;
  const chain = useMemo(() => chainOf(network), [network]);
  const config = useMemo(() => configOf(network, chain), [network, chain]);
  const hub = useMemo(() => hubOf(network), [network]);
  return (
    <WagmiProvider config={config}>
      <MarketProvider options={hub}>
        <Connected networks={networks} chain={chain}>
          {children}
        </Connected>
      </MarketProvider>
    </WagmiProvider>
  );
}

function Connected({
  networks,
  chain,
  children,
}: {
  readonly networks: Networks;
  readonly chain: Chain;
  readonly children: ReactNode;
}): ReactNode {
  const network = networks.selected;
  const publicClient = useMemo(() => publicClientOf(network, chain), [network, chain]);
  const relays = useMemo(() => relaysOf(network), [network]);
  const sources = useMemo(() => sourcesOf(network), [network]);
  const connection = useConnection();
  const address = connection.status === "connected" ? connection.address : undefined;
  const isOnWrongNetwork = address !== undefined && connection.chainId !== network.chainId;
  const canSign = address !== undefined && !isOnWrongNetwork;
  const { data: wallet, refetch } = useWalletClient({ query: { enabled: canSign } });
  const code = useQuery({
    queryKey: ["code", networkKey(network), address],
    queryFn: async () => address !== undefined && (await isContractAccount(publicClient, address)),
    enabled: address !== undefined,
  });
  const walletName = connection.connector?.name ?? "Wallet";
  const batches = useQuery({
    queryKey: ["batches", networkKey(network), address, walletName],
    queryFn: () =>
      canBatchCalls({
        public: publicClient,
        chainId: network.chainId,
        market: network.market,
        wallet: wallet as never,
      }),
    enabled: canSign && wallet !== undefined,
  });
  useEffect(() => {
    // A wallet's client belongs to its account and its chain: while it was on another one there was none.
    if (canSign && address !== undefined) void refetch();
  }, [canSign, address, refetch]);
  const burner = isBurner(connection.connector);
  const session = useMemo((): Session => {
    const signing =
      address === undefined || isOnWrongNetwork || wallet === undefined ? {} : { wallet: wallet as never };
    const common = { public: publicClient, chainId: network.chainId, ...signing };
    return {
      networks,
      network,
      networkKey: networkKey(network),
      isLocal: isLocalChain(network.chainId),
      publicClient,
      jobs: { ...common, market: network.market },
      questions: network.queryMarket === undefined ? undefined : { ...common, market: network.queryMarket },
      relays,
      sources,
      account:
        address === undefined
          ? undefined
          : {
              address,
              wallet: walletName,
              isBurner: burner,
              isContract: code.data,
              batchesCalls: batches.data ?? false,
              isOnWrongNetwork,
            },
    };
  }, [
    networks,
    network,
    publicClient,
    relays,
    sources,
    address,
    wallet,
    walletName,
    burner,
    code.data,
    batches.data,
    isOnWrongNetwork,
  ]);
  return <SessionContext value={session}>{children}</SessionContext>;
}

/** The session of this page. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (session === undefined) throw new TypeError("useSession needs a SessionProvider above");
  return session;
}

function chainOf(network: NetworkConfig): Chain {
  return defineChain({
    id: network.chainId,
    name: network.name,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: network.rpc } },
    testnet: isLocalChain(network.chainId),
  });
}

const POLL_MS = 1_000;

function transportOf(network: NetworkConfig): Transport {
  const nodes = network.rpc.map((url) => http(url, { retryCount: 1, timeout: 10_000 }));
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : fallback(nodes);
}

function configOf(network: NetworkConfig, chain: Chain): Config {
  return createConfig({
    chains: [chain],
    connectors: isLocalChain(network.chainId) ? [burnerConnector(network)] : [],
    transports: { [chain.id]: transportOf(network) },
    pollingInterval: POLL_MS,
  }) as unknown as Config;
}

function publicClientOf(network: NetworkConfig, chain: Chain): PublicClient {
  return createPublicClient({ chain, transport: transportOf(network), pollingInterval: POLL_MS }) as PublicClient;
}

function relaysOf({ relays, chainId, market }: NetworkConfig): RelayClient {
  return createRelayClient({ urls: relays, domain: { chainId, market } });
}

function sourcesOf({ rpc }: NetworkConfig): readonly BlockSource[] {
  return rpc.map((url) => viemBlockSource(url));
}

function hubOf(network: NetworkConfig): HubOptions {
  const { chainId, market, queryMarket, fromBlock, confirmations, firstVisitBlocks, index } = network;
  return {
    key: networkKey(network),
    chainId,
    market,
    ...(queryMarket === undefined ? {} : { queryMarket }),
    fromBlock,
    confirmations,
    firstVisitBlocks,
    sources: sourcesOf(network),
    ...(index === undefined ? {} : { index: viemBlockSource(index, { verifyHeaders: "off" }) }),
  };
}
