import { FatalError, type QuorateError, RetryableError } from "@quorate/core";
import {
  AtomicityNotSupportedError,
  AtomicReadyWalletRejectedUpgradeError,
  type Chain,
  type GetCallsStatusReturnType,
  type Hex,
  InvalidParamsRpcError,
  MethodNotFoundRpcError,
  MethodNotSupportedRpcError,
  toHex,
  UnknownBundleIdError,
  UnsupportedProviderMethodError,
  UserRejectedRequestError,
  type WalletClient,
} from "viem";
import type { MarketClient } from "../client.ts";
import { accountOf, declined, type EncodedCall, isOneOf, requireWalletChain, unanswered } from "./sendCall.ts";
import { delay } from "./wait.ts";

/**
 * Whether the client's wallet sends several calls as one, with one prompt and without changing the account for it (EIP-5792,
 * capability `atomic` with status `supported`).
 *
 * @param client Market client; without a wallet, or with a local account, the answer is no.
 */
export async function canBatchCalls(client: MarketClient): Promise<boolean> {
  const { wallet, chainId } = client;
  if (wallet?.account === undefined || wallet.account.type === "local") return false;
  try {
    const { atomic } = await wallet.getCapabilities({ account: wallet.account, chainId });
    return (atomic as { readonly status?: unknown } | undefined)?.status === "supported";
  } catch {
    // A wallet that does not know the method, or does not want to tell.
    return false;
  }
}

/** An id for calls that a wallet is asked to send: kept before it is asked, it finds them again when the answer is lost. */
export function newBatchId(): Hex {
  return toHex(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Asks the wallet to send calls, all or none.
 *
 * @param client Market client whose wallet can; see {@link canBatchCalls}.
 * @param calls Encoded calls, in order.
 * @param id From {@link newBatchId}.
 * @returns The id under which the wallet knows them; undefined when it says that it cannot, and nothing was sent.
 * @throws FatalError `WALLET_REFUSED`, `WRONG_CHAIN`; RetryableError `TRANSACTION_UNKNOWN` when it gave no answer
 */
export async function sendBatch(
  client: MarketClient,
  calls: readonly EncodedCall[],
  id: Hex,
): Promise<string | undefined> {
  const account = accountOf(client);
  await requireWalletChain(client);
  const wallet = client.wallet as WalletClient;
  try {
    const sent = await wallet.sendCalls({
      account,
      chain: wallet.chain ?? ({ id: client.chainId } as Chain),
      calls: calls.map(({ to, data }) => ({ to, data })),
      forceAtomic: true,
      id,
    });
    return sent.id;
  } catch (cause) {
    if (isOneOf(cause, REFUSALS)) throw declined(cause);
    if (isOneOf(cause, INCAPABLE)) return undefined;
    throw unanswered("calls", cause);
  }
}

/** Answers of a wallet after which nothing was sent. */
const REFUSALS = [UserRejectedRequestError, AtomicReadyWalletRejectedUpgradeError] as const;
const INCAPABLE = [
  AtomicityNotSupportedError,
  InvalidParamsRpcError,
  MethodNotFoundRpcError,
  MethodNotSupportedRpcError,
  UnsupportedProviderMethodError,
] as const;

/** What became of calls: the transaction that holds them, or nothing. */
export type BatchEnd = { readonly hash: Hex } | "failed" | "unknown";

/**
 * Waits until a wallet says what became of calls.
 *
 * @param client Market client with the wallet that was asked.
 * @param id Id that the wallet was asked under.
 * @param options Signal; milliseconds to wait while they are pending.
 * @returns The transaction; `failed` when they had no effect; `unknown` when the wallet does not know them, or does not answer.
 * @throws RetryableError `TRANSACTION_UNKNOWN` when they stay pending
 */
export async function awaitBatch(
  client: MarketClient,
  id: string,
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs: number },
): Promise<BatchEnd> {
  const { signal, timeoutMs } = options;
  const until = performance.now() + timeoutMs;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    let found: GetCallsStatusReturnType;
    try {
      found = await (client.wallet as WalletClient).getCallsStatus({ id });
    } catch (cause) {
      failures += 1;
      if (failures === TRIES || isOneOf(cause, [UnknownBundleIdError])) return "unknown";
      await delay(POLL_MS, signal);
      continue;
    }
    failures = 0;
    const hash = found.receipts?.at(-1)?.transactionHash;
    if (found.status === "success" && hash !== undefined) return { hash };
    if (found.status === "failure") return "failed";
    if (performance.now() > until) {
      throw new RetryableError(
        "TRANSACTION_UNKNOWN",
        "The wallet has the calls and has not seen them mined. Come back, or look at its history; nothing is sent again meanwhile.",
      );
    }
    await delay(POLL_MS, signal);
  }
}

const POLL_MS = 1_000;
/** Failures in a row after which a wallet counts as one that does not answer. */
const TRIES = 5;

/** Calls that were mined or dropped without effect. */
export function batchFailed(): QuorateError {
  return new FatalError(
    "TRANSACTION_REVERTED",
    "The wallet says that the calls had no effect: all of them were undone. Read the job's or question's state and try again.",
  );
}
