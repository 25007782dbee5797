import type { Address } from "viem";
import type { ContractRefused } from "../errors.ts";
import type { WriteOptions, WriteResult } from "../internal/sendCall.ts";

/** Parameters of an action as its `encode…` twin takes them: with the market's address, without sending options. */
export type Encodable<Parameters> = Omit<Parameters, keyof WriteOptions> & {
  /** Address of the `JobMarket` contract. */
  readonly market: Address;
};

/** What `sendCall` can throw beside the contract's own refusals. */
export type WriteErrorCode =
  | "WALLET_MISSING"
  | "WALLET_REFUSED"
  | "WRONG_CHAIN"
  | "NODE_UNREACHABLE"
  | "TRANSACTION_REJECTED"
  | "TRANSACTION_UNKNOWN"
  | "TRANSACTION_REPLACED"
  | "TRANSACTION_REVERTED";

/** What a read of the chain can throw. */
export type ReadErrorType =
  | ContractRefused
  | { readonly code: "NODE_UNREACHABLE" | "NODE_REFUSED" | "CONTRACT_ERROR_UNKNOWN" | "CONTRACT_ANSWER_UNKNOWN" };

export type { WriteOptions, WriteResult };
