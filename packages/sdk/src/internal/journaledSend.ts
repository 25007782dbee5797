import { type Clock, isQuorateError, type Logger, QuorateError, RetryableError } from "@quorate/core";
import { type Address, encodeFunctionData, erc20Abi, type Hex, parseAbi } from "viem";
import { encodeApproveToken } from "../actions/approveToken.ts";
import { encodeDeposit, requireTokens } from "../actions/deposit.ts";
import { encodeDepositWithPermit } from "../actions/depositWithPermit.ts";
import { getAccount } from "../actions/getAccount.ts";
import { type Permit, signPermit } from "../actions/signPermit.ts";
import type { MarketClient } from "../client.ts";
import { read } from "./read.ts";
import { awaitBatch, batchFailed, canBatchCalls, newBatchId, sendBatch } from "./sendBatch.ts";
import {
  accountOf,
  awaitReceipt,
  broadcast,
  type EncodedCall,
  findReceipt,
  RECEIPT_TIMEOUT_MS,
  sendCall,
  type WriteOptions,
  type WriteResult,
} from "./sendCall.ts";

/** Something that was sent, stored before it was broadcast. */
export type SentTransaction<Purpose extends string = string> = {
  readonly purpose: Purpose;
  readonly hash: Hex;
  /** Serialized transaction; absent when a wallet signed and sent in one step. */
  readonly raw?: Hex | undefined;
  readonly nonce?: number | undefined;
  readonly from: Address;
  /** Unix ms. */
  readonly sentAt: number;
};

/** What a record knows of its transactions. */
export type SendProgress<Purpose extends string = string> = {
  /** In the order of sending. */
  readonly transactions: readonly SentTransaction<Purpose>[];
  /** Set while a wallet has been asked to send and has not answered: its answer may have been lost. Unix ms. */
  readonly askedWalletAt?: number | undefined;
  /** Calls that the wallet was asked to send as one (EIP-5792): it may say later what became of them. */
  readonly askedBatch?: AskedBatch<Purpose> | undefined;
};

/** Calls that a wallet was asked to send as one. */
export type AskedBatch<Purpose extends string = string> = {
  readonly purpose: Purpose;
  /** Id under which the wallet knows them. */
  readonly id: string;
};

/**
 * A record with other progress; what the progress does not say is dropped.
 *
 * @param record As it is.
 * @param progress As it has to be.
 */
export function withProgress<Record extends SendProgress>(record: Record, progress: SendProgress): Record {
  const { transactions: _sent, askedWalletAt: _asked, askedBatch: _batch, ...rest } = record;
  return { ...rest, ...progress } as Record;
}

/** Sends for one record: what is known of a transaction is durable before its broadcast. */
export type JournaledSender<Purpose extends string> = {
  readonly client: MarketClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Blocks until a receipt counts, its own included. */
  readonly confirmations: number;
  readonly signal?: AbortSignal | undefined;
  /** For each receipt, milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Set after looking at the history of a wallet that never answered: says that nothing is pending. */
  readonly nothingIsPending?: boolean | undefined;
  /** What it is sent for, in log lines. */
  readonly about: Readonly<Record<string, string>>;
  /** Reads the record's progress. */
  load(): Promise<SendProgress<Purpose>>;
  /** Stores the progress, durable when the promise resolves; `askedWalletAt` and `askedBatch` are dropped when they are absent. */
  save(progress: SendProgress<Purpose>): Promise<void>;
};

/** How a missing balance is paid in. */
export type Funding = "auto" | "permit" | "deposit" | "none";

/**
 * Waits for what was sent before and may still be mined.
 *
 * @param sender Client, progress.
 * @param goal Purpose that ends the matter once it is mined.
 * @returns The transaction of this purpose, if it was mined; undefined when nothing is pending and a new attempt is safe.
 * @throws RetryableError `TRANSACTION_UNKNOWN` when a receipt does not come, or a wallet never said whether it sent.
 */
export async function finishSent<Purpose extends string>(
  sender: JournaledSender<Purpose>,
  goal: Purpose,
): Promise<SentTransaction<Purpose> | undefined> {
  const { client, logger, about } = sender;
  const { transactions, askedWalletAt, askedBatch } = await sender.load();
  // The newest first: an earlier one with the same nonce can no longer be mined once a later one is.
  for (const transaction of [...transactions].reverse()) {
    const fate = await fateOf(client, transaction);
    if (fate === "dead" || fate === "mined") continue;
    logger.info("send.resume", { ...about, hash: transaction.hash, purpose: transaction.purpose });
    if (transaction.raw !== undefined) await broadcast(client, transaction.raw, transaction.hash);
    try {
      await awaitReceipt(client, transaction.hash, writeOptions(sender));
    } catch (error) {
      // Reverted or replaced: it has no effect, and a new attempt is safe.
      if (!isQuorateError(error, "TRANSACTION_UNKNOWN") && error instanceof QuorateError) {
        logger.warn("send.earlier-failed", { ...about, code: error.code, message: error.message });
        continue;
      }
      throw error;
    }
    if (transaction.purpose === goal) return transaction;
  }
  if (askedBatch !== undefined) {
    const end = await finishBatch(sender, askedBatch);
    if (end === "failed") return undefined;
    if (end !== "unknown") return askedBatch.purpose === goal ? end.sent : undefined;
  }
  if (askedWalletAt !== undefined && sender.nothingIsPending !== true) {
    throw walletSilent(about);
  }
  return undefined;
}

function walletSilent(details: Readonly<Record<string, string>>): RetryableError {
  return new RetryableError(
    "TRANSACTION_UNKNOWN",
    "A wallet was asked to send and its answer never came. Look at its history: wait for what is pending there, or say `nothingIsPending`.",
    { details },
  );
}

/** Waits for calls that the wallet was asked to send as one; from then on they are a transaction like others. */
async function finishBatch<Purpose extends string>(
  sender: JournaledSender<Purpose>,
  { purpose, id }: AskedBatch<Purpose>,
): Promise<{ readonly sent: SentTransaction<Purpose>; readonly result: WriteResult } | "failed" | "unknown"> {
  const { client, clock, signal, timeoutMs = RECEIPT_TIMEOUT_MS } = sender;
  const end = await awaitBatch(client, id, { signal, timeoutMs });
  if (end === "unknown") return end;
  const { transactions } = await sender.load();
  if (end === "failed") {
    await sender.save({ transactions });
    return end;
  }
  const sent = { purpose, hash: end.hash, from: accountOf(client).address, sentAt: clock.now() };
  await sender.save({ transactions: [...transactions, sent] });
  return { sent, result: await awaitReceipt(client, end.hash, writeOptions(sender)) };
}

/** What became of a transaction: `dead` can never be mined, because another one took its nonce. */
async function fateOf(client: MarketClient, transaction: SentTransaction): Promise<"mined" | "dead" | "possible"> {
  if ((await findReceipt(client, transaction.hash)) !== undefined) return "mined";
  if (transaction.nonce === undefined) return "possible";
  const mined = await read(client.public.getTransactionCount({ address: transaction.from, blockTag: "latest" }));
  if (mined <= transaction.nonce) return "possible";
  // Mined between the two questions?
  return (await findReceipt(client, transaction.hash)) === undefined ? "dead" : "mined";
}

function writeOptions({ confirmations, signal, timeoutMs }: JournaledSender<string>): WriteOptions {
  return {
    confirmations,
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/**
 * Sends a call; what is known of its transaction is durable before the broadcast.
 *
 * @param sender Client, progress.
 * @param purpose Noted with the transaction.
 * @param call Encoded call.
 * @throws What `sendCall` throws.
 */
export async function sendJournaled<Purpose extends string>(
  sender: JournaledSender<Purpose>,
  purpose: Purpose,
  call: EncodedCall,
): Promise<WriteResult> {
  const { client, clock } = sender;
  const account = accountOf(client);
  const append = async (transaction: SentTransaction<Purpose>): Promise<void> => {
    const { transactions } = await sender.load();
    await sender.save({ transactions: [...transactions, transaction] });
  };
  if (account.type !== "local") {
    const { transactions } = await sender.load();
    await sender.save({ transactions, askedWalletAt: clock.now() });
  }
  try {
    return await sendCall(client, call, {
      ...writeOptions(sender),
      onSigned: ({ hash, raw, nonce, from }) => append({ purpose, hash, raw, nonce, from, sentAt: clock.now() }),
      onSent: (hash) =>
        account.type === "local" ? undefined : append({ purpose, hash, from: account.address, sentAt: clock.now() }),
    });
  } catch (error) {
    if (account.type !== "local" && !isQuorateError(error, "TRANSACTION_UNKNOWN")) {
      const { transactions } = await sender.load();
      await sender.save({ transactions });
    }
    throw error;
  }
}

/** What a call needs in its sender's account. */
export type PayIn = {
  readonly token: Address;
  /** Base units that must be free in the sender's account when the call runs. */
  readonly needed: bigint;
  /** Default `auto`: with the call in one batch where the wallet can, else by permit where token and wallet can. */
  readonly funding?: Funding | undefined;
  /** Call that needs the money. */
  readonly call: EncodedCall;
};

/**
 * Sends a call that the sender's account in the market has to pay for, and pays in what is missing: in one batch with it, by a
 * permit in the same transaction, or by a deposit before it.
 *
 * @param sender Client, progress; knows the purposes `approve` and `deposit`.
 * @param purpose Noted with the transaction of the call.
 * @param payment Token, amount, way, call.
 * @throws RetryableError `FUNDS_MISSING` with funding `none`, `TOKEN_BALANCE_TOO_LOW`; what `sendCall` throws.
 */
export async function payAndSend<Purpose extends string>(
  sender: JournaledSender<Purpose | "approve" | "deposit">,
  purpose: Purpose,
  { token, needed, funding = "auto", call }: PayIn,
): Promise<WriteResult> {
  const { client } = sender;
  const { market } = client;
  const { address: account } = accountOf(client);
  const { free } = await getAccount(client, { token, account });
  const amount = needed > free ? needed - free : 0n;
  if (amount === 0n) return await sendJournaled(sender, purpose, call);
  if (funding === "none") {
    throw new RetryableError(
      "FUNDS_MISSING",
      `${needed} base units are needed and the account's free balance is ${free}. Deposit ${amount} first.`,
      { details: { needed: needed.toString(), free: free.toString(), missing: amount.toString() } },
    );
  }
  await requireTokens(client, { token, payer: account, amount });
  const deposit = encodeDeposit({ market, token, account, amount });
  if (funding === "auto" && (await canBatchCalls(client))) {
    const approve = await approvalFor(client, token, amount);
    const sent = await sendBatchJournaled(sender, purpose, [...approve, deposit, call]);
    if (sent !== undefined) return sent;
  }
  if (funding !== "deposit") {
    const permit = await permitFor(client, token, amount, funding === "auto");
    if (permit !== undefined) {
      const paid = encodeDepositWithPermit({ market, token, account, amount, permit });
      return await sendJournaled(sender, purpose, encodeMulticall(market, [paid, call]));
    }
  }
  for (const approve of await approvalFor(client, token, amount)) await sendJournaled(sender, "approve", approve);
  // The balance decides whether the deposit is still missing, so a lost answer is never paid again.
  await sendJournaled(sender, "deposit", deposit);
  return await sendJournaled(sender, purpose, call);
}

/** The call that lets the market take an amount, unless it may already. */
async function approvalFor(client: MarketClient, token: Address, amount: bigint): Promise<readonly EncodedCall[]> {
  const { market } = client;
  const args = [accountOf(client).address, market] as const;
  const allowance = await read(
    client.public.readContract({ address: token, abi: erc20Abi, functionName: "allowance", args }),
  );
  return allowance < amount ? [encodeApproveToken({ market, token, amount })] : [];
}

/** Calls as one, with one prompt; undefined when the wallet cannot after all. The id is durable before the wallet is asked. */
async function sendBatchJournaled<Purpose extends string>(
  sender: JournaledSender<Purpose>,
  purpose: Purpose,
  calls: readonly EncodedCall[],
): Promise<WriteResult | undefined> {
  const { client, clock } = sender;
  const { transactions } = await sender.load();
  const asked = { transactions, askedWalletAt: clock.now(), askedBatch: { purpose, id: newBatchId() } };
  await sender.save(asked);
  let id: string | undefined;
  try {
    id = await sendBatch(client, calls, asked.askedBatch.id);
  } catch (error) {
    if (!isQuorateError(error, "TRANSACTION_UNKNOWN")) await sender.save({ transactions });
    throw error;
  }
  if (id === undefined) {
    await sender.save({ transactions });
    return undefined;
  }
  const batch = { purpose, id };
  // A wallet may know them under a name of its own.
  if (id !== asked.askedBatch.id) await sender.save({ ...asked, askedBatch: batch });
  const end = await finishBatch(sender, batch);
  if (end === "failed") throw batchFailed();
  if (end === "unknown") throw walletSilent(sender.about);
  return end.result;
}

async function permitFor(
  client: MarketClient,
  token: Address,
  value: bigint,
  mayFail: boolean,
): Promise<Permit | undefined> {
  try {
    return await signPermit(client, { token, value });
  } catch (error) {
    if (mayFail && isQuorateError(error, "PERMIT_UNSUPPORTED")) return undefined;
    throw error;
  }
}

const multicallAbi = parseAbi(["function multicall(bytes[] data) returns (bytes[] results)"]);

/**
 * Calls of one market in one transaction: all happen or none.
 *
 * @param market Contract that all of them go to.
 * @param calls Encoded calls.
 */
export function encodeMulticall(market: Address, calls: readonly EncodedCall[]): EncodedCall {
  const data = encodeFunctionData({
    abi: multicallAbi,
    functionName: "multicall",
    args: [calls.map((call) => call.data)],
  });
  return { to: market, data, value: 0n };
}
