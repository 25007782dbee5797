import type { Hex } from "viem";

/** What a node's refusal of a raw transaction means for the outbox. Anything else means nothing: unknown is not failed. */
export type BroadcastVerdict =
  | "accepted"
  | "known"
  | "nonce-too-low"
  | "underpriced"
  | "insufficient-funds"
  | "invalid"
  | "unknown";

function* causes(error: unknown): Iterable<Record<string, unknown>> {
  let current: unknown = error;
  for (let depth = 0; depth < 10 && typeof current === "object" && current !== null; depth += 1) {
    yield current as Record<string, unknown>;
    current = (current as { cause?: unknown }).cause;
  }
}

/**
 * The words of an error and its causes, for comparison with what nodes say.
 *
 * @param error Anything thrown by an RPC client.
 */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  for (const cause of causes(error)) {
    for (const field of ["message", "details", "shortMessage"]) {
      const value = cause[field];
      if (typeof value === "string") parts.push(value);
    }
  }
  return parts.join("\n");
}

/**
 * Reads a node's answer to `eth_sendRawTransaction`. Geth, Nethermind, Erigon, Besu, Reth, anvil and Hardhat word it differently.
 *
 * @param error What the client threw.
 */
export function judgeBroadcast(error: unknown): BroadcastVerdict {
  const text = errorText(error);
  if (/already known|already imported|alreadyknown|known transaction|already in (the )?(mem)?pool/i.test(text))
    return "known";
  if (/nonce( is)? too low|oldnonce|nonce has already been used|lower than the (current|next) nonce/i.test(text))
    return "nonce-too-low";
  if (/insufficient (funds|balance)|doesn't have enough funds|sender doesn't have enough/i.test(text))
    return "insufficient-funds";
  if (
    /underpriced|fee too low|less than (the )?block base fee|replacement.*(fee|price)|not enough to replace|maxfeepergas.*too low/i.test(
      text,
    )
  )
    return "underpriced";
  if (
    /intrinsic gas too low|exceeds block gas limit|gas limit.*(exceed|too high)|invalid (sender|signature|chain)|tx type not supported|initcode|rlp:/i.test(
      text,
    )
  )
    return "invalid";
  return "unknown";
}

/**
 * The revert data inside an error of `eth_call` or `eth_estimateGas`.
 *
 * @param error What the client threw.
 * @returns The data, `0x` for a revert without data, `undefined` when the error is no revert.
 */
export function revertData(error: unknown): Hex | undefined {
  for (const cause of causes(error)) {
    const data = cause.data;
    const inner = typeof data === "object" && data !== null ? (data as { data?: unknown }).data : data;
    if (typeof inner === "string" && /^0x([0-9a-f]{2})+$/i.test(inner)) return inner as Hex;
  }
  return /revert|execution error|invalid opcode|out of gas|vm exception/i.test(errorText(error)) ? "0x" : undefined;
}
