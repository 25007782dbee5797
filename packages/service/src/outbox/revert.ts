import { type Abi, decodeErrorResult, type Hex } from "viem";
import type { OutboxReason } from "./types.ts";

const solidityErrors = [
  { type: "error", name: "Error", inputs: [{ name: "message", type: "string" }] },
  { type: "error", name: "Panic", inputs: [{ name: "code", type: "uint256" }] },
] as const;

function shown(value: unknown): string {
  return typeof value === "string"
    ? value
    : (JSON.stringify(value, (_, item) => (typeof item === "bigint" ? item.toString() : item)) ?? String(value));
}

/**
 * Puts revert data into words.
 *
 * @param code Code of the reason.
 * @param data Revert data, `undefined` or `0x` when the node gave none.
 * @param abi Contract whose custom errors are known.
 */
export function explainRevert(code: string, data: Hex | undefined, abi: Abi | undefined): OutboxReason {
  if (data === undefined || data === "0x")
    return { code, message: "The call reverted without a reason.", ...(data === undefined ? {} : { data }) };
  try {
    const decoded = decodeErrorResult({
      abi: [...(abi ?? []).filter((item) => item.type === "error"), ...solidityErrors] as Abi,
      data,
    });
    const args = ((decoded.args ?? []) as readonly unknown[]).map(shown);
    const message = `The contract refused the call: ${decoded.errorName}(${args.join(", ")}).`;
    return { code, message, errorName: decoded.errorName, args, data };
  } catch {
    return {
      code,
      message: `The call reverted with data that the known contracts do not explain: ${data.slice(0, 10)}.`,
      data,
    };
  }
}
