import { isQuorateError } from "@quorate/core";
import { BaseError, UserRejectedRequestError } from "viem";

/** An error as people read it. */
export type Explained = {
  /** Stable code, where there is one. */
  readonly code: string;
  /** What happened, why, what to do. */
  readonly message: string;
  /** A person said no in the wallet: nothing happened, and nothing is wrong. */
  readonly isRejection: boolean;
};

const REJECTED_CODES: readonly unknown[] = [4001, "ACTION_REJECTED"];

function isRejection(error: unknown): boolean {
  for (let at: unknown = error; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) {
    if (at instanceof UserRejectedRequestError) return true;
    if (REJECTED_CODES.includes((at as { code?: unknown }).code)) return true;
    if ((at as { name?: unknown }).name === "UserRejectedRequestError") return true;
  }
  return false;
}

/**
 * Puts anything that was thrown into words.
 *
 * @param error - What was thrown.
 */
export function explain(error: unknown): Explained {
  if (isRejection(error)) {
    return {
      code: "REJECTED",
      message: "You declined in the wallet. Nothing was signed and nothing was sent; try again when you are ready.",
      isRejection: true,
    };
  }
  if (isQuorateError(error)) return { code: error.code, message: error.message, isRejection: false };
  if (error instanceof BaseError) return { code: error.name, message: error.shortMessage, isRejection: false };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "UNEXPECTED", message, isRejection: false };
}
