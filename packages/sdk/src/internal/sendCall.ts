import { FatalError, type QuorateError, RetryableError } from "@quorate/core";
import {
  type Account,
  type Address,
  BaseError,
  type Chain,
  type Hex,
  keccak256,
  type LocalAccount,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
  UserRejectedRequestError,
  type WalletClient,
} from "viem";
import type { MarketClient } from "../client.ts";
import { revertDataOf, toContractError } from "../errors.ts";
import { Mutex } from "./mutex.ts";

/** A call of a contract, ready for any sender: `encode…` functions return it. */
export type EncodedCall = {
  readonly to: Address;
  readonly data: Hex;
  /** Wei; always zero, the market takes tokens only. */
  readonly value: bigint;
};

/** A transaction after signing and before its broadcast. */
export type SignedTransaction = {
  readonly hash: Hex;
  /** The serialized transaction; sending it again is harmless. */
  readonly raw: Hex;
  readonly nonce: number;
  readonly from: Address;
};

/** What every write action accepts beside its own parameters. */
export type WriteOptions = {
  /** Stops the wait. A transaction that was broadcast stays broadcast. */
  readonly signal?: AbortSignal;
  /** How long to wait for the receipt, in milliseconds. Default 180,000. */
  readonly timeoutMs?: number;
  /** Blocks to wait for, the receipt's own included. Default 1. */
  readonly confirmations?: number;
  /**
   * Called after signing and before the broadcast; the broadcast waits for it. Store the transaction here to be able to
   * find out later what became of it. Local accounts only: other wallets sign and send in one step.
   */
  readonly onSigned?: (transaction: SignedTransaction) => void | Promise<void>;
  /** Called once the hash of a transaction that was sent is known, before its receipt. */
  readonly onSent?: (hash: Hex) => void | Promise<void>;
};

/** What every write action returns. */
export type WriteResult = { readonly hash: Hex; readonly receipt: TransactionReceipt };

/** How long a receipt is waited for unless told, milliseconds. */
export const RECEIPT_TIMEOUT_MS = 180_000;

/** Nonces of one account are given out one at a time: two writes at once would otherwise sign the same one. */
const senders = new WeakMap<object, Mutex>();

function senderOf(wallet: object): Mutex {
  let mutex = senders.get(wallet);
  if (mutex === undefined) {
    mutex = new Mutex();
    senders.set(wallet, mutex);
  }
  return mutex;
}

/**
 * The client's account, for writes.
 *
 * @param client - market client
 * @throws WALLET_MISSING when the client cannot sign
 */
export function accountOf(client: MarketClient): Account {
  const account = client.wallet?.account;
  if (account === undefined) {
    throw new FatalError(
      "WALLET_MISSING",
      "This action sends a transaction, and the client has no wallet with an account. Create the market client with `wallet`.",
    );
  }
  return account;
}

/**
 * Runs a call against the latest state without sending it.
 *
 * @param client - market client
 * @param call - encoded call
 * @param from - sender
 * @throws the contract's refusal, decoded; NODE_UNREACHABLE when the node gave no answer
 */
export async function simulateCall(client: MarketClient, call: EncodedCall, from: Address): Promise<Hex> {
  try {
    const { data } = await client.public.call({ account: from, to: call.to, data: call.data, value: call.value });
    return data ?? "0x";
  } catch (cause) {
    throw toContractError(cause);
  }
}

/**
 * Simulates a call, signs and sends it, and waits for its receipt. Sends at most once: when the reply to the broadcast is
 * lost, the transaction is looked for by its hash, never signed anew.
 *
 * @param client - market client with a wallet
 * @param call - encoded call
 * @param options - signal, time limit, confirmations, hook before the broadcast
 * @returns hash and receipt of the transaction that was mined
 * @throws the contract's refusal, decoded (from the simulation or, if things changed meanwhile, from the mined transaction);
 * WALLET_MISSING; WRONG_CHAIN; WALLET_REFUSED; TRANSACTION_REJECTED (the node took nothing); TRANSACTION_UNKNOWN (it may
 * or may not be mined, `details.hash` if known); TRANSACTION_REPLACED
 */
export async function sendCall(
  client: MarketClient,
  call: EncodedCall,
  options: WriteOptions = {},
): Promise<WriteResult> {
  const account = accountOf(client);
  options.signal?.throwIfAborted();
  await requireChain(client);
  await simulateCall(client, call, account.address);
  options.signal?.throwIfAborted();
  const hash = await senderOf(client.wallet as object).run(() =>
    account.type === "local"
      ? sendSigned(client, call, account, options)
      : sendThroughWallet(client, call, account, options),
  );
  await options.onSent?.(hash);
  return awaitReceipt(client, hash, { ...options, call, from: account.address });
}

async function requireChain(client: MarketClient): Promise<void> {
  let found: number;
  try {
    found = await client.public.getChainId();
  } catch (cause) {
    throw toContractError(cause);
  }
  if (found !== client.chainId) {
    throw new FatalError(
      "WRONG_CHAIN",
      `The node serves chain ${found}, the market is on chain ${client.chainId}. Nothing was signed. Point the client at a node of chain ${client.chainId}.`,
      { details: { found, required: client.chainId } },
    );
  }
}

/**
 * Asks a wallet that signs by itself for its chain.
 *
 * @param client - market client with a wallet
 * @throws WRONG_CHAIN when it is on another one than the market
 */
export async function requireWalletChain(client: MarketClient): Promise<void> {
  const found = await (client.wallet as WalletClient).getChainId();
  if (found === client.chainId) return;
  throw new FatalError(
    "WRONG_CHAIN",
    `The wallet is on chain ${found}, the market on chain ${client.chainId}. Switch the wallet's network; nothing was signed.`,
    { details: { found, required: client.chainId } },
  );
}

async function sendSigned(
  client: MarketClient,
  call: EncodedCall,
  account: LocalAccount,
  options: WriteOptions,
): Promise<Hex> {
  let raw: Hex;
  let nonce: number;
  try {
    const estimate = await client.public.estimateGas({ account: account.address, ...call });
    nonce = await client.public.getTransactionCount({ address: account.address, blockTag: "pending" });
    const prepared = await client.public.prepareTransactionRequest({
      account,
      chain: client.wallet?.chain as Chain | undefined,
      to: call.to,
      data: call.data,
      value: call.value,
      nonce,
      // A call that settles moves every balance of the job: what it costs can change between estimate and block.
      gas: (estimate * 5n) / 4n,
      parameters: ["chainId", "fees", "type"],
    });
    raw = await account.signTransaction({ ...prepared, chainId: client.chainId } as Parameters<
      LocalAccount["signTransaction"]
    >[0]);
  } catch (cause) {
    throw toContractError(cause);
  }
  const hash = keccak256(raw);
  await options.onSigned?.({ hash, raw, nonce, from: account.address });
  options.signal?.throwIfAborted();
  await broadcast(client, raw, hash);
  return hash;
}

/**
 * Broadcasts a signed transaction; doing so again is harmless.
 *
 * @param client - market client
 * @param raw - serialized transaction
 * @param hash - its hash
 * @throws TRANSACTION_REJECTED when the node answered that it will not take it and does not know it; an answer that never
 * came is no error here: the receipt decides
 */
export async function broadcast(client: MarketClient, raw: Hex, hash: Hex): Promise<void> {
  try {
    await client.public.sendRawTransaction({ serializedTransaction: raw });
  } catch (cause) {
    if (!answeredByNode(cause)) return;
    if (await isKnown(client, hash)) return;
    throw new RetryableError(
      "TRANSACTION_REJECTED",
      `The node refused transaction ${hash}: ${shortMessageOf(cause)}. It was not sent. Check the account's balance for gas, then try again.`,
      { cause, details: { hash } },
    );
  }
}

async function isKnown(client: MarketClient, hash: Hex): Promise<boolean> {
  try {
    await client.public.getTransaction({ hash });
    return true;
  } catch (error) {
    // Only the node's word "not found" counts as unknown; silence does not.
    return !(error instanceof BaseError && error.name === "TransactionNotFoundError");
  }
}

async function sendThroughWallet(
  client: MarketClient,
  call: EncodedCall,
  account: Account,
  _options: WriteOptions,
): Promise<Hex> {
  await requireWalletChain(client);
  const wallet = client.wallet as WalletClient;
  try {
    return await wallet.sendTransaction({ account, chain: wallet.chain ?? null, ...call });
  } catch (cause) {
    if (isOneOf(cause, [UserRejectedRequestError])) throw declined(cause);
    if (revertDataOf(cause) !== undefined) throw toContractError(cause);
    throw unanswered("transaction", cause);
  }
}

/**
 * Waits for the receipt of a transaction.
 *
 * @param client - market client
 * @param hash - transaction
 * @param options - signal, time limit, confirmations; `call` and `from` name the cause when it reverted
 * @returns hash (of the replacement with the same content, if the wallet sped it up) and receipt
 * @throws the contract's refusal; TRANSACTION_UNKNOWN; TRANSACTION_REPLACED
 */
export async function awaitReceipt(
  client: MarketClient,
  hash: Hex,
  options: WriteOptions & { readonly call?: EncodedCall; readonly from?: Address } = {},
): Promise<WriteResult> {
  let replaced: string | undefined;
  let receipt: TransactionReceipt;
  try {
    receipt = await client.public.waitForTransactionReceipt({
      hash,
      timeout: options.timeoutMs ?? RECEIPT_TIMEOUT_MS,
      confirmations: options.confirmations ?? 1,
      onReplaced: ({ reason }) => {
        if (reason !== "repriced") replaced = reason;
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new RetryableError(
      "TRANSACTION_UNKNOWN",
      `No receipt of transaction ${hash} came in time. It may still be mined: look for its hash before you send anything again.`,
      { cause, details: { hash } },
    );
  }
  if (replaced !== undefined) {
    throw new RetryableError(
      "TRANSACTION_REPLACED",
      `Transaction ${hash} was ${replaced === "cancelled" ? "cancelled" : "replaced by another one"} in the wallet. It has no effect.`,
      { details: { hash, replacement: receipt.transactionHash } },
    );
  }
  if (receipt.status === "reverted") throw await revertOf(client, receipt, options.call, options.from);
  return { hash: receipt.transactionHash, receipt };
}

/** Why a mined transaction reverted: the call runs again on the state before its block. */
async function revertOf(
  client: MarketClient,
  receipt: TransactionReceipt,
  call: EncodedCall | undefined,
  from: Address | undefined,
): Promise<QuorateError> {
  const hash = receipt.transactionHash;
  if (call !== undefined && from !== undefined) {
    for (const blockNumber of [receipt.blockNumber, receipt.blockNumber - 1n]) {
      try {
        await client.public.call({ account: from, ...call, blockNumber });
      } catch (cause) {
        if (revertDataOf(cause) !== undefined) return toContractError(cause, { hash });
      }
    }
  }
  return new FatalError(
    "TRANSACTION_REVERTED",
    `Transaction ${hash} was mined and reverted; nothing but gas was spent, and the node did not say why. Read the job's state and try again.`,
    { details: { hash } },
  );
}

/** A JSON-RPC error with a code is an answer; a timeout or a broken connection is none. */
function answeredByNode(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  const rpc = error.walk((cause) => cause instanceof BaseError && cause.name === "RpcRequestError");
  return rpc !== null;
}

/**
 * Whether an error of viem is, or was caused by, one of some kinds.
 *
 * @param cause - anything that was thrown
 * @param kinds - classes of errors
 */
export function isOneOf(cause: unknown, kinds: readonly (abstract new (...args: never[]) => unknown)[]): boolean {
  return cause instanceof BaseError && cause.walk((error) => kinds.some((kind) => error instanceof kind)) !== null;
}

/**
 * A wallet whose owner said no.
 *
 * @param cause - what the wallet threw
 */
export function declined(cause: unknown): FatalError {
  return new FatalError("WALLET_REFUSED", "The wallet's owner declined to sign. Nothing was sent.", { cause });
}

/**
 * A wallet that may have sent, or not.
 *
 * @param what - that it was asked to send
 * @param cause - what it threw
 */
export function unanswered(what: "transaction" | "calls", cause: unknown): RetryableError {
  return new RetryableError(
    "TRANSACTION_UNKNOWN",
    `The wallet gave no answer that says whether it sent the ${what} (${shortMessageOf(cause)}). Look at the chain or the wallet's history before you try again.`,
    { cause },
  );
}

function shortMessageOf(error: unknown): string {
  if (error instanceof BaseError) return error.details || error.shortMessage;
  return error instanceof Error ? error.message : String(error);
}

/**
 * The receipt of a transaction, if the chain has one.
 *
 * @param client - market client
 * @param hash - transaction
 * @returns the receipt, or undefined when the node knows none
 */
export async function findReceipt(client: MarketClient, hash: Hex): Promise<TransactionReceipt | undefined> {
  try {
    return await client.public.getTransactionReceipt({ hash });
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return undefined;
    throw toContractError(error);
  }
}
