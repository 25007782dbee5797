import { jobMarketAbi, queryMarketAbi } from "@quorate/abi";
import { FatalError, OfferFault, QuorateError, RetryableError } from "@quorate/core";
import { type Abi, type AbiParameter, BaseError, decodeErrorResult, type Hex, isHex, parseAbi } from "viem";
import { type ContractErrorRow, contractErrors, tokenErrors } from "./contractErrors.ts";
import { queryContractErrors } from "./queryContractErrors.ts";

const errorAbi: Abi = [
  ...jobMarketAbi,
  ...queryMarketAbi,
  ...parseAbi([
    "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
    "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
    "error ERC20InvalidReceiver(address receiver)",
  ]),
];

/** Arguments of a contract's error by name. */
export type ContractErrorArguments = Readonly<Record<string, unknown>>;

/** An offer that `open` refuses, in the words of the contract. */
export type RefusedOffer = {
  /** Index of the offer's place. */
  readonly place: number;
  /** Name of the cause, as in `OfferFault`. */
  readonly fault: keyof typeof OfferFault;
};

/** The contract refused a call: nothing happened on chain. */
export class ContractRefused extends QuorateError {
  /** Name of the contract's custom error. */
  readonly errorName: string;
  /** Its arguments by name. */
  readonly errorArguments: ContractErrorArguments;
  /** Whether the same call may be accepted later, for example once a window ends. */
  readonly retry: boolean;

  constructor(
    row: ContractErrorRow,
    errorName: string,
    errorArguments: ContractErrorArguments,
    options: { readonly cause?: unknown; readonly hash?: Hex | undefined } = {},
  ) {
    const found = describeArguments(errorArguments);
    super(row.code, `${row.reason}${found === "" ? "" : ` (${found})`}. ${row.advice}`, {
      cause: options.cause,
      docsPath: row.docsPath,
      details: { error: errorName, ...flatten(errorArguments), ...(options.hash ? { hash: options.hash } : {}) },
    });
    this.errorName = errorName;
    this.errorArguments = errorArguments;
    this.retry = row.retry;
  }

  /** The refused offers, when the error is about offers; empty otherwise. */
  get refusedOffers(): readonly RefusedOffer[] {
    return refusedOffersIn(this.errorArguments);
  }
}

/**
 * Name of an offer's fault by its number.
 *
 * @param fault Number, as the contract gives it.
 */
export function offerFaultName(fault: number): keyof typeof OfferFault {
  const entry = Object.entries(OfferFault).find(([, value]) => value === fault);
  if (entry === undefined) {
    throw new FatalError(
      "OFFER_FAULT_UNKNOWN",
      `The contract named offer fault ${fault}, which this version does not know. Update the package.`,
    );
  }
  return entry[0] as keyof typeof OfferFault;
}

function refusedOffersIn(args: ContractErrorArguments): RefusedOffer[] {
  return Object.values(args).flatMap((value) =>
    Array.isArray(value)
      ? value
          .filter(
            (item): item is { place: number; fault: number } =>
              typeof item === "object" && item !== null && "fault" in item,
          )
          .map(({ place, fault }) => ({ place, fault: offerFaultName(fault) }))
      : [],
  );
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(describe).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = value as Record<string, unknown>;
    if (typeof fields.place === "number" && typeof fields.fault === "number") {
      return `place ${fields.place}: ${offerFaultName(fields.fault)}`;
    }
    return `{${Object.entries(fields)
      .map(([name, field]) => `${name}: ${describe(field)}`)
      .join(", ")}}`;
  }
  return String(value);
}

function describeArguments(args: ContractErrorArguments): string {
  return Object.entries(args)
    .map(([name, value]) => `${name}: ${describe(value)}`)
    .join(", ");
}

function flatten(args: ContractErrorArguments): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      typeof value === "number" || typeof value === "boolean" ? value : describe(value),
    ]),
  );
}

/**
 * The revert data inside whatever a viem action threw.
 *
 * @param error What was thrown.
 * @returns Revert data, or undefined when the error is no revert with data.
 */
export function revertDataOf(error: unknown): Hex | undefined {
  if (!(error instanceof BaseError)) return undefined;
  let found: Hex | undefined;
  error.walk((cause) => {
    const data = (cause as { data?: unknown }).data;
    const hex = typeof data === "object" && data !== null ? (data as { data?: unknown }).data : data;
    if (isHex(hex) && hex.length >= 10) found = hex;
    return false;
  });
  return found;
}

/**
 * Decodes revert data of the market or a token that it calls.
 *
 * @param data Revert data.
 * @param options Cause to keep, transaction that reverted.
 * @returns The refusal with a stable code and advice.
 */
export function decodeContractError(
  data: Hex,
  options: { readonly cause?: unknown; readonly hash?: Hex | undefined } = {},
): ContractRefused {
  let name: string;
  let args: readonly unknown[];
  let inputs: readonly AbiParameter[];
  try {
    const decoded = decodeErrorResult({ abi: errorAbi, data });
    name = decoded.errorName;
    args = decoded.args ?? [];
    inputs = "inputs" in decoded.abiItem ? decoded.abiItem.inputs : [];
  } catch {
    return new ContractRefused(
      {
        code: "CONTRACT_ERROR_UNKNOWN",
        reason: `The contract refused the call with an error that this version does not know, ${data.slice(0, 10)}`,
        advice: "Check that the market's address and this package's version belong together.",
        retry: false,
      },
      data.slice(0, 10),
      {},
      options,
    );
  }
  const row = contractErrors[name] ??
    queryContractErrors[name] ??
    tokenErrors[name] ?? {
      code: "CONTRACT_ERROR_UNKNOWN",
      reason: `The contract refused the call with ${name}`,
      advice: "Update the package: this version has no advice for it.",
      retry: false,
    };
  const named = Object.fromEntries(args.map((value, index) => [inputs[index]?.name || `argument${index}`, value]));
  return new ContractRefused(row, name, named, options);
}

/**
 * Turns whatever a viem action threw into an error of this project.
 *
 * @param error What was thrown.
 * @param options Transaction that it is about.
 * @returns A {@link ContractRefused} for a revert; INSUFFICIENT_GAS_FUNDS; NODE_REFUSED when the node answered with another
 * error; NODE_UNREACHABLE when there was no answer
 */
export function toContractError(error: unknown, options: { readonly hash?: Hex } = {}): QuorateError {
  if (error instanceof QuorateError) return error;
  const data = revertDataOf(error);
  if (data !== undefined) return decodeContractError(data, { cause: error, ...options });
  const message = error instanceof BaseError ? error.shortMessage || error.details : String(error);
  const names = namesIn(error);
  if (names.has("InsufficientFundsError")) {
    return new RetryableError(
      "INSUFFICIENT_GAS_FUNDS",
      "The account cannot pay for the gas of this transaction. Send it some of the chain's own currency.",
      { cause: error },
    );
  }
  if (names.has("ExecutionRevertedError")) {
    return new FatalError(
      "CONTRACT_ERROR_UNKNOWN",
      `The contract refused the call without saying why: ${message}. Check the market's address.`,
      { cause: error },
    );
  }
  if (names.has("RpcRequestError")) {
    return new RetryableError("NODE_REFUSED", `The node refused the request: ${message}. Try another node.`, {
      cause: error,
    });
  }
  return new RetryableError(
    "NODE_UNREACHABLE",
    `The node gave no answer: ${message}. Check the connection and try again; nothing was signed.`,
    { cause: error },
  );
}

function namesIn(error: unknown): Set<string> {
  const names = new Set<string>();
  if (error instanceof BaseError) {
    error.walk((cause) => {
      if (cause instanceof Error) names.add(cause.name);
      return false;
    });
  }
  return names;
}
