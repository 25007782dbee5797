import { type Clock, isQuorateError, type Logger, QuorateError, RetryableError } from "@quorate/core";
import { type Address, encodeFunctionData, erc20Abi, type Hex, parseAbi } from "viem";
import { encodeApproveToken } from "../actions/approveToken.ts";
import { encodeDeposit, requireTokens } from "../actions/deposit.ts";
import { encodeDepositWithPermit } from "../actions/depositWithPermit.ts";
import { getAccount } from "../actions/getAccount.ts";
import { type Permit, signPermit } from "../actions/signPermit.ts";
import type { MarketClient } from "../client.ts";
import { read } from "./read.ts";
import {
  accountOf,
  awaitReceipt,
  broadcast,
  type EncodedCall,
  findReceipt,
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
};

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
  /** Stores the progress, durable when the promise resolves; `askedWalletAt` is dropped when it is absent. */
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
  const { transactions, askedWalletAt } = await sender.load();
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
  if (askedWalletAt !== undefined && sender.nothingIsPending !== true) {
    throw new RetryableError(
      "TRANSACTION_UNKNOWN",
      "A wallet was asked to send and its answer never came. Look at its history: wait for what is pending there, or say `nothingIsPending`.",
      { details: about },
    );
  }
  return undefined;
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
  /** Default `auto`: by permit where token and wallet can. */
  readonly funding?: Funding | undefined;
  /** Call that needs the money. */
  readonly call: EncodedCall;
};

/**
 * Makes sure that the sender's account in the market can pay for a call: pays in what is missing, by a permit in the same
 * transaction or by a deposit before it.
 *
 * @param sender Client, progress; knows the purposes `approve` and `deposit`.
 * @param payment Token, amount, way, call.
 * @returns The call to send, with the permit where one is used.
 * @throws RetryableError `FUNDS_MISSING` with funding `none`, `TOKEN_BALANCE_TOO_LOW`; what `sendCall` throws.
 */
export async function payInFor<Purpose extends string>(
  sender: JournaledSender<Purpose | "approve" | "deposit">,
  { token, needed, funding = "auto", call }: PayIn,
): Promise<EncodedCall> {
  const { client } = sender;
  const { market } = client;
  const { address: account } = accountOf(client);
  const { free } = await getAccount(client, { token, account });
  const amount = needed > free ? needed - free : 0n;
  if (amount === 0n) return call;
  if (funding === "none") {
    throw new RetryableError(
      "FUNDS_MISSING",
      `${needed} base units are needed and the account's free balance is ${free}. Deposit ${amount} first.`,
      { details: { needed: needed.toString(), free: free.toString(), missing: amount.toString() } },
    );
  }
  await requireTokens(client, { token, payer: account, amount });
  if (funding !== "deposit") {
    const permit = await permitFor(client, token, amount, funding === "auto");
    if (permit !== undefined) {
      const paid = encodeDepositWithPermit({ market, token, account, amount, permit });
      return encodeMulticall(market, [paid, call]);
    }
  }
  const allowance = await read(
    client.public.readContract({ address: token, abi: erc20Abi, functionName: "allowance", args: [account, market] }),
  );
  if (allowance < amount) await sendJournaled(sender, "approve", encodeApproveToken({ market, token, amount }));
  // The balance decides whether the deposit is still missing, so a lost answer is never paid again.
  await sendJournaled(sender, "deposit", encodeDeposit({ market, token, account, amount }));
  return call;
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
