import { createClient, getAddress, type Hex, http } from "viem";
import { SourceLiedError } from "../errors.ts";
import type { BlockHeader, BlockSource, LogFilter, RawLog } from "../types.ts";
import { headerHash, type RpcHeader } from "./header-hash.ts";

/** The part of a viem client that a source uses. */
export type RpcClient = {
  request(args: { method: string; params?: unknown }, options?: { signal?: AbortSignal }): Promise<unknown>;
};

/** Settings of {@link viemBlockSource}. */
export type ViemBlockSourceOptions = {
  /** Name for logs and metrics; the host of the URL by default, never its path, which often holds a key. */
  readonly name?: string;
  /** Requests per HTTP request during back-fill; 100 by default, 1 turns batching off. */
  readonly batchSize?: number;
  /**
   * Recomputation of header hashes: `auto` (default) enforces it once it succeeded, and gives up on chains with another
   * header format; `require` refuses such chains; `off` never does it.
   */
  readonly verifyHeaders?: "auto" | "require" | "off";
  /** Largest answer in bytes; 64 MiB by default. */
  readonly maxResponseBytes?: number;
};

type RpcLog = {
  address: Hex;
  topics: Hex[];
  data: Hex;
  blockNumber: Hex;
  blockHash: Hex;
  transactionHash: Hex;
  transactionIndex: Hex;
  logIndex: Hex;
};

function quantity(value: unknown, what: string, source: string): number {
  const number = typeof value === "string" && /^0x[0-9a-f]{1,13}$/i.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new SourceLiedError(source, `${what} is not a quantity`);
  return number;
}

function bytes(value: unknown, length: number, what: string, source: string): Hex {
  if (typeof value !== "string" || value.length !== 2 + 2 * length || !/^0x[0-9a-f]*$/i.test(value))
    throw new SourceLiedError(source, `${what} is not ${length} bytes`);
  return value.toLowerCase() as Hex;
}

function parseLog(value: unknown, source: string): RawLog {
  const log = (value ?? {}) as Partial<RpcLog>;
  const data = log.data;
  if (typeof data !== "string" || !/^0x([0-9a-f]{2})*$/i.test(data))
    throw new SourceLiedError(source, "data of a log is not hexadecimal");
  const topics = log.topics;
  if (!Array.isArray(topics) || topics.length > 4) throw new SourceLiedError(source, "a log has no list of topics");
  return {
    address: getAddress(bytes(log.address, 20, "address of a log", source)),
    topics: topics.map((topic) => bytes(topic, 32, "topic of a log", source)),
    data: data as Hex,
    blockNumber: quantity(log.blockNumber, "block number of a log", source),
    blockHash: bytes(log.blockHash, 32, "block hash of a log", source),
    transactionHash: bytes(log.transactionHash, 32, "transaction hash of a log", source),
    transactionIndex: quantity(log.transactionIndex, "transaction index of a log", source),
    logIndex: quantity(log.logIndex, "index of a log", source),
  };
}

function parseLogs(value: unknown, source: string): RawLog[] {
  if (!Array.isArray(value)) throw new SourceLiedError(source, "logs are not a list");
  return value.map((log) => parseLog(log, source));
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "rpc";
  }
}

/**
 * A source of blocks over JSON-RPC.
 *
 * @param urlOrClient HTTP URL of a node, or a viem client or transport with `request`.
 * @param options Name, batching, header verification.
 * @returns The source. Its methods reject with viem's errors, or `SOURCE_LIED` for malformed answers.
 */
export function viemBlockSource(urlOrClient: string | RpcClient, options: ViemBlockSourceOptions = {}): BlockSource {
  const name = options.name ?? (typeof urlOrClient === "string" ? hostOf(urlOrClient) : "rpc");
  const mode = options.verifyHeaders ?? "auto";
  const batchSize = options.batchSize ?? 100;
  const client: RpcClient =
    typeof urlOrClient === "string"
      ? (createClient({
          transport: http(urlOrClient, {
            batch: batchSize > 1 ? { batchSize, wait: 0 } : false,
            retryCount: 0,
            timeout: 60_000,
            maxResponseBodySize: options.maxResponseBytes ?? 64 * 1024 * 1024,
          }),
        }) as unknown as RpcClient)
      : urlOrClient;
  const call = (method: string, params: unknown[], signal?: AbortSignal): Promise<unknown> =>
    client.request({ method, params }, signal === undefined ? {} : { signal });

  /** Field names of the headers whose hash was recomputed; a header with other fields may be of a newer fork. */
  let provenShape: string | undefined;
  let impossible = false;
  function verify(header: RpcHeader): boolean {
    if (mode === "off" || impossible) return false;
    const shape = Object.keys(header).sort().join();
    if (headerHash(header) === header.hash.toLowerCase()) {
      provenShape = shape;
      return true;
    }
    if (mode === "require" || shape === provenShape)
      throw new SourceLiedError(
        name,
        `the header of block ${Number(header.number)} does not have the hash that it claims`,
      );
    // A chain with its own header format, or a fork with new fields: bloom and parent are then only claims.
    if (provenShape === undefined) impossible = true;
    return false;
  }

  function parseHeader(value: unknown): BlockHeader {
    const header = value as RpcHeader;
    const parsed = {
      number: quantity(header.number, "block number", name),
      hash: bytes(header.hash, 32, "block hash", name),
      parentHash: bytes(header.parentHash, 32, "parent hash", name),
      timestamp: quantity(header.timestamp, "timestamp", name),
      logsBloom: bytes(header.logsBloom, 256, "logs bloom", name),
    };
    return { ...parsed, verified: verify(header) };
  }

  async function header(
    reference: number | Hex | "latest" | "finalized",
    signal?: AbortSignal,
  ): Promise<BlockHeader | undefined> {
    const byHash = typeof reference === "string" && reference.length === 66;
    const tag = typeof reference === "number" ? (`0x${reference.toString(16)}` as const) : reference;
    const found = await call(byHash ? "eth_getBlockByHash" : "eth_getBlockByNumber", [tag, false], signal);
    if (found === null || found === undefined) return undefined;
    const parsed = parseHeader(found);
    if (typeof reference === "number" ? parsed.number !== reference : byHash && parsed.hash !== reference.toLowerCase())
      throw new SourceLiedError(name, `asked for block ${reference}, it returned ${parsed.number} ${parsed.hash}`);
    return parsed;
  }

  return {
    name,
    async chainId(signal) {
      return quantity(await call("eth_chainId", [], signal), "chain id", name);
    },
    async latest(signal) {
      const found = await header("latest", signal);
      if (found === undefined) throw new SourceLiedError(name, "it has no latest block");
      return found;
    },
    header: (reference, signal) => header(reference, signal),
    async headers(from, to, signal) {
      const numbers = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
      const found = await Promise.all(numbers.map((number) => header(number, signal)));
      const end = found.indexOf(undefined);
      return (end < 0 ? found : found.slice(0, end)) as BlockHeader[];
    },
    async logs(blockHash, filter: LogFilter, signal) {
      const request = {
        blockHash,
        address: filter.address,
        ...(filter.topics === undefined ? {} : { topics: filter.topics }),
      };
      return parseLogs(await call("eth_getLogs", [request], signal), name);
    },
    async logsRange(from, to, filter: LogFilter, signal) {
      const request = {
        fromBlock: `0x${from.toString(16)}`,
        toBlock: `0x${to.toString(16)}`,
        address: filter.address,
        ...(filter.topics === undefined ? {} : { topics: filter.topics }),
      };
      return parseLogs(await call("eth_getLogs", [request], signal), name);
    },
    async allLogs(blockHash, signal) {
      const receipts = await call("eth_getBlockReceipts", [blockHash], signal);
      if (!Array.isArray(receipts)) throw new SourceLiedError(name, `it has no receipts of block ${blockHash}`);
      return receipts.flatMap((receipt) => parseLogs((receipt as { logs?: unknown } | null)?.logs, name));
    },
    finalized: (signal) => header("finalized", signal),
  };
}
