import { withTimeout } from "@quorate/chain";
import { type Logger, RetryableError } from "@quorate/core";
import { type Hex, hexToBigInt, hexToNumber, type PublicClient } from "viem";

/** A block as far as fees and time need it. */
export type ChainHead = {
  readonly number: number;
  readonly hash: Hex;
  readonly timestamp: number;
  readonly baseFee: bigint | undefined;
};

/** A receipt as far as the outbox needs it. */
export type ReceiptView = {
  readonly hash: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly succeeded: boolean;
  readonly gasUsed: bigint;
};

/** One endpoint and how far it is. */
export type EndpointView = { readonly endpoint: Endpoint; readonly head: ChainHead; readonly nonce: number };

/** An answer or its absence; absence never means "no". */
export type Answer<T> =
  | { readonly endpoint: Endpoint; readonly value: T }
  | { readonly endpoint: Endpoint; readonly error: unknown };

/** A JSON-RPC endpoint with a deadline on every question. */
export class Endpoint {
  readonly name: string;
  readonly #client: PublicClient;
  readonly #timeoutMs: number;
  #chainId: number | undefined;
  #streak = 0;
  /** Milliseconds since the epoch until which it need not be asked. */
  restUntil = 0;

  constructor(client: PublicClient, index: number, timeoutMs: number) {
    this.name = `${client.name}-${index}`;
    this.#client = client;
    this.#timeoutMs = timeoutMs;
  }

  /** Notes whether the endpoint answered; one that does not is left alone for up to half a minute. */
  rest(failed: boolean, now: number): void {
    this.#streak = failed ? this.#streak + 1 : 0;
    this.restUntil = failed ? now + Math.min(30_000, 1000 * 2 ** Math.min(this.#streak, 5)) : 0;
  }

  /** Asks; rejects with the client's error or a `TimeoutError`. */
  async request<T>(method: string, params: unknown[], signal: AbortSignal): Promise<T> {
    const request = this.#client.request as (
      args: { method: string; params: unknown[] },
      options: { retryCount: number; signal: AbortSignal },
    ) => Promise<T>;
    try {
      return await withTimeout(this.#timeoutMs, signal, (inner) =>
        request({ method, params }, { retryCount: 0, signal: inner }),
      );
    } catch (error) {
      // After an outage another chain may answer under the same address.
      if (!isRpcAnswer(error)) this.#chainId = undefined;
      throw error;
    }
  }

  /** Head and transaction count, once the endpoint has shown that it serves the right chain. */
  async view(chainId: number, address: Hex, signal: AbortSignal): Promise<EndpointView> {
    if (this.#chainId !== chainId) {
      this.#chainId = hexToNumber(await this.request<Hex>("eth_chainId", [], signal));
      if (this.#chainId !== chainId)
        throw new RetryableError(
          "CHAIN_MISMATCH",
          `${this.name} serves chain ${this.#chainId}, expected ${chainId}. Correct the RPC URL.`,
        );
    }
    // One after the other: a block between the two may make the count newer than the head, never older.
    const block = await this.request<{ number: Hex; hash: Hex; timestamp: Hex; baseFeePerGas?: Hex }>(
      "eth_getBlockByNumber",
      ["latest", false],
      signal,
    );
    const nonce = hexToNumber(await this.request<Hex>("eth_getTransactionCount", [address, "latest"], signal));
    return {
      endpoint: this,
      nonce,
      head: {
        number: hexToNumber(block.number),
        hash: block.hash,
        timestamp: hexToNumber(block.timestamp),
        baseFee: block.baseFeePerGas === undefined ? undefined : hexToBigInt(block.baseFeePerGas),
      },
    };
  }

  /** The receipt of a transaction, or `undefined` when the endpoint knows none. */
  async receipt(hash: Hex, signal: AbortSignal): Promise<ReceiptView | undefined> {
    type RpcReceipt = {
      transactionHash: Hex;
      blockNumber: Hex | null;
      blockHash: Hex | null;
      status?: Hex;
      gasUsed: Hex;
    };
    const found = await this.request<RpcReceipt | null>("eth_getTransactionReceipt", [hash], signal);
    if (found === null || found === undefined || found.blockNumber === null || found.blockHash === null)
      return undefined;
    if (found.transactionHash.toLowerCase() !== hash.toLowerCase())
      throw new RetryableError("SOURCE_LIED", `${this.name} gave the receipt of another transaction.`);
    return {
      hash,
      blockNumber: hexToNumber(found.blockNumber),
      blockHash: found.blockHash,
      succeeded: found.status === "0x1",
      gasUsed: hexToBigInt(found.gasUsed),
    };
  }
}

function isRpcAnswer(error: unknown): boolean {
  return !(error instanceof DOMException) && typeof (error as { code?: unknown } | null)?.code === "number";
}

/**
 * Asks several endpoints the same at once.
 *
 * @returns An answer or the error of each; never rejects but for an abort.
 */
export async function askAll<T>(
  endpoints: readonly Endpoint[],
  signal: AbortSignal,
  logger: Logger,
  question: (endpoint: Endpoint) => Promise<T>,
): Promise<Answer<T>[]> {
  const answers = await Promise.all(
    endpoints.map(async (endpoint): Promise<Answer<T>> => {
      try {
        return { endpoint, value: await question(endpoint) };
      } catch (error) {
        return { endpoint, error };
      }
    }),
  );
  signal.throwIfAborted();
  for (const answer of answers) {
    if ("error" in answer)
      logger.debug("outbox.endpoint-failed", { endpoint: answer.endpoint.name, error: answer.error });
  }
  return answers;
}
